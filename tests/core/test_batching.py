"""Updates and micro-batches: every row once per epoch, any update in any order, within the budget of tokens."""

from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise
from typing import Any

import pytest

from instructzoo.core.recipe import Train
from instructzoo.core.text import Batches
from instructzoo.core.text.batching import WINDOW, micro_batches, padding_share


def lengths_of(n: int, seed: int = 0) -> list[int]:
    rng = random.Random(seed)
    return [rng.randint(3, 90) for _ in range(n)]


def make_batches(n: int, seed: int = 0, rank: int = 0, world_size: int = 1, **train: Any) -> Batches:
    return Batches(lengths_of(n), Train(**({"batch": 8, "epochs": 3} | train)), seed, rank, world_size)


def rows_of(batches: Batches, step: int) -> list[int]:
    return [row for micro_batch in batches.update(step) for row in micro_batch]


@pytest.mark.parametrize("n", [1, 7, 8, 9, 100, 8 * WINDOW, 8 * WINDOW + 1, 8 * WINDOW * 2 + 5])
def test_every_row_occurs_exactly_once_per_epoch(n: int) -> None:
    batches = make_batches(n)
    assert batches.per_epoch == -(-n // 8)
    assert batches.steps == 3 * batches.per_epoch
    for epoch in range(3):
        start = epoch * batches.per_epoch
        updates = [rows_of(batches, step) for step in range(start, start + batches.per_epoch)]
        assert Counter(row for rows in updates for row in rows) == dict.fromkeys(range(n), 1)
        assert sorted(map(len, updates))[1:] == [8] * (batches.per_epoch - 1)  # only one may be smaller


def test_an_update_is_independent_of_the_order_of_requests() -> None:
    n = 8 * WINDOW + 30
    batches = make_batches(n)
    expected = [batches.update(step) for step in range(batches.steps)]
    steps = list(range(batches.steps))
    random.Random(0).shuffle(steps)
    shuffled = make_batches(n)
    assert all(shuffled.update(step) == expected[step] for step in steps)
    assert make_batches(n).update(batches.steps - 1) == expected[-1]


def test_epochs_and_seeds_differ_in_order() -> None:
    batches = make_batches(200)
    passes = [
        [rows_of(batches, epoch * batches.per_epoch + step) for step in range(batches.per_epoch)] for epoch in range(3)
    ]
    assert passes[0] != passes[1] != passes[2]
    assert [rows_of(make_batches(200, seed=1), step) for step in range(batches.per_epoch)] != passes[0]


def test_updates_of_an_epoch_are_not_sorted_by_length() -> None:
    batches = make_batches(8 * WINDOW)
    means = [sum(batches.lengths[row] for row in rows_of(batches, step)) / 8 for step in range(batches.per_epoch)]
    rising = sum(a < b for a, b in pairwise(means))
    assert 0.3 * len(means) < rising < 0.7 * len(means)


@pytest.mark.parametrize("tokens", [16, 64, 128, 500, 10_000])
def test_micro_batches_stay_within_the_token_budget(tokens: int) -> None:
    batches = make_batches(300, micro_tokens=tokens, batch=32)
    for step in range(batches.per_epoch):
        for micro_batch in batches.update(step):
            positions = len(micro_batch) * max(batches.lengths[row] for row in micro_batch)
            assert positions <= tokens or len(micro_batch) == 1
    if tokens == 10_000:
        assert all(len(batches.update(step)) == 1 for step in range(batches.per_epoch))


def test_micro_batches_are_filled_to_the_token_budget() -> None:
    """The next row would exceed the budget."""
    lengths = lengths_of(64)
    batches = micro_batches(range(64), lengths, None, 256)
    for micro_batch, following in pairwise(batches):
        assert (len(micro_batch) + 1) * lengths[micro_batch[0]] > 256
        assert lengths[micro_batch[-1]] >= lengths[following[0]]
    assert [len(micro_batch) for micro_batch in micro_batches(range(10), lengths, 4, 16)] == [4, 4, 2]


@pytest.mark.parametrize("change", [{"micro_batch": 1}, {"micro_batch": 3}, {"micro_batch": 8}, {"micro_tokens": 64}])
def test_micro_batch_size_does_not_change_the_rows_of_an_update(change: dict[str, int]) -> None:
    batches, cut_otherwise = make_batches(90), make_batches(90, **change)
    for step in range(batches.steps):
        assert sorted(rows_of(batches, step)) == sorted(rows_of(cut_otherwise, step))


@pytest.mark.parametrize("world_size", [2, 3, 5, 11])
def test_processes_divide_every_update_evenly_without_loss_or_overlap(world_size: int) -> None:
    one_rank = make_batches(203)
    ranks = [make_batches(203, rank=rank, world_size=world_size) for rank in range(world_size)]
    assert {batches.steps for batches in ranks} == {one_rank.steps}
    for step in range(one_rank.steps):
        by_rank = [rows_of(batches, step) for batches in ranks]
        assert sorted(row for rows in by_rank for row in rows) == sorted(rows_of(one_rank, step))
        assert max(map(len, by_rank)) - min(map(len, by_rank)) <= 1


def test_grouping_rows_by_length_keeps_padding_below_ten_percent() -> None:
    batches = make_batches(8 * WINDOW, micro_batch=8)
    assert padding_share(batches) < 0.1
    rows = list(range(len(batches.lengths)))
    positions = sum(8 * max(batches.lengths[r] for r in rows[i : i + 8]) for i in range(0, len(rows), 8))
    assert 1 - sum(batches.lengths) / positions > 0.3  # the share of padding in the order of the file


def test_steps_and_fractional_epochs_are_counted() -> None:
    assert make_batches(100, steps=7).steps == 7
    assert make_batches(100, epochs=0.5).steps == round(0.5 * 13)
    assert make_batches(1, epochs=0.01).steps == 1
    assert make_batches(100).epoch_of(26) == 2
