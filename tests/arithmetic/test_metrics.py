"""The scorer of arithmetic: every degenerate system has one exactly known score."""

from __future__ import annotations

from itertools import islice

import pytest

from instructzoo.arithmetic import metrics, world
from instructzoo.core.errors import ZooError
from instructzoo.core.record import Row


def row(input: str, answer: str, operation: str, digits: str) -> Row:
    return {
        "instruction": input,
        "input": input,
        "output": f"{input} = {answer}",
        "answer": answer,
        "operation": operation,
        "digits": digits,
    }


ROWS = [
    row("12 + 34", "46", "add", "2D+2D"),
    row("7 + 25", "32", "add", "1D+2D"),
    row("5 - 9", "-4", "subtract", "1D-1D"),
    row("12 * 12", "144", "multiply", "2D*2D"),
    row("89 / 4", "22 R 1", "divide", "2D/1D"),
]
TRUE = [r["answer"] for r in ROWS]
CHARACTERS = sum(map(len, TRUE))


def both(answers: list[str], scorer: str = "strict", rows: list[Row] = ROWS) -> tuple[float, float]:
    scores = metrics.score(rows, answers, scorer)
    exact, digit = scores.get("exact match"), scores.get("digit match")
    assert exact and digit
    return exact.value, digit.value


def test_the_truth_scores_one_under_every_scorer() -> None:
    rows = list(islice(world.generate(400, 3, "test"), 400))
    for scorer in metrics.SCORERS:
        assert both([r["output"] for r in rows], scorer, rows) == (1, 1)
        assert both([r["answer"] for r in rows], scorer, rows) == (1, 1)


@pytest.mark.parametrize("scorer", metrics.SCORERS)
@pytest.mark.parametrize("text", ["", " \n", "e", "None", "none", "R", "=", "Answer:", "undefined"])
def test_a_text_without_the_number_scores_exactly_zero(text: str, scorer: str) -> None:
    exact, digit = both([text] * 5, scorer)
    assert exact == 0
    if text != "undefined":  # a real answer to x / 0, so it is compared like one, and shares no digit
        assert metrics.score(ROWS, [text] * 5, scorer).counts["invalid"] == 5
    assert digit == 0


def test_none_from_a_broken_predictor_is_wrong_and_not_a_crash() -> None:
    scores = metrics.score(ROWS, [None] * 5, "strict")  # type: ignore[list-item]
    assert (scores.headline_value().value, scores.counts["no text"], scores.counts["invalid"]) == (0, 5, 5)


def test_always_the_same_digit_hits_only_where_it_is_the_answer() -> None:
    rows = [*ROWS, row("2 + 2", "4", "add", "1D+1D")]
    for scorer in metrics.SCORERS:
        exact, digit = both(["4"] * 6, scorer, rows)
        assert exact == pytest.approx(1 / 6)
        assert digit == pytest.approx((1 + 0 + 1 + 1 + 0 + 1) / (CHARACTERS + 1))  # 46, -4, 144 and 4 hold one 4


@pytest.mark.parametrize("scorer", metrics.SCORERS)
def test_parts_of_the_answer_and_longer_numbers_are_wrong(scorer: str) -> None:
    assert both([text[:-1] for text in TRUE[:2]], scorer, ROWS[:2]) == (0, 0.5)
    assert both([f"1{text}" for text in TRUE[:2]], scorer, ROWS[:2])[0] == 0
    assert both([f"{text}0" for text in TRUE[:2]], scorer, ROWS[:2])[0] == 0


def test_the_answer_written_twice_is_strictly_no_answer() -> None:
    for between in (" ", "\n", ", "):
        assert both([f"{text}{between}{text}" for text in TRUE]) == (0, 0)
        positive = [r for r in ROWS if r["answer"] != "-4"]  # in "-4 -4" the second minus is an operator
        twice = [f"{r['answer']}{between}{r['answer']}" for r in positive]
        assert both(twice, "lenient", positive) == (1, 1)  # its rule: the last number
    assert both([f"{text}{text}" for text in TRUE[:2]], "lenient", ROWS[:2])[0] == 0


def test_a_right_number_before_or_beside_a_wrong_one_is_wrong() -> None:
    for text in ("46 = 47", "The answer is not 46 but 47", "46 or 47", "12 + 34 = 46 = 47"):
        for scorer in metrics.SCORERS:
            assert both([text], scorer, ROWS[:1])[0] == 0, (text, scorer)


def test_listing_every_candidate_does_not_win() -> None:
    everything = " ".join(map(str, range(100)))
    for scorer in metrics.SCORERS:
        assert both([everything], scorer, ROWS[:1])[0] == 0


def test_prose_around_the_right_number_is_lenient_only() -> None:
    assert both(["It is 46."], "strict", ROWS[:1]) == (0, 0)
    assert both(["It is 46."], "lenient", ROWS[:1]) == (1, 1)


def test_a_quotient_without_its_remainder_is_wrong() -> None:
    for scorer in metrics.SCORERS:
        assert both(["89 / 4 = 22"], scorer, ROWS[4:])[0] == 0
        assert both(["89 / 4 = 22 R 1"], scorer, ROWS[4:]) == (1, 1)


def test_a_lost_minus_sign_is_wrong() -> None:
    for scorer in metrics.SCORERS:
        assert both(["5 - 9 = 4"], scorer, ROWS[2:3]) == (0, 0.5)


def test_one_wrong_digit_costs_one_character_of_the_set() -> None:
    exact, digit = both(["47", *TRUE[1:]])
    assert (exact, digit) == (pytest.approx(4 / 5), pytest.approx(1 - 1 / CHARACTERS))


def test_an_overlong_answer_is_counted_and_scores_at_least_zero() -> None:
    scores = metrics.score(ROWS[:1], ["9" * 300], "strict")
    digit = scores.get("digit match")
    assert digit and digit.value == 0
    assert scores.counts["edits cut at the answer's length"] == 1


def test_the_hits_of_single_rows_add_up_to_the_score() -> None:
    answers = ["46", "", "5 - 9 = -4", "It is 144.", "22"]
    assert metrics.correct(ROWS, answers, "strict") == [True, False, True, False, False]
    assert metrics.correct(ROWS, answers, "lenient") == [True, False, True, True, False]
    for scorer in metrics.SCORERS:
        assert sum(metrics.correct(ROWS, answers, scorer)) == metrics.score(ROWS, answers, scorer).counts["right"]


def test_groups_count_every_row_once_and_ignore_the_order_of_a_sum() -> None:
    rows = list(islice(world.generate(600, 5, "test"), 600))
    scores = metrics.score(rows, [r["output"] for r in rows], "strict")
    sizes = {f.group: f.n for f in scores.metric_values if f.metric == "exact match"}
    assert sizes["all"] == 600 == sum(sizes[o] for o in ("add", "subtract", "multiply", "divide"))
    assert sum(n for g, n in sizes.items() if g.count("D") == 2) == 600
    assert sum(n for g, n in sizes.items() if g.startswith("add ") and g.count("D") == 2) == sizes["add"]
    assert metrics.groups(row("7 + 25", "32", "add", "1D+2D")) == metrics.groups(row("25 + 7", "32", "add", "2D+1D"))
    assert metrics.groups(row("7 - 25", "-18", "subtract", "1D-2D")) != metrics.groups(
        row("25 - 7", "18", "subtract", "2D-1D")
    )


def test_every_metric_value_has_its_n_and_a_proper_confidence_interval() -> None:
    for figure in metrics.score(ROWS, TRUE, "strict").metric_values:
        assert figure.n >= 1 and figure.low < figure.value == figure.high == 1


def test_rows_that_name_no_operation_are_scored_and_counted() -> None:
    plain = [{"instruction": "What is 2 + 2?", "input": "2 + 2", "output": "2 + 2 = 4"}]
    scores = metrics.score(plain, ["4"], "strict")
    assert scores.headline_value().value == 1
    assert {f.group for f in scores.metric_values} == {"all"}
    assert scores.counts["rows without operation and digits"] == 1


def test_a_row_without_a_true_answer_is_an_error_and_not_a_free_hit() -> None:
    with pytest.raises(ZooError, match="row 1: no true answer"):
        metrics.score([{"instruction": "x", "input": "", "output": ""}], [""], "strict")


def test_missing_answers_and_unknown_scorers_are_errors() -> None:
    with pytest.raises(ZooError, match="4 answers for 5 rows"):
        metrics.score(ROWS, TRUE[:4], "strict")
    with pytest.raises(ZooError, match='did you mean "strict"'):
        metrics.score(ROWS, TRUE, "strikt")


def test_the_paper_table_is_complete_and_matches_the_groups_of_the_scorer() -> None:
    goat = [f for f in metrics.PAPER if f.system == "Goat-7B"]
    assert len(goat) == 4 * 8 * 2
    assert all(0 <= f.value <= 1 and f.source for f in metrics.PAPER)
    assert len({(f.metric, f.group, f.system) for f in metrics.PAPER}) == len(metrics.PAPER)
    for group in {f.group for f in metrics.PAPER}:  # a group that no row can ever fall into would stay empty unnoticed
        operation, _, digits = group.partition(" ")
        sign = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/"}[operation]
        pair = digits if sign in digits else f"{digits}{sign}{digits}"
        assert group in metrics.groups({"operation": operation, "digits": pair}), group


@pytest.mark.parametrize("scorer", metrics.SCORERS)
def test_numbers_of_5000_digits_are_scored(scorer: str) -> None:
    for text in ("7" * 5000, f"46 R {'7' * 5000}", f"-{'0' * 5000}7"):
        assert both([text], scorer, ROWS[:1])[0] == 0
    huge = {**ROWS[0], "digits": f"{'9' * 5000}D+1D"}
    assert metrics.score([huge], ["46"], scorer).headline_value().value == 1
