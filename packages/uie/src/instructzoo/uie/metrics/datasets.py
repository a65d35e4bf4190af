"""Counts and metrics by task and data set, which the package's scorers share."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence

import numpy as np

from instructzoo.core.record import Row
from instructzoo.core.score import MetricValue
from instructzoo.core.score.tuple_f1 import TupleCounts, count_tuples, macro_average, tuple_metrics

TuplesByGroup = Mapping[str, Sequence[Hashable]]


def dataset_counts(
    rows: Sequence[Row], gold: Sequence[TuplesByGroup], predicted: Sequence[TuplesByGroup]
) -> dict[str, dict[str, TupleCounts]]:
    """Count tuples for every group and data set.

    Args:
        rows: The scored rows; their column `dataset` may be missing, which counts as "".
        gold: The true tuples of each row by group.
        predicted: The tuples of each answer by group.

    Returns:
        The counts by group, then by data set, each in order of appearance.
    """
    indices: dict[str, dict[str, list[int]]] = {}  # of rows, by group and data set
    for index, (row, by_group) in enumerate(zip(rows, gold, strict=True)):
        for group in by_group:
            indices.setdefault(group, {}).setdefault(str(row.get("dataset") or ""), []).append(index)
    return {
        group: {
            name: count_tuples([gold[i][group] for i in selected], [predicted[i].get(group, []) for i in selected])
            for name, selected in by_dataset.items()
        }
        for group, by_dataset in indices.items()
    }


def pooled(by_dataset: Mapping[str, TupleCounts]) -> TupleCounts:
    """The counts of all rows, one data set after the other."""
    return TupleCounts(*map(np.concatenate, zip(*by_dataset.values(), strict=True)))


def dataset_metrics(by_dataset: Mapping[str, TupleCounts], group: str, names: Sequence[str]) -> Iterator[MetricValue]:
    """The macro average of F1 where there are several data sets, then the metrics of each.

    Args:
        by_dataset: The counts of every data set.
        group: The group that the data sets are of; a data set's group is "group name".
        names: The data sets to report.

    Yields:
        The values, in the order of `names`.
    """
    metrics = {name: tuple_metrics(counts, f"{group} {name}") for name, counts in by_dataset.items() if name in names}
    if len(metrics) > 1:
        yield macro_average([values[0] for values in metrics.values()], group)
    for name in names:
        yield from metrics[name]
