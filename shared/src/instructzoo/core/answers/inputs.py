"""The inputs of a file that a user brings: texts of CSV, TSV, .txt, .json, JSONL and Parquet, or rows of a domain.

    for item in read_items("reviews.csv", "review"):
        item.where, item.input, item.fields      "reviews.csv:2", "Great wine", {"id": "7"}

Lines, tables and Parquet are read in constant memory; a .json list is read as a whole. A malformed line is an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from instructzoo.core.answers import text_files
from instructzoo.core.answers.text_files import TEXT_KEYS, Line
from instructzoo.core.data import readers, strict_json
from instructzoo.core.errors import ZooError, location, suggest
from instructzoo.core.record import TEXT_COLUMNS, Record, Row

SUFFIXES = (*text_files.SUFFIXES, ".json", ".parquet")
ROW_KEY = "instruction"
"""A column of this name makes a file one of rows in the domain's own format."""
GUESS_ROWS = 20
"""Rows in which a column of texts is looked for."""

_TEXT_LIST = re.compile(rb'(?:\xef\xbb\xbf)?\s*\[\s*"')
"""How a .json file begins that is a list of texts."""


@dataclass(frozen=True, slots=True)
class Item:
    """One input of a file.

    Args:
        number: The number of its line or row, from 1.
        where: Its place, file:line.
        input: The text, or a row in the domain's own format.
        fields: The other columns or keys.
    """

    number: int
    where: str
    input: str | Row
    fields: dict[str, Any] = field(default_factory=dict)


def text_column(source: str, wanted: str = "", input_keys: Sequence[str] = ()) -> str:
    """Choose the column that holds the texts.

    Args:
        source: The file.
        wanted: The column that the user named; "" guesses.
        input_keys: The domain's keys of inputs with parts; a file that has one is one of such inputs.

    Returns:
        The name; "instruction" for rows in the domain's own format, "text" for plain text.

    Raises:
        ZooError: There is no such column (with a suggestion), or none or several may hold the texts.
    """
    path = readers.existing_path(source)
    if path.suffix.lower() not in SUFFIXES:
        suffixes = ", ".join(SUFFIXES)
        raise ZooError(f'"{path.name}" is of no known format', f"a file that ends in {suffixes}", where=str(path))
    if path.suffix.lower() == ".txt":
        if wanted:
            raise ZooError(f'--text-column "{wanted}"', "a file with columns", "leave it out", str(path))
        return "text"
    first = _first_rows(path)
    columns = list(dict.fromkeys(name for row in first for name in row))
    if wanted:
        if key := text_files.text_key(columns, (wanted,)):
            return key
        raise ZooError(f'no column "{wanted}"', suggest(wanted, columns), where=str(path))
    if ROW_KEY in columns:
        return ROW_KEY
    if structured := [key for key in input_keys if key in columns]:
        return structured[0]
    if key := text_files.text_key(columns):
        return key
    texts = [name for name in columns if _holds_texts(name, first)]
    if len(texts) == 1:
        return texts[0]
    found = f"the columns {', '.join(columns)[:80] or 'nothing'}"
    raise ZooError(found, f"one of {', '.join(TEXT_KEYS)}", "name the column with --text-column", str(path))


def _first_rows(path: Path) -> list[Row]:
    """The first rows of a file with columns. A malformed one ends them; reading the file reports it."""
    if path.suffix.lower() in (".csv", ".tsv"):
        with path.open("rb") as file:
            columns = text_files.table_header(file.readline(text_files.MAX_LINE).decode("utf-8-sig", "replace"))[1]
        lines = text_files.read_texts(path, text_keys=columns[:1] or ("text",)) if columns else iter(())
        return [
            dict.fromkeys(columns, ""),
            *({columns[0]: line.text, **line.row} for line in islice(lines, GUESS_ROWS) if not line.error),
        ]
    rows = list[Row]()
    try:
        for _, row in islice(_objects(path), GUESS_ROWS):
            rows.append(row)
    except ZooError:
        if not rows:
            raise
    return rows


def _objects(path: Path) -> Iterator[tuple[str, Row]]:
    """The rows of a .json, JSONL or Parquet file with their places; a text of a .json list is a row of its own."""
    if path.suffix.lower() != ".json" or not _TEXT_LIST.match(path.read_bytes()):
        return readers.read(path)
    try:
        texts = strict_json.parse(path.read_bytes().decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise ZooError(f"malformed JSON: {error}", "a list of texts or of objects", where=str(path)) from error
    if wrong := next((number for number, text in enumerate(texts, 1) if not isinstance(text, str)), 0):
        raise ZooError(f"item {wrong} is no text", "a list of texts alone", "correct the file", str(path))
    return ((f"{path}, item {number}", {"text": text}) for number, text in enumerate(texts, 1))


def _holds_texts(column: str, rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a column holds texts of several words, rather than numbers, dates or identifiers."""
    values = [value for row in rows if isinstance(value := row.get(column), str) and value.strip()]
    of_words = [value for value in values if " " in value.strip() and any(map(str.isalpha, value))]
    return bool(values) and 2 * len(of_words) > len(values)


def read_items(source: str, column: str, input_keys: Sequence[str] = ()) -> Iterator[Item]:
    """Read the inputs of a file in order.

    Args:
        source: The file.
        column: The column of the texts, of `text_column`; "instruction" reads rows in the domain's own format.
        input_keys: The domain's keys of inputs with parts: such a column reads whole objects.

    Yields:
        The inputs; blank lines are skipped.

    Raises:
        ZooError: A line is malformed, has no text, or is no row of a domain; the error names file and line.
    """
    path = readers.existing_path(source)
    if column in input_keys or path.suffix.lower() in (".json", ".parquet"):
        return items_of(_objects(path), (column,), input_keys)
    return (_of_line(str(path), line, column) for line in text_files.read_texts(path, text_keys=(column,)))


def items_of(rows: Iterable[tuple[str, Row]], columns: Sequence[str], input_keys: Sequence[str] = ()) -> Iterator[Item]:
    """The inputs in rows that were read already.

    Args:
        rows: (file:line, row).
        columns: Those that may hold the text; the first that exists does.
        input_keys: Those among them whose row is an input as a whole.

    Yields:
        The inputs.

    Raises:
        ZooError: A row has no text, or is no row of a domain.
    """
    for number, (where, row) in enumerate(rows, 1):
        column = text_files.text_key(row, columns)
        if column in input_keys:
            _check_characters(row, where)
            yield Item(number, where, row, {key: value for key, value in row.items() if key != column})
            continue
        if column is None or not isinstance(row[column], str):
            raise ZooError(f'no "{columns[0]}" that is text', "a text in every row", "correct the row", where)
        if column == ROW_KEY:
            yield Item(number, where, own_row(row, where))
        else:
            yield Item(number, where, row[column], {key: value for key, value in row.items() if key != column})


def _of_line(name: str, line: Line, column: str) -> Item:
    where = location(name, line.number)
    if line.error:
        raise ZooError(line.error.rstrip("."), where=where)
    if column == ROW_KEY:
        return Item(line.number, where, own_row({ROW_KEY: line.text, **line.row}, where))
    _check_characters(line.row, where)
    return Item(line.number, where, line.text, line.row)


def _check_characters(row: Row, where: str) -> None:
    """Raise ZooError where a column holds half of a character, which no output in UTF-8 can hold."""
    try:
        strict_json.check_characters(row)
    except ValueError as error:
        raise ZooError(str(error), "Unicode characters", "correct the row", where) from error


def own_row(row: Row, where: str) -> Row:
    """A row in the domain's own format with all columns of text. Raises ZooError for a malformed one."""
    _check_characters(row, where)
    Record.from_row(row, where)
    if "prediction" in row:
        raise ZooError('the row has a "prediction" already', "a row to answer", "rename or drop it", where)
    return row | {name: "" for name in TEXT_COLUMNS if row.get(name, "") is None}


def count_items(source: str) -> int:
    """The number of inputs of a file, malformed ones too; it costs little beside the answers.

    Args:
        source: The file.
    """
    path = readers.existing_path(source)
    if path.suffix.lower() == ".parquet":
        import pyarrow.parquet as pq

        return int(pq.read_metadata(path).num_rows)
    if path.suffix.lower() in (".csv", ".tsv"):
        with path.open("rb") as file:
            columns = text_files.table_header(file.readline(text_files.MAX_LINE).decode("utf-8-sig", "replace"))[1]
        return sum(1 for _ in text_files.read_texts(path, text_keys=columns[:1]))
    if path.suffix.lower() == ".json":
        return sum(1 for _ in _objects(path))
    with path.open("rb") as file:
        return sum(1 for line in file if line.strip())
