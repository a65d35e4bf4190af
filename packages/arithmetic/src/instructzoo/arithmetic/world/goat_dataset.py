"""The paper's whole training set, written anew: 1,746,300 rows, the same bytes from one seed for any number of workers.

How many rows each section has follows the released notebook of Goat (arXiv:2305.14201); the digit pairs of a section
share its rows alike, save that long numbers get twice as many. Unlike the released loops, 16-digit operands occur.
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

from instructzoo.arithmetic.world import digit_pairs as cell
from instructzoo.arithmetic.world import examples as writing
from instructzoo.arithmetic.world.digit_pairs import DIGITS, DIVIDEND, Cell, Ints, Problems

if TYPE_CHECKING:
    import pyarrow as pa

SECTIONS = {"n + m": 304_000, "n - m": 304_000, "n * 1": 185_500, "n * m": 420_000, "n / 1": 187_800, "n / m": 345_000}
"""Rows of every section; 1 stands for a one-digit operand."""

SIZE = sum(SECTIONS.values())
CHUNK = 16_384
STRIDE = 1_079_273
"""Rows per chunk; and the step, coprime to SIZE and near its golden section, that deals the kinds evenly to chunks."""

EXACT, SCALED = 0.5, 0.1
"""Share of divisions without remainder; and of n * 1 with a factor times 10 to the 1st to 6th power."""

STYLE = writing.Style(short=False)
"""Divisions by one digit are answered directly, as products with one digit are; longer ones are written out."""

PLAIN, BY_ZERO, BY_ONE, BY_TEN, OF_ZERO, BY_SELF = range(6)
"""How the drawn right operand is replaced: not at all; by 0, 1 or 10; 0 takes the left side; by the left one."""

COLUMNS = ("id", "instruction", "input", "output", "source", "licence", "item", "answer", "operation", "digits")


class Kind(NamedTuple):
    """So many rows of one cell, with one of the replacements above."""

    section: str
    cell: Cell
    special: int
    rows: int


def corpus(seed: int, workers: int = 1) -> Iterator[pa.Table]:
    """The rows as tables of up to CHUNK rows with all COLUMNS of a row, in an order that mixes all kinds.

    workers: processes that write chunks; a chunk depends on the seed and its number alone, so the bytes do not depend
    on the workers. A script that asks for several needs the usual `if __name__ == "__main__"`. Raises
    rows.WrongAnswer should Python's integers not confirm a row.
    """
    numbers = iter(range(-(-SIZE // CHUNK)))
    if workers <= 1:
        for number in numbers:
            yield chunk(seed, number)
        return
    # spawned, not forked: a fork of a process that runs threads (torch, arrow) can hang
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        jobs: deque[Future[pa.Table]] = deque()
        for number in numbers:
            jobs.append(pool.submit(chunk, seed, number))
            if len(jobs) >= 2 * workers:  # no more than these wait in memory
                yield jobs.popleft().result()
        while jobs:
            yield jobs.popleft().result()


def chunk(seed: int, number: int) -> pa.Table:
    """Chunk `number` of the corpus of `seed`: CHUNK rows, fewer in the last."""
    import pyarrow as pa

    rng = np.random.default_rng([seed, number])
    columns, order = writing.write(_problems(seed, number, rng), rng, STYLE)
    arrays = {name: pa.array(values, pa.string()) for name, values in columns.items()}
    arrays |= {
        name: pa.repeat(pa.scalar(value, pa.string()), len(order))
        for name, value in (("source", writing.SOURCE), ("licence", writing.LICENCE))
    }
    return pa.table(arrays).select(COLUMNS).take(pa.array(order))


@cache
def plan() -> tuple[Kind, ...]:
    """Every kind of row and how many there are of it; they sum to SECTIONS and to SIZE."""
    every = range(1, DIGITS + 1)
    pairs = [(i, j) for i in every for j in every]
    short = [(i, 1) for i in every]
    special = [
        *_kinds("n * 1", "multiply", short, 1_600, special=BY_ZERO),
        *_kinds("n * 1", "multiply", short, 1_600, special=BY_ONE),
        *_kinds("n * 1", "multiply", short, 1_600, special=BY_TEN),
        *_kinds("n / 1", "divide", short, 1_700, special=BY_ZERO),
        *_kinds("n / 1", "divide", short, 1_600, special=BY_ONE),
        *_kinds("n / 1", "divide", short, 1_600, special=OF_ZERO),
        *_kinds("n / m", "divide", [(i, 1) for i in range(2, 8)], 1_600, special=BY_TEN),
        *_kinds("n / m", "divide", [(i, 1) for i in range(2, DIVIDEND + 1)], 1_600, special=BY_SELF),
    ]
    left = dict(SECTIONS)
    for kind in special:
        left[kind.section] -= kind.rows
    products = [(i, j) for i, j in pairs if 2 <= j <= i and Cell("multiply", i, j).allowed()]
    divisions = [(i, j) for i, j in pairs if 2 <= j <= i and Cell("divide", i, j).allowed()]
    return (
        *_kinds("n + m", "add", pairs, left["n + m"], lambda i, j: max(i, j) > 8),
        *_kinds("n - m", "subtract", pairs, left["n - m"], lambda i, j: max(i, j) > 8),
        *_kinds("n * 1", "multiply", short, left["n * 1"], lambda i, j: i > 8),
        *_kinds("n * m", "multiply", products, left["n * m"], lambda i, j: i + j > 8),
        *_kinds("n / 1", "divide", short, left["n / 1"], lambda i, j: i > 8),
        *_kinds("n / m", "divide", divisions, left["n / m"], lambda i, j: i > 8),
        *special,
    )


def _kinds(
    section: str,
    operation: str,
    pairs: list[tuple[int, int]],
    rows: int,
    long: Callable[[int, int], bool] = lambda i, j: False,
    special: int = PLAIN,
) -> list[Kind]:
    """`rows` shared among the digit pairs, those that are `long` getting twice as many; the counts sum to rows."""
    bounds = np.cumsum([0] + [2 if long(i, j) else 1 for i, j in pairs])
    bounds = bounds * rows // bounds[-1]
    counts = [int(high - low) for low, high in pairwise(bounds)]
    return [Kind(section, Cell(operation, i, j), special, n) for (i, j), n in zip(pairs, counts, strict=True)]


def _problems(seed: int, number: int, rng: np.random.Generator) -> Problems:
    """The problems of a chunk: a fixed walk over the plan says their kinds, so that every kind gets its exact count."""
    kinds = plan()
    start = int(np.random.default_rng(seed).integers(SIZE))
    steps = np.arange(number * CHUNK, min((number + 1) * CHUNK, SIZE))
    ends = np.cumsum([kind.rows for kind in kinds])
    picks = rng.permutation(np.searchsorted(ends, (start + steps * STRIDE) % SIZE, side="right"))
    problems = cell.draw([kind.cell for kind in kinds], picks, rng, EXACT)
    return _specials(kinds, picks, problems, rng)


def _specials(kinds: tuple[Kind, ...], picks: Ints, drawn: Problems, rng: np.random.Generator) -> Problems:
    special = np.array([kind.special for kind in kinds])[picks]
    operation, left, right = drawn
    places = [special == way for way in (BY_ZERO, BY_ONE, BY_TEN, OF_ZERO, BY_SELF)]
    own = np.maximum(left, 1)
    right = np.select(places, [np.int64(0), np.int64(1), np.int64(10), own, own], right)
    left = np.where(special == OF_ZERO, 0, np.where(special == BY_SELF, own, left))
    small = np.array([kind.section == "n * 1" for kind in kinds])[picks]
    room = DIGITS - cell.digits(left)
    power = np.minimum(rng.integers(1, 7, len(picks)), room)
    scaled = small & (special == PLAIN) & (rng.random(len(picks)) < SCALED)
    factor = np.where(scaled, cell.HIGH[power], 1)  # HIGH[k] = 10**k; a scaled n keeps within 16 digits
    first = rng.random(len(picks)) < 0.5
    left, right = np.where(first, left * factor, left), np.where(first, right, right * factor)
    swap = (operation == cell.MULTIPLY) & (rng.random(len(picks)) < 0.5)
    return Problems(operation, np.where(swap, right, left), np.where(swap, left, right))
