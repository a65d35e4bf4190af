"""Rows in the formats of other trainers, and back without loss.

    messages   JSON Lines: {"messages": [{"role": "user", "content": ...}, {"role": "assistant", ...}], "row": {...}}
    alpaca     a JSON list: {"instruction", "input", "output", "row": {...}}
    sharegpt   a JSON list: {"conversations": [{"from": "human", "value": ...}, {"from": "gpt", ...}], "row": {...}}

"row" holds the columns that the format has no place for; other trainers pass over it, `read_export` needs it to give
back the same rows. Files of other systems have none: they are read by their texts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from instructzoo.core import runs
from instructzoo.core.data import readers
from instructzoo.core.data.builder import Built
from instructzoo.core.errors import ZooError, suggest
from instructzoo.core.record import Record, Row, Segment, item_key, row_id

if TYPE_CHECKING:
    import datasets

Format = Literal["messages", "alpaca", "sharegpt"]
Render = Callable[[Row, int], Sequence[Segment]]

_ROLES = {"user": "human", "assistant": "gpt", "system": "system"}
_NAMES = {name: role for role, name in _ROLES.items()} | {"user": "user", "assistant": "assistant"}


def export(
    rows: Built | datasets.DatasetDict | Iterable[Row],
    format: str,
    path: Path | str,
    render: Render | None = None,
    seed: int = 0,
) -> list[Path]:
    """Write rows to a file, or built parts to a folder with one file each; returns the files.

    render: the domain's prompts.render, called with `seed`, so that messages hold the text that the zoo's own models
    read and learn, white space at the ends aside; without it a prompt is the instruction and, after a blank line, the
    input. alpaca keeps both apart. Raises ZooError for an unknown format.
    """
    if format not in get_args(Format):
        raise ZooError(f'format "{format}"', suggest(format, get_args(Format)))
    parts = rows.rows if isinstance(rows, Built) else rows
    suffix = ".jsonl" if format == "messages" else ".json"
    if isinstance(parts, dict):
        files = [Path(path) / f"{part}{suffix}" for part in parts]
        for file, part in zip(files, parts.values(), strict=True):
            _write(file, (_encode(row, format, render, seed) for row in part))
        return files
    file = Path(path)
    if file.suffix != suffix:
        raise ZooError(f'"{file.name}"', f"a name that ends in {suffix} for {format}", "rename the output", str(path))
    _write(file, (_encode(row, format, render, seed) for row in parts))
    return [file]


def _write(path: Path, objects: Iterable[Mapping[str, Any]]) -> None:
    if path.suffix == ".jsonl":
        readers.write_jsonl(path, objects)
        return
    with runs.atomic_file(path) as file:
        opening = "[\n"
        for values in objects:
            file.write(opening + json.dumps(values, ensure_ascii=False))
            opening = ",\n"
        file.write("\n]\n" if opening == ",\n" else "[]\n")


def _encode(row: Row, format: str, render: Render | None, seed: int) -> dict[str, Any]:
    if format == "alpaca":
        texts = {name: row[name] for name in ("instruction", "input", "output")}
        return texts | {"row": {name: value for name, value in row.items() if name not in texts}}
    turns = _rendered(render(row, seed)) if render else _plain(row)
    if format == "messages":
        return {"messages": [{"role": role, "content": text} for role, text in turns], "row": dict(row)}
    return {"conversations": [{"from": _ROLES[role], "value": text} for role, text in turns], "row": dict(row)}


def _plain(row: Row) -> list[tuple[str, str]]:
    history = [(turn["role"], turn["text"]) for turn in row.get("history") or ()]
    question = "\n\n".join(text for text in (row["instruction"], row["input"]) if text)
    return [*history, ("user", question), ("assistant", str(row["output"]))]


def _rendered(segments: Sequence[Segment]) -> list[tuple[str, str]]:
    """What is read becomes the user's turns, what is learnt the assistant's, as in a chat template."""
    stretches = groupby((s for s in segments if s.text), key=lambda s: s.supervised)
    return [("assistant" if learnt else "user", "".join(s.text for s in group).strip()) for learnt, group in stretches]


def read_export(path: Path | str, format: str) -> Iterator[Row]:
    """The rows of an exported file, as they were; or the rows of another system's file of that format.

    Of a dialogue the last answer is the output, the turn before it the instruction, and what came earlier `history`.
    Raises ZooError naming file and line for an unknown format or an object that is not of it.
    """
    if format not in get_args(Format):
        raise ZooError(f'format "{format}"', suggest(format, get_args(Format)))
    for where, values in readers.read(path):
        if format == "alpaca":
            kept = values.pop("row", {})
            yield (values | kept) if kept else Record.from_row(values, where).row()
        elif "row" in values:
            yield dict(values["row"])
        else:
            yield _dialogue(values, format, where)


def _dialogue(values: Mapping[str, Any], format: str, where: str) -> Row:
    key, role, text = ("messages", "role", "content") if format == "messages" else ("conversations", "from", "value")
    try:
        turns = [(_NAMES[turn[role]], str(turn[text])) for turn in values[key]]
    except (KeyError, TypeError) as error:
        raise ZooError(
            f"no {format} object ({error})", f'"{key}": a list of "{role}" and "{text}"', where=where
        ) from error
    if [name for name, _ in turns[-2:]] != ["user", "assistant"]:
        raise ZooError("the dialogue does not end in a question and its answer", "user, then assistant", where=where)
    (_, instruction), (_, output) = turns[-2:]
    row: Row = {"instruction": instruction, "input": "", "output": output, "source": "", "licence": ""}
    row |= {"id": row_id(instruction, "", output), "item": item_key(instruction, "")}
    row["history"] = [{"role": name, "text": said} for name, said in turns[:-2]]  # also none: a column is in every row
    return row
