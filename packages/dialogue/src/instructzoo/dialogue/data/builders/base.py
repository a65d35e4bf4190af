"""What builders of questions share: the text of a question's fields, and what decides the split."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from random import Random

from instructzoo.dialogue.data.field_format import join_turns
from instructzoo.dialogue.data.inventory import Inventory
from instructzoo.dialogue.schema import Dialogue, Example, Turn

Builder = Callable[[Dialogue, Inventory, Random], Iterator[Example]]
"""Gives the questions of one task type on a dialogue; none where it lacks what the task needs."""

ITEM_CHARACTERS = 1_000

MOST_TURNS = 100
"""Turns before the response that a question may show, the last ones; data.options.caps allows fewer."""


def item_of(text: str) -> str:
    """The key of an utterance or dialogue: its words alone, so that rows with the same words go to one split.

    Args:
        text: The text.

    Returns:
        Its words; of a text of more than ITEM_CHARACTERS its beginning and a hash, since every row has its item.
    """
    words = " ".join(re.findall(r"\w+", text.casefold())) or text
    if len(words) <= ITEM_CHARACTERS:
        return words
    return f"{words[:ITEM_CHARACTERS]} {hashlib.blake2b(words.encode(), digest_size=16).hexdigest()}"


def item_of_dialogue(dialogue: Dialogue) -> str:
    """The key of a dialogue: the words of all of its turns."""
    return item_of(" ".join(turn.text for turn in dialogue.turns))


def context(dialogue: Dialogue, end: int) -> str:
    """The turns before turn `end` as one text, the last MOST_TURNS of them."""
    turns = dialogue.turns[max(0, end - MOST_TURNS) : end]
    return join_turns([turn.text for turn in turns if turn.text])


def message(dialogue: Dialogue, index: int) -> tuple[tuple[str, str], ...]:
    """The fields of a question about a turn: what was said before it, and the turn."""
    return (("CONTEXT", context(dialogue, index)), ("RESPONSE", dialogue.turns[index].text))


def responses(dialogue: Dialogue) -> list[tuple[int, Turn]]:
    """The turns that may be asked for: those of the system where there is one, else all but the first."""
    turns = [(index, turn) for index, turn in enumerate(dialogue.turns) if index and turn.text]
    return [(index, turn) for index, turn in turns if turn.role == "system"] or turns


def one_response(dialogue: Dialogue, rng: Random) -> list[tuple[int, Turn]]:
    """One of the turns that may be asked for, drawn; none where there is none."""
    turns = responses(dialogue)
    return [rng.choice(turns)] if turns else []


def candidates(dialogue: Dialogue, index: int, inventory: Inventory, rng: Random, number: int = 4) -> tuple[str, ...]:
    """A turn's text among turns of other dialogues, each on one line, in an order that is drawn.

    Args:
        dialogue: The dialogue.
        index: The turn.
        inventory: Its `responses` are drawn from.
        rng: Decides which, and their order.
        number: How many candidates, the turn among them.

    Returns:
        The candidates; none where the data set has no other turns.
    """
    own = {" ".join(turn.text.split()) for turn in dialogue.turns}
    drawn = rng.sample(inventory.responses, min(4 * number, len(inventory.responses)))
    others = list(dict.fromkeys(text for text in (" ".join(one.split()) for one in drawn) if text not in own))
    options = [" ".join(dialogue.turns[index].text.split()), *others[: number - 1]]
    rng.shuffle(options)
    return tuple(options) if others else ()
