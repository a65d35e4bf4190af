"""Questions that ask for another utterance of an intent (data/leave_one_out.py)."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from instructzoo.dialogue.data.inventory import Inventory
from instructzoo.dialogue.data.leave_one_out import can_be_tagged, question
from instructzoo.dialogue.schema import Dialogue, Example


def utterance_generation(dialogue: Dialogue, inventory: Inventory, rng: Random) -> Iterator[Example]:
    """One question for each turn whose intent and slots are annotated; the examples are training utterances."""
    for turn in dialogue.turns:
        examples = inventory.utterances.get(turn.intent or "")
        if examples and can_be_tagged(turn) and {slot.name for slot in turn.slots or ()} <= {*examples.slots}:
            yield question(turn, examples, rng)
