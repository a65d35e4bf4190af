"""The sources of arithmetic rows. Every row names its source and licence; Python's integers check its answer.

    world      rows of the made-up world for all three splits, as many as data.sizes says, drawn by data.world
    corpus     the paper's whole training set of 1,746,300 rows, synthesised anew
    goat       the published rows of Goat (arXiv:2305.14201), or your own rows of that form
    bigbench   the arithmetic task of BIG-bench (arXiv:2206.04615); a benchmark, so its rows are test rows only

corpus and goat have training rows only; the builder takes validation and test rows out of them by item. goat and
bigbench are read from data.path (a file or a folder; with both of them, a folder with one folder each), else from the
Hugging Face hub. `data/readers.py` shows the two formats. No other module of the package uses the network.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from instructzoo.arithmetic import world
from instructzoo.arithmetic.data import readers
from instructzoo.core.data import read
from instructzoo.core.data.microworld import world_rows
from instructzoo.core.data.readers import data_files, existing_path
from instructzoo.core.data.sources import NoSettings, RowCollector, check_sources, no_published_format, wanted_splits
from instructzoo.core.data.split import SPLITS
from instructzoo.core.errors import ZooError
from instructzoo.core.recipe import Recipe, validate_settings
from instructzoo.core.record import Row

if TYPE_CHECKING:
    import datasets

SOURCES = {"world": SPLITS, "corpus": ("train",), "goat": ("train",), "bigbench": ("test",)}
"""Every source and its splits; a split that no source of a recipe has is taken out of train."""

PUBLISHED = ("goat", "bigbench")

GOAT = "tiedong/goat"
BIGBENCH, BIGBENCH_TASK = "tasksource/bigbench", "arithmetic"
"""Datasets on the hub."""

PARQUET_REVISION = "refs/convert/parquet"
"""The hub's converted branch, tried where the main branch does not load: BIG-bench was published as a script."""

Settings = NoSettings
"""data.options: none, since data.path, data.sizes and data.world say it all."""

gold = no_published_format
"""`zoo score` reads plain rows: no published format can be scored directly."""


def build(recipe: Recipe, splits: Sequence[str] = SPLITS) -> datasets.DatasetDict:
    """The rows of recipe.data.sources by split, source after source.

    Args:
        recipe: Its data.sources, data.path, data.sizes, data.world and seed decide the rows.
        splits: The splits that are needed. Only these are built where the sources have them and train is not one of
            them; all splits otherwise, since the builder may have to take missing ones out of train.

    Returns:
        The rows of each split.

    Raises:
        ZooError: A source is unknown, a file is missing or malformed (with its line), the answer of a row is wrong,
            or the hub cannot be reached.
    """
    check_sources(recipe, SOURCES)
    validate_settings(Settings, recipe.data.options, "data.options")
    wanted = wanted_splits(splits, {split for name in recipe.data.sources for split in SOURCES[name]})
    collector = RowCollector()
    for name in recipe.data.sources:
        if wanted & set(SOURCES[name]):
            for split, rows in _rows_by_split(name, recipe, wanted).items():
                collector.add(split, rows)
    return collector.dataset_dict()


def _rows_by_split(name: str, recipe: Recipe, wanted: set[str]) -> Mapping[str, Iterable[Row] | datasets.Dataset]:
    """The rows of one source in the splits that are needed."""
    if name == "world":
        return world_rows(recipe, world, wanted)
    if name == "corpus":
        return {"train": _corpus(recipe.seed)}
    path = _local_path(name, recipe)
    if name == "goat":
        return {"train": readers.read_goat(_load_from_hub(GOAT) if path is None else _records(path))}
    if path is None:
        return {"test": readers.read_bigbench(_load_from_hub(BIGBENCH, BIGBENCH_TASK), question_field="inputs")}
    return {"test": readers.read_bigbench(readers.bigbench_examples(path))}


def _corpus(seed: int) -> datasets.Dataset:
    from instructzoo.core.data import mapped_tables, tables

    return tables.dataset_of(mapped_tables.collect(world.corpus(seed)))


def _local_path(name: str, recipe: Recipe) -> Path | None:
    """The file or folder of a published source; None where it is on the hub."""
    if recipe.data.path is None:
        return None
    path = existing_path(recipe.data.path, folder=True)
    if set(PUBLISHED) <= set(recipe.data.sources):
        return existing_path(path / name, folder=True)
    return path


def _records(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Pairs of a place and a record, of a file or of all files in a folder."""
    for file in data_files(path):
        yield from read(file)


def _load_from_hub(name: str, config: str | None = None) -> Iterable[tuple[str, Mapping[str, Any]]]:
    """Pairs of a place and a record, of all splits of a hub dataset. Raises ZooError where it cannot be loaded."""
    import datasets

    reasons = []
    for revision in (None, PARQUET_REVISION):
        try:
            splits = datasets.load_dataset(name, config, revision=revision)
        except Exception as error:  # noqa: BLE001 - whatever hub and network raise, the way out is the same
            reasons.append(f"{type(error).__name__}: {error}")
            continue
        return ((f"{name}, {split} row {n}", row) for split in splits for n, row in enumerate(splits[split], 1))
    raise ZooError(f"cannot load {name} from the hub ({reasons[0][:200]})", "a network", "or pass data.path=FILE")
