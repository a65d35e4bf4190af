"""BANKING77 and other tables of two columns: text,category."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from instructzoo.core.data.readers import read as read_rows
from instructzoo.core.errors import ZooError, suggest
from instructzoo.dialogue.data.readers.base import Beginning, utterance
from instructzoo.dialogue.schema import Dialogue

COLUMNS = ("text", "category")


def matches(beginning: Beginning) -> bool:
    """Whether the file is a CSV of these two columns."""
    header = beginning.text.partition("\n")[0].strip().replace('"', "")
    return beginning.path.suffix.lower() == ".csv" and header == ",".join(COLUMNS)


def read(path: Path) -> Iterator[Dialogue]:
    """The utterances of a table.

    Args:
        path: The CSV file.

    Yields:
        A dialogue of one turn for each row, the category as its intent.

    Raises:
        ZooError: With file:line for missing or further columns, and for a blank text or category.
    """
    for where, values in read_rows(path):
        if unknown := [name for name in values if name not in COLUMNS]:
            raise ZooError(f'the column "{unknown[0]}"', suggest(unknown[0], COLUMNS), "", where)
        if missing := [name for name in COLUMNS if name not in values]:
            raise ZooError(f'no column "{missing[0]}"', ",".join(COLUMNS), "", where)
        intent = str(values["category"]).strip()
        if not intent:
            raise ZooError("a row without category", "an intent", "write it, or remove the row", where)
        yield utterance(values["text"], where, intent)
