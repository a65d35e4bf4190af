"""Files that come to a demo and files that it hands out, with memory that does not grow with them.

    reviews.txt     one text a line
    reviews.csv     a column text (or review, sentence, input), others beside it; comma, semicolon or tab
    reviews.jsonl   {"text": "...", "id": 7}, an object a line

A line that cannot be read or asked spoils no other: it comes with its number and with what is wrong.
"""

from __future__ import annotations

import csv
import itertools
import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from instructzoo.core.errors import ZooError
from instructzoo.core.ui.highlighting import unaskable

SUFFIXES = (".txt", ".csv", ".tsv", ".jsonl")
TEXT_KEYS = ("text", "review", "sentence", "input")
"""Columns or keys that hold the text, the first that is there."""
MAX_LINE = 1_000_000
"""Bytes of one line."""
KEPT = 8
"""Answers whose files stay until newer ones come; gradio copies what it hands out."""

_LONG = f"A line of more than {MAX_LINE:,} bytes."
_FORMULA = frozenset("=+-@\t\r＝＋－＠")


@dataclass(frozen=True, slots=True)
class Line:
    """One text of a file. number: its (first) line; row: what stood beside it; fault: why it cannot be asked, or "".

    done: the share of the file that was read when it came.
    """

    number: int
    text: str = ""
    row: dict[str, Any] = field(default_factory=dict)
    fault: str = ""
    done: float = 0.0


def texts(path: Path, most: int) -> Iterator[Line]:
    """The texts of a file by its suffix, faulty ones with their fault; blank lines are skipped.

    most: characters of a text. Raises ZooError for another suffix, a table without a column of texts, and a file
    without a text.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise ZooError(f'"{path.name}"', f"a file that ends in {', '.join(SUFFIXES)}", "save it as one of them")
    size, none = max(path.stat().st_size, 1), True
    with path.open("rb") as file:
        for line in _READERS[path.suffix.lower()](file):
            none, fault = False, line.fault or unaskable(line.text, most)
            yield Line(line.number, "" if fault else line.text, line.row, fault, min(file.tell() / size, 1.0))
    if none:
        raise ZooError(f'"{path.name}" holds no text', "one text a line", "choose another file")


def _lines(file: IO[bytes]) -> Iterator[tuple[int, str, str]]:
    """Number, text and fault of every line; one that is too long is read past in pieces."""
    for number in itertools.count(1):
        raw = file.readline(MAX_LINE)
        if not raw:
            return
        if len(raw) == MAX_LINE and not raw.endswith(b"\n"):
            while (rest := file.readline(MAX_LINE)) and not rest.endswith(b"\n"):
                pass
            yield number, "", _LONG
            continue
        try:
            yield number, raw.decode("utf-8-sig" if number == 1 else "utf-8"), ""
        except UnicodeDecodeError as error:
            yield number, "", f"Byte 0x{raw[error.start]:02x} is not UTF-8."


def _plain(file: IO[bytes]) -> Iterator[Line]:
    for number, text, fault in _lines(file):
        if fault or text.strip():
            yield Line(number, text.strip(), {}, fault)


def _objects(file: IO[bytes]) -> Iterator[Line]:
    for number, text, fault in _lines(file):
        if fault:
            yield Line(number, fault=fault)
        elif text.strip():
            yield _object(number, text)


def _object(number: int, text: str) -> Line:
    try:
        row = json.loads(text)
    except json.JSONDecodeError as error:
        return Line(number, fault=f"Malformed JSON ({error.msg} at column {error.colno}).")
    except (ValueError, RecursionError) as error:
        return Line(number, fault=f"Malformed JSON ({error}).")
    key = _key(row) if isinstance(row, dict) else None
    if key is None or not isinstance(row[key], str):
        return Line(number, fault='No "text" that is text; such as {"text": "..."}.')
    return Line(number, row.pop(key), row)


def _key(names: dict[str, Any]) -> str | None:
    """The name among them that holds the text."""
    folded = {name.strip().casefold(): name for name in reversed(list(names))}
    return next((folded[key] for key in TEXT_KEYS if key in folded), None)


class _Feed:
    """Lines for the csv reader, which may need several for one row; `fault` is the last one's that had any."""

    def __init__(self, file: IO[bytes]) -> None:
        self.source, self.fault = _lines(file), ""

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        _, text, fault = next(self.source)
        self.fault = fault or self.fault
        return text or "\n"


def _table(file: IO[bytes]) -> Iterator[Line]:
    feed = _Feed(file)
    head = next(feed, "")
    mark = next((mark for mark in ",;\t" if mark in head), ",")
    header = next(csv.reader([head], delimiter=mark), [])
    key = _key(dict.fromkeys(header))
    if key is None:
        found = ", ".join(header)[:80] or "nothing"
        raise ZooError(f"the columns {found}", f"one of {', '.join(TEXT_KEYS)}", "name the column of the texts")
    reader = csv.reader(feed, delimiter=mark)
    while True:
        feed.fault, number = "", reader.line_num + 2  # the head, and counting from 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Line(number, fault=f"Malformed CSV ({error}).")
            continue
        if feed.fault:
            yield Line(number, fault=feed.fault)
        elif any(cell.strip() for cell in cells):
            yield _record(number, header, cells, key)


def _record(number: int, header: Sequence[str], cells: Sequence[str], key: str) -> Line:
    if len(cells) != len(header):
        return Line(number, fault=f"{len(cells)} cells, and {len(header)} columns.")
    row = dict(zip(header, cells, strict=True))
    return Line(number, row.pop(key).strip(), row)


_READERS = {".txt": _plain, ".csv": _table, ".tsv": _table, ".jsonl": _objects}


def cell(text: str) -> str:
    """A cell of CSV that no spreadsheet takes for a formula: an apostrophe stands before one that begins like one."""
    return f"'{text}" if text.lstrip(" ")[:1] in _FORMULA and text.strip() else text


class Shelf:
    """Folders of the files that a page hands out, the last KEPT ones; all are removed with the page."""

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="zoo-")
        self.count = itertools.count()

    def fresh(self) -> Path:
        """A new empty folder."""
        number = next(self.count)
        shutil.rmtree(Path(self.folder.name) / str(number - KEPT), ignore_errors=True)
        made = Path(self.folder.name) / str(number)
        made.mkdir()
        return made
