"""Encoded rows in flat arrays instead of lists: in memory while few, else in memory-mapped files of the cache.

rows = encode_rows(encoder, dataset, code)     # a second run of the same rows, tokenizer and prompts reads the files
rows[7].input_ids, rows.lengths.total
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import fields
from importlib import metadata
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from instructzoo.core import runs
from instructzoo.core.errors import ZooError
from instructzoo.core.record import Row
from instructzoo.core.text.encoder import IGNORE_INDEX, ROWS_PER_CALL, Encoded, Encoder, Lengths

if TYPE_CHECKING:
    import datasets

IN_MEMORY = 50_000
"""Rows that are encoded in memory, since that takes seconds; more are encoded once, on disk."""

ARRAYS = ("input_ids", "labels", "input_sizes", "label_sizes", "num_supervised")
"""The files of encoded rows, all of 32-bit integers: the tokens of all rows one after the other, and three counts of
each row."""

Ints = npt.NDArray[np.int32]


class EncodedRows(Sequence[Encoded]):
    """Encoded rows, made when they are read. Row indices start at 0.

    Args:
        arrays: The arrays that ARRAYS names.

    Attributes:
        lengths: Tokens and supervised tokens of each row, as flat arrays of Python's.
    """

    def __init__(self, arrays: dict[str, Ints]) -> None:
        self._input_ids, self._labels = arrays["input_ids"], arrays["labels"]
        self._input_ends = _ends(arrays["input_sizes"])
        self._label_ends = _ends(arrays["label_sizes"])
        total = np.maximum(arrays["input_sizes"], arrays["label_sizes"])
        self.lengths = Lengths(array("i", total.tobytes()), array("i", arrays["num_supervised"].tobytes()))

    def __len__(self) -> int:
        return len(self._input_ends) - 1

    def __getitem__(self, row: Any) -> Any:
        if isinstance(row, slice):
            return [self[i] for i in range(*row.indices(len(self)))]
        if not -len(self) <= row < len(self):
            raise IndexError(f"row {row} of {len(self)}")
        row %= len(self)
        input_ids = self._input_ids[self._input_ends[row] : self._input_ends[row + 1]]
        labels = self._labels[self._label_ends[row] : self._label_ends[row + 1]]
        return Encoded(input_ids.tolist(), labels.tolist())


def encode_rows(encoder: Encoder, rows: Sequence[Row] | datasets.Dataset, code: str) -> EncodedRows:
    """Encode rows, or find them encoded in the cache.

    Args:
        encoder: Encodes blocks of rows.
        rows: The rows. Only those of a Dataset are kept in the cache.
        code: Digest of the code that renders them, which decides what is found in the cache.

    Returns:
        The encoded rows, memory-mapped where a Dataset has more than IN_MEMORY. Of several processes one encodes
        them, and the others wait for it.

    Raises:
        ZooError: As for `Encoder.encode`, or the disk is full.
    """
    import datasets

    from instructzoo.core.data.tables import fingerprint

    if len(rows) <= IN_MEMORY or not isinstance(rows, datasets.Dataset):
        arrays: dict[str, list[Ints]] = {name: [np.zeros(0, np.int32)] for name in ARRAYS}
        for block in _flat_blocks(encoder, rows):
            for name, values in block.items():
                arrays[name].append(values)
        return EncodedRows({name: np.concatenate(values) for name, values in arrays.items()})
    content = fingerprint({"": rows.with_format("arrow")[:]})
    key = hashlib.sha256(f"{content} {code} {_identity(encoder)}".encode()).hexdigest()[:16]
    folder = runs.cache() / "encoded" / key
    if not _is_complete(folder):  # a cache with all that is needed may be one that this user cannot write to
        with runs.disk_errors(folder), _lock(folder.with_suffix(".lock")):
            if not _is_complete(folder):
                with runs.atomic_folder(folder) as new_folder:
                    _write(_flat_blocks(encoder, rows), new_folder)
    return EncodedRows({name: np.asarray(np.memmap(folder / name, np.int32, "r")) for name in ARRAYS})


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Wait until no other process has the lock, and hold it until the block ends or the process dies."""
    import fcntl

    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        with suppress(OSError):  # a file system without locks: each process encodes for itself
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def row_blocks(rows: Iterable[Row], size: int = ROWS_PER_CALL) -> Iterator[list[Row]]:
    """Lists of at most `size` rows; of a Dataset, whole blocks are read, which is faster than row by row."""
    import datasets

    if isinstance(rows, datasets.Dataset):
        for start in range(0, len(rows), size):
            columns = rows[start : start + size]
            yield [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
        return
    iterator = iter(rows)
    while block := list(islice(iterator, size)):
        yield block


def _identity(encoder: Encoder) -> str:
    """All of an encoder that decides which tokens a row becomes, apart from the code of the prompts."""
    tokenizer = encoder.tokenizer
    names = [field.name for field in fields(encoder) if field.name not in ("tokenizer", "prompts")]
    settings = [str(getattr(encoder, name)) for name in names]
    with tempfile.TemporaryDirectory() as name:
        tokenizer.save_pretrained(name)
        files = [f"{path.name} {runs.sha256(path)}" for path in sorted(Path(name).rglob("*")) if path.is_file()]
    versions = [metadata.version(package) for package in ("tokenizers", "transformers")]
    code = [runs.sha256(path) for path in sorted(Path(__file__).parent.glob("*.py"))]
    return json.dumps([settings, files, versions, code])


def _flat_blocks(encoder: Encoder, rows: Iterable[Row]) -> Iterator[dict[str, Ints]]:
    """The arrays of each block of rows."""
    for block in row_blocks(rows):
        encoded = encoder.encode_all(block)
        labels = _flat(row.labels for row in encoded)
        label_sizes = np.fromiter((len(row.labels) for row in encoded), np.int32, len(encoded))
        targets = np.concatenate([[0], np.cumsum(labels != IGNORE_INDEX)])  # before each label, [labels + 1]
        yield {
            "input_ids": _flat(row.input_ids for row in encoded),
            "labels": labels,
            "input_sizes": np.fromiter((len(row.input_ids) for row in encoded), np.int32, len(encoded)),
            "label_sizes": label_sizes,
            "num_supervised": np.diff(targets[_ends(label_sizes)]).astype(np.int32),
        }


def _flat(lists: Iterable[list[int]]) -> Ints:
    values = array("i")
    for numbers in lists:
        values.extend(numbers)
    return np.frombuffer(values, np.int32)


def _ends(sizes: Ints) -> npt.NDArray[np.int64]:
    """Where each row begins in the tokens of all, and the end of the last, [rows + 1]."""
    return np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])


def _write(blocks: Iterator[dict[str, Ints]], folder: Path) -> None:
    """Write arrays to files, block by block, and their sizes in bytes to sizes.json."""
    files: dict[str, IO[bytes]] = {name: (folder / name).open("wb") for name in ARRAYS}
    try:
        for block in blocks:
            for name, values in block.items():
                files[name].write(values.tobytes())
    finally:
        for file in files.values():
            file.close()
    runs.write_json(folder / "sizes.json", {name: (folder / name).stat().st_size for name in ARRAYS})


def _is_complete(folder: Path) -> bool:
    """Whether the files are there with the sizes that they were written with; the folder was written atomically."""
    try:
        sizes = runs.read_object(folder / "sizes.json")
        return all((folder / name).stat().st_size == sizes[name] for name in ARRAYS)
    except (ZooError, OSError, KeyError):
        return False
