"""The run directory: resumed or refused, never overwritten; every file is complete or as it was."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from safetensors import SafetensorError

from instructzoo.core import runs
from instructzoo.core.errors import ZooError
from instructzoo.core.recipe import Recipe


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("INSTRUCTZOO_RUNS", str(tmp_path / "runs"))
    return tmp_path / "runs"


def a_recipe(**changes: Any) -> Recipe:
    values = {"domain": "toy", "name": "tiny", "model": {"backbone": "scratch:llama-1x32", "tokenizer": "bpe"}}
    return Recipe.model_validate(values | changes)


def leftovers(folder: Path) -> list[Path]:
    return [p for p in folder.rglob("*") if p.name.endswith(".tmp")]


def test_a_finished_run_is_not_overwritten() -> None:
    run = runs.start(a_recipe(), "zoo train")
    run.update_manifest(state="finished")
    with pytest.raises(ZooError, match="is finished"):
        runs.start(a_recipe(), "zoo train")
    assert runs.start(a_recipe(seed=1), "zoo train").folder != run.folder


def test_an_unfinished_run_is_resumed_with_its_files() -> None:
    run = runs.start(a_recipe(), "zoo train toy/tiny")
    runs.write_text(run.path("metrics.jsonl"), "kept\n")
    again = runs.start(a_recipe(), "zoo train toy/tiny")
    assert again == run
    assert run.path("metrics.jsonl").read_text() == "kept\n"
    manifest = run.manifest()
    assert manifest["command"] == "zoo train toy/tiny"
    assert manifest["versions"]["torch"] and manifest["hardware"]["cores"]
    assert run.recipe() == a_recipe()


def test_a_manifest_names_the_gpus_once_torch_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda index: f"card {index}")
    assert runs.environment()["hardware"]["gpus"] == ["card 0", "card 1"]
    monkeypatch.delitem(sys.modules, "torch")
    assert "gpus" not in runs.environment()["hardware"]


def test_other_settings_in_the_same_directory_are_an_error() -> None:
    runs.start(a_recipe(), "zoo train", run_id="mine")
    with pytest.raises(ZooError, match="holds a run of other settings"):
        runs.start(a_recipe(seed=1), "zoo train", run_id="mine")


def test_a_folder_that_is_no_run_is_not_overwritten(root: Path) -> None:
    folder = root / "toy" / "tiny" / "mine"
    folder.mkdir(parents=True)
    runs.start(a_recipe(), "zoo train", run_id="mine")  # an empty one will do
    for other in ("thesis.txt", "recipe.yaml"):
        folder = root / "toy" / "tiny" / other
        folder.mkdir()
        (folder / other).write_text("mine")
        with pytest.raises(ZooError, match="exists and is no run"):
            runs.start(a_recipe(), "zoo train", run_id=other)
        assert (folder / other).read_text() == "mine"


def test_an_interrupted_start_does_not_block_the_next_one(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(runs, "write_json", killed)
        runs.start(a_recipe(), "zoo train")
    assert runs.start(a_recipe(), "zoo train").recipe() == a_recipe()
    assert leftovers(root) == []


def test_two_processes_cannot_train_one_run() -> None:
    run = runs.start(a_recipe(), "zoo train")
    child = """import sys, time, pathlib, instructzoo.core.runs
with instructzoo.core.runs.Run(pathlib.Path(sys.argv[1])).lock():
    print("held", flush=True)
    time.sleep(60)"""
    with subprocess.Popen([sys.executable, "-c", child, str(run.folder)], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(ZooError, match="another process trains"), run.lock():
            pass
        other.kill()
    with run.lock():  # a killed process lets go
        pass
    with run.lock():
        pass


def test_temporary_files_of_a_killed_process_are_removed() -> None:
    run = runs.start(a_recipe(), "zoo train")
    (run.folder / "checkpoints" / ".step-1.abc.tmp").mkdir(parents=True)
    (run.folder / "checkpoints" / ".step-1.abc.tmp" / "weights.safetensors").touch()
    (run.folder / ".manifest.json.abc.tmp").touch()
    (run.folder / "notes.tmp").touch()
    with run.lock():
        assert leftovers(run.folder) == [run.folder / "notes.tmp"]
    assert run.manifest()["state"] == "started"


# Atomic files


def test_a_killed_writer_leaves_the_old_file_complete(tmp_path: Path) -> None:
    """A forked process is killed with SIGKILL in the middle of the write."""
    path = tmp_path / "scores.json"
    runs.write_text(path, "old")

    def die(_: int) -> None:
        os.kill(os.getpid(), 9)

    def write() -> None:
        os.fsync = die
        runs.write_text(path, "new" * 10_000)

    child = multiprocessing.get_context("fork").Process(target=write)
    child.start()
    child.join()
    assert child.exitcode == -9
    assert path.read_text() == "old"
    runs.write_text(path, "new")
    assert path.read_text() == "new"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_a_clear_error_and_keeps_the_old_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    path, folder = tmp_path / "scores.json", tmp_path / "model"
    runs.write_text(path, "old")
    with runs.atomic_folder(folder) as fresh:
        (fresh / "weights").write_text("old")

    def full(_: int) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(ZooError, match=r"the disk is full \(\d+ MB free\); expected room to write"):
            runs.write_json(path, {"new": 1})
        with pytest.raises(ZooError, match="the disk is full"), runs.atomic_folder(folder) as fresh:
            (fresh / "weights").write_text("new")
    assert path.read_text() == "old"
    assert (folder / "weights").read_text() == "old"
    assert leftovers(tmp_path) == []


def test_a_full_disk_reported_by_safetensors_is_a_clear_error(tmp_path: Path) -> None:
    """safetensors has an exception of its own for it (seen with 0.8 on a full tmpfs)."""
    message = "Error while serializing: I/O error: No space left on device (os error 28)"
    with pytest.raises(ZooError, match="the disk is full"), runs.atomic_folder(tmp_path / "model"):
        raise SafetensorError(message)
    with pytest.raises(SafetensorError), runs.atomic_folder(tmp_path / "model"):
        raise SafetensorError("invalid header")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_fails_half_way_keeps_the_old_one(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    for content in ("one", "two"):
        with runs.atomic_folder(folder) as fresh:
            (fresh / "inner").mkdir()
            (fresh / "inner" / "weights").write_text(content)
            assert not (folder / "inner").exists() or content == "two"
    assert (folder / "inner" / "weights").read_text() == "two"
    with pytest.raises(KeyboardInterrupt), runs.atomic_folder(folder) as fresh:
        (fresh / "weights").write_text("three")
        raise KeyboardInterrupt
    assert [p.name for p in folder.rglob("*")] == ["inner", "weights"]
    assert [p.name for p in tmp_path.iterdir()] == ["model"]


def test_a_folder_whose_replacement_fails_is_restored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "model"
    with runs.atomic_folder(folder) as fresh:
        (fresh / "weights").write_text("old")
    replace = Path.replace

    def failing(self: Path, target: Path) -> Path:
        if self.name.endswith(".tmp") and "old" not in self.name:
            raise OSError(errno.EIO, "input/output error")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", failing)
    with pytest.raises(OSError, match="input/output error"), runs.atomic_folder(folder) as fresh:
        (fresh / "weights").write_text("new")
    assert (folder / "weights").read_text() == "old"
    assert leftovers(tmp_path) == []


def test_an_unwritable_path_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ZooError, match="cannot write"):
        runs.write_text(tmp_path / "file" / "scores.json", "x")
    with pytest.raises(ZooError, match="cannot write"), runs.atomic_folder(tmp_path / "file" / "model"):
        pass


def test_malformed_json_is_reported_with_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "scores.json"
    path.write_text('{"a": 1,\n "b": }')
    with pytest.raises(ZooError, match=r"scores\.json:2: malformed JSON"):
        runs.read_json(path)
    path.write_bytes(b'{"a": "\xff"}')
    with pytest.raises(ZooError, match="malformed JSON"):
        runs.read_json(path)
    with pytest.raises(ZooError, match="cannot read"):
        runs.read_json(tmp_path / "none.json")
    runs.write_json(path, {"é": Path("a")})
    assert json.loads(path.read_text()) == runs.read_json(path) == {"é": "a"}


def test_warnings_of_a_run_accumulate() -> None:
    run = runs.start(a_recipe(), "zoo train")
    run.add_warning("one")
    run.add_warning("two")
    assert run.manifest()["warnings"] == ["one", "two"]
    run.update_manifest(incidents=["of an earlier version"])
    assert runs.warnings_of(run.manifest()) == ["of an earlier version", "one", "two"]
    with pytest.raises(ZooError, match="no run in"):
        runs.find(str(run.folder / "checkpoints"))
    assert runs.find(str(run.folder)) == run
