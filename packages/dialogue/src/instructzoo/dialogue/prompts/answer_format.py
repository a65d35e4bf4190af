"""How answers with slots are written.

    city: Oslo; people: two          each slot once, in the order of the text or of the options
    none                             no slot has a value

A value with a semicolon, a double quote or a line break stands in double quotes, with JSON's escapes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from instructzoo.core.record import Invalid
from instructzoo.dialogue.schema import Slot

NONE = "none"
"""The answer where no slot has a value."""

NOT_PLAIN = ';"\n\r'
"""Characters that a value without quotes does not have."""

ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
"""How characters are written between quotes."""

_PAIR = re.compile(r'\s*([^:;"]+?)\s*:\s*("(?:[^"\\]|\\.)*"|[^;"\s][^;"]*?)\s*(?:;|$)')


def format_slots(slots: Iterable[Slot]) -> str:
    """The answer that names these slots.

    Args:
        slots: Slots with their values.

    Returns:
        The text, which `parse_slots` reads back.
    """
    return "; ".join(f"{slot.name}: {format_value(slot.value)}" for slot in slots) or NONE


def format_value(value: str) -> str:
    """A value as it stands in an answer: quoted where it would not be read back as it is."""
    plain = value.strip() == value and value and not set(value) & set(NOT_PLAIN)
    return value if plain else json.dumps(value, ensure_ascii=False)


def parse_slots(text: str) -> tuple[Slot, ...] | Invalid:
    """Read an answer with slots.

    Args:
        text: What the model wrote.

    Returns:
        The slots, or Invalid with the reason where the text does not follow the format.
    """
    text = text.strip()
    if text == NONE:
        return ()
    slots, position = [], 0
    while position < len(text):
        match = _PAIR.match(text, position)
        if match is None:
            return Invalid(f'no "slot: value" at "{text[position : position + 30]}"')
        name, value = match.groups()
        try:
            slots.append(Slot(name, json.loads(value) if value.startswith('"') else value))
        except ValueError:
            return Invalid(f"the quoted value {value[:30]} has an unknown escape")
        position = match.end()
    return tuple(slots) if slots else Invalid("an empty answer")
