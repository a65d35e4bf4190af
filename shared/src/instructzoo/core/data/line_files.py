"""What readers of line-based corpora share: numbered lines, errors about them, and which part a name speaks of."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from instructzoo.core.data.readers import cut, existing, numbered
from instructzoo.core.errors import ZooError

_PARTS = {
    "train": "train(?:ing)?",
    "validation": "dev|devel|development|val|valid|validation|testa",
    "test": "test|testing|testb|gold",
}
_NAMED = {part: re.compile(rf"(?<![a-z])(?:{words})(?:set|data)?(?![a-z])") for part, words in _PARTS.items()}


def lines(path: Path, some: bool = True) -> Iterator[tuple[int, str]]:
    """(number, line) of a file, blank ones too. Only a line feed ends a line; a carriage return before it goes.

    Raises ZooError for bytes that are not UTF-8 and, with `some`, for a file without text.
    """
    empty = True
    with existing(path).open("rb") as file:
        for number, line in numbered(file, str(path)):
            empty = empty and not line.strip()
            yield number, line
    if some and empty:
        raise ZooError("holds no sentence", "at least one", "check that the file was written whole", str(path))


def malformed(found: object, form: str, where: str) -> ZooError:
    """The error for what is not of a form."""
    text = found if isinstance(found, str) else repr(found)
    return ZooError(f"found {cut(text)}", form, "mend or remove it", where)


def part_of(name: str) -> str:
    """The part that a file's name, or its path below the data's folder, speaks of; train where it speaks of none.

    Whole words count: "device_reviews.csv" is no "dev". eng.testa of CoNLL-2003 is its development part.
    """
    return next((part for part, words in _NAMED.items() if words.search(name.lower())), "train")
