"""Several processes train the same model as one: two gloo processes on this machine are compared with one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from kit import same
from processes import checkpoint_weights, final_weights, killed_run, metrics, run, start, write_recipe
from safetensors.torch import load_file

from instructzoo.core.commands import launch
from instructzoo.core.recipe import Train
from instructzoo.core.runs import read_json
from instructzoo.core.text import Batches


@pytest.mark.parametrize(
    "method",
    [{"name": "full"}, pytest.param({"name": "lora", "rank": 4}, marks=pytest.mark.slow)],
    ids=["full", "lora"],
)
def test_two_processes_follow_the_loss_curve_of_one(method: dict[str, Any], tmp_path: Path) -> None:
    """There are 48 rows in batches of 5, so the last update of an epoch has three rows: two and one per process."""
    path = write_recipe(tmp_path, method=method, train={"micro_tokens": 60})
    one, two = run(path, tmp_path / "one"), run(path, tmp_path / "two", "--nproc", "2")
    for line_of_one, line_of_two in zip(metrics(one), metrics(two), strict=True):
        assert line_of_one == pytest.approx(line_of_two, rel=1e-4)
    assert any("validation_loss" in line for line in metrics(two))
    assert len(list((two / "checkpoints").glob("step-*"))) == 2


@pytest.mark.slow
def test_a_killed_run_of_two_processes_resumes_bit_for_bit(tmp_path: Path) -> None:
    path = write_recipe(tmp_path, train={"steps": 40})
    uninterrupted = run(path, tmp_path / "whole", "--nproc", "2")
    folder = killed_run(path, tmp_path / "cut", "--nproc", "2")
    assert len(metrics(folder)) < len(metrics(uninterrupted))
    assert run(path, tmp_path / "cut", "--nproc", "2") == folder
    assert same(final_weights(folder), final_weights(uninterrupted))
    assert metrics(folder) == metrics(uninterrupted)


SHARDED = [
    pytest.param({}, {}, id="full"),
    pytest.param({"name": "lora", "rank": 4}, {"activation_checkpointing": True}, id="lora", marks=pytest.mark.slow),
    pytest.param({}, {"offload": True}, id="offload", marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("method", "train"), SHARDED)
def test_a_sharded_run_trains_the_same_model_as_one_process(
    method: dict[str, Any], train: dict[str, Any], tmp_path: Path
) -> None:
    """Checkpoints are saved after validations and between them; the saved model is not sharded."""
    one = run(write_recipe(tmp_path, method=method, train={"micro_tokens": 60}), tmp_path / "one")
    path = write_recipe(tmp_path, method=method, train={"micro_tokens": 60, "sharding": True} | train)
    two = run(path, tmp_path / "two", "--nproc", "2")
    for line_of_one, line_of_two in zip(metrics(one), metrics(two), strict=True):
        assert line_of_one == pytest.approx(line_of_two, rel=1e-4)
    for name, value in final_weights(one).items():
        assert torch.allclose(value, final_weights(two)[name], atol=1e-5), name
    for folder in (two / "checkpoints").iterdir():
        shards = [load_file(path) for path in sorted(folder.glob("weights-*-of-00002.safetensors"))]
        assert [len(shard) for shard in shards] == [len(shards[0])] * 2
        assert sum(value.numel() for shard in shards for value in shard.values()) == sum(
            value.numel() for value in checkpoint_weights(one)
        )


@pytest.mark.slow
@pytest.mark.parametrize("options", [["--nproc", "2"], ["--nproc", "3"], []], ids=["two", "three", "one"])
def test_a_sharded_run_resumes_on_one_two_or_three_processes(options: list[str], tmp_path: Path) -> None:
    path = write_recipe(tmp_path, train={"steps": 40, "sharding": True})
    uninterrupted = run(path, tmp_path / "whole", "--nproc", "2")
    folder = killed_run(path, tmp_path / "cut", "--nproc", "2")
    lines_before = len(metrics(folder))
    assert 0 < lines_before < len(metrics(uninterrupted))
    assert run(path, tmp_path / "cut", *options) == folder
    for expected, actual in zip(metrics(uninterrupted), metrics(folder), strict=True):
        assert expected == (actual if options == ["--nproc", "2"] else pytest.approx(actual, rel=1e-4))
    if options == ["--nproc", "2"]:
        assert same(final_weights(folder), final_weights(uninterrupted))


def test_offloading_without_nproc_is_an_error_that_suggests_it(tmp_path: Path) -> None:
    path = write_recipe(tmp_path, train={"sharding": True, "offload": True})
    process = start(path, tmp_path / "runs")
    _, stderr = process.communicate(timeout=120)
    assert process.returncode == 2
    assert "add --nproc 1" in stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    "launcher",
    [
        ["torch.distributed.run", "--standalone", "--nproc-per-node", "2"],
        # accelerate uses torchrun with --multi_gpu; with --cpu it would start one process, or ask for MPI
        ["accelerate.commands.launch", "--multi_gpu", "--num_processes", "2", "--num_machines", "1",
         "--mixed_precision", "no", "--dynamo_backend", "no", "--main_process_port", str(launch._free_port())],
    ],
    ids=["torchrun", "accelerate"],
)  # fmt: skip
def test_torchrun_and_accelerate_start_one_run_of_two_processes(launcher: list[str], tmp_path: Path) -> None:
    path = write_recipe(tmp_path)
    one_process = run(path, tmp_path / "one")
    command = [sys.executable, "-m", *launcher, "-m", "instructzoo.core.cli", "train", str(path), "--run-id", "r"]
    environment = {**os.environ, "INSTRUCTZOO_RUNS": str(tmp_path / "two"), "OMP_NUM_THREADS": "1"}
    process = subprocess.run(command, env=environment, text=True, capture_output=True, timeout=300)
    assert process.returncode == 0, process.stderr
    folder = tmp_path / "two" / "arithmetic" / "tried" / "r"
    assert read_json(folder / "manifest.json")["hardware"]["processes"] == 2
    for one, two in zip(metrics(one_process), metrics(folder), strict=True):
        assert one == pytest.approx(two, rel=1e-4)


def test_an_error_with_two_processes_ends_both_and_is_told_once(tmp_path: Path) -> None:
    path = write_recipe(tmp_path, model={"max_tokens": 8})
    process = start(path, tmp_path / "runs", "--nproc", "2")
    _, stderr = process.communicate(timeout=120)
    assert process.returncode == 2
    assert len([line for line in stderr.splitlines() if line.startswith("zoo: ")]) == 1
    assert "Traceback" not in stderr


def test_all_processes_have_equally_many_micro_batches() -> None:
    lengths = [7, 9, 8, 20, 3, 5, 6, 30, 4, 8, 9]
    train = Train(batch=5, micro_tokens=32, epochs=1)
    for world_size in (1, 2, 3, 7):
        ranks = [Batches(lengths, train, 0, rank, world_size) for rank in range(world_size)]
        for step in range(ranks[0].per_epoch):
            by_rank = [batches.update(step) for batches in ranks]
            assert len({len(micro_batches) for micro_batches in by_rank}) == 1
            rows = sorted(row for micro_batches in by_rank for micro_batch in micro_batches for row in micro_batch)
            one_rank = Batches(lengths, train, 0).update(step)
            assert rows == sorted(row for micro_batch in one_rank for row in micro_batch)
