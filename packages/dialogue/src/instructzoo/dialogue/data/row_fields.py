"""Reads and checks the columns of a question (prompts/__init__.py describes them).

Rows that the zoo builds hold lists and objects as JSON text; a user's row may hold the lists and objects themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from string import ascii_uppercase
from typing import Any

from instructzoo.core.data import json_objects
from instructzoo.core.errors import ZooError, suggest
from instructzoo.dialogue.data.field_format import OPTION_SEPARATOR
from instructzoo.dialogue.tasks import TASKS, YES_NO, TaskType


def task_of(row: Mapping[str, Any]) -> TaskType:
    """The task type of a question. Raises ZooError for an unknown one."""
    name = row.get("task") or "intent_classification"
    if name not in TASKS:
        raise ZooError(f'the task "{name}"', suggest(str(name), TASKS), 'set "task"')
    return TASKS[str(name)]


def options_of(row: Mapping[str, Any]) -> tuple[str, ...]:
    """The options of a question, in its order; empty where it has none.

    Args:
        row: A question. One that is answered with yes or no offers both where it has no options of its own.

    Returns:
        The options.

    Raises:
        ZooError: They are malformed, a task type that is answered with an option has none, or the name of a slot has a
            character that separates slots and values in answers.
    """
    task, column = task_of(row), row.get("options")
    options = _options_in(column) if isinstance(column, str) else _checked_column(column)
    if not options and task.options == "yes/no":
        return YES_NO
    if not options and task.answer == "option":
        raise ZooError(f"{task.name} without options", "answers to choose from", 'list them: "options": ["...", "..."]')
    if task.answer == "slots" and (unclear := next((slot for slot in options if set(slot) & set(':;"')), "")):
        raise ZooError(f"the slot '{unclear[:40]}'", "names without colon, semicolon and quotes", "rename it")
    return options


@lru_cache(maxsize=256)  # one row is asked for its options several times, and rows may share them
def _options_in(text: str) -> tuple[str, ...]:
    return _checked_column(_from_json(text, "options"))


def _checked_column(values: Any) -> tuple[str, ...]:
    return checked_options(_strings(values or (), '"options"'))


def written_options(row: Mapping[str, Any]) -> tuple[str, ...]:
    """What is written to choose each of the options of a question: its label where the row labels them, else its words.

    Args:
        row: A question.

    Returns:
        The texts, in the order of `options_of`.

    Raises:
        ZooError: Options or labels are malformed, or there are more options than letters.
    """
    options, labels = options_of(row), row.get("option_labels") or ""
    if not labels or task_of(row).answer != "option":
        return options
    if labels not in ("letters", "numbers"):
        raise ZooError(f'"option_labels" is "{labels}"', '"letters", "numbers" or nothing', "correct the row")
    if labels == "numbers":
        return tuple(map(str, range(len(options))))
    if len(options) > len(ascii_uppercase):
        raise ZooError(f"{len(options)} options with letters", f"at most {len(ascii_uppercase)}", "leave letters out")
    return tuple(ascii_uppercase[: len(options)])


def names_of(row: Mapping[str, Any]) -> dict[str, str]:
    """What the instruction of a question names, by placeholder, such as {"slot": "city"}."""
    names = _from_json(row.get("names"), "names") or {}
    if not isinstance(names, Mapping) or not all(isinstance(name, str) for name in names.values()):
        raise ZooError('"names" is no object of texts', '{"slot": "city"}', "correct the row")
    return {str(placeholder): name for placeholder, name in names.items()}


def values_of(row: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """By slot, the values that an answer may have although the dialogue does not contain them."""
    values = _from_json(row.get("values"), "values") or {}
    if not isinstance(values, Mapping):
        raise ZooError('"values" is no object', '{"area": ["dontcare"]}', "correct the row")
    return {str(slot): _strings(texts, f'the values of "{slot}"') for slot, texts in values.items()}


def references_of(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Further right answers to a question."""
    return _strings(_from_json(row.get("references"), "references") or (), '"references"')


def checked_options(options: Sequence[str]) -> tuple[str, ...]:
    """The options. Raises ZooError for an empty one, one that stands twice, and one that holds the separator."""
    seen: set[str] = set()
    for option in options:
        if not option.strip():
            raise ZooError("an empty option", "options with a text", "correct the row")
        if OPTION_SEPARATOR in option or "\n" in option:
            raise ZooError(f'the option "{option[:40]}"', f'options without "{OPTION_SEPARATOR}" and line breaks')
        if option in seen:
            raise ZooError(f'the option "{option}" twice', "different options", "leave one out")
        seen.add(option)
    return tuple(options)


def _from_json(value: Any, name: str) -> Any:
    return json_objects.column_value(value, name, 'such as ["yes", "no"]')


def _strings(values: Any, name: str) -> tuple[str, ...]:
    return json_objects.texts(values, name, '["yes", "no"]', "correct the row")
