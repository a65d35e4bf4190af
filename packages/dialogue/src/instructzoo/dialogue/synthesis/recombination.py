"""A generator without a model: the utterances of an intent with other words in their slots.

    play [jazz] by [Nina Simone]    ->    play [blues] by [Miles Davis]

It shows how much of a generator's gain comes from new words alone, since it writes no new sentences.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random

from instructzoo.dialogue.schema import Slot, Turn

TRIES = 10
"""Draws for each utterance at most, since a draw may repeat an earlier one."""


def recombine(utterances: Sequence[Turn], values: Mapping[str, Sequence[str]], n: int, seed: int) -> list[Turn]:
    """Utterances with other words in their slots.

    Args:
        utterances: Utterances of one intent.
        values: Words that slots may have; a slot without any keeps its own.
        n: Number of utterances.
        seed: Seed of all draws.

    Returns:
        Utterances that differ from each other and from the given ones: fewer than n where there are no more.
    """
    rng = Random(f"{seed} recombine")
    texts = {utterance.text for utterance in utterances}
    written: list[Turn] = []
    for _ in range(TRIES * n if utterances else 0):
        if len(written) == n:
            break
        new = with_values(rng.choice(utterances), values, rng)
        if new.text not in texts:
            texts.add(new.text)
            written.append(new)
    return written


def with_values(utterance: Turn, values: Mapping[str, Sequence[str]], rng: Random) -> Turn:
    """An utterance with words drawn from `values` in each of its slots."""
    text, position, slots = "", 0, []
    for slot in sorted(utterance.slots or (), key=lambda slot: slot.start):
        text += utterance.text[position : slot.start]
        value = rng.choice(values[slot.name]) if values.get(slot.name) else slot.value
        slots.append(Slot(slot.name, value, len(text), len(text) + len(value)))
        text, position = text + value, slot.end
    return Turn(utterance.role, text + utterance.text[position:], utterance.intent, slots=tuple(slots))
