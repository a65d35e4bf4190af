"""Tuples extracted from texts (entities, relations, quadruples): exact match on multisets, micro F1 with its interval.

counts = count_tuples(gold, predicted)    # a tuple predicted twice and true once is one hit and one error
tuple_metrics(counts)                     # F1, precision and recall over all rows
counts.all_correct()                      # rows whose tuples are all there and no others: for paired comparison
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from instructzoo.core.errors import ZooError
from instructzoo.core.score.intervals import confidence_interval, wilson
from instructzoo.core.score.types import MetricValue

F1, PRECISION, RECALL = "F1", "precision", "recall"

Array = NDArray[np.float64]


class TupleCounts(NamedTuple):
    """Numbers of tuples by row, each [rows]: predicted ones that are true, predicted ones, and true ones."""

    hits: Array
    predicted: Array
    gold: Array

    def all_correct(self) -> list[bool]:
        """For each row, whether its predicted tuples are exactly the true ones (both may be none)."""
        return [bool(correct) for correct in (self.hits == self.predicted) & (self.hits == self.gold)]

    def select(self, rows: Sequence[int] | NDArray[np.int64]) -> TupleCounts:
        """The counts of some rows, given by their indices."""
        indices = np.asarray(rows, dtype=np.int64)
        return TupleCounts(self.hits[indices], self.predicted[indices], self.gold[indices])


def count_tuples(gold: Sequence[Sequence[Hashable]], predicted: Sequence[Sequence[Hashable]]) -> TupleCounts:
    """Count true, predicted and common tuples, row by row.

    Args:
        gold: The true tuples of each row.
        predicted: The predicted tuples of each row, in the same order.

    Returns:
        The counts by row.

    Raises:
        ZooError: The lists are of different lengths.
    """
    if len(gold) != len(predicted):
        raise ZooError(f"{len(predicted)} answers for {len(gold)} rows", "one answer per row, in order")
    hits = [_common(*row) for row in zip(gold, predicted, strict=True)]
    sizes = [[len(row) for row in rows] for rows in (predicted, gold)]
    return TupleCounts(*(np.array(counts, dtype=np.float64) for counts in (hits, *sizes)))


def tuple_metrics(counts: TupleCounts, group: str = "all", seed: int = 0) -> list[MetricValue]:
    """Micro F1, precision and recall over the rows; n counts rows, and the intervals resample rows.

    F1 = 2 hits / (predicted + gold) is the mean of the rows' own F1 weighted by predicted + gold, and so on, so that
    the intervals are those of `intervals.confidence_interval`. If nothing is true and nothing was predicted, all three
    are 1: no tuple was missed or made up. Otherwise a quotient without a denominator is 0, and its interval is [0, 1].

    Args:
        counts: Numbers of tuples by row.
        group: The group of rows that the values are for.
        seed: Seed of the bootstrap.

    Returns:
        F1, precision and recall.

    Raises:
        ZooError: There are no rows.
    """
    if not len(counts.hits):
        raise ZooError("no rows to score", "at least one", "check the test split")
    quotients = (
        (F1, 2 * counts.hits, counts.predicted + counts.gold),
        (PRECISION, counts.hits, counts.predicted),
        (RECALL, counts.hits, counts.gold),
    )
    return [
        _quotient(metric, numerators, denominators, group, counts, seed)
        for metric, numerators, denominators in quotients
    ]


def macro_average(metric_values: Sequence[MetricValue], group: str = "all", metric: str = "") -> MetricValue:
    """The unweighted mean of one metric over independent groups, such as data sets.

    The interval combines the groups' own intervals (MOVER: Zou and Donner, Statistics in Medicine 27, 2008).

    Args:
        metric_values: The metric's value in each group.
        group: The group of the mean.
        metric: The name of the mean; "": "macro" in front of the metric's name.

    Returns:
        The mean; its n is the sum of the groups' n.

    Raises:
        ZooError: There are no values.
    """
    if not metric_values:
        raise ZooError("no figures to average", "at least one group")
    mean = sum(v.value for v in metric_values) / len(metric_values)
    low = math.sqrt(sum((v.value - v.low) ** 2 for v in metric_values)) / len(metric_values)
    high = math.sqrt(sum((v.high - v.value) ** 2 for v in metric_values)) / len(metric_values)
    name = metric or f"macro {metric_values[0].metric}"
    n = sum(v.n for v in metric_values)
    return MetricValue(name, mean, max(0.0, mean - low), min(1.0, mean + high), n, group)


def _common(gold: Sequence[Hashable], predicted: Sequence[Hashable]) -> int:
    """The number of tuples that two multisets share."""
    if not gold or not predicted:
        return 0
    return (Counter(gold) & Counter(predicted)).total()


def _quotient(
    metric: str, numerators: Array, denominators: Array, group: str, counts: TupleCounts, seed: int
) -> MetricValue:
    """sum(numerators) / sum(denominators), both [rows]. Rows with a denominator of 0 have no part in it."""
    n = len(numerators)
    defined = denominators > 0
    if defined.any():
        quotients, weights = numerators[defined] / denominators[defined], denominators[defined]
        low, high = confidence_interval(quotients, weights, seed)
        value = float(numerators.sum() / denominators.sum())
        return MetricValue(metric, value, min(low, value), max(high, value), n, group)
    if counts.predicted.any() or counts.gold.any():
        return MetricValue(metric, 0.0, 0.0, 1.0, n, group)
    return MetricValue(metric, 1.0, *wilson(1.0, n), n, group)
