"""What the readers of dialogues share: checked values of JSON objects, and turns and dialogues that hold text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from instructzoo.core.data.line_files import LeftOut, malformed, without_left_out
from instructzoo.core.data.readers import shorten
from instructzoo.core.errors import ZooError
from instructzoo.dialogue.schema import UNKNOWN, Dialogue, Slot, Turn


def text_of(values: Mapping[str, Any], key: str, where: str) -> str:
    """The text under a key, which may be empty. Raises ZooError where there is none."""
    if not isinstance(values, Mapping) or not isinstance(values.get(key), str):
        raise malformed(values, f'an object with a text under "{key}"', where)
    return str(values[key])


def list_of(values: Mapping[str, Any], key: str, where: str) -> list[Any]:
    """The list under a key. Raises ZooError where there is none."""
    if not isinstance(values, Mapping) or not isinstance(values.get(key), list):
        raise malformed(values, f'an object with a list under "{key}"', where)
    return list(values[key])


def checked_text(text: str, where: str) -> str:
    """What someone says, without surrounding spaces. Raises ZooError for an empty text."""
    if not text.strip():
        raise ZooError("a turn without text", "the words that are said", "correct or remove the turn", where)
    return text.strip()


def checked_dialogue(
    turns: Iterable[Turn],
    where: str,
    fields: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
) -> Dialogue:
    """A dialogue; fields and labels without text are left out. Raises ZooError where it has no turn."""
    all_turns = tuple(turns)
    if not all_turns:
        raise ZooError("a dialogue without turns", "at least one", "remove it", where)
    kept = {name: " ".join(text.split()) for name, text in (fields or {}).items()}
    return Dialogue(all_turns, {name: text for name, text in kept.items() if text}, dict(labels or {}), where)


def with_words(found: Iterable[Dialogue | LeftOut], path: Path) -> Iterator[Dialogue]:
    """The dialogues of a file, without those that are left out. Raises ZooError where all of them are."""
    return without_left_out(found, path, "dialogues with words", "check that the file was written whole")


def make_slot(
    name: object, value: object, where: str, text: str = "", start: object = None, end: object = None
) -> Slot:
    """A slot, with the offsets of its value where a file gives them.

    Args:
        name: The slot's name.
        value: Its value; None takes it from the text at the offsets.
        where: The place in the file, for error messages.
        text: The turn's text.
        start: Offset of the value's first character in the text; None where the file gives no offsets.
        end: Offset after its last character.

    Returns:
        The slot.

    Raises:
        ZooError: A name or value is no text or empty, or the text does not hold the value at the offsets.
    """
    if not isinstance(name, str) or not name.strip():
        raise ZooError(f"the slot {name!r}", "a name", "correct it", where)
    if start is None and end is None:
        if not isinstance(value, str) or not value.strip():
            raise ZooError(f'the value {value!r} of "{name}"', "a text", "correct it", where)
        return Slot(name.strip(), value.strip(), UNKNOWN, UNKNOWN)
    if type(start) is not int or type(end) is not int or not 0 <= start < end <= len(text):
        expected = f"0 <= start < end <= {len(text)}, in characters of the text"
        raise ZooError(f'"{name}" from {start!r} to {end!r}', expected, "correct the offsets", where)
    span = text[start:end]
    if value is not None and value != span:
        fix = "count characters, not bytes, from 0; the end is exclusive"
        found, expected = f'"{shorten(span)}" from {start} to {end}', f'"{shorten(str(value))}", the value of "{name}"'
        raise ZooError(found, expected, fix, where)
    return Slot(name.strip(), span, start, end)


def checked_state(slots: Iterable[Slot], where: str) -> tuple[Slot, ...]:
    """A dialogue state: each slot once. Raises ZooError where a slot has two values."""
    state: dict[str, Slot] = {}
    for slot in slots:
        known = state.setdefault(slot.name, slot)
        if known.value != slot.value:
            found = f'"{slot.name}" is both "{shorten(known.value)}" and "{shorten(slot.value)}"'
            raise ZooError(found, "one value of each slot", "correct the state", where)
    return tuple(state.values())
