"""A run whose files were edited, damaged or lost says so in one line; nothing is overwritten and nothing made up."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from instructzoo.core import api, runs
from instructzoo.core.errors import Stopped, ZooError
from instructzoo.core.model_hashes import check_hashes, write_hashes
from instructzoo.core.tune import loop

TINY = [
    "data.sizes={train: 40, validation: 8, test: 8}", "model.backbone=scratch:llama-1x32",
    "train={steps: 6, batch: 4, lr: 1e-3, log_every: 1, checkpoint_every: 2, evaluate_every: 2}",
    "evaluate.baselines=false",
]  # fmt: skip
NOT_OBJECTS = ["[]", "null", "3", '"text"', "true", "", "{", '{"state": 1}', "NaN", "[" * 5000, "1" * 5000]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of six steps."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INSTRUCTZOO_RUNS", str(tmp_path_factory.mktemp("runs")))
        return Path(api.train("arithmetic/tiny", TINY, quiet=True)["run"])


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    """A copy of the finished run."""
    return Path(shutil.copytree(trained, tmp_path / "copy"))


@pytest.fixture
def unfinished(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The run as it stood at its last checkpoint; the training command finds it."""
    monkeypatch.setenv("INSTRUCTZOO_RUNS", str(tmp_path / "runs"))
    folder = Path(shutil.copytree(trained, tmp_path / "runs" / "arithmetic" / "tiny" / trained.name))
    shutil.rmtree(folder / "model")
    runs.Run(folder).update_manifest(state="started")
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def resume() -> Any:
    return api.train("arithmetic/tiny", TINY, quiet=True)


def edit(path: Path, **values: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


# Resuming


@pytest.mark.parametrize("lost", ["all", "the folder"])
def test_a_run_whose_checkpoints_are_gone_is_neither_restarted_nor_changed(lost: str, unfinished: Path) -> None:
    shutil.rmtree(unfinished / "checkpoints")
    if lost == "all":
        (unfinished / "checkpoints").mkdir()
    before = contents(unfinished)
    with pytest.raises(ZooError, match=r"no checkpoint, and the run had saved one at step 6.*start over with another"):
        resume()
    assert contents(unfinished) == before


def test_a_lost_newest_checkpoint_is_told_and_the_one_before_is_used(
    trained: Path, unfinished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(unfinished / "checkpoints" / "step-00000006")
    assert resume()["steps"] == 6
    assert "zoo: checkpoint step-00000006 was gone; step-00000004 was used\n" in capsys.readouterr().err
    manifest = runs.Run(unfinished).manifest()
    assert manifest["warnings"] == ["checkpoint step-00000006 was gone; step-00000004 was used"]
    assert (unfinished / "model" / "model.safetensors").read_bytes() == (
        trained / "model" / "model.safetensors"
    ).read_bytes()


def test_a_dangling_checkpoint_link_is_passed_over_for_the_checkpoint_before(unfinished: Path) -> None:
    newest = unfinished / "checkpoints" / "step-00000006"
    shutil.rmtree(newest)
    newest.symlink_to("/nowhere")
    assert resume()["steps"] == 6
    assert "step-00000006 was damaged" in runs.Run(unfinished).manifest()["warnings"][0]


def test_lost_best_parameters_are_an_error_at_the_start_and_not_after_the_training(unfinished: Path) -> None:
    for best in unfinished.glob("checkpoints/best-*"):
        shutil.rmtree(best)
    with pytest.raises(ZooError, match="the best checkpoint is damaged"):
        resume()


@pytest.mark.parametrize("state", ["[]", "{}", '{"step": "six"}', "null"])
def test_a_checkpoint_whose_state_is_no_state_counts_as_damaged(state: str, unfinished: Path) -> None:
    newest = unfinished / "checkpoints" / "step-00000006"
    (newest / "state.json").write_text(state)
    edit(newest / "hashes.json", **{"state.json": runs.sha256(newest / "state.json")})
    assert resume()["steps"] == 6
    assert "step-00000006 was damaged" in runs.Run(unfinished).manifest()["warnings"][0]


@pytest.mark.parametrize("line", [b"garbage\n", b"[]\n", b'{"step": "one"}\n', b"\xff\xfe\n", b"null\n"])
def test_a_foreign_line_in_the_metrics_is_an_error_with_its_number_and_nothing_is_lost(
    line: bytes, unfinished: Path
) -> None:
    path = unfinished / "metrics.jsonl"
    path.write_bytes(path.read_bytes() + line)
    before, number = path.read_bytes(), path.read_bytes().count(b"\n")
    with pytest.raises(ZooError, match=rf"metrics\.jsonl:{number}: no metrics of a step"):
        resume()
    assert path.read_bytes() == before


# What fails before the first update


def test_a_run_that_fails_before_its_first_update_leaves_no_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INSTRUCTZOO_RUNS", str(tmp_path))
    wrong = "data.world={sums: many}"
    for command in (
        lambda: api.train("arithmetic/tiny", [*TINY, wrong], "mine", True),
        lambda: api.reproduce("arithmetic/tiny", [*TINY, wrong], True),
    ):
        with pytest.raises(ZooError, match="sums"):
            command()
        assert not list(tmp_path.glob("*/*/*"))
    assert api.train("arithmetic/tiny", [*TINY, "train.steps=1"], "mine", True)["steps"] == 1


def test_a_run_that_fails_later_and_a_directory_with_other_files_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INSTRUCTZOO_RUNS", str(tmp_path))

    def failing(*_: Any) -> float:
        raise Stopped(2, 15)

    monkeypatch.setattr(loop, "validation_loss", failing)
    with pytest.raises(Stopped):
        api.train("arithmetic/tiny", TINY, "later", True)
    assert (tmp_path / "arithmetic" / "tiny" / "later" / "metrics.jsonl").read_text()
    run = runs.start(runs.Run(tmp_path / "arithmetic" / "tiny" / "later").recipe(), "zoo train", "notes")
    run.path("notes.txt").write_text("mine")
    run.discard_unstarted()
    assert run.path("notes.txt").read_text() == "mine"


# Recipe and manifest


def written_rows(run: str) -> str:
    path = Path(run) / "rows.jsonl"
    path.write_text('{"instruction": "1 + 1"}\n')
    return str(path)


COMMANDS = {
    "eval": lambda run: api.eval("arithmetic", model=run),
    "predict": lambda run: api.predict("arithmetic", written_rows(run), model=run),
    "export": lambda run: api.export("arithmetic", "out", model=run),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_an_edited_or_removed_recipe_of_a_run_is_noticed(
    command: str, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = run / "recipe.yaml"
    text = path.read_text()
    path.write_text(text.replace("max_new_tokens: 24", "max_new_tokens: 2"))
    with pytest.raises(ZooError, match=r"recipe\.yaml: decode\.max_new_tokens = 2; expected 24, as the run began"):
        COMMANDS[command](str(run))
    path.write_text(f"# a comment changes nothing\n{text}")
    assert runs.Run(run).recipe().decode.max_new_tokens == 24
    path.unlink()
    with pytest.raises(ZooError, match=r"no recipe\.yaml in"):
        COMMANDS[command](str(run))


def test_an_edited_recipe_of_an_unfinished_run_is_noticed(unfinished: Path) -> None:
    path = unfinished / "recipe.yaml"
    path.write_text(path.read_text() + "extra: 1\n")
    with pytest.raises(ZooError, match="extra"):
        resume()
    path.unlink()
    with pytest.raises(ZooError, match=r"no recipe\.yaml"):
        resume()


@pytest.mark.parametrize("manifest", NOT_OBJECTS)
def test_a_damaged_manifest_is_one_clear_line(manifest: str, unfinished: Path) -> None:
    (unfinished / "manifest.json").write_text(manifest)
    for command in (resume, lambda: COMMANDS["eval"](str(unfinished))):
        with pytest.raises(ZooError, match=r"manifest\.json"):
            command()


NO_SCORES = [
    "[]", "{}", "{", '{"systems": []}', '{"systems": {"model": {}}}', '{"systems": {"model": {"figures": []}}}',
    '{"systems": {"model": {"figures": [{"metric": "x", "value": "v", "low": 0, "high": 1, "n": 3}]}}}',
]  # fmt: skip


@pytest.mark.parametrize("scores", NO_SCORES)
def test_damaged_scores_are_one_clear_line(scores: str, run: Path) -> None:
    (run / "scores.json").write_text(scores)
    for command in (COMMANDS["predict"], lambda run: api.bundle("arithmetic", run)):
        with pytest.raises(ZooError, match=r"scores\.json"):
            command(str(run))


def test_commands_say_what_a_path_without_a_model_is(unfinished: Path, tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path, unfinished / "recipe.yaml"):
        with pytest.raises(ZooError, match=r"no run in .*manifest\.json, as zoo train makes it"):
            COMMANDS["eval"](str(path))
    with pytest.raises(ZooError, match=r'the run has no model/; its state is "started"; expected a finished run'):
        COMMANDS["eval"](str(unfinished))


def test_a_run_that_may_not_be_written_is_refused_before_its_evaluation(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # the tests may run as root, who may do anything
    with pytest.raises(ZooError, match="cannot write: Permission denied"):
        COMMANDS["eval"](str(run))


# Hashes of the model


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "config.json", "generation_config.json"])
def test_a_flipped_byte_in_a_file_of_the_model_is_an_error(name: str, run: Path) -> None:
    path = run / "model" / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ZooError, match=rf"{name}: cannot load: sha256 \w+; expected \w+, as the model was saved"):
        runs.model_folder(run)
    path.write_bytes(content[:-1])
    with pytest.raises(ZooError, match=rf"{name}: cannot load: [\d,]+ bytes; expected [\d,]+ bytes"):
        runs.model_folder(run)
    path.unlink()
    with pytest.raises(ZooError, match=rf"{name}: cannot load: the file is missing"):
        runs.model_folder(run)


def test_a_model_without_hashes_is_loaded_as_before(run: Path) -> None:
    (run / "model" / "hashes.json").unlink()
    edit(run / "model" / "generation_config.json", eos_token_id=0)
    assert runs.model_folder(run) == run / "model"
    manifest = {key: value for key, value in runs.Run(run).manifest().items() if key != "recipe"}
    runs.write_json(run / "manifest.json", manifest)
    assert runs.model_folder(run) == run / "model"


@pytest.mark.parametrize("name", ["adapter_config.json", "unet/model.safetensors"])
def test_a_file_that_was_added_to_a_model_is_an_error(name: str, run: Path) -> None:
    added = run / "model" / name
    added.parent.mkdir(exist_ok=True)
    added.write_text("{}")
    with pytest.raises(ZooError, match=rf"{name}: cannot load: the file is not in hashes\.json"):
        runs.model_folder(run)
    added.unlink()
    (run / "model" / "notes.txt").write_text("a reader's own")
    assert runs.model_folder(run) == run / "model"


def test_hashes_cover_folders_below_and_not_what_may_be_written_anew(tmp_path: Path) -> None:
    for name in ("unet/weights", "README.md", "scores.json", ".hidden"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("1")
    write_hashes(tmp_path)
    assert list(runs.read_json(tmp_path / "hashes.json")) == ["unet/weights"]
    (tmp_path / "README.md").write_text("2")
    check_hashes(tmp_path)
    (tmp_path / "hashes.json").write_text("[]")
    with pytest.raises(ZooError, match=r"hashes\.json: the file holds a list"):
        check_hashes(tmp_path)


# Modes


def test_the_files_of_a_run_have_the_mode_that_the_umask_gives(trained: Path) -> None:
    umask = os.umask(0)
    os.umask(umask)
    for path in (trained, *trained.rglob("*")):
        assert path.stat().st_mode & 0o777 == (0o777 if path.is_dir() else 0o666) & ~umask, path
