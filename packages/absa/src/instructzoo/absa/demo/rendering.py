"""Judged reviews as HTML: counts, sentiment by category as bars, the marked text, a table of the quadruples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from html import escape

from instructzoo.absa.extraction import Found, Judged, Totals
from instructzoo.absa.schema import SENTIMENTS
from instructzoo.core import ui
from instructzoo.core.ui.highlighting import Span, highlighted, label, shown

MIXED = "mixed"
COLOURS = {"positive": 145, "negative": 4, "neutral": 215, "conflict": 275, MIXED: 275}
"""Degrees of the colour circle; the word stands beside the colour everywhere."""
KINDS = {"positive": "right", "negative": "wrong"}
"""Classes of the house for the sentiments; the others are "unknown"."""
MAX_BARS = 24

STYLE = """<style>
.absa-bars {display: grid; grid-template-columns: minmax(6rem, max-content) 1fr max-content; gap: .3rem .8rem;
  align-items: center; font-size: .92rem; color: var(--body-text-color); margin: .2rem 0 .8rem}
.absa-bar {display: flex; gap: 2px; height: 1.05rem; min-width: 3rem}
.absa-bar i {display: block; border-radius: 3px; background: hsl(var(--h) 48% 45%)}
.absa-bar i.negative {background: repeating-linear-gradient(135deg, hsl(4 62% 50%) 0 5px, hsl(4 62% 62%) 5px 8px)}
.absa-bar i.neutral, .absa-bar i.conflict {background: hsl(215 12% 62%)}
.absa-bars .count {font-variant-numeric: tabular-nums; color: var(--body-text-color-subdued); white-space: nowrap}
.absa-part {font-size: .82rem; color: var(--body-text-color-subdued); font-weight: 600;
  margin: 1.2rem 0 .4rem !important}
.absa-counts {margin: 0 0 .8rem; line-height: 2.1}
.absa-review + .absa-review {border-top: 1px solid var(--border-color-primary); padding-top: .5rem; margin-top: .5rem}
.absa-review p {margin: 0}
.absa-review.numbered {position: relative; padding-inline-start: 1.9rem}
.absa-number {position: absolute; inset-inline-start: 0; line-height: 2.5; color: var(--body-text-color-subdued);
  font-variant-numeric: tabular-nums}
.absa-review .zoo-hint {margin: -.2rem 0 .5rem !important}
.absa-under-way progress {width: 100%; accent-color: var(--color-accent)}
@media (max-width: 600px) {
  .absa-bars {grid-template-columns: minmax(0, 1fr); gap: .15rem}
  .absa-bars .absa-bar {height: .8rem}
  .absa-bars .count {white-space: normal; margin-bottom: .4rem}
}
</style>"""
"""Goes with the page itself: in a gallery each domain brings its own."""


def result(judged: Sequence[Judged]) -> str:
    """HTML of a batch: counts, bars, every review marked, one table."""
    totals = Totals.of(judged)
    reviews = "".join(review(one, number if len(judged) > 1 else None) for number, one in enumerate(judged, 1))
    parts = [
        counted(totals),
        part("Sentiment by category", bars(totals.categories)) if totals.categories else "",
        part("Reviews: what is judged is filled, the words of opinion are dotted", reviews),
        part("Judgements", table(judged)) if totals.moods else "",
    ]
    return f'<div class="zoo-card">{"".join(parts)}</div>'


def part(title: str, html: str) -> str:
    """HTML of a part of a card under its title."""
    return f'<p class="absa-part">{escape(title)}</p>{html}'


def counted(totals: Totals) -> str:
    """HTML: 5 positive, 2 negative; of 3 reviews; then all that is amiss."""
    moods = [(KINDS.get(mood, "unknown"), f"{totals.moods[mood]:,} {mood}") for mood in SENTIMENTS]
    amiss = [
        ("unknown", totals.silent, "without a judgement"),
        ("unknown", totals.lost, f"{_many('span', totals.lost)} not in the text"),
        ("wrong", totals.invalid, f"{_many('answer', totals.invalid)} without format"),
        ("wrong", totals.faulty, "not asked"),
    ]
    badges = [ui.badge(kind, text) for kind, text in moods]
    badges += [ui.badge(kind, f"{number:,} {text}") for kind, number, text in amiss if number]
    of = f"in {totals.reviews:,} {_many('review', totals.reviews)}"
    return f'<p class="absa-counts">{" ".join(badges)} {of}</p>'


def _many(noun: str, number: int) -> str:
    return noun if number == 1 else f"{noun}s"


def bars(categories: Mapping[str, Counter[str]]) -> str:
    """HTML of a bar for every category, the most frequent first, cut by sentiment; the figures stand beside it."""
    ordered = sorted(categories.items(), key=lambda pair: (-pair[1].total(), pair[0]))
    shown_, rest = ordered[:MAX_BARS], ordered[MAX_BARS:]
    if rest:
        shown_.append((f"{len(rest)} more", sum((counts for _, counts in rest), Counter[str]())))
    longest = max((counts.total() for _, counts in shown_), default=1)
    return f'<div class="absa-bars">{"".join(_bar(readable(name), counts, longest) for name, counts in shown_)}</div>'


def _bar(name: str, counts: Counter[str], longest: int) -> str:
    moods = [mood for mood in (*SENTIMENTS, "conflict") if counts[mood]]
    pieces = "".join(
        f'<i class="{mood}" style="--h: {COLOURS[mood]}; width: {100 * counts[mood] / longest:.2f}%"></i>'
        for mood in moods
    )
    told = ", ".join(f"{counts[mood]:,} {mood}" for mood in moods)
    bar = f'<span class="absa-bar" aria-hidden="true">{pieces}</span>'
    return f'<span>{shown(name)}</span>{bar}<span class="count">{told}</span>'


def readable(category: str) -> str:
    """ "food, style options" of FOOD#STYLE_OPTIONS; another word as it is."""
    entity, _, attribute = category.partition("#")
    return f"{entity}, {attribute}".replace("_", " ").lower() if attribute else category or "no category"


def review(judged: Judged, number: int | None = None) -> str:
    """HTML of one review: its text with the marks, then what no word of it names, and what is amiss."""
    parts = [highlighted(judged.text, spans(judged.found), COLOURS), *_unmarked(judged)]
    if not (judged.found or judged.fault or judged.invalid):
        parts.append('<p class="zoo-hint">No judgement found.</p>')
    if number is None:
        return f'<div class="absa-review">{"".join(parts)}</div>'
    head = f'<span class="absa-number" aria-hidden="true">{number}</span>'
    return f'<div class="absa-review numbered" role="group" aria-label="review {number}">{head}{"".join(parts)}</div>'


def spans(found: Sequence[Found]) -> list[Span]:
    """The marks of a text: aspects with their sentiment (mixed where they differ), opinions under them."""
    aspects, opinions = dict[tuple[int, int], list[str]](), dict[tuple[int, int], tuple[str, str]]()
    for one in found:
        mood = one.quad.sentiment or SENTIMENTS[-1]
        if one.aspect:
            aspects.setdefault(one.aspect, []).append(mood)
        if one.opinion:
            opinions.setdefault(one.opinion, ("opinion" if one.aspect else f"{mood} opinion", mood))
    marks = [Span(*place, _joined(moods)) for place, moods in aspects.items()]
    return marks + [Span(*place, name, "soft", mood) for place, (name, mood) in opinions.items()]


def _joined(moods: Sequence[str]) -> str:
    return moods[0] if len(set(moods)) == 1 else MIXED


def _unmarked(judged: Judged) -> Iterator[str]:
    """Implicit aspects, spans that the text does not hold, answers without format, the reason why it was not asked."""
    implicit = [f.quad for f in judged.found if f.quad.aspect is None]
    if implicit:
        told = " ".join(
            f"<bdi>{shown(readable(q.category or ''))}</bdi>{label(q.sentiment or '', COLOURS)}" for q in implicit
        )
        yield f'<p class="zoo-hint">Judged without being named: {told}</p>'
    lost = [f"“<bdi>{shown(span)}</bdi>”" for f in judged.found for span in f.lost()]
    if lost:
        yield f'<p class="zoo-hint">⚠ Not in the text: {", ".join(lost)}</p>'
    for fault in judged.invalid:
        yield f'<p class="zoo-hint">⚠ An answer without format: {shown(fault)}</p>'
    if judged.fault:
        yield f'<p class="zoo-hint">{ui.badge("wrong", "✗ not asked")} {shown(judged.fault)}</p>'


def table(judged: Sequence[Judged]) -> str:
    """HTML of the quadruples, a line each."""
    rows = []
    for number, one in enumerate(judged, 1):
        for found in one.found:
            quad, missing = found.quad, found.lost()
            words = [_words(span, span in missing) for span in (quad.aspect, quad.opinion)]
            mood = quad.sentiment or ""
            cells = (words[0], readable(quad.category or ""), words[1], (mood, f"zoo-{KINDS.get(mood, 'unknown')}"))
            rows.append(cells if len(judged) == 1 else (str(number), *cells))
    header = ("aspect", "category", "opinion", "sentiment")
    return ui.table(header if len(judged) == 1 else ("#", *header), rows)


def _words(span: str | None, lost: bool) -> ui.Cell:
    if span is None:
        return "(implicit)", "zoo-unknown"
    return f"{span} (not in the text)" if lost else span
