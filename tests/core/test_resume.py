"""Law 5: kill -9 at any step, restart, and parameters and metrics are those of an uninterrupted run, bit for bit."""

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
from kit import LLAMA, LORA, T5, Kit, apart, kit, recipe, same, started, sums, weights
from safetensors.torch import load_file, save_file

from instructzoo.core import models, runs
from instructzoo.core.models import adapters
from instructzoo.core.recipe import Recipe
from instructzoo.core.tune import checkpoints, loop
from instructzoo.core.tune.loop import MetricsLog

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
    """LoRA on a base of 4 bits, its moments in main memory where a GPU would be full."""
    plain = kit(recipe("scratch:llama-1x64"), sums(50))
    models.save_plain(plain.loaded.model, plain.loaded.tokenizer, base)
    train = {"steps": STEPS, "checkpoint_every": 3, "evaluate_every": 5, "optimizer": "paged-adamw"}
    return recipe(str(base), model={"quantisation": "nf4"}, method=LORA, train=train)


def made(settings: Recipe) -> Kit:
    return kit(settings, sums(50), sums(8, seed=1))


def train(settings: Recipe, folder: Path) -> None:
    """What a training process does: everything anew, resume, and write the end down whole."""
    torch.set_num_threads(1)
    one = made(settings)
    with runs.Run(folder).lock():
        state = one.fit(folder)
    tensors = {name: p.detach().clone() for name, p in adapters.trainable_parameters(one.tuned)}
    with runs.atomic_folder(folder / "model") as fresh:
        save_file(tensors, fresh / "model.safetensors")
    runs.write_json(folder / "outcome.json", {"step": state.step, "best": state.best, "best_step": state.best_step})


def in_a_process(act: Callable[[], None]) -> int:
    """Run it in a forked process; its exit code, -9 where it was killed."""
    child = multiprocessing.get_context("fork").Process(target=act)
    child.start()
    child.join(120)
    assert child.exitcode is not None, "still training"
    return child.exitcode


def killed(settings: Recipe, folder: Path, place: str, count: int) -> int:
    """Train until the function `place` is entered for the `count`-th time, there SIGKILL."""

    def act() -> None:
        owner: Any
        owner, name = {
            "update": (loop.optimizers, "set_lr"),  # gradients are there, parameters not yet moved
            "line": (MetricsLog, "line"),
            "weights": (checkpoints, "save_file"),  # in the middle of a checkpoint
            "validation": (loop, "validation_loss"),
        }[place]
        whole, calls = getattr(owner, name), [0]

        def dying(*args: Any) -> Any:
            calls[0] += 1
            if calls[0] == count:
                os.kill(os.getpid(), signal.SIGKILL)
            return whole(*args)

        setattr(owner, name, dying)
        train(settings, folder)

    return in_a_process(act)


def outcome(folder: Path) -> tuple[dict[str, torch.Tensor], list[dict[str, float]], Any]:
    clock = ("seconds", "tokens_per_second")
    held = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    lines = [{name: value for name, value in line.items() if name not in clock} for line in held]
    return load_file(folder / "model" / "model.safetensors"), lines, runs.read_json(folder / "outcome.json")


@pytest.mark.parametrize("name", [*METHODS, "qlora"])
def test_a_run_killed_at_random_steps_resumes_bit_for_bit(name: str, tmp_path: Path) -> None:
    settings, draw = METHODS.get(name) or qlora(tmp_path / "base"), random.Random(name)
    whole, broken = (started(settings, tmp_path / kind) for kind in ("whole", "broken"))
    assert in_a_process(lambda: train(settings, whole)) == 0
    for _ in range(3):
        assert killed(settings, broken, "update", draw.randint(1, 6)) == -signal.SIGKILL
    assert len(checkpoints._all(runs.Run(broken), "step")) > 0
    assert in_a_process(lambda: train(settings, broken)) == 0
    (one, metrics, end), (other, others, ends) = outcome(whole), outcome(broken)
    assert same(one, other)
    assert metrics == others
    assert [line["step"] for line in metrics if "loss" in line] == list(range(1, STEPS + 1))
    assert end == ends
    assert end["step"] == STEPS
    untrained = weights(made(settings).tuned)
    assert apart(one, {key: untrained[key] for key in one}) > 1e-3


@pytest.mark.parametrize(
    "kills",
    [
        [("weights", 1), ("weights", 2), ("weights", 5)],  # half a checkpoint; between weights and moments; half a best
        [("line", 7), ("line", 2), ("validation", 1)],
        [("validation", 3), ("line", 1), ("update", 1)],
    ],
)
def test_a_run_killed_in_the_middle_of_a_write_resumes_bit_for_bit(
    kills: Sequence[tuple[str, int]], tmp_path: Path
) -> None:
    settings = METHODS["causal"]
    whole, broken = (started(settings, tmp_path / kind) for kind in ("whole", "broken"))
    train(settings, whole)
    for place, count in kills:
        assert killed(settings, broken, place, count) == -signal.SIGKILL
    assert in_a_process(lambda: train(settings, broken)) == 0
    (one, metrics, end), (other, others, ends) = outcome(whole), outcome(broken)
    assert same(one, other)
    assert (metrics, end) == (others, ends)
    assert not list(broken.rglob(".*.tmp"))


def test_a_run_resumed_by_a_new_interpreter_is_equal_bit_for_bit(tmp_path: Path) -> None:
    """Another hash seed, another memory layout: killed from outside at some moment, then started again."""
    settings = METHODS["causal lora"]
    whole, broken = (started(settings, tmp_path / kind) for kind in ("whole", "broken"))
    train(settings, whole)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parent)}
    code = "import sys, test_resume as t, pathlib; t.train(t.METHODS['causal lora'], pathlib.Path(sys.argv[1]))"
    command = [sys.executable, "-c", code, str(broken)]
    assert killed(settings, broken, "update", 8) == -signal.SIGKILL
    subprocess.run(command, env=environment | {"PYTHONHASHSEED": "12345"}, check=True, timeout=600)
    (one, metrics, end), (other, others, ends) = outcome(whole), outcome(broken)
    assert same(one, other)
    assert (metrics, end) == (others, ends)
