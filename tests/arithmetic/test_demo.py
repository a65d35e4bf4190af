"""The demo without a browser: how it parses questions and checks answers and steps."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from instructzoo.arithmetic import checker, demo, world
from instructzoo.arithmetic.problem import Problem
from instructzoo.core import recipe as recipes
from instructzoo.core import ui
from instructzoo.core.errors import ZooError
from instructzoo.core.recipe import Recipe
from instructzoo.core.record import Invalid, Row


@dataclass
class Fixed:
    """A predictor that answers everything with one text, or refuses."""

    text: str = "7"
    error: ZooError | None = None
    recipe: Recipe = field(default_factory=lambda: recipes.load("arithmetic/tiny"))
    scores: dict[str, Any] | None = None
    model: None = None
    notice: str = ""
    questions: list[str] = field(default_factory=list)

    def answer(self, rows: Sequence[Row]) -> list[str]:
        self.questions += [row["instruction"] for row in rows]
        if self.error:
            raise self.error
        return [self.text] * len(rows)


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return list(world.generate(3000, 5, "train"))


def test_every_wording_of_the_training_data_is_read_back_as_its_problem(rows: list[Row]) -> None:
    """Whatever the world words, the demo reads back as the same problem."""
    for row in rows:
        problem = checker.parse_question(checker.normalise(row["instruction"]))
        assert isinstance(problem, Problem), (row["instruction"], problem)
        assert (problem.expression, problem.answer) == (row["input"], row["answer"]), row["instruction"]


def test_gold_answers_and_their_steps_are_judged_right(rows: list[Row]) -> None:
    for row in rows:
        problem = checker.parse_question(checker.normalise(row["instruction"]))
        assert checker.check_answer(row["output"], problem).kind == "right", row
        marks = [step.is_right for line in checker.check_steps(row["output"]) for step in line]
        assert False not in marks, row["output"]
        if "=" in row["output"]:
            assert marks.count(None) == len(row["output"].split("\n")), row["output"]


def test_a_changed_digit_makes_a_step_or_the_answer_wrong(rows: list[Row]) -> None:
    """Change any one digit of the steps: a step that no longer follows is marked, a changed answer is wrong."""
    spoilt = 0
    for row in itertools.islice((r for r in rows if r["output"].count("=") > 2), 60):
        output = row["output"]
        place = output.index("=") + output[output.index("=") :].index(
            next(c for c in output.split("=")[1] if c.isdigit())
        )
        changed = output[:place] + str((int(output[place]) + 1) % 10) + output[place + 1 :]
        assert any(step.is_right is False for line in checker.check_steps(changed) for step in line), changed
        last = output[-1]
        assert (
            checker.check_answer(output[:-1] + str((int(last) + 1) % 10), checker.parse_question(row["input"])).kind
            == "wrong"
        )
        spoilt += 1
    assert spoilt == 60


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ("345 + 678", Problem("add", 345, 678)),
        ("What is 8914 ÷ 7?", Problem("divide", 8914, 7)),
        ("47 × 86", Problem("multiply", 47, 86)),
        ("47x86 =", Problem("multiply", 47, 86)),
        ("47 X 86", Problem("multiply", 47, 86)),
        ("12,345 − 6", Problem("subtract", 12345, 6)),
        ("  1,234,567   +  1 ", Problem("add", 1234567, 1)),
        ("４２ + ７", Problem("add", 42, 7)),
        ("The sum of 12 and 34, please", Problem("add", 12, 34)),
        ("58 minus 93", Problem("subtract", 58, 93)),
        ("007 + 1", Problem("add", 7, 1)),
        ("12 DIVIDED BY 0", Problem("divide", 12, 0)),
    ],
)
def test_typed_problems_are_read_in_every_notation(typed: str, problem: Problem) -> None:
    assert checker.parse_question(checker.normalise(typed)) == problem


@pytest.mark.parametrize(
    "typed",
    ["5", "1 + 2 + 3", "-5 + 3", "5 - -3", "(5 + 3) squared", "2 ^ 5", "1.5 + 2", "2 + 1.5", "5 + 3!", "half of 8 + 2",
     "negative 5 + 3", "5 and 3", "10% of 50", "5 + x", "minus 5 plus 3", "3,5 + 1"],
)  # fmt: skip
def test_questions_of_another_form_are_invalid_instead_of_misread(typed: str) -> None:
    assert isinstance(checker.parse_question(checker.normalise(typed)), Invalid)


@pytest.mark.parametrize(
    "text", ["__import__('os')", "9**9**9**9", "1/0", "((((", "a + 1", "", "1" * 5000, "1_0", "2 // 1"]
)
def test_code_and_malformed_expressions_have_no_value(text: str) -> None:
    assert checker.evaluate(text) is None


def test_numbers_beyond_1000_digits_are_refused_without_an_exception() -> None:
    for digits in (1001, 5000):
        assert checker.parse_question(f"1 + {'7' * digits}") == Invalid("its numbers have more than 1000 digits")
    longest = checker.parse_question(f"{'9' * 1000} * {'9' * 1000}")
    assert isinstance(longest, Problem) and len(longest.answer) == 2000
    assert checker.check_steps(f"{'7' * 5000} / 7 = {'1' * 5000}")[0][1].is_right is None


def test_the_value_of_an_expression_is_exact() -> None:
    assert checker.evaluate("4429 * (300 + 90 + 7)") == 4429 * 397
    assert checker.evaluate("5 - 93") == -88
    assert checker.evaluate("-88") == -88


def test_an_answer_without_the_number_is_wrong() -> None:
    problem = Problem("add", 2, 3)
    for text in ("", "I think", "2 + 3 = ", "2 + 3 = five"):
        verdict = checker.check_answer(text, problem)
        assert verdict.kind == "wrong" and "Python says 5" in verdict.message, text


@pytest.mark.parametrize("typed", ["", "   ", "hello", "?", "9" * (ui.MAX_CHARACTERS + 1), None])
def test_an_invalid_question_never_reaches_the_model(typed: Any) -> None:
    predictor = Fixed()
    shown = demo.answer_question(predictor, typed)
    assert not predictor.questions
    assert shown.startswith('<div class="zoo-card">') and "zoo-badge" not in shown


def test_the_model_gets_the_normalized_question() -> None:
    predictor = Fixed()
    demo.answer_question(predictor, " What is  47 × 86? ")
    demo.answer_lines(predictor, "8914 ÷ 7\n\n12,000 x 3\n")
    assert predictor.questions == ["What is 47 * 86?", "8914 / 7", "12000 * 3"]


def test_an_error_of_the_predictor_becomes_a_message() -> None:
    predictor = Fixed(error=ZooError("the question takes 99 tokens", "at most 96", "shorten it"))
    assert "99 tokens" in demo.answer_question(predictor, "1 + 1")
    assert "99 tokens" in demo.answer_lines(predictor, "1 + 1\n2 + 2")


def test_every_line_of_a_batch_is_shown_and_counted() -> None:
    predictor = Fixed("= 5")
    shown = demo.answer_lines(predictor, "2 + 3\nhello\n\n4 + 4\n5 % 3\n1 + 4")
    assert predictor.questions == ["2 + 3", "4 + 4", "5 % 3", "1 + 4"]
    for text in ("✓ 2 right", "✗ 1 wrong", "1 not checked", "1 not asked", "of 5 lines", "Python says 8"):
        assert text in shown, text
    assert shown.count("<tr>") == 1 + 5


def test_a_batch_that_is_empty_or_too_long_gets_a_message() -> None:
    predictor = Fixed()
    assert f"takes {ui.MAX_LINES} at a time" in demo.answer_lines(predictor, "1 + 1\n" * (ui.MAX_LINES + 1))
    assert "Paste one question a line" in demo.answer_lines(predictor, " \n\n")
    assert not predictor.questions


def test_html_in_questions_and_answers_is_escaped() -> None:
    bad = "<script>alert(1)</script>"
    for shown in (
        demo.answer_question(Fixed(f"{bad} = {bad}"), f"1 + 2 {bad}"),
        demo.answer_lines(Fixed(bad), f"1 + 2 {bad}"),
    ):
        assert "<script" not in shown and "&lt;script" in shown


def test_the_card_states_the_digit_pairs_of_the_recipe() -> None:
    tiny = recipes.load("arithmetic/tiny")
    pairs = demo.trained_pairs(tiny)
    assert {(pair.operation, max(pair.left, pair.right)) for pair in pairs} == {
        (operation, digits) for operation in ("add", "subtract") for digits in (1, 2)
    }
    assert demo.limits(tiny)[0] == ("Trained for", "sums to 2D+2D; differences to 2D-2D (D: digits)")
    assert all(
        checker.parse_question(checker.normalise(e)).digit_pair in pairs
        for e in demo.within_training(demo.EXAMPLES, pairs)
    )  # type: ignore[union-attr]
    assert "not trained for 3D+1D, but for sums to 2D+2D" in demo.answer_question(Fixed(), "100 + 1")
    assert "not trained" not in demo.answer_question(Fixed(), "10 + 1")


def test_the_demo_builds_for_every_listed_recipe() -> None:
    for name in ("tiny", "bundled", "paper"):
        demo.build(Fixed(recipe=recipes.load(f"arithmetic/{name}"))).close()
