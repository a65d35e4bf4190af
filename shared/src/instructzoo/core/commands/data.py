"""zoo data: build a recipe's rows, or write them in another trainer's format."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from instructzoo.core import domain as domains
from instructzoo.core import recipe as recipes
from instructzoo.core.commands.training_task import new_folder
from instructzoo.core.errors import ZooError


def data(
    recipe: str, overrides: Sequence[str] = (), export: str | None = None, output: str | None = None
) -> dict[str, Any]:
    """Build (or find) the rows; with `export`, write them in that format to `output`. Returns folder, card ...

    messages and sharegpt hold the prompts as the domain renders them. Raises ZooError where `output` holds files.
    """
    from instructzoo.core import data as room

    settings = recipes.load(recipe, overrides)
    if output and not export:
        raise ZooError("an output and no format", "--export messages, alpaca or sharegpt", "leave -o out", output)
    folder = new_folder(output or f"{settings.domain}-{settings.name}-{export}") if export else None
    built = room.build(settings)
    found: dict[str, Any] = {"folder": str(built.folder), "fingerprint": built.fingerprint, "card": built.card}
    if export and folder:
        render = domains.get(settings.domain).module("prompts").render
        found["exported"] = [str(p) for p in room.export(built.rows, export, folder, render, settings.seed)]
    return found
