"""Styles of the relation graph and the event cards. They are part of the page, so that they work in a gallery too."""

STYLE = """<style>
#uie-question {display: grid !important; gap: .6rem 1rem !important; align-items: start;
  grid-template-columns: minmax(0, 5fr) minmax(0, 7fr); grid-template-rows: repeat(6, auto) 1fr;
  grid-template-areas: "x x" "t a" "e a" "r a" "v a" "f a" "o a"}
#uie-question > .column {min-width: 0 !important; gap: .5rem}
.uie-area-text {grid-area: t} .uie-area-ask {grid-area: f} .uie-area-entities {grid-area: e}
.uie-area-relations {grid-area: r} .uie-area-events {grid-area: v} .uie-area-answer {grid-area: a}
.uie-area-options {grid-area: o} .uie-area-examples {grid-area: x}
#uie-question #examples {display: flex; flex-wrap: wrap; align-items: center; gap: .2rem .6rem}
#uie-question #examples .label {margin: 0}
.uie-box textarea {border: 1px solid var(--border-color-primary) !important; border-radius: 8px;
  padding: .4rem .6rem !important}
.uie-facts {display: flex; flex-wrap: wrap; gap: 0 1.5rem}
.uie-facts > section {min-width: 0; max-width: 100%; flex: 1 1 auto}
.uie-graph {overflow-x: auto; margin: .2rem 0 .6rem; --shade: rgb(120 130 145 / .35);
  --page: var(--block-background-fill);
  background: linear-gradient(to right, var(--page) 1.5rem, transparent 3rem) left / 3rem no-repeat local,
  linear-gradient(to left, var(--page) 1.5rem, transparent 3rem) right / 3rem no-repeat local,
  linear-gradient(to right, var(--shade), transparent) left / .9rem no-repeat scroll,
  linear-gradient(to left, var(--shade), transparent) right / .9rem no-repeat scroll}
.uie-list {display: none; list-style: none !important; margin: 0 !important; padding: 0 !important}
.uie-list li {margin: .15rem 0; color: var(--body-text-color); overflow-wrap: anywhere}
.uie-list b {font-weight: 600}
.uie-list span {color: var(--body-text-color-subdued)}
.uie-graph svg {display: block; height: auto; font: 500 13px var(--font)}
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
.uie-save {color: var(--color-accent) !important; padding: 0 !important}
.uie-output summary, .uie-json summary {cursor: pointer; font-size: .92rem; color: var(--body-text-color);
  margin-top: .6rem}
.uie-out {font: .85rem/1.5 var(--font-mono); white-space: pre-wrap; overflow: auto; max-height: 24rem; margin: 0;
  padding: .7rem .9rem; border-radius: 8px; background: var(--background-fill-secondary); overflow-wrap: anywhere;
  color: var(--body-text-color)}
.uie-under-way progress {appearance: none; width: 100%; height: .55rem; border: 0; border-radius: 9px; overflow: hidden;
  background: var(--border-color-primary); color: var(--color-accent)}
.uie-under-way progress::-webkit-progress-bar {background: var(--border-color-primary)}
.uie-under-way progress::-webkit-progress-value {background: var(--color-accent)}
.uie-under-way progress::-moz-progress-bar {background: var(--color-accent)}
.uie-under-way p {margin: .3rem 0 0 !important}
@media (max-width: 600px) {
  #uie-question {grid-template-columns: minmax(0, 1fr); grid-template-rows: none;
    grid-template-areas: "t" "e" "f" "a" "x" "r" "v" "o"}
  .uie-graph {display: none}
  .uie-list {display: block}
  .uie-replies tr, .uie-replies td {display: block; padding-right: 0 !important; overflow-wrap: anywhere}
  .uie-replies tr:first-child {display: none}
  .uie-replies td::before {content: attr(data-name); display: block; font-size: .75rem;
    color: var(--body-text-color-subdued)}
}
</style>"""
