"""Answers to arithmetic questions: the value, the steps that the model wrote, and whether Python agrees.

    model = load("arithmetic")
    (answer,) = model(["What is 8914 / 64?"])
    answer.value, answer.check      "139 R 18", "right"
    answer.steps                    each with its text and whether it follows from the one before
    answer.to_row()                 a line of a table
    answer.to_dict()                the whole answer as a JSON object

A question asks for one sum, difference, product or quotient of two whole numbers, in figures or in words. `check` is
"right" or "wrong" by Python's integers, or "unknown" where Python cannot read the question.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from instructzoo.arithmetic import checker
from instructzoo.arithmetic.problem import Problem
from instructzoo.core.answers.questions import Cell, Options, Question
from instructzoo.core.errors import ZooError

__all__ = ["Answer", "Options", "Step", "answer", "failed", "rows"]

Input = str | Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """An expression that the model wrote; `follows` says whether it equals the one before, None where there is none."""

    text: str
    follows: bool | None


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one question.

    Attributes:
        question: The question, in the signs that the model was trained on.
        value: A number such as "-12", "139 R 18" or "undefined"; "" where the model gave none.
        check: What Python says of the value: right, wrong or unknown.
        expected: Python's own answer; "" where it cannot read the question.
        steps: What the model wrote, expression by expression.
        error: Why the question was not answered, or "".
    """

    question: str
    value: str = ""
    check: str = "unknown"
    expected: str = ""
    steps: tuple[Step, ...] = ()
    error: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The answer as a JSON object."""
        return asdict(self) | {"steps": [asdict(step) for step in self.steps]}

    def to_row(self) -> dict[str, Cell]:
        """The answer as a line of a table; the steps are one text, with semicolons between equations."""
        steps = "".join(f"{' ' if step.text.startswith('=') else '; '}{step.text}" for step in self.steps)
        return {"value": self.value, "check": self.check, "expected": self.expected, "steps": steps.removeprefix("; ")}

    def to_rows(self) -> list[dict[str, Cell]]:
        """A table of one line."""
        return [self.to_row()]


def rows(input: Input, options: Options, where: str = "") -> list[Question]:
    """The one question of an input; a row of the domain is its own question."""
    if isinstance(input, Mapping):
        return [Question(0, dict(input))]
    question = checker.normalise(input)
    if reason := checker.why_unanswerable(question, options.max_characters):
        raise ZooError(reason.rstrip("."))
    return [Question(0, checker.to_row(question))]


def answer(input: Input, questions: Sequence[Question], outputs: Sequence[str], options: Options) -> Answer:
    """The value with its steps and Python's check."""
    (question,), (text,) = questions, outputs
    instruction = question.row["instruction"]
    problem = checker.parse_question(checker.normalise(question.row.get("input") or instruction))
    verdict = checker.check_answer(text, problem)
    steps = tuple(Step(*step) for line in checker.check_steps(text) for step in line)
    expected = problem.answer if isinstance(problem, Problem) else ""
    return Answer(instruction, verdict.answer, verdict.kind, expected, steps)


def failed(input: Input, reason: str, options: Options) -> Answer:
    """The answer for a question that cannot be answered."""
    return Answer(input if isinstance(input, str) else input["instruction"], error=reason)
