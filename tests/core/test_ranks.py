"""Several processes train what one would: two gloo processes of this machine beside one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from kit import recipe, same
from safetensors.torch import load_file

from instructzoo.core import settings
from instructzoo.core.recipe import Train
from instructzoo.core.text import Batches

TRAIN = {"steps": 12, "batch": 5, "evaluate_every": 4, "checkpoint_every": 3}
DATA = {"world": {"operations": ["add"], "sums": 2}, "sizes": {"train": 48, "validation": 20, "test": 20}}


def write(folder: Path, **groups: Any) -> Path:
    made = recipe(train=TRAIN | groups.pop("train", {}), data=DATA, **groups)
    path = folder / "tried.yaml"
    path.write_text(settings.dump(made.model_dump(mode="json", exclude={"name"})))
    return path


def start(path: Path, home: Path, *options: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "INSTRUCTZOO_RUNS": str(home), "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-m", "instructzoo.core.cli", "train", str(path), "--run-id", "r", *options]
    return subprocess.Popen(command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def run(path: Path, home: Path, *options: str) -> Path:
    process = start(path, home, *options)
    _, said = process.communicate(timeout=300)
    assert process.returncode == 0, said
    return home / "arithmetic" / "tried" / "r"


def curve(folder: Path) -> list[dict[str, float]]:
    kept = ("step", "loss", "validation_loss", "lr", "grad_norm", "examples", "tokens", "epoch")
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if key in kept} for line in lines]


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
    whole, cut = run(path, tmp_path / "whole", "--nproc", "2"), tmp_path / "cut"
    process = start(path, cut, "--nproc", "2")
    folder = cut / "arithmetic" / "tried" / "r"
    for _ in range(1200):
        if sorted(folder.glob("checkpoints/step-*"))[-1:] > [folder / "checkpoints" / "step-00000006"]:
            break
        time.sleep(0.05)
    children = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True).stdout.split()
    for child in map(int, children):
        os.kill(child, signal.SIGKILL)
    process.wait(timeout=60)
    assert process.returncode == 137
    assert len(curve(folder)) < len(curve(whole))
    assert run(path, cut, "--nproc", "2") == folder
    assert same(load_file(folder / "model" / "model.safetensors"), load_file(whole / "model" / "model.safetensors"))
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
