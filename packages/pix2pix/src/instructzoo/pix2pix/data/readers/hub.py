"""Sets of Hugging Face `datasets` with columns of pictures: saved by save_to_disk, or as Parquet files.

    original_image  edit_prompt  edited_image  and where they are there original_prompt  edited_prompt

Pictures are bytes there; they become data URIs of the same bytes, so nothing is encoded again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from instructzoo.core.data import readers
from instructzoo.core.data.line_files import part_of
from instructzoo.core.data.readers import cut
from instructzoo.core.errors import ZooError, suggest
from instructzoo.pix2pix.data.readers.base import DAMAGED, Edit, Tally, resolved, text, to_reference

Values = Iterable[tuple[str, Mapping[str, Any]]]
"""(place, row) of one part."""


@dataclass(frozen=True)
class Columns:
    """Names of a set's columns. input, output: of the captions; "": the set has none."""

    image: str
    instruction: str
    edited: str
    input: str
    output: str


def local(folder: Path) -> dict[str, Values]:
    """Rows by part of a folder that save_to_disk wrote, or of Parquet files whose names speak of their parts.

    Raises ZooError where the folder is neither.
    """
    if (folder / "dataset_dict.json").is_file() or (folder / "state.json").is_file():
        import datasets

        return opened(datasets.load_from_disk(str(folder)), str(folder))
    files = readers.files(folder)
    if odd := [path for path in files if path.suffix.lower() != ".parquet"]:
        known = [path for path in files if path not in odd]
        if not known:
            raise ZooError(f"found {odd[0].name}", "Parquet files, or a folder of save_to_disk", where=str(folder))
        files = known
    found: dict[str, list[Path]] = {}
    for path in files:
        name = path.name if folder.is_file() else path.relative_to(folder).as_posix()
        found.setdefault(part_of(name), []).append(path)
    return {part: _chained(paths) for part, paths in found.items()}


def _chained(paths: list[Path]) -> Values:
    return (row for path in paths for row in readers.read(path))


def opened(loaded: Any, name: str) -> dict[str, Values]:
    """Rows by part of a Dataset or DatasetDict, its pictures left as bytes."""
    import datasets

    parts = {"train": loaded} if isinstance(loaded, datasets.Dataset) else loaded
    found: dict[str, list[tuple[str, Any]]] = {}
    for split, rows in parts.items():
        for column, feature in rows.features.items():
            if isinstance(feature, datasets.Image):
                rows = rows.cast_column(column, datasets.Image(decode=False))
        found.setdefault(part_of(split), []).append((split, rows))
    return {part: _numbered(pieces, name) for part, pieces in found.items()}


def _numbered(pieces: list[tuple[str, Any]], name: str) -> Values:
    return ((f"{name}, {split} row {n}", row) for split, rows in pieces for n, row in enumerate(rows, 1))


def edits(rows: Values, columns: Columns, folder: Path, tally: Tally) -> Iterator[Edit]:
    """Edits of a part's rows. folder: what paths of pictures are relative to.

    Raises ZooError naming the row for a column that is not there, and for a picture that is none.
    """
    for where, values in rows:
        for name in (columns.image, columns.instruction, columns.edited):
            if name not in values:
                fix = "data.options names the columns"
                raise ZooError(f'no column "{name}"', suggest(name, values), fix, where)
        instruction = text(values, columns.instruction, where, needed=True)
        captions = [text(values, name, where) if name in values else "" for name in (columns.input, columns.output)]
        try:
            pair = (_reference(values, columns.image, folder, where), _reference(values, columns.edited, folder, where))
        except ZooError as error:
            tally.drop(error, DAMAGED)
            continue
        yield Edit(where, instruction, (pair,), *captions)


def _reference(values: Mapping[str, Any], name: str, folder: Path, where: str) -> str:
    """A picture of `datasets` (bytes, or a path beside the files), bare bytes, or a reference."""
    value, where = values[name], f"{where}, {name}"
    if isinstance(value, Mapping) and value.get("bytes") is not None:
        value = value["bytes"]
    elif isinstance(value, Mapping) and value.get("path"):
        value = value["path"]
    if isinstance(value, bytes):
        return to_reference(value, where)
    if isinstance(value, str) and value:
        return resolved(value, folder)
    raise ZooError(f"found {cut(repr(value))}", "a picture", "remove the row", where)
