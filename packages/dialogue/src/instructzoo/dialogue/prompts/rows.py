"""Rows of questions: how an example becomes a row of the domain."""

from __future__ import annotations

import json
from random import Random
from typing import Any

from instructzoo.core.errors import ZooError, suggest
from instructzoo.core.record import Record, Row, row_id
from instructzoo.dialogue.data.field_format import join_fields
from instructzoo.dialogue.data.row_fields import checked_options
from instructzoo.dialogue.prompts.instructions import INSTRUCTIONS, filled
from instructzoo.dialogue.schema import Example
from instructzoo.dialogue.tasks import TASKS


def make_row(
    example: Example,
    dataset: str,
    source: str,
    licence: str,
    seed: int | str = 0,
    instruction: str = "",
    repeat: int = 0,
) -> Row:
    """The row of an example.

    Args:
        example: The question with its answer.
        dataset: The data set that it comes from, under which scores are reported.
        source: The source, as data.sources names it.
        licence: The licence of the data set.
        seed: With the example's text, it decides the wording of the instruction.
        instruction: The instruction where the source has its own; "" draws a wording.
        repeat: How many rows the question has already: each gets the next wording.

    Returns:
        The row.

    Raises:
        ZooError: The example is malformed: an unknown task type or field, a field token in a text, an option that is
            empty, stands twice or holds the separator, or an answer that is no option.
    """
    _check(example)
    text = join_fields(example.fields)
    rng = Random(f"{seed}\n{example.task}\n{text}\n{sorted(example.names.items())}")
    wordings = INSTRUCTIONS[example.task]
    wording = wordings[(rng.randrange(len(wordings)) + repeat) % len(wordings)]
    instruction = instruction or filled(wording, example.task, example.names)
    columns = {
        "task": example.task,
        "options": _json(checked_options(example.options)),
        "values": _json(example.values),
        "references": _json(example.references),
        "names": _json(example.names),
        "option_labels": example.option_labels,
        "dataset": dataset,
    }
    record = Record(instruction, text, example.output, source, licence, item=example.item or text, extra=columns)
    asked = f"{columns['options']}{example.option_labels}\n{text}"  # with other options it is another question
    return record.row() | {"id": row_id(instruction, asked, example.output)}


def _check(example: Example) -> None:
    if example.task not in TASKS:
        raise ZooError(f'the task "{example.task}"', suggest(example.task, TASKS))
    task = TASKS[example.task]
    unknown = [token for token, _ in example.fields if token not in task.fields]
    if unknown and task.group != "meta":
        raise ZooError(f"the field [{unknown[0]}] in {task.name}", f"among {', '.join(task.fields)}")
    if task.answer == "option" and example.output not in example.options:
        raise ZooError(f'the answer "{example.output[:40]}" to {task.name}', "one of the options", "add it to them")


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if value else ""
