"""A predictor without a model, for demos under test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from instructzoo.core.domain import Domain
from instructzoo.core.recipe import Recipe
from instructzoo.core.record import Row
from instructzoo.core.shelf import ShelfModel


class Scripted:
    """A predictor that answers from a dictionary by instruction: for demos under test."""

    def __init__(self, domain: Domain, answers: dict[str, str] | None = None) -> None:
        self.domain, self.answers = domain, answers or {}
        self.recipe = Recipe.model_validate({"domain": domain.name, "model": {"backbone": "scripted"}})
        self.scores: dict[str, Any] | None = None
        self.folder = Path()
        self.constrained = False
        self.labels: dict[str, list[str]] | None = None
        self.model: ShelfModel | None = None
        self.notice = ""

    @property
    def prompts(self) -> Any:
        """The domain's own prompts."""
        return self.domain.prompts()

    def with_constraints(self, constrained: bool) -> Scripted:
        """The same answers: no decoding makes them."""
        return self

    def sampling(self, temperature: float, top_p: float) -> Scripted:
        """The same answers: none is drawn."""
        return self

    def answer(self, rows: list[Row]) -> list[str]:
        return [self.answers.get(row["instruction"], "") for row in rows]
