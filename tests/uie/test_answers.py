"""Typed answers of uie: labels of the caller's choice, spans with offsets in the whole text."""

from __future__ import annotations

from typing import Any

import pytest

from instructzoo.core import ZooError
from instructzoo.core import domain as domains
from instructzoo.core.answers.model import typed_model
from instructzoo.core.testing import Scripted
from instructzoo.uie.answers import ENTITY_TYPES

TEXT = "It rained. Ann met Bo in Oslo."


class Knowing(Scripted):
    """Answers the second sentence by its task, and remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__(domains.get("uie"))
        self.texts = {"ner": "person: Ann; person: Bo; city: Oslo", "re": "met: Ann, Bo"}
        self.texts["ee"] = "( meeting: met, place: Oslo)"
        self.asked = list[Any]()

    def answer(self, rows: list[Any]) -> list[str]:
        self.asked += rows
        return [self.texts[row["task"]] if "Ann" in row["input"] else "None" for row in rows]


@pytest.fixture
def model() -> Any:
    return typed_model(domains.get("uie"))(Knowing())


def spans(text: str, rows: list[dict[str, Any]], name: str = "span", prefix: str = "") -> bool:
    return all(text[row[f"{prefix}start"] : row[f"{prefix}end"]] == row[name] for row in rows)


def test_entities_relations_and_events_have_offsets_in_the_whole_text(model: Any) -> None:
    (entities,) = model([TEXT], labels=["person", "city"])
    assert [(m.type, TEXT[m.start : m.end]) for m in entities.entities] == [
        ("person", "Ann"), ("person", "Bo"), ("city", "Oslo")]  # fmt: skip
    (relations,) = model([TEXT], task="re", labels="met, knows")
    (events,) = model([TEXT], task="ee", labels={"meeting": ["place", "time"]})
    for answer, type, span, other in ((relations, "met", "Ann", "Bo"), (events, "meeting", "met", "Oslo")):
        (row,) = answer.to_rows()
        assert (row["type"], row["span"], row["other"]) == (type, span, other)
        assert spans(TEXT, [row]) and spans(TEXT, [row], "other", "other_")
    assert events.to_rows()[0]["role"] == "place"
    assert events.to_dict()["events"][0]["arguments"] == [{"role": "place", "text": "Oslo", "start": 25, "end": 29}]


def test_the_caller_chooses_the_labels_and_a_list_has_every_spelling(model: Any) -> None:
    for labels in (["person", "city"], ("person", "city"), "person, city", "person,city"):
        model([TEXT], labels=labels)
        assert model.predictor.asked[-1]["options"] == '["person", "city"]'
    model([TEXT])
    assert model.predictor.asked[-1]["options"] == '["person", "organization", "location"]'
    assert ENTITY_TYPES == ("person", "organization", "location")
    for labels in ({"attack": ["attacker", "victim"], "move": []}, "attack: attacker, victim; move"):
        model([TEXT], task="ee", labels=labels)
        assert model.predictor.asked[-1]["options"] == '{"events": ["attack", "move"], "roles": ["attacker", "victim"]}'


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"task": "re"}, "no labels for the task re"),
        ({"labels": ["a", "a"]}, '"a" stands twice'),
        ({"labels": []}, "no label"),
        ({"labels": {"attack": ["victim"]}}, "roles belong to the task ee"),
        ({"task": "eet"}, "task"),
    ],
)
def test_labels_that_make_no_sense_are_errors_before_the_model_is_asked(
    model: Any, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ZooError, match=message):
        model([TEXT], **options)
    assert not model.predictor.asked


def test_a_text_without_findings_has_one_line_and_inventions_have_no_offsets(model: Any) -> None:
    (nothing,) = model(["It rained."])
    assert [(row["kind"], row["span"]) for row in nothing.to_rows()] == [("", "")]
    model.predictor.texts = {"ner": "person: Zed"}
    (invented,) = model([TEXT], labels=["person"])
    assert (invented.to_rows()[0]["span"], invented.to_rows()[0]["start"]) == ("Zed", None)
    assert "not in the text" in invented.to_rows()[0]["note"]
