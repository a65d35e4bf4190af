"""zoo eval --rows: a file of rows takes the place of the test split, and its tables name it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from instructzoo.core import api
from instructzoo.core.errors import ZooError
from instructzoo.core.report import update_readme
from instructzoo.core.terminal import printers

SUMS = ((348, 77), (12, 30), (5, 9), (1024, 8))


def row(left: int, right: int) -> dict[str, str]:
    answer, digits = str(left + right), f"{len(str(left))}D+{len(str(right))}D"
    columns = {"instruction": f"What is {left} + {right}?", "input": f"{left} + {right}"}
    return columns | {"output": f"{left} + {right} = {answer}", "answer": answer, "operation": "add", "digits": digits}


def write_rows(path: Path, rows: list[dict[str, str]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def questions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of sums below the working directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    return write_rows(tmp_path / "mine" / "sums.jsonl", [row(*pair) for pair in SUMS])


def test_the_rows_of_a_file_are_scored_without_the_baselines_that_need_training_rows(
    questions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scores = api.eval("arithmetic", rows=str(questions), output="scores.json", quiet=True)
    assert (scores["part"], scores["rows"], scores["n"]) == ("file", {"file": "mine/sums.jsonl"}, 4)
    assert {"model", "copy"} <= set(scores["systems"]) <= {"model", "copy", "untuned"}
    figure = scores["systems"]["model"]["figures"][0]
    assert (figure["metric"], figure["value"], figure["n"]) == ("exact match", 1.0, 4)
    assert 0 < figure["low"] < 1  # four rows say little
    assert not scores["paper"]
    assert "recorded" not in scores
    assert json.loads(Path("scores.json").read_text()) == json.loads(json.dumps(scores))
    printers.scores(scores)
    assert "rows of mine/sums.jsonl, 4 rows" in capsys.readouterr().out


def test_the_table_of_a_file_names_it_and_says_that_nobody_chose_on_it(questions: Path) -> None:
    api.eval("arithmetic", rows=str(questions), baselines=False, output="scores.json", quiet=True)
    page = Path("README.md")
    page.write_text("<!-- results:arithmetic/everyday -->\n<!-- /results -->\n")
    assert update_readme(page, {"arithmetic/everyday": Path("scores.json")})
    text = page.read_text()
    assert "4 rows of `mine/sums.jsonl`, backbone" in text
    assert "test split" not in text
    assert "Goat" not in text  # published results are of other rows


def test_a_limit_samples_the_rows_of_a_file(questions: Path) -> None:
    assert api.eval("arithmetic", rows=str(questions), limit=3, baselines=False, quiet=True)["n"] == 3


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([row(1, 2), {"input": "1 + 2"}], 'bad.jsonl:2: no "instruction"'),
        ([row(1, 2), row(3, 4) | {"output": " "}], "bad.jsonl:2: the row has no output"),
        ([], "bad.jsonl"),
    ],
)
def test_a_malformed_file_of_rows_is_an_error_with_its_line(
    tmp_path: Path, rows: list[dict[str, Any]], message: str
) -> None:
    with pytest.raises(ZooError) as raised:
        api.eval("arithmetic", rows=str(write_rows(tmp_path / "bad.jsonl", rows)), quiet=True)
    assert message in str(raised.value)


def test_scores_replace_scores_and_no_other_file(questions: Path) -> None:
    before = questions.read_bytes()
    with pytest.raises(ZooError, match=r"sums\.jsonl"):
        api.eval("arithmetic", rows=str(questions), output=str(questions), quiet=True)
    assert questions.read_bytes() == before
    for _ in range(2):
        api.eval("arithmetic", rows=str(questions), baselines=False, output="scores.json", quiet=True)
