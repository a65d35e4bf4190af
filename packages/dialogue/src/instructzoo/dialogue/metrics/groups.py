"""The groups that a row is reported in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from instructzoo.core.record import Row
from instructzoo.core.score.scorers import rows_by_group
from instructzoo.dialogue.data.row_fields import options_of, task_of
from instructzoo.dialogue.tasks import NONE_OF_THE_ABOVE

IN_SCOPE, OUT_OF_SCOPE = "in scope", "out of scope"


def indices_by_group(rows: Sequence[Row]) -> dict[str, list[int]]:
    """The rows of every group; a group of task types is left out where only one of them is asked.

    Args:
        rows: The rows to score.

    Returns:
        Indices into `rows` by group, "all" first.
    """
    names: dict[str, set[str]] = {}
    for row in rows:
        names.setdefault(task_of(row).group, set()).add(task_of(row).name)
    indices = rows_by_group(rows, groups)
    return {group: found for group, found in indices.items() if len(names.get(group, ())) != 1}


def groups(row: Row) -> Iterator[str]:
    """The groups of a row besides all rows.

    Args:
        row: The row.

    Yields:
        The group of its task type, its task type, and its data set with the task type ("snips intent_classification");
        for intents with "none of the above" on offer also whether an intent fits ("clinc150 in scope") or none does.
    """
    task, dataset = task_of(row), str(row.get("dataset") or "")
    yield task.group
    yield task.name
    if dataset and dataset != "world":
        yield f"{dataset} {task.name}"
    if task.name == "intent_classification" and NONE_OF_THE_ABOVE in options_of(row):
        scope = OUT_OF_SCOPE if row.get("output") == NONE_OF_THE_ABOVE else IN_SCOPE
        yield f"{dataset} {scope}".strip()
