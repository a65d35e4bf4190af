"""Reads the rows of Goat and the tasks of BIG-bench; Python's integers check every answer.

    goat       {"instruction": "What is 3+4?", "input": "3 + 4", "output": "3 + 4 = 7", "answer": "7"}
    bigbench   {"examples": [{"input": "What is 3 plus 4?", "target": "7"}]}

Both become rows with the columns of the world: a clean `input` ("3 + 4"), `answer`, `operation`, `digits` and `item`.
`where` is the place of a row in its file, for error messages.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from instructzoo.arithmetic import prompts
from instructzoo.arithmetic.problem import MAX_READ_DIGITS, SIGNS, UNDEFINED, Problem
from instructzoo.core import runs
from instructzoo.core.data.readers import data_files
from instructzoo.core.errors import ZooError
from instructzoo.core.record import Invalid, Row, row_id

LICENCE = "Apache-2.0"
"""The licence of tiedong/goat by its hub card, and of the BIG-bench repository."""

_OPERATIONS = {sign: operation for operation, sign in SIGNS.items()} | {"x": "multiply", "×": "multiply", "÷": "divide"}
_OPERATIONS |= {
    "plus": "add",
    "minus": "subtract",
    "times": "multiply",
    "multiplied by": "multiply",
    "divided by": "divide",
}
_SIGN = "|".join(sorted(map(re.escape, _OPERATIONS), key=len, reverse=True))
_EXPRESSION = re.compile(rf"(-?\d+)\s*({_SIGN})\s*(-?\d+)", re.IGNORECASE)


def read_goat(records: Iterable[tuple[str, Mapping[str, Any]]]) -> Iterator[Row]:
    """Rows of the published training data of Goat, or of your own data in that form.

    Args:
        records: Pairs of a place and the record there, with the texts instruction, input and output and, optionally,
            answer.

    Yields:
        Rows with all columns; instruction and output are as published.

    Raises:
        ZooError: A record lacks a text, names no problem, or its answer or output is wrong.
    """
    for where, values in records:
        texts = {name: _text(values, name, where) for name in ("instruction", "input", "output")}
        answer = values.get("answer")
        yield make_row(texts, "" if answer is None else str(answer), "goat", where)


def read_bigbench(records: Iterable[tuple[str, Mapping[str, Any]]], question_field: str = "input") -> Iterator[Row]:
    """Rows of the arithmetic task of BIG-bench; their output is the bare answer.

    Args:
        records: Pairs of a place and the example there, with `target`, `targets` or `target_scores`.
        question_field: The field that holds the question: "input" in task files, "inputs" on the hub.

    Yields:
        Rows with all columns.

    Raises:
        ZooError: An example lacks its question or answer, names no problem, or its answer is wrong.
    """
    for where, values in records:
        question = _text(values, question_field, where)
        answer = _target(values, where)
        texts = {"instruction": question.strip(), "input": question, "output": answer}
        yield make_row(texts, answer, "bigbench", where)


def bigbench_examples(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The examples of a task file, or of all task files in a folder, whose other JSON files are skipped.

    Yields:
        Pairs of a place and an example.

    Raises:
        ZooError: A task's examples are no list, or there are none at all.
    """
    has_examples = False
    for file in data_files(path):
        task = runs.read_json(file) if file.suffix == ".json" else None
        if not isinstance(task, dict) or "examples" not in task:
            continue
        if not isinstance(task["examples"], list):
            type_name = type(task["examples"]).__name__
            raise ZooError(f'"examples" is {type_name}', "a list of objects", "correct the file", str(file))
        for number, example in enumerate(task["examples"], 1):
            has_examples = True
            yield f"{file}, example {number}", example
    if not has_examples:
        raise ZooError(
            "no examples", 'a BIG-bench task: {"examples": [...]}', "point data.path at task.json", str(path)
        )


def make_row(texts: Mapping[str, str], published_answer: str, source: str, where: str) -> Row:
    """A published row with its clean input and the columns that follow from its problem.

    The published answer and the output may be written in any form that a lenient reader understands: "2 R 0" is 2. A
    division by 0 may have any published answer that is no number.

    Args:
        texts: instruction, input and output as published; the input names the problem.
        published_answer: May be empty, then the output alone is checked.
        source: The row's source.
        where: The place of the row, for error messages.

    Raises:
        ZooError: The input names no problem, its numbers are too long, or the published answer or the output gives
            another number than Python's integers.
    """
    match = _EXPRESSION.search(texts["input"])
    if not match or len(re.findall(r"\d+", texts["input"])) != 2:
        message = f'no problem in "{texts["input"][:60]}"'
        raise ZooError(message, "two whole numbers and a sign, such as 12 + 34", "correct or remove the row", where)
    if (size := max(len(match[1]), len(match[3]))) > MAX_READ_DIGITS:
        raise ZooError(
            f"a number of {size:,} digits", f"at most {MAX_READ_DIGITS:,}", "correct or remove the row", where
        )
    problem = Problem(_OPERATIONS[match[2].casefold()], int(match[1]), int(match[3]))
    truth = problem.answer
    if not _gives(published_answer, truth, if_unreadable=truth == UNDEFINED):
        message = f'answer "{_shorten(published_answer)}" to {match[0]}'
        raise ZooError(message, f'"{truth}"', "correct or remove the row", where)
    if not _gives(texts["output"], truth):
        message = f'output "{_shorten(texts["output"])}" to {match[0]}'
        raise ZooError(message, f'one that ends in "{truth}"', "correct or remove the row", where)
    row: Row = {**texts, "input": problem.expression, "source": source, "licence": LICENCE}
    row |= {"answer": truth, "operation": problem.operation, "item": problem.item, "digits": problem.digit_pair.name}
    row["id"] = row_id(row["instruction"], row["input"], row["output"])
    return row


def _target(values: Mapping[str, Any], where: str) -> str:
    """The published answer: `target` (or the first of `targets`), or the best of `target_scores`."""
    target = values.get("target", values.get("targets"))
    if isinstance(target, list) and target:
        target = target[0]
    scores = values.get("target_scores")
    if target is None and isinstance(scores, Mapping) and scores:
        if not all(isinstance(score, int | float) for score in scores.values()):
            raise ZooError('a score in "target_scores" is no number', "a number for each", "correct the row", where)
        target = max(scores, key=lambda text: scores[text])
    if not isinstance(target, str | int):
        raise ZooError("no answer", '"target" or "target_scores"', "check that this is a BIG-bench task", where)
    return str(target).strip()


def _gives(text: str, truth: str, if_unreadable: bool = False) -> bool:
    """Whether a published text, read leniently, gives the true answer; `if_unreadable` for a text without an answer.

    An empty text passes: without a published answer the output decides, and `data.clean` counts rows without output.
    """
    if not text.strip():
        return True
    answer = prompts.parse(text, {}, lenient=True)
    return if_unreadable if isinstance(answer, Invalid) else answer.value == truth


def _shorten(text: str, most: int = 60) -> str:
    """The end of a long text, where the answer is."""
    return text if len(text) <= most else "..." + text[-most:]


def _text(values: Mapping[str, Any], name: str, where: str) -> str:
    if not isinstance(values, Mapping) or not isinstance(values.get(name), str):
        raise ZooError(f'no text "{name}"', f'an object with "{name}"', "correct or remove the row", where)
    return str(values[name])
