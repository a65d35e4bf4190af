"""Reads WOZ 2.0: dialogues about restaurants, with the state after each turn of the user.

    [{"dialogue_idx": 0, "dialogue": [
        {"turn_idx": 0, "system_transcript": "", "transcript": "Is there a cheap place in the north?",
         "turn_label": [["price range", "cheap"], ["area", "north"]],
         "belief_state": [{"act": "inform", "slots": [["price range", "cheap"]]},
                          {"act": "inform", "slots": [["area", "north"]]},
                          {"act": "request", "slots": [["slot", "phone"]]}]}, ...]}, ...]

An entry holds what the system says and what the user says then: two turns, or one where the system's text is empty. The
user's turns have

    state   what is informed, as far as the file says it: food, area, price range, in its own words, "dontcare" included
    acts    what the turn's own labels say: "inform food", "request phone"; () where it does neither

Values are no spans of the text ("dontcare" for "any will do"), so `slots` is None. The acts of the system stay out: the
file calls "phone" an act whether the system asks for a number or gives one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from instructzoo.core.data import readers
from instructzoo.core.data.json_objects import single_object
from instructzoo.core.data.line_files import malformed
from instructzoo.dialogue.data.readers.base import Beginning
from instructzoo.dialogue.data.readers.checks import (
    checked_dialogue,
    checked_state,
    checked_text,
    list_of,
    make_slot,
    text_of,
)
from instructzoo.dialogue.schema import Dialogue, Slot, Turn

INFORM, REQUEST = "inform", "request"


def matches(beginning: Beginning) -> bool:
    """Whether the file begins with a dialogue of WOZ 2.0."""
    return isinstance(beginning.object.get("dialogue"), list)


def read(path: Path) -> Iterator[Dialogue]:
    """Read the dialogues of a file of WOZ 2.0, in any of its languages.

    Args:
        path: A file such as woz_train_en.json.

    Yields:
        The dialogues.

    Raises:
        ZooError: With file:line, dialogue and turn for whatever is malformed.
    """
    for number, (line, values) in enumerate(readers.read(path), 1):
        where = f"{line}, dialogue {number}"
        entries = list_of(values, "dialogue", where)
        turns = (turn for i, entry in enumerate(entries, 1) for turn in _turns(entry, i, f"{where}, turn {i}"))
        yield checked_dialogue(turns, where)


def read_ontology(path: Path) -> dict[str, tuple[str, ...]]:
    """Read the values that the ontology lists for each slot that a user can inform about.

    Args:
        path: The file ontology_dstc2_en.json.

    Returns:
        Values by slot; "dontcare", which every slot may have, is not among them.

    Raises:
        ZooError: The file is malformed.
    """
    values = single_object(path).get("informable")
    if not isinstance(values, dict):
        raise malformed(values, 'an object under "informable"', str(path))
    slots = [slot for slot in values if slot != REQUEST]
    for slot in slots:
        if not all(isinstance(value, str) for value in list_of(values, slot, str(path))):
            raise malformed(values[slot], f'a list of texts under "{slot}"', str(path))
    return {slot: tuple(values[slot]) for slot in slots}


def _turns(entry: Any, number: int, where: str) -> Iterator[Turn]:
    """The turn of the system, if it says anything yet, and the turn of the user."""
    system = text_of(entry, "system_transcript", where)
    if number > 1 or system.strip():
        yield Turn("system", checked_text(system, where))
    text = checked_text(text_of(entry, "transcript", where), where)
    yield Turn("user", text, acts=_acts(entry, where), state=_state(entry, where))


def _state(entry: Mapping[str, Any], where: str) -> tuple[Slot, ...]:
    informed = []
    for part in list_of(entry, "belief_state", where):
        act, pairs = text_of(part, "act", where), _pairs(part, "slots", where)
        if act not in (INFORM, REQUEST):
            raise malformed(act, f'the act "{INFORM}" or "{REQUEST}"', where)
        informed += [make_slot(name, value, where) for name, value in pairs if act == INFORM]
    return checked_state(informed, where)


def _acts(entry: Mapping[str, Any], where: str) -> tuple[str, ...]:
    labels = _pairs(entry, "turn_label", where)
    acts = [f"{REQUEST} {value}" if name == REQUEST else f"{INFORM} {name}" for name, value in labels]
    return tuple(dict.fromkeys(acts))


def _pairs(values: Mapping[str, Any], key: str, where: str) -> list[tuple[str, str]]:
    pairs = list_of(values, key, where)
    for pair in pairs:
        if not isinstance(pair, list) or len(pair) != 2 or not all(isinstance(text, str) for text in pair):
            raise malformed(pair, f'a pair [name, value] in "{key}"', where)
    return [(name, value) for name, value in pairs]
