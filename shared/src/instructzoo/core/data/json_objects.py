"""JSON objects of a file, whichever way they stand in it: one a line, in a list, or one that fills the file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from instructzoo.core.data import strict_json
from instructzoo.core.data.readers import existing_path, read, read_jsonl
from instructzoo.core.errors import ZooError, location

_FORM = "one JSON object"


def objects(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Read the JSON objects of a file.

    Args:
        path: A JSON Lines file, a .json file with a list of objects, or a .json file with one object.

    Yields:
        (where, object); for lists `where` also names the number of the object, since all may be on one line.

    Raises:
        ZooError: With file:line for malformed JSON.
    """
    if path.suffix.lower() != ".json":
        yield from read_jsonl(path)
    elif _first_character(path) != "{":
        yield from ((f"{where}, object {number}", values) for number, (where, values) in enumerate(read(path), 1))
    elif _is_whole(path):
        yield str(path), single_object(path)
    else:
        yield from read_jsonl(path)


def single_object(path: Path) -> dict[str, Any]:
    """Read a file that is one JSON object.

    Args:
        path: The file.

    Returns:
        The object.

    Raises:
        ZooError: The file is missing, is not UTF-8, or is anything but one object with keys.
            Malformed JSON is named with its line.
    """
    raw = existing_path(path).read_bytes()
    try:
        value = strict_json.parse(raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        found = f"byte 0x{raw[error.start]:02x} is not UTF-8"
        raise ZooError(found, "UTF-8 text", "convert the file", location(path, line)) from error
    except (ValueError, RecursionError) as error:
        syntax = error if isinstance(error, json.JSONDecodeError) else None
        message = syntax.msg if syntax else "nested too deep" if isinstance(error, RecursionError) else str(error)
        where = location(path, syntax.lineno if syntax else None)
        raise ZooError(f"malformed JSON ({message})", _FORM, "correct the file", where) from error
    if not isinstance(value, dict) or not value:
        found = "an empty object" if value == {} else f"found a {type(value).__name__}"
        raise ZooError(found, _FORM, "correct the file", str(path))
    return value


def _first_character(path: Path) -> str:
    """The first character that is not a space: some .json files are JSON Lines."""
    with existing_path(path).open("rb") as file:
        return file.read(1000).decode("utf-8-sig", "ignore").lstrip()[:1]


def _is_whole(path: Path) -> bool:
    """Whether a file that begins with an object holds nothing after it."""
    try:
        json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError):
        return False
    return True
