"""Text with its spans marked, for the demos: nested and crossing spans, labels in words, nothing that runs or hides.

spans = [Span(0, 5, "positive"), Span(9, 14, "opinion", "soft")]
highlighted("Pizza was great", spans, hues(["positive", "opinion"]))
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import NamedTuple

HUES = (205, 145, 28, 275, 350, 178, 52, 315, 95, 235)
"""Degrees of the colour circle, neighbours far apart. Labels are always written too: a colour alone tells nobody."""

CSS = """
.zoo-text {font-size: 1.08rem; line-height: 2.3; white-space: pre-wrap; overflow-wrap: anywhere; margin: 0 0 .4rem;
  unicode-bidi: plaintext; color: var(--body-text-color)}
mark.zoo-mark {background: hsl(var(--h) 78% 91%); color: #16202c !important; border-radius: 6px; padding: .16em .3em;
  box-decoration-break: clone; -webkit-box-decoration-break: clone}
mark.zoo-mark mark.zoo-mark {box-shadow: 0 0 0 1px hsl(var(--h) 45% 50%)}
mark.zoo-mark.soft {background: none; color: inherit !important; border-radius: 0; padding: 0 0 .1em;
  border-bottom: 2px dotted hsl(var(--h) 60% 38%)}
mark.zoo-mark.trigger {border-bottom: 2px solid hsl(var(--h) 60% 35%); border-radius: 6px 6px 0 0}
.zoo-label {font: 600 .68rem/1 var(--font); letter-spacing: .02em; margin-inline-start: .1em; padding: .2em .4em;
  border-radius: 4px; background: hsl(var(--h) 55% 33%); color: #fff !important; vertical-align: .12em;
  white-space: nowrap}
mark.zoo-mark.soft > .zoo-tag .zoo-label {background: none; color: hsl(var(--h) 60% 30%) !important; padding: 0;
  font-weight: 500}
.zoo-tag {user-select: none; -webkit-user-select: none}
.dark mark.zoo-mark {background: hsl(var(--h) 42% 22%); color: #f1f4f8 !important}
.dark mark.zoo-mark.soft {background: none; color: inherit !important; border-bottom-color: hsl(var(--h) 60% 70%)}
.dark .zoo-label {background: hsl(var(--h) 50% 78%); color: #10151c !important}
.dark mark.zoo-mark.soft > .zoo-tag .zoo-label {background: none; color: hsl(var(--h) 60% 78%) !important}
"""

_TURNING = (*range(0x202A, 0x202F), *range(0x2066, 0x206A))  # they would turn the text that follows them
_UNSEEN = {
    **dict.fromkeys((*range(0x80, 0xA0), *_TURNING, 0xFEFF, *range(0xD800, 0xE000)), 0xFFFD),
    **{c: 0x2400 + c for c in range(32) if chr(c) not in "\t\n"},
    0x7F: 0x2421,
}


class Span(NamedTuple):
    """A marked piece of a text: characters from `start` to before `end`, its label, and the class of its mark.

    kind: "" (filled), "soft" (underlined with dots) or "trigger" (filled and underlined). colour: a label whose colour
    it has; none: its own.
    """

    start: int
    end: int
    label: str
    kind: str = ""
    colour: str = ""


def shown(text: str) -> str:
    """HTML of a text, sign for sign: control characters become visible, and none turns the direction of the page."""
    return escape(text.translate(_UNSEEN))


def hues(labels: Iterable[str]) -> dict[str, int]:
    """A colour for every label, by its number among them."""
    return {label: HUES[i % len(HUES)] for i, label in enumerate(dict.fromkeys(labels))}


def highlighted(text: str, spans: Sequence[Span], colours: Mapping[str, int]) -> str:
    """HTML of a text with marks that stand inside each other as the spans do.

    Where two spans cross, the later one is marked in two pieces, its label on the last: marks cannot cross in HTML.
    A span that reaches out of the text is cut to it; one without a character in it is left out.
    """
    inside = [s._replace(end=min(s.end, len(text))) for s in spans if 0 <= s.start < min(s.end, len(text))]
    waiting = sorted(inside, key=lambda s: (s.start, -s.end))
    edges = sorted({0, len(text), *(place for s in inside for place in s[:2])})
    parts, opened, following = list[str](), list[Span](), 0
    for place, end in zip(edges, [*edges[1:], len(text)], strict=True):
        parts += _closed(opened, place, colours)
        while following < len(waiting) and waiting[following].start == place:
            opened.append(waiting[following])
            parts.append(_opening(waiting[following], colours))
            following += 1
        parts.append(shown(text[place:end]))
    return f'<p class="zoo-text" dir="auto">{"".join(parts)}</p>'


def _closed(opened: list[Span], place: int, colours: Mapping[str, int]) -> list[str]:
    """Close what ends here, and what was opened inside of it; open the latter again."""
    first = next((number for number, span in enumerate(opened) if span.end <= place), None)
    if first is None:
        return []
    parts = [_closing(span, span.end <= place, colours) for span in reversed(opened[first:])]
    kept = [span for span in opened[first:] if span.end > place]
    opened[first:] = kept
    return [*parts, *(_opening(span, colours) for span in kept)]


def _opening(span: Span, colours: Mapping[str, int]) -> str:
    return f'<mark class="zoo-mark {escape(span.kind)}" style="--h: {colours.get(span.colour or span.label, 0)}">'


def _closing(span: Span, labelled: bool, colours: Mapping[str, int]) -> str:
    return f"{_tag(span.label, colours.get(span.colour or span.label, 0)) if labelled else ''}</mark>"


def label(name: str, colours: Mapping[str, int]) -> str:
    """HTML of a label beside what it names; it is not copied with the text."""
    return _tag(name, colours.get(name, 0))


def _tag(name: str, hue: int) -> str:
    inside = f'<bdi class="zoo-label" style="--h: {hue}">{shown(name)}</bdi>'
    return f'<span class="zoo-tag">&nbsp;{inside}</span>'  # on the line of what it names


def unaskable(text: str, most: int) -> str:
    """Why no model should be asked about a text, in one friendly line; empty where it can be. most: characters."""
    if not any(map(str.isalnum, text)):
        return "There is no word in it."
    if len(text) > most:
        return f"A text has at most {most:,} characters here, this one has {len(text):,}."
    if half := next((c for c in text if "\ud800" <= c <= "\udfff"), ""):
        return f"It holds half of a character pair (U+{ord(half):04X})."
    return ""
