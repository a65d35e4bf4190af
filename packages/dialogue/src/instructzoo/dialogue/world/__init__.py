"""The microworld of dialogue: a simulated user and a system talk about bookings, weather, music and smart homes.

    user    Book us a table in Oslo at seven, please    book restaurant, inform    city: Oslo; time: seven
    system  All right, which kitchen do you prefer?     request
    user    Thai food                                   book restaurant, inform    city: Oslo; time: seven; food: Thai

These modules do the work:

    vocabulary.py     the values of the slots
    goals.py          what users want: intents with their slots, and the words for them
    phrases.py        words that do not depend on what the user wants
    wording.py        patterns become messages, and messages belong to splits
    conversation.py   draws a conversation turn by turn, and annotates it as it goes

The questions on a dialogue are made by the builders of the corpora (data/examples.py).

The words of a user's message decide its split by their hash, and all messages of the user in a dialogue belong to one
split: no test dialogue holds a message that a training dialogue holds. Values, phrasings and the system's messages are
shared: a score says whether a model understands new messages of this world, not whether it knows words that it has
never seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import islice
from random import Random
from typing import Annotated

from pydantic import Field

from instructzoo.core import recipe
from instructzoo.core.data.split import check_split
from instructzoo.core.errors import ZooError, suggest
from instructzoo.core.record import Row
from instructzoo.dialogue.data.builders.base import item_of_dialogue
from instructzoo.dialogue.data.examples import examples
from instructzoo.dialogue.data.inventory import Inventory
from instructzoo.dialogue.data.options import Offered
from instructzoo.dialogue.data.question_rows import offered
from instructzoo.dialogue.prompts.meta_tasks import instruction_binary, instruction_selection
from instructzoo.dialogue.prompts.rows import make_row
from instructzoo.dialogue.schema import Dialogue
from instructzoo.dialogue.world.conversation import draw_dialogue
from instructzoo.dialogue.world.goals import GOALS
from instructzoo.dialogue.world.vocabulary import VALUES

SOURCE, LICENCE = "world", "Apache-2.0"

INTENTS = (*(goal.intent for goal in GOALS), "small talk", "thanks", "goodbye")
SLOTS = tuple(VALUES)

ROWS_PER_DIALOGUE = 4
"""Questions on one training dialogue; a held-out dialogue is asked one question, so that rows are independent."""

LABELLED = 500
"""Training dialogues from which the labels of the microworld are collected."""

WEIGHTS = {
    "intent_classification": 14.0, "belief_state_generation": 16.0, "slot_filling": 8.0,
    "intent_present": 2.0, "act_classification": 3.0, "emotion_tagging": 2.0, "toxic_classification": 1.0,
    "deal_present": 3.0, "count_response_words": 1.0, "slot_present": 2.0, "slot_value_generation": 2.0,
    "find_missing_utterance": 1.0, "find_incoherent_utterance": 1.0, "find_swapped_utterance": 1.0,
    "answer_selection": 3.0, "eval_binary": 1.0, "eval_ranking": 1.0,
    "response_generation": 0.5, "response_generation_with_n_words": 0.5, "beginswith_controlled_generation": 0.5,
    "endswith_controlled_generation": 0.5, "keyword_controlled_generation": 0.5, "edit_generation": 0.5,
    "act_generation": 0.5, "emotion_generation": 0.3, "target_controlled_generation": 0.3, "summarization": 1.0,
    "db_based_generation": 2.0, "fill_missing_utterance": 0.3, "answer_generation": 1.0, "question_generation": 0.5,
    "instruction_selection": 1.0, "instruction_binary": 1.0,
}  # fmt: skip
"""Task types that the microworld asks, with their relative frequency."""

TASKS = tuple(WEIGHTS)
META = {make.__name__: make for make in (instruction_selection, instruction_binary)}
"""Task types whose questions are about another question."""

Weight = Annotated[float, Field(ge=0, le=1e6)]


class Settings(recipe.Settings):
    """What is drawn; a recipe sets it under data.world."""

    tasks: dict[str, Weight] = Field(default=WEIGHTS, description="relative frequency of each task type among the rows")
    options: Offered = Field(
        Offered(all=0.3, at_least=3, at_most=8), description="how many options a training question offers"
    )
    turns: int = Field(8, ge=4, le=20, description="largest number of turns of a dialogue")


def generate(n: int, seed: int, split: str, settings: Settings = Settings()) -> Iterator[Row]:  # noqa: B008 - frozen
    """Rows of a split, equal for equal arguments; the first k rows are the same for any n.

    Args:
        n: Number of rows.
        seed: Another seed draws other rows.
        split: "train", "validation" or "test"; the last two ask one question on each dialogue.
        settings: What is drawn.

    Raises:
        ZooError: For an unknown split or task type.
    """
    check_split(split)
    if unknown := [task for task in settings.tasks if task not in TASKS]:
        raise ZooError(f'no task "{unknown[0]}"', suggest(unknown[0], TASKS), where="data.world.tasks")
    if not _weighted(settings):
        raise ZooError("no task has a weight", "one above 0, and not of a meta-task alone", where="data.world.tasks")
    return islice(_rows(Random(f"{seed} {split}"), split, settings), n)


def dialogues(n: int, seed: int, split: str, turns: int = 8) -> Iterator[Dialogue]:
    """Dialogues of a split, with all of their annotation.

    Args:
        n: Number of dialogues.
        seed: Another seed draws other dialogues.
        split: "train", "validation" or "test".
        turns: The largest number of turns.
    """
    check_split(split)
    rng = Random(f"{seed} {split}")
    return (draw_dialogue(rng, split, turns) for _ in range(n))


def _rows(rng: Random, split: str, settings: Settings) -> Iterator[Row]:
    """Rows of a split without an end."""
    tasks, weights = list(settings.tasks), list(settings.tasks.values())
    items: set[str] = set()
    while True:
        dialogue = draw_dialogue(rng, split, settings.turns)
        item = item_of_dialogue(dialogue)
        if split != "train" and item in items:
            continue
        items.add(item)
        for task in rng.choices(tasks, weights, k=ROWS_PER_DIALOGUE if split == "train" else 1):
            yield from _questions(dialogue, task, item, split == "train", settings, rng)


def _questions(dialogue: Dialogue, task: str, item: str, train: bool, settings: Settings, rng: Random) -> Iterator[Row]:
    """One question of a task type on a dialogue; none where it lacks what the task needs."""
    if task in META:
        about = _weighted(settings)
        for row in _questions(dialogue, rng.choice(about), item, train, settings, rng):
            yield META[task](row, about, rng)
    elif found := list(examples(dialogue, task, inventory(), rng)):
        example = rng.choice(found)
        if train:
            example = offered(example, settings.options, rng)
        yield make_row(replace(example, item=item), SOURCE, SOURCE, LICENCE)


def _weighted(settings: Settings) -> list[str]:
    """The task types that are asked, without the meta-tasks."""
    return [task for task, weight in settings.tasks.items() if weight and task not in META]


@cache
def inventory() -> Inventory:
    """The labels of the microworld, and messages from which wrong candidates are drawn."""
    return Inventory.of(list(dialogues(LABELLED, 0, "train")), SOURCE)
