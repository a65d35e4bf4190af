"""The microworld of arithmetic: problems whose truth is known, after Goat (arXiv:2305.14201).

    {"instruction": "What is 8914/64?", "input": "8914 / 64", "answer": "139 R 18", "operation": "divide",
     "digits": "4D/2D", "item": "divide 8914 64",
     "output": "8914 - 64 * 100 = 8914 - 6400 = 2514\\n...\\nTherefore, 8914 / 64 = 139 R 18"}

A problem belongs to one split whatever the seed and the wording; 12 + 34 and 34 + 12 are one problem.
`generate` writes rows of a split by settings; `corpus` (corpus.py) writes the paper's whole training set.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, field_validator, model_validator

from instructzoo.arithmetic.world import digit_pairs as cell
from instructzoo.arithmetic.world import examples as writing
from instructzoo.arithmetic.world.digit_pairs import DIGITS, OPERATIONS, Cell, Ints, Problems
from instructzoo.arithmetic.world.goat_dataset import corpus
from instructzoo.core import recipe
from instructzoo.core.errors import ZooError, suggest
from instructzoo.core.record import Row

Operation = Literal["add", "subtract", "multiply", "divide"]
Share = Annotated[float, Field(ge=0, le=1)]
Weight = Annotated[float, Field(ge=1e-9, le=1e9)]
Limit = Annotated[int, Field(ge=1, le=DIGITS)]

__all__ = ["Settings", "corpus", "generate"]

SPLITS = ("train", "validation", "test")
BATCH = 4096
PATIENCE = 40
"""Problems drawn at a time; and batches without a new problem after which a held-out split counts as exhausted."""

_SPANS = {"operations", "sums", "products", "divisions", "weights", "growth"}


class Settings(recipe.Settings):
    """What is drawn and how it is written. The defaults span the paper's whole range.

    tiny: {operations: [add, subtract], sums: 2}; an ablation: {cells: ["2D*2D", "4D/1D"], steps: false}.
    """

    operations: tuple[Operation, ...] = Field(
        default=("add", "subtract", "multiply", "divide"), min_length=1, description="which operations are drawn"
    )
    sums: Limit = Field(default=DIGITS, description="most digits of either operand of a sum or difference")
    products: tuple[Limit, Limit] = Field(
        default=(DIGITS, 6),
        description="most digits of a product's two factors, in either order; the product has at most 12"
        " unless one factor has one digit",
    )
    divisions: tuple[Limit, Limit] = Field(
        default=(DIGITS, DIGITS),
        description="most digits of dividend and divisor; 12 by 12 and quotients of 6 digits unless"
        " the divisor has one digit",
    )
    cells: dict[str, Weight] = Field(
        default={},
        description="draw these digit pairs only, each with its weight, such as {8D+8D: 1}; a list weighs all alike",
    )
    weights: dict[Operation, Weight] = Field(
        default={}, description="weight of an operation's share of the rows; 1 where none is given; not used with cells"
    )
    growth: float = Field(
        default=1.0,
        ge=0.01,
        le=100,  # to the power of 32 digits it still is a number
        description="how much likelier a digit pair is for each digit more; 1: all pairs of an operation alike",
    )
    steps: bool = Field(default=True, description="write out long products and divisions; off: direct answers")
    short_division: bool = Field(default=True, description="with steps: write them out for one-digit divisors too")
    exact: Share = Field(default=0.5, description="share of divisions made to leave no remainder")
    by_zero: Share = Field(default=0.01, description="share of the divisions by one digit that are made divisions by 0")
    noise: bool = Field(default=True, description="vary the expression: sign as x or word, spaces, the sum of a and b")
    wordings: bool = Field(default=True, description="put an instruction around the expression; a fifth stays bare")

    @field_validator("cells", mode="before")
    @classmethod
    def _weigh_alike(cls, value: Any) -> Any:
        return dict.fromkeys(value, 1.0) if isinstance(value, list | tuple) else value

    @model_validator(mode="after")
    def _says_what_is_drawn(self) -> Settings:
        if self.cells and (other := self.model_fields_set & _SPANS):
            raise ValueError(f"cells are given beside {', '.join(sorted(other))}; expected one or the other")
        if idle := set(self.weights) - set(self.operations):
            raise ValueError(f"weights names {', '.join(sorted(idle))}; expected operations that are drawn")
        self.shares()  # reads the cells' names
        return self

    def shares(self) -> dict[Cell, float]:
        """The share of draws of every digit pair; they sum to 1."""
        weights: dict[Cell, float] = {}
        if self.cells:
            for name, weight in self.cells.items():
                weights[Cell.read(name)] = weights.get(Cell.read(name), 0.0) + weight
        for operation in OPERATIONS if not self.cells else ():
            if operation in self.operations:
                pairs = self._pairs(operation)
                raw = [self.growth ** (pair.left + pair.right) for pair in pairs]
                weight = self.weights.get(operation, 1.0) / sum(raw)
                weights |= {pair: weight * part for pair, part in zip(pairs, raw, strict=True)}
        total = sum(weights.values())
        return {pair: weight / total for pair, weight in weights.items()}

    def _pairs(self, operation: Operation) -> list[Cell]:
        every = [Cell(operation, i, j) for i in range(1, DIGITS + 1) for j in range(1, DIGITS + 1)]
        large, small = max(self.products), min(self.products)

        def kept(pair: Cell) -> bool:
            if operation == "multiply":
                return max(pair.left, pair.right) <= large and min(pair.left, pair.right) <= small
            if operation == "divide":
                return pair.right <= pair.left <= self.divisions[0] and pair.right <= self.divisions[1]
            return max(pair.left, pair.right) <= self.sums

        return [pair for pair in every if pair.allowed() and kept(pair)]

    def style(self) -> writing.Style:
        return writing.Style(self.steps, self.steps, self.short_division, self.noise, self.wordings)


def generate(n: int, seed: int, split: str, settings: Settings = Settings()) -> Iterator[Row]:  # noqa: B008 - frozen
    """n rows of a split (train, validation or test), equal for equal arguments; the first k are the same for any n.

    validation and test hold each problem at most once, and end early where the settings span fewer problems than
    asked (about 4% and 8% of all); train may repeat a problem in other words. Raises ZooError for an unknown split.
    """
    if split not in SPLITS:
        raise ZooError(f'no split "{split}"', suggest(split, SPLITS))
    return _generate(n, np.random.default_rng([seed, zlib.crc32(split.encode())]), split, settings)


def _generate(n: int, rng: np.random.Generator, split: str, settings: Settings) -> Iterator[Row]:
    shares, style, seen, idle = settings.shares(), settings.style(), set[tuple[int, ...]](), 0
    while n > 0 and idle < PATIENCE:
        problems = _draw(shares, rng, settings)
        problems = problems.take(np.flatnonzero(cell.splits(problems) == split))
        if split != "train":
            problems = _unseen(problems, seen)
        idle = 0 if len(problems.left) else idle + 1
        columns, order = writing.write(problems, rng, style)
        for place in order[:n].tolist():
            row: Row = {name: values[place] for name, values in columns.items()}
            yield row | {"source": writing.SOURCE, "licence": writing.LICENCE}
        n -= len(order)


def _draw(shares: Mapping[Cell, float], rng: np.random.Generator, settings: Settings) -> Problems:
    pairs: Sequence[Cell] = list(shares)
    picks: Ints = rng.choice(len(pairs), BATCH, p=list(shares.values()))
    problems = cell.draw(pairs, picks, rng, settings.exact)
    zero = (problems.operation == cell.DIVIDE) & (problems.right < 10) & (rng.random(BATCH) < settings.by_zero)
    problems.right[zero] = 0
    return problems


def _unseen(problems: Problems, seen: set[tuple[int, ...]]) -> Problems:
    """The problems that are new here; `seen` grows by them."""
    keys = zip(problems.operation.tolist(), *(side.tolist() for side in cell.canonical(problems)), strict=True)
    fresh = []
    for place, key in enumerate(keys):
        if key not in seen:
            seen.add(key)
            fresh.append(place)
    return problems.take(np.array(fresh, np.int64))
