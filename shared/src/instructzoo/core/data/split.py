"""Splits by content: an item belongs to one part, decided by a hash of the item, and never to two."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from instructzoo.core.data.tables import codes, strings
from instructzoo.core.record import Row

if TYPE_CHECKING:
    import datasets

PARTS = ("train", "validation", "test")


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
    salt = str(seed).encode()
    hashes = [hashlib.blake2b(item.encode(), digest_size=8, key=salt).digest() for item in items]
    return np.array([int.from_bytes(h) for h in hashes], np.float64) / 2.0**64
