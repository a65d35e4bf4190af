"""Batched generation, constrained decoding, choice scoring and the predictor."""

from pathlib import Path
from typing import Any

from instructzoo.core.domain import Domain
from instructzoo.core.infer.choice_scoring import choose, log_likelihoods
from instructzoo.core.infer.generate import generate
from instructzoo.core.infer.predictor import Predictor

__all__ = ["Predictor", "choose", "generate", "load", "log_likelihoods"]


def load(domain: Domain, folder: Path) -> Any:
    """Load the predictor of a trained model.

    Args:
        domain: The domain of the model.
        folder: A weights folder or a run directory.

    Returns:
        A `Predictor`; for a domain with an objective of its own, that domain's class with the same methods.

    Raises:
        ZooError: There is no model in the folder, or it is one of another domain.
    """
    predictor = domain.module("predictor").Predictor if domain.objective == "own" else Predictor
    return predictor.load(domain, folder)
