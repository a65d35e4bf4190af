"""The check by Python's integers: of a typed question, and of every written-out step.

read("What is 345 ÷ 12?")       ->  Problem("divide", 345, 12), truth "28 R 9"
trace("7 * 13 = 70 + 21 = 92")  ->  one line: 7 * 13;  = 70 + 21, right;  = 92, wrong
"""

from __future__ import annotations

import ast
import operator
import re
import unicodedata
from collections.abc import Callable
from typing import Literal, NamedTuple

from instructzoo.arithmetic import prompts
from instructzoo.arithmetic.world import examples
from instructzoo.arithmetic.world.digit_pairs import Cell
from instructzoo.arithmetic.world.phrasing import SIGNS
from instructzoo.core.record import Invalid, Row

_TYPED = str.maketrans(
    {"÷": "/", "∶": "/", "×": "*", "✕": "*", "✖": "*", "·": "*", "∗": "*", "−": "-", "–": "-", "＋": "+"}
)
_TIMES = re.compile(r"(?<=[0-9])(\s*)[xX](\s*)(?=[0-9])")
_THOUSANDS = re.compile(r"(?<![0-9.,])[0-9]{1,3}(?:,[0-9]{3})+(?![0-9.,]*[0-9])")

_WORDS = {"plus": "+", "minus": "-", "times": "*", "multiplied by": "*", "divided by": "/", "over": "/"}
_NAMES = {"sum": "+", "difference": "-", "product": "*", "quotient": "/", "quotient and remainder": "/"}
_SIGN = "|".join([r"[-+*/]", *(re.escape(word) for word in sorted(_WORDS, key=len, reverse=True))])
_EXPRESSION = re.compile(rf"([0-9]+)\s*({_SIGN})\s*([0-9]+)", re.IGNORECASE)
_NAMED = re.compile(rf"\b({'|'.join(sorted(_NAMES, key=len, reverse=True))}) of ([0-9]+) and ([0-9]+)", re.IGNORECASE)
_MORE = re.compile(
    r"[-+*/^!%()√]|\.[0-9]|\b(?:squared|cubed|half|twice|double|negative|power|root|percent|plus|minus|times|divided|multiplied)\b",
    re.IGNORECASE,
)
"""What, beside one expression, says that the question asks for more than it."""


class Problem(NamedTuple):
    """Two whole numbers and what is asked of them."""

    operation: str
    left: int
    right: int

    @property
    def expression(self) -> str:
        return f"{self.left} {SIGNS[self.operation]} {self.right}"

    @property
    def truth(self) -> str:
        """The answer by Python's integers: a number, "Q R r" or "undefined"."""
        return examples.solve(self.operation, self.left, self.right)

    @property
    def cell(self) -> Cell:
        return Cell(self.operation, len(str(self.left)), len(str(self.right)))


class Verdict(NamedTuple):
    """What Python says of a text. answer: what the text gives, empty where it gives none; line: the finding."""

    kind: Literal["right", "wrong", "unknown"]
    answer: str
    line: str


class Step(NamedTuple):
    """One written expression; right: it equals the one before it in its line; None where nothing can be compared."""

    text: str
    right: bool | None


def normalise(question: str) -> str:
    """What a person types, in the signs that the model was trained on: ÷ -> /, × and x -> *, 12,345 -> 12345."""
    text = unicodedata.normalize("NFKC", " ".join(question.split())).translate(_TYPED)
    text = _TIMES.sub(r"\1*\2", text)
    return _THOUSANDS.sub(lambda match: match[0].replace(",", ""), text)


def read(question: str) -> Problem | Invalid:
    """The one expression of two whole numbers in a normalised question; Invalid with the reason where it is not so."""
    found = len(re.findall("[0-9]+", question))
    if not found:
        return Invalid("there is no number in it")
    match = _NAMED.search(question) or _EXPRESSION.search(question)
    if match is None or found != 2:
        return Invalid("it is no single sum, difference, product or quotient of two whole numbers")
    if match.re is _NAMED:
        left, right, sign = match[2], match[3], _NAMES[match[1].lower()]
    else:
        left, right, sign = match[1], match[3], _WORDS.get(match[2].lower(), match[2])
    if max(len(left), len(right)) > examples.LONGEST:
        return Invalid(f"its numbers have more than {examples.LONGEST} digits")
    if more := _MORE.search(question[: match.start()] + " " + question[match.end() :]):
        return Invalid(f'"{more[0]}" asks for more than {match[0]}')
    return Problem(next(name for name, s in SIGNS.items() if s == sign), int(left), int(right))


def row(question: str) -> Row:
    """What the predictor is given: the normalised question and nothing else."""
    return {"instruction": question, "input": "", "output": ""}


def judge(text: str, problem: Problem | Invalid) -> Verdict:
    """The model's text against Python's answer."""
    known: Row = {"operation": problem.operation, "input": problem.expression} if isinstance(problem, Problem) else {}
    answer = prompts.parse(text, known)
    if isinstance(problem, Invalid):
        said = "" if isinstance(answer, Invalid) else answer.value
        return Verdict("unknown", said, f"Python cannot check this: {problem.reason}")
    if isinstance(answer, Invalid):
        return Verdict("wrong", "", f"✗ Python says {problem.truth}; the model gave no answer ({answer.reason})")
    if answer.value == problem.truth:
        return Verdict("right", answer.value, f"✓ Python says {problem.truth} too")
    return Verdict("wrong", answer.value, f"✗ Python says {problem.truth}")


def trace(text: str) -> list[list[Step]]:
    """The model's text, line by line, each line cut at its equals signs, with what follows and what does not."""
    found = []
    for line in filter(None, (line.strip() for line in text.split("\n"))):
        first, *rest = [part.strip() for part in line.split(" = ")]
        steps = [Step(first, None)]
        for before, part in zip([first, *rest], rest, strict=False):
            steps.append(Step(f"= {part}", _equal(before, part)))
        found.append(steps)
    return found


def _equal(left: str, right: str) -> bool | None:
    if left.startswith("Therefore, ") or "R" in right or "/" in left:
        problem = read(left)
        return problem.truth == right if isinstance(problem, Problem) else None
    values = value(left), value(right)
    return None if None in values else values[0] == values[1]


_OPERATORS: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
}


def value(text: str) -> int | None:
    """A sum, difference and product of whole numbers, brackets allowed; None for any other text. Nothing is run."""
    if len(text) > 1000 or not re.fullmatch(r"[-+*()0-9 ]+", text):
        return None
    plain = re.sub(r"(?<![0-9])0+(?=[0-9])", "", text)  # 0876 is no number of Python's, and a slip of a model
    try:
        return _value(ast.parse(plain, mode="eval").body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _value(node: ast.expr) -> int:
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_value(node.operand)
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        return _OPERATORS[type(node.op)](_value(node.left), _value(node.right))
    raise ValueError("not a sum, difference or product")
