"""The microworld of reviews: restaurants and laptops, with every quadruple known (after arXiv:2210.06629).

    The grilled salmon was tasty, but we waited ten minutes before anybody took our order.
        grilled salmon | FOOD#QUALITY | tasty | positive
        (implicit) | SERVICE#GENERAL | (implicit) | negative

Lexicon and clauses (lexicon.py, clauses.py) are those of every split; the reviews are not: a review belongs to train,
validation or test by a hash of its words, whatever the seed and the task, so that a held-out review is a new
combination of known words and known clauses. It measures whether a model can take a sentence of this world apart, and
not whether it knows words that it has never seen.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from random import Random
from typing import Annotated, Literal

from pydantic import Field, model_validator

from instructzoo.absa import prompts
from instructzoo.absa.world import review_generator
from instructzoo.core import recipe
from instructzoo.core.errors import ZooError, suggest
from instructzoo.core.record import Row

Task = Literal["ae", "aesc", "tasd", "aste", "asqp"]
Domain = Literal["restaurant", "laptop"]
Share = Annotated[float, Field(ge=0, le=0.5)]

SOURCE, LICENCE = "world", "Apache-2.0"
SPLITS = ("train", "validation", "test")
HELD_OUT = {"validation": range(4), "test": range(4, 12)}
"""Which of 100 buckets of reviews a held-out split has; train has the others."""

PATIENCE = 10_000
"""Reviews in a row without a new one after which a held-out split counts as exhausted."""


class Settings(recipe.Settings):
    """What is drawn. The defaults are the whole world.

    One task: {tasks: [asqp]}; short reviews of restaurants: {domains: [restaurant], tuples: 2}.
    """

    tasks: tuple[Task, ...] = Field(
        ("ae", "aesc", "tasd", "aste", "asqp"), min_length=1, description="tasks that rows ask for; one a row"
    )
    weights: dict[Task, Annotated[float, Field(ge=1e-9, le=1e9)]] = Field(
        default={}, description="weight of a task's share of the rows; 1 where none is given"
    )
    domains: tuple[Domain, ...] = Field(("restaurant", "laptop"), min_length=1, description="what is reviewed")
    tuples: int = Field(4, ge=2, le=8, description="most opinions of a review; few are likelier than many")
    implicit: Share = Field(0.2, description="share of clauses whose aspect, opinion or both are implied")
    quiet: Share = Field(0.1, description="share of clauses that hold terms and no opinion on them")

    @model_validator(mode="after")
    def _weighs_what_is_drawn(self) -> Settings:
        if idle := set(self.weights) - set(self.tasks):
            raise ValueError(f"weights names {', '.join(sorted(idle))}; expected tasks that are drawn")
        return self


def generate(n: int, seed: int, split: str, settings: Settings = Settings()) -> Iterator[Row]:  # noqa: B008 - frozen
    """n rows of a split (train, validation or test), equal for equal arguments; the first k are the same for any n.

    validation and test hold each review once, and end early where the settings span too few; train may ask several
    tasks of one. Raises ZooError for an unknown split.
    """
    if split not in SPLITS:
        raise ZooError(f'no split "{split}"', suggest(split, SPLITS))
    return _generate(n, seed, split, settings)


def _generate(n: int, seed: int, split: str, settings: Settings) -> Iterator[Row]:
    rng = Random(f"{seed} {split}")
    weights = [settings.weights.get(task, 1.0) for task in settings.tasks]
    seen, idle = set[str](), 0
    while n > 0 and idle < PATIENCE:
        domain, task = rng.choice(settings.domains), rng.choices(settings.tasks, weights)[0]
        sentence, quads = review_generator.draw(rng, domain, settings.tuples, settings.implicit, settings.quiet)
        idle += 1
        item = prompts.item_of(sentence)
        if split_of(item) != split or item in seen:
            continue
        if split != "train":
            seen.add(item)
        yield prompts.write(sentence, quads, task, seed, domain, SOURCE, LICENCE)
        n, idle = n - 1, 0


def split_of(item: str) -> str:
    """The split that a review belongs to, by a hash of its words."""
    bucket = zlib.crc32(item.encode()) % 100
    return next((split for split, buckets in HELD_OUT.items() if bucket in buckets), "train")
