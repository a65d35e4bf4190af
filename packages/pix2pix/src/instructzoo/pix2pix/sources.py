"""Sources of rows. Every row names its source and licence; pairs of one prompt or one picture are one item.

    world       rows of the synthetic world, as many as data.sizes says, drawn by data.world
    released    the layout of the paper's data, a folder per prompt (readers/instructpix2pix.py), from data.path
    hub         a dataset with columns of pictures: save_to_disk or Parquet files in data.path, or data.options.hub
    pairs       pictures of one name in two folders of data.path (readers/paired_folders.py)
    table       JSON Lines or CSV with instruction, image and edited (readers/table.py), such as the metadata.jsonl of
                diffusers' examples, from data.path
    photos      the user's photos in data.path; pairs are made by known operations (photo_operations.py)

With several sources data.path is the folder that contains one of each name. A split that no source has is cut out of
train, by item. Besides the backbones of model.py, only this module may use the network.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from instructzoo.core import recipe as recipes
from instructzoo.core.data import readers as tables
from instructzoo.core.data.line_files import split_from_name
from instructzoo.core.data.microworld import world_rows
from instructzoo.core.data.sources import OWN_LICENCE, RowCollector, check_sources, reads_one_source, wanted_splits
from instructzoo.core.data.split import SPLITS
from instructzoo.core.errors import ZooError
from instructzoo.core.recipe import Recipe
from instructzoo.core.record import Row
from instructzoo.pix2pix import world
from instructzoo.pix2pix.data import photo_operations, readers
from instructzoo.pix2pix.data.photo_operations import OperationName
from instructzoo.pix2pix.data.readers import SplitExamples, hub, instructpix2pix, paired_folders, photos, table
from instructzoo.pix2pix.data.readers.base import EditExample, Tally

if TYPE_CHECKING:
    import datasets

SOURCES = ("world", "released", "hub", "pairs", "table", "photos")
PUBLISHED = ("released", "hub")
PUBLISHED_LICENCE = "see the set's card"
OWN_FORMS = (
    "pairs: data.path has before/lake.png, after/lake.png and after/lake.txt, the instruction; table: JSON Lines or "
    "CSV with instruction, image and edited; photos: photos alone, of which pairs are made"
)
"""What own data may be."""


class Settings(recipes.Settings):
    """How pairs are read."""

    skip_damaged: bool = Field(
        False,
        description="leave out and count pairs with a missing, damaged or unequal picture; else an error",
    )
    licence: str = Field(
        "", description=f'licence of the rows; none: "{OWN_LICENCE}", of published sets "{PUBLISHED_LICENCE}"'
    )
    hub: str = Field("", description="for hub without data.path: id of the dataset, such as name/of-a-set")
    revision: str = Field("", description="for hub without data.path: the dataset's commit, tag or branch; none: main")
    image_column: str = Field("original_image", description="for hub, table: column of the picture before")
    edited_column: str = Field("edited_image", description="for hub, table: column of the picture after")
    instruction_column: str = Field("edit_prompt", description="for hub, table: column of the instruction")
    input_column: str = Field(
        "original_prompt", description="for hub, table: column of the caption before, if there is one"
    )
    output_column: str = Field(
        "edited_prompt", description="for hub, table: column of the caption after, if there is one"
    )
    before: str = Field("before", min_length=1, description="for pairs: name of the folder of pictures before")
    after: str = Field("after", min_length=1, description="for pairs: name of the folder of pictures after")
    per_photo: int = Field(4, ge=1, description="for photos: pairs of each photo, by different operations")
    photo_side: int = Field(512, ge=8, description="for photos: pixels of the longer side; larger photos are shrunk")
    operations: tuple[OperationName, ...] = Field(
        tuple(photo_operations.OPERATIONS), min_length=1, description="for photos: operations to draw from"
    )


def build(recipe: Recipe, splits: Sequence[str] = SPLITS) -> datasets.DatasetDict:
    """Read the raw rows of recipe.data.sources, one source after the other.

    Args:
        recipe: The resolved recipe; the group `data` is used.
        splits: The splits that are needed. If the sources have them all and train is not among them, the others are
            not read.

    Returns:
        Rows by split, with notes for the data card in each split's `info.description`.

    Raises:
        ZooError: A source is unknown, files are missing or malformed (with their line), a picture is missing or damaged
            (with its row and file), or the hub cannot be reached.
    """
    if "own" in recipe.data.sources:
        raise ZooError('no source "own"', "one that says how your pictures lie", OWN_FORMS, "data.sources")
    check_sources(recipe, SOURCES)
    settings = recipes.validate_settings(Settings, recipe.data.options, "data.options")
    locations = {name: _locations(name, recipe, settings) for name in recipe.data.sources}
    needed = wanted_splits(splits, {split for location in locations.values() for split in location})
    tallies = {
        (name, split): Tally(settings.skip_damaged)
        for name, location in locations.items()
        for split in location
        if split in needed
    }
    batches = [
        SplitExamples(split, _read_examples(name, locations[name][split], recipe, settings, tally), tally)
        for (name, split), tally in tallies.items()
        if name != "world"
    ]
    example_rows = iter(readers.build_rows(batches))
    rows = RowCollector()
    for (name, split), tally in tallies.items():
        notes = [f"{name}, {split}: {count:,} {remark}" for remark, count in sorted(tally.counts.items()) if count]
        rows.add(split, _world_rows(recipe, split) if name == "world" else next(example_rows), notes)
    return rows.dataset_dict()


def gold(path: Path, task: str = "") -> Iterator[tuple[str, Row]] | None:
    """Rows of a table of pairs (readers/table.py), with their places for error messages.

    Args:
        path: The file.
        task: Must be empty; edits are one task.

    Returns:
        (place, row), or None if the file is no such table.

    Raises:
        ZooError: A task is given, lines are malformed, or pictures are missing or damaged.
    """
    if task:
        raise ZooError(f'the task "{task}"', "none: edits are one task", where="--task")
    return _gold(path) if table.is_table(path) else None


def _gold(path: Path) -> Iterator[tuple[str, Row]]:
    examples = [_with_licence(example, "table", OWN_LICENCE) for example in table.read_examples(path)]
    (rows,) = readers.build_rows([SplitExamples("test", examples, Tally())])
    yield from zip((example.where for example in examples), rows, strict=True)


def _world_rows(recipe: Recipe, split: str) -> Iterator[Row]:
    """Rows of the synthetic world, with the column `variants` of the other sources."""
    return (row | {"variants": ""} for row in world_rows(recipe, world, (split,))[split])


def _locations(name: str, recipe: Recipe, settings: Settings) -> dict[str, Any]:
    """Where the splits of a source lie: folders, files, or rows of a dataset."""
    if name == "world":
        return dict.fromkeys(SPLITS)
    if name == "hub" and recipe.data.path is None:
        return dict(_load_from_hub(settings))
    path = _source_path(name, recipe)
    if name == "hub":
        return dict(hub.open_folder(path))
    if name == "table":
        files_by_split: dict[str, list[Path]] = {}
        for file in tables.data_files(path):
            files_by_split.setdefault(split_from_name(file.name), []).append(file)
        return dict(files_by_split)
    if not path.is_dir():
        raise ZooError("found a file", "a folder", f"{name} is read from one", str(path))
    return dict(paired_folders.find_splits(path, settings.before)) if name == "pairs" else {"train": path}


def _source_path(name: str, recipe: Recipe) -> Path:
    """data.path, or with several sources the folder of the source's name in it."""
    if recipe.data.path is None:
        raise ZooError(f'the source "{name}" is read from files', "data.path", "name your folder", "data.path")
    root = Path(recipe.data.path)
    return tables.existing_path(root if reads_one_source(recipe) else root / name, folder=True).absolute()


def _read_examples(name: str, location: Any, recipe: Recipe, settings: Settings, tally: Tally) -> Iterator[EditExample]:
    """Examples of one split of a source, with source and licence."""
    source, licence = name, settings.licence or (PUBLISHED_LICENCE if name in PUBLISHED else OWN_LICENCE)
    examples: Iterable[EditExample]
    if name == "released":
        examples = instructpix2pix.read_examples(location, tally)
    elif name == "pairs":
        examples = paired_folders.read_examples(location, settings.before, settings.after, tally)
    elif name == "table":
        names = dict(zip(table.ALIASES, _table_columns(settings), strict=True))
        examples = (example for file in location for example in table.read_examples(file, names))
    elif name == "photos":
        options = settings.per_photo, settings.photo_side, settings.operations
        examples = photos.read_examples(location, *options, recipe.seed, tally)
    else:
        folder = Path() if recipe.data.path is None else _source_path(name, recipe)
        source = settings.hub if recipe.data.path is None else f"hub/{folder.name}"
        examples = hub.read_examples(location, _columns(settings), folder if folder.is_dir() else folder.parent, tally)
    return (_with_licence(edit, source, licence) for edit in examples)


def _with_licence(example: EditExample, source: str, licence: str) -> EditExample:
    """The example with source and licence, unless its file gives them."""
    return replace(example, source=example.source or source, licence=example.licence or licence)


def _table_columns(settings: Settings) -> tuple[str, ...]:
    """The names of columns in the order of table.ALIASES."""
    return (
        settings.image_column, settings.edited_column, settings.instruction_column, settings.input_column,
        settings.output_column,
    )  # fmt: skip


def _columns(settings: Settings) -> hub.Columns:
    names = (settings.image_column, settings.instruction_column, settings.edited_column)
    return hub.Columns(*names, settings.input_column, settings.output_column)


def _load_from_hub(settings: Settings) -> dict[str, hub.NamedRows]:
    """Rows by split of a dataset on the hub. Raises ZooError if it cannot be loaded."""
    import datasets

    if not settings.hub:
        fix = "set data.options.hub=name/of-a-set"
        raise ZooError("neither data.path nor data.options.hub", "a folder, or the id of a set", fix, "data.path")
    try:
        loaded = datasets.load_dataset(settings.hub, revision=settings.revision or None)
    except Exception as error:  # whatever the hub or the network raises, the remedy is the same
        reason = f"{type(error).__name__}: {error}"[:200]
        fix = "or pass data.path=FOLDER"
        raise ZooError(f"cannot load {settings.hub} from the hub ({reason})", "a network", fix) from error
    return hub.open_dataset(loaded, settings.hub)
