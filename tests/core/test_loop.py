"""The loop and its checkpoints: what stops it, what it keeps, and what it writes down."""

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
from kit import LLAMA, LORA, T5, Kit, apart, kit, recipe, same, started, sums, weights
from safetensors.torch import load_file

from instructzoo.core import runs
from instructzoo.core.errors import Stopped, ZooError
from instructzoo.core.models import adapters
from instructzoo.core.recipe import Train
from instructzoo.core.runs import Run
from instructzoo.core.tune import checkpoints, loop, optimizers
from instructzoo.core.tune.checkpoints import State

TRAIN, VALIDATION = sums(40), sums(10, seed=1)


def lines(folder: Path) -> list[dict[str, Any]]:
    """metrics.jsonl without what depends on the clock."""
    clock = ("seconds", "tokens_per_second")
    held = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name not in clock} for line in held]


def at_step(monkeypatch: pytest.MonkeyPatch, step: int, act: Callable[[], None]) -> None:
    """Do something in the middle of the update after `step`."""
    rate = optimizers.lr_at

    def acting(now: int, steps: int, train: Train) -> float:
        if now == step:
            act()
        return rate(now, steps, train)

    monkeypatch.setattr(optimizers, "lr_at", acting)


def whole(**train: Any) -> Kit:
    return kit(recipe(train=train), TRAIN, VALIDATION)


def test_a_nan_loss_stops_the_run_and_leaves_finite_checkpoints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = whole(checkpoint_every=2)
    collate, seen = loop.collate, []

    def poisoned(*args: Any) -> Any:
        seen.append(args)
        if len(seen) == 6:
            with torch.no_grad():
                made.tuned.model.norm.weight[0] = float("nan")
        return collate(*args)

    monkeypatch.setattr(loop, "collate", poisoned)
    monkeypatch.setattr(loop, "validation_loss", lambda *_: 1.0)
    with pytest.raises(
        ZooError, match=r"the loss is nan .* at step 6; expected numbers; lower train\.lr \(now 0\.001\)"
    ):
        made.fit(started(made.recipe, tmp_path))
    assert [line["step"] for line in lines(tmp_path) if "loss" in line] == [1, 2, 3, 4, 5]
    kept = checkpoints._all(Run(tmp_path), "step")
    assert [folder.name for folder in kept] == ["step-00000004", "step-00000002"]
    assert all(value.isfinite().all() for value in load_file(kept[0] / "weights.safetensors").values())
    monkeypatch.undo()
    again = whole(checkpoint_every=2)
    assert again.fit(tmp_path).step == 12  # the poison was in memory, so the run goes on


def test_an_infinite_gradient_norm_stops_the_run_with_weights_unchanged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = whole()
    before = weights(made.tuned)
    divide = loop.divide_and_clip

    def overflowing(accelerator: Any, optimizer: Any, tuned: Any, count: int, clip: float | None) -> float:
        next(tuned.parameters()).grad[0, 0] = float("inf")
        return divide(accelerator, optimizer, tuned, count, clip)

    monkeypatch.setattr(loop, "divide_and_clip", overflowing)
    with pytest.raises(ZooError, match="its gradient's norm inf at step 1"):
        made.fit(started(made.recipe, tmp_path))
    assert same(weights(made.tuned), before)


def test_a_nan_validation_loss_stops_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = whole(evaluate_every=3)
    monkeypatch.setattr(loop, "validation_loss", lambda *_: float("nan"))
    with pytest.raises(ZooError, match="the validation loss is nan at step 3"):
        made.fit(started(made.recipe, tmp_path))


def test_early_stopping_keeps_the_parameters_of_the_best_validation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Early stopping: validations every 2 updates, the second is the best, two worse ones end the run."""
    script = iter([3.0, 1.0, 2.0, 1.5, 0.5])
    made = whole(evaluate_every=2, patience=2)
    held: list[dict[str, torch.Tensor]] = []

    def scripted(*_: Any) -> float:
        held.append(weights(made.tuned))
        return next(script)

    monkeypatch.setattr(loop, "validation_loss", scripted)
    state = made.fit(started(made.recipe, tmp_path))
    assert (state.step, state.best, state.best_step, state.stale) == (8, 1.0, 4, 2)
    assert same(weights(made.tuned), held[1])
    assert not same(held[1], held[3])
    assert [line["validation_loss"] for line in lines(tmp_path) if "validation_loss" in line] == [3.0, 1.0, 2.0, 1.5]
    assert "2 validations without a better loss, at step 8" in Run(tmp_path).manifest()["stopped_early"]


def test_the_reported_best_loss_is_that_of_the_final_parameters(tmp_path: Path) -> None:
    made = whole(evaluate_every=5, lr=1e-2)
    state = made.fit(started(made.recipe, tmp_path))
    module = loop.LossModule(made.tuned, made.objective)
    assert loop.validation_loss(module, made.objective, made.parts, Train(), "cpu") == pytest.approx(state.best)
    validations = {line["step"]: line["validation_loss"] for line in lines(tmp_path) if "validation_loss" in line}
    assert list(validations) == [5, 10, 12]
    assert min(validations.values()) == state.best == validations[state.best_step]


def test_a_run_without_validation_rows_trains_and_logs_every_step(tmp_path: Path) -> None:
    made = kit(recipe(), TRAIN)
    before = weights(made.tuned)
    state = made.fit(started(made.recipe, tmp_path))
    assert state.step == 12
    assert apart(before, weights(made.tuned)) > 1e-3
    assert [line["step"] for line in lines(tmp_path)] == list(range(1, 13))
    assert (state.examples, state.tokens) == (
        (12 // 5) * 40 + (12 % 5) * 8,
        sum(line["tokens"] for line in lines(tmp_path)[-1:]),
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_run_resumes_to_the_same_weights_and_metrics(
    number: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = whole()
    reference.fit(started(reference.recipe, tmp_path / "whole"))
    made = whole()
    folder = started(made.recipe, tmp_path / "stopped")
    before = signal.getsignal(number)
    with monkeypatch.context() as patch, pytest.raises(Stopped) as stopped:
        at_step(patch, 6, lambda: os.kill(os.getpid(), number))
        made.fit(folder)
    assert (stopped.value.step, stopped.value.signal_number) == (7, number)
    assert signal.getsignal(number) is before
    assert (folder / "checkpoints" / "step-00000007" / "state.json").is_file()
    again = whole()
    again.fit(folder)
    assert same(weights(again.tuned), weights(reference.tuned))
    assert lines(folder) == lines(tmp_path / "whole")


def test_a_second_interrupt_raises_keyboard_interrupt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = whole()

    def twice() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    at_step(monkeypatch, 2, twice)
    with pytest.raises(KeyboardInterrupt):
        made.fit(started(made.recipe, tmp_path))


def test_a_resumed_run_has_the_metrics_lines_of_an_uninterrupted_one(tmp_path: Path) -> None:
    """Killed while it wrote the line of step 11, with a sound checkpoint at 6."""
    made = whole(checkpoint_every=6, evaluate_every=2)
    folder = started(made.recipe, tmp_path)
    made.fit(folder)
    reference = lines(folder)
    (folder / "checkpoints" / "step-00000012" / "weights.safetensors").write_bytes(b"")
    metrics = folder / "metrics.jsonl"
    text = metrics.read_text().splitlines(keepends=True)
    assert json.loads(text[-3])["step"] == 11
    metrics.write_text("".join(text[:-3]) + text[-3][:20])
    again = whole(checkpoint_every=6, evaluate_every=2)
    again.fit(folder)
    assert lines(folder) == reference
    named = {name for line in reference for name in line}
    assert named == {"step", "loss", "lr", "grad_norm", "epoch", "examples", "tokens", "validation_loss"}
    assert same(weights(again.tuned), weights(made.tuned))


def test_a_full_disk_during_training_is_a_clear_error_and_the_run_resumes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = whole(checkpoint_every=4)
    folder = started(made.recipe, tmp_path / "run")
    save = checkpoints.save_file

    def full(tensors: Any, path: Path) -> None:
        if "step-00000008" in str(path):
            raise OSError(errno.ENOSPC, "No space left on device")
        save(tensors, path)

    with monkeypatch.context() as patch, pytest.raises(ZooError, match="the disk is full"):
        patch.setattr(checkpoints, "save_file", full)
        made.fit(folder)
    assert [p.name for p in checkpoints._all(Run(folder), "step")] == ["step-00000004"]
    assert not list(folder.rglob("*.tmp"))
    reference = whole(checkpoint_every=4)
    reference.fit(started(reference.recipe, tmp_path / "whole"))
    again = whole(checkpoint_every=4)
    again.fit(folder)
    assert same(weights(again.tuned), weights(reference.tuned))


# Checkpoints


def half(method: dict[str, Any] | None = None, backbone: str = LLAMA) -> Kit:
    settings = recipe(backbone, method=method or {"name": "full"}, train={"checkpoint_every": 3, "evaluate_every": 4})
    return kit(settings, TRAIN, VALIDATION)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, torch.Tensor]]:
    """An uninterrupted run of `half` and its weights."""
    made = half()
    folder = started(made.recipe, tmp_path_factory.mktemp("done"))
    made.fit(folder)
    return folder, weights(made.tuned)


@pytest.fixture
def copied(done: tuple[Path, dict[str, torch.Tensor]], tmp_path: Path) -> Path:
    """A copy of it, to damage."""
    shutil.copytree(done[0], tmp_path / "copied")
    return tmp_path / "copied"


def test_a_checkpoint_restores_weights_and_optimizer_state(tmp_path: Path) -> None:
    for i, (backbone, method) in enumerate([(LLAMA, None), (LLAMA, LORA), (T5, None)]):
        made = half(method, backbone)
        folder = started(made.recipe, tmp_path / str(i))
        made.fit(folder)
        newest = checkpoints._all(Run(folder), "step")[0]
        saved = load_file(newest / "weights.safetensors")
        assert saved.keys() == dict(adapters.trainable_parameters(made.tuned)).keys()
        again = half(method, backbone)
        optimizer = optimizers.make(again.tuned, again.recipe.train)
        state = checkpoints.restore(Run(folder), again.tuned, optimizer)
        assert (state.step, newest.name) == (12, "step-00000012")
        now = {name: p.detach() for name, p in adapters.trainable_parameters(again.tuned)}
        assert same(now, saved)
        moments = checkpoints._moments(again.tuned, optimizer)
        assert same(moments, load_file(newest / "optimizer.safetensors"))
        assert len(moments) == 3 * len(saved)
        assert len({name.rpartition("|")[0] for name in moments}) == len(saved)


def test_only_the_last_two_checkpoints_and_at_most_three_best_are_kept(tmp_path: Path) -> None:
    made = kit(recipe(train={"steps": 20, "checkpoint_every": 2, "evaluate_every": 1}), TRAIN, VALIDATION)
    made.fit(started(made.recipe, tmp_path))
    names = sorted(p.name for p in (tmp_path / "checkpoints").iterdir())
    assert names[-2:] == ["step-00000018", "step-00000020"]
    assert len(names) <= 5
    assert all(name.startswith("best-") for name in names[:-2])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(bytes(content))


@pytest.mark.parametrize("name", ["weights.safetensors", "optimizer.safetensors", "state.json", "hashes.json"])
def test_a_corrupted_checkpoint_is_passed_over_for_the_previous_one(
    name: str, done: tuple[Path, dict[str, torch.Tensor]], copied: Path
) -> None:
    flip(copied / "checkpoints" / "step-00000012" / name)
    again = half()
    assert again.fit(copied).step == 12
    assert same(weights(again.tuned), done[1])
    assert lines(copied) == lines(done[0])
    (incident,) = Run(copied).manifest()["incidents"]
    assert "step-00000012 was damaged" in incident and "step-00000009 was used" in incident


@pytest.mark.parametrize("damage", ["flip", "cut", "gone", "empty"])
def test_a_run_with_only_damaged_checkpoints_is_an_error_and_is_kept(damage: str, copied: Path) -> None:
    found = checkpoints._all(Run(copied), "step")
    assert len(found) == 2
    for checkpoint in found:
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
        half().fit(copied)
    assert checkpoints._all(Run(copied), "step") == found  # nothing is removed
    assert "incidents" not in Run(copied).manifest()


def test_a_damaged_best_checkpoint_is_an_error(copied: Path) -> None:
    for best in (copied / "checkpoints").glob("best-*"):
        flip(best / "weights.safetensors")
    with pytest.raises(ZooError, match="the best checkpoint is damaged"):
        half().fit(copied)


def test_every_kept_checkpoint_still_has_its_best_parameters(tmp_path: Path) -> None:
    """A replay on a GPU may differ in the last bit, and need not find the better parameters again."""
    run, model = Run(started(recipe(), tmp_path)), kit(recipe()).tuned
    optimizer = optimizers.make(model, Train())
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
        back = checkpoints.restore(run, model, optimizer)
        assert (back.step, back.best_step) == (number, number - 1)
        checkpoints.load_best(run, back, model)
        runs.write_text(run.path("checkpoints") / f"step-0000000{number}" / "state.json", "{}")


def test_a_checkpoint_of_another_method_or_shape_is_an_error(copied: Path) -> None:
    with pytest.raises(ZooError, match="holds other parameters"):
        half(LORA).fit(copied)
    wide = kit(recipe("scratch:llama-1x64"), TRAIN, VALIDATION)
    with pytest.raises(ZooError, match=r"is \(\d+, 32\); expected \(\d+, 64\)"):
        wide.fit(copied)
