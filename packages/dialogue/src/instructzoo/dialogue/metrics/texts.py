"""Measures of free text: BLEU and ROUGE against all references, and whether a text keeps the condition it was given.

BLEU is sacrebleu's over the whole group (tokenizer 13a, cased, exponential smoothing); orders that no text of the group
is long enough for are left out, so that the truth scores 1. ROUGE is rouge_score's F-measure with stemming, the best
one over the references, averaged over texts. Both are in 0..1.

    begins with, ends with  the words of the field stand at the beginning or the end, whatever their case and marks
    keywords                all keywords of the field, which commas separate, stand in the text as whole words
    length                  the text has as many words as were called for, words being what spaces separate
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from instructzoo.core.score import mean_with_ci
from instructzoo.core.score.intervals import wilson
from instructzoo.core.score.types import MetricValue
from instructzoo.dialogue.data.field_format import split_fields
from instructzoo.dialogue.data.row_fields import names_of
from instructzoo.dialogue.metrics.outcomes import Outcome

BLEU = "BLEU"
ROUGES = {"rouge1": "ROUGE-1", "rouge2": "ROUGE-2", "rougeL": "ROUGE-L"}
CONSTRAINT_HITS = "constraint hits"
DRAWS = 500
"""Resamples of the texts, for the interval of BLEU."""

_WORD = re.compile(r"\w+(?:['\u2019]\w+)*")


class TextMeasures(NamedTuple):
    """What is measured of one text.

    Attributes:
        statistics: Matched and all n-grams of orders 1 to 4, length of the text and of the closest reference, [10].
        rouges: F-measures by the keys of ROUGES.
        hit: Whether the text keeps its condition; None where the task type has none.
    """

    statistics: list[int]
    rouges: dict[str, float]
    hit: bool | None


def measured(outcome: Outcome) -> TextMeasures:
    """Measure an answer with free text.

    Args:
        outcome: The outcome of a question that is answered with free text.

    Returns:
        Its measures.
    """
    sentence = _bleu().sentence_score(outcome.text, list(outcome.accepted))
    statistics = [*sentence.counts, *sentence.totals, sentence.sys_len, sentence.ref_len]
    rouges = _rouge().score_multi(list(outcome.accepted), outcome.text)
    condition = _CONDITIONS.get(outcome.task.name)
    return TextMeasures(
        statistics, {key: rouges[key].fmeasure for key in ROUGES}, condition(outcome) if condition else None
    )


def text_metrics(measures: Sequence[TextMeasures], group: str, rouges: Sequence[str]) -> list[MetricValue]:
    """BLEU, ROUGE and the fraction of kept conditions.

    Args:
        measures: Those of the group's texts; at least one.
        group: The group.
        rouges: The keys of ROUGES to report.

    Returns:
        The values with 95% intervals.
    """
    values = [_corpus_bleu(np.array([m.statistics for m in measures]), group)]
    values += [mean_with_ci(ROUGES[key], [m.rouges[key] for m in measures], group) for key in rouges]
    if hits := [float(m.hit) for m in measures if m.hit is not None]:
        values.append(mean_with_ci(CONSTRAINT_HITS, hits, group))
    return values


def _corpus_bleu(statistics: NDArray[np.int64], group: str) -> MetricValue:
    """BLEU of all texts with the percentiles of resamples; Wilson's interval where it is 0 or 1. statistics: [n, 10]"""
    n, value = len(statistics), _bleu_of(statistics.sum(0))
    if value in (0, 1):
        return MetricValue(BLEU, value, *wilson(value, n), n, group)
    rng = np.random.default_rng(0)
    draws = [_bleu_of(rng.multinomial(n, np.full(n, 1 / n)) @ statistics) for _ in range(DRAWS)]
    low, high = np.quantile(draws, (0.025, 0.975))
    return MetricValue(BLEU, value, min(float(low), value), max(float(high), value), n, group)


def _bleu_of(sums: NDArray[np.int64]) -> float:
    """BLEU in 0..1 of summed statistics, [10]."""
    counts, totals, (length, reference_length) = sums[:4].tolist(), sums[4:8].tolist(), sums[8:].tolist()
    score = _bleu().compute_bleu(counts, totals, length, reference_length, smooth_method="exp", effective_order=True)
    return min(1.0, float(score.score) / 100)


@functools.cache
def _bleu() -> Any:
    from sacrebleu.metrics.bleu import BLEU as SacreBLEU

    return SacreBLEU(effective_order=True)


@functools.cache
def _rouge() -> Any:
    from rouge_score.rouge_scorer import RougeScorer

    return RougeScorer(list(ROUGES), use_stemmer=True)


def _begins_with(outcome: Outcome) -> bool:
    phrase, words = _words(_field(outcome, "INITIAL PHRASE")), _words(outcome.text)
    return bool(words) and words[: len(phrase)] == phrase


def _ends_with(outcome: Outcome) -> bool:
    phrase, words = _words(_field(outcome, "FINAL PHRASE")), _words(outcome.text)
    return bool(words) and words[len(words) - len(phrase) :] == phrase


def _has_keywords(outcome: Outcome) -> bool:
    text = f" {' '.join(_words(outcome.text))} "
    keywords = [" ".join(_words(keyword)) for keyword in _field(outcome, "KEYWORDS").split(",")]
    return bool(text.strip()) and all(f" {keyword} " in text for keyword in keywords if keyword)


def _has_length(outcome: Outcome) -> bool:
    """The length that the instruction names; where the row does not keep it, that of the truth."""
    count = names_of(outcome.row).get("count", "")
    words = int(count) if count.isdecimal() and len(count) < 9 else len(outcome.accepted[0].split())
    return len(outcome.text.split()) == words


_CONDITIONS: dict[str, Callable[[Outcome], bool]] = {
    "beginswith_controlled_generation": _begins_with,
    "endswith_controlled_generation": _ends_with,
    "keyword_controlled_generation": _has_keywords,
    "response_generation_with_n_words": _has_length,
}


def _field(outcome: Outcome, token: str) -> str:
    return dict(split_fields(outcome.row.get("input") or "")).get(token, "")


def _words(text: str) -> list[str]:
    return [word.replace("\u2019", "'") for word in _WORD.findall(text.casefold())]
