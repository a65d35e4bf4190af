"""How a problem is worded: the noise of Goat in its order, and an instruction around it.

    12 * 34 -> "the product of 12 and 34" (5%); else 12 x 34 (half); 12 times 34, 12 multiplied by 34 (10%);
    12x34 (spaces removed in half of the cases, only while a sign or an x remains)

Every wording is head + left + middle + right + tail, so that a million of them are a million f-strings and no search.
"""

from __future__ import annotations

from functools import cache
from importlib import resources

import numpy as np
import numpy.typing as npt

NAMED, WORDED, CROSS, TIGHT, BARE = 0.05, 0.10, 0.50, 0.50, 0.20
"""Shares: named operation, sign as word, * as x, spaces removed; and of draws without any instruction around."""

SIGNS = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/"}
NAMES = {"add": "sum", "subtract": "difference", "multiply": "product", "divide": "quotient and remainder"}
WORDS = {
    "add": ("plus", "plus"),
    "subtract": ("minus", "minus"),
    "multiply": ("times", "multiplied by"),
    "divide": ("divided by", "divided by"),
}

Phrases = tuple[list[str], list[str], list[str]]
"""Heads, middles and tails: what stands before the left operand, between the two, and after the right one."""


@cache
def wordings() -> tuple[str, ...]:
    """The instruction wordings of wordings.txt; each has one `{}` for the expression. Lines with `#` are comments."""
    text = resources.files("instructzoo.arithmetic.world").joinpath("wordings.txt").read_text(encoding="utf-8")
    return tuple(line for line in text.splitlines() if line and not line.startswith("#"))


@cache
def _heads() -> tuple[npt.NDArray[np.object_], npt.NDArray[np.object_]]:
    """What stands before and after the expression; the last entry is the bare expression."""
    parts = [wording.split("{}") for wording in (*wordings(), "{}")]
    return np.array([before for before, _ in parts], object), np.array([after for _, after in parts], object)


def phrases(operation: str, n: int, rng: np.random.Generator, noise: bool, worded: bool) -> Phrases:
    """Draw n phrases. noise: vary the expression; worded: put an instruction around it (a share BARE stays bare)."""
    sign = SIGNS[operation]
    if worded:
        before, after = _heads()
        slots = rng.integers(0, len(before) - 1, n)
        slots[rng.random(n) < BARE] = len(before) - 1
        heads, tails = before[slots], after[slots].tolist()
    else:
        heads, tails = np.full(n, "", object), [""] * n
    if not noise:
        return heads.tolist(), [f" {sign} "] * n, tails
    named, crossed, spoken, tight = (rng.random((4, n)).T < (NAMED, CROSS, WORDED, TIGHT)).T
    second = rng.random(n) < 0.5  # of two words for one sign
    cross = "x" if operation == "multiply" else sign
    words = WORDS[operation]
    forms = np.array([f" {sign} ", sign, f" {cross} ", cross, f" {words[0]} ", f" {words[1]} ", " and "], object)
    signed = 2 * crossed + tight
    form = np.where(named, 6, np.where(spoken, 4 + second, signed))
    heads = np.where(named, heads + f"the {NAMES[operation]} of ", heads)
    return heads.tolist(), forms[form].tolist(), tails
