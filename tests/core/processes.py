"""Runs of `zoo train` in processes of their own: start them, kill them, read what they have written."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import torch
from kit import recipe
from safetensors.torch import load_file

from instructzoo.core import settings

TRAIN = {"steps": 12, "batch": 5, "evaluate_every": 4, "checkpoint_every": 3}
DATA = {"world": {"operations": ["add"], "sums": 2}, "sizes": {"train": 48, "validation": 20, "test": 20}}


def write_recipe(folder: Path, **groups: Any) -> Path:
    """Write a recipe of 12 updates on 48 sums; groups: settings that differ."""
    small = recipe(train=TRAIN | groups.pop("train", {}), data=DATA, **groups)
    path = folder / "tried.yaml"
    path.write_text(settings.dump(small.model_dump(mode="json", exclude={"name"})))
    return path


def start(path: Path, home: Path, *options: str) -> subprocess.Popen[str]:
    """Start `zoo train` on a recipe, with $INSTRUCTZOO_RUNS at `home`."""
    environment = {**os.environ, "INSTRUCTZOO_RUNS": str(home), "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-m", "instructzoo.core.cli", "train", str(path), "--run-id", "r", *options]
    return subprocess.Popen(command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def run(path: Path, home: Path, *options: str) -> Path:
    """Train to the end; return the run directory."""
    process = start(path, home, *options)
    _, stderr = process.communicate(timeout=300)
    assert process.returncode == 0, stderr
    return home / "arithmetic" / "tried" / "r"


def killed_run(path: Path, home: Path, *options: str) -> Path:
    """Train, and SIGKILL all processes once there is a checkpoint after the sixth update; return the run directory."""
    process, folder = start(path, home, *options), home / "arithmetic" / "tried" / "r"
    for _ in range(6000):
        if sorted(folder.glob("checkpoints/step-*"))[-1:] > [folder / "checkpoints" / "step-00000006"]:
            break
        time.sleep(0.05)
    children = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True)
    for process_id in map(int, children.stdout.split() or [process.pid]):
        os.kill(process_id, signal.SIGKILL)
    process.wait(timeout=60)
    assert process.returncode in (137, -9)
    return folder


def final_weights(folder: Path) -> dict[str, torch.Tensor]:
    """Return the weights, or the adapter, that a finished run has written."""
    (path,) = (folder / "model").glob("*.safetensors")
    return load_file(path)


def checkpoint_weights(folder: Path) -> list[torch.Tensor]:
    """Return the parameters in the newest checkpoint of a run that is not sharded."""
    return list(load_file(max(folder.glob("checkpoints/step-*/weights.safetensors"))).values())


def metrics(folder: Path) -> list[dict[str, float]]:
    """Return the lines of metrics.jsonl without what depends on the clock."""
    names = ("step", "loss", "validation_loss", "lr", "grad_norm", "examples", "tokens", "epoch")
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name in names} for line in lines]
