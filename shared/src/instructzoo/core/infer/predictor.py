"""The predictor: one trained model with the prompts and the parser that it was trained with.

`zoo eval`, `zoo predict` and the demo answer through it, so what is served is what was scored.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Self

from instructzoo.core import runs
from instructzoo.core.app import App
from instructzoo.core.infer.generate import generate
from instructzoo.core.models.load import Loaded, open_saved
from instructzoo.core.recipe import Recipe
from instructzoo.core.record import Row
from instructzoo.core.text import Encoder


@dataclass(frozen=True)
class Predictor:
    """A model that answers rows. `scores` is what scores.json beside the model says of it, if anything."""

    app: App
    recipe: Recipe
    loaded: Loaded
    folder: Path
    scores: dict[str, Any] | None = None

    @classmethod
    def load(cls, app: App, folder: Path) -> Self:
        """The model of a weights folder, or of a run directory (its model/). Raises ZooError where there is none."""
        model = _model_folder(folder)
        scores = folder / "scores.json"
        loaded = open_saved(model)
        found = runs.read_json(scores) if scores.is_file() else None
        return cls(app, runs.stored_recipe(model), loaded, folder, found)

    def loaded_from(self) -> Path:
        """The folder of the weights themselves: a run's model/, or the carried folder."""
        return _model_folder(self.folder)

    def encoder(self) -> Encoder:
        prompts, loaded, model = self.app.module("prompts"), self.loaded, self.recipe.model
        return Encoder(loaded.tokenizer, prompts, loaded.kind, model.max_tokens, self.recipe.seed, model.template)

    def answer(self, rows: Sequence[Row]) -> list[str]:
        """The model's texts, in the order of the rows. Only `instruction` and what render reads are needed."""
        encoder = self.encoder()
        prompts = [encoder.prompt({"input": "", "output": "", **row}) for row in rows]
        return generate(self.loaded, prompts, self.recipe.decode, self.recipe.seed, encoder.stop)

    def stream(self, rows: Iterable[Row], batch: int = 256) -> Iterator[tuple[Row, str]]:
        """Rows with their answers, in order, `batch` rows at a time."""
        source = iter(rows)
        while block := list(islice(source, batch)):
            yield from zip(block, self.answer(block), strict=True)


def _model_folder(folder: Path) -> Path:
    return folder / "model" if (folder / "manifest.json").is_file() else folder
