"""Batched generation, choice scoring and the predictor."""

from pathlib import Path
from typing import Any

from instructzoo.core.app import App
from instructzoo.core.infer.choices import choose, log_likelihoods
from instructzoo.core.infer.generate import generate
from instructzoo.core.infer.predictor import Predictor

__all__ = ["Predictor", "choose", "generate", "load", "log_likelihoods"]


def load(app: App, folder: Path) -> Any:
    """The domain's predictor of a weights folder, or of a run directory: the core's, or its own of the same methods."""
    kind = app.module("predictor").Predictor if app.objective == "own" else Predictor
    return kind.load(app, folder)
