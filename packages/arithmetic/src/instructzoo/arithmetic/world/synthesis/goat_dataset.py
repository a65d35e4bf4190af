"""The whole training set of Goat (arXiv:2305.14201), synthesised anew: 1,746,300 rows.

A seed gives the same bytes for any number of workers. The number of rows of each section follows the released notebook
of Goat. The digit pairs of a section get equal shares of its rows, except that pairs of long numbers get twice as many.
Unlike the released loops, which stop at 15 digits, 16-digit operands occur, since the paper tests them.
"""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from instructzoo.arithmetic.problem import MAX_DIGITS, MAX_DIVIDEND_DIGITS, DigitPair
from instructzoo.arithmetic.world.synthesis.problem_arrays import (
    MULTIPLY,
    POWERS_OF_TEN,
    IntArray,
    ProblemArrays,
    count_digits,
    draw_problems,
)
from instructzoo.arithmetic.world.synthesis.row_writer import LICENCE, SOURCE, Style, write_rows

if TYPE_CHECKING:
    import pyarrow as pa

SECTIONS = {"n + m": 304_000, "n - m": 304_000, "n * 1": 185_500, "n * m": 420_000, "n / 1": 187_800, "n / m": 345_000}
"""Rows of every section; 1 stands for a one-digit operand."""

SIZE = sum(SECTIONS.values())

CHUNK_SIZE = 16_384
"""Rows of a chunk; the last chunk has fewer."""

STRIDE = 1_079_273
"""Step of the walk over the plan: coprime to SIZE, and near its golden section, so that it spreads the kinds evenly."""

EXACT = 0.5
"""Fraction of divisions without remainder."""

SCALED = 0.1
"""Fraction of n * 1 of which one factor is multiplied by 10 to the power of 1 to 6."""

STYLE = Style(short_division=False)
"""Divisions by one digit are answered directly, as are products with one digit; longer ones are written out."""

UNCHANGED, BY_ZERO, BY_ONE, BY_TEN, ZERO_DIVIDEND, BY_ITSELF = range(6)
"""What replaces a drawn right operand: nothing; 0, 1 or 10; nothing, but the left one becomes 0; the left operand."""

COLUMNS = ("id", "instruction", "input", "output", "source", "licence", "item", "answer", "operation", "digits")


class RowKind(NamedTuple):
    """A number of rows of one digit pair, all with one of the replacements above."""

    section: str
    digit_pair: DigitPair
    replacement: int
    rows: int


def corpus(seed: int, workers: int = 1) -> Iterator[pa.Table]:
    """The whole training set, in an order that mixes all kinds of rows.

    Args:
        seed: Decides all rows.
        workers: Number of processes that write chunks. A chunk depends on the seed and its number alone, so the number
            of workers changes no byte. A script that asks for several needs the usual `if __name__ == "__main__"`.

    Yields:
        Tables of CHUNK_SIZE rows (the last one has fewer) with all COLUMNS of a row.

    Raises:
        row_writer.WrongAnswer: Python's integers do not confirm a row.
    """
    chunk_numbers = iter(range(-(-SIZE // CHUNK_SIZE)))
    if workers <= 1:
        for number in chunk_numbers:
            yield make_chunk(seed, number)
        return
    # spawned, not forked: a fork of a process that runs threads (torch, arrow) can hang
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        jobs: deque[Future[pa.Table]] = deque()
        for number in chunk_numbers:
            jobs.append(pool.submit(make_chunk, seed, number))
            if len(jobs) >= 2 * workers:  # no more than these wait in memory
                yield jobs.popleft().result()
        while jobs:
            yield jobs.popleft().result()


def make_chunk(seed: int, number: int) -> pa.Table:
    """One chunk of the corpus of `seed`, counted from 0: CHUNK_SIZE rows, fewer in the last."""
    import pyarrow as pa

    rng = np.random.default_rng([seed, number])
    columns, row_of_problem = write_rows(_draw_chunk(seed, number, rng), rng, STYLE)
    arrays = {name: pa.array(values, pa.string()) for name, values in columns.items()}
    arrays |= {
        name: pa.repeat(pa.scalar(value, pa.string()), len(row_of_problem))
        for name, value in (("source", SOURCE), ("licence", LICENCE))
    }
    return pa.table(arrays).select(COLUMNS).take(pa.array(row_of_problem))


@cache
def plan() -> tuple[RowKind, ...]:
    """Every kind of row and its number of rows, which sum to SECTIONS and to SIZE."""
    sizes = range(1, MAX_DIGITS + 1)
    pairs = [(i, j) for i in sizes for j in sizes]
    by_one_digit = [(i, 1) for i in sizes]
    special_kinds = [
        *_share_rows("n * 1", "multiply", by_one_digit, 1_600, replacement=BY_ZERO),
        *_share_rows("n * 1", "multiply", by_one_digit, 1_600, replacement=BY_ONE),
        *_share_rows("n * 1", "multiply", by_one_digit, 1_600, replacement=BY_TEN),
        *_share_rows("n / 1", "divide", by_one_digit, 1_700, replacement=BY_ZERO),
        *_share_rows("n / 1", "divide", by_one_digit, 1_600, replacement=BY_ONE),
        *_share_rows("n / 1", "divide", by_one_digit, 1_600, replacement=ZERO_DIVIDEND),
        *_share_rows("n / m", "divide", [(i, 1) for i in range(2, 8)], 1_600, replacement=BY_TEN),
        *_share_rows(
            "n / m", "divide", [(i, 1) for i in range(2, MAX_DIVIDEND_DIGITS + 1)], 1_600, replacement=BY_ITSELF
        ),
    ]
    rows_left = dict(SECTIONS)
    for kind in special_kinds:
        rows_left[kind.section] -= kind.rows
    products = [(i, j) for i, j in pairs if 2 <= j <= i and DigitPair("multiply", i, j).is_within_limits()]
    divisions = [(i, j) for i, j in pairs if 2 <= j <= i and DigitPair("divide", i, j).is_within_limits()]
    return (
        *_share_rows("n + m", "add", pairs, rows_left["n + m"], lambda i, j: max(i, j) > 8),
        *_share_rows("n - m", "subtract", pairs, rows_left["n - m"], lambda i, j: max(i, j) > 8),
        *_share_rows("n * 1", "multiply", by_one_digit, rows_left["n * 1"], lambda i, j: i > 8),
        *_share_rows("n * m", "multiply", products, rows_left["n * m"], lambda i, j: i + j > 8),
        *_share_rows("n / 1", "divide", by_one_digit, rows_left["n / 1"], lambda i, j: i > 8),
        *_share_rows("n / m", "divide", divisions, rows_left["n / m"], lambda i, j: i > 8),
        *special_kinds,
    )


def _share_rows(
    section: str,
    operation: str,
    pairs: list[tuple[int, int]],
    rows: int,
    is_long: Callable[[int, int], bool] = lambda i, j: False,
    replacement: int = UNCHANGED,
) -> list[RowKind]:
    """Share `rows` among the digit pairs, of which the long ones get twice as many; the counts sum to `rows`."""
    bounds = np.cumsum([0] + [2 if is_long(i, j) else 1 for i, j in pairs])
    bounds = bounds * rows // bounds[-1]
    counts = [int(high - low) for low, high in pairwise(bounds)]
    return [
        RowKind(section, DigitPair(operation, i, j), replacement, n) for (i, j), n in zip(pairs, counts, strict=True)
    ]


def _draw_chunk(seed: int, number: int, rng: np.random.Generator) -> ProblemArrays:
    """The problems of a chunk. A fixed walk over the plan decides their kinds, so every kind gets its exact count."""
    kinds = plan()
    start = int(np.random.default_rng(seed).integers(SIZE))
    steps = np.arange(number * CHUNK_SIZE, min((number + 1) * CHUNK_SIZE, SIZE))
    ends = np.cumsum([kind.rows for kind in kinds])
    kind_indices = rng.permutation(np.searchsorted(ends, (start + steps * STRIDE) % SIZE, side="right"))
    problems = draw_problems([kind.digit_pair for kind in kinds], kind_indices, rng, EXACT)
    return _replace_operands(kinds, kind_indices, problems, rng)


def _replace_operands(
    kinds: tuple[RowKind, ...], kind_indices: IntArray, problems: ProblemArrays, rng: np.random.Generator
) -> ProblemArrays:
    """Apply each kind's replacement, scale some factors by a power of ten and swap the factors of half the products."""
    replacement = np.array([kind.replacement for kind in kinds])[kind_indices]
    operation, left, right = problems
    conditions = [replacement == value for value in (BY_ZERO, BY_ONE, BY_TEN, ZERO_DIVIDEND, BY_ITSELF)]
    nonzero_left = np.maximum(left, 1)
    right = np.select(conditions, [np.int64(0), np.int64(1), np.int64(10), nonzero_left, nonzero_left], right)
    left = np.where(replacement == ZERO_DIVIDEND, 0, np.where(replacement == BY_ITSELF, nonzero_left, left))
    is_by_one_digit = np.array([kind.section == "n * 1" for kind in kinds])[kind_indices]
    # a scaled factor keeps within MAX_DIGITS digits
    power = np.minimum(rng.integers(1, 7, len(kind_indices)), MAX_DIGITS - count_digits(left))
    is_scaled = is_by_one_digit & (replacement == UNCHANGED) & (rng.random(len(kind_indices)) < SCALED)
    scale = np.where(is_scaled, POWERS_OF_TEN[power], 1)
    scale_left = rng.random(len(kind_indices)) < 0.5
    left, right = np.where(scale_left, left * scale, left), np.where(scale_left, right, right * scale)
    swap = (operation == MULTIPLY) & (rng.random(len(kind_indices)) < 0.5)
    return ProblemArrays(operation, np.where(swap, right, left), np.where(swap, left, right))
