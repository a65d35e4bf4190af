"""Many problems at once, as numpy arrays: how they are drawn and which split each belongs to.

The definitions are those of `problem.py`; here they are applied to whole arrays, since a training set has more than a
million rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from instructzoo.arithmetic.problem import (
    MAX_DIGITS,
    MAX_QUOTIENT_DIGITS,
    OPERATIONS,
    TEST_PERCENT,
    VALIDATION_PERCENT,
    DigitPair,
    split_hash,
)

IntArray = npt.NDArray[np.int64]

ADD, SUBTRACT, MULTIPLY, DIVIDE = range(4)
"""Indices into OPERATIONS, as `ProblemArrays.operation` holds them."""

POWERS_OF_TEN = np.array([1] + [10**i for i in range(1, MAX_DIGITS + 2)])
SMALLEST = np.concatenate([[0, 0], POWERS_OF_TEN[1:-1]])
"""The numbers of i digits are SMALLEST[i] <= number < POWERS_OF_TEN[i]; 0 has one digit."""


class ProblemArrays(NamedTuple):
    """n problems as three arrays of shape [n]: index into OPERATIONS, left and right operand."""

    operation: IntArray
    left: IntArray
    right: IntArray

    def take(self, indices: npt.NDArray[np.generic]) -> ProblemArrays:
        """The problems at these indices (or where a boolean array is true)."""
        return ProblemArrays(self.operation[indices], self.left[indices], self.right[indices])


def draw_problems(
    digit_pairs: Sequence[DigitPair], pair_indices: IntArray, rng: np.random.Generator, exact: float
) -> ProblemArrays:
    """Draw one problem for each chosen digit pair, every operand uniformly over the numbers of its length.

    Args:
        digit_pairs: The digit pairs to choose from.
        pair_indices: The choice for each problem, an index into `digit_pairs`; shape [n].
        rng: The source of randomness.
        exact: Fraction of divisions that are made to leave no remainder, 0 to 1.

    Returns:
        n problems. Divisors are never 0, and quotients by longer divisors have at most 6 digits.
    """
    table = np.array([(OPERATIONS.index(pair.operation), pair.left, pair.right) for pair in digit_pairs])
    operation, left_digits, right_digits = table[pair_indices].T
    is_division = operation == DIVIDE
    is_long_division = is_division & (right_digits > 1)
    low, high = SMALLEST[right_digits].copy(), POWERS_OF_TEN[right_digits]
    low[is_division] = np.maximum(low[is_division], 1)
    smallest_dividend = SMALLEST[left_digits[is_long_division]]
    low[is_long_division] = np.maximum(low[is_long_division], smallest_dividend // 10**MAX_QUOTIENT_DIGITS + 1)
    right = rng.integers(low, high)
    left_high = POWERS_OF_TEN[left_digits].copy()
    left_high[is_long_division] = np.minimum(
        left_high[is_long_division], right[is_long_division] * 10**MAX_QUOTIENT_DIGITS
    )
    left = rng.integers(SMALLEST[left_digits], left_high)
    is_exact = (rng.random(len(pair_indices)) < exact) & is_division & (left_digits >= right_digits)
    left[is_exact] -= left[is_exact] % right[is_exact]
    # rounding down lost a digit; the next multiple has it again
    is_too_short = is_exact & (left < np.maximum(SMALLEST[left_digits], 1))
    left[is_too_short] += right[is_too_short]
    return ProblemArrays(operation, left, right)


def count_digits(numbers: IntArray) -> IntArray:
    """How many digits each number has, of the same shape; 0 has one."""
    return np.searchsorted(SMALLEST[2:], numbers, side="right") + 1


def item_operands(problems: ProblemArrays) -> tuple[IntArray, IntArray]:
    """The operands as the items name them: sorted for sums and products, unchanged otherwise. Both of shape [n]."""
    commutes = (problems.operation == ADD) | (problems.operation == MULTIPLY)
    swap = commutes & (problems.left > problems.right)
    return np.where(swap, problems.right, problems.left), np.where(swap, problems.left, problems.right)


def assign_splits(problems: ProblemArrays) -> npt.NDArray[np.str_]:
    """The split of each problem, equal to `Problem.split`: "train", "validation" or "test". Shape [n]."""
    left, right = (operands.astype(np.uint64) for operands in item_operands(problems))
    percent = split_hash(problems.operation.astype(np.uint64) + np.uint64(1), left, right) % np.uint64(100)
    held_out = TEST_PERCENT + VALIDATION_PERCENT
    return np.where(percent < TEST_PERCENT, "test", np.where(percent < held_out, "validation", "train"))
