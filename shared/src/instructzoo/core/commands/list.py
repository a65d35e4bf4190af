"""zoo list and zoo models: the installed domains, their recipes and models."""

from __future__ import annotations

from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from instructzoo.core import domain as domains
from instructzoo.core import run_checks, runs
from instructzoo.core.domain import Domain
from instructzoo.core.shelf import ShelfModel

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
        {"domains": [{"name", "title", "summary", "paper", "recipes", "model": whether a model is bundled,
        "models": for each of its models what it knows}],
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
                "models": {name: model.knows for name, model in domain.shelf().items()},
            }
        )
    return {"domains": listed, "broken": broken}


def models(domain_name: str | None = None) -> dict[str, Any]:
    """List the models that domains have by name.

    Args:
        domain_name: An installed domain; None lists those of all.

    Returns:
        {"models": [{"domain", "name", "kind", "base", "knows", "megabytes": size of the weights, "data": [{"name",
        "licence", "research_only"}], "research_only", "licence", "score": {"metric", "value", "low", "high", "n",
        "group", "on"}, "everyday": the same on everyday texts, "fetch": {"name", "megabytes"}, "repository",
        "dialect", "source"}]}. A score is None where none is recorded, and "fetch" where nothing must be fetched.

    Raises:
        ZooError: There is no such domain, or the scores beside a model are damaged.
    """
    if domain_name is not None:
        chosen = [domains.get(domain_name)]
    else:
        chosen = [domain for domain in domains.discover().values() if isinstance(domain, Domain)]
    return {"models": [entry(domain, model) for domain in chosen for model in domain.shelf().values()]}


def entry(domain: Domain, model: ShelfModel) -> dict[str, Any]:
    """What `zoo models` says of one model.

    Args:
        domain: Its domain.
        model: Its row in the domain's table.

    Returns:
        An entry of "models" of the function `models`.

    Raises:
        ZooError: The scores beside it are damaged.
    """
    from instructzoo.core.models import model_choice  # imports torch, which `zoo list` does not wait for

    missing = model_choice.missing(model)
    folder = domain.bundled_model(model.name) if model.bundled else None
    return {
        "domain": domain.name,
        **asdict(model),
        "megabytes": megabytes(folder) if folder else model.megabytes,
        "research_only": model.research_only,
        "score": score(folder / "scores.json", model.kind == "tiny") if folder else None,
        "everyday": score(folder / "everyday.json") if folder else None,
        "fetch": asdict(missing) if missing else None,
    }


def megabytes(folder: Path) -> float:
    """The size of the weights in a folder."""
    return round(sum(path.stat().st_size for path in folder.rglob("*.safetensors")) / 2**20, 2)


def score(path: Path, made_up: bool = False) -> dict[str, Any] | None:
    """The headline of a scores.json, with its interval and n, and what was scored.

    Args:
        path: The file.
        made_up: Whether the model was scored on its microworld.

    Returns:
        {"metric", "value", "low", "high", "n", "group", "on"}; None where there is no such file.

    Raises:
        ZooError: The file is damaged.
    """
    if not path.is_file():
        return None
    scores = runs.read_object(path, "the scores of zoo eval")
    run_checks.check_scores(scores, path)
    model, part = scores["systems"]["model"], scores.get("part", "test")
    metric, group = model["headline"]
    headline = next((v for v in model["figures"] if (v["metric"], v["group"]) == (metric, group)), model["figures"][0])
    rows = f"the rows of {scores['rows']['file']}" if part == "file" else f"the {part} split of {scores['recipe']}"
    return {**headline, "on": "held-out items of its made-up world" if made_up else rows}


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
