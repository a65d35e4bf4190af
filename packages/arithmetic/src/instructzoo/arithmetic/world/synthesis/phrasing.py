"""How a problem is worded: the noise of Goat in its order, and an instruction around the expression.

    12 * 34   ->  "the product of 12 and 34" (5%)
              ->  12 times 34, 12 multiplied by 34 (10% of the rest)
              ->  12 x 34 (half of the rest), 12*34 or 12x34 (spaces removed in half of the cases)

Every wording is head + left operand + middle + right operand + tail, so that a million wordings are a million f-strings
without any search.
"""

from __future__ import annotations

from functools import cache
from importlib import resources

import numpy as np
import numpy.typing as npt

from instructzoo.arithmetic.problem import SIGNS

NAMED, WORDED, CROSS, TIGHT = 0.05, 0.10, 0.50, 0.50
"""Fractions: operation by its name ("the sum of"), sign as a word, * as x, spaces removed."""

BARE = 0.20
"""Fraction of rows without an instruction around the expression."""

NAMES = {"add": "sum", "subtract": "difference", "multiply": "product", "divide": "quotient and remainder"}
WORDS = {
    "add": ("plus", "plus"),
    "subtract": ("minus", "minus"),
    "multiply": ("times", "multiplied by"),
    "divide": ("divided by", "divided by"),
}

Phrases = tuple[list[str], list[str], list[str]]
"""Heads, middles and tails: the texts before the left operand, between the two and after the right one."""


@cache
def wordings() -> tuple[str, ...]:
    """The instruction wordings of wordings.txt; each has one `{}` for the expression. Lines with `#` are comments."""
    path = resources.files("instructzoo.arithmetic.world.synthesis").joinpath("wordings.txt")
    lines = path.read_text(encoding="utf-8").splitlines()
    return tuple(line for line in lines if line and not line.startswith("#"))


@cache
def _wording_ends() -> tuple[npt.NDArray[np.object_], npt.NDArray[np.object_]]:
    """The texts before and after the expression; the last entry is the bare expression, two empty texts."""
    ends = [wording.split("{}") for wording in (*wordings(), "{}")]
    return np.array([before for before, _ in ends], object), np.array([after for _, after in ends], object)


def draw_phrases(operation: str, n: int, rng: np.random.Generator, noise: bool, with_wordings: bool) -> Phrases:
    """Draw the texts around the operands of n problems of one operation.

    Args:
        operation: One of OPERATIONS.
        n: Number of problems.
        rng: The source of randomness.
        noise: Vary the expression itself.
        with_wordings: Put an instruction around it; a fraction BARE stays without.

    Returns:
        n heads, n middles and n tails.
    """
    sign = SIGNS[operation]
    if with_wordings:
        before, after = _wording_ends()
        indices = rng.integers(0, len(before) - 1, n)
        indices[rng.random(n) < BARE] = len(before) - 1
        heads, tails = before[indices], after[indices].tolist()
    else:
        heads, tails = np.full(n, "", object), [""] * n
    if not noise:
        return heads.tolist(), [f" {sign} "] * n, tails
    is_named, is_cross, is_worded, is_tight = (rng.random((4, n)).T < (NAMED, CROSS, WORDED, TIGHT)).T
    is_second_word = rng.random(n) < 0.5
    cross = "x" if operation == "multiply" else sign
    words = WORDS[operation]
    middles = np.array([f" {sign} ", sign, f" {cross} ", cross, f" {words[0]} ", f" {words[1]} ", " and "], object)
    index_of_signed = 2 * is_cross + is_tight
    middle_indices = np.where(is_named, 6, np.where(is_worded, 4 + is_second_word, index_of_signed))
    heads = np.where(is_named, heads + f"the {NAMES[operation]} of ", heads)
    return heads.tolist(), middles[middle_indices].tolist(), tails
