"""The made-up world of arithmetic: problems with known answers, after Goat (arXiv:2305.14201). One row of it:

    {"instruction": "What is 8914/64?", "input": "8914 / 64", "answer": "139 R 18", "operation": "divide",
     "digits": "4D/2D", "item": "divide 8914 64",
     "output": "8914 - 64 * 100 = 8914 - 6400 = 2514\\n...\\nTherefore, 8914 / 64 = 139 R 18"}

`Settings` says what is drawn, `generate` gives the rows of a split. A problem belongs to one split, whatever the seed
and the wording; 12 + 34 and 34 + 12 are one problem (`problem.py`). `synthesis/` draws and writes the rows, and its
`corpus` is the paper's whole training set.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, field_validator, model_validator

from instructzoo.arithmetic.problem import MAX_DIGITS, OPERATIONS, DigitPair
from instructzoo.arithmetic.world.synthesis import Style, corpus, draw_rows
from instructzoo.core import recipe
from instructzoo.core.data.split import check_split
from instructzoo.core.record import Row

__all__ = ["Settings", "corpus", "generate"]

Operation = Literal["add", "subtract", "multiply", "divide"]
Fraction = Annotated[float, Field(ge=0, le=1)]
Weight = Annotated[float, Field(ge=1e-9, le=1e9)]
Digits = Annotated[int, Field(ge=1, le=MAX_DIGITS)]

_NOT_WITH_CELLS = {"operations", "sums", "products", "divisions", "weights", "growth"}
"""Settings that choose digit pairs, which `cells` lists itself."""


class Settings(recipe.Settings):
    """What is drawn and how it is written. The defaults cover the paper's whole range.

    Two examples, as a recipe's data.world: `{operations: [add, subtract], sums: 2}` and, for an ablation,
    `{cells: ["2D*2D", "4D/1D"], steps: false}`.
    """

    operations: tuple[Operation, ...] = Field(
        default=("add", "subtract", "multiply", "divide"), min_length=1, description="operations that are drawn"
    )
    sums: Digits = Field(default=MAX_DIGITS, description="most digits of either operand of a sum or difference")
    products: tuple[Digits, Digits] = Field(
        default=(MAX_DIGITS, 6),
        description="most digits of a product's two factors, in either order; the product itself has at most 12 digits"
        " unless one factor has one digit",
    )
    divisions: tuple[Digits, Digits] = Field(
        default=(MAX_DIGITS, MAX_DIGITS),
        description="most digits of dividend and divisor; dividends have at most 12 digits and quotients at most 6"
        " unless the divisor has one digit",
    )
    cells: dict[str, Weight] = Field(
        default={},
        description="draw only these digit pairs, each with its weight, such as {8D+8D: 1}; a list weighs them equally",
    )
    weights: dict[Operation, Weight] = Field(
        default={}, description="relative frequency of each operation; 1 where none is given; not used with cells"
    )
    growth: float = Field(
        default=1.0,
        ge=0.01,
        le=100,  # to the power of 32 digits it still is a number
        description="factor by which a digit pair is more likely for each further digit; 1: all equally likely",
    )
    steps: bool = Field(
        default=True, description="write out the steps of long products and divisions; off: direct answers"
    )
    short_division: bool = Field(default=True, description="with steps: also for divisors of one digit")
    exact: Fraction = Field(default=0.5, description="fraction of divisions made to leave no remainder")
    by_zero: Fraction = Field(default=0.01, description="fraction of divisions by one digit that become divisions by 0")
    noise: bool = Field(
        default=True, description="vary the expression: x or a word for the sign, fewer spaces, the sum of a and b"
    )
    wordings: bool = Field(
        default=True, description="put an instruction around the expression; a fifth of the rows stay without"
    )

    @field_validator("cells", mode="before")
    @classmethod
    def _weigh_list_equally(cls, value: Any) -> Any:
        return dict.fromkeys(value, 1.0) if isinstance(value, list | tuple) else value

    @model_validator(mode="after")
    def _refuse_ignored_settings(self) -> Settings:
        if self.cells and (ignored := self.model_fields_set & _NOT_WITH_CELLS):
            raise ValueError(f"cells are given beside {', '.join(sorted(ignored))}; expected one or the other")
        if unused := set(self.weights) - set(self.operations):
            raise ValueError(f"weights names {', '.join(sorted(unused))}; expected operations that are drawn")
        self.digit_pairs()  # parses the names in cells
        return self

    def digit_pairs(self) -> dict[DigitPair, float]:
        """The digit pairs that are drawn, each with its fraction of the draws; the fractions sum to 1."""
        weights: dict[DigitPair, float] = {}
        if self.cells:
            for name, weight in self.cells.items():
                weights[DigitPair.parse(name)] = weights.get(DigitPair.parse(name), 0.0) + weight
        for operation in OPERATIONS if not self.cells else ():
            if operation in self.operations:
                pairs = self._pairs_of(operation)
                growth = [self.growth ** (pair.left + pair.right) for pair in pairs]
                weight = self.weights.get(operation, 1.0) / sum(growth)
                weights |= {pair: weight * factor for pair, factor in zip(pairs, growth, strict=True)}
        total = sum(weights.values())
        return {pair: weight / total for pair, weight in weights.items()}

    def _pairs_of(self, operation: Operation) -> list[DigitPair]:
        """All digit pairs of an operation that the settings and the paper's limits allow."""
        sizes = range(1, MAX_DIGITS + 1)
        pairs = [DigitPair(operation, i, j) for i in sizes for j in sizes]
        return [pair for pair in pairs if pair.is_within_limits() and self._allows(pair)]

    def _allows(self, pair: DigitPair) -> bool:
        small, large = sorted((pair.left, pair.right))
        if pair.operation == "multiply":
            return large <= max(self.products) and small <= min(self.products)
        if pair.operation == "divide":
            return pair.right <= pair.left <= self.divisions[0] and pair.right <= self.divisions[1]
        return large <= self.sums

    def style(self) -> Style:
        """How the rows are written."""
        return Style(self.steps, self.steps, self.short_division, self.noise, self.wordings)


def generate(n: int, seed: int, split: str, settings: Settings = Settings()) -> Iterator[Row]:  # noqa: B008 - frozen
    """Rows of the made-up world, equal for equal arguments; the first k are the same for any n.

    Args:
        n: Number of rows.
        seed: Decides problems and wordings, but not which split a problem belongs to.
        split: train, validation or test. About 88%, 4% and 8% of all problems belong to them. The two held-out splits
            hold each problem at most once, and end early where the settings allow fewer than n problems; train may
            repeat a problem in other words.
        settings: What is drawn and how it is written.

    Returns:
        An iterator over the rows.

    Raises:
        ZooError: There is no such split.

    Example:
        >>> next(generate(1, 0, "train", Settings(sums=2, operations=("add",), wordings=False)))["output"]
        '0 + 2 = 2'
    """
    check_split(split)
    rng = np.random.default_rng([seed, zlib.crc32(split.encode())])
    return draw_rows(n, rng, split, settings.digit_pairs(), settings.style(), settings.exact, settings.by_zero)
