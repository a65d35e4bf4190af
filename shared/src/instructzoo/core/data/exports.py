"""Exports rows in the formats of other trainers, and reads them back without loss.

    messages   JSON Lines: {"messages": [{"role": "user", "content": ...}, {"role": "assistant", ...}], "row": {...}}
    alpaca     a JSON list: {"instruction", "input", "output", "row": {...}}
    sharegpt   a JSON list: {"conversations": [{"from": "human", "value": ...}, {"from": "gpt", ...}], "row": {...}}

"row" holds the columns that the format has no place for; other trainers ignore it, and `read_export` needs it to return
the same rows. Files of other systems do not have it; they are read by their texts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from instructzoo.core import runs
from instructzoo.core.data import readers
from instructzoo.core.data.builder import BuiltData
from instructzoo.core.data.jsonl_output import write_jsonl
from instructzoo.core.errors import ZooError, suggest
from instructzoo.core.record import Record, Row, Segment, item_key, row_id

if TYPE_CHECKING:
    import datasets

Format = Literal["messages", "alpaca", "sharegpt"]
Render = Callable[[Row, int], Sequence[Segment]]

_SHAREGPT_NAMES = {"user": "human", "assistant": "gpt", "system": "system"}
_ROLES_BY_NAME = {name: role for role, name in _SHAREGPT_NAMES.items()} | {"user": "user", "assistant": "assistant"}


def export(
    rows: BuiltData | datasets.DatasetDict | Iterable[Row],
    format: str,
    path: Path | str,
    render: Render | None = None,
    seed: int = 0,
) -> list[Path]:
    """Write rows to a file, or several splits to a folder with one file each.

    Args:
        rows: Rows of one file, or splits.
        format: "messages", "alpaca" or "sharegpt".
        path: The file, or the folder of the files.
        render: The domain's `prompts.render`, so that messages contain the text that the zoo's own models read and
            learn, except for white space at the ends. None: a prompt is the instruction and, after a blank line, the
            input. alpaca keeps instruction and input apart and does not use it.
        seed: The seed that `render` is called with.

    Returns:
        The written files.

    Raises:
        ZooError: The format is unknown, or the file's suffix is not the format's.

    Example:
        >>> export(build(recipe), "messages", "out", prompts.render)
        [Path('out/train.jsonl'), Path('out/validation.jsonl'), Path('out/test.jsonl')]
    """
    if format not in get_args(Format):
        raise ZooError(f'format "{format}"', suggest(format, get_args(Format)))
    data = rows.rows if isinstance(rows, BuiltData) else rows
    suffix = ".jsonl" if format == "messages" else ".json"
    if isinstance(data, dict):
        files = [Path(path) / f"{split}{suffix}" for split in data]
        for file, split_rows in zip(files, data.values(), strict=True):
            _write(file, (_encode(row, format, render, seed) for row in split_rows))
        return files
    file = Path(path)
    if file.suffix != suffix:
        raise ZooError(f'"{file.name}"', f"a name that ends in {suffix} for {format}", "rename the output", str(path))
    _write(file, (_encode(row, format, render, seed) for row in data))
    return [file]


def _write(path: Path, objects: Iterable[Mapping[str, Any]]) -> None:
    if path.suffix == ".jsonl":
        write_jsonl(path, objects)
        return
    with runs.atomic_file(path) as file:
        separator = "[\n"
        for values in objects:
            file.write(separator + json.dumps(values, ensure_ascii=False))
            separator = ",\n"
        file.write("\n]\n" if separator == ",\n" else "[]\n")


def _encode(row: Row, format: str, render: Render | None, seed: int) -> dict[str, Any]:
    if format == "alpaca":
        texts = {name: row[name] for name in ("instruction", "input", "output")}
        return texts | {"row": {name: value for name, value in row.items() if name not in texts}}
    turns = _rendered_turns(render(row, seed)) if render else _plain_turns(row)
    if format == "messages":
        return {"messages": [{"role": role, "content": text} for role, text in turns], "row": dict(row)}
    return {"conversations": [{"from": _SHAREGPT_NAMES[role], "value": text} for role, text in turns], "row": dict(row)}


def _plain_turns(row: Row) -> list[tuple[str, str]]:
    history = [(turn["role"], turn["text"]) for turn in row.get("history") or ()]
    question = "\n\n".join(text for text in (row["instruction"], row["input"]) if text)
    return [*history, ("user", question), ("assistant", str(row["output"]))]


def _rendered_turns(segments: Sequence[Segment]) -> list[tuple[str, str]]:
    """Unsupervised text becomes the user's turns, supervised text the assistant's, as in a chat template."""
    groups = groupby((s for s in segments if s.text), key=lambda s: s.supervised)
    return [
        ("assistant" if supervised else "user", "".join(s.text for s in group).strip()) for supervised, group in groups
    ]


def read_export(path: Path | str, format: str) -> Iterator[Row]:
    """Read an exported file, or another system's file of the same format.

    Of a dialogue without "row" the last answer is the output, the turn before it the instruction, and earlier turns
    are `history`.

    Args:
        path: The file.
        format: "messages", "alpaca" or "sharegpt".

    Yields:
        The rows; those of an exported file are the same as before.

    Raises:
        ZooError: The format is unknown, or an object does not have it; the message names file and line.
    """
    if format not in get_args(Format):
        raise ZooError(f'format "{format}"', suggest(format, get_args(Format)))
    for where, values in readers.read(path):
        other_columns = values.pop("row", None)
        if not isinstance(other_columns, dict | None):
            raise ZooError(f'"row" is {type(other_columns).__name__}', "an object", "remove it", where)
        if format == "alpaca":
            validated = Record.from_row(values, where).row()
            yield (values | other_columns) if other_columns else validated
        elif other_columns is not None:
            Record.from_row(other_columns, where)
            yield other_columns
        else:
            yield _dialogue_row(values, format, where)


def _dialogue_row(values: Mapping[str, Any], format: str, where: str) -> Row:
    if format == "messages":
        key, role_key, text_key = "messages", "role", "content"
    else:
        key, role_key, text_key = "conversations", "from", "value"
    try:
        turns = [(_ROLES_BY_NAME[turn[role_key]], turn[text_key]) for turn in values[key]]
        if not all(isinstance(text, str) for _, text in turns):
            raise TypeError(f'a "{text_key}" that is no text')
    except (KeyError, TypeError) as error:
        expected = f'"{key}": a list of "{role_key}" and "{text_key}"'
        raise ZooError(f"no {format} object ({error})", expected, where=where) from error
    if [role for role, _ in turns[-2:]] != ["user", "assistant"]:
        raise ZooError("the dialogue does not end in a question and its answer", "user, then assistant", where=where)
    (_, instruction), (_, output) = turns[-2:]
    row: Row = {"instruction": instruction, "input": "", "output": output, "source": "", "licence": ""}
    row |= {"id": row_id(instruction, "", output), "item": item_key(instruction, "")}
    row["history"] = [
        {"role": role, "text": text} for role, text in turns[:-2]
    ]  # also if empty: every row has every column
    return row
