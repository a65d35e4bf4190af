"""data.options: which questions are made of the dialogues, and how many."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from instructzoo.core import recipe as recipes
from instructzoo.dialogue.data.caps import Caps
from instructzoo.dialogue.prompts.meta_tasks import Variation
from instructzoo.dialogue.protocols.zero_shot import ZeroShot

Weight = Annotated[float, Field(ge=0)]


class Offered(recipes.Settings):
    """How many labels or slots of a data set a training question offers; test questions offer all of them."""

    all: float = Field(0.25, ge=0, le=1, description="share of the questions that offer all options of the data set")
    at_least: int = Field(2, ge=2, description="options of the other questions, at least")
    at_most: int = Field(20, ge=2, description="options of the other questions, at most")


class Settings(recipes.Settings):
    """data.options: which questions are made of the dialogues of published and own data sets."""

    tasks: tuple[str, ...] = Field(
        (), description="task types; empty: all that a source feeds, but utterance_generation"
    )
    test_tasks: tuple[str, ...] = Field((), description="those of them that the test split has; empty: all")
    per_dataset: int | None = Field(
        None, ge=1, description="training dialogues of each data set, drawn by seed; none: all"
    )
    per_test: int | None = Field(None, ge=1, description="test dialogues of each data set, drawn by seed; none: all")
    options: Offered = Field(Offered(), description="how many options a training question offers")
    variation: Variation = Field(Variation(), description="none of the above, letters and meta-tasks in training")
    caps: Caps = Field(Caps(), description="length of dialogues and of texts beside them; the data card counts cuts")
    weights: dict[str, Weight] = Field(
        {}, description="by source, how often each question stands in training, on average; 1 where a source is absent"
    )
    task_weights: dict[str, Weight] = Field(
        {}, description="by task type, a factor of weights, also for a single source as source:task; 1 where absent"
    )
    development: Literal["validation", "train"] = Field(
        "validation",
        description="use of the development split of a corpus; with train, validation is cut from the training split",
    )
    without_intents: tuple[str, ...] = Field(
        (), description="intents, as the files write them, that are left out of training and validation"
    )
    zero_shot: ZeroShot = Field(ZeroShot(), description="task types that training does not see")
    held_out: tuple[str, ...] = Field((), description="sources of which only the test split is used, for zero-shot")
