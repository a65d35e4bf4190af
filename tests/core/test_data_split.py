"""Splits by item."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from instructzoo.core.data.split import by_item, sample
from instructzoo.core.data.tables import codes

SHARES = {"validation": 0.1, "test": 0.2}


def table(items: list[str]) -> pa.Table:
    return pa.table({"item": items, "row": list(range(len(items)))})


def items(rows: pa.Table) -> set[str]:
    return set(rows.column("item").to_pylist())


def test_every_item_is_in_exactly_one_split() -> None:
    names = [f"item {i % 700}" for i in range(2_000)]
    parts = by_item(table(names), SHARES, seed=3)
    sets = [items(parts[name]) for name in ("train", "validation", "test")]
    assert sum(map(len, sets)) == len(set().union(*sets)) == 700
    rows = sorted(row for part in parts.values() for row in part.column("row").to_pylist())
    assert rows == list(range(2_000))
    assert 0.05 < len(sets[1]) / 700 < 0.15
    assert 0.14 < len(sets[2]) / 700 < 0.26


def test_an_item_keeps_its_split_when_others_are_added() -> None:
    few, many = [f"item {i}" for i in range(500)], [f"item {i}" for i in range(900)]
    before, after = by_item(table(few), SHARES, 0), by_item(table(list(reversed(many))), SHARES, 0)
    assert all(items(before[part]) == items(after[part]) & set(few) for part in before)
    assert items(before["test"]) != items(by_item(table(few), SHARES, 1)["test"])


def test_a_small_data_set_gets_no_empty_split_unless_its_share_is_zero() -> None:
    parts = by_item(table(["a", "b", "c", "a"]), {"validation": 0.02, "test": 0.02}, 0)
    assert all(part.num_rows for part in parts.values())
    assert by_item(table(["a"]), SHARES, 0)["train"].num_rows == 1
    assert by_item(table(["a", "b", "c"]), {"test": 0.0}, 0)["test"].num_rows == 0


def test_a_limit_samples_the_whole_file_reproducibly() -> None:
    rows = table([str(i) for i in range(1_000)])
    chosen = sample(rows, 100, 0, "train").column("row").to_pylist()
    assert len(chosen) == 100
    assert chosen == sorted(chosen)
    assert max(chosen) > 900
    assert chosen == sample(rows, 100, 0, "train").column("row").to_pylist()
    assert chosen != sample(rows, 100, 1, "train").column("row").to_pylist()
    assert sample(rows, 2_000, 0, "train") is rows


def test_equal_texts_of_different_chunks_get_one_code() -> None:
    column = pa.chunked_array([["b", "a"], [], ["a", "c", "b"]], pa.string())
    assert codes(column).tolist() == [0, 1, 1, 2, 0]
    assert codes(pa.chunked_array([], pa.string())).dtype == np.int64
