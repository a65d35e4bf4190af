"""Exact match and error rates: empty answers are never a hit, and the rates follow the published definitions."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from instructzoo.core.errors import ZooError
from instructzoo.core.score import character_errors, exact_match, token_errors


@pytest.mark.parametrize("answer", [None, "", " ", "\n"])
def test_an_answer_of_nothing_is_never_a_hit(answer: str | None) -> None:
    references = ["5", "None", "12 R 3"]
    assert exact_match(references, [answer] * 3).tolist() == [0, 0, 0]
    assert character_errors(references, [None] * 3).match_fractions().tolist() == [0, 0, 0]


@pytest.mark.parametrize("answer", ["1", "12", "1234", "123 123", "0123", "x123", "123 "])
def test_a_part_or_a_repetition_of_the_reference_is_no_hit(answer: str) -> None:
    assert exact_match(["123"], [answer]).tolist() == [0]


@pytest.mark.parametrize("reference", ["", "  "])
def test_an_empty_reference_is_an_error_and_not_a_free_hit(reference: str) -> None:
    for metric in (exact_match, character_errors, token_errors):
        with pytest.raises(ZooError, match="row 2 is empty"):
            metric(["a", reference], ["a", ""])


def test_fewer_answers_than_rows_are_an_error() -> None:
    for metric in (exact_match, character_errors, token_errors):
        with pytest.raises(ZooError, match="1 answers for 2 rows"):
            metric(["a", "b"], ["a"])


def test_the_character_error_rate_is_edits_over_all_reference_characters() -> None:
    errors = character_errors(["1234", "56", "7"], ["1243", "56", "77777"])
    assert errors.edits.tolist() == [2, 0, 4]
    assert errors.error_rate() == pytest.approx(6 / 7)  # not the mean of 0.5, 0 and 4
    assert errors.clipped_count() == 1


def test_one_runaway_answer_does_not_cancel_the_right_ones() -> None:
    errors = character_errors(["1234"] * 3, ["1234", "1234", "9" * 400])
    assert errors.error_rate() > 1
    assert np.average(errors.match_fractions(), weights=errors.lengths) == pytest.approx(2 / 3)


def test_digit_match_is_one_minus_the_error_rate_where_nothing_was_cut() -> None:
    errors = character_errors(["123456", "42", "7"], ["123956", "4", "7"])
    assert errors.clipped_count() == 0
    assert np.average(errors.match_fractions(), weights=errors.lengths) == pytest.approx(1 - errors.error_rate())


def test_tokens_are_compared_whole() -> None:
    errors = token_errors(["the cat sat", "on a mat"], ["the cats sat", None])
    assert errors.edits.tolist() == [1, 3]
    assert errors.error_rate() == pytest.approx(4 / 6)


def test_importing_the_scores_does_not_import_scipy() -> None:
    code = "import sys, instructzoo.core.score as s; print(len(s.__all__) <= 10, {'scipy', 'torch'} & set(sys.modules))"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert process.stdout.strip() == "True set()"
