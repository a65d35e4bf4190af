"""Checks a model by Python's integers: its answer to a typed question, and every step that it wrote.

    parse_question("What is 345 / 12?")      ->  Problem("divide", 345, 12), whose answer is "28 R 9"
    check_steps("7 * 13 = 70 + 21 = 92")     ->  one line: 7 * 13;  = 70 + 21, right;  = 92, wrong

A question that asks for anything but one problem is not checked, and the page says so.
"""

from __future__ import annotations

import ast
import operator
import re
import unicodedata
from collections.abc import Callable
from typing import Literal, NamedTuple

from instructzoo.arithmetic import prompts
from instructzoo.arithmetic.problem import MAX_READ_DIGITS, Problem, operation_of
from instructzoo.core.record import Invalid, Row

_TYPED_SIGNS = str.maketrans(
    {"÷": "/", "∶": "/", "×": "*", "✕": "*", "✖": "*", "·": "*", "∗": "*", "−": "-", "–": "-", "＋": "+"}
)
_TIMES = re.compile(r"(?<=[0-9])(\s*)[xX](\s*)(?=[0-9])")
_THOUSANDS = re.compile(r"(?<![0-9.,])[0-9]{1,3}(?:,[0-9]{3})+(?![0-9.,]*[0-9])")

_WORDS = {"plus": "+", "minus": "-", "times": "*", "multiplied by": "*", "divided by": "/", "over": "/"}
_NAMES = {"sum": "+", "difference": "-", "product": "*", "quotient": "/", "quotient and remainder": "/"}
_SIGN = "|".join([r"[-+*/]", *(re.escape(word) for word in sorted(_WORDS, key=len, reverse=True))])
_EXPRESSION = re.compile(rf"([0-9]+)\s*({_SIGN})\s*([0-9]+)", re.IGNORECASE)
_NAMED_EXPRESSION = re.compile(
    rf"\b({'|'.join(sorted(_NAMES, key=len, reverse=True))}) of ([0-9]+) and ([0-9]+)", re.IGNORECASE
)
_FURTHER_OPERATION = re.compile(
    r"[-+*/^!%()√]|\.[0-9]|\b(?:squared|cubed|half|twice|double|negative|power|root|percent|plus|minus|times|divided|multiplied)\b",
    re.IGNORECASE,
)
"""Found beside an expression, these say that the question asks for more than the expression."""


class Verdict(NamedTuple):
    """What Python says of a model's text.

    Args:
        kind: right, wrong, or unknown where Python cannot read the question.
        answer: The answer that the text gives; empty where it gives none.
        message: One line for the page.
    """

    kind: Literal["right", "wrong", "unknown"]
    answer: str
    message: str


class Step(NamedTuple):
    """One expression of a model's text.

    Args:
        text: The expression as written, from its equals sign on.
        is_right: Whether it equals the expression before it in its line; None where the two cannot be compared.
    """

    text: str
    is_right: bool | None


def normalise(question: str) -> str:
    """A typed question in the signs that the model was trained on: ÷ -> /, × and x -> *, 12,345 -> 12345."""
    text = unicodedata.normalize("NFKC", " ".join(question.split())).translate(_TYPED_SIGNS)
    text = _TIMES.sub(r"\1*\2", text)
    return _THOUSANDS.sub(lambda match: match[0].replace(",", ""), text)


def why_unanswerable(question: str, max_characters: int) -> str:
    """Why no model should be asked a normalised question, in one friendly sentence; empty where it can be asked."""
    if not question:
        return "There is nothing to answer yet."
    if len(question) > max_characters:
        return f"A question has at most {max_characters:,} characters, this one has {len(question):,}."
    if not any(c in "0123456789" for c in question):
        return f'There is no number in "{question}".'
    return ""


def parse_question(question: str) -> Problem | Invalid:
    """The problem that a normalised question asks; Invalid, with the reason, where it is not exactly one problem."""
    number_count = len(re.findall("[0-9]+", question))
    if not number_count:
        return Invalid("there is no number in it")
    match = _NAMED_EXPRESSION.search(question) or _EXPRESSION.search(question)
    if match is None or number_count != 2:
        return Invalid("it is no single sum, difference, product or quotient of two whole numbers")
    if match.re is _NAMED_EXPRESSION:
        left, right, sign = match[2], match[3], _NAMES[match[1].lower()]
    else:
        left, right, sign = match[1], match[3], _WORDS.get(match[2].lower(), match[2])
    if max(len(left), len(right)) > MAX_READ_DIGITS:
        return Invalid(f"its numbers have more than {MAX_READ_DIGITS} digits")
    if further := _FURTHER_OPERATION.search(question[: match.start()] + " " + question[match.end() :]):
        return Invalid(f'"{further[0]}" asks for more than {match[0]}')
    return Problem(operation_of(sign), int(left), int(right))


def to_row(question: str) -> Row:
    """What the predictor gets: the normalised question and nothing else."""
    return {"instruction": question, "input": "", "output": ""}


def check_answer(text: str, problem: Problem | Invalid) -> Verdict:
    """Compare the model's text with Python's answer to the problem."""
    row: Row = {"operation": problem.operation, "input": problem.expression} if isinstance(problem, Problem) else {}
    answer = prompts.parse(text, row)
    if isinstance(problem, Invalid):
        given = "" if isinstance(answer, Invalid) else answer.value
        return Verdict("unknown", given, f"Python cannot check this: {problem.reason}")
    if isinstance(answer, Invalid):
        return Verdict("wrong", "", f"✗ Python says {problem.answer}; the model gave no answer ({answer.reason})")
    if answer.value == problem.answer:
        return Verdict("right", answer.value, f"✓ Python says {problem.answer} too")
    return Verdict("wrong", answer.value, f"✗ Python says {problem.answer}")


def check_steps(text: str) -> list[list[Step]]:
    """The steps of a model's text by line: the sides of each line's equals signs, each compared with the one before."""
    steps_by_line = []
    for line in filter(None, (line.strip() for line in text.split("\n"))):
        first, *rest = [side.strip() for side in line.split(" = ")]
        steps = [Step(first, None)]
        for before, side in zip([first, *rest], rest, strict=False):
            steps.append(Step(f"= {side}", _are_equal(before, side)))
        steps_by_line.append(steps)
    return steps_by_line


def _are_equal(left: str, right: str) -> bool | None:
    """Whether two sides of an equals sign are equal; None where one of them cannot be evaluated."""
    if left.startswith("Therefore, ") or "R" in right or "/" in left:
        problem = parse_question(left)
        return problem.answer == right if isinstance(problem, Problem) else None
    values = evaluate(left), evaluate(right)
    return None if None in values else values[0] == values[1]


_OPERATORS: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
}


def evaluate(text: str) -> int | None:
    """The value of sums, differences and products of whole numbers, with brackets; None for any other text.

    The syntax tree is walked; no code is run.
    """
    if len(text) > 1000 or not re.fullmatch(r"[-+*()0-9 ]+", text):
        return None
    # models write numbers such as 0876, which Python's syntax does not have
    without_zeros = re.sub(r"(?<![0-9])0+(?=[0-9])", "", text)
    try:
        return _evaluate_node(ast.parse(without_zeros, mode="eval").body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _evaluate_node(node: ast.expr) -> int:
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_evaluate_node(node.operand)
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        return _OPERATORS[type(node.op)](_evaluate_node(node.left), _evaluate_node(node.right))
    raise ValueError("not a sum, difference or product")
