"""Runs of `zoo train` in processes of their own: started, killed, and what they leave."""

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


def killed(path: Path, home: Path, *options: str) -> Path:
    """A run whose processes get SIGKILL once there is a checkpoint after the sixth update; its directory."""
    process, folder = start(path, home, *options), home / "arithmetic" / "tried" / "r"
    for _ in range(6000):
        if sorted(folder.glob("checkpoints/step-*"))[-1:] > [folder / "checkpoints" / "step-00000006"]:
            break
        time.sleep(0.05)
    found = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True)
    for number in map(int, found.stdout.split() or [process.pid]):
        os.kill(number, signal.SIGKILL)
    process.wait(timeout=60)
    assert process.returncode in (137, -9)
    return folder


def final(folder: Path) -> dict[str, torch.Tensor]:
    """The weights, or the adapter, that a finished run has written."""
    (path,) = (folder / "model").glob("*.safetensors")
    return load_file(path)


def trained(folder: Path) -> list[torch.Tensor]:
    """What the newest checkpoint of an unsharded run holds."""
    return list(load_file(max(folder.glob("checkpoints/step-*/weights.safetensors"))).values())


def curve(folder: Path) -> list[dict[str, float]]:
    kept = ("step", "loss", "validation_loss", "lr", "grad_norm", "examples", "tokens", "epoch")
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if key in kept} for line in lines]
