"""Styles of the page. They are part of it, so that they work in a gallery too."""

STYLE = """<style>
.dlg-page {display: grid !important; gap: .6rem 1.2rem !important; align-items: start;
  grid-template-columns: minmax(0, 8fr) minmax(0, 5fr); grid-template-rows: auto 1fr}
.dlg-page > .column {min-width: 0 !important; gap: .5rem}
.dlg-page.dlg-questions {grid-template-columns: minmax(0, 1fr) minmax(0, 1fr)}
.dlg-side {grid-column: 2; grid-row: 1 / span 2}
.dlg-below {grid-column: 1}
.dlg-box textarea, .dlg-box input {border: 1px solid var(--border-color-primary) !important; border-radius: 8px;
  padding: .4rem .6rem !important}
.dlg-scroll {display: flex; flex-direction: column-reverse; max-height: 21.5rem; overflow-y: auto;
  padding: .7rem .9rem !important}
.dark .dlg-scroll {color-scheme: dark}
.dlg-turns {list-style: none !important; margin: 0 !important; padding: 0 !important}
.dlg-turn {display: grid; grid-template-columns: minmax(0, 7fr) minmax(0, 5fr); gap: .2rem 1rem; padding: .35rem 0;
  margin: 0 !important; align-items: start}
.dlg-turn + .dlg-turn {border-top: 1px solid var(--border-color-primary)}
.dlg-said {min-width: 0}
.dlg-who {margin: 0 !important; font-size: .78rem; font-weight: 600; color: var(--body-text-color-subdued)}
.dlg-said .zoo-text {margin: 0 !important; font-size: 1rem; line-height: 1.9}
.dlg-turn.system .zoo-text {line-height: 1.5}
.dlg-send {align-items: stretch !important}
.dlg-hint p {margin: 0 !important}
.dlg-facts {margin: 0 !important; font-size: .85rem; min-width: 0}
.dlg-facts div {display: flex; gap: .5rem; margin: .1rem 0}
.dlg-facts dt {flex: none; min-width: 3rem; color: var(--body-text-color-subdued)}
.dlg-facts dd {margin: 0; color: var(--body-text-color); overflow-wrap: anywhere; line-height: 1.6}
.dlg-slot {display: inline-block; padding: 0 .4em; border-radius: 6px; background: hsl(var(--h) 78% 91%);
  color: #16202c}
.dlg-slot b {font-weight: 600; color: #16202c}
.dark .dlg-slot {background: hsl(var(--h) 42% 22%); color: #f1f4f8}
.dark .dlg-slot b {color: #f1f4f8}
.dlg-written {font-size: 1.15rem; line-height: 1.5; margin: 0 0 .5rem !important; color: var(--body-text-color);
  overflow-wrap: anywhere}
.dlg-results .zoo-scroll {max-height: 21rem; overflow-y: auto}
.dlg-results td {overflow-wrap: anywhere}
.dlg-results td:last-child {min-width: 7rem}
.dlg-results .zoo-hint {margin-top: 0}
@media (max-width: 700px) {
  .dlg-page, .dlg-page.dlg-questions {grid-template-columns: minmax(0, 1fr); grid-template-rows: none}
  .dlg-side, .dlg-below {grid-area: auto}
  .dlg-chat > .dlg-side {order: 3}
  .dlg-turn {grid-template-columns: minmax(0, 1fr)}
  .dlg-scroll {max-height: 20rem}
}
</style>"""
