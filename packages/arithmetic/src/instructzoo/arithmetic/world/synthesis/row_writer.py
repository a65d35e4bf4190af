"""Turns problems into the columns of their rows; Python's integers check every answer.

Rows are written column by column over plain lists: one core writes well over 100,000 rows a second
(tests/benchmarks/synthesis_speed.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

import numpy as np

from instructzoo.arithmetic.problem import MAX_DIGITS, OPERATIONS, SIGNS, UNDEFINED, solve
from instructzoo.arithmetic.world.synthesis import scratchpads
from instructzoo.arithmetic.world.synthesis.phrasing import draw_phrases
from instructzoo.arithmetic.world.synthesis.problem_arrays import IntArray, ProblemArrays, count_digits, item_operands

SOURCE, LICENCE = "world", "Apache-2.0"
"""The two columns that are the same in all rows."""

VARYING_COLUMNS = ("id", "instruction", "input", "output", "item", "answer", "operation", "digits")
"""The columns that differ from row to row."""

Columns = dict[str, list[str]]


class WrongAnswer(RuntimeError):
    """A written row disagrees with Python's integers: a bug of this package, never a user error."""


@dataclass(frozen=True, slots=True)
class Style:
    """How rows are written.

    Args:
        product_steps: Write out the steps of long products; off: direct answers.
        division_steps: Write out the steps of long divisions; off: direct answers.
        short_division: With division_steps, write them out for one-digit divisors too.
        noise: Vary the expression: another sign, a word for it, fewer spaces.
        wordings: Put an instruction around the expression.
    """

    product_steps: bool = True
    division_steps: bool = True
    short_division: bool = True
    noise: bool = True
    wordings: bool = True


def write_rows(problems: ProblemArrays, rng: np.random.Generator, style: Style) -> tuple[Columns, IntArray]:
    """Write the rows of n problems.

    Args:
        problems: The problems, of any mix of operations.
        rng: Draws the wordings.
        style: How the rows are written.

    Returns:
        The values of every column in VARYING_COLUMNS, grouped by operation, and for each problem the position of its
        row in them, shape [n].

    Raises:
        WrongAnswer: Python's integers do not confirm a row's answer or the end of its output.
    """
    columns: Columns = {name: [] for name in VARYING_COLUMNS}
    problem_indices = []
    for code, operation in enumerate(OPERATIONS):
        indices = np.flatnonzero(problems.operation == code)
        if len(indices):
            problem_indices.append(indices)
            for name, values in _write_operation(operation, problems.take(indices), rng, style).items():
                columns[name] += values
    row_of_problem = np.empty(len(problems.left), np.int64)
    row_of_problem[np.concatenate(problem_indices) if problem_indices else []] = np.arange(len(row_of_problem))
    return columns, row_of_problem


def _write_operation(operation: str, problems: ProblemArrays, rng: np.random.Generator, style: Style) -> Columns:
    """The columns of problems that all have one operation."""
    lefts, rights = list(map(str, problems.left.tolist())), list(map(str, problems.right.tolist()))
    heads, middles, tails = draw_phrases(operation, len(lefts), rng, style.noise, style.wordings)
    sign = SIGNS[operation]
    inputs = [f"{left} {sign} {right}" for left, right in zip(lefts, rights, strict=True)]
    answers, outputs = _solve(operation, problems, inputs, style)
    _check(operation, inputs, outputs, answers)
    instructions = [
        f"{head}{left}{middle}{right}{tail}"
        for head, left, middle, right, tail in zip(heads, lefts, middles, rights, tails, strict=True)
    ]
    texts = zip(instructions, inputs, outputs, strict=True)  # record.row_id, inlined: a call for each row is slow
    ids = [blake2b(f"{x}\x1f{y}\x1f{z}".encode(), digest_size=8).hexdigest() for x, y, z in texts]
    first, second = (operands.tolist() for operands in item_operands(problems))
    items = [f"{operation} {left} {right}" for left, right in zip(first, second, strict=True)]
    sizes = range(MAX_DIGITS + 1)
    pair_names = np.array([[f"{i}D{sign}{j}D" for j in sizes] for i in sizes], object)
    return {
        "id": ids,
        "instruction": instructions,
        "input": inputs,
        "output": outputs,
        "item": items,
        "answer": answers,
        "operation": [operation] * len(ids),
        "digits": pair_names[count_digits(problems.left), count_digits(problems.right)].tolist(),
    }


def _solve(operation: str, problems: ProblemArrays, inputs: list[str], style: Style) -> tuple[list[str], list[str]]:
    """Answers and outputs, by numpy's 64-bit integers: the limits keep every result below 10**17."""
    _, left, right = problems
    if operation == "divide":
        return _divide(left, right, inputs, style)
    results = {"add": np.add, "subtract": np.subtract, "multiply": np.multiply}[operation](left, right).tolist()
    if operation == "multiply" and style.product_steps:
        triples = zip(left.tolist(), right.tolist(), results, strict=True)
        return list(map(str, results)), [scratchpads.multiplication(a, b, product) for a, b, product in triples]
    return list(map(str, results)), [f"{text} = {result}" for text, result in zip(inputs, results, strict=True)]


def _divide(left: IntArray, right: IntArray, inputs: list[str], style: Style) -> tuple[list[str], list[str]]:
    """Answers and outputs of divisions: with steps where the style asks for them, undefined by 0."""
    quotients, remainders = (values.tolist() for values in np.divmod(left, np.maximum(right, 1)))
    answers = [f"{q} R {r}" if r else str(q) for q, r in zip(quotients, remainders, strict=True)]
    outputs = [f"{text} = {answer}" for text, answer in zip(inputs, answers, strict=True)]
    with_steps = (right > 9) | style.short_division if style.division_steps else np.zeros(len(left), bool)
    lefts, rights = left.tolist(), right.tolist()
    for i in np.flatnonzero(with_steps & (right > 0)).tolist():
        outputs[i] = scratchpads.division(lefts[i], rights[i], quotients[i], remainders[i])
    for i in np.flatnonzero(right == 0).tolist():
        answers[i], outputs[i] = UNDEFINED, f"{inputs[i]} is {UNDEFINED}"
    return answers, outputs


def _check(operation: str, inputs: list[str], outputs: list[str], answers: list[str]) -> None:
    """Read every input back and compare the answer and the end of the output with Python's own integers."""
    for text, output, answer in zip(inputs, outputs, answers, strict=True):
        left, _, right = text.split(" ")
        truth = solve(operation, int(left), int(right))
        ends_right = output.endswith(f" = {truth}") or (truth == UNDEFINED and output == f"{text} is {UNDEFINED}")
        if answer != truth or not ends_right:
            raise WrongAnswer(f'"{text}": wrote answer "{answer}" and output "{output[-60:]}", Python says {truth}')
