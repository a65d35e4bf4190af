"""HTML of a text with highlighted spans, for the demos: nested and crossing spans, labels, and everything escaped.

    spans = [Span(0, 5, "positive"), Span(9, 14, "opinion", "soft")]
    highlight("Pizza was great", spans, label_hues(["positive", "opinion"]))

Control characters are made visible, so that no text can hide a part of itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import NamedTuple

HUES = (205, 145, 28, 275, 350, 178, 52, 315, 95, 235)
"""Degrees of the colour circle, neighbours far apart. Labels are also written out: colour alone is not accessible."""

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

_DIRECTION_MARKS = (*range(0x202A, 0x202F), *range(0x2066, 0x206A))  # they would reverse the text after them
_REPLACEMENTS = {
    **dict.fromkeys((*range(0x80, 0xA0), *_DIRECTION_MARKS, 0xFEFF, *range(0xD800, 0xE000)), 0xFFFD),
    **{c: 0x2400 + c for c in range(32) if chr(c) not in "\t\n"},
    0x7F: 0x2421,
}


class Span(NamedTuple):
    """A highlighted part of a text.

    Args:
        start: The offset of its first character.
        end: The offset after its last character.
        label: The label that is written behind it.
        kind: The style of its mark: "" (filled), "soft" (underlined with dots) or "trigger" (filled and underlined).
        colour: The label whose colour it has; empty: its own.
    """

    start: int
    end: int
    label: str
    kind: str = ""
    colour: str = ""


def escape_text(text: str) -> str:
    """HTML of a text, character for character: control characters become visible, and none reverses the direction."""
    return escape(text.translate(_REPLACEMENTS))


def label_hues(labels: Iterable[str]) -> dict[str, int]:
    """A hue for every label, in degrees, by its position among them; more labels than HUES share hues."""
    return {label: HUES[i % len(HUES)] for i, label in enumerate(dict.fromkeys(labels))}


def highlight(text: str, spans: Sequence[Span], colours: Mapping[str, int]) -> str:
    """HTML of a text with a mark for every span; marks are nested as the spans are.

    Marks cannot cross in HTML: where two spans cross, the later one gets two marks, and its label is on the last.
    A span that extends beyond the text is clipped; one without a character of the text is left out.

    Args:
        text: The text.
        spans: Its spans, in any order.
        colours: The hue of each label (`label_hues`).

    Returns:
        Escaped HTML; its style is `CSS`.
    """
    clipped = [s._replace(end=min(s.end, len(text))) for s in spans if 0 <= s.start < min(s.end, len(text))]
    ordered = sorted(clipped, key=lambda span: (span.start, -span.end))
    edges = sorted({0, len(text), *(offset for span in clipped for offset in span[:2])})
    pieces, open_spans, following = list[str](), list[Span](), 0
    for start, end in zip(edges, [*edges[1:], len(text)], strict=True):
        pieces += _close_spans(open_spans, start, colours)
        while following < len(ordered) and ordered[following].start == start:
            open_spans.append(ordered[following])
            pieces.append(_opening_tag(ordered[following], colours))
            following += 1
        pieces.append(escape_text(text[start:end]))
    return f'<p class="zoo-text" dir="auto">{"".join(pieces)}</p>'


def _close_spans(open_spans: list[Span], offset: int, colours: Mapping[str, int]) -> list[str]:
    """Close the spans that end at `offset`, and those opened inside of them, which are opened again."""
    first = next((index for index, span in enumerate(open_spans) if span.end <= offset), None)
    if first is None:
        return []
    tags = [_closing_tag(span, span.end <= offset, colours) for span in reversed(open_spans[first:])]
    continued = [span for span in open_spans[first:] if span.end > offset]
    open_spans[first:] = continued
    return [*tags, *(_opening_tag(span, colours) for span in continued)]


def _opening_tag(span: Span, colours: Mapping[str, int]) -> str:
    return f'<mark class="zoo-mark {escape(span.kind)}" style="--h: {colours.get(span.colour or span.label, 0)}">'


def _closing_tag(span: Span, labelled: bool, colours: Mapping[str, int]) -> str:
    return f"{_label_html(span.label, colours.get(span.colour or span.label, 0)) if labelled else ''}</mark>"


def label(name: str, colours: Mapping[str, int]) -> str:
    """HTML of a label on its own; the browser does not copy it with the text.

    Args:
        name: The label.
        colours: The hue of each label (`label_hues`); a label without one gets hue 0.

    Returns:
        Escaped HTML.
    """
    return _label_html(name, colours.get(name, 0))


def _label_html(name: str, hue: int) -> str:
    label_element = f'<bdi class="zoo-label" style="--h: {hue}">{escape_text(name)}</bdi>'
    return f'<span class="zoo-tag">&nbsp;{label_element}</span>'  # on the same line as its span
