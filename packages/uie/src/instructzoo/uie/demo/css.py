"""Styles of the relation graph and the event cards. They are part of the page, so that they work in a gallery too."""

STYLE = """<style>
.uie-box textarea, #uie-preset .wrap {border: 1px solid var(--border-color-primary) !important; border-radius: 8px}
.uie-box textarea {padding: .45rem .6rem !important}
.uie-graph {overflow-x: auto; margin: .2rem 0 .6rem}
.uie-graph svg {display: block; max-width: none; font: 500 13px var(--font)}
.uie-graph rect {fill: hsl(var(--h) 78% 93%); stroke: hsl(var(--h) 45% 50%)}
.uie-graph .bare rect {fill: var(--background-fill-secondary); stroke: var(--border-color-primary)}
.uie-graph text {fill: #16202c; text-anchor: middle; unicode-bidi: plaintext}
.uie-graph .bare text {fill: var(--body-text-color)}
.uie-graph .type {font-size: 10.5px; font-weight: 600; fill: hsl(var(--h) 55% 30%)}
.uie-graph .edge {fill: none; stroke: var(--body-text-color-subdued); stroke-width: 1.4}
.uie-graph .tip {fill: var(--body-text-color-subdued)}
.uie-graph .name {font-size: 12px; text-anchor: start; fill: var(--body-text-color); paint-order: stroke;
  stroke: var(--block-background-fill); stroke-width: 4px; stroke-linejoin: round}
.dark .uie-graph rect {fill: hsl(var(--h) 42% 20%); stroke: hsl(var(--h) 40% 50%)}
.dark .uie-graph .bare rect {fill: var(--background-fill-secondary); stroke: var(--border-color-primary)}
.dark .uie-graph text {fill: #f1f4f8}
.dark .uie-graph .type {fill: hsl(var(--h) 60% 78%)}
.dark .uie-graph .name {fill: var(--body-text-color)}
.uie-cards {display: grid; grid-template-columns: repeat(auto-fill, minmax(min(17rem, 100%), 1fr)); gap: .8rem}
.uie-event {border: 1px solid var(--border-color-primary); border-inline-start: 4px solid hsl(var(--h) 50% 50%);
  border-radius: 10px; padding: .7rem .9rem; overflow-wrap: anywhere}
.uie-event h4 {margin: 0 0 .1rem !important; font-size: 1rem; color: var(--body-text-color)}
.uie-event p {margin: 0 0 .5rem !important; font-size: .9rem; color: var(--body-text-color-subdued)}
.uie-event dl {display: grid; grid-template-columns: max-content 1fr; gap: .2rem .8rem; margin: 0; font-size: .92rem}
.uie-event dt {color: var(--body-text-color-subdued)}
.uie-event dd {margin: 0; color: var(--body-text-color); unicode-bidi: plaintext}
.uie-part {font-size: .82rem; font-weight: 600; color: var(--body-text-color-subdued);
  margin: 1.1rem 0 .35rem !important}
.uie-output summary {cursor: pointer; font-size: .92rem; color: var(--body-text-color); margin-top: .9rem}
.uie-out {font: .85rem/1.5 var(--font-mono); white-space: pre-wrap; overflow: auto; max-height: 24rem; margin: 0;
  padding: .7rem .9rem; border-radius: 8px; background: var(--background-fill-secondary); overflow-wrap: anywhere;
  color: var(--body-text-color)}
.uie-under-way progress {appearance: none; width: 100%; height: .55rem; border: 0; border-radius: 9px; overflow: hidden;
  background: var(--border-color-primary); color: var(--color-accent)}
.uie-under-way progress::-webkit-progress-bar {background: var(--border-color-primary)}
.uie-under-way progress::-webkit-progress-value {background: var(--color-accent)}
.uie-under-way progress::-moz-progress-bar {background: var(--color-accent)}
.uie-under-way p {margin: .3rem 0 0 !important}
</style>"""
