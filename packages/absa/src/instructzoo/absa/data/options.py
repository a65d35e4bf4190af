"""The settings of the data sources, `data.options` of a recipe.

From `one_set` on they mix published sets. The rows of your own reviews are as many and as written as they are without.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from instructzoo.absa.data import mixture
from instructzoo.absa.data.corpora import CORPORA
from instructzoo.core import recipe
from instructzoo.core.errors import suggest

SOURCES = ("world", *CORPORA, "own")

Task = Literal["ae", "aesc", "tasd", "aste", "asqp"]
Weight = Annotated[float, Field(ge=0, le=6)]
Share = Annotated[float, Field(ge=0, le=1)]


class Settings(recipe.Settings):
    """How rows are made of the sentences of published and own data sets (`data.options` of a recipe)."""

    tasks: tuple[Task, ...] = Field((), description="tasks of the rows; empty: all that a set's annotation supports")
    kshot: int | None = Field(None, ge=1, description="tuples of every class in train and validation; null: all")
    kshot_seed: int = Field(0, ge=0, description="number of the K-shot draw; the paper's repository has draws 0 to 4")
    dev_as_test: bool = Field(False, description="use the dev split as test split where a set has no test split")
    skip_dev: tuple[str, ...] = Field((), description="sets whose dev split is not used; dev_as_test leaves them alone")
    skip_test: tuple[str, ...] = Field((), description="sets whose test split is not used")
    one_set: bool = Field(
        False, description="rows of one set for a sentence and task in train: of the first in data.sources that has it"
    )
    state_convention: bool = Field(
        False, description="where a set has no opinions on what the text does not name, say so in the instruction"
    )
    without_opinion: tuple[str, ...] = Field(
        (),
        description="sets whose sentences without a tuple have no opinion at all: in train they get rows of every task",
    )
    weights: dict[str, Weight] = Field(
        {},
        description="rows of a sentence in train, by task, set or both (asqp/rest16 asqp), each with its own wording",
    )
    test_weights: dict[str, Share] = Field({}, description="the same in test, where 0.2 keeps a fifth of the rows")
    natural_spacing: Share = Field(
        0.0, description="share of the rows in train whose text is written without the spaces between its tokens"
    )
    domain: str = Field("restaurant", min_length=1, description="domain of own reviews whose file names none")

    @field_validator("weights", "test_weights")
    @classmethod
    def _weights_name_tasks_and_sets(cls, value: dict[str, float]) -> dict[str, float]:
        return dict(mixture.check_weights(value, tuple(CORPORA)))

    @field_validator("skip_dev", "skip_test", "without_opinion")
    @classmethod
    def _sets_are_published(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := [name for name in value if name not in CORPORA]:
            raise ValueError(f'no set "{unknown[0]}"; expected {suggest(unknown[0], CORPORA)}')
        return value
