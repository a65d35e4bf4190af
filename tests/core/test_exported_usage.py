"""The code in the README of an exported model answers as the model does, and needs nothing of instructzoo."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from test_cli import TINY

from instructzoo.core import api
from instructzoo.core.infer import usage_snippet
from instructzoo.core.report.exported_card import run_code

WITHOUT_INSTRUCTZOO = (
    "import runpy, sys; sys.modules['instructzoo'] = None; sys.path.insert(0, ''); runpy.run_path(sys.argv[1])"
)


def blocks(folder: Path, language: str) -> list[str]:
    """The blocks of a language in the README of a model."""
    text = (folder / "README.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)


def run_alone(folder: Path) -> str:
    """What the code of a README prints in a process of its own that cannot import instructzoo."""
    (code,) = blocks(folder, "python")
    script = folder / "usage.py"
    script.write_text(code, encoding="utf-8")
    command = [sys.executable, "-I", "-c", WITHOUT_INSTRUCTZOO, str(script)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "domain", ["arithmetic", *(pytest.param(name, marks=pytest.mark.slow) for name in ("absa", "uie", "pix2pix"))]
)
def test_the_code_of_an_exported_model_answers_without_instructzoo(domain: str, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    assert api.export(domain, str(folder), "tiny")["usage"] == "run"
    printed, prompt = blocks(folder, "text")
    before = tmp_path / "before.png"
    if domain == "pix2pix":
        shutil.move(folder / "example-edited.png", before)
    assert run_alone(folder).rstrip() == printed.rstrip()
    if domain == "pix2pix":
        assert (folder / "example-edited.png").read_bytes() == before.read_bytes()
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert prompt.strip()
    assert "instructzoo" not in blocks(folder, "python")[0]
    if domain in ("absa", "uie"):
        assert "constrain decoding to the grammar" in text
        measured = r"Measured on the test split, 2,000 rows: F1 [\d.]+ \[.*\] with the grammar and [\d.]+ \["
        assert re.search(measured, text)
    else:
        assert "Nothing: this model is decoded without a grammar" in text


def test_a_merged_adapter_is_asked_by_code_that_was_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    lora = ["method={name: lora, rank: 4, targets: all-linear}", "model.weights=float32"]
    run = api.train("arithmetic/tiny", [*TINY, *lora], quiet=True)["run"]
    result = api.export("arithmetic", "merged", run, half=True)
    assert result["usage"] == "run"
    text = Path("merged/README.md").read_text(encoding="utf-8")
    assert "gave the same answer as `zoo predict`" in text
    assert not list(Path("merged").glob("*adapter*"))
    assert not Path("merged/usage.py").exists()


def test_code_that_answers_otherwise_is_said_in_the_readme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage_snippet, "usage_snippet", lambda *_: "print('no')\n")
    assert api.export("arithmetic", str(tmp_path / "model"), "tiny")["usage"] == "it printed 'no'"
    text = (tmp_path / "model" / "README.md").read_text(encoding="utf-8")
    assert "did not give the model's answer when it was exported: it printed 'no'" in text


def test_code_that_fails_is_an_error_in_one_line_and_leaves_no_file(tmp_path: Path) -> None:
    assert run_code("print(1)\n1 / 0\n", tmp_path) == ("1\n", "ZeroDivisionError: division by zero")
    assert run_code("import os; print(os.listdir())", tmp_path) == ("['usage.py']\n", "")
    assert not list(tmp_path.iterdir())
