"""Typed answers of arithmetic: the value, the steps, and the check that the demo shows."""

from __future__ import annotations

from typing import Any

import pytest

from instructzoo.core import domain as domains
from instructzoo.core.answers.model import typed_model
from instructzoo.core.testing import Scripted


def answered(question: str | dict[str, Any], text: str) -> Any:
    predictor: Any = Scripted(domains.get("arithmetic"))
    predictor.answer = lambda rows: [text] * len(rows)
    (answer,) = typed_model(domains.get("arithmetic"))(predictor)([question])
    return answer


@pytest.mark.parametrize(
    ("question", "text", "value", "check", "expected"),
    [
        ("What is 345 + 678?", "345 + 678 = 1023", "1023", "right", "1023"),
        ("345 + 678", "345 + 678 = 1024", "1024", "wrong", "1023"),
        ("345 + 678", "no idea", "", "wrong", "1023"),
        ("3 + 4 * 5", "3 + 4 = 7", "7", "unknown", ""),
        ("12,000 × 3", "12000 * 3 = 36000", "36000", "right", "36000"),
    ],
)
def test_an_answer_has_its_value_and_pythons_check(
    question: str, text: str, value: str, check: str, expected: str
) -> None:
    answer = answered(question, text)
    assert (answer.value, answer.check, answer.expected, answer.error) == (value, check, expected, "")


def test_every_step_says_whether_it_follows_from_the_one_before() -> None:
    answer = answered("7 * 13", "7 * 13 = 70 + 21 = 92")
    assert [(step.text, step.follows) for step in answer.steps] == [
        ("7 * 13", None), ("= 70 + 21", True), ("= 92", False)]  # fmt: skip
    division = answered("9 / 4", "9 - 4 * 2 = 9 - 8 = 1\nTherefore, 9 / 4 = 2 R 1")
    assert division.to_row()["steps"] == "9 - 4 * 2 = 9 - 8 = 1; Therefore, 9 / 4 = 2 R 1"
    assert (division.value, division.check) == ("2 R 1", "right")


def test_a_question_without_a_number_is_not_asked() -> None:
    assert answered("hello", "345 + 678 = 1023").error == 'There is no number in "hello".'
    assert "at most 50,000 characters" in answered("1" * 50_001, "1").error


def test_a_row_of_the_domain_is_checked_by_its_expression() -> None:
    row = {"instruction": "How much do 2 and 3 make?", "input": "2 + 3"}
    assert answered(row, "2 + 3 = 5").check == "right"
