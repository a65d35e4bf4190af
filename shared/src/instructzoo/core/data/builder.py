"""A recipe -> clean rows with their card, built once and kept by content.

built = build(recipe)                     # the second call reads what the first one wrote
built.rows["train"], built.card["contamination"], built.folder
build(recipe, parts=("test",))            # to score: of a generated set, or a benchmark, no training row is made
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
from instructzoo.core.data import readers
from instructzoo.core.data.split import PARTS
from instructzoo.core.errors import ZooError
from instructzoo.core.recipe import Recipe

if TYPE_CHECKING:
    import datasets
    import pyarrow as pa

LAYOUT = 1
"""Version of the files in a built folder; a new one makes old folders be built again."""

ALONE = ("test",)
"""The one part that does not depend on the others: only from them are rows dropped that stand in it."""

NOT_IN_ROWS = (
    "weights", "recipes", "demo", "metrics", "extraction", "model", "networks", "objective", "sampling", "predictor",
    "synth", "synthesis",
)  # fmt: skip
"""Modules and folders at a domain's top level that have no part in making its rows."""


@dataclass(frozen=True)
class Built:
    """Rows ready for use. rows: a DatasetDict of train, validation and test; folder: their Parquet files and README."""

    rows: datasets.DatasetDict
    card: dict[str, Any]
    fingerprint: str
    folder: Path


def build(recipe: Recipe, folder: Path | None = None, parts: Sequence[str] = PARTS) -> Built:
    """The clean rows of a recipe, from the cache where they were built before.

    folder: where they are written; none: $INSTRUCTZOO_CACHE (or ~/.cache/instructzoo) /data/<domain>/<content hash>.
    parts: the parts that the caller needs. With ("test",) alone no other part is made where the source has a test part:
    the test rows are the same, but no training row was compared with them, which the card says. What was built whole
    before is used.
    Raises ZooError for whatever the source raises, for an empty part, and where a needed part is missing.
    """
    domain = domains.get(recipe.domain)
    whole = content_key(recipe, domain.folder())
    keys = (whole, f"{whole}-test") if tuple(parts) == ALONE else (whole,)
    homes = {key: folder or runs.cache() / "data" / recipe.domain / key for key in keys}
    built = next(filter(None, (_reuse(home, key) for key, home in homes.items())), None)
    if built is None:
        raw = domain.module("sources").build(recipe, ALONE if len(keys) > 1 else PARTS)
        key = whole if "train" in raw else keys[-1]  # a source whose test part is cut out of train gives all
        _refuse_foreign(homes[key])
        built = build_rows(raw, recipe, homes[key], key, targets=domain.objective == "text")
    for part in parts:
        if part not in built.rows:
            held = ", ".join(built.rows)
            sources = ", ".join(recipe.data.sources)
            fix = "add a source that has it" + ("; a benchmark can only be scored on" if held == "test" else "")
            raise ZooError(f'no part "{part}" in data.sources {sources}', f"one beside {held}", fix)
    return built


def build_rows(
    raw: Mapping[str, datasets.Dataset], recipe: Recipe, folder: Path, key: str = "", targets: bool = True
) -> Built:
    """Clean raw parts and write them to `folder`: needs no domain. key, targets: as `content_key` and `clean.clean`.

    What a source has to say of its rows, a line each in the part's `info.description`, goes into the card's notes.
    """
    import pyarrow.parquet as pq

    from instructzoo.core.data import clean, tables
    from instructzoo.core.data import data_card as cards

    arrow = {part: rows.with_format("arrow")[:] for part, rows in raw.items()}
    sizes = {part: rows.num_rows for part, rows in arrow.items()}
    notes = [line for rows in raw.values() for line in rows.info.description.splitlines()]
    state = clean.clean(arrow, recipe.data, recipe.seed, targets)
    del arrow
    fingerprint = tables.fingerprint(state.tables)
    card = cards.describe(state, sizes, recipe, fingerprint, notes)
    with runs.atomic_folder(folder) as fresh:
        for part, rows in state.tables.items():
            pq.write_table(rows, fresh / f"{part}.parquet", compression="zstd")
        runs.write_json(fresh / "card.json", card)
        runs.write_text(fresh / "README.md", cards.readme(card))
        hashes = {path.name: runs.sha256(path) for path in sorted(fresh.iterdir())}
        runs.write_json(fresh / "manifest.json", {"key": key, "fingerprint": fingerprint, "files": hashes})
    return Built(_datasets(state.tables, fingerprint), card, fingerprint, folder)


def content_key(recipe: Recipe, package: Path) -> str:
    """16 hex digits of all that decides the rows: settings, seed, local files, and the code that makes them."""
    total = hashlib.sha256(f"{LAYOUT} {recipe.domain} {recipe.seed}\n".encode())
    total.update(json.dumps(recipe.data.model_dump(mode="json"), sort_keys=True).encode())
    for folder in (package, Path(__file__).parent):
        for path in sorted(folder.rglob("*")):
            inside = path.relative_to(folder)
            top = inside.parts[0].removesuffix(".py")
            if path.is_file() and "__pycache__" not in inside.parts and top not in NOT_IN_ROWS:
                total.update(f"\n{inside} {runs.sha256(path)}".encode())
    if recipe.data.path is not None:
        root = Path(recipe.data.path).expanduser()
        for path in _every(readers.existing(root, folder=True)):
            total.update(f"\n{path.relative_to(root)} {runs.sha256(path)}".encode())
    return total.hexdigest()[:16]


def _every(root: Path) -> list[Path]:
    """The file itself, or all files below a folder, whatever their format: a domain reads formats of its own."""
    return [root] if root.is_file() else sorted(p for p in root.rglob("*") if p.is_file())


def _reuse(folder: Path, key: str) -> Built | None:
    """What was built before, if it is of this key and every file still is what was written; else none."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        manifest = json.loads((folder / "manifest.json").read_bytes())
        if manifest["key"] != key or any(runs.sha256(folder / n) != h for n, h in manifest["files"].items()):
            return None
        card = json.loads((folder / "card.json").read_bytes())
        tables = {part: pq.read_table(folder / f"{part}.parquet") for part in card["counts"]}
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException):  # torn, edited or of another layout
        return None
    return Built(_datasets(tables, manifest["fingerprint"]), card, manifest["fingerprint"], folder)


def _refuse_foreign(folder: Path) -> None:
    """A folder is replaced only where it is one of ours."""
    if folder.exists() and not folder.is_dir():
        raise ZooError("a file stands there", "a folder to write rows to", "choose another name", str(folder))
    if folder.is_dir() and any(folder.iterdir()) and not (folder / "manifest.json").is_file():
        if folder.is_relative_to(runs.cache()):
            shutil.rmtree(folder)  # an entry of the cache without its manifest is damaged
            return
        raise ZooError("the folder holds other files", "an empty or absent folder", "choose another name", str(folder))


def _datasets(tables: Mapping[str, pa.Table], fingerprint: str) -> datasets.DatasetDict:
    import datasets

    made = {part: datasets.Dataset(rows, fingerprint=f"{fingerprint}-{part}") for part, rows in tables.items()}
    return datasets.DatasetDict(made)
