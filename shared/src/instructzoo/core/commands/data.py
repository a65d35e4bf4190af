"""zoo data: build a recipe's rows, and export them in another trainer's format."""

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
    """Build the rows of a recipe, or find them in the cache.

    Args:
        recipe: `domain/recipe`, or a YAML file.
        overrides: Settings such as `data.sizes.train=1000`.
        export: Also write the rows in this format: messages, alpaca or sharegpt. messages and sharegpt hold the
            prompts as the domain renders them.
        output: The new folder of the exported files; by default <domain>-<recipe>-<format>.

    Returns:
        {"folder": of the built rows, "fingerprint": of the rows, "card": the data card}, and with `export`
        "exported": the files written.

    Raises:
        ZooError: A setting or a source is wrong, or `output` holds files already.
    """
    from instructzoo.core import data as builder

    settings = recipes.load(recipe, overrides)
    if output and not export:
        raise ZooError("an output and no format", "--export messages, alpaca or sharegpt", "leave -o out", output)
    folder = new_folder(output or f"{settings.domain}-{settings.name}-{export}") if export else None
    built = builder.build(settings)
    result: dict[str, Any] = {"folder": str(built.folder), "fingerprint": built.fingerprint, "card": built.card}
    if export and folder:
        render = domains.get(settings.domain).prompts(settings.model.dialect).render
        files = builder.export(built.rows, export, folder, render, settings.seed)
        result["exported"] = [str(path) for path in files]
    return result
