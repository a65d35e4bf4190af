"""Metrics, baselines, confidence intervals and paired comparisons."""

from instructzoo.core.score.baselines import BASELINES
from instructzoo.core.score.intervals import Comparison, compare, confidence_interval, mean_with_ci
from instructzoo.core.score.metrics import character_errors, exact_match, token_errors
from instructzoo.core.score.types import MetricValue, Scores

__all__ = [
    "BASELINES",
    "Comparison",
    "MetricValue",
    "Scores",
    "character_errors",
    "compare",
    "confidence_interval",
    "exact_match",
    "mean_with_ci",
    "token_errors",
]
