"""The predictors behind the page: each model by its name, with and without constrained decoding."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from instructzoo.core.ui.model_choice import ModelChoice


@dataclass
class Models:
    """A predictor with and without constrained decoding; each is made once, since building its vocabulary takes time.

    Attributes:
        predictor: The predictor as it was loaded.
        by_constraint: The predictors made so far.
    """

    predictor: Any
    by_constraint: dict[bool, Any] = field(default_factory=dict)

    def get(self, constrained: bool) -> Any:
        """The predictor with or without constrained decoding."""
        if constrained not in self.by_constraint:
            self.by_constraint[constrained] = self.predictor.with_constraints(constrained)
        return self.by_constraint[constrained]


class ModelsByName:
    """The predictors of a page, by the name that the page calls a model."""

    def __init__(self, choice: ModelChoice) -> None:
        self.choice = choice
        self.by_name: dict[str, Models] = {}

    def get(self, name: str) -> Models:
        """The predictors of a model. Raises ZooError where it cannot be opened."""
        predictor = self.choice.get(name)
        return self.by_name.setdefault(name, Models(predictor))
