"""Exact match, character and token error rates: plain comparisons of answers that a domain has already parsed.

An answer is the parsed text, or None if the parser rejected it. None and blank answers are wrong in every metric: no
hit, and as many edits as the reference has units.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein

from instructzoo.core.errors import ZooError

Array = NDArray[np.float64]


class EditCounts(NamedTuple):
    """Levenshtein edits of answers and the lengths of their references, both [n], in characters or tokens."""

    edits: Array
    lengths: Array

    def error_rate(self) -> float:
        """Edits / reference units over the whole set, as torchmetrics' CharErrorRate counts it; it may exceed 1."""
        return float(self.edits.sum() / self.lengths.sum()) if len(self.lengths) else float("nan")

    def match_fractions(self) -> Array:
        """The matched fraction of each reference, in 0..1: 1 - edits / length, with the edits clipped at the length.

        Clipping keeps one runaway answer from cancelling many right ones. Averaged with `lengths` as weights it is
        1 - CER, the digit match of Goat (arXiv:2305.14201), unless an answer has more edits than its reference has
        characters; `clipped_count` counts those. Shape [n].
        """
        return 1.0 - np.minimum(self.edits, self.lengths) / self.lengths

    def clipped_count(self) -> int:
        """The number of answers with more edits than their reference has units."""
        return int((self.edits > self.lengths).sum())


def exact_match(references: Sequence[str], answers: Sequence[str | None]) -> Array:
    """Score answers by exact match.

    Args:
        references: The true answers.
        answers: The parsed answers, in the same order; None for one that was rejected.

    Returns:
        1 if the answer equals the reference character by character, else 0; [n].

    Raises:
        ZooError: The lists are of different lengths, or a reference is empty.
    """
    _check(references, answers)
    hits = [answer == reference for reference, answer in zip(references, answers, strict=True)]
    return np.array(hits, dtype=np.float64)


def character_errors(references: Sequence[str], answers: Sequence[str | None]) -> EditCounts:
    """Levenshtein edits in characters; arguments and errors as for `exact_match`.

    Returns:
        Edits and reference lengths of each row, [n], in characters.
    """
    return _count_edits(references, answers, list)


def token_errors(references: Sequence[str], answers: Sequence[str | None]) -> EditCounts:
    """Levenshtein edits in tokens, which are split at white space; arguments and errors as for `exact_match`.

    Returns:
        Edits and reference lengths of each row, [n], in tokens.
    """
    return _count_edits(references, answers, str.split)


def _count_edits(
    references: Sequence[str], answers: Sequence[str | None], split_units: Callable[[str], list[str]]
) -> EditCounts:
    _check(references, answers)
    edits, lengths = [], []
    for reference, answer in zip(references, answers, strict=True):
        units = split_units(reference)
        edits.append(Levenshtein.distance(units, split_units(answer or "")))
        lengths.append(len(units))
    return EditCounts(np.array(edits, dtype=np.float64), np.array(lengths, dtype=np.float64))


def _check(references: Sequence[str], answers: Sequence[str | None]) -> None:
    if len(references) != len(answers):
        raise ZooError(f"{len(answers)} answers for {len(references)} rows", "one answer per row, in order")
    for number, reference in enumerate(references, 1):
        if not reference.strip():
            raise ZooError(f"the reference of row {number} is empty", "a text that can be matched", "drop the row")
