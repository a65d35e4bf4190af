"""Recipes for models that were not trained here: a folder of transformers or diffusers, an adapter of peft."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from instructzoo.core import recipe as recipes
from instructzoo.core import runs
from instructzoo.core.domain import Domain
from instructzoo.core.errors import ZooError
from instructzoo.core.recipe import Recipe
from instructzoo.core.shelf import ShelfModel


def recipe_for(domain: Domain, folder: Path, model: ShelfModel | None = None) -> Recipe:
    """Make a recipe for a model that comes without one.

    A published model has the recipe of its name, if the domain has that. Any other model is asked in its dialect, or in
    the domain's own prompts, inside its chat template if it has one, with the lengths of the recipe `small`.

    Args:
        domain: The domain.
        folder: The folder of the model or of its adapter.
        model: Its row in the domain's table.

    Returns:
        The recipe; its backbone is the folder, or the base of the adapter. Its rows are the microworld's.

    Raises:
        ZooError: An adapter does not say which base it is for.
    """
    files, adapter = domain.recipes(), _adapter_config(folder)
    backbone = str(folder) if adapter is None else _base_of(adapter, folder, model)
    named = model is not None and model.name in files
    name = model.name if model is not None and named else "small" if "small" in files else "tiny"
    recipe = recipes.load(f"{domain.name}/{name}")
    changed: dict[str, Any] = {"backbone": backbone}
    if domain.objective == "text" and not named:
        changed["dialect"] = model.dialect if model is not None else ""
        changed["template"] = "chat" if not changed["dialect"] and _has_chat_template(folder) else "plain"
    method = recipe.method  # that of a recipe of its own fits its weights: in half precision an adapter is trained
    if not named:
        method = method.model_copy(update={"name": "full" if adapter is None else "lora"})
    settings = recipe.model.model_copy(update=changed)
    data = recipe.data if named else recipes.Data(sources=("world",))
    title = model.name if model is not None else folder.name
    return recipe.model_copy(
        update={"name": title, "title": "", "notes": "", "data": data, "model": settings, "method": method}
    )


def _adapter_config(folder: Path) -> dict[str, Any] | None:
    """The configuration of an adapter of peft; None where the folder holds a whole model."""
    path = folder / "adapter_config.json"
    if not path.is_file() or (folder / "config.json").is_file():
        return None
    return runs.read_object(path, "the configuration of an adapter")


def _base_of(adapter: dict[str, Any], folder: Path, model: ShelfModel | None) -> str:
    """The base of an adapter: the folder on this machine that it names, else that of the table, else what it names."""
    base = adapter.get("base_model_name_or_path")
    if isinstance(base, str) and (Path(base) / "config.json").is_file():
        return base
    if model is not None:
        return model.base
    if not isinstance(base, str) or not base:
        raise ZooError(
            "the adapter names no base", "base_model_name_or_path", where=str(folder / "adapter_config.json")
        )
    return base


def _has_chat_template(folder: Path) -> bool:
    """Whether a model's tokenizer has a chat template."""
    if (folder / "chat_template.jinja").is_file():
        return True
    path = folder / "tokenizer_config.json"
    return path.is_file() and bool(runs.read_object(path, "the configuration of a tokenizer").get("chat_template"))
