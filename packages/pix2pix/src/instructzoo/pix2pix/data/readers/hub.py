"""Reads Hugging Face `datasets` with columns of pictures, saved by save_to_disk or as Parquet files.

    original_image  edit_prompt  edited_image  and, if present, original_prompt  edited_prompt

Pictures are stored as bytes there; they become data URIs of the same bytes, so nothing is encoded again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from instructzoo.core.data import readers
from instructzoo.core.data.line_files import split_from_name
from instructzoo.core.data.readers import shorten
from instructzoo.core.errors import ZooError, suggest
from instructzoo.pix2pix.data.readers.base import DAMAGED, EditExample, Tally, read_text, resolve, to_reference

NamedRows = Iterable[tuple[str, Mapping[str, Any]]]
"""(place for error messages, row) of one split."""


@dataclass(frozen=True)
class Columns:
    """Names of the columns. input, output: of the captions, which a dataset may lack."""

    image: str
    instruction: str
    edited: str
    input: str
    output: str


def open_folder(folder: Path) -> dict[str, NamedRows]:
    """Rows by split of a folder from save_to_disk, or of Parquet files whose names say their splits.

    Raises:
        ZooError: The folder is neither.
    """
    if (folder / "dataset_dict.json").is_file() or (folder / "state.json").is_file():
        import datasets

        try:
            return open_dataset(datasets.load_from_disk(str(folder)), str(folder))
        except Exception as error:  # Arrow, JSON or features: whatever is damaged, the remedy is the same
            reason = f"{type(error).__name__}: {error}".splitlines()[0][:160]
            raise ZooError(
                f"cannot open it ({reason})", "a folder of save_to_disk", "save it again", str(folder)
            ) from error
    files = readers.data_files(folder)
    if other_files := [path for path in files if path.suffix.lower() != ".parquet"]:
        parquet_files = [path for path in files if path not in other_files]
        if not parquet_files:
            fix = "data.sources=[table] reads tables that name pictures, such as metadata.jsonl"
            expected = "Parquet files, or a folder of save_to_disk"
            raise ZooError(f"found {other_files[0].name}", expected, fix, str(folder))
        files = parquet_files
    paths_by_split: dict[str, list[Path]] = {}
    for path in files:
        name = path.name if folder.is_file() else path.relative_to(folder).as_posix()
        paths_by_split.setdefault(split_from_name(name), []).append(path)
    return {split: _read_files(paths) for split, paths in paths_by_split.items()}


def _read_files(paths: list[Path]) -> NamedRows:
    """The rows of Parquet files, one file after the other."""
    return (row for path in paths for row in readers.read(path))


def open_dataset(loaded: Any, name: str) -> dict[str, NamedRows]:
    """Rows by split of a Dataset or DatasetDict, with pictures left as bytes.

    Args:
        loaded: The Dataset, whose rows are all train, or the DatasetDict.
        name: The name of the data set, for error messages.

    Returns:
        The rows of each split, each with its place for error messages.
    """
    import datasets

    subsets = {"train": loaded} if isinstance(loaded, datasets.Dataset) else loaded
    rows_by_split: dict[str, list[tuple[str, Any]]] = {}
    for subset, rows in subsets.items():
        for column, feature in rows.features.items():
            if isinstance(feature, datasets.Image):
                rows = rows.cast_column(column, datasets.Image(decode=False))
        rows_by_split.setdefault(split_from_name(subset), []).append((subset, rows))
    return {split: _number_rows(named_rows, name) for split, named_rows in rows_by_split.items()}


def _number_rows(named_rows: list[tuple[str, Any]], name: str) -> NamedRows:
    """Rows with their dataset split and row number as the place."""
    return ((f"{name}, {subset} row {n}", row) for subset, rows in named_rows for n, row in enumerate(rows, 1))


def read_examples(rows: NamedRows, columns: Columns, folder: Path, tally: Tally) -> Iterator[EditExample]:
    """Examples of one split.

    Args:
        rows: The rows with their places.
        columns: Names of the columns.
        folder: Base of relative picture paths.
        tally: Counts unreadable pictures if it skips errors.

    Yields:
        The examples in the order of the rows.

    Raises:
        ZooError: A column is missing, or a value is no picture; the message names the row.
    """
    for where, values in rows:
        for name in (columns.image, columns.instruction, columns.edited):
            if name not in values:
                fix = "data.options names the columns"
                raise ZooError(f'no column "{name}"', suggest(name, values), fix, where)
        instruction = read_text(values, columns.instruction, where, required=True)
        captions = [
            read_text(values, name, where) if name in values else "" for name in (columns.input, columns.output)
        ]
        try:
            pair = (_reference(values, columns.image, folder, where), _reference(values, columns.edited, folder, where))
        except ZooError as error:
            tally.skip_or_raise(error, DAMAGED)
            continue
        yield EditExample(where, instruction, (pair,), *captions)


def _reference(values: Mapping[str, Any], name: str, folder: Path, where: str) -> str:
    """The reference of a picture that is stored as bytes, as a path, or as a dictionary of `datasets` with either."""
    value, where = values[name], f"{where}, {name}"
    if isinstance(value, Mapping) and value.get("bytes") is not None:
        value = value["bytes"]
    elif isinstance(value, Mapping) and value.get("path"):
        value = value["path"]
    if isinstance(value, bytes):
        return to_reference(value, where)
    if isinstance(value, str) and value:
        return resolve(value, folder)
    raise ZooError(f"found {shorten(repr(value))}", "a picture", "remove the row", where)
