"""Text with its spans marked, nested and overlapping ones too; how labels are coloured; what no eye can see, shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import NamedTuple

HUES = (205, 145, 28, 275, 350, 178, 52, 315, 95, 235)
"""Degrees of the colour circle, neighbours far apart. Labels are always written too: a colour alone tells nobody."""

STYLE = """<style>
.uie-text {font-size: 1.08rem; line-height: 2.35; white-space: pre-wrap; overflow-wrap: anywhere; margin: 0 0 .4rem;
  unicode-bidi: plaintext; color: var(--body-text-color)}
mark.uie-mark {background: hsl(var(--h) 78% 91%); color: #16202c; border-radius: 6px; padding: .16em .3em;
  box-decoration-break: clone; -webkit-box-decoration-break: clone}
mark.uie-mark mark.uie-mark {box-shadow: 0 0 0 1px hsl(var(--h) 45% 50%)}
mark.uie-mark.trigger {border-bottom: 2px solid hsl(var(--h) 60% 35%); border-radius: 6px 6px 0 0}
.uie-label {font: 600 .68rem/1 var(--font); letter-spacing: .02em; margin-inline-start: .4em; padding: .2em .4em;
  border-radius: 4px; background: hsl(var(--h) 55% 33%); color: #fff; vertical-align: .12em; white-space: nowrap}
.dark mark.uie-mark {background: hsl(var(--h) 42% 22%); color: #f1f4f8}
.dark .uie-label {background: hsl(var(--h) 50% 78%); color: #10151c}
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
.uie-event h4 {margin: 0 0 .1rem; font-size: 1rem; color: var(--body-text-color)}
.uie-event p {margin: 0 0 .5rem; font-size: .9rem; color: var(--body-text-color-subdued)}
.uie-event dl {display: grid; grid-template-columns: max-content 1fr; gap: .2rem .8rem; margin: 0; font-size: .92rem}
.uie-event dt {color: var(--body-text-color-subdued)}
.uie-event dd {margin: 0; color: var(--body-text-color); unicode-bidi: plaintext}
.uie-part {font-size: .82rem; color: var(--body-text-color-subdued); margin: 1.1rem 0 .35rem; font-weight: 600}
.uie-part:first-child {margin-top: 0}
.uie-out {font: .85rem/1.5 var(--font-mono); white-space: pre-wrap; overflow: auto; max-height: 24rem; margin: 0;
  padding: .7rem .9rem; border-radius: 8px; background: var(--background-fill-secondary); overflow-wrap: anywhere;
  color: var(--body-text-color)}
</style>"""
"""Goes with the page itself: in a gallery each domain brings its own."""

_UNSEEN = {c: 0x2400 + c for c in range(32) if chr(c) not in "\t\n"} | {0x7F: 0x2421}
_UNSEEN |= {c: 0xFFFD for c in (*range(0x80, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF)}
_UNSEEN |= {c: 0xFFFD for c in range(0xD800, 0xE000)}


class Span(NamedTuple):
    """A marked piece of a text: characters from `start` to before `end`, its label, and the class of its mark."""

    start: int
    end: int
    label: str
    kind: str = ""


def shown(text: str) -> str:
    """HTML of a text, as long as it is: control characters become signs, and none turns the direction of the page."""
    return escape(text.translate(_UNSEEN))


def hues(labels: Iterable[str]) -> dict[str, int]:
    """A colour for every label, by its number among them."""
    return {label: HUES[i % len(HUES)] for i, label in enumerate(dict.fromkeys(labels))}


def highlighted(text: str, spans: Sequence[Span], colours: Mapping[str, int]) -> str:
    """HTML of a text with marks that stand inside each other as the spans do.

    Where two spans cross, the later one is marked in two pieces, its label on the last: marks cannot cross in HTML.
    Raises nothing: a span outside of the text is cut to it.
    """
    inside = [s._replace(end=min(s.end, len(text))) for s in spans if 0 <= s.start < min(s.end, len(text))]
    waiting = sorted(inside, key=lambda s: (s.start, -s.end))
    edges = sorted({0, len(text), *(place for s in inside for place in s[:2])})
    parts, opened, following = [], list[Span](), 0
    for place, end in zip(edges, [*edges[1:], len(text)], strict=True):
        parts += _closed(opened, place, colours)
        while following < len(waiting) and waiting[following].start == place:
            opened.append(waiting[following])
            parts.append(_opening(waiting[following], colours))
            following += 1
        parts.append(shown(text[place:end]))
    return f'<p class="uie-text" dir="auto">{"".join(parts)}</p>'


def _closed(opened: list[Span], place: int, colours: Mapping[str, int]) -> list[str]:
    """Close what ends here, and what was opened inside of it; open the latter again."""
    ended = [i for i, span in enumerate(opened) if span.end <= place]
    if not ended:
        return []
    first = ended[0]
    parts = [_closing(span, span.end <= place, colours) for span in reversed(opened[first:])]
    kept = [span for span in opened[first:] if span.end > place]
    opened[first:] = kept
    return [*parts, *(_opening(span, colours) for span in kept)]


def _opening(span: Span, colours: Mapping[str, int]) -> str:
    return f'<mark class="uie-mark {escape(span.kind)}" style="--h: {colours.get(span.label, 0)}">'


def _closing(span: Span, labelled: bool, colours: Mapping[str, int]) -> str:
    return f"{label(span.label, colours) if labelled else ''}</mark>"


def label(name: str, colours: Mapping[str, int]) -> str:
    """HTML of a label beside what it names."""
    return f'<bdi class="uie-label" style="--h: {colours.get(name, 0)}">{shown(name)}</bdi>'
