"""JSON objects of a file, one a line, in a list or one that fills it; and JSON in the columns of rows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
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


def column_value(value: Any, name: str, example: str) -> Any:
    """The value of a column that holds a list or an object, or its JSON text.

    Args:
        value: The column's value; text is parsed, and blank text is None. Anything else is returned as it is.
        name: The name of the column, for the error.
        example: What is expected, such as 'such as ["yes", "no"]'.

    Returns:
        The list or object.

    Raises:
        ZooError: The text is no JSON.
    """
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value) if value.strip() else None
    except (ValueError, RecursionError) as error:
        raise ZooError(f'"{name}" is no JSON: "{value[:40]}"', example, "correct it") from error


def texts(values: Any, name: str, example: str, fix: str) -> tuple[str, ...]:
    """A list of texts as a tuple.

    Args:
        values: The list.
        name: What it is, for the error.
        example: What is expected, such as '["yes", "no"]'.
        fix: What to do.

    Returns:
        The texts.

    Raises:
        ZooError: It is no list, or a value in it is no text.
    """
    if not isinstance(values, Sequence) or isinstance(values, str) or not all(isinstance(v, str) for v in values):
        raise ZooError(f"{name} is no list of texts", example, fix)
    return tuple(values)
