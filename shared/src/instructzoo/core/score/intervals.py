"""95% intervals and paired comparisons, seeded: the same scores give the same interval on every machine.

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
DRAWS = 2_000
Z = 1.959963984540054  # the normal deviate that leaves 2.5% on either side
FEW = 10  # below so many items off the perfect (or the zero) score a resample says too little of the rest


def wilson(share: float, n: float) -> tuple[float, float]:
    """95% interval of a share of n items (Wilson, 1927): 100 of 100 reads [0.963, 1], never [1, 1]."""
    if n <= 0:
        return 0.0, 1.0
    middle = share + Z * Z / (2 * n)
    spread = Z * math.sqrt(max(share * (1 - share), 0.0) / n + Z * Z / (4 * n * n))
    scale = 1 + Z * Z / n
    low, high = max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)
    return (0.0 if share <= 0 else min(low, share)), (1.0 if share >= 1 else max(high, share))


def bootstrap(values: ArrayLike, weights: ArrayLike | None = None, seed: int = 0, draws: int = DRAWS) -> Array:
    """Weighted means of `draws` resamples of the items. values, weights: [n] -> [draws]."""
    v, w = _arrays(values, weights)
    pairs, counts = np.unique(np.stack([v, w]), axis=1, return_counts=True)  # [2, k], [k]
    rng = np.random.default_rng(seed)
    share = counts / counts.sum()
    rows = max(1, 4_000_000 // len(share))  # resamples at a time: about 32 MB
    means = []
    for start in range(0, draws, rows):
        times = rng.multinomial(len(v), share, size=min(rows, draws - start))  # [rows, k]
        means.append((times @ (pairs[0] * pairs[1])) / (times @ pairs[1]))
    return np.concatenate(means)


def interval(values: ArrayLike, weights: ArrayLike | None = None, seed: int = 0) -> tuple[float, float]:
    """95% interval of the weighted mean of item scores. values, weights: [n].

    The percentile bootstrap, except for scores in 0..1 that are all 0 or 1, or of which fewer than ten differ from
    the perfect (or the zero) score: there the resamples hardly vary, and Wilson's interval is used, with n reduced
    to the effective number of items that unequal weights leave (Kish). For partial scores that interval is too wide
    rather than too narrow, since no score in 0..1 varies more than a 0/1 one of the same mean.
    """
    v, w = _arrays(values, weights)
    in_unit = bool(((v >= 0) & (v <= 1)).all())
    off = min(int((v != 0).sum()), int((v != 1).sum()))
    if in_unit and (off < FEW or bool(np.isin(v, (0, 1)).all())):
        return wilson(float(np.average(v, weights=w)), _effective(w))
    return _percentiles(bootstrap(v, w, seed))


def mean_with_ci(
    metric: str, values: ArrayLike, group: str = "all", weights: ArrayLike | None = None, seed: int = 0
) -> MetricValue:
    """The weighted mean of item scores as a MetricValue with its n and interval. Raises ZooError without items."""
    v, w = _arrays(values, weights)
    low, high = interval(v, w, seed)
    return MetricValue(metric, float(np.average(v, weights=w)), low, high, len(v), group)


@dataclass(frozen=True, slots=True)
class Comparison:
    """System a against system b on the same n items; the difference is a - b, in the metric's unit.

    p: two-sided, of the paired bootstrap. better, worse: items on which a scores higher, lower. p_sign: two-sided and
    exact, of the sign test on those items; for 0/1 scores that is McNemar's exact test.
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
        return asdict(self)


def compare(a: ArrayLike, b: ArrayLike, weights: ArrayLike | None = None, seed: int = 0) -> Comparison:
    """Paired comparison of two systems' item scores, [n] each and in the same order."""
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if first.shape != second.shape:
        raise ZooError(f"{first.size} scores beside {second.size}", "both systems scored on the same items, in order")
    gap, w = _arrays(first - second, weights)
    means = bootstrap(gap, w, seed)
    low, high = _gap_interval(gap, w, means)
    tail = min(int((means <= 0).sum()), int((means >= 0).sum()))
    better, worse = int((gap > 0).sum()), int((gap < 0).sum())
    return Comparison(
        difference=float(np.average(gap, weights=w)),
        low=low,
        high=high,
        p=min(1.0, 2 * (tail + 1) / (len(means) + 1)),
        n=len(gap),
        better=better,
        worse=worse,
        p_sign=sign_test(better, worse),
    )


def sign_test(better: int, worse: int) -> float:
    """Exact two-sided p of a fair coin showing a split at least as uneven. McNemar's exact test on 0/1 scores."""
    from scipy.special import bdtr

    n = better + worse
    return min(1.0, 2 * float(bdtr(float(min(better, worse)), n, 0.5))) if n else 1.0


def _gap_interval(gap: Array, weights: Array, means: Array) -> tuple[float, float]:
    """Percentiles of the resampled differences; where fewer than ten items differ, or fewer than ten differ less than
    fully, they hardly vary, and Wilson's intervals of the gains and of the losses are combined instead (MOVER)."""
    size = np.abs(gap)
    off = min(int((size != 0).sum()), int((gap != 1).sum()), int((gap != -1).sum()))
    if bool((size > 1).any()) or off >= FEW:
        return _percentiles(means)
    n = _effective(weights)
    gain = float(np.average(np.maximum(gap, 0), weights=weights))
    loss = float(np.average(np.maximum(-gap, 0), weights=weights))
    (gain_low, gain_high), (loss_low, loss_high) = wilson(gain, n), wilson(loss, n)
    low = gain - loss - math.hypot(gain - gain_low, loss_high - loss)
    high = gain - loss + math.hypot(gain_high - gain, loss - loss_low)
    return max(-1.0, low), min(1.0, high)


def _percentiles(means: Array) -> tuple[float, float]:
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def _effective(weights: Array) -> float:
    """How many equally weighted items these weigh as much as (Kish)."""
    return float(weights.sum() ** 2 / (weights**2).sum())


def _arrays(values: ArrayLike, weights: ArrayLike | None) -> tuple[Array, Array]:
    v = np.asarray(values, dtype=np.float64)
    w = np.ones_like(v) if weights is None else np.asarray(weights, dtype=np.float64)
    if v.ndim != 1 or not v.size:
        raise ZooError(
            f"item scores of shape {v.shape}", "one score per item, at least one item", "check the test part"
        )
    if w.shape != v.shape or not bool((w > 0).all()):
        raise ZooError(f"weights of shape {w.shape} for {v.size} items", "one positive weight per item")
    if not bool(np.isfinite(v).all()):
        raise ZooError(f"{int((~np.isfinite(v)).sum())} item scores are NaN or infinite", "numbers")
    return v, w
