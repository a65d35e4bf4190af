"""Patterns become messages, and messages belong to splits.

(a|b|)     one of several words, or none
{city}     the value of a slot
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from random import Random

from instructzoo.core.data import split as splits
from instructzoo.dialogue.data.builders.base import item_of
from instructzoo.dialogue.schema import Slot
from instructzoo.dialogue.world.vocabulary import ANY, VALUES

HELD_OUT = {"validation": 10.0, "test": 15.0}
"""Percent of all user messages in each held-out split; train has the rest."""

_CHOICE = re.compile(r"\(([^()]*\|[^()]*)\)")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


def split_of(text: str) -> str:
    """The split that a user's message belongs to, by a hash of its words: no message of one split is in another."""
    return splits.split_of(item_of(text), HELD_OUT, splits.hash_percentile)


def expanded(pattern: str, rng: Random) -> str:
    """The pattern with one word chosen at each (one|another)."""
    while "(" in pattern:
        pattern = _CHOICE.sub(lambda match: rng.choice(match[1].split("|")), pattern)
    return re.sub(r" +", " ", pattern).lstrip()


def placeholders(pattern: str) -> list[str]:
    """The names of a pattern's placeholders."""
    return [match[1] for match in _PLACEHOLDER.finditer(pattern)]


def filled(pattern: str, values: Mapping[str, str]) -> tuple[str, list[Slot]]:
    """The pattern with values for its placeholders, and the slots of VALUES among them."""
    text, slots, position = "", [], 0
    for match in _PLACEHOLDER.finditer(pattern):
        text += pattern[position : match.start()]
        value = values[match[1]]
        if match[1] in VALUES and value != ANY:
            slots.append(Slot(match[1], value, len(text), len(text) + len(value)))
        text, position = text + value, match.end()
    return text + pattern[position:], slots
