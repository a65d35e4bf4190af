"""instructzoo.core: the tuning core that every domain stands on.

A name is imported when it is first used, so that `zoo --help` pays for none of them.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from instructzoo.core import openmp

if TYPE_CHECKING:
    from instructzoo.core.answers.model import load
    from instructzoo.core.domain import Domain, PublishedResult
    from instructzoo.core.errors import ZooError
    from instructzoo.core.recipe import Recipe
    from instructzoo.core.record import Invalid, Record, Row, Segment, Turn

__all__ = ["Domain", "Invalid", "PublishedResult", "Recipe", "Record", "Row", "Segment", "Turn", "ZooError", "load"]

_MODULES = {
    "Domain": "domain", "PublishedResult": "domain", "Recipe": "recipe", "ZooError": "errors", "load": "answers.model",
}  # fmt: skip

openmp.use_short_spin()  # here, since it counts only before torch is imported: for commands, ranks, demos and programs


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__} has no attribute {name}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES.get(name, 'record')}"), name)
