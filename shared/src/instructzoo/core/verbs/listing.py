"""zoo list: the installed domains and their recipes. Imports nothing heavy."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from instructzoo.core import app as apps

SETTINGS = {"data.world": "world", "data.options": "sources"}
OWN = {"model.options": "model", "objective": "objective", "decode.options": "sampling"}
"""Groups of a recipe that a domain's own modules read, and those modules."""


def list() -> dict[str, Any]:
    """{"domains": [{"name", "title", "summary", "paper", "recipes", "model"}], "broken": [{"name", "reason"}]}."""
    domains, broken = [], []
    for name, app in apps.discover().items():
        if isinstance(app, apps.Broken):
            broken.append({"name": name, "reason": app.reason})
            continue
        domains.append(
            {
                "name": name,
                "title": app.title,
                "summary": app.summary,
                "paper": app.paper,
                "recipes": [f"{name}/{stem}" for stem in app.recipes()],
                "model": app.carries(),
            }
        )
    return {"domains": domains, "broken": broken}


def settings() -> str:
    """The page docs/recipes.md: every setting of a recipe, and of the installed domains' worlds and sources."""
    from instructzoo.core.recipe import reference
    from instructzoo.core.settings import table

    lines = [reference().rstrip()]
    for name, app in apps.discover().items():
        if isinstance(app, apps.App):
            own = OWN if app.objective == "own" else {}
            for key, module in (SETTINGS | own).items():
                if (found := app.module(module).Settings).model_fields:
                    lines += ["", f"## {key} of {name}", "", *table(found)]
            if find_spec(f"{app.package}.synth"):
                lines += ["", f"## zoo synth {name}", "", *table(app.module("synth").Settings)]
    return "\n".join(lines).rstrip() + "\n"
