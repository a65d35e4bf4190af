"""Rows as Arrow tables: a stream of dicts becomes a table chunk by chunk, checked and with all columns."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from instructzoo.core.data import mapped_tables
from instructzoo.core.errors import ZooError
from instructzoo.core.record import TEXT_COLUMNS, Row, item_key, row_id

if TYPE_CHECKING:
    import datasets

LEADING_COLUMNS = ("id", *TEXT_COLUMNS, "item")
"""Columns of every row, in this order; the domain's own columns follow."""


def dataset(rows: Iterable[Row], chunk: int = 50_000) -> datasets.Dataset:
    """Make a Dataset from a stream of rows.

    Args:
        rows: The rows; there may be none.
        chunk: Rows that are in memory as dicts at a time.

    Returns:
        A Dataset with a column for each key.

    Raises:
        ZooError: As for `table`.
    """
    return dataset_of(table(rows, chunk))


def dataset_of(rows: pa.Table) -> datasets.Dataset:
    """The Dataset of a table, which it does not copy."""
    import datasets

    # without a fingerprint, datasets pickles the table in memory for one
    return datasets.Dataset(rows, fingerprint=uuid.uuid4().hex[:16])


def table(rows: Iterable[Row], chunk: int = 50_000) -> pa.Table:
    """Make an Arrow table from a stream of rows.

    Args:
        rows: The rows. LEADING_COLUMNS may be left out, as in `record.Record`; they become null.
        chunk: Rows that are in memory as dicts at a time.

    Returns:
        The table, mostly memory-mapped where it is large.

    Raises:
        ZooError: A column changes its type, or a row lacks a column of the domain that others have.
    """
    pieces = _pieces(rows, chunk)
    try:
        if (first := next(pieces, None)) is None:
            return pa.table({name: pa.array([], pa.string()) for name in LEADING_COLUMNS})
        return mapped_tables.collect(chain([first], pieces))
    except pa.ArrowException as error:
        raise ZooError(f"rows of mixed types: {error}", "one type in each column", "check the source") from error


def _pieces(rows: Iterable[Row], chunk: int) -> Iterator[pa.Table]:
    """A table for each chunk of rows."""
    stream = iter(rows)
    names: dict[str, None] = {}
    row_count = 0
    while chunk_rows := list(islice(stream, chunk)):
        names = _column_names(chunk_rows, names or dict.fromkeys(chunk_rows[0]), row_count)
        row_count += len(chunk_rows)
        yield pa.table({name: [row.get(name) for row in chunk_rows] for name in names})


def _column_names(chunk_rows: list[Row], names: dict[str, None], row_count: int) -> dict[str, None]:
    """The columns of the rows before a chunk and those that it adds. names, row_count: of the rows before it."""
    for number, row in enumerate(chunk_rows, row_count + 1):
        if row.keys() != names.keys():
            if different := sorted((row.keys() ^ names.keys()) - set(LEADING_COLUMNS)):
                has, others = ("no", "have it") if different[0] in names else ("a", "do not")
                found = f'{has} column "{different[0]}", the rows before {others}'
                raise ZooError(found, "one set of columns", "write null where there is no value", f"row {number}")
            names = names | dict.fromkeys(row)
    return names


def complete_columns(raw: pa.Table, split: str) -> pa.Table:
    """Complete the columns that every row has.

    Args:
        raw: A table with at least the column `instruction`.
        split: The split that errors name.

    Returns:
        The table with LEADING_COLUMNS first, as text without nulls; empty `id` and `item` are filled in.

    Raises:
        ZooError: The column `instruction` is missing, or one of LEADING_COLUMNS is no text.
    """
    if _is_complete(raw):
        return raw.select([*LEADING_COLUMNS, *(name for name in raw.column_names if name not in LEADING_COLUMNS)])
    return mapped_tables.collect(_complete_block(block, split) for block in mapped_tables.blocks(raw))


def _is_complete(raw: pa.Table) -> bool:
    """Whether all of LEADING_COLUMNS are there as text without nulls, and no `id` or `item` is empty."""
    columns = [raw.column(name) for name in LEADING_COLUMNS if name in raw.column_names]
    if len(columns) < len(LEADING_COLUMNS) or any(
        column.type != pa.string() or column.null_count for column in columns
    ):
        return False
    return not any(pc.any(pc.equal(raw.column(name), "")).as_py() for name in ("id", "item"))


def _complete_block(block: pa.Table, split: str) -> pa.Table:
    columns = {}
    for name in LEADING_COLUMNS:
        columns[name] = _text_column(block, name, split)
    instructions, inputs = strings(columns["instruction"]), strings(columns["input"])
    if pc.any(pc.equal(columns["id"], "")).as_py():
        outputs, items = strings(columns["output"]), strings(columns["item"])
        # a declared item is content too: one question about two pictures is two rows
        contents = (f"{output}\x1f{item}" if item else output for output, item in zip(outputs, items, strict=True))
        columns["id"] = _fill_empty(columns["id"], map(row_id, instructions, inputs, contents))
    if pc.any(pc.equal(columns["item"], "")).as_py():
        columns["item"] = _fill_empty(columns["item"], map(item_key, instructions, inputs))
    domain_columns = {name: block.column(name) for name in block.column_names if name not in columns}
    return pa.table(columns | domain_columns, metadata=block.schema.metadata)


def _text_column(raw: pa.Table, name: str, split: str) -> pa.ChunkedArray:
    if name not in raw.column_names:
        if name == "instruction":
            found = ", ".join(raw.column_names) or "no columns"
            raise ZooError(
                f"no column {name} among: {found}", "instruction, input and output", "check the source", split
            )
        return pa.chunked_array([pa.array([""] * raw.num_rows, pa.string())])
    column = raw.column(name)
    if not _is_text(column.type) and not pa.types.is_null(column.type):
        raise ZooError(f"column {name} holds {column.type}", "text", "write numbers as text", split)
    return pc.fill_null(column.cast(pa.string()), "")


def _fill_empty(column: pa.ChunkedArray, defaults: Iterable[str]) -> pa.ChunkedArray:
    values = [value or default for value, default in zip(strings(column), defaults, strict=True)]
    return pa.chunked_array([pa.array(values, pa.string())])


def _is_text(type: pa.DataType) -> bool:
    return pa.types.is_string(type) or pa.types.is_large_string(type) or pa.types.is_string_view(type)


def strings(column: pa.ChunkedArray) -> list[str]:
    """The values of a text column."""
    return column.to_pylist()


def hashes(column: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    """A 64-bit hash of each text, [rows], the same only within one process.

    Two of five million texts have an equal one by chance with a probability of 1e-6: as an `id`, which is 64 bits too.
    """
    pieces = [np.zeros(0, np.int64)]
    for block in mapped_tables.blocks(pa.table([column], ["text"])):
        texts = block.column("text").to_pylist()
        pieces.append(np.fromiter(map(hash, texts), np.int64, len(texts)))
    return np.concatenate(pieces)


def codes(column: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    """Encode a text column as integers.

    Args:
        column: Texts without nulls, [rows].

    Returns:
        A code for every value, [rows]: equal for equal texts (see `hashes`), counted from 0 in order of first
        appearance.
    """
    _, first, inverse = np.unique(hashes(column), return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse]


def fingerprint(splits: dict[str, pa.Table]) -> str:
    """Compute the fingerprint of rows.

    Args:
        splits: The rows by split.

    Returns:
        16 hex digits: equal for equal content, on any machine and for any chunking.
    """
    digest = hashlib.sha256()
    for split, table in sorted(splits.items()):
        for name in sorted(table.column_names):
            digest.update(f"\x1e{split}\x1f{name}\x1f".encode() + _column_digest(table.select([name])))
    return digest.hexdigest()[:16]


def _column_digest(column: pa.Table) -> bytes:
    """The digest of a table of one column."""
    lengths, content = hashlib.sha256(), hashlib.sha256()
    for chunk in (chunk for block in mapped_tables.blocks(column) for chunk in block.column(0).chunks):
        if not _is_text(chunk.type):
            for value in chunk.to_pylist():
                content.update(json.dumps(value, sort_keys=True, default=str).encode() + b"\n")
            continue
        texts = chunk.cast(pa.large_string())
        chunk_lengths: Any = pc.fill_null(pc.binary_length(texts), -1).to_numpy(zero_copy_only=False).astype("<i8")
        lengths.update(chunk_lengths.tobytes())
        _, offsets, data = texts.buffers()
        if data is not None and len(texts):
            ends = np.frombuffer(offsets, np.int64)[texts.offset : texts.offset + len(texts) + 1]
            content.update(memoryview(data)[int(ends[0]) : int(ends[-1])])
    return lengths.digest() + content.digest()
