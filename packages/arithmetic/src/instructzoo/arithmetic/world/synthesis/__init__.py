"""Vectorised synthesis of rows: numpy draws and words 4,096 problems at a time, well over 100,000 rows a second.

    rng = np.random.default_rng(0)
    rows = draw_rows(5, rng, "train", {DigitPair.parse("4D/2D"): 1.0}, Style(), exact=0.5, by_zero=0.0)

The modules: `problem_arrays` draws problems and assigns splits, `phrasing` words them, `scratchpads` writes out steps,
`row_writer` puts rows together and checks them, `goat_dataset` writes the paper's whole training set with all of these.
A domain that needs a few thousand rows needs none of this: a plain loop over problems is enough.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from instructzoo.arithmetic.problem import DigitPair
from instructzoo.arithmetic.world.synthesis.goat_dataset import corpus
from instructzoo.arithmetic.world.synthesis.problem_arrays import (
    DIVIDE,
    ProblemArrays,
    assign_splits,
    draw_problems,
    item_operands,
)
from instructzoo.arithmetic.world.synthesis.row_writer import LICENCE, SOURCE, Style, write_rows
from instructzoo.core.record import Row

__all__ = ["Style", "corpus", "draw_rows"]

BATCH_SIZE = 4096
"""Problems drawn at a time."""

PATIENCE = 40
"""Batches without a new problem after which a held-out split counts as exhausted."""


def draw_rows(
    n: int,
    rng: np.random.Generator,
    split: str,
    digit_pairs: Mapping[DigitPair, float],
    style: Style,
    exact: float,
    by_zero: float,
) -> Iterator[Row]:
    """Draw problems until n rows of a split are written.

    Args:
        n: Number of rows.
        rng: The source of randomness; rows depend on its state alone, and the first k are the same for any n.
        split: train, validation or test. Held-out splits hold each problem at most once and may end early.
        digit_pairs: Each digit pair's fraction of the draws; they sum to 1.
        style: How the rows are written.
        exact: Fraction of divisions that leave no remainder.
        by_zero: Fraction of the divisions by one digit that become divisions by 0.

    Yields:
        Rows with all columns.

    Raises:
        row_writer.WrongAnswer: Python's integers do not confirm a row.
    """
    seen: set[tuple[int, ...]] = set()
    idle_batches = 0
    while n > 0 and idle_batches < PATIENCE:
        problems = _draw_batch(digit_pairs, rng, exact, by_zero)
        problems = problems.take(np.flatnonzero(assign_splits(problems) == split))
        if split != "train":
            problems = _unseen(problems, seen)
        idle_batches = 0 if len(problems.left) else idle_batches + 1
        columns, row_of_problem = write_rows(problems, rng, style)
        for i in row_of_problem[:n].tolist():
            row: Row = {name: values[i] for name, values in columns.items()}
            yield row | {"source": SOURCE, "licence": LICENCE}
        n -= len(row_of_problem)


def _draw_batch(
    digit_pairs: Mapping[DigitPair, float], rng: np.random.Generator, exact: float, by_zero: float
) -> ProblemArrays:
    """BATCH_SIZE problems of all splits."""
    pairs = list(digit_pairs)
    pair_indices = rng.choice(len(pairs), BATCH_SIZE, p=list(digit_pairs.values()))
    problems = draw_problems(pairs, pair_indices, rng, exact)
    is_by_one_digit = (problems.operation == DIVIDE) & (problems.right < 10)
    problems.right[is_by_one_digit & (rng.random(BATCH_SIZE) < by_zero)] = 0
    return problems


def _unseen(problems: ProblemArrays, seen: set[tuple[int, ...]]) -> ProblemArrays:
    """The problems whose items are not in `seen`, each item once; their items are added to it."""
    keys = zip(problems.operation.tolist(), *(side.tolist() for side in item_operands(problems)), strict=True)
    new_indices = []
    for i, key in enumerate(keys):
        if key not in seen:
            seen.add(key)
            new_indices.append(i)
    return problems.take(np.array(new_indices, np.int64))
