"""Metrics, baselines, intervals: figures that can be trusted."""

from instructzoo.core.score.baselines import BASELINES
from instructzoo.core.score.intervals import Comparison, compare, interval, mean_with_ci
from instructzoo.core.score.metrics import character_errors, exact_match, token_errors
from instructzoo.core.score.types import MetricValue, Scores

__all__ = [
    "BASELINES",
    "Comparison",
    "MetricValue",
    "Scores",
    "character_errors",
    "compare",
    "exact_match",
    "interval",
    "mean_with_ci",
    "token_errors",
]
