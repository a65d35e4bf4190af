"""Runs of one setup with several seeds, or on all folds: their mean, and how much another seed or fold would change.

mean_over_seeds("F1", [0.41, 0.44, 0.40, 0.43, 0.42])      # 0.42 [0.400, 0.440]
merge_seeds([results of seed 0, of seed 1, ...])           # one Results, for the tables of scores.json
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from instructzoo.core.errors import ZooError
from instructzoo.core.score.intervals import LEVEL
from instructzoo.core.score.results import Results
from instructzoo.core.score.tables import is_fraction
from instructzoo.core.score.types import MetricValue, Scores


def mean_over_seeds(metric: str, values: Sequence[float], group: str = "all", n: int = 0) -> MetricValue:
    """The mean of one metric over runs, with Student's t interval (runs - 1 degrees of freedom).

    The interval says how far the mean of as many other seeds would lie, on the same test rows; it says nothing of other
    test rows. For fractions it is cut to 0..1.

    Args:
        metric: The name of the metric.
        values: Its value in each run; at least two.
        group: The group of rows that the values are for.
        n: Test rows of each run; 0: the number of runs.

    Returns:
        The mean with its interval.

    Raises:
        ZooError: There are fewer than two values, or one is not finite.
    """
    from scipy.special import stdtrit

    v = np.asarray(values, dtype=np.float64)
    if v.ndim != 1 or len(v) < 2 or not bool(np.isfinite(v).all()):
        raise ZooError(f"{v.size} values", "one number of each of at least two seeds", "run the recipe with more seeds")
    mean = float(v.mean())
    spread = float(stdtrit(len(v) - 1, (1 + LEVEL) / 2)) * float(v.std(ddof=1)) / math.sqrt(len(v))
    low, high = mean - spread, mean + spread
    if is_fraction(metric) and bool(((v >= 0) & (v <= 1)).all()):
        low, high = max(0.0, low), min(1.0, high)
    return MetricValue(metric, mean, low, high, n or len(v), group)


def merge_seeds(results: Sequence[Results]) -> Results:
    """Merge runs of one recipe with different seeds, or on different folds: every metric becomes its mean over them.

    Args:
        results: The results of each run; a single one is returned unchanged. Of folds, all of them, each once.

    Returns:
        The means. Metrics that not all runs have are left out. The n of folds is that of all of them together.

    Raises:
        ZooError: The runs have different recipes, scorers, splits or sizes, or a fold is missing or there twice.
    """
    first = results[0]
    if len(results) == 1:
        return first
    folds = any(run.fold for run in results)
    for other in results[1:]:
        for name in ("domain", "recipe", "split", "scorer", "backbone", *(() if folds else ("n",))):
            first_value, other_value = getattr(first, name), getattr(other, name)
            if first_value != other_value:
                raise ZooError(f"{name} {other_value} beside {first_value}", "runs that differ by their seed alone")
    if folds:
        _check_folds([run.fold for run in results])
    return replace(
        first,
        systems=_mean_systems([run.systems for run in results], folds),
        variants=_mean_systems([run.variants for run in results], folds),
        paired={},
        left_out={name: reason for run in results for name, reason in run.left_out.items()},
        runs=len(results),
        n=sum(run.n for run in results) if folds else first.n,
        fold="all" if folds else "",
    )


def _check_folds(folds: Sequence[str]) -> None:
    """Raise a ZooError unless these are all folds of one cross-validation, each once."""
    expected = [f"{number}/{len(folds)}" for number in range(1, len(folds) + 1)]
    if sorted(folds) != sorted(expected):
        found = ", ".join(fold or "no fold" for fold in folds)
        raise ZooError(f"the folds {found}", f"each of {', '.join(expected)} once")


def _mean_systems(runs: Sequence[Mapping[str, Scores]], folds: bool) -> dict[str, Scores]:
    """The mean scores of every system that all runs have."""
    names = [name for name in runs[0] if all(name in run for run in runs)]
    return {name: _mean_scores([run[name] for run in runs], folds) for name in names}


def _mean_scores(runs: Sequence[Scores], folds: bool) -> Scores:
    metric_values = []
    for first in runs[0].metric_values:
        by_run = [value for run in runs if (value := run.get(first.metric, first.group))]
        if len(by_run) == len(runs):
            n = sum(value.n for value in by_run) if folds else first.n
            metric_values.append(mean_over_seeds(first.metric, [value.value for value in by_run], first.group, n))
    return replace(runs[0], metric_values=tuple(metric_values), counts={})
