"""Two baselines without a model: the most frequent tuple, and a lexicon of the terms of the training rows."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from instructzoo.absa import prompts
from instructzoo.absa.schema import TASK_ELEMENTS, Quad, from_json, project
from instructzoo.core.record import Row
from instructzoo.core.score.term_lookup import (
    longest_matches,
    most_frequent_label,
    ngram_spans,
    training_rows,
    words,
)

MAX_TERM_WORDS = 6
"""Words of the longest term that the lexicon looks up."""

Offsets = tuple[int, int]
LabelCounts = dict[str, Counter[str]]
"""Label counts by normalised term."""


def frequent_tuple(train: Sequence[Row], test: Sequence[Row]) -> list[str]:
    """Answer every row with the one tuple that most training rows of its task have.

    Args:
        train: the training rows.
        test: the rows to answer.

    Returns:
        One answer per test row, in order. It is the answer without tuples where the task's training rows have none.

    Raises:
        ZooError: without training rows.
    """
    counts_by_task: dict[str, Counter[Quad]] = defaultdict(Counter)
    for row in training_rows(train):
        counts_by_task[prompts.task_of(row)].update(set(_gold_quads(row)))
    best = {task: counts.most_common(1)[0][0] for task, counts in counts_by_task.items() if counts}
    return [_format([best[task]] if (task := prompts.task_of(row)) in best else [], row) for row in test]


def lexicon(train: Sequence[Row], test: Sequence[Row]) -> list[str]:
    """Look up the terms of the training rows in each text, the longest first, and pair each opinion with the nearest
    aspect.

    A term is in the lexicon if at least half of the training texts that contain its words annotate it. Its category and
    sentiment are the most frequent ones in training; an aspect takes the sentiment of the opinion paired with it.

    Args:
        train: the training rows.
        test: the rows to answer.

    Returns:
        One answer per test row, in order.

    Raises:
        ZooError: without training rows.
    """
    learned = _build_lexicon(training_rows(train))
    return [_format(_predict(str(row["input"]), prompts.task_of(row), learned), row) for row in test]


@dataclass
class _Lexicon:
    """Counts over the training rows, by normalised term and in total."""

    aspect_categories: LabelCounts = field(default_factory=lambda: defaultdict(Counter))
    aspect_sentiments: LabelCounts = field(default_factory=lambda: defaultdict(Counter))
    opinion_sentiments: LabelCounts = field(default_factory=lambda: defaultdict(Counter))
    categories: Counter[str] = field(default_factory=Counter)
    sentiments: Counter[str] = field(default_factory=Counter)


def _gold_quads(row: Row) -> list[Quad]:
    return from_json(str(row["gold"]))


def _format(quads: Sequence[Quad], row: Row) -> str:
    task = prompts.task_of(row)
    return prompts.format_answer(project(quads, task), task, str(row.get("domain") or "restaurant"))


def _build_lexicon(train: Sequence[Row]) -> _Lexicon:
    lexicon = _Lexicon()
    annotated_counts: dict[str, Counter[str]] = {"aspect": Counter(), "opinion": Counter()}
    annotated_texts: dict[str, set[str]] = {"aspect": set(), "opinion": set()}
    for row in train:
        elements, text = TASK_ELEMENTS[prompts.task_of(row)], str(row["input"])
        quads = _gold_quads(row)
        for element in ("aspect", "opinion"):
            if element in elements and text not in annotated_texts[element]:
                annotated_texts[element].add(text)
                spans = {_normalise(span) for quad in quads if (span := getattr(quad, element)) is not None}
                annotated_counts[element].update(spans)
        for quad in quads:
            _count_quad(lexicon, quad)
    for terms, element in ((lexicon.aspect_categories, "aspect"), (lexicon.opinion_sentiments, "opinion")):
        _drop_rare_terms(terms, annotated_counts[element], annotated_texts[element])
    return lexicon


def _drop_rare_terms(terms: LabelCounts, annotated_counts: Counter[str], texts: set[str]) -> None:
    """Remove the terms that less than half of the texts with their words annotate.

    texts: those whose task asks for the element, since only these could have annotated it.
    """
    text_counts: Counter[str] = Counter()
    for text in texts:
        text_counts.update({_normalise(text[start:end]) for start, end in ngram_spans(text, MAX_TERM_WORDS)})
    for term in [term for term in terms if 2 * annotated_counts[term] < max(1, text_counts[term])]:
        del terms[term]


def _count_quad(lexicon: _Lexicon, quad: Quad) -> None:
    categories, sentiments = [quad.category] if quad.category else [], [quad.sentiment] if quad.sentiment else []
    if quad.aspect is not None:
        lexicon.aspect_categories[_normalise(quad.aspect)].update(categories)
        lexicon.aspect_sentiments[_normalise(quad.aspect)].update(sentiments)
    if quad.opinion is not None:
        lexicon.opinion_sentiments[_normalise(quad.opinion)].update(sentiments)
    lexicon.categories.update(categories)
    lexicon.sentiments.update(sentiments)


def _predict(text: str, task: str, lexicon: _Lexicon) -> list[Quad]:
    aspects = _find_terms(text, lexicon.aspect_categories)
    if "opinion" not in TASK_ELEMENTS[task]:
        return [_make_quad(text, aspect, None, lexicon) for aspect in aspects]
    opinions = _find_terms(text, lexicon.opinion_sentiments)
    pairs = [(min(aspects, key=_distance_to(opinion), default=None), opinion) for opinion in opinions]
    return [_make_quad(text, aspect, opinion, lexicon) for aspect, opinion in pairs]


def _find_terms(text: str, terms: Mapping[str, Counter[str]]) -> list[Offsets]:
    return longest_matches(text, MAX_TERM_WORDS, lambda piece: _normalise(piece) in terms)


def _distance_to(span: Offsets) -> Callable[[Offsets], int]:
    return lambda other: max(other[0] - span[1], span[0] - other[1])


def _make_quad(text: str, aspect_span: Offsets | None, opinion_span: Offsets | None, lexicon: _Lexicon) -> Quad:
    aspect, opinion = (None if span is None else text[slice(*span)] for span in (aspect_span, opinion_span))
    aspect_key, opinion_key = _normalise(aspect or ""), _normalise(opinion or "")
    sentiment = most_frequent_label(
        lexicon.opinion_sentiments.get(opinion_key, {}) or lexicon.aspect_sentiments.get(aspect_key, {})
    )
    category = most_frequent_label(lexicon.aspect_categories.get(aspect_key, {}))
    return Quad(
        aspect,
        category or most_frequent_label(lexicon.categories) or None,
        opinion,
        sentiment or most_frequent_label(lexicon.sentiments) or "positive",
    )


def _normalise(span: str) -> str:
    """The words of a span in lower case, the key of the lexicon."""
    return " ".join(words(span.casefold()))
