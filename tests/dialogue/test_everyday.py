"""The everyday turns: forty, with their truth, and with intents that no training corpus has."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest

from instructzoo.core.data import read_jsonl
from instructzoo.dialogue import metrics, prompts, world
from instructzoo.dialogue.data.field_format import split_fields
from instructzoo.dialogue.data.row_fields import options_of

FILE = Path(__file__).with_name("everyday.jsonl")
ROWS = [row for _, row in read_jsonl(FILE)]
INTENTS = options_of(ROWS[0])


def words(label: str) -> str:
    """A label as corpora spell it, such as "AddToPlaylist" or "card_arrival", in plain words."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|[_#?]", " ", label).casefold().strip()


def test_everyday_turns_are_well_formed_and_offer_the_same_intents_in_one_order() -> None:
    assert len(ROWS) == len({row["input"] for row in ROWS}) == len({row["id"] for row in ROWS}) == 40
    assert 12 <= len(INTENTS) <= 16
    for row in ROWS:
        assert (row["task"], row["dataset"], row["source"]) == ("intent_classification", "everyday", "everyday")
        assert options_of(row) == INTENTS
        assert [field for field, _ in split_fields(row["input"])] == ["CONTEXT", "RESPONSE"]
        assert prompts.parse(row["output"], row) == prompts.Answer(row["output"])
    assert all(metrics.correct(ROWS, [row["output"] for row in ROWS], "strict"))


def test_everyday_turns_vary_in_length_and_cover_every_intent_some_after_other_turns() -> None:
    texts = [dict(split_fields(row["input"])) for row in ROWS]
    lengths = [len(fields["RESPONSE"].split()) for fields in texts]
    assert min(lengths) <= 6 and max(lengths) >= 20
    assert 5 <= sum(bool(fields["CONTEXT"]) for fields in texts) <= 20
    counts = [sum(row["output"] == intent for row in ROWS) for intent in INTENTS]
    assert min(counts) >= 2 and max(counts) <= 4


def test_no_everyday_intent_is_one_of_the_microworld() -> None:
    rows = world.generate(300, 0, "train")
    assert not {words(option) for row in rows for option in options_of(row)} & set(map(words, INTENTS))


@pytest.mark.realdata
def test_no_everyday_intent_is_a_label_of_a_training_corpus(realdata: Path) -> None:
    folder = realdata / "intent_slot"
    labels = set[str]()
    for file in folder.glob("*/*/label"):
        labels |= set(file.read_text(encoding="utf-8").splitlines())
    labels |= {path.name for path in (folder / "snips_cc0_raw").iterdir() if path.is_dir()}
    labels |= set(json.loads((folder / "banking77" / "categories.json").read_text(encoding="utf-8")))
    labels |= {row["category"] for row in csv.DictReader((folder / "banking77" / "train.csv").open(encoding="utf-8"))}
    clinc = json.loads((folder / "clinc150" / "domains.json").read_text(encoding="utf-8"))
    labels |= {intent for intents in clinc.values() for intent in intents}
    assert len(labels) > 300
    assert not set(map(words, labels)) & set(map(words, INTENTS))
