"""Baselines that are what their names say, fast enough to stand beside every score."""

from __future__ import annotations

import random

import pytest

from instructzoo.core.errors import ZooError
from instructzoo.core.record import Row
from instructzoo.core.score import BASELINES


def row(instruction: str, input: str, output: str) -> Row:
    return {"instruction": instruction, "input": input, "output": output}


TRAIN = [
    row("Translate into German.", "the red house", "das rote Haus"),
    row("Translate into German.", "a green tree", "ein grüner Baum"),
    row("Name the colour.", "a green tree", "green"),
    row("Name the colour.", "grass", "green"),
    row("Add.", "12 + 34", "46"),
    row("Add.", "12 + 43", "55"),
]


def test_copy_gives_the_input_and_falls_back_to_the_instruction() -> None:
    assert BASELINES["copy"](TRAIN, [row("Add.", "1 + 1", "2"), row("Say hello.", "", "hello")]) == [
        "1 + 1",
        "Say hello.",
    ]


def test_constant_is_the_most_frequent_output_of_training_and_not_of_test() -> None:
    assert BASELINES["constant"](TRAIN, [row("x", "y", "z")] * 3) == ["green"] * 3


def test_nearest_finds_the_row_itself() -> None:
    assert BASELINES["nearest"](TRAIN, TRAIN) == [r["output"] for r in TRAIN]


def test_nearest_weighs_the_rare_words_and_not_the_common_wording() -> None:
    test_rows = [
        row("Translate into German.", "the grass", "?"),
        row("Name the colour.", "the red house", "?"),
        row("Add.", "34 + 12", "?"),
    ]
    answers = BASELINES["nearest"](TRAIN, test_rows)
    assert answers[1] == "das rote Haus"
    assert answers[2] == "46"


def test_spacing_and_unspaced_scripts_do_not_hide_a_neighbour() -> None:
    train = [row("", "12x34", "408"), row("", "我头痛三天", "休息"), row("", "我喜欢猫", "好")]
    assert BASELINES["nearest"](train, [row("", "12 x 34", "?"), row("", "头痛", "?")]) == ["408", "休息"]


def test_a_row_without_any_known_token_still_gets_an_answer() -> None:
    assert BASELINES["nearest"](TRAIN, [row("???", "zzz", "?"), row("", "", "?")]) == ["das rote Haus"] * 2


@pytest.mark.parametrize("name", ["constant", "nearest"])
def test_no_training_rows_is_one_clear_error(name: str) -> None:
    with pytest.raises(ZooError, match="no training rows"):
        BASELINES[name]([], TRAIN)


@pytest.mark.parametrize("name", ["copy", "constant", "nearest"])
def test_an_empty_test_split_gives_no_answers(name: str) -> None:
    assert BASELINES[name](TRAIN, []) == []


def test_nearest_finds_an_identical_row_among_fifty_thousand() -> None:
    rng = random.Random(0)

    def sum_of_two() -> Row:
        a, b = rng.randrange(10**5), rng.randrange(10**5)
        return row(f"Please work out the sum of {a} and {b} for me.", f"{a} + {b}", str(a + b))

    train, test = [sum_of_two() for _ in range(50_000)], [sum_of_two() for _ in range(1_000)]
    test[7] = train[31_000]
    answers = BASELINES["nearest"](train, test)
    assert answers[7] == train[31_000]["output"]
