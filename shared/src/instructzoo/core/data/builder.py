"""Builds the rows of a recipe: clean, with their data card, and cached by content.

data = build(recipe)                      # the second call reads what the first one wrote
data.rows["train"], data.card["contamination"], data.folder
build(recipe, splits=("test",))           # to score: of a generated set, or a benchmark, no training row is made
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from instructzoo.core import domain as domains
from instructzoo.core import runs
from instructzoo.core.data import file_hashes, readers
from instructzoo.core.data.split import SPLITS
from instructzoo.core.errors import ZooError
from instructzoo.core.recipe import Recipe

if TYPE_CHECKING:
    import datasets

LAYOUT = 2
"""Version of the files in a built folder; folders of another version are built again."""

TEST_ONLY = ("test",)
"""The one split that does not depend on the others: rows are dropped from the others where they occur in it."""

NOT_IN_ROWS = (
    "weights", "recipes", "demo", "metrics", "checker", "extraction", "edit_request", "answers", "model", "networks",
    "objective", "sampling", "predictor", "shapes", "synth", "synthesis",
)  # fmt: skip
"""Modules and folders at the top level of a domain that do not influence its rows."""


@dataclass(frozen=True)
class BuiltData:
    """Clean rows of a recipe.

    Attributes:
        rows: The rows by split: train, validation and test, or some of them; memory-mapped.
        card: The data card, plain JSON.
        fingerprint: 16 hex digits of all rows; equal rows have an equal fingerprint on any machine.
        folder: Where the card, its README and the rows are: as Parquet, to be published, and as uncompressed Arrow
            files, which are mapped.
    """

    rows: datasets.DatasetDict
    card: dict[str, Any]
    fingerprint: str
    folder: Path


def build(recipe: Recipe, folder: Path | None = None, splits: Sequence[str] = SPLITS) -> BuiltData:
    """Build the clean rows of a recipe, or read them from the cache if they were built before.

    Args:
        recipe: Its domain, seed and `data` settings decide the rows.
        folder: Where the rows are written; None: $INSTRUCTZOO_CACHE (or ~/.cache/instructzoo)/data/DOMAIN/KEY, where
            KEY is the hash of `content_key`.
        splits: The splits that the caller needs. With ("test",) alone no other split is built if the source has a test
            split: the test rows are the same, but no training row was compared with them, which the card says. Data
            that were built with all splits are used if they exist. A fold (data.fold) is always built with all.

    Returns:
        The rows with their card; they may have more splits than `splits`.

    Raises:
        ZooError: The source fails, a split is empty, or a needed split is missing.

    Example:
        >>> data = build(recipes.load("arithmetic/tiny"))
        >>> data.rows["test"][0]["instruction"]
    """
    domain = domains.get(recipe.domain)
    key = content_key(recipe, domain.folder())
    test_only = tuple(splits) == TEST_ONLY and not recipe.data.fold
    keys = (key, f"{key}-test") if test_only else (key,)
    folders = {key: folder or runs.cache() / "data" / recipe.domain / key for key in keys}
    data = next(filter(None, (_read_built(path, key) for key, path in folders.items())), None)
    if data is None:
        raw = domain.module("sources").build(recipe, TEST_ONLY if test_only else SPLITS)
        if "train" not in raw:  # a source whose test split is taken out of train returns all splits
            key = keys[-1]
        _refuse_foreign(folders[key])
        data = build_rows(raw, recipe, folders[key], key, targets=domain.objective == "text")
    for split in splits:
        if split not in data.rows:
            available = ", ".join(data.rows)
            sources = ", ".join(recipe.data.sources)
            fix = "add a source that has it" + ("; a benchmark can only be scored on" if available == "test" else "")
            raise ZooError(f'no split "{split}" in data.sources {sources}', f"one beside {available}", fix)
    return data


def build_rows(
    raw: Mapping[str, datasets.Dataset], recipe: Recipe, folder: Path, key: str = "", targets: bool = True
) -> BuiltData:
    """Clean raw rows and write them to a folder; this needs no domain.

    Args:
        raw: The rows of a source by split. What the source states about them, one line each in the split's
            `info.description`, goes into the notes of the card.
        recipe: Its seed and `data` settings are used.
        folder: Where the rows are written.
        key: Their key in the cache, as `content_key` returns it.
        targets: Whether a training row needs an `output`; see `clean.clean`.

    Returns:
        The rows with their card.

    Raises:
        ZooError: As for `clean.clean`.
    """
    import pyarrow.parquet as pq

    from instructzoo.core.data import clean, data_card, mapped_tables, tables

    raw_tables = {split: rows.with_format("arrow")[:] for split, rows in raw.items()}
    sizes = {split: table.num_rows for split, table in raw_tables.items()}
    notes = [line for rows in raw.values() for line in rows.info.description.splitlines()]
    cleaned = clean.clean(raw_tables, recipe.data, recipe.seed, targets)
    del raw_tables
    fingerprint = tables.fingerprint(cleaned.tables)
    card = data_card.describe(cleaned, sizes, recipe, fingerprint, notes)
    with runs.atomic_folder(folder) as new_folder:
        for split, table in cleaned.tables.items():
            with runs.disk_errors(new_folder):
                pq.write_table(table, new_folder / f"{split}.parquet", compression="zstd")
                mapped_tables.write(table, new_folder / f"{split}.arrow")
        runs.write_json(new_folder / "card.json", card)
        runs.write_text(new_folder / "README.md", data_card.readme(card))
        hashes = {path.name: runs.sha256(path) for path in sorted(new_folder.iterdir())}
        runs.write_json(new_folder / "manifest.json", {"key": key, "fingerprint": fingerprint, "files": hashes})
    del cleaned  # what it holds in memory and on disk
    return BuiltData(_mapped_rows(folder, card, fingerprint), card, fingerprint, folder)


def content_key(recipe: Recipe, package: Path) -> str:
    """The key of a recipe's rows in the cache.

    Args:
        recipe: Its domain, seed and `data` settings are part of the key.
        package: The folder of the domain's package.

    Returns:
        16 hex digits of all that decides the rows: settings, seed, local files, and the code that makes the rows.
    """
    digest = hashlib.sha256(f"{LAYOUT} {recipe.domain} {recipe.seed}\n".encode())
    digest.update(json.dumps(recipe.data.model_dump(mode="json"), sort_keys=True).encode())
    digest.update(code_digest(package).encode())
    if recipe.data.path is not None:
        root = Path(recipe.data.path).expanduser()
        for path in _all_files(readers.existing_path(root, folder=True)):
            digest.update(f"\n{path.relative_to(root)} {file_hashes.sha256(path)}".encode())
    return digest.hexdigest()[:16]


def code_digest(package: Path) -> str:
    """The SHA-256 of the code that makes and renders rows: of a domain's package and of this one."""
    digest = hashlib.sha256()
    for code in (package, Path(__file__).parent):
        for path in sorted(code.rglob("*")):
            relative = path.relative_to(code)
            top_level = relative.parts[0].removesuffix(".py")
            if path.is_file() and "__pycache__" not in relative.parts and top_level not in NOT_IN_ROWS:
                digest.update(f"\n{relative} {runs.sha256(path)}".encode())
    return digest.hexdigest()


def _all_files(root: Path) -> list[Path]:
    """The file itself, or all files below a folder, whatever their format: a domain may read formats of its own."""
    return [root] if root.is_file() else sorted(p for p in root.rglob("*") if p.is_file())


def _read_built(folder: Path, key: str) -> BuiltData | None:
    """The rows that were built before; None if there are none of this key or a file has changed since."""
    import pyarrow as pa

    try:
        manifest = runs.read_object(folder / "manifest.json")
        if manifest["key"] != key or any(file_hashes.sha256(folder / n) != h for n, h in manifest["files"].items()):
            return None
        card = runs.read_object(folder / "card.json")
        rows = _mapped_rows(folder, card, manifest["fingerprint"])
    except (ZooError, OSError, KeyError, TypeError, AttributeError, pa.ArrowException):  # absent, incomplete or edited
        return None
    return BuiltData(rows, card, manifest["fingerprint"], folder)


def _refuse_foreign(folder: Path) -> None:
    """Raise ZooError if a folder holds files that were not built: only built folders are replaced."""
    if folder.exists() and not folder.is_dir():
        raise ZooError("a file stands there", "a folder to write rows to", "choose another name", str(folder))
    if folder.is_dir() and any(folder.iterdir()) and not (folder / "manifest.json").is_file():
        if folder.is_relative_to(runs.cache()):
            shutil.rmtree(folder)  # an entry of the cache without its manifest is damaged
            return
        raise ZooError("the folder holds other files", "an empty or absent folder", "choose another name", str(folder))


def _mapped_rows(folder: Path, card: Mapping[str, Any], fingerprint: str) -> datasets.DatasetDict:
    import datasets

    from instructzoo.core.data.mapped_tables import open_mapped

    tables = {split: open_mapped(folder / f"{split}.arrow") for split in card["counts"]}
    return datasets.DatasetDict(
        {split: datasets.Dataset(table, fingerprint=f"{fingerprint}-{split}") for split, table in tables.items()}
    )
