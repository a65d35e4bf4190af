"""From annotated dialogues to questions: which builder makes the questions of which task type."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from random import Random

from instructzoo.dialogue.data.builders import generation, grounded, understanding
from instructzoo.dialogue.data.builders.base import Builder, item_of_dialogue
from instructzoo.dialogue.data.inventory import Inventory
from instructzoo.dialogue.schema import Dialogue, Example

BUILDERS: dict[str, Builder] = {
    builder.__name__: builder
    for builder in (
        understanding.intent_classification,
        understanding.intent_present,
        understanding.slot_filling,
        understanding.slot_present,
        understanding.slot_value_generation,
        understanding.belief_state_generation,
        understanding.act_classification,
        generation.act_generation,
        generation.response_generation,
        grounded.summarization,
    )
}
"""A builder is named after its task type."""


def examples(dialogue: Dialogue, task: str, inventory: Inventory, rng: Random) -> Iterator[Example]:
    """The questions of a task type on a dialogue.

    Args:
        dialogue: The dialogue.
        task: The name of a task type.
        inventory: The labels of its data set.
        rng: Decides what is drawn, such as the slot that a question names.

    Yields:
        Questions that offer all options of the data set; none where the dialogue lacks what the task needs.
    """
    if task in BUILDERS:
        item = item_of_dialogue(dialogue)
        for example in BUILDERS[task](dialogue, inventory, rng):
            yield replace(example, item=example.item or item)
