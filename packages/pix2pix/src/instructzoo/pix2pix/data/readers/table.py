"""Pairs as rows of a table: JSON Lines, CSV, or what else the core reads.

    {"instruction": "make it night", "image": "photos/1.jpg", "edited": "night/1.jpg", "input": "a lake by day"}

instruction, image and edited are needed; input and output (captions), kind and id may be left out. Paths are relative
to the file; a picture may be a data URI. `item` names what may not stand on two sides of a split, where the pictures
and captions do not tell; source, licence and variants are read back from rows that the house wrote.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from instructzoo.core.data import readers
from instructzoo.core.data.line_files import malformed
from instructzoo.core.errors import ZooError, suggest
from instructzoo.pix2pix.data.readers.base import Edit, resolved, text

NEEDED = ("instruction", "image", "edited")
TEXTS = ("input", "output", "kind", "id", "item", "source", "licence")
COLUMNS = (*NEEDED, *TEXTS, "variants")


def table(path: Path) -> Iterator[Edit]:
    """Rows of a file. Raises ZooError with file:line for a column that is missing, unknown or no text."""
    for where, values in readers.read(path):
        if unknown := [name for name in values if name not in COLUMNS]:
            raise ZooError(f'column "{unknown[0]}"', suggest(unknown[0], COLUMNS), where=where)
        yield _edit(values, path.parent, where)


def is_table(path: Path) -> bool:
    """Whether a file is such a table: it has the needed columns and no answers."""
    if path.suffix.lower() not in readers.SUFFIXES:
        return False
    _, first = next(iter(readers.read(path)))
    return set(NEEDED) <= set(first) <= set(COLUMNS)


def _edit(values: Mapping[str, Any], folder: Path, where: str) -> Edit:
    instruction, image, edited = (text(values, name, where, needed=True) for name in NEEDED)
    pairs = [(image, edited), *_variants(text(values, "variants", where), where)]
    places = tuple((resolved(before, folder), resolved(after, folder)) for before, after in pairs)
    return Edit(where, instruction, places, **{name: text(values, name, where) for name in TEXTS})


def _variants(value: str, where: str) -> list[tuple[str, str]]:
    """Further pairs of a prompt, as rows hold them: JSON [[image, edited], ...] or nothing."""
    if not value:
        return []
    form = "variants as JSON [[image, edited], ...]"
    try:
        found = json.loads(value)
    except json.JSONDecodeError as error:
        raise malformed(value, form, where) from error
    for pair in found if isinstance(found, list) else [None]:
        if not isinstance(pair, list) or len(pair) != 2 or not all(isinstance(side, str) for side in pair):
            raise malformed(value, form, where)
    return [(before, after) for before, after in found]
