"""What train, plan and explain share: a recipe made ready to run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from instructzoo.core import app as apps
from instructzoo.core import runs
from instructzoo.core.app import App
from instructzoo.core.errors import ZooError, suggest
from instructzoo.core.recipe import Recipe

if TYPE_CHECKING:
    from instructzoo.core.data import Built
    from instructzoo.core.models import Loaded
    from instructzoo.core.text import Encoder

TOKENIZER_ROWS = 20_000
"""Training rows that a scratch tokenizer is made from."""


@dataclass(frozen=True)
class Prepared:
    """Rows, backbone and encoder of a recipe."""

    recipe: Recipe
    app: App
    built: Built
    loaded: Loaded
    encoder: Encoder


def prepare(recipe: Recipe, tokenizer_at: Path | None = None) -> Prepared:
    """Build (or find) the rows, load the untuned backbone, and make its encoder.

    Raises ZooError for a scorer that the domain does not have, besides what building and loading raise.
    """
    from instructzoo.core import data, models
    from instructzoo.core.text import Encoder

    app = apps.get(recipe.domain)
    known_scorer(app, recipe.evaluate.scorer, "evaluate.scorer")  # told now, not after a training
    built = data.build(recipe)
    prompts = app.module("prompts")

    def texts() -> Iterator[str]:
        for row in islice(built.rows["train"], TOKENIZER_ROWS):
            yield "".join(text for text, _ in prompts.render(row, recipe.seed))

    loaded = models.load(recipe.model, recipe.seed, texts, tokenizer_at)
    model = recipe.model
    encoder = Encoder(loaded.tokenizer, prompts, loaded.kind, model.max_tokens, recipe.seed, model.template)
    return Prepared(recipe, app, built, loaded, encoder)


def known_scorer(app: App, scorer: str, where: str = "", legacy: bool = False) -> str:
    """The scorer's name. Raises ZooError where the domain has none of that name.

    legacy: published scorers with known faults count too, which only `zoo score` reports.
    """
    metrics = app.module("metrics")
    scorers = (*metrics.SCORERS, *metrics.LEGACY) if legacy else metrics.SCORERS
    if scorer not in scorers:
        raise ZooError(f'{app.name} has no scorer "{scorer}"', suggest(scorer, scorers), where=where)
    return scorer


def new_folder(output: str) -> Path:
    """The folder that a verb is about to fill. Raises ZooError where something stands there already."""
    folder = Path(output)
    with runs.friendly_disk(folder):
        taken = folder.exists() and (not folder.is_dir() or any(folder.iterdir()))
    if taken:
        raise ZooError(f"{folder} exists", "an empty or absent directory", "choose another -o")
    return folder


def counts(model: Any) -> dict[str, Any]:
    """Parameters: all, those that the method trains, and these by name (layers together)."""
    from instructzoo.core.models import adapters

    names = adapters.summary(model)
    total = sum(p.numel() for p in model.parameters())
    return {"total": total, "trained": sum(names.values()), "names": names}
