"""The microworld of dialogue: a simulated user and a system talk about bookings, weather, music and smart homes.

    user    Book us a table in Oslo for two, please       inform    book restaurant    city: Oslo, people: two
    system  What kind of food do you prefer?              request
    user    no idea ...

Four modules do the work:

    vocabulary.py     the values of the slots
    goals.py          what users want: intents with their slots, and the words for them
    phrases.py        words that do not depend on what the user wants
    conversation.py   draws a conversation turn by turn, and annotates it as it goes

The words of a user's message decide its split by their hash, and all messages of the user in a dialogue belong to one
split: no test dialogue holds a message that a training dialogue holds. Values, phrasings and the system's messages are
shared: a score says whether a model understands new messages of this world, not whether it knows words that it has
never seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Annotated

from pydantic import Field

from instructzoo.core import recipe
from instructzoo.core.data.split import check_split
from instructzoo.core.errors import ZooError, suggest
from instructzoo.core.record import Row
from instructzoo.dialogue.prompts.answer_format import format_slots
from instructzoo.dialogue.prompts.rows import make_row
from instructzoo.dialogue.schema import Dialogue, Example, Slot
from instructzoo.dialogue.world.conversation import draw_dialogue
from instructzoo.dialogue.world.goals import GOALS
from instructzoo.dialogue.world.vocabulary import ANY, VALUES

SOURCE, LICENCE = "world", "Apache-2.0"

INTENTS = (*(goal.intent for goal in GOALS), "small talk", "thanks", "goodbye")
SLOTS = tuple(VALUES)

ROWS_PER_DIALOGUE = 4
"""Questions on one training dialogue; a held-out dialogue is asked one question, so that rows are independent."""

Weight = Annotated[float, Field(ge=0, le=1e6)]


class Settings(recipe.Settings):
    """What is drawn; a recipe sets it under data.world."""

    tasks: dict[str, Weight] = Field(
        default={"intent_classification": 1, "slot_filling": 1, "belief_state_generation": 1},
        description="relative frequency of each task type among the rows",
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
    if unknown := [task for task in settings.tasks if task not in _BUILDERS]:
        raise ZooError(f'no task "{unknown[0]}"', suggest(unknown[0], _BUILDERS), where="data.world.tasks")
    if not any(settings.tasks.values()):
        raise ZooError("no task has a weight", "one above 0", where="data.world.tasks")
    return _generate(n, Random(f"{seed} {split}"), split, settings)


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


def _generate(n: int, rng: Random, split: str, settings: Settings) -> Iterator[Row]:
    tasks, weights = list(settings.tasks), list(settings.tasks.values())
    items: set[str] = set()
    while n > 0:
        dialogue = draw_dialogue(rng, split, settings.turns)
        item = "\n".join(turn.text for turn in dialogue.turns if turn.role == "user").lower()
        if split != "train" and item in items:
            continue
        items.add(item)
        for _ in range(min(n, ROWS_PER_DIALOGUE if split == "train" else 1)):
            example = _BUILDERS[rng.choices(tasks, weights)[0]](dialogue, rng)
            yield make_row(example, "world", SOURCE, LICENCE) | {"item": item}
            n -= 1


def _intent(dialogue: Dialogue, rng: Random) -> Example:
    number, intent = rng.choice([(i, t.intent) for i, t in enumerate(dialogue.turns) if t.intent is not None])
    options = _shuffled({*rng.sample(INTENTS, 5), "none of the above", *([intent] if intent else [])}, rng)
    return Example("intent_classification", _fields(dialogue, number), intent or "none of the above", options)


def _slots(dialogue: Dialogue, rng: Random) -> Example:
    number = rng.choice([i for i, turn in enumerate(dialogue.turns) if turn.role == "user"])
    slots = dialogue.turns[number].slots or ()
    options = _shuffled({*rng.sample(SLOTS, 3), *(slot.name for slot in slots)}, rng)
    return Example("slot_filling", _fields(dialogue, number), format_slots(slots), options)


def _state(dialogue: Dialogue, rng: Random) -> Example:
    number = rng.choice([i for i, turn in enumerate(dialogue.turns) if turn.role == "user"])
    state = {slot.name: slot for slot in dialogue.turns[number].state or ()}
    options = _shuffled({*rng.sample(SLOTS, 3), *state}, rng)
    answer: list[Slot] = [state[option] for option in options if option in state]
    context = " [ENDOFTURN] ".join(turn.text for turn in dialogue.turns[: number + 1])
    values = {slot: (ANY,) for goal in GOALS for slot in goal.any_value if slot in options}
    return Example("belief_state_generation", (("CONTEXT", context),), format_slots(answer), options, values=values)


def _fields(dialogue: Dialogue, number: int) -> tuple[tuple[str, str], ...]:
    context = " [ENDOFTURN] ".join(turn.text for turn in dialogue.turns[:number])
    return (("CONTEXT", context), ("RESPONSE", dialogue.turns[number].text))


def _shuffled(options: set[str], rng: Random) -> tuple[str, ...]:
    return tuple(rng.sample(sorted(options), len(options)))


_BUILDERS = {"intent_classification": _intent, "slot_filling": _slots, "belief_state_generation": _state}
