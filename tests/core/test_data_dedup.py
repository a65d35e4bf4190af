"""Near-duplicates are found exactly, and texts with different numbers are never duplicates."""

from __future__ import annotations

import random
import tracemalloc

import pytest

from instructzoo.core.data.dedup import NGRAM, near_duplicates
from instructzoo.core.data.ngrams import ngrams, numbers, words


def brute_force(texts: list[tuple[int, str]], threshold: float) -> dict[int, int]:
    """The definition, pair by pair."""
    sets = [ngrams(words(text), NGRAM) for _, text in texts]
    keys = [(block, numbers(words(text))) for block, text in texts]
    kept: list[int] = []
    duplicates = {}
    for i, grams in enumerate(sets):
        near = [
            j
            for j in kept
            if keys[j] == keys[i] and grams and len(grams & sets[j]) >= threshold * len(grams | sets[j]) - 1e-9
        ]
        if near:
            duplicates[i] = near[0]
        else:
            kept.append(i)
    return duplicates


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.8, 0.9, 1.0])
def test_near_duplicates_equal_those_of_the_brute_force_definition(threshold: float) -> None:
    rng = random.Random(7)
    vocabulary = [f"w{chr(97 + i)}" for i in range(14)]
    texts: list[tuple[int, str]] = []
    for _ in range(60):
        base = [rng.choice(vocabulary) for _ in range(rng.randint(1, 40))]
        texts.append((rng.randint(0, 1), " ".join(base)))
        for _ in range(4):
            changed = list(base)
            for _ in range(rng.randint(0, 3)):
                changed[rng.randrange(len(changed))] = rng.choice(vocabulary)
            texts.append((rng.randint(0, 1), " ".join(changed)))
    rng.shuffle(texts)
    duplicates = near_duplicates(texts, threshold)
    expected = brute_force(texts, threshold)
    assert expected  # the check would be empty otherwise
    assert duplicates.keys() == expected.keys()
    sets = [ngrams(words(text), NGRAM) for _, text in texts]
    for index, kept in duplicates.items():
        assert len(sets[index] & sets[kept]) >= threshold * len(sets[index] | sets[kept]) - 1e-9


def test_a_text_without_near_duplicates_takes_little_memory() -> None:
    def peak(n: int) -> int:
        rng = random.Random(0)
        texts = [(0, " ".join(chr(97 + rng.randrange(26)) * rng.randint(1, 9) for _ in range(30))) for _ in range(n)]
        tracemalloc.start()
        assert near_duplicates(texts, 0.9) == {}
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    assert peak(5000) - peak(1000) < 700 * 4000


def test_texts_that_differ_in_a_number_are_no_duplicates() -> None:
    frame = "a farmer with a barn full of hay sells {} bales to her neighbour and keeps the other half for winter"
    texts = [(0, frame.format(12)), (0, frame.format(13)), (0, frame.format(12).upper() + " !")]
    assert near_duplicates(texts, 0.5) == {2: 0}
    assert words("12 + 34") != words("12 - 34") != words("12 + 35")


def test_duplicates_are_found_across_case_spacing_and_punctuation() -> None:
    texts = [(0, "What is 12 + 34?"), (0, "what is 12+34"), (0, "WHAT IS　１２ + 34 ."), (0, "what is 1.2 + 34")]
    assert near_duplicates(texts, 1.0) == {1: 0, 2: 0}


def test_rows_of_two_items_are_no_duplicates() -> None:
    assert near_duplicates([(1, "name the river"), (2, "name the river")], 0.5) == {}


def test_texts_without_words_are_no_duplicates() -> None:
    assert near_duplicates([(0, ""), (0, "..."), (0, "")], 0.9) == {}
    assert near_duplicates([], 0.9) == {}
