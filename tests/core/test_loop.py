"""The training loop and its checkpoints: errors that stop it, signals, resuming, metrics and early stopping."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from kit import LLAMA, LORA, T5, Kit, kit, max_difference, recipe, same, started, sums, weights
from safetensors.torch import load_file

from instructzoo.core import runs
from instructzoo.core.errors import Stopped, ZooError
from instructzoo.core.models import adapters
from instructzoo.core.recipe import Train
from instructzoo.core.runs import Run
from instructzoo.core.tune import checkpoints, loop, optimizer_state, optimizers
from instructzoo.core.tune.checkpoints import State

TRAIN, VALIDATION = sums(40), sums(10, seed=1)


def lines(folder: Path) -> list[dict[str, Any]]:
    """Return the lines of metrics.jsonl without what depends on the clock."""
    clock = ("seconds", "tokens_per_second")
    records = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name not in clock} for line in records]


def at_step(monkeypatch: pytest.MonkeyPatch, step: int, act: Callable[[], None]) -> None:
    """Call `act` in the middle of the update that follows `step` updates."""
    lr_at = optimizers.lr_at

    def lr_after_act(current: int, steps: int, train: Train) -> float:
        if current == step:
            act()
        return lr_at(current, steps, train)

    monkeypatch.setattr(optimizers, "lr_at", lr_after_act)


def make_setup(**train: Any) -> Kit:
    return kit(recipe(train=train), TRAIN, VALIDATION)


def test_a_nan_loss_stops_the_run_and_leaves_finite_checkpoints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    setup = make_setup(checkpoint_every=2)
    collate, calls = loop.collate, []

    def collate_and_break(*args: Any) -> Any:
        calls.append(args)
        if len(calls) == 6:
            with torch.no_grad():
                setup.model.model.norm.weight[0] = float("nan")
        return collate(*args)

    monkeypatch.setattr(loop, "collate", collate_and_break)
    monkeypatch.setattr(loop, "validation_loss", lambda *_: 1.0)
    with pytest.raises(
        ZooError, match=r"the loss is nan .* at step 6; expected numbers; lower train\.lr \(now 0\.001\)"
    ):
        setup.fit(started(setup.recipe, tmp_path))
    assert [line["step"] for line in lines(tmp_path) if "loss" in line] == [1, 2, 3, 4, 5]
    saved = checkpoints._all(Run(tmp_path), "step")
    assert [folder.name for folder in saved] == ["step-00000004", "step-00000002"]
    assert all(value.isfinite().all() for value in load_file(saved[0] / "weights.safetensors").values())
    monkeypatch.undo()
    resumed = make_setup(checkpoint_every=2)
    assert resumed.fit(tmp_path).step == 12  # the broken weight was in memory only, so the run continues


def test_an_infinite_gradient_norm_stops_the_run_with_weights_unchanged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    setup = make_setup()
    before = weights(setup.model)
    divide_and_clip = loop.divide_and_clip

    def overflow(accelerator: Any, optimizer: Any, model: Any, num_targets: int, max_norm: float | None) -> float:
        next(model.parameters()).grad[0, 0] = float("inf")
        return divide_and_clip(accelerator, optimizer, model, num_targets, max_norm)

    monkeypatch.setattr(loop, "divide_and_clip", overflow)
    with pytest.raises(ZooError, match="its gradient's norm inf at step 1"):
        setup.fit(started(setup.recipe, tmp_path))
    assert same(weights(setup.model), before)


def test_a_nan_validation_loss_stops_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    setup = make_setup(evaluate_every=3)
    monkeypatch.setattr(loop, "validation_loss", lambda *_: float("nan"))
    with pytest.raises(ZooError, match="the validation loss is nan at step 3"):
        setup.fit(started(setup.recipe, tmp_path))


def test_early_stopping_keeps_the_parameters_of_the_best_validation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Validations come every 2 updates; the second is the best, and two worse ones end the run."""
    losses = iter([3.0, 1.0, 2.0, 1.5, 0.5])
    setup = make_setup(evaluate_every=2, patience=2)
    validated: list[dict[str, torch.Tensor]] = []

    def next_loss(*_: Any) -> float:
        validated.append(weights(setup.model))
        return next(losses)

    monkeypatch.setattr(loop, "validation_loss", next_loss)
    state = setup.fit(started(setup.recipe, tmp_path))
    assert (state.step, state.best, state.best_step, state.stale) == (8, 1.0, 4, 2)
    assert same(weights(setup.model), validated[1])
    assert not same(validated[1], validated[3])
    assert [line["validation_loss"] for line in lines(tmp_path) if "validation_loss" in line] == [3.0, 1.0, 2.0, 1.5]
    assert "2 validations without a better loss, at step 8" in Run(tmp_path).manifest()["stopped_early"]


def test_the_reported_best_loss_is_that_of_the_final_parameters(tmp_path: Path) -> None:
    setup = make_setup(evaluate_every=5, lr=1e-2)
    state = setup.fit(started(setup.recipe, tmp_path))
    module = loop.LossModule(setup.model, setup.objective)
    assert loop.validation_loss(module, setup.objective, setup.splits, Train(), "cpu") == pytest.approx(state.best)
    validations = {line["step"]: line["validation_loss"] for line in lines(tmp_path) if "validation_loss" in line}
    assert list(validations) == [5, 10, 12]
    assert min(validations.values()) == state.best == validations[state.best_step]


def test_a_run_without_validation_rows_trains_and_logs_every_step(tmp_path: Path) -> None:
    setup = kit(recipe(), TRAIN)
    before = weights(setup.model)
    state = setup.fit(started(setup.recipe, tmp_path))
    assert state.step == 12
    assert max_difference(before, weights(setup.model)) > 1e-3
    assert [line["step"] for line in lines(tmp_path)] == list(range(1, 13))
    assert (state.examples, state.tokens) == (
        (12 // 5) * 40 + (12 % 5) * 8,
        sum(line["tokens"] for line in lines(tmp_path)[-1:]),
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_run_resumes_to_the_same_weights_and_metrics(
    number: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = make_setup()
    reference.fit(started(reference.recipe, tmp_path / "uninterrupted"))
    setup = make_setup()
    folder = started(setup.recipe, tmp_path / "stopped")
    before = signal.getsignal(number)
    with monkeypatch.context() as patch, pytest.raises(Stopped) as stopped:
        at_step(patch, 6, lambda: os.kill(os.getpid(), number))
        setup.fit(folder)
    assert (stopped.value.step, stopped.value.signal_number) == (7, number)
    assert signal.getsignal(number) is before
    assert (folder / "checkpoints" / "step-00000007" / "state.json").is_file()
    resumed = make_setup()
    resumed.fit(folder)
    assert same(weights(resumed.model), weights(reference.model))
    assert lines(folder) == lines(tmp_path / "uninterrupted")


def test_a_second_interrupt_raises_keyboard_interrupt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    setup = make_setup()

    def twice() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    at_step(monkeypatch, 2, twice)
    with pytest.raises(KeyboardInterrupt):
        setup.fit(started(setup.recipe, tmp_path))


def test_a_resumed_run_has_the_metrics_lines_of_an_uninterrupted_one(tmp_path: Path) -> None:
    """The run is killed while it writes the line of step 11, and its last sound checkpoint is that of step 6."""
    setup = make_setup(checkpoint_every=6, evaluate_every=2)
    folder = started(setup.recipe, tmp_path)
    setup.fit(folder)
    reference = lines(folder)
    (folder / "checkpoints" / "step-00000012" / "weights.safetensors").write_bytes(b"")
    metrics = folder / "metrics.jsonl"
    text = metrics.read_text().splitlines(keepends=True)
    assert json.loads(text[-3])["step"] == 11
    metrics.write_text("".join(text[:-3]) + text[-3][:20])
    resumed = make_setup(checkpoint_every=6, evaluate_every=2)
    resumed.fit(folder)
    assert lines(folder) == reference
    names = {name for line in reference for name in line}
    assert names == {"step", "loss", "lr", "grad_norm", "epoch", "examples", "tokens", "validation_loss"}
    assert same(weights(resumed.model), weights(setup.model))


def test_a_full_disk_during_training_is_a_clear_error_and_the_run_resumes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    setup = make_setup(checkpoint_every=4)
    folder = started(setup.recipe, tmp_path / "run")
    save = checkpoints.save_file

    def save_until_full(tensors: Any, path: Path) -> None:
        if "step-00000008" in str(path):
            raise OSError(errno.ENOSPC, "No space left on device")
        save(tensors, path)

    with monkeypatch.context() as patch, pytest.raises(ZooError, match="the disk is full"):
        patch.setattr(checkpoints, "save_file", save_until_full)
        setup.fit(folder)
    assert [p.name for p in checkpoints._all(Run(folder), "step")] == ["step-00000004"]
    assert not list(folder.rglob("*.tmp"))
    reference = make_setup(checkpoint_every=4)
    reference.fit(started(reference.recipe, tmp_path / "uninterrupted"))
    resumed = make_setup(checkpoint_every=4)
    resumed.fit(folder)
    assert same(weights(resumed.model), weights(reference.model))


# Checkpoints


def make_saving_setup(method: dict[str, Any] | None = None, backbone: str = LLAMA) -> Kit:
    settings = recipe(backbone, method=method or {"name": "full"}, train={"checkpoint_every": 3, "evaluate_every": 4})
    return kit(settings, TRAIN, VALIDATION)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, torch.Tensor]]:
    """The folder of an uninterrupted run of `make_saving_setup`, and its weights."""
    setup = make_saving_setup()
    folder = started(setup.recipe, tmp_path_factory.mktemp("done"))
    setup.fit(folder)
    return folder, weights(setup.model)


@pytest.fixture
def finished_copy(finished: tuple[Path, dict[str, torch.Tensor]], tmp_path: Path) -> Path:
    """A copy of that run, to damage."""
    shutil.copytree(finished[0], tmp_path / "copied")
    return tmp_path / "copied"


def test_a_checkpoint_restores_weights_and_optimizer_state(tmp_path: Path) -> None:
    for i, (backbone, method) in enumerate([(LLAMA, None), (LLAMA, LORA), (T5, None)]):
        setup = make_saving_setup(method, backbone)
        folder = started(setup.recipe, tmp_path / str(i))
        setup.fit(folder)
        newest = checkpoints._all(Run(folder), "step")[0]
        saved = load_file(newest / "weights.safetensors")
        assert saved.keys() == dict(adapters.trainable_parameters(setup.model)).keys()
        resumed = make_saving_setup(method, backbone)
        optimizer = optimizers.make_optimizer(resumed.model, resumed.recipe.train)
        state = checkpoints.restore(Run(folder), resumed.model, optimizer)
        assert (state.step, newest.name) == (12, "step-00000012")
        restored = {name: p.detach() for name, p in adapters.trainable_parameters(resumed.model)}
        assert same(restored, saved)
        moments = optimizer_state.tensors_of(resumed.model, optimizer)
        assert same(moments, load_file(newest / "optimizer.safetensors"))
        assert len(moments) == 3 * len(saved)
        assert len({name.rpartition("|")[0] for name in moments}) == len(saved)


def test_only_the_last_two_checkpoints_and_at_most_three_best_are_kept(tmp_path: Path) -> None:
    setup = kit(recipe(train={"steps": 20, "checkpoint_every": 2, "evaluate_every": 1}), TRAIN, VALIDATION)
    setup.fit(started(setup.recipe, tmp_path))
    names = sorted(p.name for p in (tmp_path / "checkpoints").iterdir())
    assert names[-2:] == ["step-00000018", "step-00000020"]
    assert len(names) <= 5
    assert all(name.startswith("best-") for name in names[:-2])


def flip(path: Path) -> None:
    """Change one byte in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(bytes(content))


@pytest.mark.parametrize("name", ["weights.safetensors", "optimizer.safetensors", "state.json", "hashes.json"])
def test_a_corrupted_checkpoint_is_passed_over_for_the_previous_one(
    name: str, finished: tuple[Path, dict[str, torch.Tensor]], finished_copy: Path
) -> None:
    flip(finished_copy / "checkpoints" / "step-00000012" / name)
    resumed = make_saving_setup()
    assert resumed.fit(finished_copy).step == 12
    assert same(weights(resumed.model), finished[1])
    assert lines(finished_copy) == lines(finished[0])
    (warning,) = Run(finished_copy).manifest()["warnings"]
    assert "step-00000012 was damaged" in warning and "step-00000009 was used" in warning


@pytest.mark.parametrize("damage", ["flip", "cut", "gone", "empty"])
def test_a_run_with_only_damaged_checkpoints_is_an_error_and_is_kept(damage: str, finished_copy: Path) -> None:
    saved = checkpoints._all(Run(finished_copy), "step")
    assert len(saved) == 2
    for checkpoint in saved:
        path = checkpoint / "weights.safetensors"
        if damage == "flip":
            flip(path)
        elif damage == "cut":
            path.write_bytes(path.read_bytes()[:-1])
        elif damage == "gone":
            path.unlink()
        else:
            (checkpoint / "hashes.json").write_text("[]")
    with pytest.raises(ZooError, match=r"no sound checkpoint in .* remove the run directory to start over"):
        make_saving_setup().fit(finished_copy)
    assert checkpoints._all(Run(finished_copy), "step") == saved  # nothing is removed
    assert "warnings" not in Run(finished_copy).manifest()


def test_a_damaged_best_checkpoint_is_an_error(finished_copy: Path) -> None:
    for best in (finished_copy / "checkpoints").glob("best-*"):
        flip(best / "weights.safetensors")
    with pytest.raises(ZooError, match="the best checkpoint is damaged"):
        make_saving_setup().fit(finished_copy)


def test_every_kept_checkpoint_still_has_its_best_parameters(tmp_path: Path) -> None:
    """A repeated training on a GPU may differ in the last bit and need not reach those parameters again."""
    run, model = Run(started(recipe(), tmp_path)), kit(recipe()).model
    optimizer = optimizers.make_optimizer(model, Train())
    state = State()
    for step, best in ((2, True), (3, False), (4, True), (5, False), (6, True), (7, True)):
        state.step = step
        if best:
            state.best_step = step
            checkpoints.save_best(run, state, model)
        else:
            checkpoints.save(run, state, model, optimizer)
    names = sorted(p.name for p in run.path("checkpoints").iterdir())
    assert [name.replace("0000000", "") for name in names] == ["best-2", "best-4", "best-7", "step-3", "step-5"]
    for number in (5, 3):
        state = checkpoints.restore(run, model, optimizer)
        assert (state.step, state.best_step) == (number, number - 1)
        checkpoints.load_best(run, state, model)
        runs.write_text(run.path("checkpoints") / f"step-0000000{number}" / "state.json", "{}")


def test_a_checkpoint_of_another_method_or_shape_is_an_error(finished_copy: Path) -> None:
    with pytest.raises(ZooError, match="holds other parameters"):
        make_saving_setup(LORA).fit(finished_copy)
    wide = kit(recipe("scratch:llama-1x64"), TRAIN, VALIDATION)
    with pytest.raises(ZooError, match=r"is \(\d+, 32\); expected \(\d+, 64\)"):
        wide.fit(finished_copy)
