"""A killed training resumes bit for bit, noise and dropped conditions included."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from instructzoo.core import api
from instructzoo.core.tune import loop

OVERRIDES = [
    "data.sizes={train: 40, validation: 8, test: 8}",
    "model.options={resolution: 32, fit_steps: 20}",
    "model.backbone=scratch:unet-1x32",
    "train.steps=8",
    "train.batch=8",
    "train.micro_tokens=64",
    "train.ema=0.9",
    "train.checkpoint_every=3",
    "train.evaluate_every=4",
    "train.log_every=1",
]


def train(name: str, *more: str) -> None:
    torch.set_num_threads(1)
    api.train("pix2pix/tiny", [*OVERRIDES, *more], run_id=name, quiet=True)


def in_a_process(act: Callable[[], None]) -> int | None:
    process = multiprocessing.get_context("fork").Process(target=act)
    process.start()
    process.join(120)
    return process.exitcode


def killed(name: str, update: int, *more: str) -> int | None:
    """Train until an update's gradients are there, then SIGKILL."""

    def act() -> None:
        whole, calls = loop.optimizers.set_lr, [0]

        def dying(*args: Any) -> Any:
            calls[0] += 1
            if calls[0] == update:
                os.kill(os.getpid(), signal.SIGKILL)
            return whole(*args)

        loop.optimizers.set_lr = dying  # in a process of its own
        train(name, *more)

    return in_a_process(act)


def outcome(folder: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    clock = ("seconds", "tokens_per_second")
    logged = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    lines = [{name: value for name, value in line.items() if name not in clock} for line in logged]
    tensors = {str(p.relative_to(folder)): load_file(p) for p in sorted((folder / "model").rglob("*.safetensors"))}
    return tensors, lines


@pytest.mark.parametrize(
    "more",
    [
        (),
        ("objective={cache: false, zoom: 1.3, flip: 0.5}",),
        ("method={name: lora, rank: 2, alpha: 4, dropout: 0.2}", "train.optimizer=adamw-8bit"),
    ],
    ids=["full", "uncached", "lora 8 bits"],
)
def test_a_killed_and_resumed_training_ends_with_identical_weights_and_metrics(
    more: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INSTRUCTZOO_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("INSTRUCTZOO_CACHE", str(tmp_path / "cache"))
    assert in_a_process(lambda: train("whole", *more)) == 0
    assert killed("broken", 5, *more) == -signal.SIGKILL
    assert killed("broken", 4, *more) == -signal.SIGKILL
    assert in_a_process(lambda: train("broken", *more)) == 0
    (tensors_by_path, lines), (other_tensors, others) = (
        outcome(tmp_path / "runs" / "pix2pix" / "tiny" / n) for n in ("whole", "broken")
    )
    assert lines == others
    assert tensors_by_path.keys() == other_tensors.keys() and tensors_by_path
    for path, tensors in tensors_by_path.items():
        assert all(torch.equal(value, other_tensors[path][name]) for name, value in tensors.items()), path
