"""Rows as columns: a million dicts become an Arrow table chunk by chunk, checked and completed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from instructzoo.core.errors import ZooError
from instructzoo.core.record import TEXT_COLUMNS, Row, item_key, row_id

if TYPE_CHECKING:
    import datasets

LEADING = ("id", *TEXT_COLUMNS, "item")
"""Columns of every row, in this order; the domain's follow."""


def dataset(rows: Iterable[Row], chunk: int = 50_000) -> datasets.Dataset:
    """A Dataset of a stream of rows; at most `chunk` of them are held as dicts at a time. Without rows it is empty."""
    import datasets

    return datasets.Dataset(table(rows, chunk))


def table(rows: Iterable[Row], chunk: int = 50_000) -> pa.Table:
    """An Arrow table of a stream of rows. LEADING columns may be left out, as `record.Record` has it; they become null.

    Raises ZooError where a column changes its type, or where a row lacks a domain's column that others have.
    """
    stream = iter(rows)
    pieces: list[pa.Table] = []
    names: dict[str, None] = {}
    done = 0
    while part := list(islice(stream, chunk)):
        names = _names(part, names or dict.fromkeys(part[0]), done)
        done += len(part)
        try:
            pieces.append(pa.table({name: [row.get(name) for row in part] for name in names}))
        except pa.ArrowException as error:
            raise ZooError(f"rows of mixed types: {error}", "one type in each column", "check the source") from error
    if not pieces:
        return pa.table({name: pa.array([], pa.string()) for name in LEADING})
    try:
        return pa.concat_tables(pieces, promote_options="default")
    except pa.ArrowException as error:
        raise ZooError(f"rows of mixed types: {error}", "one type in each column", "check the source") from error


def _names(part: list[Row], names: dict[str, None], done: int) -> dict[str, None]:
    """The columns so far and those that a chunk adds. names: of the rows before it; done: how many they are."""
    for number, row in enumerate(part, done + 1):
        if row.keys() != names.keys():
            if differ := sorted((row.keys() ^ names.keys()) - set(LEADING)):
                has, others = ("no", "have it") if differ[0] in names else ("a", "do not")
                found = f'{has} column "{differ[0]}", the rows before {others}'
                raise ZooError(found, "one set of columns", "write null where there is no value", f"row {number}")
            names = names | dict.fromkeys(row)
    return names


def complete(raw: pa.Table, part: str) -> pa.Table:
    """The table with all of LEADING first, as text without nulls; `id` and `item` are filled in where they are empty.

    Raises ZooError where instruction, input and output are not there or are no text.
    """
    columns = {}
    for name in LEADING:
        columns[name] = _text_column(raw, name, part)
    instructions, inputs = strings(columns["instruction"]), strings(columns["input"])
    if pc.any(pc.equal(columns["id"], "")).as_py():
        # a declared item is content too: one question about two pictures is two rows
        ends = (
            f"{a}\x1f{b}" if b else a for a, b in zip(strings(columns["output"]), strings(columns["item"]), strict=True)
        )
        columns["id"] = _filled(columns["id"], map(row_id, instructions, inputs, ends))
    if pc.any(pc.equal(columns["item"], "")).as_py():
        columns["item"] = _filled(columns["item"], map(item_key, instructions, inputs))
    rest = {name: raw.column(name) for name in raw.column_names if name not in columns}
    return pa.table(columns | rest, metadata=raw.schema.metadata)


def _text_column(raw: pa.Table, name: str, part: str) -> pa.ChunkedArray:
    if name not in raw.column_names:
        if name == "instruction":
            found = ", ".join(raw.column_names) or "no columns"
            raise ZooError(
                f"no column {name} among: {found}", "instruction, input and output", "check the source", part
            )
        return pa.chunked_array([pa.array([""] * raw.num_rows, pa.string())])
    column = raw.column(name)
    if not _is_text(column.type) and not pa.types.is_null(column.type):
        raise ZooError(f"column {name} holds {column.type}", "text", "write numbers as text", part)
    return pc.fill_null(column.cast(pa.string()), "")


def _filled(column: pa.ChunkedArray, made: Iterable[str]) -> pa.ChunkedArray:
    values = [have or new for have, new in zip(strings(column), made, strict=True)]
    return pa.chunked_array([pa.array(values, pa.string())])


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def strings(column: pa.ChunkedArray) -> list[str]:
    return column.to_pylist()


def codes(column: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    """A number for every value, equal for equal texts and counted from 0 in order of first appearance. Shape [rows]."""
    if not column.num_chunks:
        return np.zeros(0, np.int64)
    # one array with 64-bit offsets: many chunks would each carry a dictionary, to be unified at quadratic cost
    whole = pa.concat_arrays([chunk.cast(pa.large_string()) for chunk in column.chunks])
    return whole.dictionary_encode().indices.to_numpy(zero_copy_only=False).astype(np.int64)


def iterate(rows: pa.Table, chunk: int = 10_000) -> Iterator[Row]:
    """The rows as dicts, a chunk of them in memory at a time."""
    for batch in rows.to_batches(chunk):
        yield from batch.to_pylist()


def fingerprint(parts: dict[str, pa.Table]) -> str:
    """16 hex digits of all rows of all parts: equal content, equal digits, on any machine and for any chunking."""
    total = hashlib.sha256()
    for part, rows in sorted(parts.items()):
        for name in sorted(rows.column_names):
            total.update(f"\x1e{part}\x1f{name}\x1f".encode() + _digest(rows.column(name)))
    return total.hexdigest()[:16]


def _digest(column: pa.ChunkedArray) -> bytes:
    lengths, content = hashlib.sha256(), hashlib.sha256()
    for chunk in column.chunks:
        if not _is_text(chunk.type):
            for value in chunk.to_pylist():
                content.update(json.dumps(value, sort_keys=True, default=str).encode() + b"\n")
            continue
        texts = chunk.cast(pa.large_string())
        sizes: Any = pc.fill_null(pc.binary_length(texts), -1).to_numpy(zero_copy_only=False).astype("<i8")
        lengths.update(sizes.tobytes())
        _, offsets, data = texts.buffers()
        if data is not None and len(texts):
            ends = np.frombuffer(offsets, np.int64)[texts.offset : texts.offset + len(texts) + 1]
            content.update(memoryview(data)[int(ends[0]) : int(ends[-1])])
    return lengths.digest() + content.digest()
