"""The README.md of a bundled model, and the table of models in a README."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from instructzoo.core.domain import Domain
from instructzoo.core.models.backbones import BACKBONES
from instructzoo.core.score.tables import Table, format_cell, is_fraction
from instructzoo.core.score.types import MetricValue
from instructzoo.core.shelf import ShelfModel, TrainingData

MODELS_SECTION = re.compile(r"(<!-- models(?::(?P<domain>\w+))? -->\n).*?(<!-- /models -->)", re.DOTALL)
"""The table of all models in a README, or of one domain's."""

OTHER_LICENCE = "other"
"""What the hub's card calls a licence that is no SPDX id."""


def bundled_card(domain: Domain, model: ShelfModel, recipe: str) -> str:
    """The card of a bundled model, in the form that the hub reads. Its scores are in scores.json beside it.

    Args:
        domain: The domain of the model.
        model: Its row in the domain's table.
        recipe: The content of the recipe.yaml beside it.

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
        f"```yaml\n{recipe}```\n"
    )


def models_table(entries: Sequence[dict[str, Any]]) -> str:
    """The table of models in Markdown.

    Args:
        entries: "models" of `zoo models --json`.

    Returns:
        A row for each model. What is still to be fetched on this machine is no part of it.
    """
    head = ("model", "what it knows", "base", "MB", "score, with 95% interval", "trained on", "licence of the weights")
    lines = Table(head, tuple(map(_row, entries))).markdown().splitlines()
    return "\n".join([lines[0], "|" + " --- |" * len(head), *lines[2:]])  # texts, which are read from the left


def _row(entry: dict[str, Any]) -> tuple[str, ...]:
    backbone, size = BACKBONES.get(entry["base"]), entry["megabytes"]
    fetched = f" (fetched once, {backbone.megabytes:g} MB)" if backbone and backbone.megabytes else ""
    data = "; ".join(str(TrainingData(**data)) for data in entry["data"])
    name = f"`{entry['domain']}/{entry['name']}`"
    if entry["repository"]:
        name += f", [{entry['repository']}](https://huggingface.co/{entry['repository']})"
    size = "" if size is None else f"{size:,.4g}"
    scores = "; ".join(score_text(entry[key]) for key in ("everyday", "score") if entry[key]) or score_text(None)
    return name, entry["knows"], entry["base"] + fetched, size, scores, data, entry["licence"]


def score_text(value: dict[str, Any] | None) -> str:
    """A headline value with its interval and n, as "F1 98.9 [98.6, 99.2] %, n = 2,000, on its held-out items"."""
    if value is None:
        return "none measured here"
    numbers = MetricValue(**{key: value[key] for key in ("metric", "value", "low", "high", "n", "group")})
    unit = " %" if is_fraction(numbers.metric) else ""
    group = "" if numbers.group == "all" else f" of {numbers.group}"
    return f"{numbers.metric}{group} {format_cell(numbers)}{unit}, n = {numbers.n:,}, on {value['on']}"


def _base(model: ShelfModel) -> str:
    """What the weights in the folder are."""
    backbone = BACKBONES.get(model.base)
    if backbone is None:
        return f"A whole model, trained {model.base}."
    about = f"{backbone.note.partition(':')[0]}; {backbone.licence}"
    return f"A LoRA adapter in float16 on {model.base} ({about}), which is fetched once."
