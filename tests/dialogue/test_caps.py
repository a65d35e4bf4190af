"""Caps on turns and words."""

from __future__ import annotations

import pytest

from instructzoo.dialogue.data.caps import Caps, capped_text, capped_turns


@pytest.mark.parametrize(
    ("turns", "caps", "kept", "cut"),
    [
        (["a  b", "c"], Caps(), ["a  b", "c"], 0),
        ([], Caps(), [], 0),
        (["a", "b", "c"], Caps(turns=2), ["b", "c"], 1),
        (["a b c", "d e"], Caps(dialogue_words=4), ["b c", "d e"], 1),
        (["a b", "c d"], Caps(dialogue_words=2), ["c d"], 1),
        (["a b", "c d e"], Caps(dialogue_words=2), ["d e"], 2),
        (["x", "a b", "c d e"], Caps(turns=2, dialogue_words=4), ["b", "c d e"], 2),
        (["", "a"], Caps(dialogue_words=1), ["", "a"], 0),
    ],
)
def test_the_last_turns_and_words_are_kept_and_cut_turns_are_counted(
    turns: list[str], caps: Caps, kept: list[str], cut: int
) -> None:
    assert capped_turns(turns, caps) == (kept, cut)


def test_ten_thousand_turns_are_capped_to_twenty() -> None:
    kept, cut = capped_turns([f"turn {n}" for n in range(10_000)], Caps())
    assert kept == [f"turn {n}" for n in range(9_980, 10_000)]
    assert cut == 9_980


def test_the_first_words_of_a_document_are_kept_and_the_others_counted() -> None:
    assert capped_text("a  b c", 3) == ("a  b c", 0)
    assert capped_text("a b c d", 3) == ("a b c", 1)


def test_the_caps_are_those_of_instructdial() -> None:
    assert Caps() == Caps(turns=20, dialogue_words=400, knowledge_words=250)
