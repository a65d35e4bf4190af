"""The files of a run, of a model and of a recipe are read or refused, whatever was done to them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fuzzing import fuzzed, mutated, reads_or_refuses
from test_report import make_run, scores_json

from instructzoo.core import recipe as recipes
from instructzoo.core import report, runs
from instructzoo.core.report import results_table
from instructzoo.core.runs import Run

QUICK, SLOW = 10, 300

RECIPE = b"""domain: arithmetic
title: sums
data: {sources: [world], sizes: {train: 9, validation: 1, test: 1}}
model: {backbone: "scratch:llama-1x32", tokenizer: digits, max_tokens: 64}
method: {name: lora, rank: 4, alpha: 8}
train: {steps: 2, batch: 2, lr: 1e-3}
seed: 0
"""
MANIFEST = {
    "state": "finished", "fingerprint": "a", "command": "zoo train", "started": "2026-11-27T19:49:50Z", "seed": 0,
    "versions": {"torch": "2.13.0"}, "hardware": {"processor": "x", "cores": 2}, "warnings": ["x"],
}  # fmt: skip
DRAWN = ("metrics.jsonl", "lengths.json")
FILES = ("manifest.json", "scores.json", "predictions.jsonl", "card.json", "recipe.yaml", *DRAWN)


def read_run(folder: Path) -> None:
    run = Run(folder)
    assert isinstance(run.manifest(), dict) and isinstance(run.finished, bool)
    runs.warnings_of(run.manifest())
    if (folder / "recipe.yaml").is_file():
        run.recipe()


def read_report(folder: Path) -> None:
    report.render(report.content(folder))


def fuzz(path: Path, valid: bytes, read: Callable[[], Any], examples: int) -> None:
    path.write_bytes(valid)
    read()

    @fuzzed(mutated([valid]), examples)
    def reads(content: bytes) -> None:
        path.write_bytes(content)
        reads_or_refuses(read)

    reads()


def small_run(folder: Path) -> Path:
    """A complete run folder whose curves are short: each example draws them."""
    make_run(folder)
    metrics = (folder / "metrics.jsonl").read_bytes().splitlines(keepends=True)
    (folder / "metrics.jsonl").write_bytes(b"".join([*metrics[:2], metrics[-1]]))
    answers = (folder / "predictions.jsonl").read_bytes().splitlines(keepends=True)
    (folder / "predictions.jsonl").write_bytes(b"".join(answers[:3]))
    (folder / "manifest.json").write_text(json.dumps(MANIFEST), encoding="utf-8")
    return folder


def fuzz_report(folder: Path, name: str, examples: int) -> None:
    run = small_run(folder)
    for other in {*DRAWN} - {name}:
        (run / other).unlink()
    fuzz(run / name, (run / name).read_bytes(), lambda: read_report(run), examples)


def fuzz_recipe(folder: Path, examples: int) -> None:
    path = folder / "mine.yaml"
    fuzz(path, RECIPE, lambda: recipes.load(str(path)), examples)


def fuzz_manifest(folder: Path, examples: int) -> None:
    fuzz(folder / "manifest.json", json.dumps(MANIFEST).encode(), lambda: read_run(folder), examples)


def fuzz_scores(folder: Path, examples: int) -> None:
    path = folder / "scores.json"
    fuzz(path, json.dumps(scores_json()).encode(), lambda: results_table(runs.read_json(path)), examples)


FUZZED = {"recipe.yaml": fuzz_recipe, "manifest.json": fuzz_manifest, "scores.json": fuzz_scores}


@pytest.mark.parametrize("name", FUZZED)
def test_a_damaged_file_of_a_run_is_read_or_refused(tmp_path: Path, name: str) -> None:
    FUZZED[name](tmp_path, QUICK)


@pytest.mark.parametrize("name", [name for name in FILES if name not in DRAWN])  # drawing takes long
def test_a_report_opens_a_run_with_a_damaged_file(tmp_path: Path, name: str) -> None:
    fuzz_report(tmp_path, name, 3)


@pytest.mark.slow
@pytest.mark.parametrize("name", FUZZED)
def test_thousands_of_damaged_files_of_a_run_are_read_or_refused(tmp_path: Path, name: str) -> None:
    FUZZED[name](tmp_path, SLOW)


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_a_report_opens_runs_with_hundreds_of_kinds_of_damage(tmp_path: Path, name: str) -> None:
    fuzz_report(tmp_path, name, SLOW // (30 if name in DRAWN else 3))
