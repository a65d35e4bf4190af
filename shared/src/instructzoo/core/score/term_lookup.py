"""What baselines without a model share: terms of the training rows looked up in a text, the most frequent label."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterator, Mapping, Sequence

from instructzoo.core.errors import ZooError
from instructzoo.core.record import Row

_WORD = re.compile(r"\w+|[^\w\s]")


def training_rows(train: Sequence[Row]) -> Sequence[Row]:
    """The training rows as they are. Raises a ZooError where there are none."""
    if not len(train):
        raise ZooError("no training rows", "at least one", "baselines learn from the training split")
    return train


def words(text: str) -> list[str]:
    """The words and punctuation marks of a text."""
    return _WORD.findall(text)


def word_spans(text: str) -> list[tuple[int, int]]:
    """(start, end) of every word and punctuation mark of a text, in characters."""
    return [match.span() for match in _WORD.finditer(text)]


def ngram_spans(text: str, longest: int) -> Iterator[tuple[int, int]]:
    """(start, end) of every run of up to `longest` words, from left to right, the longest first at each start.

    Args:
        text: The text.
        longest: The largest number of words of a span, at least 1.

    Yields:
        Offsets in characters of `text`; the end is exclusive.
    """
    spans = word_spans(text)
    for first in range(len(spans)):
        for last in range(min(first + longest, len(spans)) - 1, first - 1, -1):
            yield spans[first][0], spans[last][1]


def longest_matches(text: str, longest: int, is_term: Callable[[str], bool]) -> list[tuple[int, int]]:
    """Where known terms stand, from left to right: at every start the longest one, and none inside another.

    Args:
        text: The text to search.
        longest: Words of the longest term.
        is_term: Whether a piece of the text is a known term.

    Returns:
        (start, end) of each term, in characters.
    """
    matches: list[tuple[int, int]] = []
    for start, end in ngram_spans(text, longest):
        if (not matches or start >= matches[-1][1]) and is_term(text[start:end]):
            matches.append((start, end))
    return matches


def most_frequent_label(counts: Mapping[str, int], allowed: Container[str] | None = None) -> str:
    """The label with the highest count among the allowed ones, the first among equals; "" where there is none.

    Args:
        counts: The number of occurrences of each label.
        allowed: The labels to choose from; None allows all.

    Returns:
        The label.
    """
    candidates = [label for label in counts if allowed is None or label in allowed]
    return max(candidates, key=lambda label: counts[label], default="")
