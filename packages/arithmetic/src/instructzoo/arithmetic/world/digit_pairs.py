"""Cells: the digit pairs of an operation ("8D+8D", "12D/6D"), how problems are drawn from them, and which split each
problem belongs to.

Limits (Goat, arXiv:2305.14201): sums and differences to 16 digits a side; products to 12 digits and
divisions to a 12-digit dividend and a 6-digit quotient, save that one-digit factors and divisors take 16 digits.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from instructzoo.arithmetic.world.phrasing import SIGNS

Ints = npt.NDArray[np.int64]

OPERATIONS = tuple(SIGNS)
ADD, SUBTRACT, MULTIPLY, DIVIDE = range(4)
DIGITS, PRODUCT, DIVIDEND, QUOTIENT = 16, 12, 12, 6
"""Most digits of any operand; of a product and a dividend with two or more digits on the other side; of a quotient."""

HIGH = np.array([1] + [10**i for i in range(1, DIGITS + 2)])
LOW = np.concatenate([[0, 0], HIGH[1:-1]])  # numbers of i digits: LOW[i] <= number < HIGH[i]; 0 has one digit
TEST, VALIDATION = 8, 4
"""Percent of items in the two held-out splits."""


class Cell(NamedTuple):
    """Problems of one operation with operands of exactly `left` and `right` digits."""

    operation: str
    left: int
    right: int

    @property
    def name(self) -> str:
        return f"{self.left}D{SIGNS[self.operation]}{self.right}D"

    @classmethod
    def read(cls, name: str) -> Cell:
        """The cell of a name such as "8D+8D"; x and * both stand for products. Raises ValueError for another text or
        a cell beyond the limits."""
        match = re.fullmatch(r"(\d+)D([-+*x/])(\d+)D", name.replace(" ", ""))
        if not match:
            raise ValueError(f'"{name}" is no cell; expected digits, sign, digits, such as 8D+8D, 2D*2D or 12D/6D')
        sign = match[2].replace("x", "*")
        cell = cls(next(o for o in OPERATIONS if SIGNS[o] == sign), int(match[1]), int(match[3]))
        if not cell.allowed():
            raise ValueError(f'cell "{name}" is beyond the limits: operands of 1 to {DIGITS} digits, {_LIMITS}')
        return cell

    def allowed(self) -> bool:
        """Whether the cell lies within the limits of its operation."""
        small, large = sorted((self.left, self.right))
        if small < 1 or large > DIGITS:
            return False
        if self.operation == "multiply":
            return small == 1 or small + large <= PRODUCT
        if self.operation == "divide":
            return self.right == 1 or (self.left <= DIVIDEND and self.left - self.right <= QUOTIENT)
        return True


_LIMITS = (
    f"products to {PRODUCT} digits, dividends to {DIVIDEND} and quotients to {QUOTIENT} (unless one side has 1 digit)"
)


class Problems(NamedTuple):
    """Drawn problems, one per place: index into OPERATIONS, left and right operand. All of shape [n]."""

    operation: Ints
    left: Ints
    right: Ints

    def take(self, places: npt.NDArray[np.generic]) -> Problems:
        return Problems(self.operation[places], self.left[places], self.right[places])


def draw(cells: Sequence[Cell], picks: Ints, rng: np.random.Generator, exact: float) -> Problems:
    """One problem for every entry of picks [n], an index into cells; each operand uniform over its digits.

    exact: share of divisions made to leave no remainder. Divisors are never 0 and quotients stay within 6 digits.
    """
    table = np.array([(OPERATIONS.index(c.operation), c.left, c.right) for c in cells])
    operation, i, j = table[picks].T
    division, long = operation == DIVIDE, (operation == DIVIDE) & (j > 1)
    low, high = LOW[j].copy(), HIGH[j]
    low[division] = np.maximum(low[division], 1)
    low[long] = np.maximum(low[long], LOW[i[long]] // 10**QUOTIENT + 1)
    right = rng.integers(low, high)
    top = HIGH[i].copy()
    top[long] = np.minimum(top[long], right[long] * 10**QUOTIENT)
    left = rng.integers(LOW[i], top)
    whole = (rng.random(len(picks)) < exact) & division & (i >= j)
    left[whole] -= left[whole] % right[whole]
    short = whole & (left < np.maximum(LOW[i], 1))  # rounding down lost a digit; the next multiple has it again
    left[short] += right[short]
    return Problems(operation, left, right)


def digits(numbers: Ints) -> Ints:
    """How many digits each number has; 0 has one. Shape as given."""
    return np.searchsorted(LOW[2:], numbers, side="right") + 1


def canonical(problems: Problems) -> tuple[Ints, Ints]:
    """The operands of the item: sorted for sums and products, as they are for the others."""
    swap = ((problems.operation == ADD) | (problems.operation == MULTIPLY)) & (problems.left > problems.right)
    return np.where(swap, problems.right, problems.left), np.where(swap, problems.left, problems.right)


def splits(problems: Problems) -> npt.NDArray[np.str_]:
    """Which of train, validation and test each problem belongs to, by a hash of its item alone. Shape [n]."""
    first, second = (x.astype(np.uint64) for x in canonical(problems))
    percent = _mix(_mix(problems.operation.astype(np.uint64) + np.uint64(1), first), second) % np.uint64(100)
    return np.where(percent < TEST, "test", np.where(percent < TEST + VALIDATION, "validation", "train"))


def split_of(operation: str, left: int, right: int) -> str:
    """The split of one problem, in Python integers; equal to `splits`."""
    if operation in ("add", "multiply"):
        left, right = sorted((left, right))
    percent = _mix_int(_mix_int(OPERATIONS.index(operation) + 1, left), right) % 100
    return "test" if percent < TEST else "validation" if percent < TEST + VALIDATION else "train"


def _mix(state: npt.NDArray[np.uint64], value: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """SplitMix64's finaliser over state and value; arithmetic wraps at 64 bits."""
    x = (state * np.uint64(0x9E3779B97F4A7C15)) ^ value
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def _mix_int(state: int, value: int) -> int:
    word = (1 << 64) - 1
    x = (state * 0x9E3779B97F4A7C15 & word) ^ value
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 & word
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB & word
    return x ^ (x >> 31)
