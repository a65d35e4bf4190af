"""What a model is asked for: requests for one intent, each with other examples, wishes and numbers of slots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random

from instructzoo.core.errors import ZooError
from instructzoo.dialogue.data.leave_one_out import PromptRules
from instructzoo.dialogue.prompts.linguist_format import ANY, Request, Wish
from instructzoo.dialogue.schema import Turn


def slot_values(utterances: Sequence[Turn]) -> dict[str, list[str]]:
    """The values of each slot in utterances, each once, in the order of the utterances."""
    values: dict[str, dict[str, None]] = {}
    for utterance in utterances:
        for slot in utterance.slots or ():
            values.setdefault(slot.name, {})[slot.value] = None
    return {name: list(texts) for name, texts in values.items()}


def request_for(
    examples: Sequence[Turn], values: Mapping[str, Sequence[str]], rules: PromptRules, language: str, number: int
) -> Request:
    """A request for an utterance of the examples' intent.

    The slots to name are those of one of the examples. The words of some are given, from `values`, and those of the
    others left to the model.

    Args:
        examples: Utterances of one intent; at least one.
        values: Words that slots may have, by slot. Slots that no example names are wished for too.
        rules: How requests vary; `unnamed` and `unasked` concern training alone.
        language: The language of the utterance.
        number: The number of the request; with rules.seed it decides all draws.

    Returns:
        The request.

    Raises:
        ZooError: There is no example.
    """
    if not examples:
        raise ZooError("no examples", "at least one utterance of the intent", "write some")
    rng = Random(f"{rules.seed} {examples[0].intent} {number}")
    own_slots = {slot.name for example in examples for slot in example.slots or ()}
    labels = sorted(own_slots | {*values})
    pattern = [slot.name for slot in rng.choice(examples).slots or ()]
    new_slots = sorted(set(values) - own_slots)
    if new_slots and rng.random() < len(new_slots) / len(labels):
        pattern.append(rng.choice(new_slots))
    wishes = [
        Wish(slot, rng.choice(values[slot]) if values.get(slot) and rng.random() < rules.given else ANY)
        for slot in rng.sample(pattern, len(pattern))
    ]
    return Request(
        examples[0].intent or "",
        tuple(rng.sample(labels, len(labels))),
        tuple(wishes),
        tuple(rng.sample(examples, min(rules.examples, len(examples)))),
        language,
    )
