"""Dialogue states of DialogStudio: "restaurant food thai, restaurant price_range cheap", back to slots and values.

Each part is a domain, a slot and a value, with one space between them; a comma stands between parts, and may stand in a
value as well. A part begins where a comma is followed by a domain of the file. The domains are those that its schemas
name and those with which its states begin.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from instructzoo.core.data.readers import shorten
from instructzoo.core.errors import ZooError
from instructzoo.dialogue.data.readers.checks import checked_state
from instructzoo.dialogue.schema import Slot

STATE, CHANGE = "dst accumulated", "dst"

_COMMAS = re.compile(r"\s*,+\s+|\s+,+$|,+$")


def domains_of(dialogues: Iterable[tuple[Mapping[str, Any], Sequence[Mapping[str, Any]]]]) -> frozenset[str]:
    """The domains of a file.

    Args:
        dialogues: The object of each dialogue, with its turns.

    Returns:
        The names of all domains, as states write them; none where no turn has a state.
    """
    named: set[str] = set()
    begun: set[str] = set()
    for dialogue, turns in dialogues:
        named.update(_schema_domains(dialogue))
        states = (turn.get(key) for turn in turns for key in (STATE, CHANGE))
        begun.update(state.split()[0] for state in states if isinstance(state, str) and state.strip())
    return frozenset(named | begun if begun else ())


def _schema_domains(dialogue: Mapping[str, Any]) -> Iterator[str]:
    """The keys of the schema that hold slots themselves: {"restaurant": {"food": ["thai"]}}."""
    knowledge = dialogue.get("external knowledge non-flat")
    schema = knowledge.get("slots and values") if isinstance(knowledge, Mapping) else None
    for domain, slots in schema.items() if isinstance(schema, Mapping) else ():
        if isinstance(slots, Mapping):
            yield domain.replace(" ", "_")


def parse_state(text: str, domains: frozenset[str], where: str) -> tuple[Slot, ...]:
    """Read a state.

    Args:
        text: The state as DialogStudio writes it.
        domains: The domains of the file.
        where: File, dialogue and turn, for error messages.

    Returns:
        Slots named by domain and slot, such as "restaurant price_range".

    Raises:
        ZooError: A part has no value, or a slot has two.
    """
    slots: list[Slot] = []
    for part, comma in _parts(text):
        words = part.split(" ", 2)
        if slots and words[0] not in domains:
            slots[-1] = Slot(slots[-1].name, slots[-1].value + comma + part)
        elif len(words) == 3 and words[2].strip():
            slots.append(Slot(f"{words[0]} {words[1]}", words[2].strip()))
        else:
            raise ZooError(f'"{shorten(part)}" in a state', "a domain, a slot and its value", "correct it", where)
    return checked_state(slots, where)


def _parts(text: str) -> Iterator[tuple[str, str]]:
    """Each piece between commas, with the comma and the spaces before it."""
    comma, start = "", 0
    for match in _COMMAS.finditer(text):
        yield text[start : match.start()].strip(), comma
        comma, start = match.group(), match.end()
    if text[start:].strip():
        yield text[start:].strip(), comma
