"""The microworld of reviews: a generator of restaurant and laptop reviews whose sentiment quadruples are known.

    The grilled salmon was tasty, but we waited ten minutes before anybody took our order.
        grilled salmon | FOOD#QUALITY | tasty | positive
        (implicit) | SERVICE#GENERAL | (implicit) | negative

Three modules do the work:

    lexicon.py           terms and opinion words by topic and attribute
    clause_templates.py  sentence templates with slots for these words
    review_generator.py  draws clauses, joins them to a review, and records where each element is

`generate` is all that the core needs of a world: it draws rows and leaves it to `draw_split` to keep those of the
split. All splits share the lexicon and the templates; they do not share reviews. A hash of its words assigns a review
to train, validation or test, whatever the seed and the task, so that a test review is a new combination of known words
and known templates. Scores on it measure whether a model can analyse sentences of this world, not whether it knows
words that it has never seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Annotated, Literal

from pydantic import Field, model_validator

from instructzoo.absa import prompts
from instructzoo.absa.world import review_generator
from instructzoo.core import recipe
from instructzoo.core.data.microworld import draw_split
from instructzoo.core.record import Row

Task = Literal["ae", "aesc", "tasd", "aste", "asqp"]
Domain = Literal["restaurant", "laptop"]
Fraction = Annotated[float, Field(ge=0, le=0.5)]

SOURCE, LICENCE = "world", "Apache-2.0"


class Settings(recipe.Settings):
    """What is generated (`data.world` of a recipe). The defaults span the whole world.

    One task: {tasks: [asqp]}; short reviews of restaurants: {domains: [restaurant], tuples: 2}.
    """

    tasks: tuple[Task, ...] = Field(
        ("ae", "aesc", "tasd", "aste", "asqp"), min_length=1, description="tasks of the rows; each row has one"
    )
    weights: dict[Task, Annotated[float, Field(ge=1e-9, le=1e9)]] = Field(
        default={}, description="relative frequency of each task; 1 where none is given"
    )
    domains: tuple[Domain, ...] = Field(("restaurant", "laptop"), min_length=1, description="what is reviewed")
    tuples: int = Field(4, ge=2, le=8, description="maximum number of tuples in a review; few are likelier than many")
    implicit: Fraction = Field(0.2, description="fraction of clauses with an implicit aspect, opinion or both")
    quiet: Fraction = Field(0.1, description="fraction of clauses that name aspect terms without an opinion on them")

    @model_validator(mode="after")
    def _check_weighted_tasks(self) -> Settings:
        if unused := set(self.weights) - set(self.tasks):
            raise ValueError(f"weights names {', '.join(sorted(unused))}; expected tasks that are drawn")
        return self


def generate(n: int, seed: int, split: str, settings: Settings = Settings()) -> Iterator[Row]:  # noqa: B008 - frozen
    """Generate rows of one split. Equal arguments give equal rows, and the first k rows are the same for every n.

    validation and test contain each review once, and end early where the settings allow fewer reviews than n; train may
    ask several tasks of one review.

        row = next(generate(1, 0, "train"))
        row["task"], row["output"]      # "aste", "computer is too big for any bag means laptop is bad"

    Args:
        n: number of rows.
        seed: chooses the reviews; it does not change which split a review belongs to.
        split: "train", "validation" or "test".
        settings: what the rows contain.

    Raises:
        ZooError: for an unknown split.
    """
    rng = Random(f"{seed} {split}")
    weights = [settings.weights.get(task, 1.0) for task in settings.tasks]

    def draw() -> Row:
        domain, task = rng.choice(settings.domains), rng.choices(settings.tasks, weights)[0]
        sentence, quads = review_generator.draw_review(rng, domain, settings.tuples, settings.implicit, settings.quiet)
        return prompts.make_row(sentence, quads, task, seed, domain, SOURCE, LICENCE)

    return draw_split(n, split, draw)
