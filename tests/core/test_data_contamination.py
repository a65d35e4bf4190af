"""Evaluation rows do not occur in training data."""

from __future__ import annotations

from pathlib import Path

import pytest

from instructzoo.core.data.contamination import Content, Finding, check
from instructzoo.core.record import item_key, row_id

LONG = "the narrow lane behind the old mill floods whenever the snow melts early in the hills"


def text(instruction: str, input: str = "") -> Content:
    """A row whose item is its text."""
    return Content(row_id(instruction, input, ""), item_key(instruction, input), instruction, input, False)


def problem(item: str, instruction: str, input: str) -> Content:
    """A row whose domain declares the item."""
    return Content(row_id(instruction, input, item), item, instruction, input, True)


def only(train: list[Content], test: list[Content], n: int = 8, overlap: float = 0.8) -> Finding:
    (finding,) = check(train, {"test": test}, n, overlap)
    return finding


def test_a_test_row_in_other_case_and_punctuation_is_an_exact_match() -> None:
    finding = only([text("Rate it.", "Great food!"), text("Rate it.", "Poor food")], [text("rate it", "great  FOOD")])
    assert (finding.exact, finding.train_exact, finding.train_ngram) == ({0}, [0], [])


def test_a_long_passage_inside_a_longer_row_is_found_by_ngrams() -> None:
    test_row = text("Summarise.", LONG)
    finding = only([text("Translate this.", f"We heard that {LONG}, as ever.")], [test_row])
    assert (finding.exact, finding.ngram, finding.train_ngram) == (set(), {0}, [0])
    words = LONG.split()
    changed = " ".join([*words[:8], "quietly", *words[8:]])
    assert only([text("Translate this.", changed)], [test_row]).ngram == set()  # 2 of 9 grams are left
    assert only([text("Translate this.", changed)], [test_row], overlap=0.1).ngram == {0}


def test_a_shared_instruction_is_no_contamination() -> None:
    instruction = " ".join(["List every aspect of the following review together with its opinion"] * 5)
    train = [text(instruction, "the soup was cold"), text(instruction, LONG)]
    test = [text(instruction, "the soup was warm"), text(instruction, " ".join(reversed(LONG.split())))]
    finding = only(train, test)
    assert not finding.exact and not finding.ngram


def test_one_wording_around_two_problems_is_no_contamination() -> None:
    wording = "please work out the following sum for me and write down the result: {}"
    train = [problem("add 12 34", wording.format("12 + 34"), "12 + 34")]
    assert not only(train, [problem("add 12 35", wording.format("12 + 35"), "12 + 35")]).ngram
    assert not only(train, [problem("subtract 12 34", wording.format("12 - 34"), "12 - 34")]).ngram


def test_the_same_declared_item_in_other_words_is_found() -> None:
    train = [problem("add 12 34", "What is 12 + 34?", "12 + 34"), problem("add 1 2", "1 + 2", "1 + 2")]
    finding = only(train, [problem("add 12 34", "Add 34 to 12.", "34 + 12")])
    assert finding.train_exact == [0]


def test_declared_items_with_empty_inputs_do_not_match_one_another() -> None:
    finding = only([problem("clip 1", "What is he doing?", "")], [problem("clip 2", "What is he doing?", "")])
    assert not finding.exact and not finding.ngram


def test_the_validation_split_is_compared_too() -> None:
    splits = {"validation": [text("one two")], "test": [text("three four")]}
    findings = check([text("one two"), text("three four"), text("five")], splits, 8, 0.8)
    assert [finding.train_exact for finding in findings] == [[0], [1]]


def _sentences(path: Path) -> list[Content]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [text("Extract the quadruples.", line.partition("####")[0]) for line in lines]


@pytest.mark.realdata
def test_the_overlap_of_rest15_and_rest16_is_counted_exactly(realdata: Path) -> None:
    """436 of the 537 test sentences of ASQP rest15 occur letter by letter in the training split of rest16.

    Six more differ from a training sentence in case, spacing or punctuation alone ("awesome", "Awesome").
    """
    folder = realdata / "absa" / "asqp"
    train, test = _sentences(folder / "rest16" / "train.txt"), _sentences(folder / "rest15" / "test.txt")
    texts = {row.input for row in train}
    letters = {_letters(row.input) for row in train}
    verbatim = {index for index, row in enumerate(test) if row.input in texts}
    folded = {index for index, row in enumerate(test) if _letters(row.input) in letters}
    assert (len(test), len(verbatim), len(folded)) == (537, 436, 442)
    assert only(train, test).exact == folded


def _letters(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalnum())
