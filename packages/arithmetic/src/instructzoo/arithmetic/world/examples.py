"""Problems -> the columns of their rows, every answer checked by Python integers.

Column by column over plain lists: on one core this writes well over 100,000 rows a second (tests/benchmarks).
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

import numpy as np

from instructzoo.arithmetic.world import scratchpads
from instructzoo.arithmetic.world.digit_pairs import DIGITS, OPERATIONS, Ints, Problems, canonical, digits
from instructzoo.arithmetic.world.phrasing import SIGNS, phrases

SOURCE, LICENCE = "world", "Apache-2.0"
UNDEFINED = "undefined"
LONGEST = 1000
"""Most digits of an operand for `solve`: Python writes and reads no number of more than 4,300."""
WRITTEN = ("id", "instruction", "input", "output", "item", "answer", "operation", "digits")
"""The columns that differ from row to row; `source` and `licence` are the same in all."""

Columns = dict[str, list[str]]


class WrongAnswer(RuntimeError):
    """A written row disagrees with Python's integers: a fault of this package, never of its user."""


@dataclass(frozen=True, slots=True)
class Style:
    """How rows are written. products, divisions: with steps; short: steps for one-digit divisors too; noise, worded:
    as in noise.phrases."""

    products: bool = True
    divisions: bool = True
    short: bool = True
    noise: bool = True
    worded: bool = True


def write(problems: Problems, rng: np.random.Generator, style: Style) -> tuple[Columns, Ints]:
    """Rows of n problems: every column of WRITTEN, grouped by operation, and the row of each problem, shape [n].

    Raises WrongAnswer for a row whose answer or conclusion Python's integers do not confirm.
    """
    columns: Columns = {name: [] for name in WRITTEN}
    places = []
    for code, operation in enumerate(OPERATIONS):
        chosen = np.flatnonzero(problems.operation == code)
        if len(chosen):
            places.append(chosen)
            for name, values in _write(operation, problems.take(chosen), rng, style).items():
                columns[name] += values
    order = np.empty(len(problems.left), np.int64)
    order[np.concatenate(places) if places else []] = np.arange(len(order))
    return columns, order


def _write(operation: str, problems: Problems, rng: np.random.Generator, style: Style) -> Columns:
    lefts, rights = list(map(str, problems.left.tolist())), list(map(str, problems.right.tolist()))
    heads, middles, tails = phrases(operation, len(lefts), rng, style.noise, style.worded)
    sign = SIGNS[operation]
    inputs = [f"{a} {sign} {b}" for a, b in zip(lefts, rights, strict=True)]
    answers, outputs = _solve(operation, problems, inputs, style)
    _check(operation, inputs, outputs, answers)
    instructions = [
        f"{head}{a}{middle}{b}{tail}"
        for head, a, middle, b, tail in zip(heads, lefts, middles, rights, tails, strict=True)
    ]
    joined = zip(instructions, inputs, outputs, strict=True)  # record.row_id, inlined: a call for each row is slow
    ids = [blake2b(f"{x}\x1f{y}\x1f{z}".encode(), digest_size=8).hexdigest() for x, y, z in joined]
    first, second = (side.tolist() for side in canonical(problems))
    items = [f"{operation} {a} {b}" for a, b in zip(first, second, strict=True)]
    names = np.array([[f"{i}D{sign}{j}D" for j in range(DIGITS + 1)] for i in range(DIGITS + 1)], object)
    return {
        "id": ids,
        "instruction": instructions,
        "input": inputs,
        "output": outputs,
        "item": items,
        "answer": answers,
        "operation": [operation] * len(ids),
        "digits": names[digits(problems.left), digits(problems.right)].tolist(),
    }


def _solve(operation: str, problems: Problems, inputs: list[str], style: Style) -> tuple[list[str], list[str]]:
    """Answers and outputs, by numpy's 64-bit integers: the limits keep every result below 10**17."""
    _, left, right = problems
    if operation == "divide":
        return _divide(left, right, inputs, style)
    results = {"add": np.add, "subtract": np.subtract, "multiply": np.multiply}[operation](left, right).tolist()
    if operation == "multiply" and style.products:
        triples = zip(left.tolist(), right.tolist(), results, strict=True)
        return list(map(str, results)), [scratchpads.multiplication(a, b, product) for a, b, product in triples]
    return list(map(str, results)), [f"{text} = {result}" for text, result in zip(inputs, results, strict=True)]


def _divide(left: Ints, right: Ints, inputs: list[str], style: Style) -> tuple[list[str], list[str]]:
    quotients, remainders = (part.tolist() for part in np.divmod(left, np.maximum(right, 1)))
    answers = [f"{q} R {r}" if r else str(q) for q, r in zip(quotients, remainders, strict=True)]
    outputs = [f"{text} = {answer}" for text, answer in zip(inputs, answers, strict=True)]
    written = (right > 9) | style.short if style.divisions else np.zeros(len(left), bool)
    lefts, rights = left.tolist(), right.tolist()
    for place in np.flatnonzero(written & (right > 0)).tolist():
        outputs[place] = scratchpads.division(lefts[place], rights[place], quotients[place], remainders[place])
    for place in np.flatnonzero(right == 0).tolist():
        answers[place], outputs[place] = UNDEFINED, f"{inputs[place]} is {UNDEFINED}"
    return answers, outputs


def _check(operation: str, inputs: list[str], outputs: list[str], answers: list[str]) -> None:
    """Read every input back and compare answer and end of output with Python's own integers."""
    for text, output, answer in zip(inputs, outputs, answers, strict=True):
        left, _, right = text.split(" ")
        truth = solve(operation, int(left), int(right))
        ended = output.endswith(f" = {truth}") or (truth == UNDEFINED and output == f"{text} is {UNDEFINED}")
        if answer != truth or not ended:
            raise WrongAnswer(f'"{text}": wrote answer "{answer}" and output "{output[-60:]}", Python says {truth}')


def solve(operation: str, left: int, right: int) -> str:
    """The answer by Python's integers: a number, "Q R r" (least remainder; no R 0) or "undefined".

    Operands have at most LONGEST digits."""
    if operation == "add":
        return str(left + right)
    if operation == "subtract":
        return str(left - right)
    if operation == "multiply":
        return str(left * right)
    if right == 0:
        return UNDEFINED
    quotient, remainder = divmod(left, right)
    return f"{quotient} R {remainder}" if remainder else str(quotient)
