"""The everyday reviews: forty, with their truth in the domain's row format."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

from instructzoo.absa import metrics, prompts
from instructzoo.core import runs
from instructzoo.core.data import read_jsonl
from instructzoo.core.record import Invalid

FILE = Path(__file__).with_name("everyday.jsonl")
ROWS = [row for _, row in read_jsonl(FILE)]


def test_everyday_reviews_state_their_truth_in_words_of_the_review() -> None:
    assert len({row["input"] for row in ROWS if row["task"] == "aesc"}) == 40
    for row in ROWS:
        answer = prompts.parse(row["output"], row)
        assert not isinstance(answer, Invalid), row["input"]
        spans = [span for quad in answer.quads for span in (quad.aspect, quad.opinion) if span]
        assert all(span in row["input"] for span in spans), row["input"]
    assert all(metrics.correct(ROWS, [row["output"] for row in ROWS], "strict"))


def test_the_recorded_scores_of_small_are_of_these_reviews() -> None:
    everyday = resources.files("instructzoo.absa") / "weights" / "small" / "everyday.json"
    scores = json.loads(everyday.read_text())
    assert (scores["data"], scores["n"]) == (runs.sha256(FILE)[:16], len(ROWS))
    assert scores["rows"] == {"file": "tests/absa/everyday.jsonl"}
