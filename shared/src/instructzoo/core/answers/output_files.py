"""Files of typed answers, CSV, JSONL or Parquet, that a killed call can continue to the same bytes.

    reviews.csv                a line for each part of an answer: line, id, text, the parts with offsets, error
    reviews.csv.from.json      what made it, and how many inputs and bytes are complete

After every block of answers the file is flushed to disk, and then the file beside it is replaced. What stands behind
the recorded number of bytes is the rest of a killed call and is cut off. Parquet cannot be continued: until the end its
lines are in NAME.parquet.partial.jsonl.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from instructzoo.core import runs
from instructzoo.core.answers.inputs import Item
from instructzoo.core.answers.model import Answered
from instructzoo.core.answers.questions import Cell
from instructzoo.core.answers.text_files import spreadsheet_cell
from instructzoo.core.errors import ZooError, suggest

SUFFIXES = (".csv", ".jsonl", ".parquet")
STATE_SUFFIX, PARTIAL_SUFFIX = ".from.json", ".partial.jsonl"
PARQUET_ROWS = 50_000
"""Lines of one row group."""

_NUMBER = re.compile(r"[-+]?[0-9]+(?:\.[0-9]+)?")
"""A cell that is no formula although it may begin like one."""


def check_suffix(path: Path) -> str:
    """The suffix of an output, in small letters. Raises ZooError for one that is none of SUFFIXES."""
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise ZooError(f'the output "{path.name}"', suggest(suffix, SUFFIXES), "choose another -o")
    return suffix


def object_of(item: Item, answered: Answered, raw: bool) -> dict[str, Any]:
    """One input with its answer as a JSON object: its other fields, its line, the answer, the model's texts on request.

    A field whose name the answer has too is moved under "given".
    """
    return merged(item.fields, {"line": item.number, **answered.answer.to_dict()} | _raw(answered.outputs, raw))


def merged(fields: Mapping[str, Any], record: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of an input and the record of its answer in one object.

    Args:
        fields: The other columns or keys of the input.
        record: The answer; a field that has the name of one of its keys is moved under "given".
    """
    copied = {key: value for key, value in fields.items() if key not in record}
    given = {key: value for key, value in fields.items() if key in record}
    return {**copied, **record, **({"given": given} if given else {})}


def _raw(outputs: Sequence[str], raw: bool) -> dict[str, Any]:
    return {"raw": list(outputs)} if raw else {}


def table_rows(item: Item, answered: Answered, raw: bool) -> Iterator[dict[str, Cell]]:
    """The lines of a table for one answer: line, id of the input, text, the answer's columns, error."""
    own = item.fields if isinstance(item.input, str) else item.input
    text = item.input if isinstance(item.input, str) else item.input.get("input") or item.input.get("instruction", "")
    beginning: dict[str, Cell] = {"line": item.number, "id": _cell(own.get("id"))}
    end: dict[str, Cell] = {"error": answered.answer.error} | ({"raw": "\n".join(answered.outputs)} if raw else {})
    for row in answered.answer.to_rows():
        yield {**beginning, "text": text, **row, **end}


def _cell(value: Any) -> Cell:
    return (
        value
        if isinstance(value, str | int | float) or value is None
        else json.dumps(value, ensure_ascii=False, default=str)
    )


@dataclass
class OutputFile:
    """A file of answers that is written block by block, and continued where a call was killed.

    Attributes:
        path: The file.
        made_by: What decides its content: the model, the options, the column of the texts.
        raw: Whether the model's texts are written too.
        done: How many inputs are answered.
        inputs: A hash of these inputs.
        columns: The columns of a table, those of its first line.
    """

    path: Path
    made_by: dict[str, Any]
    raw: bool = False
    done: int = 0
    inputs: str = ""
    columns: list[str] = field(default_factory=list)
    size: int = 0
    complete: bool = False

    @property
    def suffix(self) -> str:
        return self.path.suffix.lower()

    @property
    def written(self) -> Path:
        """The file that lines are appended to."""
        parquet = self.suffix == ".parquet"
        return self.path.with_name(self.path.name + PARTIAL_SUFFIX) if parquet else self.path

    @property
    def state(self) -> Path:
        """The file beside it that says what made it and how far it is."""
        return self.path.with_name(self.path.name + STATE_SUFFIX)

    def open(self) -> None:
        """Begin the file, or find how far it is, and cut off what a killed call left unfinished.

        Raises:
            ZooError: `zoo predict` did not write the file, another model or other options did, or it was changed.
        """
        if not (self.path.exists() or self.written.exists()):
            self._record()
            return
        if not self.state.is_file():
            found = f"{self.path} exists and zoo predict did not write it"
            raise ZooError(found, "a new file", "choose another -o, or remove it")
        state = runs.read_object(self.state)
        if state.get("model") != self.made_by["model"]:
            raise ZooError(
                f"{self.path} holds answers of another model", "the model that began it", "choose another -o"
            )
        if {key: state.get(key) for key in self.made_by} != self.made_by:
            changed = ", ".join(key for key in self.made_by if state.get(key) != self.made_by[key])
            found = f"{self.path} was begun with other options ({changed})"
            raise ZooError(found, "those that it began with", "choose another -o")
        try:
            self.done, self.size, self.inputs = int(state["done"]), int(state["bytes"]), str(state["inputs"])
            self.columns, self.complete = list(map(str, state["columns"])), bool(state["complete"])
        except (KeyError, TypeError, ValueError) as error:
            raise ZooError("damaged", "what zoo predict wrote", "remove it and the output", str(self.state)) from error
        if not self.complete or self.suffix != ".parquet":
            self._cut()

    def _cut(self) -> None:
        length = self.written.stat().st_size if self.written.exists() else 0
        if length < self.size:
            found = f"{length:,} bytes, and zoo predict had written {self.size:,}"
            raise ZooError(found, "the file as it was", "remove it to begin anew", str(self.written))
        os.truncate(self.written, self.size)

    def append(self, block: Sequence[tuple[Item, Answered]], inputs: str) -> None:
        """Write a block of answers, completely or not at all.

        Args:
            block: The inputs with their answers, in order.
            inputs: The hash of all inputs up to the end of the block.
        """
        content = self._content(block).encode("utf-8", errors="replace")
        with runs.disk_errors(self.path), self.written.open("ab") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        self.done, self.size, self.inputs = self.done + len(block), self.size + len(content), inputs
        self._record()

    def _content(self, block: Sequence[tuple[Item, Answered]]) -> str:
        if self.suffix == ".jsonl":
            objects = (object_of(item, answered, self.raw) for item, answered in block)
            return "".join(json.dumps(values, ensure_ascii=False, default=str) + "\n" for values in objects)
        rows = [row for item, answered in block for row in table_rows(item, answered, self.raw)]
        if self.suffix == ".parquet":
            return "".join(json.dumps(row, ensure_ascii=False, default=str) + "\n" for row in rows)
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        if not self.columns:
            self.columns = list(rows[0])
            writer.writerow(self.columns)
        for row in rows:
            cells = ("" if row.get(name) is None else str(row[name]) for name in self.columns)
            writer.writerow([cell if _NUMBER.fullmatch(cell) else spreadsheet_cell(cell) for cell in cells])
        return text.getvalue()

    def close(self) -> None:
        """Say that all inputs are answered; Parquet is written now, completely or not at all."""
        if self.suffix == ".parquet" and not self.complete:
            write_parquet(self.written, self.path)
        self.complete = True
        self._record()
        if self.suffix == ".parquet":
            self.written.unlink(missing_ok=True)

    def _record(self) -> None:
        progress = {"done": self.done, "bytes": self.size, "inputs": self.inputs, "columns": self.columns}
        runs.write_json(self.state, {**self.made_by, **progress, "complete": self.complete})


def write_parquet(lines: Path, path: Path) -> None:
    """Write the lines of a JSONL file as Parquet, in constant memory.

    Args:
        lines: JSONL of flat objects.
        path: The Parquet file; it appears when it is complete.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds: dict[str, set[type]] = {}
    for row in _objects(lines):
        for name, value in row.items():
            kinds.setdefault(name, set()).update({type(value)} - {type(None)})
    types = {frozenset({int}): pa.int64(), frozenset({int, float}): pa.float64(), frozenset({float}): pa.float64()}
    schema = pa.schema([(name, types.get(frozenset(found), pa.string())) for name, found in kinds.items()])
    texts = {name for name, found in kinds.items() if frozenset(found) not in types}
    temporary = path.with_name(f".{path.name}.tmp")
    with runs.disk_errors(path):
        with pq.ParquetWriter(temporary, schema) as writer:
            for block in _blocks(lines):
                columns = {name: [_value(row.get(name), name in texts) for row in block] for name in kinds}
                writer.write_table(pa.table(columns, schema=schema))
        temporary.replace(path)


def _value(value: Cell, is_text: bool) -> Cell:
    return str(value) if is_text and value is not None else value


def _objects(lines: Path) -> Iterator[dict[str, Cell]]:
    with lines.open(encoding="utf-8") as file:
        yield from map(json.loads, file)


def _blocks(lines: Path) -> Iterator[list[dict[str, Cell]]]:
    from instructzoo.core.answers.blocks import blocks

    return blocks(_objects(lines), PARQUET_ROWS)
