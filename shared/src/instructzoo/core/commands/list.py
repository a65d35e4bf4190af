"""zoo list: the installed domains and their recipes. Imports nothing heavy."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from instructzoo.core import domain as domains

SETTINGS = {"data.world": "world", "data.options": "sources"}
OWN = {"model.options": "model", "objective": "objective", "decode.options": "sampling"}
"""Groups of a recipe that a domain's own modules read, and those modules."""


def list() -> dict[str, Any]:
    """{"domains": [{"name", "title", "summary", "paper", "recipes", "model"}], "broken": [{"name", "reason"}]}."""
    listed, broken = [], []
    for name, domain in domains.discover().items():
        if isinstance(domain, domains.BrokenDomain):
            broken.append({"name": name, "reason": domain.reason})
            continue
        listed.append(
            {
                "name": name,
                "title": domain.title,
                "summary": domain.summary,
                "paper": domain.paper,
                "recipes": [f"{name}/{stem}" for stem in domain.recipes()],
                "model": domain.has_bundled_model(),
            }
        )
    return {"domains": listed, "broken": broken}


def settings() -> str:
    """The page docs/recipes.md: every setting of a recipe, and of the installed domains' worlds and sources."""
    from instructzoo.core.recipe import reference
    from instructzoo.core.settings import table

    lines = [reference().rstrip()]
    for name, domain in domains.discover().items():
        if isinstance(domain, domains.Domain):
            own = OWN if domain.objective == "own" else {}
            for key, module in (SETTINGS | own).items():
                if (found := domain.module(module).Settings).model_fields:
                    lines += ["", f"## {key} of {name}", "", *table(found)]
            if find_spec(f"{domain.package}.synth"):
                lines += ["", f"## zoo synth {name}", "", *table(domain.module("synth").Settings)]
    return "\n".join(lines).rstrip() + "\n"
