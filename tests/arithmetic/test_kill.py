"""`zoo train arithmetic/tiny`, killed and started again, as a person whose machine lost power would."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

STEPS = 60
COMMAND = [
    str(Path(sys.executable).with_name("zoo")),
    "train",
    "arithmetic/tiny",
    "data.sizes={train: 3000, validation: 100, test: 100}",
    f"train.steps={STEPS}",
    "train.checkpoint_every=4",
    "train.evaluate_every=7",
    "train.log_every=1",
    "--quiet",
]


def start(home: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(COMMAND, env={**os.environ, "INSTRUCTZOO_RUNS": str(home)}, stdout=subprocess.DEVNULL)


def folder(home: Path) -> Path:
    (run_folder,) = (home / "arithmetic" / "tiny").iterdir()
    return run_folder


def lines(home: Path) -> list[dict[str, float]]:
    """The complete lines of metrics.jsonl; none where there is no run yet."""
    paths = list(home.glob("arithmetic/tiny/*/metrics.jsonl"))
    text = paths[0].read_text() if paths else ""
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


def kill_at(home: Path, step: int) -> None:
    process = start(home)
    deadline = time.monotonic() + 300
    while process.poll() is None and time.monotonic() < deadline:
        if any(line["step"] >= step for line in lines(home)):
            process.send_signal(signal.SIGKILL)
        time.sleep(0.01)
    assert process.wait(10) == -signal.SIGKILL, "it ended before it could be killed"


@pytest.mark.slow
def test_a_killed_and_resumed_run_ends_with_identical_weights_and_metrics(tmp_path: Path) -> None:
    uninterrupted, killed = tmp_path / "uninterrupted", tmp_path / "killed"
    assert start(uninterrupted).wait(600) == 0
    for step in sorted(random.Random(20).sample(range(5, STEPS - 5), 3)):
        kill_at(killed, step)
    assert start(killed).wait(600) == 0
    weights = [(folder(home) / "model" / "model.safetensors").read_bytes() for home in (uninterrupted, killed)]
    assert weights[0] == weights[1]
    timings = {"seconds", "tokens_per_second"}
    metrics = [
        [{k: v for k, v in line.items() if k not in timings} for line in lines(home)]
        for home in (uninterrupted, killed)
    ]
    assert metrics[0] == metrics[1]
    assert len(json.loads((folder(killed) / "manifest.json").read_text())["resumed"]) == 3
