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
        {"folder": of the built rows, "fingerprint": of the rows, "card": the data card}; for rows of the user's own
        "enough": what the domain's learning curve says of their number; and with `export` "exported": the files
        written.

    Raises:
        ZooError: A setting or a source is wrong, or `output` holds files already.
    """
    from instructzoo.core import data as builder
    from instructzoo.core.data import data_card

    settings = recipes.load(recipe, overrides)
    if output and not export:
        raise ZooError("an output and no format", "--export messages, alpaca or sharegpt", "leave -o out", output)
    folder = new_folder(output or f"{settings.domain}-{settings.name}-{export}") if export else None
    built = builder.build(settings)
    result: dict[str, Any] = {"folder": str(built.folder), "fingerprint": built.fingerprint, "card": built.card}
    if data_card.brought(built.card["sources"]) and (curve := _learning_curve(settings.domain)):
        result["enough"] = curve
    if export and folder:
        render = domains.get(settings.domain).prompts(settings.model.dialect).render
        files = builder.export(built.rows, export, folder, render, settings.seed)
        result["exported"] = [str(path) for path in files]
    return result


def _learning_curve(name: str) -> str:
    """The learning curve of a domain in one line; empty where it has none."""
    from instructzoo.core import runs
    from instructzoo.core.score import learning_curve
    from instructzoo.core.score.results import Results

    results = [Results.from_dict(runs.read_json(path), str(path)) for path in domains.get(name).learning_curve()]
    if not results:
        return ""
    where = f"{results[0].domain}/{results[0].recipe} on the {results[0].scored_rows}"
    return f"{where}: {learning_curve.sentence(learning_curve.points(results))}"
