"""Reads rows from JSON Lines, JSON (a list of objects), CSV, TSV and Parquet; every error names file and line.

for where, values in read("rest16.csv"):          # where is "rest16.csv:17", the line to correct
for where, values in read_jsonl("-"):             # standard input, line by line as it arrives
"""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from instructzoo.core.data import strict_json
from instructzoo.core.errors import ZooError, location, suggest

SUFFIXES = (".jsonl", ".json", ".csv", ".tsv", ".parquet")
SEPARATORS = {";": "semicolons", "\t": "tabs", ",": "commas"}

Values = dict[str, Any]


def read(path: Path | str) -> Iterator[tuple[str, Values]]:
    """Read the rows of a file, whose format is known by its suffix.

    Args:
        path: A file that ends in .jsonl, .json, .csv, .tsv or .parquet; "-": JSON Lines on standard input.

    Yields:
        The position of each row ("file:line"), and the row as a dict.

    Raises:
        ZooError: The file is missing or empty, its suffix is unknown, or a line is malformed or no object.
    """
    if str(path) == "-":
        return read_jsonl("-")
    path = existing_path(path)
    readers = {
        ".jsonl": read_jsonl,
        ".json": _read_json,
        ".csv": _read_table,
        ".tsv": _read_table,
        ".parquet": _read_parquet,
    }
    if path.suffix.lower() not in readers:
        suffixes = ", ".join(SUFFIXES)
        raise ZooError(f'"{path.name}" is of no known format', f"a file that ends in {suffixes}", where=str(path))
    return readers[path.suffix.lower()](path)


def data_files(path: Path | str) -> list[Path]:
    """List data files.

    Args:
        path: A file or a folder.

    Returns:
        The file itself, or all data files of the folder and its subfolders, in order of their names.

    Raises:
        ZooError: The path does not exist, or the folder has no data file.
    """
    path = existing_path(path, folder=True)
    if path.is_file():
        return [path]
    paths = sorted(p for p in path.rglob("*") if p.is_file() and p.suffix.lower() in SUFFIXES)
    if not paths:
        raise ZooError("no data file in this folder", f"files that end in {', '.join(SUFFIXES)}", where=str(path))
    return paths


def existing_path(path: Path | str, folder: bool = False) -> Path:
    """Resolve a path that must exist.

    Args:
        path: A path, which may begin with ~.
        folder: Whether it may be a folder.

    Returns:
        The path with ~ resolved.

    Raises:
        ZooError: Nothing is there (the message suggests a similar name), or it is a folder and must be a file.
    """
    try:
        path = Path(path).expanduser()
        is_file, is_folder = path.is_file(), path.is_dir()
    except (OSError, RuntimeError, ValueError) as error:  # a name that is too long, no home folder of ~user
        raise ZooError(f"no path ({error})", "a file of rows", "check the path", shorten(str(path))) from error
    if is_file or (folder and is_folder):
        return path
    if is_folder:
        raise ZooError("found a folder", "a file", f"name one of its files ({', '.join(SUFFIXES)})", str(path))
    siblings = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
    suggestion = suggest(path.name, siblings)
    fix = suggestion if suggestion.startswith("did") else "check the path"
    raise ZooError("no such file", "a file of rows", fix, str(path))


def read_jsonl(path: Path | str) -> Iterator[tuple[str, Values]]:
    """Read JSON Lines as they arrive; blank lines are skipped.

    Args:
        path: The file; "-": standard input.

    Yields:
        The position of each line ("file:line"), and its object as a dict.

    Raises:
        ZooError: The file is missing or empty, or a line is malformed or no object.
    """
    if str(path) == "-":
        yield from _read_objects(sys.stdin.buffer, "standard input")
        return
    with existing_path(path).open("rb") as file:
        yield from _read_objects(file, str(path))


def _read_objects(file: IO[bytes], name: str) -> Iterator[tuple[str, Values]]:
    empty = True
    for number, text in numbered_lines(file, name):
        where, line = location(name, number), text.strip()
        if line:
            empty = False
            yield where, _checked_object(_parse(line, where), where)
    if empty:
        raise _empty(name)


def numbered_lines(file: IO[bytes], name: str) -> Iterator[tuple[int, str]]:
    """Decode the lines of UTF-8 text as they arrive. Only a line feed ends a line.

    Args:
        file: A file opened in binary mode.
        name: The name that errors give it.

    Yields:
        The number of each line, from 1, and its text without line feed and carriage return.

    Raises:
        ZooError: A line is not UTF-8.
    """
    for number, raw in enumerate(file, 1):
        try:
            yield number, raw.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise _not_utf8(error, location(name, number)) from error


def _parse(line: str, where: str) -> Any:
    try:
        return strict_json.parse(line)
    except ValueError as error:
        message = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
        column = f" at column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        raise ZooError(
            f"malformed JSON ({message}{column}): {shorten(line)}",
            "one JSON object a line",
            "correct or remove the line",
            where,
        ) from error
    except RecursionError as error:
        raise ZooError("JSON nested too deep", "one JSON object a line", "correct or remove the line", where) from error


def _read_json(path: Path) -> Iterator[tuple[str, Values]]:
    """Objects of a JSON list, decoded one by one, so that a large file is never in memory as objects."""
    text = _text(path)
    offset, line, counted_to = _skip_space(text, 0), 1, 0
    if offset == len(text):
        raise _empty(path)
    if text[offset] != "[":
        found, fix = f"found {shorten(text[offset:])}", "for one object a line name it .jsonl"
        raise ZooError(found, "a list of objects", fix, location(path, 1))
    offset = _skip_space(text, offset + 1)
    if text[offset : offset + 1] == "]":
        raise _empty(path)
    while True:
        line, counted_to = line + text.count("\n", counted_to, offset), offset
        where = location(path, line)
        try:
            value, offset = strict_json.parse_at(text, offset)
        except (ValueError, RecursionError) as error:
            error_line = text.count("\n", 0, error.pos) + 1 if isinstance(error, json.JSONDecodeError) else line
            message = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
            raise ZooError(
                f"malformed JSON: {message}", "a list of objects", "correct the file", location(path, error_line)
            ) from error
        yield where, _checked_object(value, where)
        offset = _skip_space(text, offset)
        if text[offset : offset + 1] == "]":
            break
        if text[offset : offset + 1] != ",":
            error_line = text.count("\n", 0, offset) + 1
            found = f"found {shorten(text[offset:])}"
            raise ZooError(found, '"," or "]" after an object', "correct the file", location(path, error_line))
        offset = _skip_space(text, offset + 1)
    if (rest := _skip_space(text, offset + 1)) < len(text):
        error_line = text.count("\n", 0, rest) + 1
        raise ZooError(
            f"found {shorten(text[rest:])}",
            'nothing after the closing "]"',
            "correct the file",
            location(path, error_line),
        )


def _skip_space(text: str, offset: int) -> int:
    while offset < len(text) and text[offset] in " \t\r\n":
        offset += 1
    return offset


def _read_table(path: Path) -> Iterator[tuple[str, Values]]:
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
            where = location(path, table.line_num)
            if not header:
                header = _checked_header(cells, where, "a tab" if table.dialect.delimiter == "\t" else "a comma")
            elif cells:
                if len(cells) != len(header):
                    fix = "quote cells that hold the separator"
                    raise ZooError(f"{len(cells)} cells", f"{len(header)}, as in the header", fix, where)
                empty = False
                yield where, dict(zip(header, cells, strict=True))
    except csv.Error as error:
        raise ZooError(
            f"malformed CSV: {error}", "RFC 4180", "correct the line", location(path, table.line_num)
        ) from error
    if empty:
        raise _empty(path)


def _checked_header(cells: list[str], where: str, separator: str) -> list[str]:
    other = next((name for sign, name in SEPARATORS.items() if len(cells) == 1 and sign in cells[0]), "")
    if other:
        found = f"the header is one column, with {other} between its words"
        raise ZooError(found, f"{separator} between columns", "save the file with it", where)
    if len(set(cells)) != len(cells):
        repeated = next(c for c in cells if cells.count(c) > 1)
        raise ZooError(f'column "{repeated}" stands twice', "a header of different names", "rename one", where)
    return cells


def _read_parquet(path: Path) -> Iterator[tuple[str, Values]]:
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
        raise _not_utf8(error, location(path, content.count(b"\n", 0, error.start) + 1)) from error


def _checked_object(value: Any, where: str) -> Values:
    if not isinstance(value, dict):
        raise ZooError(
            f"found {type(value).__name__} {shorten(json.dumps(value))}", "an object {...}", "correct the line", where
        )
    return value


def _not_utf8(error: UnicodeDecodeError, where: str) -> ZooError:
    return ZooError(f"byte 0x{error.object[error.start]:02x} is not UTF-8", "UTF-8 text", "convert the file", where)


def _empty(path: Path | str) -> ZooError:
    return ZooError("holds no row", "at least one row", "check that the file was written whole", str(path))


def shorten(text: str, max_characters: int = 60) -> str:
    """The beginning of a text, with "..." if it is longer than `max_characters`, for error messages."""
    return text[:max_characters] + ("..." if len(text) > max_characters else "")
