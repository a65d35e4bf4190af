"""Where rows come from. Every row names its source and licence; pairs of one prompt or one picture are one item.

    world       rows of the microworld, as many as data.sizes says, drawn by data.world
    released    the layout of the paper's data: a folder for every prompt (readers_released.py), from data.path
    hub         columns of pictures, saved by save_to_disk or as Parquet in data.path, or data.options.hub on the hub
    pairs       pictures of one name in two folders of data.path (readers_pairs.py)
    table       JSON Lines or CSV with instruction, image and edited (readers_table.py), from data.path
    photos      your own photos in data.path; the edits are known operations (operations.py)

With several of them data.path is the folder that holds one of each name. A part that no source has is cut out of train,
by item. Beside the backbones of model.py, only this module may touch the network.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from instructzoo.core import recipe as recipes
from instructzoo.core.data import readers as tables
from instructzoo.core.data.line_files import part_of
from instructzoo.core.data.split import PARTS
from instructzoo.core.errors import ZooError, suggest
from instructzoo.core.recipe import Recipe
from instructzoo.core.record import Row
from instructzoo.pix2pix import world
from instructzoo.pix2pix.data import photo_operations, readers
from instructzoo.pix2pix.data.photo_operations import Name
from instructzoo.pix2pix.data.readers import Batch, hub, instructpix2pix, paired_folders, photos, table
from instructzoo.pix2pix.data.readers.base import Edit, Tally

if TYPE_CHECKING:
    import datasets

SOURCES = ("world", "released", "hub", "pairs", "table", "photos")
PUBLISHED = ("released", "hub")
OWN_LICENCE, PUBLISHED_LICENCE = "yours", "see the set's card"


class Settings(recipes.Settings):
    """How pairs are read."""

    skip_damaged: bool = Field(
        False, description="leave out pairs with a missing, damaged or unequal picture and count them; else an error"
    )
    licence: str = Field(
        "", description=f'licence of the rows; none: "{OWN_LICENCE}", of published sets "{PUBLISHED_LICENCE}"'
    )
    hub: str = Field("", description="for hub without data.path: id of the set, such as name/of-a-set")
    revision: str = Field("", description="for hub without data.path: the set's commit, tag or branch; none: main")
    image_column: str = Field("original_image", description="for hub: column of the picture before")
    edited_column: str = Field("edited_image", description="for hub: column of the picture after")
    instruction_column: str = Field("edit_prompt", description="for hub: column of the instruction")
    input_column: str = Field("original_prompt", description="for hub: column of the caption before, where it is there")
    output_column: str = Field("edited_prompt", description="for hub: column of the caption after, where it is there")
    before: str = Field("before", min_length=1, description="for pairs: name of the folder of pictures before")
    after: str = Field("after", min_length=1, description="for pairs: name of the folder of pictures after")
    per_photo: int = Field(4, ge=1, description="for photos: pairs of every photo, each of another operation")
    photo_side: int = Field(512, ge=8, description="for photos: pixels that the longer side is made smaller to")
    operations: tuple[Name, ...] = Field(
        tuple(photo_operations.OPERATIONS), min_length=1, description="for photos: operations to draw from"
    )


def build(recipe: Recipe, parts: Sequence[str] = PARTS) -> datasets.DatasetDict:
    """The raw parts of recipe.data.sources, one after the other, with notes for the card in their descriptions.

    parts: those that are needed; where the sources have them all and train is not among them, the others are not made.
    Raises ZooError for an unknown source, files that are missing or malformed (with their line), a picture that is
    missing or damaged (with its row and file), and where the hub cannot be reached.
    """
    import datasets

    from instructzoo.core.data.tables import dataset

    if unknown := [name for name in recipe.data.sources if name not in SOURCES]:
        raise ZooError(f'no source "{unknown[0]}"', suggest(unknown[0], SOURCES), where="data.sources")
    settings = recipes.validate_part(Settings, recipe.data.options, "data.options")
    held = {name: _places(name, recipe, settings) for name in recipe.data.sources}
    had = {part for places in held.values() for part in places}
    wanted = set(parts) if set(parts) <= had - {"train"} else set(PARTS)
    tallies = {
        (name, part): Tally(settings.skip_damaged) for name, places in held.items() for part in places if part in wanted
    }
    batches = [
        Batch(part, _edits(name, held[name][part], recipe, settings, tally), tally)
        for (name, part), tally in tallies.items()
        if name != "world"
    ]
    read = iter(readers.rows(batches))
    found: dict[str, list[datasets.Dataset]] = {}
    notes: dict[str, list[str]] = {}
    for (name, part), tally in tallies.items():
        rows = _world(recipe, part) if name == "world" else next(read)
        found.setdefault(part, []).append(dataset(rows))
        told = [f"{name}, {part}: {count:,} {remark}" for remark, count in sorted(tally.counts.items()) if count]
        notes.setdefault(part, []).extend(told)
    together = {part: datasets.concatenate_datasets(pieces) for part, pieces in found.items()}
    for part, whole in together.items():
        whole.info.description = "\n".join(notes[part])
    return datasets.DatasetDict(together)


def gold(path: Path, task: str = "") -> Iterator[tuple[str, Row]] | None:
    """Rows of a table of pairs (readers_table.py) with their places; None where a file is none.

    Raises ZooError for a task, for malformed lines and for pictures that are missing or damaged.
    """
    if task:
        raise ZooError(f'the task "{task}"', "none: edits are one task", where="--task")
    return _gold(path) if table.is_table(path) else None


def _gold(path: Path) -> Iterator[tuple[str, Row]]:
    edits = [_signed(edit, "table", OWN_LICENCE) for edit in table.table(path)]
    (rows,) = readers.rows([Batch("test", edits, Tally())])
    yield from zip((edit.where for edit in edits), rows, strict=True)


def _world(recipe: Recipe, part: str) -> Iterator[Row]:
    settings = recipes.validate_part(world.Settings, recipe.data.world, "data.world")
    n = recipe.data.sizes.model_dump()[part]
    return (row | {"variants": ""} for row in world.generate(n, recipe.seed, part, settings))


def _places(name: str, recipe: Recipe, settings: Settings) -> dict[str, Any]:
    """Where the parts of a source lie: folders, files, or rows of a set."""
    if name == "world":
        return dict.fromkeys(world.SPLITS)
    if name == "hub" and recipe.data.path is None:
        return dict(_hub(settings))
    path = _path(name, recipe)
    if name == "hub":
        return dict(hub.local(path))
    if name == "table":
        found: dict[str, list[Path]] = {}
        for file in tables.files(path):
            found.setdefault(part_of(file.name), []).append(file)
        return dict(found)
    if not path.is_dir():
        raise ZooError("found a file", "a folder", f"{name} is read from one", str(path))
    return dict(paired_folders.parts(path, settings.before)) if name == "pairs" else {"train": path}


def _path(name: str, recipe: Recipe) -> Path:
    """data.path, or with other sources beside the folder of the source's name in it."""
    if recipe.data.path is None:
        raise ZooError(f'the source "{name}" is read from files', "data.path", "name your folder", "data.path")
    alone = sum(source != "world" for source in recipe.data.sources) == 1
    root = Path(recipe.data.path)
    return tables.existing(root if alone else root / name, folder=True).absolute()


def _edits(name: str, place: Any, recipe: Recipe, settings: Settings, tally: Tally) -> Iterator[Edit]:
    """Edits of a part of a source, signed with source and licence."""
    source, licence = name, settings.licence or (PUBLISHED_LICENCE if name in PUBLISHED else OWN_LICENCE)
    edits: Iterable[Edit]
    if name == "released":
        edits = instructpix2pix.released(place, tally)
    elif name == "pairs":
        edits = paired_folders.pairs(place, settings.before, settings.after, tally)
    elif name == "table":
        edits = (edit for file in place for edit in table.table(file))
    elif name == "photos":
        drawn = settings.per_photo, settings.photo_side, settings.operations
        edits = photos.photos(place, *drawn, recipe.seed, tally)
    else:
        folder = Path() if recipe.data.path is None else _path(name, recipe)
        source = settings.hub if recipe.data.path is None else f"hub/{folder.name}"
        edits = hub.edits(place, _columns(settings), folder if folder.is_dir() else folder.parent, tally)
    return (_signed(edit, source, licence) for edit in edits)


def _signed(edit: Edit, source: str, licence: str) -> Edit:
    """An edit with source and licence, where its file gives none."""
    return replace(edit, source=edit.source or source, licence=edit.licence or licence)


def _columns(settings: Settings) -> hub.Columns:
    names = (settings.image_column, settings.instruction_column, settings.edited_column)
    return hub.Columns(*names, settings.input_column, settings.output_column)


def _hub(settings: Settings) -> dict[str, hub.Values]:
    """Rows by part of a set on the hub. Raises ZooError where it cannot be had."""
    import datasets

    if not settings.hub:
        fix = "set data.options.hub=name/of-a-set"
        raise ZooError("neither data.path nor data.options.hub", "a folder, or the id of a set", fix, "data.path")
    try:
        loaded = datasets.load_dataset(settings.hub, revision=settings.revision or None)
    except Exception as error:  # whatever hub and network raise, the way out is the same
        reason = f"{type(error).__name__}: {error}"[:200]
        fix = "or pass data.path=FOLDER"
        raise ZooError(f"cannot load {settings.hub} from the hub ({reason})", "a network", fix) from error
    return hub.opened(loaded, settings.hub)
