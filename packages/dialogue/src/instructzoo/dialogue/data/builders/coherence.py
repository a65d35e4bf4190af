"""Questions on what is wrong with a dialogue: a turn taken out, put in from elsewhere, or exchanged with another one.

    Hi / Hello! / A table, please / Where?
    find_missing_utterance     [CONTEXT] 0: Hi [ENDOFTURN] 1: A table, please [ENDOFTURN] 2: Where?       -> 1
    find_swapped_utterance     [CONTEXT] 0: A table, please ... 2: Hi ...                                 -> 0 and 2

The dialogue is changed here; a question shows at most as many turns and words of it as Caps has, from a place that is
drawn.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

from instructzoo.dialogue.data.caps import Caps, capped_turns
from instructzoo.dialogue.data.field_format import join_turns
from instructzoo.dialogue.data.inventory import Inventory
from instructzoo.dialogue.schema import Dialogue, Example
from instructzoo.dialogue.tasks import ALL_CORRECT

CORRECT_SHARE = 0.2
"""Share of the questions on missing and incoherent turns whose dialogue is left as it is."""

MASK = "<mask>"


def find_missing_utterance(dialogue: Dialogue, inventory: Inventory, rng: Random) -> Iterator[Example]:
    """Before which turn another one was taken out; the first and last turns stay."""
    if texts := _window(dialogue, 4, rng):
        missing = rng.randrange(1, len(texts) - 1)
        if rng.random() < CORRECT_SHARE:
            yield _choice("find_missing_utterance", texts, ALL_CORRECT)
        else:
            yield _choice("find_missing_utterance", texts[:missing] + texts[missing + 1 :], str(missing))


def find_incoherent_utterance(dialogue: Dialogue, inventory: Inventory, rng: Random) -> Iterator[Example]:
    """Which turn comes from another dialogue."""
    texts = _window(dialogue, 3, rng)
    foreign = [text for text in rng.sample(inventory.responses, min(8, len(inventory.responses))) if text not in texts]
    if texts and foreign:
        index = rng.randrange(len(texts))
        if rng.random() < CORRECT_SHARE:
            yield _choice("find_incoherent_utterance", texts, ALL_CORRECT)
        else:
            changed = [*texts[:index], foreign[0], *texts[index + 1 :]]
            yield _choice("find_incoherent_utterance", changed, str(index))


def find_swapped_utterance(dialogue: Dialogue, inventory: Inventory, rng: Random) -> Iterator[Example]:
    """Which two turns have changed places."""
    texts = _window(dialogue, 4, rng)
    pairs = [(i, j) for j in range(len(texts)) for i in range(j) if texts[i] != texts[j]]
    if pairs:
        first, second = rng.choice(pairs)
        texts[first], texts[second] = texts[second], texts[first]
        fields = (("CONTEXT", join_turns(texts, numbered=True)),)
        yield Example("find_swapped_utterance", fields, f"{first} and {second}")


def fill_missing_utterance(dialogue: Dialogue, inventory: Inventory, rng: Random) -> Iterator[Example]:
    """What was said where a turn is masked."""
    if texts := _window(dialogue, 3, rng):
        index = rng.randrange(len(texts))
        masked = [*texts[:index], MASK, *texts[index + 1 :]]
        yield Example("fill_missing_utterance", (("CONTEXT", join_turns(masked)),), texts[index])


def _window(dialogue: Dialogue, at_least: int, rng: Random) -> list[str]:
    """Turns in a row, from a place that is drawn, as many as Caps has; none where they are too few."""
    texts = [turn.text for turn in dialogue.turns if turn.text]
    end = rng.randint(min(Caps().turns, len(texts)), len(texts))
    window, _ = capped_turns(texts[:end], Caps())
    return window if len(window) >= at_least else []


def _choice(task: str, texts: Sequence[str], answer: str) -> Example:
    options = (*map(str, range(len(texts))), ALL_CORRECT)
    return Example(task, (("CONTEXT", join_turns(texts, numbered=True)),), answer, options)
