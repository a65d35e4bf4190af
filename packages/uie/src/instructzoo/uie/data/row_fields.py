"""The columns of a question (see prompts.py), read and checked.

Rows of the house hold lists and objects as JSON text; a user's row may hold them as they are.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from instructzoo.core.errors import ZooError, suggest
from instructzoo.uie.schema import TASKS, Labels

GIVEN = {"et": "Entities", "epr": "Pairs", "eea": "Event"}
"""What a prompt of these tasks gives beside the text."""


def task_of(row: Mapping[str, Any]) -> str:
    """The task of a question. Raises ZooError for one that is not known."""
    task = row.get("task") or "ner"
    if task not in TASKS:
        raise ZooError(f'the task "{task}"', suggest(str(task), TASKS), 'set "task"')
    return str(task)


def labels_of(row: Mapping[str, Any]) -> Labels:
    """The labels that a question offers, in its order. Raises ZooError where there are none or they have no form."""
    task, options = task_of(row), _loaded(row.get("options"), "options")
    if task == "ee":
        if not isinstance(options, Mapping) or set(options) != {"events", "roles"}:
            raise ZooError('"options" of ee', '{"events": ["attack"], "roles": ["victim"]}', 'set "options"')
        return Labels(
            _texts(options["events"], 'the "events" of "options"'), _texts(options["roles"], "roles", empty=True)
        )
    return Labels(_texts(options, '"options"'))


def given_of(row: Mapping[str, Any]) -> Any:
    """What a question gives: spans for et, pairs for epr, a type for eea; none for other tasks. Raises ZooError."""
    task = task_of(row)
    if task not in GIVEN:
        return None
    given = row.get("given")
    if task == "eea":
        if isinstance(given, str) and given.startswith('"'):
            given = _loaded(given, "given")
        if not isinstance(given, str) or not given.strip():
            raise ZooError('no event type in "given"', '"given": "attack"', "say whose arguments are asked")
        return given
    given = _loaded(given, "given")
    if task == "et":
        return _texts(given, '"given"', empty=True)
    if not isinstance(given, Sequence) or isinstance(given, str):
        raise ZooError('no pairs in "given"', '"given": [["Ann", "Oslo"]]', "say whose relation is asked")
    pairs = tuple(_texts(pair, 'a pair of "given"') for pair in given)
    if any(len(pair) != 2 for pair in pairs):
        raise ZooError('a pair of "given" that has not two spans', '"given": [["Ann", "Oslo"]]', "mend the row")
    return pairs


def event_of(row: Mapping[str, Any]) -> str:
    """The event's type that an eea question names; "" for other tasks, and where it names none."""
    return str(given_of(row)) if row.get("task") == "eea" and row.get("given") else ""


def _loaded(value: Any, name: str) -> Any:
    """A column as an object: rows of the house hold JSON text, a user's row may hold the object itself."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value) if value.strip() else None
    except ValueError as error:
        raise ZooError(
            f'"{name}" is no JSON: "{value[:40]}"', 'a list such as ["person", "city"]', "mend it"
        ) from error


def _texts(values: Any, name: str, empty: bool = False) -> tuple[str, ...]:
    if not isinstance(values, Sequence) or isinstance(values, str) or not all(isinstance(v, str) for v in values):
        raise ZooError(f"{name} is no list of texts", '["person", "city"]', "name the labels", "")
    if not (values or empty):
        raise ZooError(f"{name} is empty", "one label at least", "name the labels")
    return tuple(values)
