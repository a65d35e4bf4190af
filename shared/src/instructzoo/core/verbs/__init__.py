"""The verbs of the command line, each one public function: `verbs.train("arithmetic/tiny")`.

A verb is imported when it is first used; torch comes with the verbs that need it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from instructzoo.core.verbs.building import data
    from instructzoo.core.verbs.evaluating import eval
    from instructzoo.core.verbs.examining import doctor
    from instructzoo.core.verbs.explaining import explain
    from instructzoo.core.verbs.exporting import export
    from instructzoo.core.verbs.fetching import backbones, fetch
    from instructzoo.core.verbs.launching import launch
    from instructzoo.core.verbs.listing import list, settings
    from instructzoo.core.verbs.planning import plan
    from instructzoo.core.verbs.predicting import predict
    from instructzoo.core.verbs.reporting import report
    from instructzoo.core.verbs.reproducing import reproduce
    from instructzoo.core.verbs.scoring import score
    from instructzoo.core.verbs.serving import demo
    from instructzoo.core.verbs.synthesising import synth
    from instructzoo.core.verbs.training import train

__all__ = [
    "backbones", "data", "demo", "doctor", "eval", "explain", "export", "fetch", "launch", "list", "plan", "predict",
    "report", "reproduce", "score", "settings", "synth", "train",
]  # fmt: skip

_HOMES = {
    "backbones": "fetching",
    "data": "building",
    "demo": "serving",
    "doctor": "examining",
    "eval": "evaluating",
    "explain": "explaining",
    "export": "exporting",
    "fetch": "fetching",
    "launch": "launching",
    "list": "listing",
    "plan": "planning",
    "predict": "predicting",
    "report": "reporting",
    "reproduce": "reproducing",
    "score": "scoring",
    "settings": "listing",
    "synth": "synthesising",
    "train": "training",
}
"""The module of each verb. Modules are named otherwise than verbs, so that importing one never hides the function."""


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__} has no attribute {name}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
