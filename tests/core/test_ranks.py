"""Several processes train what one would: two gloo processes of this machine beside one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from commands import curve, final, killed, run, start, write
from kit import same

from instructzoo.core.recipe import Train
from instructzoo.core.text import Batches


@pytest.mark.parametrize(
    "method",
    [{"name": "full"}, pytest.param({"name": "lora", "rank": 4}, marks=pytest.mark.slow)],
    ids=["full", "lora"],
)
def test_two_processes_train_another_model_than_one(method: dict[str, Any], tmp_path: Path) -> None:
    """48 rows in batches of 5: the last update of a pass has three rows, shared as two and one."""
    path = write(tmp_path, method=method, train={"micro_tokens": 60})
    one, two = run(path, tmp_path / "one"), run(path, tmp_path / "two", "--nproc", "2")
    for alone, together in zip(curve(one), curve(two), strict=True):
        assert alone == pytest.approx(together, rel=1e-4)
    assert any("validation_loss" in line for line in curve(two))
    assert len(list((two / "checkpoints").glob("step-*"))) == 2


@pytest.mark.slow
def test_a_killed_run_of_two_processes_starts_over_or_elsewhere(tmp_path: Path) -> None:
    path = write(tmp_path, train={"steps": 40})
    whole = run(path, tmp_path / "whole", "--nproc", "2")
    folder = killed(path, tmp_path / "cut", "--nproc", "2")
    assert len(curve(folder)) < len(curve(whole))
    assert run(path, tmp_path / "cut", "--nproc", "2") == folder
    assert same(final(folder), final(whole))
    assert curve(folder) == curve(whole)


def test_a_fault_of_one_process_hangs_the_others_or_is_told_twice(tmp_path: Path) -> None:
    path = write(tmp_path, model={"max_tokens": 8})
    process = start(path, tmp_path / "runs", "--nproc", "2")
    _, said = process.communicate(timeout=120)
    assert process.returncode == 2
    assert len([line for line in said.splitlines() if line.startswith("zoo: ")]) == 1
    assert "Traceback" not in said


def test_a_rank_has_fewer_micro_batches_than_another() -> None:
    lengths = [7, 9, 8, 20, 3, 5, 6, 30, 4, 8, 9]
    train = Train(batch=5, micro_tokens=32, epochs=1)
    for world in (1, 2, 3, 7):
        ranks = [Batches(lengths, train, 0, rank, world) for rank in range(world)]
        for step in range(ranks[0].per_epoch):
            shares = [batches.update(step) for batches in ranks]
            assert len({len(share) for share in shares}) == 1
            rows = sorted(row for share in shares for micro in share for row in micro)
            assert rows == sorted(row for micro in Batches(lengths, train, 0).update(step) for row in micro)
