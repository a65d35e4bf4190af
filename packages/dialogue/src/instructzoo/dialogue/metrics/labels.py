"""Measures of answers that are one of several labels: F1 by label, its means, and the table of what is confused.

    micro F1     over all questions together; an answer that is no option is an error, silence is none
    weighted F1  mean over the labels, by how often each is true
    macro F1     plain mean over the labels that are true or answered at least once

An answer that is none of the options is no label: it lowers the recall of the true one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from instructzoo.core.score.intervals import FEW_IMPERFECT, wilson
from instructzoo.core.score.tables import Table, format_number
from instructzoo.core.score.tuple_f1 import count_tuples, tuple_metrics
from instructzoo.core.score.types import MetricValue
from instructzoo.dialogue.metrics.outcomes import Outcome

MICRO_F1, WEIGHTED_F1, MACRO_F1 = "micro F1", "weighted F1", "macro F1"
OUT_OF_LABEL = "out-of-label answers"
DRAWS = 1_000
"""Resamples of the questions, for the intervals of weighted and macro F1."""

Array = NDArray[np.float64]


def label_metrics(outcomes: Sequence[Outcome], group: str) -> list[MetricValue]:
    """Micro, weighted and macro F1 of questions with labels as options.

    Args:
        outcomes: The outcomes of one task type; at least one.
        group: The group that they are.

    Returns:
        The three values with 95% intervals.
    """
    gold, predicted = zip(*map(_labels, outcomes), strict=True)
    counts = count_tuples([[label] for label in gold], [[o.text] if o.valid else [] for o in outcomes])
    micro = tuple_metrics(counts, group)[0]
    confusion = _Confusion(gold, predicted)
    right = sum(a == b for a, b in zip(gold, predicted, strict=True))
    vary_little = min(right, len(gold) - right) < FEW_IMPERFECT
    values = [MetricValue(MICRO_F1, micro.value, micro.low, micro.high, micro.n, group)]
    means = confusion.means(confusion.counts[None])[:, 0]
    draws = None if vary_little else confusion.means(confusion.resampled(DRAWS))  # [2, draws]
    for index, metric in enumerate((WEIGHTED_F1, MACRO_F1)):
        value = float(means[index])
        low, high = wilson(value, len(gold)) if draws is None else np.quantile(draws[index], (0.025, 0.975))
        values.append(MetricValue(metric, value, min(float(low), value), max(float(high), value), len(gold), group))
    return values


def _labels(outcome: Outcome) -> tuple[str, str]:
    """(true label, answered label or "" for none); where several are right, the true one is the answered one."""
    answered = "" if outcome.out_of_label else outcome.text
    return (outcome.text if outcome.right else outcome.accepted[0]), answered


class _Confusion:
    """How often which label was answered where which was true.

    Attributes:
        counts: Numbers of questions by distinct pair, [pairs].
    """

    def __init__(self, gold: Sequence[str], predicted: Sequence[str]) -> None:
        pairs = Counter(zip(gold, predicted, strict=True))
        options = {*gold} | {answer for answer in predicted if answer}
        index = {label: number for number, label in enumerate(sorted(options))}
        self.counts = np.array(list(pairs.values()), dtype=np.float64)
        self._gold, self._predicted, self._hits = (np.zeros((len(pairs), len(index))) for _ in range(3))
        for row, (label, answer) in enumerate(pairs):
            self._gold[row, index[label]] = 1
            self._hits[row, index[label]] = label == answer
            if answer:
                self._predicted[row, index[answer]] = 1

    def resampled(self, draws: int) -> Array:
        """Numbers of questions by pair in resamples of the questions, [draws, pairs]."""
        rng = np.random.default_rng(0)
        total = int(self.counts.sum())
        return rng.multinomial(total, self.counts / total, size=draws).astype(np.float64)

    def means(self, counts: Array) -> Array:
        """Weighted and macro F1 of each line of counts, [2, lines]."""
        gold, predicted, hits = counts @ self._gold, counts @ self._predicted, counts @ self._hits
        present = gold + predicted > 0
        f1 = 2 * hits / np.where(present, gold + predicted, 1)
        return np.stack([(gold * f1).sum(1) / gold.sum(1), f1.sum(1) / present.sum(1)])


def label_table(outcomes: Sequence[Outcome], caption: str = "") -> Table:
    """Precision, recall and F1 of every label that is true or answered, the most frequent one first.

    Args:
        outcomes: The outcomes of one task type.
        caption: What the table is of.

    Returns:
        The table; its n counts the questions whose true label it is.
    """
    pairs = Counter(map(_labels, outcomes))
    gold, predicted = Counter[str](), Counter[str]()
    for (label, answer), count in pairs.items():
        gold[label] += count
        predicted[answer] += count
    rows = []
    for label in sorted({*gold, *predicted} - {""}, key=lambda label: (-gold[label], label)):
        hits = pairs[label, label]
        quotients = (hits, predicted[label]), (hits, gold[label]), (2 * hits, gold[label] + predicted[label])
        cells = (format_number("fraction", part / whole) if whole else "\u2013" for part, whole in quotients)
        rows.append((label, f"{gold[label]:,}", *cells))
    return Table(("label", "n", "precision, %", "recall, %", "F1, %"), tuple(rows), caption)


def confusion_table(outcomes: Sequence[Outcome], caption: str = "", most: int = 20) -> Table:
    """The most frequent errors.

    Args:
        outcomes: The outcomes of one task type.
        caption: What the table is of.
        most: The number of lines.

    Returns:
        True label, answer and number of questions; silence reads "(nothing)", what is no option as it was answered.
    """
    errors = Counter((outcome.accepted[0], outcome.text) for outcome in outcomes if not outcome.right)
    ordered = sorted(errors.items(), key=lambda item: (-item[1], item[0]))[:most]
    rows = tuple((label, answer or "(nothing)", f"{count:,}") for (label, answer), count in ordered)
    return Table(("true label", "answered", "n"), rows, caption)
