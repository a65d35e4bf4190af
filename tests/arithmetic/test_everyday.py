"""The everyday questions: worded by hand, right by Python's integers, and about problems that no training row has."""

from __future__ import annotations

import json
from pathlib import Path

from instructzoo.arithmetic import metrics, prompts
from instructzoo.arithmetic.problem import OPERATIONS, Problem
from instructzoo.core.data import read_jsonl
from instructzoo.core.record import Invalid

FILE = Path(__file__).with_name("everyday.jsonl")
ROWS = [row for _, row in read_jsonl(FILE)]
SCORES = Path(__file__).resolve().parents[2] / "docs" / "results" / "arithmetic" / "everyday.json"


def problem_of(row: dict[str, str]) -> Problem:
    left, _, right = row["input"].split()
    return Problem(row["operation"], int(left), int(right))


def test_everyday_questions_have_their_true_answers_and_their_numbers() -> None:
    assert len(ROWS) == 40
    assert len({row["instruction"] for row in ROWS}) == 40
    assert {operation: sum(row["operation"] == operation for row in ROWS) for operation in OPERATIONS} == dict.fromkeys(
        OPERATIONS, 10
    )
    for row in ROWS:
        problem = problem_of(row)
        assert row["answer"] == row["output"] == problem.answer
        assert (row["input"], row["digits"], row["item"]) == (problem.expression, problem.digit_pair.name, problem.item)
        assert str(problem.left) in row["instruction"] and str(problem.right) in row["instruction"]
        assert not isinstance(prompts.parse(row["output"], row), Invalid)
    assert all(metrics.correct(ROWS, [row["output"] for row in ROWS], "strict"))


def test_everyday_questions_are_about_held_out_problems() -> None:
    assert {problem_of(row).split for row in ROWS} == {"test"}
    assert len({row["item"] for row in ROWS}) == 40


def test_the_recorded_scores_are_of_these_questions() -> None:
    from instructzoo.core import runs

    scores = json.loads(SCORES.read_text())
    assert scores["data"] == runs.sha256(FILE)[:16]
    assert scores["rows"] == {"file": "tests/arithmetic/everyday.jsonl"}
    assert scores["n"] == 40
