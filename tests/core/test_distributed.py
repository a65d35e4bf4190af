"""Several processes train what one would: two gloo processes of this machine beside one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from kit import same
from processes import curve, final, killed, run, start, trained, write
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
    """48 rows in batches of 5: the last update of a pass has three rows, shared as two and one."""
    path = write(tmp_path, method=method, train={"micro_tokens": 60})
    one, two = run(path, tmp_path / "one"), run(path, tmp_path / "two", "--nproc", "2")
    for alone, together in zip(curve(one), curve(two), strict=True):
        assert alone == pytest.approx(together, rel=1e-4)
    assert any("validation_loss" in line for line in curve(two))
    assert len(list((two / "checkpoints").glob("step-*"))) == 2


@pytest.mark.slow
def test_a_killed_run_of_two_processes_resumes_bit_for_bit(tmp_path: Path) -> None:
    path = write(tmp_path, train={"steps": 40})
    whole = run(path, tmp_path / "whole", "--nproc", "2")
    folder = killed(path, tmp_path / "cut", "--nproc", "2")
    assert len(curve(folder)) < len(curve(whole))
    assert run(path, tmp_path / "cut", "--nproc", "2") == folder
    assert same(final(folder), final(whole))
    assert curve(folder) == curve(whole)


SHARDED = [
    pytest.param({}, {}, id="full"),
    pytest.param({"name": "lora", "rank": 4}, {"activation_checkpointing": True}, id="lora", marks=pytest.mark.slow),
    pytest.param({}, {"offload": True}, id="offload", marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("method", "train"), SHARDED)
def test_a_sharded_run_trains_the_same_model_as_one_process(
    method: dict[str, Any], train: dict[str, Any], tmp_path: Path
) -> None:
    """Its checkpoints come after validations and between them, its model is whole."""
    one = run(write(tmp_path, method=method, train={"micro_tokens": 60}), tmp_path / "one")
    path = write(tmp_path, method=method, train={"micro_tokens": 60, "sharding": True} | train)
    two = run(path, tmp_path / "two", "--nproc", "2")
    for alone, together in zip(curve(one), curve(two), strict=True):
        assert alone == pytest.approx(together, rel=1e-4)
    for name, value in final(one).items():
        assert torch.allclose(value, final(two)[name], atol=1e-5), name
    for folder in (two / "checkpoints").iterdir():
        pieces = [load_file(piece) for piece in sorted(folder.glob("weights-*-of-00002.safetensors"))]
        assert [len(piece) for piece in pieces] == [len(pieces[0])] * 2
        assert sum(value.numel() for piece in pieces for value in piece.values()) == sum(
            value.numel() for value in trained(one)
        )


@pytest.mark.slow
@pytest.mark.parametrize("then", [["--nproc", "2"], ["--nproc", "3"], []], ids=["two", "three", "one"])
def test_a_sharded_run_resumes_on_one_two_or_three_processes(then: list[str], tmp_path: Path) -> None:
    path = write(tmp_path, train={"steps": 40, "sharding": True})
    whole = run(path, tmp_path / "whole", "--nproc", "2")
    folder = killed(path, tmp_path / "cut", "--nproc", "2")
    begun = len(curve(folder))
    assert 0 < begun < len(curve(whole))
    assert run(path, tmp_path / "cut", *then) == folder
    for one, other in zip(curve(whole), curve(folder), strict=True):
        assert one == (other if then == ["--nproc", "2"] else pytest.approx(other, rel=1e-4))
    if then == ["--nproc", "2"]:
        assert same(final(folder), final(whole))


def test_offloading_without_nproc_is_an_error_that_suggests_it(tmp_path: Path) -> None:
    path = write(tmp_path, train={"sharding": True, "offload": True})
    process = start(path, tmp_path / "runs")
    _, said = process.communicate(timeout=120)
    assert process.returncode == 2
    assert "add --nproc 1" in said


@pytest.mark.slow
@pytest.mark.parametrize(
    "launcher",
    [
        ["torch.distributed.run", "--standalone", "--nproc-per-node", "2"],
        # --multi_gpu is its way of saying torchrun; with --cpu it would start one process, or ask for MPI
        ["accelerate.commands.launch", "--multi_gpu", "--num_processes", "2", "--num_machines", "1",
         "--mixed_precision", "no", "--dynamo_backend", "no", "--main_process_port", str(launch._free_port())],
    ],
    ids=["torchrun", "accelerate"],
)  # fmt: skip
def test_torchrun_and_accelerate_start_one_run_of_two_processes(launcher: list[str], tmp_path: Path) -> None:
    path = write(tmp_path)
    alone = run(path, tmp_path / "one")
    command = [sys.executable, "-m", *launcher, "-m", "instructzoo.core.cli", "train", str(path), "--run-id", "r"]
    environment = {**os.environ, "INSTRUCTZOO_RUNS": str(tmp_path / "two"), "OMP_NUM_THREADS": "1"}
    ended = subprocess.run(command, env=environment, text=True, capture_output=True, timeout=300)
    assert ended.returncode == 0, ended.stderr
    folder = tmp_path / "two" / "arithmetic" / "tried" / "r"
    assert read_json(folder / "manifest.json")["hardware"]["processes"] == 2
    for one, two in zip(curve(alone), curve(folder), strict=True):
        assert one == pytest.approx(two, rel=1e-4)


def test_an_error_with_two_processes_ends_both_and_is_told_once(tmp_path: Path) -> None:
    path = write(tmp_path, model={"max_tokens": 8})
    process = start(path, tmp_path / "runs", "--nproc", "2")
    _, said = process.communicate(timeout=120)
    assert process.returncode == 2
    assert len([line for line in said.splitlines() if line.startswith("zoo: ")]) == 1
    assert "Traceback" not in said


def test_all_processes_have_equally_many_micro_batches() -> None:
    lengths = [7, 9, 8, 20, 3, 5, 6, 30, 4, 8, 9]
    train = Train(batch=5, micro_tokens=32, epochs=1)
    for world in (1, 2, 3, 7):
        ranks = [Batches(lengths, train, 0, rank, world) for rank in range(world)]
        for step in range(ranks[0].per_epoch):
            shares = [batches.update(step) for batches in ranks]
            assert len({len(share) for share in shares}) == 1
            rows = sorted(row for share in shares for micro in share for row in micro)
            assert rows == sorted(row for micro in Batches(lengths, train, 0).update(step) for row in micro)
