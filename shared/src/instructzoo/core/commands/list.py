"""zoo list: the installed domains and their recipes. Imports nothing heavy."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from instructzoo.core import domain as domains

SETTINGS_MODULES = {"data.world": "world", "data.options": "sources"}
"""Groups of a recipe that every domain defines, and the module whose `Settings` defines each."""

OWN_SETTINGS_MODULES = {"model.options": "model", "objective": "objective", "decode.options": "sampling"}
"""The same for a domain with an objective of its own."""


ALIASES_INTRODUCTION = """\
A setting of transformers, TRL, LLaMA-Factory or axolotl that is typed in a recipe is an error that names the setting to
use instead."""


def list() -> dict[str, Any]:
    """List the installed domains.

    Returns:
        {"domains": [{"name", "title", "summary", "paper", "recipes", "model": whether a model is bundled}],
        "broken": [{"name", "reason"}]}.
    """
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
    """The page docs/recipes.md in Markdown: all settings of a recipe, the installed domains' own, and their aliases."""
    from instructzoo.core import settings_aliases
    from instructzoo.core.recipe import reference
    from instructzoo.core.settings import table

    lines = [reference().rstrip()]
    lines += ["", "## Names in other trainers", "", ALIASES_INTRODUCTION, "", *settings_aliases.table()]
    for name, domain in domains.discover().items():
        if isinstance(domain, domains.Domain):
            own = OWN_SETTINGS_MODULES if domain.objective == "own" else {}
            for group, module in (SETTINGS_MODULES | own).items():
                if (model := domain.module(module).Settings).model_fields:
                    lines += ["", f"## {group} of {name}", "", *table(model)]
            if find_spec(f"{domain.package}.synth"):
                lines += ["", f"## zoo synth {name}", "", *table(domain.module("synth").Settings)]
    return "\n".join(lines).rstrip() + "\n"
