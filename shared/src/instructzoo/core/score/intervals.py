"""95% confidence intervals and paired comparisons; seeded, so the same scores give the same interval on every machine.

The bootstrap resamples items. Items with the same score are interchangeable, so a resample is one multinomial draw
over the distinct scores: exactly the distribution of drawing items one by one, in a fraction of the time and memory.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from instructzoo.core.errors import ZooError
from instructzoo.core.score.types import MetricValue

Array = NDArray[np.float64]
LEVEL = 0.95
RESAMPLES = 2_000
Z = 1.959963984540054  # the normal deviate that leaves 2.5% on either side
FEW_IMPERFECT = 10  # with fewer items off the perfect (or the zero) score a resample says too little of the rest


def wilson(fraction: float, n: float) -> tuple[float, float]:
    """95% interval of a proportion (Wilson, 1927): 100 of 100 reads [0.963, 1], never [1, 1].

    Args:
        fraction: The observed proportion, in 0..1.
        n: The number of items; it may be an effective number, which need not be an integer.

    Returns:
        The ends of the interval, in 0..1.
    """
    if n <= 0:
        return 0.0, 1.0
    center = fraction + Z * Z / (2 * n)
    spread = Z * math.sqrt(max(fraction * (1 - fraction), 0.0) / n + Z * Z / (4 * n * n))
    scale = 1 + Z * Z / n
    low, high = max(0.0, (center - spread) / scale), min(1.0, (center + spread) / scale)
    return (0.0 if fraction <= 0 else min(low, fraction)), (1.0 if fraction >= 1 else max(high, fraction))


def bootstrap(values: ArrayLike, weights: ArrayLike | None = None, seed: int = 0, draws: int = RESAMPLES) -> Array:
    """Weighted means of resamples of the items.

    Args:
        values: Item scores, [n].
        weights: Positive weights of the items, [n]; None: equal weights.
        seed: Seed of the resamples.
        draws: Number of resamples.

    Returns:
        Means, [draws].
    """
    v, w = _checked(values, weights)
    distinct, counts = np.unique(np.stack([v, w]), axis=1, return_counts=True)  # [2, k], [k]
    rng = np.random.default_rng(seed)
    fractions = counts / counts.sum()
    chunk = max(1, 4_000_000 // len(fractions))  # resamples at a time: about 32 MB
    means = []
    for start in range(0, draws, chunk):
        times = rng.multinomial(len(v), fractions, size=min(chunk, draws - start))  # [chunk, k]
        means.append((times @ (distinct[0] * distinct[1])) / (times @ distinct[1]))
    return np.concatenate(means)


def confidence_interval(values: ArrayLike, weights: ArrayLike | None = None, seed: int = 0) -> tuple[float, float]:
    """95% interval of the weighted mean of item scores.

    It is the percentile bootstrap, except for scores in 0..1 that are all 0 or 1, or of which fewer than ten differ
    from the perfect (or the zero) score: there the resamples hardly vary, and Wilson's interval is used, with n reduced
    to the effective number of items that unequal weights leave (Kish). For partial scores that interval is too wide
    rather than too narrow, since no score in 0..1 varies more than a 0/1 one of the same mean.

    Args:
        values: Item scores, [n].
        weights: Positive weights of the items, [n]; None: equal weights.
        seed: Seed of the bootstrap.

    Returns:
        The ends of the interval, in the unit of the scores.

    Raises:
        ZooError: There are no items, a score is not finite, or a weight is not positive.
    """
    v, w = _checked(values, weights)
    in_unit_range = bool(((v >= 0) & (v <= 1)).all())
    imperfect = min(int((v != 0).sum()), int((v != 1).sum()))
    if in_unit_range and (imperfect < FEW_IMPERFECT or bool(np.isin(v, (0, 1)).all())):
        return wilson(float(np.average(v, weights=w)), _effective_n(w))
    return _percentiles(bootstrap(v, w, seed))


def mean_with_ci(
    metric: str, values: ArrayLike, group: str = "all", weights: ArrayLike | None = None, seed: int = 0
) -> MetricValue:
    """The weighted mean of item scores with its 95% interval.

    Args:
        metric: The name of the metric.
        values: Item scores, [n].
        group: The group of items that the value is for.
        weights: Positive weights of the items, [n]; None: equal weights.
        seed: Seed of the bootstrap.

    Returns:
        The value with its interval and n.

    Raises:
        ZooError: As for `confidence_interval`.

    Example:
        >>> mean_with_ci("exact match", [1, 1, 0, 1]).value
        0.75
    """
    v, w = _checked(values, weights)
    low, high = confidence_interval(v, w, seed)
    return MetricValue(metric, float(np.average(v, weights=w)), low, high, len(v), group)


@dataclass(frozen=True, slots=True)
class Comparison:
    """System a against system b on the same n items.

    Attributes:
        difference: Mean of a - b, in the metric's unit.
        low: Lower end of its 95% interval.
        high: Upper end.
        p: Two-sided p of the paired bootstrap.
        n: Number of items.
        better: Items on which a scores higher.
        worse: Items on which a scores lower.
        p_sign: Two-sided, exact p of the sign test on those items; for 0/1 scores it is McNemar's exact test.
    """

    difference: float
    low: float
    high: float
    p: float
    n: int
    better: int
    worse: int
    p_sign: float

    def as_dict(self) -> dict[str, Any]:
        """The fields by name, as JSON output holds them."""
        return asdict(self)


def compare(a: ArrayLike, b: ArrayLike, weights: ArrayLike | None = None, seed: int = 0) -> Comparison:
    """Compare two systems on the same items.

    Args:
        a: Item scores of the first system, [n].
        b: Item scores of the second system, [n], in the same order.
        weights: Positive weights of the items, [n]; None: equal weights.
        seed: Seed of the bootstrap.

    Returns:
        The mean difference a - b with its interval and tests.

    Raises:
        ZooError: The systems have scores of different items, or as for `confidence_interval`.

    Example:
        >>> compare([1, 1, 1, 0], [1, 0, 1, 0]).difference
        0.25
    """
    a_scores, b_scores = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if a_scores.shape != b_scores.shape:
        found = f"{a_scores.size} scores beside {b_scores.size}"
        raise ZooError(found, "both systems scored on the same items, in order")
    differences, w = _checked(a_scores - b_scores, weights)
    means = bootstrap(differences, w, seed)
    low, high = _difference_interval(differences, w, means)
    tail = min(int((means <= 0).sum()), int((means >= 0).sum()))
    better, worse = int((differences > 0).sum()), int((differences < 0).sum())
    return Comparison(
        difference=float(np.average(differences, weights=w)),
        low=low,
        high=high,
        p=min(1.0, 2 * (tail + 1) / (len(means) + 1)),
        n=len(differences),
        better=better,
        worse=worse,
        p_sign=sign_test(better, worse),
    )


def sign_test(better: int, worse: int) -> float:
    """Exact two-sided p that a fair coin gives a result at least as uneven. On 0/1 scores: McNemar's exact test.

    Args:
        better: Items on which the first system scores higher.
        worse: Items on which it scores lower; ties are left out.

    Returns:
        p in 0..1; 1 where the systems differ on no item.
    """
    from scipy.special import bdtr

    n = better + worse
    return min(1.0, 2 * float(bdtr(float(min(better, worse)), n, 0.5))) if n else 1.0


def _difference_interval(differences: Array, weights: Array, means: Array) -> tuple[float, float]:
    """Percentiles of the resampled differences [draws].

    If fewer than ten items differ, or fewer than ten differ less than fully, the resamples hardly vary; then Wilson's
    intervals of the gains and of the losses are combined instead (MOVER).
    """
    sizes = np.abs(differences)
    partial = min(int((sizes != 0).sum()), int((differences != 1).sum()), int((differences != -1).sum()))
    if bool((sizes > 1).any()) or partial >= FEW_IMPERFECT:
        return _percentiles(means)
    n = _effective_n(weights)
    gain = float(np.average(np.maximum(differences, 0), weights=weights))
    loss = float(np.average(np.maximum(-differences, 0), weights=weights))
    (gain_low, gain_high), (loss_low, loss_high) = wilson(gain, n), wilson(loss, n)
    low = gain - loss - math.hypot(gain - gain_low, loss_high - loss)
    high = gain - loss + math.hypot(gain_high - gain, loss - loss_low)
    return max(-1.0, low), min(1.0, high)


def _percentiles(means: Array) -> tuple[float, float]:
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def _effective_n(weights: Array) -> float:
    """The number of equally weighted items that carry as much information as these (Kish)."""
    return float(weights.sum() ** 2 / (weights**2).sum())


def _checked(values: ArrayLike, weights: ArrayLike | None) -> tuple[Array, Array]:
    """Values and weights as arrays [n]. Raises ZooError for what cannot be averaged."""
    v = np.asarray(values, dtype=np.float64)
    w = np.ones_like(v) if weights is None else np.asarray(weights, dtype=np.float64)
    if v.ndim != 1 or not v.size:
        found = f"item scores of shape {v.shape}"
        raise ZooError(found, "one score per item, at least one item", "check the test split")
    if w.shape != v.shape or not bool((w > 0).all()):
        raise ZooError(f"weights of shape {w.shape} for {v.size} items", "one positive weight per item")
    if not bool(np.isfinite(v).all()):
        raise ZooError(f"{int((~np.isfinite(v)).sum())} item scores are NaN or infinite", "numbers")
    return v, w
