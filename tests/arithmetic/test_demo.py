"""The demo without a browser: how questions are read, how answers and steps are checked."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from instructzoo.arithmetic import demo, world
from instructzoo.arithmetic.demo import checker
from instructzoo.arithmetic.demo.checker import Problem
from instructzoo.core import recipe as recipes
from instructzoo.core import ui
from instructzoo.core.errors import ZooError
from instructzoo.core.recipe import Recipe
from instructzoo.core.record import Invalid, Row


@dataclass
class Fixed:
    """A predictor that answers everything with one text, or refuses."""

    text: str = "7"
    fault: ZooError | None = None
    recipe: Recipe = field(default_factory=lambda: recipes.load("arithmetic/tiny"))
    scores: dict[str, Any] | None = None
    asked: list[str] = field(default_factory=list)

    def answer(self, rows: Sequence[Row]) -> list[str]:
        self.asked += [row["instruction"] for row in rows]
        if self.fault:
            raise self.fault
        return [self.text] * len(rows)


@pytest.fixture(scope="module")
def written() -> list[Row]:
    return list(world.generate(3000, 5, "train"))


def test_every_wording_of_the_training_data_is_read_back_as_its_problem(written: list[Row]) -> None:
    """Whatever the world words, the demo reads back as the same problem."""
    for row in written:
        problem = checker.read(checker.normalise(row["instruction"]))
        assert isinstance(problem, Problem), (row["instruction"], problem)
        assert (problem.expression, problem.truth) == (row["input"], row["answer"]), row["instruction"]


def test_gold_answers_and_their_steps_are_judged_right(written: list[Row]) -> None:
    for row in written:
        problem = checker.read(checker.normalise(row["instruction"]))
        assert checker.judge(row["output"], problem).kind == "right", row
        marks = [step.right for line in checker.trace(row["output"]) for step in line]
        assert False not in marks, row["output"]
        if "=" in row["output"]:
            assert marks.count(None) == len(row["output"].split("\n")), row["output"]


def test_a_changed_digit_makes_a_step_or_the_answer_wrong(written: list[Row]) -> None:
    """Change any one digit of the steps: a step that no longer follows is marked, a changed answer is wrong."""
    spoilt = 0
    for row in itertools.islice((r for r in written if r["output"].count("=") > 2), 60):
        output = row["output"]
        place = output.index("=") + output[output.index("=") :].index(
            next(c for c in output.split("=")[1] if c.isdigit())
        )
        changed = output[:place] + str((int(output[place]) + 1) % 10) + output[place + 1 :]
        assert any(step.right is False for line in checker.trace(changed) for step in line), changed
        last = output[-1]
        assert checker.judge(output[:-1] + str((int(last) + 1) % 10), checker.read(row["input"])).kind == "wrong"
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
    assert checker.read(checker.normalise(typed)) == problem


@pytest.mark.parametrize(
    "typed",
    ["5", "1 + 2 + 3", "-5 + 3", "5 - -3", "(5 + 3) squared", "2 ^ 5", "1.5 + 2", "2 + 1.5", "5 + 3!", "half of 8 + 2",
     "negative 5 + 3", "5 and 3", "10% of 50", "5 + x", "minus 5 plus 3", "3,5 + 1"],
)  # fmt: skip
def test_questions_of_another_form_are_invalid_instead_of_misread(typed: str) -> None:
    assert isinstance(checker.read(checker.normalise(typed)), Invalid)


@pytest.mark.parametrize(
    "text", ["__import__('os')", "9**9**9**9", "1/0", "((((", "a + 1", "", "1" * 5000, "1_0", "2 // 1"]
)
def test_code_and_malformed_expressions_have_no_value(text: str) -> None:
    assert checker.value(text) is None


def test_numbers_beyond_1000_digits_are_refused_without_an_exception() -> None:
    for digits in (1001, 5000):
        assert checker.read(f"1 + {'7' * digits}") == Invalid("its numbers have more than 1000 digits")
    longest = checker.read(f"{'9' * 1000} * {'9' * 1000}")
    assert isinstance(longest, Problem) and len(longest.truth) == 2000
    assert checker.trace(f"{'7' * 5000} / 7 = {'1' * 5000}")[0][1].right is None


def test_the_value_of_an_expression_is_exact() -> None:
    assert checker.value("4429 * (300 + 90 + 7)") == 4429 * 397
    assert checker.value("5 - 93") == -88
    assert checker.value("-88") == -88


def test_an_answer_without_the_number_is_wrong() -> None:
    problem = Problem("add", 2, 3)
    for text in ("", "I think", "2 + 3 = ", "2 + 3 = five"):
        verdict = checker.judge(text, problem)
        assert verdict.kind == "wrong" and "Python says 5" in verdict.line, text


@pytest.mark.parametrize("typed", ["", "   ", "hello", "?", "9" * (ui.MAX_CHARACTERS + 1), None])
def test_an_invalid_question_never_reaches_the_model(typed: Any) -> None:
    predictor = Fixed()
    shown = demo.one(predictor, typed)
    assert not predictor.asked
    assert shown.startswith('<div class="zoo-card">') and "zoo-badge" not in shown


def test_the_model_gets_the_normalized_question() -> None:
    predictor = Fixed()
    demo.one(predictor, " What is  47 × 86? ")
    demo.many(predictor, "8914 ÷ 7\n\n12,000 x 3\n")
    assert predictor.asked == ["What is 47 * 86?", "8914 / 7", "12000 * 3"]


def test_an_error_of_the_predictor_becomes_a_message() -> None:
    predictor = Fixed(fault=ZooError("the question takes 99 tokens", "at most 96", "shorten it"))
    assert "99 tokens" in demo.one(predictor, "1 + 1")
    assert "99 tokens" in demo.many(predictor, "1 + 1\n2 + 2")


def test_every_line_of_a_batch_is_shown_and_counted() -> None:
    predictor = Fixed("= 5")
    shown = demo.many(predictor, "2 + 3\nhello\n\n4 + 4\n5 % 3\n1 + 4")
    assert predictor.asked == ["2 + 3", "4 + 4", "5 % 3", "1 + 4"]
    for wanted in ("✓ 2 right", "✗ 1 wrong", "1 not checked", "1 not asked", "of 5 lines", "Python says 8"):
        assert wanted in shown, wanted
    assert shown.count("<tr>") == 1 + 5


def test_a_batch_that_is_empty_or_too_long_gets_a_message() -> None:
    predictor = Fixed()
    assert f"takes {ui.MAX_LINES} at a time" in demo.many(predictor, "1 + 1\n" * (ui.MAX_LINES + 1))
    assert "Paste one question a line" in demo.many(predictor, " \n\n")
    assert not predictor.asked


def test_html_in_questions_and_answers_is_escaped() -> None:
    bad = "<script>alert(1)</script>"
    for shown in (demo.one(Fixed(f"{bad} = {bad}"), f"1 + 2 {bad}"), demo.many(Fixed(bad), f"1 + 2 {bad}")):
        assert "<script" not in shown and "&lt;script" in shown


def test_the_card_states_the_digit_pairs_of_the_recipe() -> None:
    tiny = recipes.load("arithmetic/tiny")
    cells = demo.trained_cells(tiny)
    assert {(c.operation, max(c.left, c.right)) for c in cells} == {
        (operation, digits) for operation in ("add", "subtract") for digits in (1, 2)
    }
    assert demo.limits(tiny, cells)[0] == ("Trained for", "sums to 2D+2D; differences to 2D-2D (D: digits)")
    assert all(checker.read(checker.normalise(e)).cell in cells for e in demo.fitting(demo.EXAMPLES, cells))  # type: ignore[union-attr]
    assert "not trained for 3D+1D, but for sums to 2D+2D" in demo.one(Fixed(), "100 + 1", cells)
    assert "not trained" not in demo.one(Fixed(), "10 + 1", cells)


def test_the_demo_builds_for_every_listed_recipe() -> None:
    for name in ("tiny", "bundled", "paper"):
        demo.build(Fixed(recipe=recipes.load(f"arithmetic/{name}"))).close()
