"""One arithmetic problem, and what follows from it by Python's integers.

    problem = Problem("divide", 8914, 64)
    problem.expression   "8914 / 64"
    problem.answer       "139 R 18"
    problem.digit_pair   DigitPair("divide", 4, 2), whose name is "4D/2D"
    problem.item         "divide 8914 64"
    problem.split        "train"

The world, the readers of published rows, the scorer and the demo share these definitions. What the world draws keeps
to the limits of Goat (arXiv:2305.14201): sums and differences of up to 16 digits a side, products of up to 12 digits,
dividends of up to 12 digits and quotients of up to 6. Factors and divisors of one digit go with up to 16 digits.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

SIGNS = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/"}
"""The sign of each operation, as expressions are written."""

OPERATIONS = tuple(SIGNS)
COMMUTATIVE = ("add", "multiply")
"""Operations whose operands may be swapped: 12 + 34 and 34 + 12 are one item."""

UNDEFINED = "undefined"
"""The answer to a division by 0."""

MAX_DIGITS = 16
"""Most digits of any operand that is drawn."""

MAX_PRODUCT_DIGITS, MAX_DIVIDEND_DIGITS, MAX_QUOTIENT_DIGITS = 12, 12, 6
"""Most digits of products, dividends and quotients, unless one factor or the divisor has one digit."""

MAX_READ_DIGITS = 1000
"""Most digits of an operand that is read from a file or a typed question: Python converts at most 4,300."""

TEST_PERCENT, VALIDATION_PERCENT = 8, 4
"""How many percent of all items belong to the two held-out splits."""

_WORD = (1 << 64) - 1
_LIMITS = (
    f"products to {MAX_PRODUCT_DIGITS} digits, dividends to {MAX_DIVIDEND_DIGITS} and quotients to"
    f" {MAX_QUOTIENT_DIGITS} (unless one side has 1 digit)"
)


class DigitPair(NamedTuple):
    """The problems of one operation whose operands have exactly `left` and `right` digits.

    Recipes list digit pairs under `data.world.cells`, and results are reported by digit pair.
    """

    operation: str
    left: int
    right: int

    @property
    def name(self) -> str:
        """The name in recipes and result tables, such as "8D+8D"."""
        return f"{self.left}D{SIGNS[self.operation]}{self.right}D"

    @classmethod
    def parse(cls, name: str) -> DigitPair:
        """The digit pair of a name such as "8D+8D"; x and * both stand for products.

        Raises:
            ValueError: The text is no such name, or the digit pair is beyond the limits of its operation.
        """
        match = re.fullmatch(r"(\d+)D([-+*x/])(\d+)D", name.replace(" ", ""))
        if not match:
            raise ValueError(
                f'"{name}" is no digit pair; expected digits, sign, digits, such as 8D+8D, 2D*2D or 12D/6D'
            )
        sign = match[2].replace("x", "*")
        pair = cls(operation_of(sign), int(match[1]), int(match[3]))
        if not pair.is_within_limits():
            raise ValueError(
                f'digit pair "{name}" is beyond the limits: operands of 1 to {MAX_DIGITS} digits, {_LIMITS}'
            )
        return pair

    def is_within_limits(self) -> bool:
        """Whether the world may draw problems of this digit pair."""
        small, large = sorted((self.left, self.right))
        if small < 1 or large > MAX_DIGITS:
            return False
        if self.operation == "multiply":
            return small == 1 or small + large <= MAX_PRODUCT_DIGITS
        if self.operation == "divide":
            return self.right == 1 or (
                self.left <= MAX_DIVIDEND_DIGITS and self.left - self.right <= MAX_QUOTIENT_DIGITS
            )
        return True


class Problem(NamedTuple):
    """Two whole numbers and the operation between them."""

    operation: str
    left: int
    right: int

    @property
    def expression(self) -> str:
        """The clean expression, the `input` of a row: "8914 / 64"."""
        return f"{self.left} {SIGNS[self.operation]} {self.right}"

    @property
    def answer(self) -> str:
        """The true answer in canonical form; see `solve`."""
        return solve(self.operation, self.left, self.right)

    @property
    def digit_pair(self) -> DigitPair:
        """The operation and the number of digits of each operand, without its minus sign."""
        return DigitPair(self.operation, len(str(abs(self.left))), len(str(abs(self.right))))

    @property
    def item(self) -> str:
        """The key that decides the split: the problem without its wording, operands sorted where order is free."""
        left, right = self._sorted_operands()
        return f"{self.operation} {left} {right}"

    @property
    def split(self) -> str:
        """The split that the item belongs to, whatever the seed: train, validation or test."""
        left, right = self._sorted_operands()
        percent = split_hash(OPERATIONS.index(self.operation) + 1, left, right) % 100
        if percent < TEST_PERCENT:
            return "test"
        return "validation" if percent < TEST_PERCENT + VALIDATION_PERCENT else "train"

    def _sorted_operands(self) -> tuple[int, int]:
        if self.operation in COMMUTATIVE and self.left > self.right:
            return self.right, self.left
        return self.left, self.right


def solve(operation: str, left: int, right: int) -> str:
    """The true answer in canonical form, by Python's integers.

    Args:
        operation: One of OPERATIONS.
        left: First operand.
        right: Second operand.

    Returns:
        A number; "Q R r" for a division that leaves a remainder r, 0 < r < divisor; or "undefined" for one by 0.

    Example:
        >>> solve("divide", 8914, 64)
        '139 R 18'
    """
    if operation == "add":
        return str(left + right)
    if operation == "subtract":
        return str(left - right)
    if operation == "multiply":
        return str(left * right)
    if right == 0:
        return UNDEFINED
    quotient, remainder = divmod(left, right)
    return f"{quotient} R {remainder}" if remainder else str(quotient)


def operation_of(sign: str) -> str:
    """The operation of one of the four signs."""
    return next(operation for operation in OPERATIONS if SIGNS[operation] == sign)


def split_hash(operation: Any, left: Any, right: Any) -> Any:
    """A 64-bit hash of an item; `% 100` is below 8 for test, below 12 for validation and train from there.

    Args:
        operation: Index into OPERATIONS plus 1; a Python integer or a uint64 array of shape [n].
        left: First operand of the item, of the same kind.
        right: Second operand of the item, of the same kind.

    Returns:
        The hash, of the same kind.
    """
    return _splitmix64(_splitmix64(operation, left), right)


def _splitmix64(state: Any, value: Any) -> Any:
    """SplitMix64's finaliser over state and value. The masks keep Python integers within 64 bits, as arrays are."""
    x = (state * 0x9E3779B97F4A7C15 & _WORD) ^ value
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 & _WORD
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB & _WORD
    return x ^ (x >> 31)
