"""eval, score, predict and data: what is recorded, how answers are matched and resumed, what is exported."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import datasets
import pytest
from test_cli import TINY, one_line, zoo

from instructzoo.core import domain as domains
from instructzoo.core import settings
from instructzoo.core.commands.predict import identity
from instructzoo.core.data.split import sampled
from instructzoo.core.infer import Predictor
from instructzoo.core.models import adapters
from instructzoo.core.recipe import Method
from instructzoo.core.terminal import console


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of six steps."""
    done = zoo("reproduce", "arithmetic/tiny", *TINY, "--json", cwd=tmp_path_factory.mktemp("zoo"))
    assert done.returncode == 0, done.stderr
    return Path(json.loads(done.stdout)["run"])


def unchecked_copy(run: Path, folder: Path) -> Path:
    """A copy of a run as earlier versions wrote it: nothing tells that its files are edited here."""
    shutil.copytree(run, folder)
    (folder / "model" / "hashes.json").unlink()
    manifest = json.loads((folder / "manifest.json").read_text())
    del manifest["recipe"]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def written(path: Path, rows: list[dict[str, str]]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def exact_match(scores: dict[str, Any]) -> float:
    return next(float(f["value"]) for f in scores["figures"] if (f["metric"], f["group"]) == ("exact match", "all"))


def test_score_pairs_answers_by_id_and_refuses_ambiguous_ids(tmp_path: Path) -> None:
    """Where one line lacks its id, or two gold rows share one; without ids of the gold rows the line decides."""
    rows = [{"instruction": f"{n} + 1", "input": f"{n} + 1", "output": str(n + 1)} for n in (2, 3)]
    named = [{"id": name, **row} for name, row in zip("ab", rows, strict=True)]
    first, second = {"id": "a", "prediction": "3"}, {"id": "b", "prediction": "4"}

    def scored(gold: list[dict[str, str]], pred: list[dict[str, str]]) -> subprocess.CompletedProcess[str]:
        files = written(tmp_path / "gold.jsonl", gold), written(tmp_path / "pred.jsonl", pred)
        return zoo("score", "arithmetic", "--gold", files[0], "--pred", files[1], "--json")

    one_line(scored(named, [second, {"prediction": "3"}]), "pred.jsonl:2: no id", "give every line one, or none")
    one_line(scored([named[0], rows[1]], [first, second]), "gold.jsonl:2: no id")
    nameless = [{"id": None, **row} for row in rows]
    assert scored(nameless, [{"prediction": "3"}, {"prediction": "4"}]).returncode == 0
    one_line(scored([named[0], named[1] | {"id": "a"}], [first]), "gold.jsonl:2: id a stands twice")
    assert exact_match(json.loads(scored(named, [second, first]).stdout)) == 1.0
    assert exact_match(json.loads(scored(rows, [first, second]).stdout)) == 1.0
    assert exact_match(json.loads(scored(named, [{"prediction": "3"}, {"prediction": "4"}]).stdout)) == 1.0


def test_a_partial_evaluation_does_not_replace_the_recorded_one(run: Path) -> None:
    before = {name: (run / name).read_bytes() for name in ("scores.json", "predictions.jsonl")}
    for options in (("--limit", "5"), ("--no-baselines",)):
        done = zoo("eval", "arithmetic", "--model", str(run), *options)
        assert done.returncode == 0, done.stderr
        assert "nothing was recorded" in done.stdout
        assert {name: (run / name).read_bytes() for name in before} == before
    for limit in ("0", "-15"):
        one_line(zoo("eval", "arithmetic", "--model", str(run), "--limit", limit), f"a limit of {limit} rows")
    scores = json.loads(zoo("eval", "arithmetic", "--model", str(run), "--json").stdout)
    assert scores["recorded"]
    assert (run / "scores.json").read_bytes() != before["scores.json"]  # another command line


def test_the_scores_of_a_file_of_rows_are_not_recorded_in_the_run(run: Path, tmp_path: Path) -> None:
    before = {name: (run / name).read_bytes() for name in ("scores.json", "predictions.jsonl")}
    rows = written(tmp_path / "rows.jsonl", [{"instruction": "What is 2 + 3?", "input": "2 + 3", "output": "5"}])
    done = zoo("eval", "arithmetic", "--model", str(run), "--rows", rows, "-o", str(tmp_path / "scores.json"))
    assert done.returncode == 0, done.stderr
    assert "rows of rows.jsonl, 1 rows" in done.stdout
    assert json.loads((tmp_path / "scores.json").read_text())["n"] == 1
    assert {name: (run / name).read_bytes() for name in before} == before


def test_a_limit_draws_a_reproducible_sample_from_all_rows() -> None:
    rows = datasets.Dataset.from_list([{"id": str(n)} for n in range(100)])
    sample = [int(row["id"]) for row in sampled(rows, 10, 0, "test")]
    assert len(set(sample)) == 10
    assert sample == sorted(sample)
    assert max(sample) > 50
    assert sample == [int(row["id"]) for row in sampled(rows, 10, 0, "test")]
    assert sample != [int(row["id"]) for row in sampled(rows, 10, 1, "test")]
    assert len(sampled(rows, None, 0, "test")) == len(sampled(rows, 100, 0, "test")) == 100


def test_answers_cut_at_max_new_tokens_are_counted_and_shown(run: Path, tmp_path: Path) -> None:
    short = unchecked_copy(run, tmp_path / "short")
    for path in (short / "recipe.yaml", short / "model" / "recipe.yaml"):
        values = settings.parse(path.read_text(), str(path))
        values["decode"]["max_new_tokens"] = 1
        path.write_text(settings.dump(values))
    printed = zoo("eval", "arithmetic", "--model", str(short)).stdout
    scores = json.loads((short / "scores.json").read_text())
    truncated = scores["systems"]["model"]["counts"]["cut at max_new_tokens"]
    assert truncated > 0
    assert "cut at max_new_tokens" in scores["systems"]["untuned"]["counts"]
    assert f"{truncated} of 30 answers were cut at decode.max_new_tokens" in printed


def test_a_model_of_another_domain_is_refused(run: Path, tmp_path: Path) -> None:
    renamed = unchecked_copy(run, tmp_path / "other")
    path = renamed / "model" / "recipe.yaml"
    path.write_text(path.read_text().replace("domain: arithmetic", "domain: absa"))
    rows = written(tmp_path / "in.jsonl", [{"instruction": "2 + 3"}])
    one_line(zoo("eval", "arithmetic", "--model", str(renamed)), "a model of the domain absa", "one of arithmetic")
    one_line(zoo("predict", "arithmetic", rows, "--model", str(renamed)), "a model of the domain absa")


def test_predict_refuses_rows_that_already_have_a_prediction(run: Path, tmp_path: Path) -> None:
    rows = written(tmp_path / "in.jsonl", [{"instruction": "2 + 3"}, {"instruction": "2 + 4", "prediction": "6"}])
    one_line(zoo("predict", "arithmetic", rows, "--model", str(run), "--quiet"), f"{rows}:2", '"prediction" already')


def test_an_overlong_question_keeps_the_answers_before_it(run: Path, tmp_path: Path) -> None:
    rows = [{"instruction": f"{n} + 3"} for n in range(5)]
    source, output = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    written(source, [*rows[:3], {"instruction": "1 + " * 200}, *rows[3:]])
    call = ("predict", "arithmetic", str(source), "-o", str(output), "--model", str(run), "--quiet")
    for _ in range(2):  # a rerun says the same
        one_line(zoo(*call), f"{source}:4", "the question takes")
        assert len(output.read_text().splitlines()) == 3
    written(source, rows)
    assert zoo(*call).returncode == 0
    assert [json.loads(line)["instruction"] for line in output.read_text().splitlines()] == [
        row["instruction"] for row in rows
    ]


def test_the_identity_of_a_model_covers_tokenizer_seed_and_base(run: Path) -> None:
    predictor = Predictor.load(domains.get("arithmetic"), run)
    digest = identity(predictor)
    assert identity(Predictor.load(domains.get("arithmetic"), run)) == digest
    assert identity(replace(predictor, recipe=predictor.recipe.model_copy(update={"seed": 5}))) != digest
    path = run / "model" / "tokenizer.json"
    before = path.read_bytes()
    path.write_bytes(before + b"\n")
    assert identity(predictor) != digest
    path.write_bytes(before)
    adapted = adapters.apply(predictor.loaded.model, Method(name="lora", rank=2))
    tuned = replace(predictor, loaded=replace(predictor.loaded, model=adapted))
    adapted_digest = identity(tuned)
    adapters.unwrap_peft(adapted).get_input_embeddings().weight.data[0] += 1  # not part of the adapter
    assert identity(tuned) != adapted_digest


def test_exported_messages_equal_the_rendered_prompt_and_overwrite_nothing(tmp_path: Path) -> None:
    out = tmp_path / "mine"
    assert zoo("data", "arithmetic/tiny", *TINY, "--export", "messages", "-o", str(out)).returncode == 0
    line = json.loads((out / "train.jsonl").read_text().splitlines()[0])
    rendered = domains.get("arithmetic").module("prompts").render(line["row"], 0)
    assert [message["content"] for message in line["messages"]] == [segment.text.strip() for segment in rendered]
    (out / "test.jsonl").write_text("mine")
    for form in ("messages", "alpaca"):
        one_line(zoo("data", "arithmetic/tiny", *TINY, "--export", form, "-o", str(out)), f"{out} exists")
    assert (out / "test.jsonl").read_text() == "mine"
    one_line(zoo("data", "arithmetic/tiny", *TINY, "-o", str(tmp_path / "x")), "an output and no format", "--export")


def test_answers_are_printed_literally(capsys: pytest.CaptureFixture[str]) -> None:
    for text in ('{"text": ":smile: :x:"}', "[bold]a[/bold]", "x" * 400):
        console.line(text)
        assert capsys.readouterr().out == f"{text}\n"
    console.put(console.table("a :x:", "[red]b"))
    assert "a :x:" in capsys.readouterr().out


def test_folds_are_trained_one_after_the_other_and_their_means_are_one_table(tmp_path: Path) -> None:
    settings = [*TINY, "data.sizes={train: 60, validation: 8, test: 8}", "train.steps=2", "evaluate.baselines=false"]
    done = zoo("reproduce", "arithmetic/tiny", *settings, "--folds", "2", "--json", "--quiet", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert [scores["fold"] for scores in result["scores"]] == ["1/2", "2/2"]
    assert len(set(result["runs"])) == 2
    total = sum(scores["n"] for scores in result["scores"])
    assert f"folds of the training part, {total} rows" in result["table"]
    assert "means of 2 folds" in result["table"]
    again = zoo("reproduce", "arithmetic/tiny", *settings, "--folds", "2", cwd=tmp_path)  # finished runs are only shown
    assert f"folds of the training part, {total} rows; means of 2 folds" in again.stdout
    both = zoo("reproduce", "arithmetic/tiny", *settings, "data.fold=1/2", "--folds", "2", cwd=tmp_path)
    one_line(both, "data.fold beside --folds")
