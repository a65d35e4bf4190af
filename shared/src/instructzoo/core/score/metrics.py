"""Exact match, character and token error rates: plain comparisons of answers that a domain has already parsed.

An answer is the parsed text, or None where the parser found none. None and blank answers are wrong in every metric:
no hit, and as many edits as the reference has units.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein

from instructzoo.core.errors import ZooError

Array = NDArray[np.float64]


class Errors(NamedTuple):
    """Edits against references, one entry per item; both arrays are [n], in characters or tokens."""

    edits: Array
    lengths: Array

    def rate(self) -> float:
        """Edits / reference units over the whole set, as torchmetrics' CharErrorRate counts it; it may exceed 1."""
        return float(self.edits.sum() / self.lengths.sum()) if len(self.lengths) else float("nan")

    def matches(self) -> Array:
        """Share of each reference that came through, in 0..1: 1 - edits / length, the edits cut at the length.

        The cut keeps one runaway answer from cancelling many right ones. Averaged with `lengths` as weights it is
        1 - CER, the digit match of Goat (arXiv:2305.14201), wherever no answer has more edits than its
        reference has characters; `clipped` counts where one has.
        """
        return 1.0 - np.minimum(self.edits, self.lengths) / self.lengths

    def clipped(self) -> int:
        """How many answers had more edits than their reference has units."""
        return int((self.edits > self.lengths).sum())


def exact_match(references: Sequence[str], answers: Sequence[str | None]) -> Array:
    """1 where the answer is the reference, character by character, else 0. [n]"""
    _check(references, answers)
    hits = [answer == reference for reference, answer in zip(references, answers, strict=True)]
    return np.array(hits, dtype=np.float64)


def character_errors(references: Sequence[str], answers: Sequence[str | None]) -> Errors:
    """Levenshtein edits in characters."""
    return _errors(references, answers, list)


def token_errors(references: Sequence[str], answers: Sequence[str | None]) -> Errors:
    """Levenshtein edits in tokens, which are split at white space."""
    return _errors(references, answers, str.split)


def _errors(references: Sequence[str], answers: Sequence[str | None], units: Callable[[str], list[str]]) -> Errors:
    _check(references, answers)
    edits, lengths = [], []
    for reference, answer in zip(references, answers, strict=True):
        wanted = units(reference)
        edits.append(Levenshtein.distance(wanted, units(answer or "")))
        lengths.append(len(wanted))
    return Errors(np.array(edits, dtype=np.float64), np.array(lengths, dtype=np.float64))


def _check(references: Sequence[str], answers: Sequence[str | None]) -> None:
    if len(references) != len(answers):
        raise ZooError(f"{len(answers)} answers for {len(references)} rows", "one answer per row, in order")
    for number, reference in enumerate(references):
        if not reference.strip():
            raise ZooError(f"the reference of row {number + 1} is empty", "a text that can be matched", "drop the row")
