"""The scorer of whole answers, and the checks and groups that all scorers share."""

from __future__ import annotations

import pytest

from instructzoo.core.errors import ZooError
from instructzoo.core.record import Invalid, Record, Row
from instructzoo.core.score.scorers import EXACT_MATCH, UNPARSEABLE, ExactMatch, rows_by_group
from instructzoo.core.score.term_lookup import longest_matches, most_frequent_label, ngram_spans, training_rows


def parse(text: str, row: Row) -> str | Invalid:
    return text.strip() or Invalid("no text")


METRIC = ExactMatch(
    {"strict": parse, "lenient": lambda text, row: parse(text.lower(), row)},
    lambda row, answer: answer == row["output"],
    lambda row: (row["unit"],),
)
ROWS = [Record(f"q{n}", "", output, extra={"unit": unit}).row() for n, (output, unit) in enumerate(
    [("a", "km"), ("b", "kg"), ("c", "km"), ("d", "km")]
)]  # fmt: skip


def test_right_answers_are_counted_for_all_rows_and_for_every_group() -> None:
    scores = METRIC.score(ROWS, ["a", "b", "x", ""], "strict")
    assert [(v.group, v.value, v.n) for v in scores.metric_values] == [("all", 0.5, 4), ("km", 1 / 3, 3), ("kg", 1, 1)]
    assert all(v.metric == EXACT_MATCH and v.low <= v.value <= v.high for v in scores.metric_values)
    assert scores.headline_value().n == 4
    assert scores.counts == {"rows": 4, "right": 2, UNPARSEABLE: 1}


def test_hits_agree_with_the_score_in_every_variant() -> None:
    answers = ["A", "b", "C", " d "]
    assert METRIC.correct(ROWS, answers, "strict") == [False, True, False, True]
    assert METRIC.correct(ROWS, answers, "lenient") == [True] * 4
    for scorer in METRIC.parsers:
        scores = METRIC.score(ROWS, answers, scorer)
        assert scores.headline_value().value == sum(METRIC.correct(ROWS, answers, scorer)) / 4


def test_an_unparseable_text_is_wrong_whatever_the_domain_says() -> None:
    always = ExactMatch({"strict": parse}, lambda row, answer: True)
    assert always.correct(ROWS[:2], ["", "x"], "strict") == [False, True]


def test_unknown_scorers_and_missing_answers_are_errors() -> None:
    with pytest.raises(ZooError, match='no scorer "strikt"; did you mean "strict"'):
        METRIC.score(ROWS, ["a"] * 4, "strikt")
    with pytest.raises(ZooError, match="3 answers for 4 rows"):
        METRIC.correct(ROWS, ["a"] * 3, "strict")


def test_groups_stand_in_the_order_in_which_they_appear() -> None:
    assert rows_by_group(ROWS, lambda row: (row["unit"],)) == {"all": [0, 1, 2, 3], "km": [0, 2, 3], "kg": [1]}


def test_the_longest_term_at_each_start_is_found_and_none_inside_another() -> None:
    terms = {"New York", "New York City", "City", "York"}
    text = "New York City, York and City."
    assert [text[a:b] for a, b in longest_matches(text, 3, terms.__contains__)] == ["New York City", "York", "City"]
    assert [text[a:b] for a, b in longest_matches(text, 1, terms.__contains__)] == ["York", "City", "York", "City"]
    assert longest_matches("", 3, terms.__contains__) == []


def test_runs_of_words_come_from_left_to_right_the_longest_first() -> None:
    text = "a b, c"
    assert [text[start:end] for start, end in ngram_spans(text, 2)] == ["a b", "a", "b,", "b", ", c", ",", "c"]


def test_the_most_frequent_allowed_label_wins_and_the_first_among_equals() -> None:
    counts = {"food": 2, "service": 3, "place": 3}
    assert most_frequent_label(counts) == "service"
    assert most_frequent_label(counts, {"food", "place"}) == "place"
    assert most_frequent_label(counts, {"price"}) == most_frequent_label({}) == ""


def test_baselines_without_training_rows_are_an_error() -> None:
    assert training_rows(ROWS) is ROWS
    with pytest.raises(ZooError, match="no training rows"):
        training_rows([])
