"""Files -> rows. JSON Lines, JSON (a list of objects), CSV, TSV and Parquet; every fault names file and line.

for where, values in read("rest16.csv"):          # where is "rest16.csv:17", the place to mend
for where, values in read_jsonl("-"):             # standard input, line by line as it arrives
"""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, NoReturn

from instructzoo.core import runs
from instructzoo.core.errors import ZooError, place, suggest

SUFFIXES = (".jsonl", ".json", ".csv", ".tsv", ".parquet")

Values = dict[str, Any]


def read(path: Path | str) -> Iterator[tuple[str, Values]]:
    """(file:line, object) for every row of a file, its format known by the suffix; "-" is JSON Lines on standard input.

    Raises ZooError for a missing or empty file, an unknown suffix, a malformed line or a line that is no object.
    """
    if str(path) == "-":
        return read_jsonl("-")
    path = existing(path)
    readers = {".jsonl": read_jsonl, ".json": _json, ".csv": _table, ".tsv": _table, ".parquet": _parquet}
    if path.suffix.lower() not in readers:
        known = ", ".join(SUFFIXES)
        raise ZooError(f'"{path.name}" is of no known format', f"a file that ends in {known}", where=str(path))
    return readers[path.suffix.lower()](path)


def files(path: Path | str) -> list[Path]:
    """The file itself, or all data files of a folder and its folders, in order of their names."""
    path = existing(path, folder=True)
    if path.is_file():
        return [path]
    found = sorted(p for p in path.rglob("*") if p.is_file() and p.suffix.lower() in SUFFIXES)
    if not found:
        raise ZooError("no data file in this folder", f"files that end in {', '.join(SUFFIXES)}", where=str(path))
    return found


def existing(path: Path | str, folder: bool = False) -> Path:
    """The path with ~ resolved. Raises ZooError, with a near name where there is one, for what is not there."""
    path = Path(path).expanduser()
    if path.is_file() or (folder and path.is_dir()):
        return path
    if path.is_dir():
        raise ZooError("found a folder", "a file", f"name one of its files ({', '.join(SUFFIXES)})", str(path))
    beside = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
    near = suggest(path.name, beside)
    raise ZooError("no such file", "a file of rows", near if near.startswith("did") else "check the path", str(path))


def read_jsonl(path: Path | str) -> Iterator[tuple[str, Values]]:
    """(file:line, object) for every line of JSON Lines, read as it arrives; blank lines are skipped."""
    if str(path) == "-":
        yield from _lines(sys.stdin.buffer, "standard input")
        return
    with existing(path).open("rb") as file:
        yield from _lines(file, str(path))


def _lines(file: IO[bytes], name: str) -> Iterator[tuple[str, Values]]:
    empty = True
    for number, text in numbered(file, name):
        where, line = place(name, number), text.strip()
        if line:
            empty = False
            yield where, _object(_parse(line, where), where)
    if empty:
        raise _empty(name)


def numbered(file: IO[bytes], name: str) -> Iterator[tuple[int, str]]:
    """(number, line) of UTF-8 text, as it arrives. Only a line feed ends a line; a carriage return before it goes.

    Raises ZooError with the line for bytes that are not UTF-8.
    """
    for number, raw in enumerate(file, 1):
        try:
            yield number, raw.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise _not_utf8(error, place(name, number)) from error


def _parse(line: str, where: str) -> Any:
    try:
        return json.loads(line, parse_constant=_no_number)
    except ValueError as error:
        message = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
        column = f" at column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        raise ZooError(
            f"malformed JSON ({message}{column}): {cut(line)}",
            "one JSON object a line",
            "mend or remove the line",
            where,
        ) from error
    except RecursionError as error:
        raise ZooError("JSON nested too deep", "one JSON object a line", "mend or remove the line", where) from error


def _json(path: Path) -> Iterator[tuple[str, Values]]:
    """Objects of a JSON list, decoded one by one, so that a large file never stands in memory as objects."""
    text = _text(path)
    decoder = json.JSONDecoder(parse_constant=_no_number)
    spot, line, counted = _skip(text, 0), 1, 0
    if spot == len(text):
        raise _empty(path)
    if text[spot] != "[":
        raise ZooError(
            f"found {cut(text[spot:])}", "a list of objects", "for one object a line name it .jsonl", place(path, 1)
        )
    spot = _skip(text, spot + 1)
    if text[spot : spot + 1] == "]":
        raise _empty(path)
    while True:
        line, counted = line + text.count("\n", counted, spot), spot
        where = place(path, line)
        try:
            value, spot = decoder.raw_decode(text, spot)
        except (ValueError, RecursionError) as error:
            at = text.count("\n", 0, error.pos) + 1 if isinstance(error, json.JSONDecodeError) else line
            message = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
            raise ZooError(
                f"malformed JSON: {message}", "a list of objects", "mend the file", place(path, at)
            ) from error
        yield where, _object(value, where)
        spot = _skip(text, spot)
        if text[spot : spot + 1] == "]":
            break
        if text[spot : spot + 1] != ",":
            at = text.count("\n", 0, spot) + 1
            raise ZooError(f"found {cut(text[spot:])}", '"," or "]" after an object', "mend the file", place(path, at))
        spot = _skip(text, spot + 1)
    if (rest := _skip(text, spot + 1)) < len(text):
        at = text.count("\n", 0, rest) + 1
        raise ZooError(f"found {cut(text[rest:])}", 'nothing after the closing "]"', "mend the file", place(path, at))


def _skip(text: str, spot: int) -> int:
    while spot < len(text) and text[spot] in " \t\r\n":
        spot += 1
    return spot


def _table(path: Path) -> Iterator[tuple[str, Values]]:
    """Rows of CSV (quoted where needed) or TSV (never quoted: a lone quotation mark is a letter there)."""
    stream = io.StringIO(_text(path), newline="")
    if path.suffix.lower() == ".tsv":
        table = csv.reader(stream, delimiter="\t", quoting=csv.QUOTE_NONE)
    else:
        table = csv.reader(stream, strict=True)
    header: list[str] = []
    empty = True
    try:
        for cells in table:
            where = place(path, table.line_num)
            if not header:
                header = _header(cells, where)
            elif cells:
                if len(cells) != len(header):
                    fix = "quote cells that hold the separator"
                    raise ZooError(f"{len(cells)} cells", f"{len(header)}, as in the header", fix, where)
                empty = False
                yield where, dict(zip(header, cells, strict=True))
    except csv.Error as error:
        raise ZooError(f"malformed CSV: {error}", "RFC 4180", "mend the line", place(path, table.line_num)) from error
    if empty:
        raise _empty(path)


def _header(cells: list[str], where: str) -> list[str]:
    if len(set(cells)) != len(cells):
        twice = next(c for c in cells if cells.count(c) > 1)
        raise ZooError(f'column "{twice}" stands twice', "a header of different names", "rename one", where)
    return cells


def _parquet(path: Path) -> Iterator[tuple[str, Values]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches():
                for values in batch.to_pylist():
                    number += 1
                    yield f"{path}, row {number}", values
    except (pa.ArrowException, OSError) as error:
        raise ZooError(f"not readable as Parquet: {error}", "a Parquet file", "write it anew", str(path)) from error
    if not number:
        raise _empty(path)


def _text(path: Path) -> str:
    content = path.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _not_utf8(error, place(path, content.count(b"\n", 0, error.start) + 1)) from error


def _object(value: Any, where: str) -> Values:
    if not isinstance(value, dict):
        raise ZooError(
            f"found {type(value).__name__} {cut(json.dumps(value))}", "an object {...}", "mend the line", where
        )
    return value


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _not_utf8(error: UnicodeDecodeError, where: str) -> ZooError:
    return ZooError(f"byte 0x{error.object[error.start]:02x} is not UTF-8", "UTF-8 text", "convert the file", where)


def _empty(path: Path | str) -> ZooError:
    return ZooError("holds no row", "at least one row", "check that the file was written whole", str(path))


def cut(text: str, most: int = 60) -> str:
    """At most `most` characters of a text, for an error's one line."""
    return text[:most] + ("..." if len(text) > most else "")


def write_jsonl(path: Path, rows: Iterable[Mapping[str, Any]]) -> int:
    """Write JSON Lines whole or not at all; returns how many. Rows are taken one by one, so a stream stays a stream."""
    count = 0
    with runs.atomic_file(path) as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            count += 1
    return count


def mend_jsonl(path: Path) -> int:
    """Count the complete lines of a file that is appended to (0: no file); cut a torn last line, left by a kill."""
    if not path.is_file():
        return 0
    complete, end = 0, 0
    with path.open("r+b") as file:
        for line in file:
            if not line.endswith(b"\n"):
                break
            complete, end = complete + 1, end + len(line)
        file.truncate(end)
    return complete
