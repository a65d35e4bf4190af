"""Reads pairs as rows of a table: JSON Lines, CSV, or another format that the core reads.

    {"instruction": "make it night", "image": "photos/1.jpg", "edited": "night/1.jpg", "input": "a lake by day"}

instruction, image and edited are required; input and output (captions), kind and id are optional. The columns of
diffusers' examples and of `imagefolder` sets (ALIASES), such as metadata.jsonl has them, and those that data.options
names are read as well. Paths are relative to
the file, and a picture may be a data URI. `item` names what must not be spread over two splits if pictures and captions
do not show it. source, licence and variants are read back from rows that this package wrote.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from instructzoo.core.data import readers
from instructzoo.core.data.line_files import malformed
from instructzoo.core.errors import ZooError, suggest
from instructzoo.pix2pix.data.readers.base import EditExample, read_text, resolve

REQUIRED_COLUMNS = ("instruction", "image", "edited")
OPTIONAL_COLUMNS = ("input", "output", "kind", "id", "item", "source", "licence")
COLUMNS = (*REQUIRED_COLUMNS, *OPTIONAL_COLUMNS, "variants")


ALIASES: Mapping[str, tuple[str, ...]] = {
    "image": ("original_image", "input_image", "original_image_file_name", "original_file_name", "file_name"),
    "edited": ("edited_image", "output_image", "edited_image_file_name", "edited_file_name"),
    "instruction": ("edit_prompt", "edit"),
    "input": ("original_prompt", "input_prompt"),
    "output": ("edited_prompt", "output_prompt"),
}
"""Other names of columns, the first of which that a row has is read where the column's own name is missing."""


def read_examples(path: Path, names: Mapping[str, str] = MappingProxyType({})) -> Iterator[EditExample]:
    """Examples of a file.

    Args:
        path: The file; relative paths of pictures start at its folder.
        names: Further names of columns, by our own; they come first.

    Raises:
        ZooError: A column is missing, unknown or not a text; the message names file and line.
    """
    for where, values in readers.read(path):
        values = _renamed(values, names)
        if unknown := [name for name in values if name not in COLUMNS]:
            raise ZooError(f'column "{unknown[0]}"', suggest(unknown[0], COLUMNS), where=where)
        yield _make_example(values, path.parent, where)


def _renamed(values: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """The values by our own names of the columns."""
    renamed = dict(values)
    for column, aliases in ALIASES.items():
        present = [name for name in (names.get(column, ""), *aliases) if name in renamed and name not in COLUMNS]
        if column not in renamed and present:
            renamed[column] = renamed.pop(present[0])
    return renamed


def is_table(path: Path) -> bool:
    """Whether a file is such a table: it has the required columns and no others, such as predictions."""
    if path.suffix.lower() not in readers.SUFFIXES:
        return False
    _, first = next(iter(readers.read(path)))
    return set(REQUIRED_COLUMNS) <= set(_renamed(first, {})) <= set(COLUMNS)


def _make_example(values: Mapping[str, Any], folder: Path, where: str) -> EditExample:
    instruction, image, edited = (read_text(values, name, where, required=True) for name in REQUIRED_COLUMNS)
    references = [(image, edited), *_variants(read_text(values, "variants", where), where)]
    pairs = tuple((resolve(before, folder), resolve(after, folder)) for before, after in references)
    return EditExample(where, instruction, pairs, **{name: read_text(values, name, where) for name in OPTIONAL_COLUMNS})


def _variants(value: str, where: str) -> list[tuple[str, str]]:
    """Further pairs of a prompt, as rows hold them: JSON [[image, edited], ...] or nothing."""
    if not value:
        return []
    form = "variants as JSON [[image, edited], ...]"
    try:
        pairs = json.loads(value)
    except (ValueError, RecursionError) as error:
        raise malformed(value, form, where) from error
    for pair in pairs if isinstance(pairs, list) else [None]:
        if not isinstance(pair, list) or len(pair) != 2 or not all(isinstance(side, str) for side in pair):
            raise malformed(value, form, where)
    return [(before, after) for before, after in pairs]
