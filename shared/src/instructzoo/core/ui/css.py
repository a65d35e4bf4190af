"""CSS that all demos share: heading, cards, verdicts, tables, and the layout on wide and narrow screens."""

# Gradio confines rules within @media to the inside of the page: none there names .gradio-container.
CSS = """
.gradio-container, .gradio-container .fillable {max-width: 58rem !important; width: 100% !important; margin: 0 auto}
.gradio-container .fillable.app {padding: clamp(.5rem, 2vw, 1rem) clamp(.8rem, 4vw, 2rem) !important}
.html-container {padding: 0 !important}
.zoo-head h1 {font-size: 1.5rem; font-weight: 650; letter-spacing: -.02em; margin: 0 0 .1rem;
  color: var(--body-text-color)}
.zoo-head p {color: var(--body-text-color-subdued); margin: 0; font-size: .95rem}
.zoo-models {align-items: center !important; flex-wrap: wrap}
.zoo-knows {margin: 0; font-size: .9rem; line-height: 1.35; color: var(--body-text-color-subdued)}
.zoo-notice {margin: 0 0 .2rem; font-size: .9rem; line-height: 1.35; color: var(--body-text-color); font-weight: 600}
.gradio-container :is(button, input, textarea, select, summary, a, [tabindex], [role=tab]):focus-visible,
.gradio-container label:has(input[type=checkbox]:focus-visible, input[type=radio]:focus-visible) {
  outline: 3px solid var(--color-accent) !important; outline-offset: 2px !important}
.dark {--color-accent: var(--primary-400)}
.zoo-ask {align-items: stretch !important}
.zoo-ask textarea, .zoo-ask input {font: 500 1.2rem/1.4 var(--font-mono) !important; padding: .8rem 1rem !important;
  border: 1px solid var(--border-color-primary) !important; border-radius: var(--input-radius) !important}
.zoo-card {border: 1px solid var(--border-color-primary); border-radius: 12px; background: var(--block-background-fill);
  padding: 1.15rem 1.35rem; box-shadow: 0 1px 2px rgb(0 0 0 / .04); color: var(--body-text-color)}
.zoo-card .label {font-size: .82rem; color: var(--body-text-color-subdued); margin: 0 0 .2rem}
.zoo-big {font: 600 2.1rem/1.25 var(--font-mono); letter-spacing: -.02em; overflow-wrap: anywhere; margin: 0 0 .7rem}
.zoo-badge {display: inline-block; padding: .28rem .7rem; border-radius: 999px; font-weight: 600; font-size: .95rem}
.zoo-badge.zoo-right {background: #e3f6ea}
.zoo-badge.zoo-wrong {background: #fdeae8}
.zoo-badge.zoo-unknown {background: #eeeff2}
.zoo-right {color: #0d7a43}
.zoo-wrong {color: #a32018}
.zoo-unknown {color: #5b5f6b}
.dark .zoo-badge.zoo-right {background: #10341f}
.dark .zoo-badge.zoo-wrong {background: #43130f}
.dark .zoo-badge.zoo-unknown {background: #2a2d35}
.dark .zoo-right {color: #86e2ac}
.dark .zoo-wrong {color: #ffb0a8}
.dark .zoo-unknown {color: #c3c7d1}
.zoo-hint {color: var(--body-text-color-subdued); font-size: .92rem; margin: .7rem 0 .2rem}
.zoo-scroll {overflow-x: auto}
table.zoo-table {border-collapse: collapse !important; border: 0 !important; font-size: .95rem; margin: 0 !important}
table.zoo-table.wide {width: 100%}
table.zoo-table tr, table.zoo-table th, table.zoo-table td {border: 0 !important; background: none !important;
  text-align: left; vertical-align: top}
table.zoo-table th, table.zoo-table td {padding: .34rem 1.2rem .34rem 0 !important; color: var(--body-text-color)}
table.zoo-table th {font-weight: 600; color: var(--body-text-color-subdued) !important; font-size: .82rem}
table.zoo-table.wide tr + tr {border-top: 1px solid var(--border-color-primary) !important}
table.zoo-table .mono {font-family: var(--font-mono); white-space: pre}
table.zoo-table .zoo-right {color: #0d7a43 !important}
table.zoo-table .zoo-wrong {color: #a32018 !important}
table.zoo-table .zoo-unknown {color: var(--body-text-color-subdued) !important}
.dark table.zoo-table .zoo-right {color: #86e2ac !important}
.dark table.zoo-table .zoo-wrong {color: #ffb0a8 !important}
/* input and answer side by side; on a phone below each other, and the examples last */
.zoo-split {align-items: flex-start !important}
#examples button {text-align: start}
#card .zoo-scroll:first-child td:first-child {white-space: nowrap}
@media (max-width: 899px) {
  .zoo-split {flex-direction: column !important; align-items: stretch !important}
  .zoo-split > .zoo-input {display: contents !important}
  .zoo-last, .zoo-flow #examples {order: 9}
}
@media (max-width: 600px) {
  .column, .row {gap: .6rem !important}
  .zoo-head h1 {font-size: 1.25rem}
  .zoo-head p {font-size: .85rem}
  .zoo-models {flex-wrap: nowrap !important}
  .zoo-models #model {min-width: 8.9rem !important; flex: none !important; width: 8.9rem}
  .zoo-models #model input {padding-inline: 0 !important}
  .zoo-knows, .zoo-notice {font-size: .8rem}
  .zoo-card {padding: .9rem 1rem}
  table.zoo-table th, table.zoo-table td {padding-right: .5rem !important; font-size: .82rem}
}
"""
