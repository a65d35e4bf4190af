"""HTML of analysed reviews: counts, sentiment by category as bars, the marked text, and a table of the quadruples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from html import escape

from instructzoo.absa.extraction import AnalysisCounts, LocatedQuad, ReviewAnalysis
from instructzoo.absa.schema import CONFLICT, SENTIMENTS
from instructzoo.core import ui
from instructzoo.core.ui.highlighting import Span, escape_text, highlight, label

MIXED = "mixed"
HUES = {"positive": 145, "negative": 4, "neutral": 215, CONFLICT: 275, MIXED: 275}
"""Hue of each sentiment in degrees. The word is always shown beside the colour."""
BADGE_KINDS = {"positive": "right", "negative": "wrong"}
"""Kinds of `ui.badge` for the sentiments; the others are "unknown"."""
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
.absa-progress progress {width: 100%; accent-color: var(--color-accent)}
@media (max-width: 600px) {
  .absa-counts {font-size: .85rem}
  .absa-counts .zoo-badge {font-size: .85rem !important; padding: .1rem .5rem !important}
  .absa-part {margin-top: .7rem !important}
  .absa-bars {grid-template-columns: minmax(0, 1fr); gap: .15rem}
  .absa-bars .absa-bar {height: .8rem}
  .absa-bars .count {white-space: normal; margin-bottom: .4rem}
}
</style>"""
"""CSS of the page. It is part of the page so that the gallery of all domains has it too."""


def render_analyses(analyses: Sequence[ReviewAnalysis]) -> str:
    """HTML of several reviews: counts, bars, every review with its marks, and one table."""
    counts = AnalysisCounts.of(analyses)
    reviews = "".join(
        render_review(analysis, number if len(analyses) > 1 else None) for number, analysis in enumerate(analyses, 1)
    )
    bars = render_bars(counts.sentiments_by_category) if counts.sentiments_by_category else ""
    sections = [
        render_counts(counts),
        section("Coloured: what is judged. Underlined: the judging words", reviews),
        section("Opinions", render_table(analyses)) if counts.sentiments else "",
        section("Sentiment by category", bars) if bars else "",
    ]
    return f'<div class="zoo-card">{"".join(sections)}</div>'


def section(title: str, html: str) -> str:
    """HTML of a section of a card under its title."""
    return f'<p class="absa-part">{escape(title)}</p>{html}'


def render_counts(counts: AnalysisCounts) -> str:
    """HTML of the counts: "5 positive 2 negative 0 neutral in 3 reviews", and the problems that occurred."""
    by_sentiment = [
        (BADGE_KINDS.get(sentiment, "unknown"), f"{counts.sentiments[sentiment]:,} {sentiment}")
        for sentiment in SENTIMENTS
    ]
    problems = [
        ("unknown", counts.without_quads, "without an opinion"),
        ("unknown", counts.hallucinated, f"{_plural('phrase', counts.hallucinated)} not in the text"),
        ("wrong", counts.unparseable, f"unreadable {_plural('answer', counts.unparseable)}"),
        ("wrong", counts.failed, "not analysed"),
    ]
    badges = [ui.badge(kind, text) for kind, text in by_sentiment]
    badges += [ui.badge(kind, f"{number:,} {text}") for kind, number, text in problems if number]
    reviews = f"in {counts.reviews:,} {_plural('review', counts.reviews)}"
    return f'<p class="absa-counts">{" ".join(badges)} {reviews}</p>'


def _plural(noun: str, number: int) -> str:
    return noun if number == 1 else f"{noun}s"


def render_bars(sentiments_by_category: Mapping[str, Counter[str]]) -> str:
    """HTML of one bar per category, the most frequent first, divided by sentiment, with the counts beside it."""
    ordered = sorted(sentiments_by_category.items(), key=lambda pair: (-pair[1].total(), pair[0]))
    bars, rest = ordered[:MAX_BARS], ordered[MAX_BARS:]
    if rest:
        bars.append((f"{len(rest)} more", sum((counts for _, counts in rest), Counter[str]())))
    longest = max((counts.total() for _, counts in bars), default=1)
    html = "".join(_render_bar(readable_category(name), counts, longest) for name, counts in bars)
    return f'<div class="absa-bars">{html}</div>'


def _render_bar(name: str, counts: Counter[str], longest: int) -> str:
    sentiments = [sentiment for sentiment in (*SENTIMENTS, CONFLICT) if counts[sentiment]]
    pieces = "".join(
        f'<i class="{sentiment}" style="--h: {HUES[sentiment]}; width: {100 * counts[sentiment] / longest:.2f}%"></i>'
        for sentiment in sentiments
    )
    numbers = ", ".join(f"{counts[sentiment]:,} {sentiment}" for sentiment in sentiments)
    bar = f'<span class="absa-bar" aria-hidden="true">{pieces}</span>'
    return f'<span>{escape_text(name)}</span>{bar}<span class="count">{numbers}</span>'


def readable_category(category: str) -> str:
    """ "food, style options" for FOOD#STYLE_OPTIONS; any other label as it is."""
    entity, _, attribute = category.partition("#")
    return f"{entity}, {attribute}".replace("_", " ").lower() if attribute else category or "no category"


def readable_categories(categories: Sequence[str]) -> str:
    """ "food, quality, prices; service, general": the categories by entity, in the order of their first one."""
    attributes_by_entity = dict[str, list[str]]()
    for category in categories:
        entity, _, attribute = readable_category(category).partition(", ")
        attributes_by_entity.setdefault(entity, []).append(attribute)
    return "; ".join(", ".join(filter(None, (name, *values))) for name, values in attributes_by_entity.items())


def render_review(analysis: ReviewAnalysis, number: int | None = None) -> str:
    """HTML of one review: its text with the marks, then implicit aspects and problems.

    Args:
        analysis: the analysed review.
        number: its number among several reviews.
    """
    parts = [highlight(analysis.text, marks(analysis.quads), HUES), *_hints(analysis)]
    if not (analysis.quads or analysis.error or analysis.unparseable):
        parts.append('<p class="zoo-hint">No opinion found.</p>')
    if number is None:
        return f'<div class="absa-review">{"".join(parts)}</div>'
    head = f'<span class="absa-number" aria-hidden="true">{number}</span>'
    return f'<div class="absa-review numbered" role="group" aria-label="review {number}">{head}{"".join(parts)}</div>'


def marks(quads: Sequence[LocatedQuad]) -> list[Span]:
    """The marks of a text: aspects with their sentiment ("mixed" where several differ), then opinion terms."""
    aspect_sentiments = dict[tuple[int, int], list[str]]()
    opinion_labels = dict[tuple[int, int], tuple[str, str]]()
    for located in quads:
        sentiment = located.quad.sentiment or SENTIMENTS[-1]
        if located.aspect:
            aspect_sentiments.setdefault(located.aspect, []).append(sentiment)
        if located.opinion:
            name = "opinion" if located.aspect else f"{sentiment} opinion"
            opinion_labels.setdefault(located.opinion, (name, sentiment))
    aspect_marks = [Span(*offsets, _joint_label(sentiments)) for offsets, sentiments in aspect_sentiments.items()]
    return aspect_marks + [
        Span(*offsets, name, "soft", sentiment) for offsets, (name, sentiment) in opinion_labels.items()
    ]


def _joint_label(sentiments: Sequence[str]) -> str:
    return sentiments[0] if len(set(sentiments)) == 1 else MIXED


def _hints(analysis: ReviewAnalysis) -> Iterator[str]:
    """Implicit aspects, hallucinated spans, unparseable outputs, and the reason why a review was not analysed."""
    implicit = [located.quad for located in analysis.quads if located.quad.aspect is None]
    if implicit:
        names = " ".join(
            f"<bdi>{escape_text(readable_category(quad.category or ''))}</bdi>{label(quad.sentiment or '', HUES)}"
            for quad in implicit
        )
        yield f'<p class="zoo-hint">Judged without being named: {names}</p>'
    hallucinated = [span for located in analysis.quads for span in located.hallucinated_spans()]
    if hallucinated:
        quoted = ", ".join(f"“<bdi>{escape_text(span)}</bdi>”" for span in hallucinated)
        yield f'<p class="zoo-hint">⚠ Not in the text: {quoted}</p>'
    for reason in analysis.unparseable:
        yield f'<p class="zoo-hint">⚠ Unreadable answer: {escape_text(reason)}</p>'
    if analysis.error:
        yield f'<p class="zoo-hint">{ui.badge("wrong", "✗ not analysed")} {escape_text(analysis.error)}</p>'


def render_table(analyses: Sequence[ReviewAnalysis]) -> str:
    """HTML of a table with one line per quadruple."""
    rows = []
    for number, analysis in enumerate(analyses, 1):
        for located in analysis.quads:
            quad, hallucinated = located.quad, located.hallucinated_spans()
            aspect, opinion = (_span_cell(span, span in hallucinated) for span in (quad.aspect, quad.opinion))
            sentiment = quad.sentiment or ""
            sentiment_cell = (sentiment, f"zoo-{BADGE_KINDS.get(sentiment, 'unknown')}")
            cells = (aspect, readable_category(quad.category or ""), opinion, sentiment_cell)
            rows.append(cells if len(analyses) == 1 else (str(number), *cells))
    header = ("aspect", "category", "opinion", "sentiment")
    return ui.table(header if len(analyses) == 1 else ("#", *header), rows)


def _span_cell(span: str | None, hallucinated: bool) -> ui.Cell:
    if span is None:
        return "(not named)", "zoo-unknown"
    return f"{span} (not in the text)" if hallucinated else span
