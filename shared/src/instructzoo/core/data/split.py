"""Splits by content: an item belongs to one split, decided by a hash of the item, and never to two."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from instructzoo.core.data.tables import codes, strings
from instructzoo.core.errors import ZooError, suggest
from instructzoo.core.record import Row

if TYPE_CHECKING:
    import datasets

SPLITS = ("train", "validation", "test")
PARTS = SPLITS

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


def by_item(rows: pa.Table, shares: Mapping[str, float], seed: int) -> dict[str, pa.Table]:
    """Take the shares of items (such as {"validation": .02, "test": .02}) out of `rows`; the rest is "train".

    Where items stay, they stay when others come or go: each is placed by its own hash. A set so small that a share
    catches no item gives that part the item nearest to it, as long as train keeps one.
    """
    numbers = codes(rows.column("item"))
    _, first = np.unique(numbers, return_index=True)
    positions = _positions(strings(rows.column("item").take(pa.array(first))), seed)
    part_of = np.full(len(positions), "train", object)
    low = 0.0
    for part, share in shares.items():
        inside = (positions >= low) & (positions < low + share)
        if share > 0 and not inside.any() and (part_of == "train").sum() > 1:
            free = np.where(part_of == "train", np.abs(positions - low), np.inf)
            inside = np.arange(len(positions)) == int(free.argmin())
        part_of[inside & (part_of == "train")] = part
        low += share
    chosen = part_of[numbers] if len(numbers) else part_of
    return {part: rows.filter(pa.array(chosen == part)) for part in ("train", *shares)}


def sample(rows: pa.Table, limit: int | None, seed: int, part: str) -> pa.Table:
    """At most `limit` rows, chosen by seed and left in their order."""
    if limit is None or rows.num_rows <= limit:
        return rows
    salt = int.from_bytes(hashlib.blake2b(part.encode(), digest_size=4).digest())
    chosen = np.random.default_rng([seed, salt]).choice(rows.num_rows, limit, replace=False)
    mask = np.zeros(rows.num_rows, bool)
    mask[chosen] = True
    return rows.filter(pa.array(mask))


def sampled(rows: datasets.Dataset, limit: int | None, seed: int, part: str) -> list[Row]:
    """At most `limit` rows of a Dataset, by seed and in their order: its sources stand one after the other."""
    if limit is None or limit >= len(rows):
        return list(rows)
    numbers = sample(pa.table({"row": range(len(rows))}), limit, seed, part)["row"]
    return list(rows.select(numbers.to_pylist()))


def _positions(items: list[str], seed: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Where each item lies between 0 and 1: its hash. Shape [items]."""
    key = str(seed).encode()
    return np.array([hash_position(item, key) for item in items], np.float64)
