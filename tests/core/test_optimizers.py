"""Every optimiser of the table: it learns, resumes exactly, decays only matrices and needs the planned memory."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from kit import Kit, kit, max_difference, mean_loss, recipe, same, started, sums, weights
from safetensors.torch import load_file

from instructzoo.core import runs
from instructzoo.core.commands import plan
from instructzoo.core.errors import Stopped, ZooError
from instructzoo.core.models import adapters
from instructzoo.core.recipe import Train
from instructzoo.core.runs import Run
from instructzoo.core.tune import checkpoints, loop, optimizer_state, optimizers

BITSANDBYTES = ("lion", "adamw-8bit", "lion-8bit", "paged-adamw", "paged-adamw-8bit")
LEARNING_RATES = {"sgd": 0.3, "lomo": 0.3, "adafactor": 0.03, "adalomo": 0.03, "lion": 1e-3, "lion-8bit": 1e-3}
STEPS, STOP = 12, 5
NAMES = (*optimizers.OPTIMIZERS, "lomo bfloat16", "lomo float16", "adalomo bfloat16")

pytestmark = pytest.mark.filterwarnings("ignore:Paged optimizers are not supported on CPU")


def require_package(name: str) -> None:
    """Skip the test if the package of this optimiser is not installed."""
    if name in BITSANDBYTES:
        pytest.importorskip("bitsandbytes")
    if name == "schedule-free":
        pytest.importorskip("schedulefree")


def settings(name: str, **train: Any) -> dict[str, Any]:
    """Return settings of `train` for a name of NAMES."""
    optimizer = name.split(" ")[0]
    schedule = "constant" if optimizer == "schedule-free" else "cosine"
    lr = LEARNING_RATES.get(optimizer, 1e-2)
    shared = {"optimizer": optimizer, "lr": lr, "schedule": schedule, "weight_decay": 0.1, "steps": STEPS}
    return shared | {"checkpoint_every": 50, "evaluate_every": 3} | train


def make_setup(name: str, validation: int = 6, **train: Any) -> Kit:
    """Set up a model with matrices that are large enough for bitsandbytes to keep their state in 8 bits."""
    require_package(name)
    model = {"weights": name.partition(" ")[2] or "float32"}
    rows = sums(validation, seed=1)
    return kit(recipe("scratch:llama-1x64", model=model, train=settings(name, **train)), sums(40), rows)


def interrupt(setup: Kit, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Train until SIGTERM comes in the middle of update STOP."""
    lr_at = optimizers.lr_at

    def lr_after_signal(step: int, steps: int, train: Train) -> float:
        if step + 1 == STOP:
            os.kill(os.getpid(), signal.SIGTERM)
        return lr_at(step, steps, train)

    with monkeypatch.context() as patch, pytest.raises(Stopped):
        patch.setattr(optimizers, "lr_at", lr_after_signal)
        setup.fit(folder)


def lines(folder: Path) -> list[dict[str, Any]]:
    clock = ("seconds", "tokens_per_second")
    records = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name not in clock} for line in records]


@pytest.mark.parametrize("name", NAMES)
def test_every_optimizer_learns_and_resumes_bit_for_bit(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uninterrupted = make_setup(name)
    first = mean_loss(uninterrupted)
    uninterrupted.fit(started(uninterrupted.recipe, tmp_path / "uninterrupted"))
    assert mean_loss(uninterrupted) < first - 0.3

    setup = make_setup(name)
    folder = started(setup.recipe, tmp_path / "stopped")
    interrupt(setup, folder, monkeypatch)
    resumed = make_setup(name)
    resumed.fit(folder)
    assert same(weights(resumed.model), weights(uninterrupted.model))
    assert lines(folder) == lines(tmp_path / "uninterrupted")


@pytest.mark.parametrize("name", NAMES)
def test_a_checkpoint_restores_the_whole_optimizer_state(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """State tensors keep their dtypes; counts per parameter and numbers per group are restored too."""
    setup = make_setup(name)
    interrupt(setup, started(setup.recipe, tmp_path), monkeypatch)
    folder = checkpoints._all(Run(tmp_path), "step")[0]
    untrained = make_setup(name)
    optimizer = optimizers.make_optimizer(untrained.model, untrained.recipe.train)
    checkpoints.restore(Run(tmp_path), untrained.model, optimizer)
    assert same(optimizer_state.tensors_of(untrained.model, optimizer), load_file(folder / "optimizer.safetensors"))
    numbers = runs.read_json(folder / "optimizer.json")
    assert "optimizer.json" in runs.read_json(folder / "hashes.json")
    assert optimizer_state.numbers_of(untrained.model, optimizer) == numbers
    if name in BITSANDBYTES:
        assert set(numbers["parameters"].values()) == {STOP}
        dtypes = {
            value.dtype for state in optimizer.state.values() for value in state.values() if torch.is_tensor(value)
        }
        assert (torch.uint8 in dtypes) == name.endswith("8bit")
    if name == "schedule-free":
        assert {(group["k"], group["train_mode"]) for group in numbers["groups"]} == {(STOP, True)}
    if "lomo" in name:
        assert {group["updates"] for group in numbers["groups"]} == {STOP}
        assert all(value.dtype == torch.float32 for state in optimizer.state.values() for value in state.values())


@pytest.mark.parametrize("name", optimizers.OPTIMIZERS)
def test_only_matrices_decay_under_every_optimizer(name: str) -> None:
    setup = make_setup(name)
    optimizer = optimizers.make_optimizer(setup.model, setup.recipe.train)
    decays = {(group["weight_decay"], p.ndim > 1) for group in optimizer.param_groups for p in group["params"]}
    assert decays == {(0.1, True), (0.0, False)}
    parameters = {p for group in optimizer.param_groups for p in group["params"]}
    assert parameters == {p for _, p in adapters.trainable_parameters(setup.model)}


@torch.no_grad()
def test_ema_averages_every_update_and_at_average_restores_the_weights() -> None:
    weight = torch.nn.Linear(2, 1, bias=False)
    optimizer = optimizers.make_optimizer(weight, Train(optimizer="sgd", lr=1.0, ema=0.5))
    expected = None
    for n in range(1, 6):
        weight.weight.grad = torch.full_like(weight.weight, float(n))
        optimizer.step()
        current = weight.weight.clone()
        decay = min(0.5, (1 + n) / (10 + n))
        expected = current if expected is None else expected * decay + current * (1 - decay)
    with optimizers.ema_weights(optimizer):
        torch.testing.assert_close(weight.weight, expected)
    assert torch.equal(weight.weight, current)
    optimizers.swap_in_ema(optimizer)
    torch.testing.assert_close(weight.weight, expected)


@torch.no_grad()
def test_an_ema_of_bfloat16_weights_follows_them() -> None:
    weight = torch.nn.Linear(2, 2, bias=False).bfloat16()
    weight.weight.fill_(1.0)
    optimizer = optimizers.make_optimizer(weight, Train(optimizer="sgd", lr=1e-9, ema=0.999))
    for n in range(3000):
        weight.weight.grad = torch.zeros_like(weight.weight)
        weight.weight.fill_(1.0 if n == 0 else 1.5)
        optimizer.step()
    optimizers.swap_in_ema(optimizer)
    assert float(weight.weight.min()) > 1.4


def test_a_run_with_ema_ends_with_other_weights_than_a_run_without(tmp_path: Path) -> None:
    settings = recipe(train={"ema": 0.9, "steps": 6, "lr": 0.01})
    setup = kit(settings, sums(20), sums(4, seed=1))
    setup.fit(started(settings, tmp_path))
    plain = kit(recipe(train={"steps": 6, "lr": 0.01}), sums(20), sums(4, seed=1))
    plain.fit(started(plain.recipe, tmp_path / "plain"))
    assert not same(weights(setup.model), weights(plain.model))


@pytest.mark.parametrize("name", ["schedule-free", "lomo", "adalomo"])
def test_ema_with_schedule_free_or_lomo_is_an_error(name: str) -> None:
    train = Train(optimizer=name, ema=0.9, schedule="constant")
    with pytest.raises(ZooError, match=f"train.ema with {name}"):
        optimizers.make_optimizer(kit(recipe()).model, train)


def test_an_unknown_optimizer_or_missing_package_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    model = kit(recipe()).model
    with pytest.raises(ZooError, match='no optimiser "adam-8bit"; did you mean "adamw-8bit"'):
        optimizers.make_optimizer(model, Train(optimizer="adam-8bit"))
    monkeypatch.setitem(sys.modules, "bitsandbytes", None)
    with pytest.raises(ZooError, match=r"bitsandbytes is not installed.*instructzoo-core\[quantised\]"):
        optimizers.make_optimizer(model, Train(optimizer="lion"))
    monkeypatch.setitem(sys.modules, "schedulefree", None)
    with pytest.raises(ZooError, match=r"schedulefree is not installed.*instructzoo-core\[schedule-free\]"):
        optimizers.make_optimizer(model, Train(optimizer="schedule-free"))


# schedule-free computes gradients at one set of weights; validation and the final model use another, their average


def test_schedule_free_with_a_schedule_is_an_error() -> None:
    require_package("schedule-free")
    with pytest.raises(ZooError, match=r"train\.schedule=cosine with schedule-free; expected constant"):
        optimizers.make_optimizer(kit(recipe()).model, Train(optimizer="schedule-free"))


def test_schedule_free_is_validated_and_saved_at_its_average(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    validated, saved = [], []
    validation_loss, save_best = loop.validation_loss, checkpoints.save_best

    def record_validated(module: Any, *rest: Any) -> float:
        validated.append(weights(module.model))
        return validation_loss(module, *rest)

    def record_saved(run: Run, state: Any, model: Any) -> None:
        saved.append(weights(model))
        save_best(run, state, model)

    monkeypatch.setattr(loop, "validation_loss", record_validated)
    monkeypatch.setattr(checkpoints, "save_best", record_saved)
    setup = make_setup("schedule-free", checkpoint_every=STEPS)
    state = setup.fit(started(setup.recipe, tmp_path))
    assert all(any(same(best, candidate) for candidate in validated) for best in saved)
    assert same(weights(setup.model), saved[-1])
    module = loop.LossModule(setup.model, setup.objective)
    assert loop.validation_loss(module, setup.objective, setup.splits, setup.recipe.train, "cpu") == state.best

    # The last checkpoint holds the weights in training; their average is what was validated last.
    resumed = make_setup("schedule-free")
    optimizer = optimizers.make_optimizer(resumed.model, resumed.recipe.train)
    checkpoints.restore(Run(tmp_path), resumed.model, optimizer)
    assert not same(weights(resumed.model), validated[-1])
    with optimizers.ema_weights(optimizer):
        assert max_difference(weights(resumed.model), validated[-1]) < 1e-6
    assert optimizer.param_groups[0]["train_mode"] is True


def test_schedule_free_without_validation_ends_at_its_average(tmp_path: Path) -> None:
    setup = make_setup("schedule-free", validation=0, checkpoint_every=STEPS)
    setup.fit(started(setup.recipe, tmp_path))
    resumed = make_setup("schedule-free", validation=0)
    optimizer = optimizers.make_optimizer(resumed.model, resumed.recipe.train)
    checkpoints.restore(Run(tmp_path), resumed.model, optimizer)
    assert not same(weights(setup.model), weights(resumed.model))
    optimizers.swap_in_ema(optimizer)
    assert same(weights(setup.model), weights(resumed.model))


# Memory


BYTES = {"adamw": 8, "paged-adamw": 8, "schedule-free": 8, "lion": 4, "adamw-8bit": 2, "paged-adamw-8bit": 2}
BYTES |= {"lion-8bit": 1, "adafactor": 0, "sgd": 0, "lomo": 0, "adalomo": 0}


@pytest.mark.parametrize("name", optimizers.OPTIMIZERS)
def test_the_planned_memory_matches_the_moments_each_optimizer_keeps(name: str) -> None:
    """Bytes per weight of a matrix, without block constants and factored moments."""
    setup = make_setup(name)
    optimizer: Any = optimizers.make_optimizer(setup.model, setup.recipe.train)
    loss, num_targets = setup.objective.loss(setup.model, setup.objective.collate(setup.splits.train[:8]))
    loop.backward(loop.Accelerator(), optimizer, loss)
    loop.divide_and_clip(loop.Accelerator(), optimizer, setup.model, int(num_targets), None)
    optimizer.step()
    memory, sizes = plan.memory_of(setup.model, optimizer), [p.numel() for p in setup.model.parameters()]
    assert memory["weights"] == 4 * sum(sizes)
    assert memory["gradients"] == 4 * (max(sizes) if "lomo" in name else sum(sizes))
    per_weight = memory["optimizer"] / sum(sizes)
    if name.endswith("8bit"):  # bitsandbytes keeps matrices under 4096 weights in 32 bits
        large = sum(size for size in sizes if size >= 4096)
        per_weight = (memory["optimizer"] - 4 * BYTES[name] * (sum(sizes) - large)) / large
    assert BYTES[name] <= per_weight < BYTES[name] + 0.3
