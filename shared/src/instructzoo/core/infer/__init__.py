"""Batched generation, choice scoring and the predictor."""

from pathlib import Path
from typing import Any

from instructzoo.core.domain import Domain
from instructzoo.core.infer.choice_scoring import choose, log_likelihoods
from instructzoo.core.infer.generate import generate
from instructzoo.core.infer.predictor import Predictor

__all__ = ["Predictor", "choose", "generate", "load", "log_likelihoods"]


def load(domain: Domain, folder: Path) -> Any:
    """The domain's predictor of a weights folder, or of a run directory: the core's, or its own of the same methods."""
    kind = domain.module("predictor").Predictor if domain.objective == "own" else Predictor
    return kind.load(domain, folder)
