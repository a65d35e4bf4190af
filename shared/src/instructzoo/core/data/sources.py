"""What the `sources.build` of every domain does: check names, choose splits, collect rows and notes by split."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from instructzoo.core.data.split import SPLITS
from instructzoo.core.errors import ZooError, suggest
from instructzoo.core.recipe import Recipe, Settings
from instructzoo.core.record import Row

if TYPE_CHECKING:
    import datasets

OWN_LICENCE = "yours"
"""Licence of rows that a user brings."""


class NoSettings(Settings):
    """The sources have nothing to set beyond data.path, data.sizes and data.world."""


def no_published_format(path: Path, task: str = "") -> None:
    """`sources.gold` of a domain that reads no published format: `zoo score` then reads rows.

    Args:
        path: The file that `zoo score` is given; it is not read.
        task: The task that --task names; empty where it names none.

    Raises:
        ZooError: For a task, since all rows of such a domain are one task.
    """
    if task:
        raise ZooError(f'the task "{task}"', "none: rows of this domain are one task", where="--task")


def check_sources(recipe: Recipe, known: Iterable[str]) -> None:
    """Check that a domain has every source that data.sources names.

    Args:
        recipe: The recipe.
        known: The names of the domain's sources.

    Raises:
        ZooError: For a name that is not among the known ones, with the most similar known name.
    """
    known = tuple(known)
    if unknown := [name for name in recipe.data.sources if name not in known]:
        raise ZooError(f'no source "{unknown[0]}"', suggest(unknown[0], known), where="data.sources")


def wanted_splits(requested: Sequence[str], available: Collection[str]) -> set[str]:
    """The splits that must be made.

    These are the requested ones where the sources have them all and train is not among them; else all, since a missing
    split is cut out of train.

    Args:
        requested: The splits that the caller asks for.
        available: The splits that the sources have.

    Returns:
        The names of the splits.
    """
    return set(requested) if set(requested) <= set(available) - {"train"} else set(SPLITS)


def reads_one_source(recipe: Recipe) -> bool:
    """Whether data.path belongs to one source alone: only one beside the world is named."""
    return sum(source != "world" for source in recipe.data.sources) == 1


class RowCollector:
    """Rows of several sources, and what is to be said of them in the data card, by split.

    Example:
        rows = RowCollector()
        rows.add("train", sentences, ["rest16, train: 12 sentences without a judgement"])
        rows.dataset_dict()
    """

    def __init__(self) -> None:
        self._datasets: dict[str, list[datasets.Dataset]] = {}
        self._notes: dict[str, list[str]] = {}

    def __bool__(self) -> bool:
        """Whether any rows were added."""
        return bool(self._datasets)

    def add(self, split: str, rows: Iterable[Row] | datasets.Dataset, notes: Iterable[str] = ()) -> None:
        """Append rows and notes to a split.

        Args:
            split: The name of the split.
            rows: The rows; a Dataset is taken as it is.
            notes: Remarks for the data card of the split.
        """
        import datasets

        from instructzoo.core.data.tables import dataset

        table = rows if isinstance(rows, datasets.Dataset) else dataset(rows)
        self._datasets.setdefault(split, []).append(table)
        self._notes.setdefault(split, []).extend(notes)

    def dataset_dict(self) -> datasets.DatasetDict:
        """The rows by split, sources in the order of `add`; a split's notes are lines of its `info.description`."""
        import datasets

        splits = {split: datasets.concatenate_datasets(tables) for split, tables in self._datasets.items()}
        for split, table in splits.items():
            table.info.description = "\n".join(self._notes[split])
        return datasets.DatasetDict(splits)
