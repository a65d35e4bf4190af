"""InstructDial's zero-shot and few-shot protocol: task types and data sets that training never sees.

    held out     task types that are tested, and no training row has
    kin          task types that are neither tested nor trained on, since they would teach one that is held out
    few-shot     so many training rows of each task type that is held out: one for each answer where it is an option,
                 then the same number from each data set
    test         at most so many rows of each task type, the same number from each data set

After configs/experiments in prakharguptaz/Instructdial. A training row that breaks the protocol is an error.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from random import Random

from pydantic import Field

from instructzoo.core import recipe as recipes
from instructzoo.core.errors import ZooError
from instructzoo.core.record import Row
from instructzoo.dialogue.tasks import TASKS

KIN = (("relation_classification", "relation_present"), ("eval_ranking", "eval_binary", "eval_rating"))
"""Task types that ask for the same in other words: where one is held out, training has none of the others."""


class ZeroShot(recipes.Settings):
    """data.options.zero_shot: which task types training does not see."""

    tasks: tuple[str, ...] = Field((), description="task types held out: tested, not trained on; empty: off")
    kin: tuple[str, ...] = Field((), description="task types that are neither tested nor trained on")
    few_shot: int = Field(0, ge=0, description="training rows of each task type held out; 0: zero-shot")
    per_task: int = Field(500, ge=1, description="test rows of each task type held out, at most")

    def training_tasks(self, tasks: Sequence[str]) -> tuple[str, ...]:
        """The task types of training among those that a data set feeds."""
        return tuple(task for task in tasks if task not in (*self.tasks, *self.kin))

    def tested_tasks(self, tasks: Sequence[str], dataset_held_out: bool) -> tuple[str, ...]:
        """The task types of the test part: those held out, and all that a data set feeds which is held out itself."""
        return tuple(task for task in tasks if not self.tasks or dataset_held_out or task in self.tasks)


def few_shot_rows(rows: Iterable[Row], number: int, seed: int) -> list[Row]:
    """The few-shot rows of one task type.

    Args:
        rows: Its rows in the training parts of all data sets.
        number: How many.
        seed: Decides which.

    Returns:
        One row for each answer where the task type is answered with an option, as far as `number` goes, then rows of
        each data set in turn.
    """
    shuffled = list(rows)
    Random(f"{seed} few-shot").shuffle(shuffled)
    first: dict[str, Row] = {}
    for row in shuffled:
        if TASKS[row["task"]].answer == "option":
            first.setdefault(row["output"], row)
    chosen = list(first.values())[:number]
    ids = {row["id"] for row in chosen}
    others = evenly((row for row in shuffled if row["id"] not in ids), number - len(chosen))
    return [*chosen, *others]


def evenly(rows: Iterable[Row], number: int) -> list[Row]:
    """The first rows of each data set in turn, `number` in all; fewer where there are no more."""
    by_dataset: dict[str, list[Row]] = {}
    for row in rows:
        by_dataset.setdefault(row["dataset"], []).append(row)
    in_turn = [row for turn in zip_longest(*by_dataset.values()) for row in turn if row is not None]
    return in_turn[:number]


def limited_test(rows: Iterable[Row], settings: ZeroShot, seed: int) -> list[Row]:
    """The rows of the test part: at most `per_task` of each task type held out, and all others.

    Args:
        rows: Test rows of all data sets.
        settings: The protocol.
        seed: Decides which rows are taken.

    Returns:
        The rows.
    """
    by_task: dict[str, list[Row]] = {}
    for row in rows:
        by_task.setdefault(row["task"], []).append(row)
    for task in settings.tasks:
        if task in by_task:
            Random(f"{seed} {task}").shuffle(by_task[task])
            by_task[task] = evenly(by_task[task], settings.per_task)
    return [row for of_task in by_task.values() for row in of_task]


def check(train: Iterable[Row], test: Iterable[Row], settings: ZeroShot, held_out: Sequence[str]) -> None:
    """Check that training rows do not break the protocol.

    Args:
        train: All rows that are trained on, or that stop a training.
        test: The test rows.
        settings: The protocol.
        held_out: Sources of which only the test part is used.

    Raises:
        ZooError: Training has rows of a task type that is held out (more than `few_shot` of them) or of its kin, of a
            source that is held out, or with an item of the test part.
    """
    items = {row["item"] for row in test}
    kin = {*settings.kin, *(task for group in KIN if {*group} & {*settings.tasks} for task in group)}
    forbidden = kin - {*settings.tasks}
    counts = Counter[str]()
    for row in train:
        counts[row["task"]] += 1
        if row["task"] in forbidden:
            fix = "name it in data.options.zero_shot.kin"
            raise ZooError(f"training rows of {row['task']}", "none, for a task type held out is its kin", fix)
        if row["source"] in held_out:
            raise ZooError(f"training rows of {row['source']}", "none, since it is held out")
        if row["item"] in items:
            raise ZooError(f'"{row["item"][:60]}" in training and test', "items in one part each")
    for task in settings.tasks:
        if counts[task] > settings.few_shot:
            raise ZooError(f"{counts[task]:,} training rows of {task}", f"{settings.few_shot}, since it is held out")
