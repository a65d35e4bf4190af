"""The command line as a user or a program sees it: outputs, errors of one line, exit codes."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from instructzoo.core import ZooError, openmp
from instructzoo.core import domain as domains
from instructzoo.core.cli import main

TINY = [
    "data.sizes={train: 400, validation: 20, test: 30}",
    "model.backbone=scratch:llama-1x32",
    "train.steps=6",
    "train.batch=8",
    "train.log_every=2",
]


def zoo(*arguments: str, cwd: Path | None = None, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run `zoo ARGUMENTS` as a shell would, but within this process: torch is imported once."""
    out, err = io.StringIO(), io.StringIO()
    code = 0
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        contextlib.chdir(cwd or Path.cwd()),
    ):
        patch.setattr(sys, "argv", ["zoo", *arguments])
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        patch.setenv("COLUMNS", "200")
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
    return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())


def one_line(done: subprocess.CompletedProcess[str], *expected: str) -> None:
    """Assert exit code 2 and one line on standard error that contains all of `expected`."""
    assert done.returncode == 2, done.stderr
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("zoo: ")
    for text in expected:
        assert text in lines[0], lines[0]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of six steps, reproduced from data to report."""
    home = tmp_path_factory.mktemp("zoo")
    done = zoo("reproduce", "arithmetic/tiny", *TINY, "--json", cwd=home)
    assert done.returncode == 0, done.stderr
    return Path(json.loads(done.stdout)["run"])


def test_a_mistyped_domain_gets_a_suggestion_and_no_advice_to_install_it() -> None:
    done = zoo("demo", "arithmetik")
    one_line(done, 'no domain "arithmetik" is installed', 'did you mean "arithmetic"?')
    assert "pip install" not in done.stderr


def test_a_domain_of_this_project_that_is_missing_names_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(domains, "discover", dict)
    one_line(zoo("demo", "uie"), 'no domain "uie" is installed', "pip install instructzoo-uie")


@pytest.mark.parametrize(
    "given, expected",
    [
        ({}, "1000"),
        ({"GOMP_SPINCOUNT": "7"}, "7"),
        ({"OMP_WAIT_POLICY": "PASSIVE"}, "None"),
        ({"KMP_BLOCKTIME": "0"}, "None"),
    ],
)
@pytest.mark.parametrize("entry", ["instructzoo.core.cli", "instructzoo.core.api", "instructzoo.absa"])
def test_threads_spin_shortly_however_the_zoo_is_used_unless_the_user_chose_how_they_wait(
    entry: str, given: dict[str, str], expected: str
) -> None:
    program = f"import os, sys, {entry}; assert 'torch' not in sys.modules; print(os.environ.get('GOMP_SPINCOUNT'))"
    clean = {name: value for name, value in os.environ.items() if name not in openmp.USER_CHOICES}
    done = subprocess.run(
        [sys.executable, "-c", program], env=clean | given, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == expected


def test_the_version_is_shown() -> None:
    done = zoo("--version")
    assert (done.returncode, done.stdout) == (0, f"instructzoo-core {metadata.version('instructzoo-core')}\n")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["eval", "absa", "--split", "test"], "zoo eval: No such option"),
        (["eval"], "zoo eval: Missing argument"),
        (["fetc"], "zoo: No such command 'fetc'"),
        (["train", "absa/tiny", "--nproc", "0"], "zoo train: Invalid value for '--nproc'"),
    ],
)
def test_a_wrong_option_or_argument_is_one_line_that_names_the_help(arguments: list[str], expected: str) -> None:
    done = zoo(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(expected) and line.endswith("--help)")


def test_the_shell_can_be_taught_to_complete_commands() -> None:
    environment = {**os.environ, "_ZOO_COMPLETE": "complete_bash", "COMP_WORDS": "zoo repr", "COMP_CWORD": "1"}
    program = "from instructzoo.core.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["reproduce"]


def test_a_single_value_for_a_list_is_an_error_that_shows_how_to_write_one() -> None:
    one_line(zoo("train", "absa/small", "data.sources=own"), 'data.sources = "own"', "a list, such as [first, second]")


def test_a_mistyped_setting_is_an_error_with_a_suggestion() -> None:
    one_line(zoo("train", "arithmetic/tiny", "train.lrr=1e-4"), 'unknown setting "train.lrr"', 'did you mean "lr"?')


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        (
            "train.per_device_train_batch_size=4",
            "train.batch (examples per update over all processes = per_device_train",
        ),
        ("learning_rate=1e-4", "train.lr (the same value)"),
        ("lora_r=8", "method.rank (the same value)"),
        ("warmup_steps=100", "train.warmup_steps (the same value)"),
        ("model.load_in_4bit=true", "model.quantisation (nf4 or fp4 for true)"),
        ("output_dir=out", "zoo train --run-id NAME"),
    ],
)
def test_a_setting_of_another_trainer_is_an_error_that_names_ours(setting: str, expected: str) -> None:
    name = setting.partition("=")[0]
    done = zoo("train", "arithmetic/tiny", setting)
    one_line(done, f'override "{setting}": unknown setting "{name}"; expected {expected}', "docs/recipes.md")
    assert "did you mean" not in done.stderr


def test_a_recipe_file_of_another_trainer_is_reported_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "lora_sft.yaml"
    path.write_text("### model\nmodel_name_or_path: Qwen/Qwen3-0.6B\nfinetuning_type: lora\nlora_rank: 8\n")
    one_line(zoo("train", str(path)), f"{path}:2", 'unknown setting "model_name_or_path"; expected model.backbone')
    path.write_text(
        "domain: arithmetic\nmodel:\n  backbone: a/b\ntrain:\n  lr: 1e-4\n  gradient_accumulation_steps: 8\n"
    )
    one_line(zoo("train", str(path)), f"{path}:6", "expected train.batch (examples per update")


def test_a_typo_in_a_recipe_file_is_reported_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("domain: arithmetic\nmodel:\n  backbone: scratch:llama-1x32\n  tokeniser: digits\n")
    one_line(zoo("train", str(path)), f"{path}:4", 'unknown setting "model.tokeniser"', 'did you mean "tokenizer"?')


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("train", "arithmetic/tinny"), 'did you mean "arithmetic/tiny"?'),
        (("train", "arithmetics/tiny"), 'did you mean "arithmetic"?'),
        (("train", "absent.yaml"), "no file absent.yaml"),
        (("train", "arithmetic/tiny", "train.steps"), "dotted.key=value"),
        (("train", "arithmetic/tiny", "train.steps=-1"), "train.steps = -1"),
        (("train", "arithmetic/tiny", "model.backbone=scratch:lama-1x32"), "scratch:llama-<layers>x<width>"),
        (("train", "arithmetic/tiny", "model.tokenizer=digit"), "digits"),
        (("train", "arithmetic/tiny", "method.name=lorra"), 'did you mean "lora"?'),
        (("train", "arithmetic/tiny", "data.world={operation: [add]}"), 'did you mean "operations"?'),
        (("train", "arithmetic/tiny", "data.sources=[wurld]"), 'did you mean "world"?'),
        (("data", "arithmetic/tiny", "data.sources=[goat]", "data.path=absent.json"), "absent.json"),
        (("eval", "arithmetic", "--model", "absent"), 'no model "absent"'),
        (("report", "absent"), "no run in absent"),
        (("predict", "arithmetic", "absent.jsonl"), "absent.jsonl"),
        (("fetch", "smollm2-135n"), "smollm2-135m"),
    ],
)
def test_a_user_mistake_is_one_line_on_stderr_and_exit_code_2(
    arguments: tuple[str, ...], expected: str, tmp_path: Path
) -> None:
    one_line(
        zoo(*arguments[:2], *(TINY if arguments[1] == "arithmetic/tiny" else ()), *arguments[2:], cwd=tmp_path),
        expected,
    )


def test_debug_shows_the_traceback() -> None:
    with pytest.raises(ZooError):
        zoo("--debug", "train", "arithmetic/tiny", "train.lrr=1")


def test_the_installed_command_reports_a_typo_in_one_line() -> None:
    """The entry point itself, in a process of its own."""
    command = Path(sys.executable).with_name("zoo")
    done = subprocess.run(
        [command, "train", "arithmetic/tiny", "train.lrr=1"], capture_output=True, text=True, timeout=120
    )
    one_line(done, 'did you mean "lr"?')


def test_a_cut_target_is_an_error(tmp_path: Path) -> None:
    one_line(
        zoo("train", "arithmetic/tiny", *TINY, "model.max_tokens=12", cwd=tmp_path),
        "would be cut",
        "model.max_tokens = 12",
    )


def test_a_finished_run_is_not_overwritten(run: Path) -> None:
    before = (run / "manifest.json").read_bytes()
    one_line(zoo("train", "arithmetic/tiny", *TINY, "--run-id", run.name, cwd=run.parents[3]), "is finished")
    assert (run / "manifest.json").read_bytes() == before


def test_reproduce_does_not_retrain_a_finished_run(run: Path) -> None:
    weights = (run / "model" / "model.safetensors").stat().st_mtime_ns
    done = zoo("reproduce", "arithmetic/tiny", *TINY, cwd=run.parents[3])
    assert done.returncode == 0, done.stderr
    assert (run / "model" / "model.safetensors").stat().st_mtime_ns == weights
    assert "report.html" in done.stdout
    assert "zoo demo arithmetic --model" in done.stdout


def test_a_run_has_all_its_files_systems_and_intervals(run: Path) -> None:
    names = "recipe.yaml manifest.json metrics.jsonl predictions.jsonl scores.json card.json lengths.json report.html"
    assert [n for n in names.split() if not (run / n).is_file()] == []
    assert not list(run.rglob("*.tmp"))
    scores = json.loads((run / "scores.json").read_text())
    assert set(scores["systems"]) == {"model", "copy", "constant", "nearest", "untuned"}
    assert scores["n"] == 30
    for system in scores["systems"].values():
        assert all(f["low"] <= f["value"] <= f["high"] and f["n"] > 0 for f in system["figures"])


def test_predict_keeps_order_and_columns_and_resumes_after_a_kill(run: Path, tmp_path: Path) -> None:
    rows = [{"instruction": f"What is {n} + {n}?", "input": f"{n} + {n}", "mine": n} for n in range(40)]
    source, complete, partial = tmp_path / "in.jsonl", tmp_path / "complete.jsonl", tmp_path / "partial.jsonl"
    source.write_text("".join(json.dumps(r) + "\n" for r in rows))
    assert zoo("predict", "arithmetic", str(source), "-o", str(complete), "--model", str(run)).returncode == 0
    lines = complete.read_text().splitlines()
    assert [{k: v for k, v in json.loads(line).items() if k != "prediction"} for line in lines] == rows
    # what a killed call leaves: some complete lines, and the beginning of one
    partial.write_text("\n".join(lines[:7]) + "\n" + lines[7][:20])
    (tmp_path / "partial.jsonl.from.json").write_text((tmp_path / "complete.jsonl.from.json").read_text())
    done = zoo("predict", "arithmetic", str(source), "-o", str(partial), "--model", str(run), "--json")
    summary = {"rows": 40, "answered": 33, "output": str(partial), "model": str(run), "knows": ""}
    assert json.loads(done.stdout) == summary
    assert partial.read_text() == complete.read_text()


def test_predict_reads_standard_input(run: Path) -> None:
    done = zoo("predict", "arithmetic", "-", "--model", str(run), stdin='{"instruction": "What is 2 + 3?"}\n')
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["instruction"] == "What is 2 + 3?"
    assert "prediction" in json.loads(done.stdout)


def test_predict_refuses_an_output_of_another_model(run: Path, tmp_path: Path) -> None:
    source, output = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text('{"instruction": "What is 2 + 3?"}\n')
    output.write_text("")
    one_line(
        zoo("predict", "arithmetic", str(source), "-o", str(output), "--model", str(run)),
        "zoo predict did not write it",
    )
    (tmp_path / "out.jsonl.from.json").write_text('{"model": "another"}')
    one_line(zoo("predict", "arithmetic", str(source), "-o", str(output), "--model", str(run)), "another model")


def test_a_malformed_line_is_reported_with_its_number(run: Path, tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text('{"instruction": "What is 2 + 3?"}\n{"instruction": \n')
    one_line(zoo("predict", "arithmetic", str(source), "--model", str(run)), f"{source}:2")
    source.write_text("")
    one_line(zoo("predict", "arithmetic", str(source), "--model", str(run)), str(source))


def test_score_matches_answers_by_id_and_counts_missing_ones_as_wrong(tmp_path: Path) -> None:
    gold, pred = tmp_path / "gold.jsonl", tmp_path / "pred.jsonl"
    rows = [
        {"id": str(n), "instruction": f"{n} + 1", "input": f"{n} + 1", "output": f"{n} + 1 = {n + 1}"} for n in range(4)
    ]
    gold.write_text("".join(json.dumps(r) + "\n" for r in rows))
    answers = [{"id": str(n), "prediction": f"{n} + 1 = {n + 1}"} for n in (2, 0, 1)]
    pred.write_text("".join(json.dumps(a) + "\n" for a in answers))
    result = json.loads(zoo("score", "arithmetic", "--gold", str(gold), "--pred", str(pred), "--json").stdout)
    assert result["n"] == 4
    assert result["counts"]["unanswered"] == 1
    assert next(f["value"] for f in result["figures"] if f["metric"] == "exact match" and f["group"] == "all") == 0.75
    pred.write_text(pred.read_text() + '{"id": "2", "prediction": "3"}\n')
    one_line(zoo("score", "arithmetic", "--gold", str(gold), "--pred", str(pred)), f"{pred}:4", "answered twice")
    one_line(
        zoo("score", "arithmetic", "--gold", str(gold), "--pred", str(pred), "--scorer", "strikt"),
        'did you mean "strict"?',
    )


def test_a_corrupted_model_is_a_clear_error(run: Path, tmp_path: Path) -> None:
    import shutil

    broken = tmp_path / "broken"
    shutil.copytree(run, broken)
    path = broken / "model" / "model.safetensors"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    one_line(zoo("eval", "arithmetic", "--model", str(broken)), "cannot load")


def test_explain_shows_which_tokens_are_supervised(tmp_path: Path) -> None:
    page = tmp_path / "row.html"
    done = zoo("explain", "arithmetic/tiny", *TINY, "--row", "3", "--html", str(page), "--json")
    result = json.loads(done.stdout)
    target = "".join(t["text"] for t in result["tokens"] if t["supervised"])
    prompt = "".join(t["text"] for t in result["tokens"] if not t["supervised"])
    assert prompt.endswith("\nAnswer: ")
    assert target.endswith("<eos>")
    assert 0 < result["supervised_share"] < 1
    assert 0 <= result["padding_share"] < 1
    assert 'class="target"' in page.read_text()
    one_line(zoo("explain", "arithmetic/tiny", *TINY, "--row", "100000"), "no training row 100000")


def test_plan_gives_steps_parameters_seconds_per_step_and_memory() -> None:
    result = json.loads(zoo("plan", "arithmetic/tiny", *TINY, "method.name=lora", "--json").stdout)
    assert result["steps"] == 6
    assert 0 < result["parameters"]["trained"] < result["parameters"]["total"]
    assert result["seconds_per_step"] > 0
    memory = result["memory_gb"]
    assert set(memory) == {"weights", "gradients", "optimizer", "activations", "process", "sum"}
    assert 0.2 < memory["process"] < memory["sum"] < 3, "interpreter and libraries are in it"


def test_an_exported_model_is_checked_and_loads_in_transformers(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "plain"
    done = zoo("export", "arithmetic", "-o", str(out), "--model", str(run), "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["checked"] == 30
    from transformers import AutoModelForCausalLM, AutoTokenizer

    AutoModelForCausalLM.from_pretrained(out)
    assert AutoTokenizer.from_pretrained(out).eos_token
    one_line(zoo("export", "arithmetic", "-o", str(out), "--model", str(run)), "exists")


@pytest.mark.parametrize("form", ["messages", "alpaca", "sharegpt"])
def test_data_exports_every_split_with_a_line_per_training_row(form: str, tmp_path: Path) -> None:
    done = zoo("data", "arithmetic/tiny", *TINY, "--export", form, "-o", str(tmp_path / form), "--json")
    result = json.loads(done.stdout)
    assert len(result["exported"]) == 3
    train = next(Path(p) for p in result["exported"] if "train" in Path(p).name)
    assert len(train.read_text().splitlines()) >= result["card"]["counts"]["train"]


def test_data_prints_tables_of_splits_duplicates_and_contamination() -> None:
    done = zoo("data", "arithmetic/tiny", *TINY)
    assert done.returncode == 0, done.stderr
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert "split rows given rows kept items how it was split" in lines
    assert any(line.startswith("train 400 ") and line.endswith("by the source") for line in lines)
    assert any(line.startswith("dropped rows (duplicates and contamination)") for line in lines)
    assert "train validation 20 0 0 0" in lines
    assert "{" not in done.stdout


def test_list_and_fetch_list_write_valid_json() -> None:
    for arguments in (("list",), ("fetch", "--list")):
        assert json.loads(zoo(*arguments, "--json").stdout)


def test_score_pairs_plain_text_lines_with_gold_rows_in_order(tmp_path: Path) -> None:
    """Answers as lines of text stand in the gold file's order, an empty line being an empty answer."""
    gold, pred = tmp_path / "gold.jsonl", tmp_path / "pred.txt"
    rows = [{"instruction": f"{n} + 1", "input": f"{n} + 1", "output": f"{n} + 1 = {n + 1}"} for n in range(3)]
    gold.write_text("".join(json.dumps(r) + "\n" for r in rows))
    pred.write_text("0 + 1 = 1\n\n2 + 1 = 3\n")
    result = json.loads(zoo("score", "arithmetic", "--gold", str(gold), "--pred", str(pred), "--json").stdout)
    assert (result["counts"]["right"], result["counts"]["no text"], result["counts"]["unanswered"]) == (2, 1, 0)
    one_line(zoo("score", "arithmetic", "--gold", str(gold), "--pred", str(pred), "--task", "add"), "--task")
    pred.write_bytes(b"\xff\xfe")
    one_line(zoo("score", "arithmetic", "--gold", str(gold), "--pred", str(pred)), "pred.txt:1: byte 0xff is not UTF-8")
