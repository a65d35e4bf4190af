"""The prompts of arithmetic, and how the answer is taken from a text."""

from __future__ import annotations

from typing import Any

import pytest

from instructzoo.arithmetic import prompts, world
from instructzoo.arithmetic.prompts import Answer
from instructzoo.arithmetic.world.synthesis import goat_dataset
from instructzoo.core.record import Invalid, Segment

SUM, PRODUCT, DIVISION = ({"operation": name} for name in ("add", "multiply", "divide"))
LONG = "8914 - 64 * 100 = 8914 - 6400 = 2514\n2514 - 64 * 39 = 2514 - 2496 = 18\nTherefore, 8914 / 64 = 139 R 18"


@pytest.mark.parametrize("values", [{}, {"steps": False}, {"noise": False, "wordings": False, "by_zero": 0.3}])
@pytest.mark.parametrize("lenient", [False, True])
def test_no_answer_of_the_world_is_read_as_another(values: dict[str, Any], lenient: bool) -> None:
    for row in world.generate(1500, 1, "train", world.Settings(**values)):
        question, target = prompts.render(row, 0)
        assert question == Segment(f"{row['instruction']}\nAnswer: ", False) and target.supervised
        assert prompts.parse(target.text, row, lenient) == Answer(row["answer"])
        bare = {"instruction": row["instruction"], "input": row["input"]}  # as a user's file has it
        assert prompts.parse(target.text, bare, lenient) == Answer(row["answer"])
        assert prompts.parse(row["answer"], row, lenient) == Answer(row["answer"])


def test_no_answer_of_the_corpus_is_read_as_another() -> None:
    for row in goat_dataset.make_chunk(1, 0).slice(0, 4000).to_pylist():
        assert prompts.parse(row["output"], row) == Answer(row["answer"])


def test_a_row_without_instruction_is_rendered_from_its_input() -> None:
    assert prompts.render({"instruction": "", "input": "1 + 2", "output": "3"}, 0)[0].text == "1 + 2\nAnswer: "
    assert prompts.render({"input": "1 + 2"}, 0) == [Segment("1 + 2\nAnswer: ", False), Segment("", True)]


@pytest.mark.parametrize(
    ("text", "row", "value"),
    [
        ("2 + 3 = 5", SUM, "5"),
        ("2 - 3 = -1\n", SUM, "-1"),
        ("5", SUM, "5"),
        ("0", SUM, "0"),
        ("12 * 34 = 34 * (10 + 2) = 340 + 68 = 408", PRODUCT, "408"),
        (LONG, DIVISION, "139 R 18"),
        ("5 / 64 = 0 R 5", DIVISION, "0 R 5"),
        ("5 / 0 is undefined", DIVISION, "undefined"),
        ("undefined", DIVISION, "undefined"),
    ],
)
def test_strict_takes_what_the_last_line_ends_with(text: str, row: dict[str, str], value: str) -> None:
    assert prompts.parse(text, row) == Answer(value)


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("", SUM),
        ("   \n", SUM),
        ("None", SUM),
        ("2 + 3 =", SUM),
        ("2 + 3 = 5.", SUM),
        ("2 + 3 = 05", SUM),
        ("2 + 3 = -0", SUM),
        ("2 + 3 = 5 and more", SUM),
        ("2 + 3 = 1,005", SUM),
        ("2 + 3 = five", SUM),
        ("2 + 3 = ５", SUM),
        ("2 + 3 = 5\n2 + 3 = 5", SUM),
        ("12 * 34 = 34 * (10 + 2) = 340 + 68", PRODUCT),
        ("8914 / 64 = 139 R 0", DIVISION),
        ("8914 / 64 = 139 r 18", DIVISION),
        (LONG.rpartition("\n")[0], DIVISION),
        ("8914 - 64 * 100 = 8914 - 6400 = 2514", DIVISION),
        (LONG.replace("Therefore, ", ""), DIVISION),
    ],
)
def test_strict_does_not_guess(text: str, row: dict[str, str]) -> None:
    assert isinstance(prompts.parse(text, row), Invalid)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2 + 3 = 5.", "5"),
        ("The answer is 1,234,567!", "1234567"),
        ("= 007", "7"),
        ("3 - 10 = - 7", "-7"),
        ("3 - 10 = \u22127", "-7"),
        ("(3 + 4) - 7", "7"),
        ("12-7", "7"),
        ("-7", "-7"),
        ("139 R18", "139 R 18"),
        ("139r18", "139 R 18"),
        ("139 remainder 18", "139 R 18"),
        ("139 with a remainder of 18.", "139 R 18"),
        ("quotient 139, remainder 18", "139 R 18"),
        ("139, rem. 18", "139 R 18"),
        ("139 R 0", "139"),
        ("139 R 018", "139 R 18"),
        ("-0", "0"),
        ("= -007", "-7"),
        (f"= 00{'7' * 5000}", "7" * 5000),
        ("8.00", "8"),
        ("5 / 0 is Undefined.", "undefined"),
        ("It is undefined? No, it is 5", "5"),
        (LONG.replace("Therefore, ", ""), "139 R 18"),
        ("12 in, then 13", "13"),
    ],
)
def test_lenient_takes_the_last_number_however_it_is_written(text: str, value: str) -> None:
    assert prompts.parse(text, {"operation": "divide"}, lenient=True) == Answer(value)


@pytest.mark.parametrize("text", ["", "None", "no idea", "8.25"])
def test_lenient_does_not_make_up_a_number(text: str) -> None:
    assert isinstance(prompts.parse(text, SUM, lenient=True), Invalid)
