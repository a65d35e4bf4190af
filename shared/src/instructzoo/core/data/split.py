"""Splits by content: an item belongs to one split, decided by a hash of the item, and never to two."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from instructzoo.core.data.mapped_tables import blocks, filter_rows
from instructzoo.core.data.tables import codes
from instructzoo.core.errors import ZooError, suggest
from instructzoo.core.record import Row

if TYPE_CHECKING:
    import datasets

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

SPLITS = ("train", "validation", "test")

HELD_OUT = {"validation": 4.0, "test": 8.0}
"""Percent of a microworld's items in each held-out split; train has the rest."""


def check_split(split: str) -> None:
    """Raise a ZooError for a name that is none of SPLITS."""
    if split not in SPLITS:
        raise ZooError(f'no split "{split}"', suggest(split, SPLITS))


def checksum_percentile(item: str) -> float:
    """A whole number from 0 to 99, by the CRC-32 of the item."""
    return zlib.crc32(item.encode()) % 100


def hash_percentile(item: str) -> float:
    """A number in [0, 100), by the BLAKE2b hash of the item: finer than `checksum_percentile`."""
    return 100 * hash_position(item)


def hash_position(item: str, key: bytes = b"") -> float:
    """Where an item lies in [0, 1): its 64-bit BLAKE2b hash under a key."""
    return int.from_bytes(hashlib.blake2b(item.encode(), digest_size=8, key=key).digest()) / 2.0**64


def split_of(
    item: str,
    held_out: Mapping[str, float] = HELD_OUT,
    percentile: Callable[[str], float] = checksum_percentile,
) -> str:
    """The split that an item of a microworld belongs to, by a hash of the item alone.

    Args:
        item: What names the problem, wording aside.
        held_out: Percent of all items in each held-out split.
        percentile: Where the item lies in [0, 100). The first percents are the first held-out split's, and so on.

    Returns:
        The name of a held-out split, or "train" where the item is in none.

    Example:
        >>> split_of("the soup was cold")
        'train'
    """
    position, upper = percentile(item), 0.0
    for split, percent in held_out.items():
        upper += percent
        if position < upper:
            return split
    return "train"


def by_item(rows: pa.Table, fractions: Mapping[str, float], seed: int) -> dict[str, pa.Table]:
    """Take fractions of the items (such as {"validation": .02, "test": .02}) out of `rows`; the rest is "train".

    Where items stay, they stay when others come or go: each is placed by its own hash. A set so small that a
    fraction catches no item gives that split the item nearest to it, as long as train keeps one.

    Args:
        rows: The rows of a source, with the column "item".
        fractions: For each split to take out the fraction of the items, in 0..1.
        seed: Seed of the hash that places an item.

    Returns:
        The rows by split, "train" first, each in the order of `rows`. All rows of an item are in one split.
    """
    numbers = codes(rows.column("item"))
    _, first = np.unique(numbers, return_index=True)
    positions = _positions(rows, first, str(seed))
    names = ("train", *fractions)
    split_by_item = np.zeros(len(positions), np.int8)  # indices into names
    low = 0.0
    for number, fraction in enumerate(fractions.values(), 1):
        free = split_by_item == 0
        inside = free & (positions >= low) & (positions < low + fraction)
        if fraction > 0 and not inside.any() and free.sum() > 1:
            distances = np.where(free, np.abs(positions - low), np.inf)
            inside = np.arange(len(positions)) == int(distances.argmin())
        split_by_item[inside] = number
        low += fraction
    chosen = split_by_item[numbers]
    return {split: filter_rows(rows, chosen == number) for number, split in enumerate(names)}


def in_fold(rows: pa.Table, number: int, count: int) -> npt.NDArray[np.bool_]:
    """Which rows are the test split of a fold: the items are cut into `count` parts, in the order of their hashes.

    The parts differ by at most one item, and do not depend on a seed: runs with other seeds have the same folds.

    Args:
        rows: The rows of the training part, with the column "item".
        number: The part, counted from 1.
        count: The number of parts.

    Returns:
        A mask, [rows]. The masks of the numbers 1 to `count` are disjoint and cover all rows.
    """
    ranks = _item_ranks(rows, "fold")
    fold: npt.NDArray[np.bool_] = ranks * count // (ranks.max(initial=0) + 1) == number - 1
    return fold


def first_items(rows: pa.Table, limit: int, seed: int) -> npt.NDArray[np.bool_]:
    """Which rows belong to the first items in the order of their hashes.

    Args:
        rows: The rows of a split, with the column "item".
        limit: The largest number of items.
        seed: Seed of the hash. The items of one limit are among those of every larger limit.

    Returns:
        A mask, [rows]; all rows of an item are chosen, or none.
    """
    chosen: npt.NDArray[np.bool_] = _item_ranks(rows, f"first {seed}") < limit
    return chosen


def sample(rows: pa.Table, limit: int | None, seed: int, split: str) -> pa.Table:
    """At most `limit` rows, chosen by seed and left in their order.

    Args:
        rows: The rows of a split.
        limit: The largest number of rows; None keeps all.
        seed: Seed of the choice.
        split: The name of the split, so that splits of equal length get different choices.

    Returns:
        The chosen rows, drawn without replacement.
    """
    if limit is None or rows.num_rows <= limit:
        return rows
    salt = int.from_bytes(hashlib.blake2b(split.encode(), digest_size=4).digest())
    chosen = np.random.default_rng([seed, salt]).choice(rows.num_rows, limit, replace=False)
    mask = np.zeros(rows.num_rows, bool)
    mask[chosen] = True
    return filter_rows(rows, mask)


def sampled(rows: datasets.Dataset, limit: int | None, seed: int, split: str) -> list[Row]:
    """At most `limit` rows of a Dataset, by seed and in their order: its sources stand one after the other.

    Args:
        rows: The rows of a split.
        limit: The largest number of rows; None keeps all.
        seed: Seed of the choice.
        split: The name of the split, as for `sample`.

    Returns:
        The rows that `sample` chooses, as dictionaries.
    """
    if limit is None or limit >= len(rows):
        return list(rows)
    numbers = sample(pa.table({"row": range(len(rows))}), limit, seed, split)["row"]
    return list(rows.select(numbers.to_pylist()))


def _item_ranks(rows: pa.Table, key: str) -> Ints:
    """The place of each row's item among all items, in the order of their hashes under a key. Shape [rows]."""
    numbers = codes(rows.column("item"))
    _, first = np.unique(numbers, return_index=True)
    ranks = np.empty(len(first), np.int64)
    ranks[np.argsort(_positions(rows, first, key), kind="stable")] = np.arange(len(first))
    return ranks[numbers]


def _positions(rows: pa.Table, indices: Ints, key: str) -> Floats:
    """Where the items of these rows (ascending indices) lie between 0 and 1: their hashes. Shape [indices]."""
    positions = np.empty(len(indices), np.float64)
    start = 0
    for block in blocks(rows.select(["item"])):
        first, last = np.searchsorted(indices, [start, start + block.num_rows])
        items = block.column("item").take(pa.array(indices[first:last] - start)).to_pylist()
        positions[first:last] = [hash_position(item, key.encode()) for item in items]
        start += block.num_rows
    return positions
