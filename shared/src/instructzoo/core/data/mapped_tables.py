"""Arrow tables that may be larger than memory: what is beyond 64 MB is written to disk and memory-mapped.

table = collect(pieces)                       # from a stream of tables
kept = filter_rows(table, mask)               # block by block
for block in blocks(table): ...               # zero-copy slices
write(table, path); open_mapped(path)         # an uncompressed Arrow file, read page by page as rows are used

Pages of a mapped file are not the process's own memory: the kernel drops them when it needs room and reads them again.
"""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from instructzoo.core import runs

IN_MEMORY = 1 << 26
"""Bytes of pieces that are collected in memory before they are written to disk."""

MAX_BLOCK_ROWS, MAX_BLOCK_BYTES = 10_000, 1 << 24
"""Size of a block: rows with pictures are larger than rows of text."""


def blocks(table: pa.Table) -> Iterator[pa.Table]:
    """Slices of a table, each of at most MAX_BLOCK_ROWS rows and about MAX_BLOCK_BYTES, without copying.

    Args:
        table: The table; of an empty one, itself is the only slice.

    Yields:
        Tables of one record batch, in order.
    """
    if not table.num_rows:
        yield table
        return
    bytes_per_row = max(1, table.nbytes // table.num_rows)
    size = max(1, min(MAX_BLOCK_ROWS, MAX_BLOCK_BYTES // bytes_per_row))
    for batch in table.to_batches(size):
        yield pa.Table.from_batches([batch])


def collect(pieces: Iterable[pa.Table]) -> pa.Table:
    """One table of all pieces; a column that is null in one piece takes the type it has in another.

    Args:
        pieces: At least one table.

    Returns:
        The table: in memory, or mostly memory-mapped where it is large. The mapped files have no name: they are gone
        with the table or the process, however that ends.

    Raises:
        pyarrow.ArrowException: A column has two types.
        ZooError: The disk is full.
    """
    parts: list[pa.Table] = []
    pending: list[pa.Table] = []
    size = 0
    for piece in pieces:
        pending.append(piece)
        size += piece.nbytes
        if size > IN_MEMORY:
            parts.append(_moved_to_disk(pa.concat_tables(pending, promote_options="default")))
            pending, size = [], 0
    return pa.concat_tables([*parts, *pending], promote_options="default")


def filter_rows(table: pa.Table, mask: npt.NDArray[np.bool_]) -> pa.Table:
    """The rows of a table where `mask` is True, in their order; as `collect` returns them."""
    return collect(_filtered(table, mask))


def _filtered(table: pa.Table, mask: npt.NDArray[np.bool_]) -> Iterator[pa.Table]:
    start = 0
    for block in blocks(table):
        yield block.filter(pa.array(mask[start : start + block.num_rows]))
        start += block.num_rows


def write(table: pa.Table, path: Path) -> None:
    """Write a table as an uncompressed Arrow file, which `open_mapped` opens."""
    with path.open("wb") as file:
        _write(table, file)


def _write(table: pa.Table, file: IO[bytes]) -> None:
    with pa.ipc.new_file(file, table.schema) as writer:
        for block in blocks(table):
            writer.write_table(block)


def open_mapped(path: Path) -> pa.Table:
    """The table of an Arrow file, whose columns are memory-mapped.

    Raises:
        OSError: There is no such file.
        pyarrow.ArrowException: It is no Arrow file.
    """
    return pa.ipc.open_file(pa.memory_map(str(path))).read_all()


def _moved_to_disk(table: pa.Table) -> pa.Table:
    folder = runs.cache()
    with runs.disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)  # not the system's temporary folder, which may lie in memory
        with tempfile.TemporaryFile(dir=folder) as file:
            _write(table, file)
            file.flush()
            content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)  # keeps the file
    return pa.ipc.open_file(pa.BufferReader(pa.py_buffer(content))).read_all()
