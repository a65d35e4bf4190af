"""Rasa's YAML: examples become utterances with intents and slots; what is left out is counted."""

from __future__ import annotations

from pathlib import Path

import pytest

from instructzoo.core.errors import ZooError
from instructzoo.dialogue.data import readers
from instructzoo.dialogue.data.readers import rasa
from instructzoo.dialogue.schema import Dialogue, Slot, Turn

NLU = """version: "3.1"
nlu:
- intent: book_train
  examples: |
    - from [Oslo](city) to [Rome]{"entity": "city", "role": "to"}, please

    - a train [today](date:2026-01-01)
- intent: yes
  examples:
  - text: |
      - sure [thing]
    metadata:
      mood: glad
      nested: [1]
- synonym: Rome
  examples: |
    - Roma
- lookup: city
  examples: |
    - Oslo
rules: []
"""


def read(tmp_path: Path, content: str) -> list[Dialogue]:
    path = tmp_path / "nlu.yml"
    path.write_text(content, encoding="utf-8")
    assert readers.format_of(path) == "rasa"
    return list(readers.read_file(path))


def test_examples_become_utterances_with_slots_at_their_offsets(tmp_path: Path) -> None:
    first, second, third = read(tmp_path, NLU)
    assert first.turns == (
        Turn(
            "user",
            "from Oslo to Rome, please",
            "book_train",
            slots=(Slot("city", "Oslo", 5, 9), Slot("to.city", "Rome", 13, 17)),
        ),
    )
    assert second.turns[0].slots == (Slot("date", "today", 8, 13),)
    assert third.turns[0] == Turn("user", "sure [thing]", "yes", slots=(), labels={"mood": "glad"})
    assert [d.where.rpartition(":")[2] for d in (first, second)] == ["5", "7"]


def test_what_is_left_out_is_counted(tmp_path: Path) -> None:
    remarks = [remark for dialogue in read(tmp_path, NLU) for remark in dialogue.remarks]
    assert sorted(remarks) == sorted(
        [
            rasa.METADATA,
            rasa.SYNONYM,
            "synonyms, left out",
            "lookup tables, left out",
            "other parts of the file, left out: rules",
        ]
    )


def test_a_text_with_several_entities_has_several_slots(tmp_path: Path) -> None:
    content = (
        'nlu:\n- intent: a\n  examples: |\n    - [Rome][{"entity": "city"}, {"entity": "team", "group": "1"}] wins\n'
    )
    (dialogue,) = read(tmp_path, content)
    assert dialogue.turns[0].slots == (Slot("city", "Rome", 0, 4), Slot("team", "Rome", 0, 4))
    assert dialogue.remarks == (rasa.GROUP,)


def test_without_entities_slots_are_not_annotated(tmp_path: Path) -> None:
    (dialogue,) = read(tmp_path, "nlu:\n- intent: faq/hours\n  examples: |\n    - when do you open\n")
    assert dialogue.turns[0] == Turn("user", "when do you open", "faq/hours")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("nlu:\n- intent: a\n  examples: |\n    - b\n    c\n", "nlu.yml:5: found c; expected an example"),
        ("nlu:\n- intent: a\n  examples: |\n    - b [c](d\n", "nlu.yml:4: found [c](d"),
        ('nlu:\n- intent: a\n  examples: |\n    - [c]{"entitty": "d"}\n', "nlu.yml:4: found [c]"),
        ("nlu:\n- intent: a\n  examples: |\n    - [c]{entity: d}\n", "nlu.yml:4: malformed JSON in [c]{entity: d}"),
        ("nlu:\n- intent: a\n  examples: |\n    -\n", "nlu.yml:4: the text ''"),
        ("nlu:\n- intent: a\n", "no example of an intent"),
        ("nlu:\n- intnet: a\n", "nlu.yml:2: a section with intnet"),
        ("nlu:\n- intent: a\n  exampels: b\n", 'the key "exampels"; did you mean "examples"?'),
        ("nlu:\nstorys: []\n", 'the part "storys"; did you mean "stories"?'),
        ("nlu:\n- intent: a\n  intent: b\n", 'nlu.yml:3: the key "intent" twice'),
        ("nlu:\n- intent: a\n\texamples: b\n", "nlu.yml:3: malformed YAML"),
        ("nlu: &x\n- *x\n", "expected a mapping"),
        ("nlu:\n- &x\n  intent: a\n  examples: |\n    - b\n- *x\n", "an alias (*)"),
    ],
)  # fmt: skip
def test_malformed_files_are_errors_with_their_line(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(ZooError) as error:
        read(tmp_path, content)
    assert message in str(error.value)


def test_no_object_is_made_of_a_file(tmp_path: Path) -> None:
    touched = tmp_path / "touched"
    evil = f"nlu:\n- intent: !!python/object/apply:os.mknod ['{touched}']\n  examples: |\n    - b\n"
    with pytest.raises(ZooError, match="found a sequence; expected a text"):
        read(tmp_path, evil)
    assert not touched.exists()
