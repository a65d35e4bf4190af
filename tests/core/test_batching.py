"""Updates and micro-batches: every row once per pass, any update at any time, within the budget of tokens."""

from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise
from typing import Any

import pytest

from instructzoo.core.recipe import Train
from instructzoo.core.text import Batches
from instructzoo.core.text.batching import WINDOW, padding_share, micro_batches


def lengths_of(n: int, seed: int = 0) -> list[int]:
    draw = random.Random(seed)
    return [draw.randint(3, 90) for _ in range(n)]


def batches(n: int, seed: int = 0, rank: int = 0, world: int = 1, **train: Any) -> Batches:
    return Batches(lengths_of(n), Train(**({"batch": 8, "epochs": 3} | train)), seed, rank, world)


def rows_of(made: Batches, step: int) -> list[int]:
    return [row for micro in made.update(step) for row in micro]


@pytest.mark.parametrize("n", [1, 7, 8, 9, 100, 8 * WINDOW, 8 * WINDOW + 1, 8 * WINDOW * 2 + 5])
def test_every_row_occurs_exactly_once_per_epoch(n: int) -> None:
    made = batches(n)
    assert made.per_epoch == -(-n // 8)
    assert made.steps == 3 * made.per_epoch
    for epoch in range(3):
        first = epoch * made.per_epoch
        updates = [rows_of(made, step) for step in range(first, first + made.per_epoch)]
        assert Counter(row for rows in updates for row in rows) == dict.fromkeys(range(n), 1)
        assert sorted(map(len, updates))[1:] == [8] * (made.per_epoch - 1)  # only one may be smaller


def test_an_update_is_independent_of_the_order_of_requests() -> None:
    n = 8 * WINDOW + 30
    made = batches(n)
    wanted = [made.update(step) for step in range(made.steps)]
    steps = list(range(made.steps))
    random.Random(0).shuffle(steps)
    shared = batches(n)
    assert all(shared.update(step) == wanted[step] for step in steps)
    assert batches(n).update(made.steps - 1) == wanted[-1]


def test_epochs_and_seeds_differ_in_order() -> None:
    made = batches(200)
    passes = [[rows_of(made, epoch * made.per_epoch + step) for step in range(made.per_epoch)] for epoch in range(3)]
    assert passes[0] != passes[1] != passes[2]
    assert [rows_of(batches(200, seed=1), step) for step in range(made.per_epoch)] != passes[0]


def test_updates_of_an_epoch_are_not_sorted_by_length() -> None:
    made = batches(8 * WINDOW)
    means = [sum(made.lengths[row] for row in rows_of(made, step)) / 8 for step in range(made.per_epoch)]
    rising = sum(a < b for a, b in pairwise(means))
    assert 0.3 * len(means) < rising < 0.7 * len(means)


@pytest.mark.parametrize("tokens", [16, 64, 128, 500, 10_000])
def test_micro_batches_stay_within_the_token_budget(tokens: int) -> None:
    made = batches(300, micro_tokens=tokens, batch=32)
    for step in range(made.per_epoch):
        for micro in made.update(step):
            cells = len(micro) * max(made.lengths[row] for row in micro)
            assert cells <= tokens or len(micro) == 1
    if tokens == 10_000:
        assert all(len(made.update(step)) == 1 for step in range(made.per_epoch))


def test_micro_batches_are_filled_to_the_token_budget() -> None:
    """The next row would not have fitted."""
    lengths = lengths_of(64)
    made = micro_batches(range(64), lengths, None, 256)
    for micro, after in pairwise(made):
        assert (len(micro) + 1) * lengths[micro[0]] > 256
        assert lengths[micro[-1]] >= lengths[after[0]]
    assert [len(micro) for micro in micro_batches(range(10), lengths, 4, 16)] == [4, 4, 2]


@pytest.mark.parametrize("change", [{"micro_batch": 1}, {"micro_batch": 3}, {"micro_batch": 8}, {"micro_tokens": 64}])
def test_micro_batch_size_does_not_change_the_rows_of_an_update(change: dict[str, int]) -> None:
    made, other = batches(90), batches(90, **change)
    for step in range(made.steps):
        assert sorted(rows_of(made, step)) == sorted(rows_of(other, step))


@pytest.mark.parametrize("world", [2, 3, 5, 11])
def test_processes_divide_every_update_evenly_without_loss_or_overlap(world: int) -> None:
    alone = batches(203)
    ranks = [batches(203, rank=rank, world=world) for rank in range(world)]
    assert {made.steps for made in ranks} == {alone.steps}
    for step in range(alone.steps):
        shares = [rows_of(made, step) for made in ranks]
        assert sorted(row for share in shares for row in share) == sorted(rows_of(alone, step))
        assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_grouping_rows_by_length_keeps_padding_below_ten_percent() -> None:
    long = batches(8 * WINDOW, micro_batch=8)
    assert padding_share(long) < 0.1
    rows = list(range(len(long.lengths)))
    cells = sum(8 * max(long.lengths[r] for r in rows[i : i + 8]) for i in range(0, len(rows), 8))
    assert 1 - sum(long.lengths) / cells > 0.3  # what it would be in the order of the file


def test_steps_and_fractional_epochs_are_counted() -> None:
    assert batches(100, steps=7).steps == 7
    assert batches(100, epochs=0.5).steps == round(0.5 * 13)
    assert batches(1, epochs=0.01).steps == 1
    assert batches(100).epoch_of(26) == 2
