"""What the readers share: how a file begins, and an utterance that is checked."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from instructzoo.core.data.readers import shorten
from instructzoo.core.errors import ZooError
from instructzoo.dialogue.schema import Dialogue, Slot, Turn

SPACES_AROUND = "slot values with spaces around them, read without"
HEAD_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Beginning:
    """How a file begins, by which readers recognise their format.

    Attributes:
        path: The file or folder.
        text: The first characters, without white space before them; "" for a folder.
        object: The first object of a JSON list or of JSON Lines, or the one object of a small file; {} for others.
    """

    path: Path
    text: str
    object: Mapping[str, Any]


def beginning_of(path: Path) -> Beginning:
    """Read how a file begins.

    Args:
        path: The file or folder.

    Returns:
        Its beginning; where the first object is longer than HEAD_BYTES, `object` is {}.
    """
    if not path.is_file():
        return Beginning(path, "", {})
    with path.open("rb") as file:
        text = file.read(HEAD_BYTES).decode("utf-8-sig", "replace").lstrip()
    try:
        value, _ = json.JSONDecoder().raw_decode(text.removeprefix("[").lstrip())
    except (ValueError, RecursionError):
        value = None
    return Beginning(path, text, value if isinstance(value, dict) else {})


def utterance(
    text: object,
    where: str,
    intent: str | None = None,
    spans: Iterable[tuple[str, int, int]] | None = None,
    labels: Mapping[str, str] | None = None,
    split: str = "",
    remarks: Iterable[str] = (),
) -> Dialogue:
    """A dialogue of one user turn. Spaces around its text and around the values of slots are left out.

    Args:
        text: The text as the file has it.
        where: File and line, for error messages.
        intent: The intent; "" where it is out of scope, None where none is annotated.
        spans: (slot, start, end) of the values, in characters of the text; None where none are annotated.
        labels: Other labels of the turn.
        split: The part that the file names for it.
        remarks: What the reader had to decide.

    Returns:
        The dialogue.

    Raises:
        ZooError: The text is no text or blank, a slot has no name, or offsets lie outside of the text.
    """
    if not isinstance(text, str) or not text.strip():
        raise ZooError(f"the text {text!r:.40}", "a text", "remove the row", where)
    remarks = list(remarks)
    shift = len(text) - len(text.lstrip())
    slots = []
    for name, start, end in spans or ():
        slot = _slot(text, name, start, end, where)
        remarks += [SPACES_AROUND] * ((slot.start, slot.end) != (start, end))
        slots.append(Slot(name, slot.value, slot.start - shift, slot.end - shift))
    slots_or_none = None if spans is None else tuple(slots)
    turn = Turn("user", text.strip(), intent, slots=slots_or_none, labels=labels or {})
    return Dialogue((turn,), where=where, split=split, remarks=tuple(remarks))


def _slot(text: str, name: str, start: int, end: int, where: str) -> Slot:
    """The slot at these offsets, without spaces around its value."""
    if not isinstance(name, str) or not name.strip():
        raise ZooError(f"the slot {name!r:.40}", "a name", "name the slot", where)
    if not 0 <= start < end <= len(text):
        expected = f"0 <= start < end <= {len(text)}, in characters of the text"
        raise ZooError(f'"{shorten(name)}" from {start} to {end}', expected, "correct the offsets", where)
    value = text[start:end]
    if not value.strip():
        raise ZooError(f'the value of "{shorten(name)}" is blank', "a value with letters", "remove the slot", where)
    start += len(value) - len(value.lstrip())
    value = value.strip()
    return Slot(name, value, start, start + len(value))
