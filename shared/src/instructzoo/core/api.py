"""The commands of `zoo` as Python functions.

    from instructzoo.core import api

    outcome = api.train("arithmetic/tiny", ["train.lr=1e-4"])
    scores = api.eval("arithmetic", model=outcome["run"])

Each function returns what the command prints with --json, and raises ZooError for an error that the user can correct.
A function is imported when it is first used; torch is imported by the functions that need it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from instructzoo.core.commands.bundle import bundle
    from instructzoo.core.commands.data import data
    from instructzoo.core.commands.demo import demo
    from instructzoo.core.commands.doctor import doctor
    from instructzoo.core.commands.eval import eval
    from instructzoo.core.commands.explain import explain
    from instructzoo.core.commands.export import export
    from instructzoo.core.commands.fetch import backbones, fetch
    from instructzoo.core.commands.launch import launch
    from instructzoo.core.commands.list import list, models, settings
    from instructzoo.core.commands.new import new
    from instructzoo.core.commands.plan import plan
    from instructzoo.core.commands.predict import predict
    from instructzoo.core.commands.report import report
    from instructzoo.core.commands.reproduce import reproduce
    from instructzoo.core.commands.score import score
    from instructzoo.core.commands.synth import synth
    from instructzoo.core.commands.train import train

__all__ = [
    "backbones", "bundle", "data", "demo", "doctor", "eval", "explain", "export", "fetch", "launch", "list",
    "models", "new", "plan", "predict", "report", "reproduce", "score", "settings", "synth", "train",
]  # fmt: skip

_MODULES = {"backbones": "fetch", "models": "list", "settings": "list"}
"""The module of each function that is not named after its module."""


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__} has no attribute {name}")
    return getattr(importlib.import_module(f"instructzoo.core.commands.{_MODULES.get(name, name)}"), name)
