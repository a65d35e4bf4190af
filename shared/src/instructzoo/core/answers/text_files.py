"""Reads files of texts line by line in constant memory, for `zoo predict` and the file tabs of the demos.

    reviews.txt     one text per line
    reviews.csv     a column text (or review, sentence, input) and any others; comma, semicolon or tab
    reviews.jsonl   one object per line: {"text": "...", "id": 7}

A line that cannot be read or answered does not affect the others: it is returned with its number and its error.
"""

from __future__ import annotations

import csv
import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from instructzoo.core.errors import ZooError

SUFFIXES = (".txt", ".csv", ".tsv", ".jsonl")
TEXT_KEYS = ("text", "review", "sentence", "input")
"""Columns or keys that may hold the text; the first that exists does."""
MAX_LINE = 1_000_000
"""Bytes of one line at most."""

_TOO_LONG = f"A line of more than {MAX_LINE:,} bytes."
_FORMULA_STARTS = frozenset("=+-@\t\r＝＋－＠")


@dataclass(frozen=True, slots=True)
class Line:
    """One text of a file.

    Args:
        number: The number of its line, or of its first line, from 1.
        text: The text; empty where there is an error.
        row: The other columns or keys of the line.
        error: Why the text cannot be answered, in one sentence; empty where it can.
        fraction_read: How much of the file had been read when the line was returned, in 0..1.
    """

    number: int
    text: str = ""
    row: dict[str, Any] = field(default_factory=dict)
    error: str = ""
    fraction_read: float = 0.0


def read_texts(path: Path, max_characters: int | None = None, text_keys: Sequence[str] = TEXT_KEYS) -> Iterator[Line]:
    """Read the texts of a file, in the format that its suffix names. Blank lines are skipped.

    Args:
        path: The file, with one of SUFFIXES.
        max_characters: The length of a text at most; a longer text, and one without a word, has an error. None: only
            lines that cannot be read have one.
        text_keys: Columns or keys that may hold the text; the first that exists does.

    Yields:
        The lines in order, those with an error too.

    Raises:
        ZooError: The suffix is another one, a table has no column of texts, or the file has no text.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise ZooError(f'"{path.name}"', f"a file that ends in {', '.join(SUFFIXES)}", "save it as one of them")
    size, is_empty = max(path.stat().st_size, 1), True
    with path.open("rb") as file:
        for line in _READERS[path.suffix.lower()](file, text_keys):
            is_empty, error = False, line.error
            if not error and max_characters is not None:
                error = invalid_text_reason(line.text, max_characters)
            yield Line(line.number, "" if error else line.text, line.row, error, min(file.tell() / size, 1.0))
    if is_empty:
        raise ZooError(f'"{path.name}" holds no text', "one text a line", "choose another file")


def _lines(file: IO[bytes]) -> Iterator[tuple[int, str, str]]:
    """Number, text and error of every line; a line that is too long is skipped piece by piece."""
    for number in itertools.count(1):
        raw = file.readline(MAX_LINE)
        if not raw:
            return
        if len(raw) == MAX_LINE and not raw.endswith(b"\n"):
            while (piece := file.readline(MAX_LINE)) and not piece.endswith(b"\n"):
                pass
            yield number, "", _TOO_LONG
            continue
        try:
            yield number, raw.decode("utf-8-sig" if number == 1 else "utf-8"), ""
        except UnicodeDecodeError as error:
            yield number, "", f"Byte 0x{raw[error.start]:02x} is not UTF-8."


def _plain_lines(file: IO[bytes], text_keys: Sequence[str]) -> Iterator[Line]:
    """The lines of a plain text file."""
    for number, text, error in _lines(file):
        if error or text.strip():
            yield Line(number, text.strip(), {}, error)


def read_json_lines(file: IO[bytes], text_keys: Sequence[str] = TEXT_KEYS) -> Iterator[Line]:
    """The lines of JSONL as they arrive, each an object of which one key holds the text.

    Args:
        file: A file opened in binary mode, such as standard input.
        text_keys: As for `read_texts`.

    Yields:
        The lines in order, those with an error too.
    """
    for number, text, error in _lines(file):
        if error:
            yield Line(number, error=error)
        elif text.strip():
            yield _json_line(number, text, text_keys)


def _json_line(number: int, text: str, text_keys: Sequence[str]) -> Line:
    """The line that holds one JSON object."""
    try:
        row = json.loads(text)
    except json.JSONDecodeError as error:
        return Line(number, error=f"Malformed JSON ({error.msg} at column {error.colno}).")
    except (ValueError, RecursionError) as error:
        return Line(number, error=f"Malformed JSON ({error}).")
    key = text_key(row, text_keys) if isinstance(row, dict) else None
    if key is None or not isinstance(row[key], str):
        name = "text" if "text" in text_keys else text_keys[0]
        return Line(number, error=f'No "{name}" that is text; such as {{"{name}": "..."}}.')
    return Line(number, row.pop(key), row)


def text_key(names: Iterable[str], text_keys: Sequence[str] = TEXT_KEYS) -> str | None:
    """The name of the column or key that holds the text, in any case; None where there is none.

    Args:
        names: The columns or keys.
        text_keys: Those that may hold the text; the first that exists does.
    """
    folded = {name.strip().casefold(): name for name in reversed(list(names))}
    return next((folded[key] for key in map(str.casefold, text_keys) if key in folded), None)


class _LineFeed:
    """Lines for the csv reader, which may need several for one row; `error` is the last error among them."""

    def __init__(self, file: IO[bytes]) -> None:
        self.lines, self.error = _lines(file), ""

    def __iter__(self) -> _LineFeed:
        return self

    def __next__(self) -> str:
        _, text, error = next(self.lines)
        self.error = error or self.error
        return text or "\n"


def table_header(head: str) -> tuple[str, list[str]]:
    """The separator of a table, the first of comma, semicolon and tab that is in its first line, and its columns."""
    delimiter = next((delimiter for delimiter in ",;\t" if delimiter in head), ",")
    return delimiter, next(csv.reader([head], delimiter=delimiter), [])


def _table_lines(file: IO[bytes], text_keys: Sequence[str]) -> Iterator[Line]:
    """The rows of a table."""
    feed = _LineFeed(file)
    delimiter, header = table_header(next(feed, ""))
    key = text_key(header, text_keys)
    if key is None:
        names = ", ".join(header)[:80] or "nothing"
        raise ZooError(f"the columns {names}", f"one of {', '.join(text_keys)}", "name the column of the texts")
    reader = csv.reader(feed, delimiter=delimiter)
    while True:
        feed.error, number = "", reader.line_num + 2  # after the head, counted from 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Line(number, error=f"Malformed CSV ({error}).")
            continue
        if feed.error:
            yield Line(number, error=feed.error)
        elif any(cell.strip() for cell in cells):
            yield _record(number, header, cells, key)


def _record(number: int, header: Sequence[str], cells: Sequence[str], key: str) -> Line:
    if len(cells) != len(header):
        return Line(number, error=f"{len(cells)} cells, and {len(header)} columns.")
    row = dict(zip(header, cells, strict=True))
    return Line(number, row.pop(key).strip(), row)


_READERS = {".txt": _plain_lines, ".csv": _table_lines, ".tsv": _table_lines, ".jsonl": read_json_lines}


def spreadsheet_cell(text: str) -> str:
    """A cell of CSV that no spreadsheet runs as a formula: text that begins like one gets an apostrophe in front."""
    return f"'{text}" if text.lstrip(" ")[:1] in _FORMULA_STARTS and text.strip() else text


def invalid_text_reason(text: str, max_characters: int) -> str:
    """Why a text cannot be given to a model, in one sentence for the user; empty where it can.

    Args:
        text: What the user gave.
        max_characters: The longest text that is accepted, in characters.
    """
    if not any(map(str.isalnum, text)):
        return "There is no word in it."
    if len(text) > max_characters:
        return f"A text has at most {max_characters:,} characters here, this one has {len(text):,}."
    if surrogate := next((c for c in text if "\ud800" <= c <= "\udfff"), ""):
        return f"It holds half of a character pair (U+{ord(surrogate):04X})."
    return ""
