"""Baselines without a model: the most frequent answer, that of the nearest training question, the last turn.

Each learns from the training rows of the same task type and data set, else of the same task type, and names only
options that the question offers. They are `baseline(train, test) -> one raw text per test row`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from instructzoo.core.record import Row
from instructzoo.core.score import baselines as core_baselines
from instructzoo.core.score.term_lookup import most_frequent_label, training_rows
from instructzoo.dialogue.data.field_format import END_OF_TURN, split_fields
from instructzoo.dialogue.data.row_fields import options_of, task_of, written_options
from instructzoo.dialogue.metrics.groups import training_set_of
from instructzoo.dialogue.prompts.answer_format import NONE
from instructzoo.dialogue.tasks import NOT_PRESENT

Key = tuple[str, str]
"""A task type and a data set; "" stands for all data sets."""


def most_frequent(train: Sequence[Row], test: Sequence[Row]) -> list[str]:
    """The most frequent answer of the training questions of the same kind, among the options where some are on offer.

    Args:
        train: The training rows.
        test: The rows to answer.

    Returns:
        One answer per test row, in order.
    """
    counts: dict[Key, Counter[str]] = defaultdict(Counter)
    for row in training_rows(train):
        for key in _keys(row):
            counts[key][str(row["output"])] += 1
    return [_frequent(row, counts) for row in test]


def _frequent(row: Row, counts: dict[Key, Counter[str]]) -> str:
    options = options_of(row) if task_of(row).answer == "option" else ()
    for key in _keys(row):
        if answer := most_frequent_label(counts.get(key, {}), frozenset(options) or None):
            return _written(row, answer)
    return _written(row, options[0]) if options else _nothing(row)


def nearest(train: Sequence[Row], test: Sequence[Row]) -> list[str]:
    """The answer of the training question of the same kind whose fields have the most similar words.

    Args:
        train: The training rows.
        test: The rows to answer.

    Returns:
        One answer per test row, in order; the most frequent one where the neighbour's is not on offer.
    """
    by_key: dict[Key, list[Row]] = defaultdict(list)
    for row in training_rows(train):
        for key in _keys(row):
            by_key[key].append({**row, "instruction": ""})
    answers = most_frequent(train, test)
    asked: dict[Key, list[int]] = defaultdict(list)
    for index, row in enumerate(test):
        for key in [key for key in _keys(row) if key in by_key][:1]:
            asked[key].append(index)
    for key, indices in asked.items():
        found = core_baselines.nearest(by_key[key], [{**test[index], "instruction": ""} for index in indices])
        for index, answer in zip(indices, found, strict=True):
            row = test[index]
            if task_of(row).answer != "option" or answer in options_of(row):
                answers[index] = _written(row, answer)
    return answers


def last_turn(train: Sequence[Row], test: Sequence[Row]) -> list[str]:
    """The last turn of the dialogue for free text, no slot for slots and states, else the first option on offer.

    Args:
        train: The training rows, which are not used.
        test: The rows to answer.

    Returns:
        One answer per test row, in order.
    """
    return [_last_turn(row) for row in test]


def _last_turn(row: Row) -> str:
    task = task_of(row)
    if task.answer == "option":
        return written_options(row)[0]
    if task.answer in ("slots", "span"):
        return _nothing(row)
    fields = split_fields(row["input"]) if row.get("input") else []
    return fields[-1][1].rpartition(END_OF_TURN)[2].strip() if fields else ""


def _nothing(row: Row) -> str:
    """The answer that says that there is nothing."""
    return {"slots": NONE, "span": NOT_PRESENT}.get(task_of(row).answer, "")


def _keys(row: Row) -> tuple[Key, Key]:
    name = task_of(row).name
    return (name, training_set_of(row)), (name, "")


def _written(row: Row, answer: str) -> str:
    """An answer as a model would write it: an option that the row labels with letters by its letter."""
    if task_of(row).answer != "option":
        return answer
    return written_options(row)[options_of(row).index(answer)]
