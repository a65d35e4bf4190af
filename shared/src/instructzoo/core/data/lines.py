"""What readers of line-based corpora share: numbered lines, errors about them, and which part a name speaks of."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from instructzoo.core.data.readers import existing
from instructzoo.core.errors import ZooError, place

_PARTS = {
    "train": "train(?:ing)?",
    "validation": "dev|devel|development|val|valid|validation|testa",
    "test": "test|testing|testb|gold",
}
_NAMED = {part: re.compile(rf"(?<![a-z])(?:{words})(?:set|data)?(?![a-z])") for part, words in _PARTS.items()}


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """(number, line) of a file, blank ones too. Only a line feed ends a line; a carriage return before it goes.

    Raises ZooError for a file without text, and for bytes that are not UTF-8.
    """
    empty = True
    with existing(path).open("rb") as file:
        for number, raw in enumerate(file, 1):
            try:
                line = raw.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
            except UnicodeDecodeError as error:
                found = f"byte 0x{raw[error.start]:02x} is not UTF-8"
                raise ZooError(found, "UTF-8 text", "convert the file", place(path, number)) from error
            empty = empty and not line.strip()
            yield number, line
    if empty:
        raise ZooError("holds no sentence", "at least one", "check that the file was written whole", str(path))


def malformed(found: object, form: str, where: str) -> ZooError:
    """The error for what is not of a form."""
    text = found if isinstance(found, str) else repr(found)
    return ZooError(f"found {cut(text)}", form, "mend or remove it", where)


def cut(text: str, most: int = 60) -> str:
    return text[:most] + ("..." if len(text) > most else "")


def part_of(name: str) -> str:
    """The part that a file's name, or its path below the data's folder, speaks of; train where it speaks of none.

    Whole words count: "device_reviews.csv" is no "dev". eng.testa of CoNLL-2003 is its development part.
    """
    return next((part for part, words in _NAMED.items() if words.search(name.lower())), "train")
