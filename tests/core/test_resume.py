"""Resuming: after kill -9 at any step, parameters and metrics equal those of an uninterrupted run bit for bit."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from kit import LLAMA, LORA, T5, Kit, kit, max_difference, recipe, same, started, sums, weights
from safetensors.torch import load_file, save_file

from instructzoo.core import models, runs
from instructzoo.core.models import adapters
from instructzoo.core.recipe import Recipe
from instructzoo.core.tune import checkpoints, loop
from instructzoo.core.tune.metrics_log import MetricsLog

STEPS = 14
METHODS = {
    "causal": recipe(LLAMA, train={"steps": STEPS, "checkpoint_every": 3, "evaluate_every": 5, "weight_decay": 0.1}),
    "causal lora": recipe(
        LLAMA,
        method=LORA | {"dropout": 0.3},
        train={"steps": STEPS, "checkpoint_every": 3, "evaluate_every": 5, "micro_batch": 3},
    ),
    "packing": recipe(
        LLAMA, train={"steps": STEPS, "checkpoint_every": 3, "evaluate_every": 5, "packing": True, "micro_tokens": 80}
    ),
    "lomo": recipe(
        LLAMA, train={"steps": STEPS, "checkpoint_every": 3, "evaluate_every": 5, "optimizer": "lomo", "lr": 0.05}
    ),
    "average of weights": recipe(
        LLAMA, train={"steps": STEPS, "checkpoint_every": 3, "evaluate_every": 5, "ema": 0.8, "clip": None}
    ),
    "seq2seq dropout": recipe(
        T5, model={"dropout": 0.2}, train={"steps": STEPS, "checkpoint_every": 3, "evaluate_every": 5}
    ),
}


def qlora(base: Path) -> Recipe:
    """Return a recipe of LoRA on a base of 4 bits, with an optimiser whose state may leave the GPU."""
    unquantised = kit(recipe("scratch:llama-1x64"), sums(50))
    models.save_plain(unquantised.bundle.model, unquantised.bundle.tokenizer, base)
    train = {"steps": STEPS, "checkpoint_every": 3, "evaluate_every": 5, "optimizer": "paged-adamw"}
    return recipe(str(base), model={"quantisation": "nf4"}, method=LORA, train=train)


def make_setup(settings: Recipe) -> Kit:
    return kit(settings, sums(50), sums(8, seed=1))


def train(settings: Recipe, folder: Path) -> None:
    """Do what a training process does: set up everything, resume, write model and outcome."""
    torch.set_num_threads(1)
    setup = make_setup(settings)
    with runs.Run(folder).lock():
        state = setup.fit(folder)
    tensors = {name: p.detach().clone() for name, p in adapters.trainable_parameters(setup.model)}
    with runs.atomic_folder(folder / "model") as temporary:
        save_file(tensors, temporary / "model.safetensors")
    runs.write_json(folder / "outcome.json", {"step": state.step, "best": state.best, "best_step": state.best_step})


def in_a_process(act: Callable[[], None]) -> int:
    """Run a function in a forked process; return the exit code, -9 if it was killed."""
    child = multiprocessing.get_context("fork").Process(target=act)
    child.start()
    child.join(120)
    assert child.exitcode is not None, "still training"
    return child.exitcode


def kill(settings: Recipe, folder: Path, where: str, count: int) -> int:
    """Train, and SIGKILL the process when the function of `where` is called for the `count`-th time."""

    def act() -> None:
        owner: Any
        owner, name = {
            "update": (loop.optimizers, "set_lr"),  # after backward, before the parameters change
            "line": (MetricsLog, "line"),
            "weights": (checkpoints, "save_file"),  # in the middle of a checkpoint
            "validation": (loop, "validation_loss"),
        }[where]
        original, calls = getattr(owner, name), [0]

        def kill_or_call(*args: Any) -> Any:
            calls[0] += 1
            if calls[0] == count:
                os.kill(os.getpid(), signal.SIGKILL)
            return original(*args)

        setattr(owner, name, kill_or_call)
        train(settings, folder)

    return in_a_process(act)


def outcome(folder: Path) -> tuple[dict[str, torch.Tensor], list[dict[str, float]], Any]:
    clock = ("seconds", "tokens_per_second")
    records = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    lines = [{name: value for name, value in line.items() if name not in clock} for line in records]
    return load_file(folder / "model" / "model.safetensors"), lines, runs.read_json(folder / "outcome.json")


@pytest.mark.parametrize("name", [*METHODS, "qlora"])
def test_a_run_killed_at_random_steps_resumes_bit_for_bit(name: str, tmp_path: Path) -> None:
    settings, draw = METHODS.get(name) or qlora(tmp_path / "base"), random.Random(name)
    uninterrupted, interrupted = (started(settings, tmp_path / kind) for kind in ("uninterrupted", "interrupted"))
    assert in_a_process(lambda: train(settings, uninterrupted)) == 0
    for _ in range(3):
        assert kill(settings, interrupted, "update", draw.randint(1, 6)) == -signal.SIGKILL
    assert len(checkpoints._all(runs.Run(interrupted), "step")) > 0
    assert in_a_process(lambda: train(settings, interrupted)) == 0
    (expected_weights, expected_lines, expected_end) = outcome(uninterrupted)
    (resumed_weights, lines, end) = outcome(interrupted)
    assert same(expected_weights, resumed_weights)
    assert lines == expected_lines
    assert [line["step"] for line in lines if "loss" in line] == list(range(1, STEPS + 1))
    assert end == expected_end
    assert end["step"] == STEPS
    untrained = weights(make_setup(settings).model)
    assert max_difference(expected_weights, {key: untrained[key] for key in expected_weights}) > 1e-3


@pytest.mark.parametrize(
    "kills",
    [
        [
            ("weights", 1),
            ("weights", 2),
            ("weights", 5),
        ],  # in a checkpoint; between weights and optimiser state; in a best one
        [("line", 7), ("line", 2), ("validation", 1)],
        [("validation", 3), ("line", 1), ("update", 1)],
    ],
)
def test_a_run_killed_in_the_middle_of_a_write_resumes_bit_for_bit(
    kills: Sequence[tuple[str, int]], tmp_path: Path
) -> None:
    settings = METHODS["causal"]
    uninterrupted, interrupted = (started(settings, tmp_path / kind) for kind in ("uninterrupted", "interrupted"))
    train(settings, uninterrupted)
    for where, count in kills:
        assert kill(settings, interrupted, where, count) == -signal.SIGKILL
    assert in_a_process(lambda: train(settings, interrupted)) == 0
    expected_weights, *expected = outcome(uninterrupted)
    resumed_weights, *resumed = outcome(interrupted)
    assert same(expected_weights, resumed_weights)
    assert resumed == expected
    assert not list(interrupted.rglob(".*.tmp"))


def test_a_run_resumed_by_a_new_interpreter_is_equal_bit_for_bit(tmp_path: Path) -> None:
    """The new interpreter has another hash seed and another memory layout."""
    settings = METHODS["causal lora"]
    uninterrupted, interrupted = (started(settings, tmp_path / kind) for kind in ("uninterrupted", "interrupted"))
    train(settings, uninterrupted)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parent)}
    code = "import sys, test_resume as t, pathlib; t.train(t.METHODS['causal lora'], pathlib.Path(sys.argv[1]))"
    command = [sys.executable, "-c", code, str(interrupted)]
    assert kill(settings, interrupted, "update", 8) == -signal.SIGKILL
    subprocess.run(command, env=environment | {"PYTHONHASHSEED": "12345"}, check=True, timeout=600)
    expected_weights, *expected = outcome(uninterrupted)
    resumed_weights, *resumed = outcome(interrupted)
    assert same(expected_weights, resumed_weights)
    assert resumed == expected
