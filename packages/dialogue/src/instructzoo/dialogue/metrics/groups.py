"""The groups that a row is reported in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from instructzoo.core.record import Row
from instructzoo.core.score.scorers import rows_by_group
from instructzoo.dialogue.data.question_rows import OUT_OF_SCOPE
from instructzoo.dialogue.data.row_fields import task_of
from instructzoo.dialogue.tasks import TASKS

_ORDER = {
    name: index
    for index, name in enumerate(dict.fromkeys(name for task in TASKS.values() for name in (task.group, task.name)))
}


def indices_by_group(rows: Sequence[Row]) -> dict[str, list[int]]:
    """The rows of every group; a group of task types is left out where only one of them is asked.

    Args:
        rows: The rows to score.

    Returns:
        Indices into `rows` by group: "all" first, then in the order of the table of task types each group, its task
        types and their data sets.
    """
    names: dict[str, set[str]] = {}
    for row in rows:
        names.setdefault(task_of(row).group, set()).add(task_of(row).name)
    indices = rows_by_group(rows, groups)
    return {group: indices[group] for group in sorted(indices, key=_order) if len(names.get(group, ())) != 1}


def _order(group: str) -> tuple[int, str]:
    """Sort key of a group; one of a data set comes after its task type, the last word of its name."""
    dataset, _, name = group.rpartition(" ")
    return _ORDER.get(name, -1), dataset


def groups(row: Row) -> Iterator[str]:
    """The groups of a row besides all rows.

    Args:
        row: The row.

    Yields:
        The group of its task type, its task type, and its data set with the task type ("snips intent_classification").
        What no intent fits is a data set of its own ("clinc150 out of scope intent_classification").
    """
    task, dataset = task_of(row), str(row.get("dataset") or "")
    yield task.group
    yield task.name
    if dataset and dataset != "world":
        yield f"{dataset} {task.name}"


def training_set_of(row: Row) -> str:
    """The data set that a question belongs to, whether or not an intent fits: a baseline must not be told."""
    return str(row.get("dataset") or "").removesuffix(f" {OUT_OF_SCOPE}")
