"""The demo without a browser: how questions are read, how answers and steps are checked."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from instructzoo.arithmetic import check, demo, world
from instructzoo.arithmetic.check import Problem
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


def test_a_wording_of_the_training_data_cannot_be_checked(written: list[Row]) -> None:
    """Whatever the world words, the demo reads back as the same problem."""
    for row in written:
        problem = check.read(check.normalise(row["instruction"]))
        assert isinstance(problem, Problem), (row["instruction"], problem)
        assert (problem.expression, problem.truth) == (row["input"], row["answer"]), row["instruction"]


def test_gold_is_called_wrong_or_one_of_its_steps_is(written: list[Row]) -> None:
    for row in written:
        problem = check.read(check.normalise(row["instruction"]))
        assert check.judge(row["output"], problem).kind == "right", row
        marks = [step.right for line in check.trace(row["output"]) for step in line]
        assert False not in marks, row["output"]
        if "=" in row["output"]:
            assert marks.count(None) == len(row["output"].split("\n")), row["output"]


def test_a_spoilt_answer_or_step_passes(written: list[Row]) -> None:
    """Change any one digit of the steps: a step that no longer follows is marked, a changed answer is wrong."""
    spoilt = 0
    for row in itertools.islice((r for r in written if r["output"].count("=") > 2), 60):
        output = row["output"]
        place = output.index("=") + output[output.index("=") :].index(
            next(c for c in output.split("=")[1] if c.isdigit())
        )
        changed = output[:place] + str((int(output[place]) + 1) % 10) + output[place + 1 :]
        assert any(step.right is False for line in check.trace(changed) for step in line), changed
        last = output[-1]
        assert check.judge(output[:-1] + str((int(last) + 1) % 10), check.read(row["input"])).kind == "wrong"
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
def test_what_a_person_types_is_not_understood(typed: str, problem: Problem) -> None:
    assert check.read(check.normalise(typed)) == problem


@pytest.mark.parametrize(
    "typed",
    ["5", "1 + 2 + 3", "-5 + 3", "5 - -3", "(5 + 3) squared", "2 ^ 5", "1.5 + 2", "2 + 1.5", "5 + 3!", "half of 8 + 2",
     "negative 5 + 3", "5 and 3", "10% of 50", "5 + x", "minus 5 plus 3", "3,5 + 1"],
)  # fmt: skip
def test_python_checks_another_question_than_the_one_asked(typed: str) -> None:
    assert isinstance(check.read(check.normalise(typed)), Invalid)


@pytest.mark.parametrize(
    "text", ["__import__('os')", "9**9**9**9", "1/0", "((((", "a + 1", "", "1" * 5000, "1_0", "2 // 1"]
)
def test_a_model_s_text_is_run(text: str) -> None:
    assert check.value(text) is None


def test_a_number_that_python_does_not_print_ends_in_a_traceback() -> None:
    for digits in (1001, 5000):
        assert check.read(f"1 + {'7' * digits}") == Invalid("its numbers have more than 1000 digits")
    longest = check.read(f"{'9' * 1000} * {'9' * 1000}")
    assert isinstance(longest, Problem) and len(longest.truth) == 2000
    assert check.trace(f"{'7' * 5000} / 7 = {'1' * 5000}")[0][1].right is None


def test_python_s_value_of_a_step_is_wrong() -> None:
    assert check.value("4429 * (300 + 90 + 7)") == 4429 * 397
    assert check.value("5 - 93") == -88
    assert check.value("-88") == -88


def test_silence_or_chatter_counts_as_an_answer() -> None:
    problem = Problem("add", 2, 3)
    for text in ("", "I think", "2 + 3 = ", "2 + 3 = five"):
        verdict = check.judge(text, problem)
        assert verdict.kind == "wrong" and "Python says 5" in verdict.line, text


@pytest.mark.parametrize("typed", ["", "   ", "hello", "?", "9" * (ui.MAX_CHARACTERS + 1), None])
def test_a_question_that_is_none_reaches_the_model(typed: Any) -> None:
    predictor = Fixed()
    shown = demo.one(predictor, typed)
    assert not predictor.asked
    assert shown.startswith('<div class="zoo-card">') and "zoo-badge" not in shown


def test_the_model_is_asked_something_else_than_what_was_typed() -> None:
    predictor = Fixed()
    demo.one(predictor, " What is  47 × 86? ")
    demo.many(predictor, "8914 ÷ 7\n\n12,000 x 3\n")
    assert predictor.asked == ["What is 47 * 86?", "8914 / 7", "12000 * 3"]


def test_a_refusing_predictor_ends_in_a_traceback() -> None:
    predictor = Fixed(fault=ZooError("the question takes 99 tokens", "at most 96", "shorten it"))
    assert "99 tokens" in demo.one(predictor, "1 + 1")
    assert "99 tokens" in demo.many(predictor, "1 + 1\n2 + 2")


def test_a_batch_loses_or_miscounts_a_line() -> None:
    predictor = Fixed("= 5")
    shown = demo.many(predictor, "2 + 3\nhello\n\n4 + 4\n5 % 3\n1 + 4")
    assert predictor.asked == ["2 + 3", "4 + 4", "5 % 3", "1 + 4"]
    for wanted in ("✓ 2 right", "✗ 1 wrong", "1 not checked", "1 not asked", "of 5 lines", "Python says 8"):
        assert wanted in shown, wanted
    assert shown.count("<tr>") == 1 + 5


def test_a_batch_of_any_length_is_taken() -> None:
    predictor = Fixed()
    assert f"takes {ui.MAX_LINES} at a time" in demo.many(predictor, "1 + 1\n" * (ui.MAX_LINES + 1))
    assert "Paste one question a line" in demo.many(predictor, " \n\n")
    assert not predictor.asked


def test_a_model_s_or_a_person_s_text_is_html() -> None:
    bad = "<script>alert(1)</script>"
    for shown in (demo.one(Fixed(f"{bad} = {bad}"), f"1 + 2 {bad}"), demo.many(Fixed(bad), f"1 + 2 {bad}")):
        assert "<script" not in shown and "&lt;script" in shown


def test_the_card_names_other_limits_than_the_recipe() -> None:
    tiny = recipes.load("arithmetic/tiny")
    cells = demo.trained_cells(tiny)
    assert {(c.operation, max(c.left, c.right)) for c in cells} == {
        (operation, digits) for operation in ("add", "subtract") for digits in (1, 2)
    }
    assert demo.limits(tiny, cells)[0] == ("Trained for", "sums to 2D+2D; differences to 2D-2D (D: digits)")
    assert all(check.read(check.normalise(e)).cell in cells for e in demo.fitting(demo.EXAMPLES, cells))  # type: ignore[union-attr]
    assert "not trained for 3D+1D, but for sums to 2D+2D" in demo.one(Fixed(), "100 + 1", cells)
    assert "not trained" not in demo.one(Fixed(), "10 + 1", cells)


def test_the_demo_of_a_recipe_does_not_build() -> None:
    for name in ("tiny", "carried", "paper"):
        demo.build(Fixed(recipe=recipes.load(f"arithmetic/{name}"))).close()
