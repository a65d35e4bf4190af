"""Tuples found in texts: entities, relations, quadruples. Exact match on multisets, micro F1 with its interval.

counts = overlap(gold, said)              # a tuple said twice and true once is one hit and one error
tuple_metrics(counts)                     # F1, precision and recall over all rows
counts.right()                            # rows whose tuples are all there and no others: for paired comparison
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from instructzoo.core.errors import ZooError
from instructzoo.core.score.intervals import interval, wilson
from instructzoo.core.score.types import MetricValue

F1, PRECISION, RECALL = "F1", "precision", "recall"

Array = NDArray[np.float64]


class Overlap(NamedTuple):
    """Tuples of every row: those that are right, those that were said, those that are true. Each [rows]."""

    hits: Array
    said: Array
    gold: Array

    def right(self) -> list[bool]:
        """Whether a row has all of its tuples and no other; a row without tuples, whether nothing was said."""
        return [bool(all_right) for all_right in (self.hits == self.said) & (self.hits == self.gold)]

    def take(self, rows: Sequence[int] | NDArray[np.int64]) -> Overlap:
        """The counts of some rows."""
        places = np.asarray(rows, dtype=np.int64)
        return Overlap(self.hits[places], self.said[places], self.gold[places])


def overlap(gold: Sequence[Sequence[Hashable]], said: Sequence[Sequence[Hashable]]) -> Overlap:
    """Count the tuples that two lists of rows share, row by row. Raises ZooError for lists of unequal length."""
    if len(gold) != len(said):
        raise ZooError(f"{len(said)} answers for {len(gold)} rows", "one answer per row, in order")
    hits = [_shared(true, found) for true, found in zip(gold, said, strict=True)]
    sizes = [[len(row) for row in rows] for rows in (said, gold)]
    return Overlap(*(np.array(counts, dtype=np.float64) for counts in (hits, *sizes)))


def tuple_metrics(counts: Overlap, group: str = "all", seed: int = 0) -> list[MetricValue]:
    """Micro F1, precision and recall over the rows; n counts rows, and the intervals resample rows.

    F1 = 2 hits / (said + gold) is the mean of the rows' own F1 weighted by said + gold, and so on, so that the
    intervals are those of `intervals.interval`. Where nothing is true and nothing was said, all three are 1: no tuple
    was missed or made up. Else a quotient without a denominator is 0, and its interval is [0, 1].
    Raises ZooError without rows.
    """
    if not len(counts.hits):
        raise ZooError("no rows to score", "at least one", "check the test part")
    parts = ((F1, 2 * counts.hits, counts.said + counts.gold), (PRECISION, counts.hits, counts.said))
    return [
        _quotient(metric, above, below, group, counts, seed)
        for metric, above, below in (*parts, (RECALL, counts.hits, counts.gold))
    ]


def macro(figures: Sequence[MetricValue], group: str = "all", metric: str = "") -> MetricValue:
    """The plain mean of one metric over independent groups, such as data sets; n is the sum of theirs.

    The interval combines the groups' own ones (MOVER: Zou and Donner, Statistics in Medicine 27, 2008).
    metric: its new name; none: "macro" before the old one. Raises ZooError without figures.
    """
    if not figures:
        raise ZooError("no figures to average", "at least one group")
    mean = sum(f.value for f in figures) / len(figures)
    low = math.sqrt(sum((f.value - f.low) ** 2 for f in figures)) / len(figures)
    high = math.sqrt(sum((f.high - f.value) ** 2 for f in figures)) / len(figures)
    name = metric or f"macro {figures[0].metric}"
    return MetricValue(name, mean, max(0.0, mean - low), min(1.0, mean + high), sum(f.n for f in figures), group)


def _shared(gold: Sequence[Hashable], said: Sequence[Hashable]) -> int:
    if not gold or not said:
        return 0
    return (Counter(gold) & Counter(said)).total()


def _quotient(metric: str, above: Array, below: Array, group: str, counts: Overlap, seed: int) -> MetricValue:
    """sum(above) / sum(below), one entry per row. Rows with nothing below the line take no part in it."""
    n = len(above)
    held = below > 0
    if held.any():
        shares, weights = above[held] / below[held], below[held]
        low, high = interval(shares, weights, seed)
        value = float(above.sum() / below.sum())
        return MetricValue(metric, value, min(low, value), max(high, value), n, group)
    if counts.said.any() or counts.gold.any():
        return MetricValue(metric, 0.0, 0.0, 1.0, n, group)
    return MetricValue(metric, 1.0, *wilson(1.0, n), n, group)
