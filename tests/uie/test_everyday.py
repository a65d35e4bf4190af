"""The everyday sentences: forty, with their truth in the domain's row format."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

from instructzoo.core import runs
from instructzoo.core.data import read_jsonl
from instructzoo.uie import metrics, prompts, schema
from instructzoo.uie.data.row_fields import labels_of

FILE = Path(__file__).with_name("everyday.jsonl")
ROWS = [row for _, row in read_jsonl(FILE)]
USUAL_LABELS = {"person", "organisation", "place"}


def test_everyday_sentences_state_their_truth_at_its_place() -> None:
    assert len(ROWS) == len({row["input"] for row in ROWS}) == 40
    for row in ROWS:
        gold = schema.from_json(row["gold"])
        assert prompts.parse(row["output"], row) == prompts.Answer(gold)
        assert all(row["input"][mention.start : mention.end] == mention.text for mention in gold.entities)
        assert {mention.type for mention in gold.entities} <= set(labels_of(row).types)
    assert all(metrics.correct(ROWS, [row["output"] for row in ROWS], "strict"))


def test_everyday_sentences_vary_labels_and_some_have_no_entity() -> None:
    unusual = [row for row in ROWS if set(labels_of(row).types) != USUAL_LABELS]
    assert 40 / 4 <= len(unusual) <= 40 / 2
    assert 3 <= sum(not schema.from_json(row["gold"]).entities for row in ROWS) <= 6


def test_the_recorded_scores_of_small_are_of_these_sentences() -> None:
    everyday = resources.files("instructzoo.uie") / "weights" / "small" / "everyday.json"
    scores = json.loads(everyday.read_text())
    assert (scores["data"], scores["n"]) == (runs.sha256(FILE)[:16], 40)
    assert scores["rows"] == {"file": "tests/uie/everyday.jsonl"}
