"""The prompt formats of published checkpoints of information extraction."""

from __future__ import annotations

from typing import Any

import pytest

from instructzoo.core import domain as domains
from instructzoo.core.errors import ZooError
from instructzoo.core.record import Invalid
from instructzoo.uie import prompts, world
from instructzoo.uie.prompts.dialects import instructuie
from instructzoo.uie.schema import TASKS, Annotation, Event, Labels, Mention, Relation

SENTENCE = "Ann's firm, Bell, Book & Co; moved to St. John's (Antigua): it paid $3,000."
LABELS = {
    "types": Labels(("person", "company: legal", "place", "sum")),
    "relations": Labels(("moved to", "owner of")),
    "events": Labels(("a firm's move",), ("who", "where to")),
}


def row_of(annotation: Annotation, task: str, labels: Labels) -> dict[str, Any]:
    return prompts.make_row(
        SENTENCE, annotation, task, labels, "", 0, source="", licence="", event="a firm's move" if task == "eea" else ""
    )


def rendered(row: dict[str, Any]) -> tuple[str, str]:
    question, target = instructuie.render(row)
    assert (question.supervised, target.supervised) == (False, True)
    return question.text, target.text


def same(row: dict[str, Any]) -> bool:
    """Whether the target of the dialect reads as the row's own output does."""
    own = prompts.parse(row["output"], row)
    assert not isinstance(own, Invalid), row
    return instructuie.parse(rendered(row)[1], row) == own


@pytest.mark.parametrize("task", TASKS)
def test_what_the_dialect_writes_it_reads_back_in_rows_of_every_task(task: str) -> None:
    rows = list(world.generate(150, 3, "train", world.Settings(tasks={task: 1})))
    assert {row["task"] for row in rows} == {task}
    assert all(map(same, rows))
    assert len({row["output"] for row in rows}) > 20


def test_spans_and_labels_with_the_marks_of_the_format_are_read_back() -> None:
    ann, firm = Mention("person", "Ann"), Mention("company: legal", "Bell, Book & Co; moved")
    place, paid = Mention("place", "St. John's (Antigua)"), Mention("sum", "$3,000")
    assert same(row_of(Annotation((ann, firm, place, paid)), "ner", LABELS["types"]))
    relation = Relation("moved to", Mention("", firm.text), Mention("", place.text))
    assert same(row_of(Annotation(relations=(relation,)), "re", LABELS["relations"]))
    arguments = (Mention("who", "Bell, Book & Co"), Mention("where to", place.text))
    event = Event("a firm's move", Mention("", "St. John's"), arguments)
    for task, labels in (("ee", LABELS["events"]), ("eet", Labels(("a firm's move",)))):
        assert same(row_of(Annotation(events=(event,)), task, labels)), task
    assert same(row_of(Annotation(events=(event,)), "eea", Labels(("who", "where to"))))


def test_the_prompt_is_that_of_the_authors_code() -> None:
    row = {"task": "ner", "options": ["person", "city"], "input": "Ann lives in Oslo.", "output": "city: Oslo"}
    question, target = rendered(row)
    assert question == (
        "Please list all entity words in the text that fit the category."
        'Output format is "type1: word1; type2: word2". \n'
        "Option: person, city \nText: Ann lives in Oslo. \nAnswer:"
    )
    assert target == " city: Oslo"
    event = {"task": "ee", "options": {"events": ["attack"], "roles": ["victim"]}, "input": "x"}
    assert "Option: Event type: ['attack'], Arguments type: ['victim']. \nText: x \nAnswer:" in rendered(event)[0]
    typing = {"task": "et", "options": ["person"], "given": ["Ann", "Bo"], "input": "Ann, Bo"}
    assert rendered(typing)[0].endswith("Text: Ann, Bo \n Entities: Ann, Bo \nAnswer:")
    arguments = {"task": "eea", "options": ["victim"], "given": "attack", "input": "x"}
    assert " \nEvent type: attack \nOption: victim \nText: x \nAnswer:" in rendered(arguments)[0]


@pytest.mark.parametrize(
    ("task", "text", "own"),
    [
        ("ner", "person: Ann; company: legal: Bell, Book & Co", 'person: Ann; "company: legal": "Bell, Book & Co"'),
        ("ner", " None", "None"),
        ("ner", "person: Ann;", "person: Ann"),
        ("ner", "animal: Ann", "animal: Ann"),
        ("ner", "Ann", None),
        ("re", "moved to: Bell, Book & Co; moved, St. John's", 'moved to: "Bell, Book & Co; moved", St. John\'s'),
        ("re", "moved to: Bell", None),
        ("es", "Ann, $3,000", "Ann, $3, 000"),
        ("ee", "( a firm#$%#s move: moved, Ann: who) , ( a firm#$%#s move: paid, None)",
         "( a firm's move: moved, who: Ann), ( a firm's move: paid)"),
        ("ee", "( a firm's move: moved", None),
        ("eet", "a firm#$%#s move: moved", "a firm's move: moved"),
        ("eea", "Ann: who; St. John's: where to", "who: Ann; where to: St. John's"),
        ("eea", "who", None),
        ("ner", "", None),
    ],
)  # fmt: skip
def test_answers_of_the_checkpoint_are_rewritten_in_the_own_format(task: str, text: str, own: str | None) -> None:
    options: Any = ["person", "company: legal", "moved to", "a firm's move", "who", "where to"]
    if task == "ee":
        options = {"events": ["a firm's move"], "roles": ["who", "where to"]}
    row = {"task": task, "options": options, "input": SENTENCE, "given": "a firm's move" if task == "eea" else ""}
    assert instructuie.rewrite(text, row) == (own or "")
    assert isinstance(instructuie.parse(text, row), Invalid) == (own is None)


def test_long_answers_are_read_in_linear_time() -> None:
    row = {"task": "ner", "options": ["person"], "input": "Ann; " * 2_000}
    answer = instructuie.parse("; ".join(["person: Ann"] * 2_000), row)
    assert not isinstance(answer, Invalid)
    assert len(answer.annotation.entities) == 2_000


def test_an_output_that_is_no_answer_is_an_error() -> None:
    with pytest.raises(ZooError, match='the output "Ann"'):
        instructuie.render({"task": "ner", "options": ["person"], "input": "Ann", "output": "Ann"})


def test_the_dialect_is_found_by_its_name_and_an_unknown_one_is_an_error() -> None:
    uie = domains.get("uie")
    assert uie.prompts("instructuie") is instructuie
    assert uie.prompts() is prompts
    with pytest.raises(ZooError, match='uie has no prompt dialect "instructui"; did you mean "instructuie"'):
        uie.prompts("instructui")
    with pytest.raises(ZooError, match='arithmetic has no prompt dialect "goat"'):
        domains.get("arithmetic").prompts("goat")
