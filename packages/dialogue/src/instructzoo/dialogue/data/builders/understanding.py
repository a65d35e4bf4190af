"""Questions on intents, slots, states and acts.

Turn("user", "A table in Oslo", intent="BookRestaurant", slots=(Slot("city", "Oslo", 11, 15),))
intent_classification   [CONTEXT] [RESPONSE] A table in Oslo                            -> book restaurant
slot_filling            [CONTEXT] [RESPONSE] A table in Oslo                            -> city: Oslo
slot_value_generation   [CONTEXT] [RESPONSE] A table in Oslo   ("cuisine")              -> not present
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from instructzoo.dialogue.data.builders.base import context, message
from instructzoo.dialogue.data.inventory import REQUESTED, Inventory
from instructzoo.dialogue.data.label_names import label_in_words
from instructzoo.dialogue.prompts.answer_format import format_slots
from instructzoo.dialogue.schema import Dialogue, Example, Slot, Turn
from instructzoo.dialogue.tasks import NONE_OF_THE_ABOVE, NOT_PRESENT, YES_NO


def intent_classification(dialogue: Dialogue, inventory: Inventory, rng: Random) -> Iterator[Example]:
    """The intent of each turn that has one; "none of the above" is an option if some turns are out of scope."""
    options = inventory.options("intent")
    if inventory.out_of_scope:
        options = (*options, NONE_OF_THE_ABOVE)
    for index, turn in enumerate(dialogue.turns):
        if turn.intent is not None:
            intent = inventory.word("intent", turn.intent) if turn.intent else NONE_OF_THE_ABOVE
            yield Example("intent_classification", message(dialogue, index), intent, options)


def intent_present(dialogue: Dialogue, inventory: Inventory, rng: Random) -> Iterator[Example]:
    """Whether a turn has a given intent: its own in half of the questions, else another one."""
    for index, turn in enumerate(dialogue.turns):
        if turn.intent is not None:
            own = inventory.word("intent", turn.intent) if turn.intent else None
            if asked := _own_or_other(inventory.options("intent"), (own,) if own else (), rng):
                yield Example(
                    "intent_present",
                    message(dialogue, index),
                    YES_NO[asked != own],
                    YES_NO,
                    {"intent": asked},
                )


def slot_filling(dialogue: Dialogue, inventory: Inventory, rng: Random) -> Iterator[Example]:
    """All slots of each turn whose slots are annotated, in the order of the text."""
    options = inventory.options("slot")
    for index, turn in enumerate(dialogue.turns):
        if turn.slots is not None and options:
            slots = sorted(inventory.slots("slot", turn.slots), key=lambda slot: slot.start)
            yield Example("slot_filling", _with_act(dialogue, index), format_slots(slots), options)


def slot_present(dialogue: Dialogue, inventory: Inventory, rng: Random) -> Iterator[Example]:
    """Whether a turn has a value of a slot: one of its own in half of the questions."""
    for index, turn in _with_slots(dialogue):
        own = inventory.slots("slot", turn.slots or ())
        names = tuple(slot.name for slot in own)
        if asked := _own_or_other(inventory.options("slot"), names, rng):
            answer = YES_NO[asked not in names]
            yield Example("slot_present", _with_act(dialogue, index), answer, YES_NO, {"slot": asked})


def slot_value_generation(dialogue: Dialogue, inventory: Inventory, rng: Random) -> Iterator[Example]:
    """The value of a slot in a turn, "not present" where it has none; further values are references."""
    return _slot_values("slot_value_generation", dialogue, inventory, rng)


def gensf_slot_tagging(dialogue: Dialogue, inventory: Inventory, rng: Random) -> Iterator[Example]:
    """The words of a turn that fill a slot, as GenSF asks for them."""
    return _slot_values("gensf_slot_tagging", dialogue, inventory, rng)


def belief_state_generation(dialogue: Dialogue, inventory: Inventory, rng: Random) -> Iterator[Example]:
    """The state after each turn with one: slots in the order of the options."""
    options = inventory.options("state")
    for index, turn in enumerate(dialogue.turns):
        if turn.state is not None and options:
            slots = sorted(inventory.slots("state", turn.state), key=lambda slot: options.index(slot.name))
            yield Example(
                "belief_state_generation",
                (("CONTEXT", context(dialogue, index + 1)),),
                format_slots(slots),
                options,
                values=inventory.values,
            )


def act_classification(dialogue: Dialogue, inventory: Inventory, rng: Random) -> Iterator[Example]:
    """The act of each turn with one; further acts of the turn are references."""
    for index, turn in enumerate(dialogue.turns):
        if turn.acts:
            acts = tuple(dict.fromkeys(inventory.word("act", act) for act in turn.acts))
            options = inventory.options("act")
            yield Example("act_classification", message(dialogue, index), acts[0], options, references=acts[1:])


def _with_slots(dialogue: Dialogue) -> Iterator[tuple[int, Turn]]:
    return ((index, turn) for index, turn in enumerate(dialogue.turns) if turn.slots is not None)


def _slot_values(task: str, dialogue: Dialogue, inventory: Inventory, rng: Random) -> Iterator[Example]:
    """A question on one slot of each turn with annotated slots: one of its own in half of the questions."""
    for index, turn in _with_slots(dialogue):
        own: tuple[Slot, ...] = inventory.slots("slot", turn.slots or ())
        if asked := _own_or_other(inventory.options("slot"), tuple(slot.name for slot in own), rng):
            values = tuple(dict.fromkeys(slot.value for slot in own if slot.name == asked)) or (NOT_PRESENT,)
            fields = _with_act(dialogue, index)
            yield Example(task, fields, values[0], names={"slot": asked}, references=values[1:])


def _with_act(dialogue: Dialogue, index: int) -> tuple[tuple[str, str], ...]:
    """The fields of a question about a turn; where the file names what the system requests, its act comes first."""
    requested = dialogue.turns[index].labels.get(REQUESTED, "")
    act = "request " + ", ".join(label_in_words(slot) for slot in requested.split(", "))
    return ((("ACT", act),) if requested else ()) + message(dialogue, index)


def _own_or_other(options: tuple[str, ...], own: tuple[str, ...], rng: Random) -> str:
    """One of the own labels in half of the draws, else another option; "" where there is neither."""
    others = [option for option in options if option not in own]
    pool = own if own and (rng.random() < 0.5 or not others) else others
    return rng.choice(pool) if pool else ""
