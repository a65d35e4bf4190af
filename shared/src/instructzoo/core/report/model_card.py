"""The README.md of a bundled model: what it knows, its data with licences, its base, and the recipe that made it."""

from __future__ import annotations

from instructzoo.core.domain import Domain
from instructzoo.core.models.backbones import BACKBONES
from instructzoo.core.recipe import Recipe
from instructzoo.core.shelf import ShelfModel

OTHER_LICENCE = "other"
"""What the hub's card calls a licence that is no SPDX id."""


def bundled_card(domain: Domain, model: ShelfModel, recipe: Recipe) -> str:
    """The card of a bundled model, in the form that the hub reads. Its scores are in scores.json beside it.

    Args:
        domain: The domain of the model.
        model: Its row in the domain's table.
        recipe: The recipe that made it.

    Returns:
        Markdown.
    """
    licence = OTHER_LICENCE if " " in model.licence else model.licence.lower()
    library = "peft" if model.kind == "small" else "diffusers" if domain.objective == "own" else "transformers"
    data = "\n".join(f"- {data}" for data in model.data)
    only = "**For research only**, as some of its data. " if model.research_only else ""
    return (
        f"---\nlicense: {licence}\nlibrary_name: {library}\n---\n\n"
        f"# {domain.title}, {model.name}\n\n"
        f"{domain.summary.capitalize()}. {model.knows}\n\n"
        f"    zoo demo {domain.name} --model {model.name}\n\n"
        f"{_base(model)} Licence of these weights: {model.licence}. {only}Its data, with licences:\n\n{data}\n\n"
        f"Scores with n and 95% intervals are in scores.json. Trained by instructzoo with:\n\n"
        f"```yaml\n{recipe.resolved()}```\n"
    )


def _base(model: ShelfModel) -> str:
    """What the weights in the folder are."""
    backbone = BACKBONES.get(model.base)
    if backbone is None:
        return f"A whole model, trained {model.base}."
    return f"A LoRA adapter in float16 on {model.base} ({backbone.note}; {backbone.licence}), which is fetched once."
