"""One setup run with several seeds: the mean, and what another seed would change.

over_seeds("F1", [0.41, 0.44, 0.40, 0.43, 0.42])      # 0.42 [0.400, 0.440]
merged([results of seed 0, of seed 1, ...])           # one Results, for the tables of scores.json
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from instructzoo.core.errors import ZooError
from instructzoo.core.score.intervals import LEVEL
from instructzoo.core.score.tables import Results, is_share
from instructzoo.core.score.types import MetricValue, Scores


def over_seeds(metric: str, values: Sequence[float], group: str = "all", n: int = 0) -> MetricValue:
    """Mean of one figure over runs with Student's t interval (runs - 1 degrees of freedom), within 0..1 for shares.

    The interval says how far the mean of as many other seeds would lie, on the same test rows; it says nothing of other
    test rows. n: test rows of each run; 0: the number of runs. Raises ZooError for fewer than two values.
    """
    from scipy.special import stdtrit

    v = np.asarray(values, dtype=np.float64)
    if v.ndim != 1 or len(v) < 2 or not bool(np.isfinite(v).all()):
        raise ZooError(f"{v.size} values", "one number of each of at least two seeds", "run the recipe with more seeds")
    mean = float(v.mean())
    spread = float(stdtrit(len(v) - 1, (1 + LEVEL) / 2)) * float(v.std(ddof=1)) / math.sqrt(len(v))
    low, high = mean - spread, mean + spread
    if is_share(metric) and bool(((v >= 0) & (v <= 1)).all()):
        low, high = max(0.0, low), min(1.0, high)
    return MetricValue(metric, mean, low, high, n or len(v), group)


def merged(results: Sequence[Results]) -> Results:
    """Runs of one recipe with different seeds as one: every figure is its mean over them. One run stays as it is.

    Figures that not all runs have are left out. Raises ZooError for runs of different recipes, scorers, parts or sizes.
    """
    first = results[0]
    for other in results[1:]:
        for name in ("domain", "recipe", "part", "scorer", "n", "backbone"):
            one, two = getattr(first, name), getattr(other, name)
            if one != two:
                raise ZooError(f"{name} {two} beside {one}", "runs that differ by their seed alone")
    if len(results) == 1:
        return first
    return replace(
        first,
        systems=_mean([one.systems for one in results]),
        variants=_mean([one.variants for one in results]),
        paired={},
        left_out={name: why for one in results for name, why in one.left_out.items()},
        runs=len(results),
    )


def _mean(runs: Sequence[Mapping[str, Scores]]) -> dict[str, Scores]:
    names = [name for name in runs[0] if all(name in run for run in runs)]
    return {name: _scores([run[name] for run in runs]) for name in names}


def _scores(runs: Sequence[Scores]) -> Scores:
    metric_values = []
    for one in runs[0].metric_values:
        found = [figure for run in runs if (figure := run.get(one.metric, one.group))]
        if len(found) == len(runs):
            metric_values.append(over_seeds(one.metric, [figure.value for figure in found], one.group, one.n))
    return replace(runs[0], metric_values=tuple(metric_values), counts={})
