"""Reads and checks the columns of a question (prompts/__init__.py describes them).

Rows that the zoo builds hold lists and objects as JSON text; a user's row may hold the lists and objects themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from instructzoo.core.data import json_objects
from instructzoo.core.errors import ZooError, suggest
from instructzoo.uie.schema import TASKS, Labels

GIVEN_HEADINGS = {"et": "Entities", "epr": "Pairs", "eea": "Event"}
"""The tasks whose questions give something besides the text, and the heading of its line in the prompt."""


def task_of(row: Mapping[str, Any]) -> str:
    """The task of a question; ner where the row names none. Raises ZooError for an unknown one."""
    task = row.get("task") or "ner"
    if task not in TASKS:
        raise ZooError(f'the task "{task}"', suggest(str(task), TASKS), 'set "task"')
    return str(task)


def labels_of(row: Mapping[str, Any]) -> Labels:
    """The labels that a question offers, in its order.

    Args:
        row: A question with the column `options`.

    Returns:
        The labels; roles only for the task ee.

    Raises:
        ZooError: Where there is no label, or `options` is malformed.
    """
    task, options = task_of(row), _from_json(row.get("options"), "options")
    if task == "ee":
        if not isinstance(options, Mapping) or set(options) != {"events", "roles"}:
            raise ZooError('"options" of ee', '{"events": ["attack"], "roles": ["victim"]}', 'set "options"')
        types = _strings(options["events"], 'the "events" of "options"')
        return Labels(types, _strings(options["roles"], "roles", may_be_empty=True))
    return Labels(_strings(options, '"options"'))


def given_of(row: Mapping[str, Any]) -> Any:
    """What a question gives besides the text.

    Args:
        row: A question; for et, epr and eea with the column `given`.

    Returns:
        For et a tuple of spans, for epr a tuple of (head, tail), for eea an event type; None for other tasks.

    Raises:
        ZooError: Where `given` is missing or malformed.
    """
    task = task_of(row)
    if task not in GIVEN_HEADINGS:
        return None
    given = row.get("given")
    if task == "eea":
        if isinstance(given, str) and given.startswith('"'):
            given = _from_json(given, "given")
        if not isinstance(given, str) or not given.strip():
            raise ZooError('no event type in "given"', '"given": "attack"', "say whose arguments are asked")
        return given
    given = _from_json(given, "given")
    if task == "et":
        return _strings(given, '"given"', may_be_empty=True)
    if not isinstance(given, Sequence) or isinstance(given, str):
        raise ZooError('no pairs in "given"', '"given": [["Ann", "Oslo"]]', "say whose relation is asked")
    pairs = tuple(_strings(pair, 'a pair of "given"') for pair in given)
    if any(len(pair) != 2 for pair in pairs):
        raise ZooError('a pair of "given" that has not two spans', '"given": [["Ann", "Oslo"]]', "correct the row")
    return pairs


def event_of(row: Mapping[str, Any]) -> str:
    """The event type that a question of eea names; "" for other tasks, and where it names none."""
    return str(given_of(row)) if row.get("task") == "eea" and row.get("given") else ""


def _from_json(value: Any, name: str) -> Any:
    return json_objects.column_value(value, name, 'a list such as ["person", "city"]')


def _strings(values: Any, name: str, may_be_empty: bool = False) -> tuple[str, ...]:
    """A list of strings as a tuple. Raises ZooError for anything else."""
    labels = json_objects.texts(values, name, '["person", "city"]', "name the labels")
    if not (labels or may_be_empty):
        raise ZooError(f"{name} is empty", "one label at least", "name the labels")
    return labels
