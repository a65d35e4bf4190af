"""Every optimiser of the table: it learns, resumes exactly, decays what it should and keeps what it says."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from kit import Kit, apart, kit, mean_loss, recipe, same, started, sums, weights
from safetensors.torch import load_file

from instructzoo.core import runs
from instructzoo.core.commands import plan
from instructzoo.core.errors import Stopped, ZooError
from instructzoo.core.models import adapters
from instructzoo.core.recipe import Train
from instructzoo.core.runs import Run
from instructzoo.core.tune import checkpoints, loop, optimizers

BITSANDBYTES = ("lion", "adamw-8bit", "lion-8bit", "paged-adamw", "paged-adamw-8bit")
RATES = {"sgd": 0.3, "lomo": 0.3, "adafactor": 0.03, "adalomo": 0.03, "lion": 1e-3, "lion-8bit": 1e-3}
STEPS, STOP = 12, 5
NAMES = (*optimizers.RULES, "lomo bfloat16", "lomo float16", "adalomo bfloat16")

pytestmark = pytest.mark.filterwarnings("ignore:Paged optimizers are not supported on CPU")


def present(name: str) -> None:
    if name in BITSANDBYTES:
        pytest.importorskip("bitsandbytes")
    if name == "schedule-free":
        pytest.importorskip("schedulefree")


def settings(name: str, **train: Any) -> dict[str, Any]:
    """Of `train`, for a name of NAMES."""
    rule = name.split(" ")[0]
    schedule = "constant" if rule == "schedule-free" else "cosine"
    held = {"optimizer": rule, "lr": RATES.get(rule, 1e-2), "schedule": schedule, "weight_decay": 0.1, "steps": STEPS}
    return held | {"checkpoint_every": 50, "evaluate_every": 3} | train


def made(name: str, validation: int = 6, **train: Any) -> Kit:
    """Two layers' worth of matrices that are large enough for bitsandbytes to keep in 8 bits."""
    present(name)
    held = {"weights": name.partition(" ")[2] or "float32"}
    rows = sums(validation, seed=1)
    return kit(recipe("scratch:llama-1x64", model=held, train=settings(name, **train)), sums(40), rows)


def interrupted(one: Kit, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Train until SIGTERM comes in the middle of update STOP."""
    rate = optimizers.lr_at

    def acting(now: int, steps: int, train: Train) -> float:
        if now + 1 == STOP:
            os.kill(os.getpid(), signal.SIGTERM)
        return rate(now, steps, train)

    with monkeypatch.context() as patch, pytest.raises(Stopped):
        patch.setattr(optimizers, "lr_at", acting)
        one.fit(folder)


def lines(folder: Path) -> list[dict[str, Any]]:
    clock = ("seconds", "tokens_per_second")
    held = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name not in clock} for line in held]


@pytest.mark.parametrize("name", NAMES)
def test_every_optimizer_learns_and_resumes_bit_for_bit(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = made(name)
    first = mean_loss(whole)
    whole.fit(started(whole.recipe, tmp_path / "whole"))
    assert mean_loss(whole) < first - 0.3

    one = made(name)
    folder = started(one.recipe, tmp_path / "stopped")
    interrupted(one, folder, monkeypatch)
    again = made(name)
    again.fit(folder)
    assert same(weights(again.tuned), weights(whole.tuned))
    assert lines(folder) == lines(tmp_path / "whole")


@pytest.mark.parametrize("name", NAMES)
def test_a_checkpoint_restores_the_whole_optimizer_state(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """State tensors in their own types, counts per parameter, numbers per group."""
    one = made(name)
    interrupted(one, started(one.recipe, tmp_path), monkeypatch)
    folder = checkpoints._all(Run(tmp_path), "step")[0]
    fresh = made(name)
    optimizer = optimizers.make(fresh.tuned, fresh.recipe.train)
    checkpoints.restore(Run(tmp_path), fresh.tuned, optimizer)
    assert same(checkpoints._moments(fresh.tuned, optimizer), load_file(folder / "optimizer.safetensors"))
    numbers = runs.read_json(folder / "optimizer.json")
    assert "optimizer.json" in runs.read_json(folder / "hashes.json")
    assert checkpoints._numbers(fresh.tuned, optimizer) == numbers
    if name in BITSANDBYTES:
        assert set(numbers["parameters"].values()) == {STOP}
        kinds = {
            value.dtype for state in optimizer.state.values() for value in state.values() if torch.is_tensor(value)
        }
        assert (torch.uint8 in kinds) == name.endswith("8bit")
    if name == "schedule-free":
        assert {(group["k"], group["train_mode"]) for group in numbers["groups"]} == {(STOP, True)}
    if "lomo" in name:
        assert {group["updates"] for group in numbers["groups"]} == {STOP}
        assert all(value.dtype == torch.float32 for state in optimizer.state.values() for value in state.values())


@pytest.mark.parametrize("name", optimizers.RULES)
def test_only_matrices_decay_under_every_optimizer(name: str) -> None:
    one = made(name)
    optimizer = optimizers.make(one.tuned, one.recipe.train)
    held = {(group["weight_decay"], p.ndim > 1) for group in optimizer.param_groups for p in group["params"]}
    assert held == {(0.1, True), (0.0, False)}
    parameters = {p for group in optimizer.param_groups for p in group["params"]}
    assert parameters == {p for _, p in adapters.trainable_parameters(one.tuned)}


@torch.no_grad()
def test_ema_averages_every_update_and_at_average_restores_the_weights() -> None:
    weight = torch.nn.Linear(2, 1, bias=False)
    optimizer = optimizers.make(weight, Train(optimizer="sgd", lr=1.0, ema=0.5))
    expected = None
    for n in range(1, 6):
        weight.weight.grad = torch.full_like(weight.weight, float(n))
        optimizer.step()
        now = weight.weight.clone()
        decay = min(0.5, (1 + n) / (10 + n))
        expected = now if expected is None else expected * decay + now * (1 - decay)
    with optimizers.ema_weights(optimizer):
        torch.testing.assert_close(weight.weight, expected)
    assert torch.equal(weight.weight, now)
    optimizers.swap_in_ema(optimizer)
    torch.testing.assert_close(weight.weight, expected)


@torch.no_grad()
def test_an_ema_of_bfloat16_weights_follows_them() -> None:
    weight = torch.nn.Linear(2, 2, bias=False).bfloat16()
    weight.weight.fill_(1.0)
    optimizer = optimizers.make(weight, Train(optimizer="sgd", lr=1e-9, ema=0.999))
    for n in range(3000):
        weight.weight.grad = torch.zeros_like(weight.weight)
        weight.weight.fill_(1.0 if n == 0 else 1.5)
        optimizer.step()
    optimizers.swap_in_ema(optimizer)
    assert float(weight.weight.min()) > 1.4


def test_a_run_with_ema_ends_with_other_weights_than_a_run_without(tmp_path: Path) -> None:
    settings = recipe(train={"ema": 0.9, "steps": 6, "lr": 0.01})
    one = kit(settings, sums(20), sums(4, seed=1))
    one.fit(started(settings, tmp_path))
    plain = kit(recipe(train={"steps": 6, "lr": 0.01}), sums(20), sums(4, seed=1))
    plain.fit(started(plain.recipe, tmp_path / "plain"))
    assert not same(weights(one.tuned), weights(plain.tuned))


@pytest.mark.parametrize("name", ["schedule-free", "lomo", "adalomo"])
def test_ema_with_schedule_free_or_lomo_is_an_error(name: str) -> None:
    train = Train(optimizer=name, ema=0.9, schedule="constant")
    with pytest.raises(ZooError, match=f"train.ema with {name}"):
        optimizers.make(kit(recipe()).tuned, train)


def test_an_unknown_optimizer_or_missing_package_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    model = kit(recipe()).tuned
    with pytest.raises(ZooError, match='no optimiser "adam-8bit"; did you mean "adamw-8bit"'):
        optimizers.make(model, Train(optimizer="adam-8bit"))
    monkeypatch.setitem(sys.modules, "bitsandbytes", None)
    with pytest.raises(ZooError, match=r"bitsandbytes is not installed.*instructzoo-core\[quantised\]"):
        optimizers.make(model, Train(optimizer="lion"))
    monkeypatch.setitem(sys.modules, "schedulefree", None)
    with pytest.raises(ZooError, match=r"schedulefree is not installed.*instructzoo-core\[schedule-free\]"):
        optimizers.make(model, Train(optimizer="schedule-free"))


# schedule-free trains at one point and is judged and kept at another, its average


def test_schedule_free_with_a_schedule_is_an_error() -> None:
    present("schedule-free")
    with pytest.raises(ZooError, match=r"train\.schedule=cosine with schedule-free; expected constant"):
        optimizers.make(kit(recipe()).tuned, Train(optimizer="schedule-free"))


def test_schedule_free_is_validated_and_saved_at_its_average(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    judged, held = [], []
    validation_loss, save_best = loop.validation_loss, checkpoints.save_best

    def validating(module: Any, *rest: Any) -> float:
        judged.append(weights(module.model))
        return validation_loss(module, *rest)

    def saving(run: Run, state: Any, model: Any) -> None:
        held.append(weights(model))
        save_best(run, state, model)

    monkeypatch.setattr(loop, "validation_loss", validating)
    monkeypatch.setattr(checkpoints, "save_best", saving)
    one = made("schedule-free", checkpoint_every=STEPS)
    state = one.fit(started(one.recipe, tmp_path))
    assert all(any(same(best, other) for other in judged) for best in held)
    assert same(weights(one.tuned), held[-1])
    module = loop.LossModule(one.tuned, one.objective)
    assert loop.validation_loss(module, one.objective, one.parts, one.recipe.train, "cpu") == state.best

    # The last checkpoint holds the point of training; its average is what was validated last.
    again = made("schedule-free")
    optimizer = optimizers.make(again.tuned, again.recipe.train)
    checkpoints.restore(Run(tmp_path), again.tuned, optimizer)
    assert not same(weights(again.tuned), judged[-1])
    with optimizers.ema_weights(optimizer):
        assert apart(weights(again.tuned), judged[-1]) < 1e-6
    assert optimizer.param_groups[0]["train_mode"] is True


def test_schedule_free_without_validation_ends_at_its_average(tmp_path: Path) -> None:
    one = made("schedule-free", validation=0, checkpoint_every=STEPS)
    one.fit(started(one.recipe, tmp_path))
    again = made("schedule-free", validation=0)
    optimizer = optimizers.make(again.tuned, again.recipe.train)
    checkpoints.restore(Run(tmp_path), again.tuned, optimizer)
    assert not same(weights(one.tuned), weights(again.tuned))
    optimizers.swap_in_ema(optimizer)
    assert same(weights(one.tuned), weights(again.tuned))


# Memory


BYTES = {"adamw": 8, "paged-adamw": 8, "schedule-free": 8, "lion": 4, "adamw-8bit": 2, "paged-adamw-8bit": 2}
BYTES |= {"lion-8bit": 1, "adafactor": 0, "sgd": 0, "lomo": 0, "adalomo": 0}


@pytest.mark.parametrize("name", optimizers.RULES)
def test_the_planned_memory_matches_the_moments_each_optimizer_keeps(name: str) -> None:
    """Bytes per weight of a matrix, block constants and factors aside."""
    one = made(name)
    optimizer: Any = optimizers.make(one.tuned, one.recipe.train)
    loss, count = one.objective.loss(one.tuned, one.objective.collate(one.parts.train[:8]))
    loop.backward(loop.Accelerator(), optimizer, loss)
    loop.divide_and_clip(loop.Accelerator(), optimizer, one.tuned, int(count), None)
    optimizer.step()
    found, sizes = plan.memory_of(one.tuned, optimizer), [p.numel() for p in one.tuned.parameters()]
    assert found["weights"] == 4 * sum(sizes)
    assert found["gradients"] == 4 * (max(sizes) if "lomo" in name else sum(sizes))
    per_weight = found["optimizer"] / sum(sizes)
    if name.endswith("8bit"):  # matrices under 4096 weights keep 32 bits, and there are few others in so small a model
        large = sum(size for size in sizes if size >= 4096)
        per_weight = (found["optimizer"] - 4 * BYTES[name] * (sum(sizes) - large)) / large
    assert BYTES[name] <= per_weight < BYTES[name] + 0.3
