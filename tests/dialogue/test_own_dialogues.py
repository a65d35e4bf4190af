"""Own utterances and dialogues: what they may hold, and the errors about what they may not."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from instructzoo.core.errors import ZooError
from instructzoo.dialogue.data import readers
from instructzoo.dialogue.schema import UNKNOWN, Dialogue, Slot, Turn


def write(folder: Path, *objects: Any, name: str = "own.jsonl") -> Path:
    path = folder / name
    path.write_text("".join(json.dumps(values) + "\n" for values in objects), encoding="utf-8")
    return path


def read(folder: Path, *objects: Any) -> list[Dialogue]:
    return list(readers.read_file(write(folder, *objects), "own"))


def read_table(folder: Path, text: str, name: str = "own.csv") -> list[Dialogue]:
    (folder / name).write_text(text, encoding="utf-8")
    return list(readers.read_file(folder / name))


def test_an_utterance_with_intent_and_slots(tmp_path: Path) -> None:
    slots = [{"name": "time", "value": "seven", "start": 12, "end": 17}, {"name": "who", "value": "me"}]
    (dialogue,) = read(tmp_path, {"text": " Wake me at seven", "intent": "set alarm", "slots": slots, "split": "test"})
    expected = (Slot("time", "seven", 11, 16), Slot("who", "me", UNKNOWN, UNKNOWN))
    assert dialogue.turns == (Turn("user", "Wake me at seven", "set alarm", slots=expected),)
    assert dialogue.turns[0].text[11:16] == "seven"
    assert (dialogue.where, dialogue.split) == (f"{tmp_path}/own.jsonl:1", "test")


def test_a_dialogue_with_all_that_it_may_have(tmp_path: Path) -> None:
    turns = [
        {"role": "user", "text": "For two", "state": {"people": "two"}, "slots": {"people": "two"}, "acts": ["inform"]},
        {"role": "Agent", "text": "Where?", "labels": {"emotion": "joy"}, "acts": "request, greet"},
        {"speaker": "Ann", "text": "Here", "state": {}},
    ]
    (dialogue,) = read(tmp_path, {"turns": turns, "summary": "A\ntable", "labels": {"topic": "food"}})
    assert dialogue.turns == (
        Turn("user", "For two", acts=("inform",), slots=(Slot("people", "two"),), state=(Slot("people", "two"),)),
        Turn("system", "Where?", acts=("request", "greet"), labels={"emotion": "joy"}),
        Turn("Ann", "Here", state=()),
    )
    assert (dialogue.fields, dialogue.labels) == ({"summary": "A table"}, {"topic": "food"})


def test_what_is_not_annotated_is_none_and_out_of_scope_is_empty(tmp_path: Path) -> None:
    turns = [
        d.turns[0] for d in read(tmp_path, {"text": "a"}, {"text": "b", "intent": ""}, {"text": "c", "intent": "oos"})
    ]
    assert [turn.intent for turn in turns] == [None, "", ""]
    assert (turns[0].acts, turns[0].slots, turns[0].state) == (None, None, None)


def test_two_turns_of_one_speaker_in_a_row_are_kept(tmp_path: Path) -> None:
    (dialogue,) = read(tmp_path, {"turns": [{"role": "user", "text": "Hi"}, {"role": "user", "text": "Anybody?"}]})
    assert [(turn.role, turn.text) for turn in dialogue.turns] == [("user", "Hi"), ("user", "Anybody?")]


def test_a_table_of_utterances(tmp_path: Path) -> None:
    first, second = read_table(tmp_path, 'text,intent\n"Wake me, please",set alarm\nHello,\n')
    assert first.turns == (Turn("user", "Wake me, please", "set alarm"),)
    assert second.turns == (Turn("user", "Hello"),)
    assert second.where.endswith("own.csv:3")


def test_a_table_of_dialogues(tmp_path: Path) -> None:
    text = (
        "dialogue_id,role,text,acts,state,summary,split\n"
        'a,user,For two,"inform, greet","{""people"": ""two""}",A table,test\na,agent,Where?,,,,\n'
        "b,user,Bye,,,,\n"
    )
    first, second = read_table(tmp_path, text)
    state = (Slot("people", "two"),)
    assert first.turns == (Turn("user", "For two", acts=("inform", "greet"), state=state), Turn("system", "Where?"))
    assert (first.fields, first.split, second.fields) == ({"summary": "A table"}, "test", {})
    assert [turn.text for turn in second.turns] == ["Bye"]


def test_a_table_with_tabs_and_names(tmp_path: Path) -> None:
    (dialogue,) = read_table(tmp_path, "dialogue_id\tspeaker\ttext\n1\tAnn\tHi\n1\tBo\tHello\n", "own.tsv")
    assert [turn.role for turn in dialogue.turns] == ["Ann", "Bo"]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"turns": []}, "own.jsonl:2: a dialogue without turns"),
        ({"turns": [{"role": "user", "text": "Hi"}, {"role": "user", "text": " "}]}, "own.jsonl:2, turn 2: a turn"),
        ({"turns": [{"role": "customer", "text": "Hi"}]}, "expected one of user, system, assistant, agent, bot"),
        ({"turns": [{"text": "Hi"}]}, "the role None"),
        ({"turns": [{"role": "user", "speaker": "Ann", "text": "Hi"}, 3]}, "turn 2: found 3"),
        ({"turns": "Hi"}, 'list under "turns"'),
        ({"turns": [{"role": "user", "text": "Hi", "intnet": "x"}]}, '"intnet"; did you mean "intent"'),
        ({"text": "Hi", "itent": "x"}, 'own.jsonl:2: the key "itent"; did you mean "intent"'),
        ({"text": ""}, "own.jsonl:2: a turn without text"),
        ({"text": "Hi", "intent": 3}, "own.jsonl:2: found 3"),
        ({"text": "Hi", "split": "tset"}, 'the split "tset"; did you mean "test"'),
        ({"text": "Hi", "slots": [{"name": "x", "value": "i", "start": 0, "end": 1}]}, '"H" from 0 to 1; expected "i"'),
        ({"text": "Hi", "slots": [{"name": "x", "start": 1, "end": 9}]}, "expected 0 <= start < end <= 2"),
        ({"text": "Hi", "slots": [{"name": "x", "start": 1}]}, '"x" from 1 to None'),
        ({"text": "Hi", "slots": [{"name": "", "value": "Hi"}]}, "the slot ''"),
        ({"text": "Hi", "slots": {"x": ""}}, "the value '' of \"x\""),
        ({"text": "Hi", "slots": "x"}, "found x"),
        ({"text": "Hi", "state": {"people": 2}}, 'the value 2 of "people"'),
        ({"text": "Hi", "state": [["people", "two"]]}, '"state"'),
        ({"text": "Hi", "acts": [""]}, '"acts"'),
        ({"text": "Hi", "labels": {"emotion": 1}}, "labels"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, values: dict[str, Any], message: str) -> None:
    with pytest.raises(ZooError) as caught:
        read(tmp_path, {"text": "fine"}, values)
    assert message in str(caught.value)


def test_a_key_that_stands_twice_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "own.jsonl"
    path.write_text('{"text": "Hi", "intent": "a", "intent": "b"}\n')
    with pytest.raises(ZooError, match=r'own.jsonl:1: .*"intent" stands twice'):
        list(readers.read_file(path, "own"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("dialogue_id,role,text\na,user,x\nb,user,y\na,user,z\n", 'own.csv:4: rows of the dialogue "a" once more'),
        ("dialogue_id,role,text\na,,x\n", "own.csv:2: the role None"),
        ("dialogue_id,role,text\na,user,\n", 'own.csv:2: found .*"text"'),
        ("text,intent,mood\nx,y,z\n", 'own.csv:2: the key "mood"'),
        ('text,state\nx,"{""a"""\n', 'own.csv:2: found .* JSON in the column "state"'),
        ("text,intent\nx,y,z\n", "own.csv:2: 3 cells"),
    ],
)
def test_what_is_wrong_in_a_table_is_named_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ZooError, match=message):
        read_table(tmp_path, text)


def test_ten_thousand_turns_are_read_within_seconds(tmp_path: Path) -> None:
    turns = [{"role": "user", "text": f"turn {i}", "state": {}} for i in range(10_000)]
    path = write(tmp_path, {"turns": turns})
    start = time.process_time()
    (dialogue,) = readers.read_file(path, "own")
    assert time.process_time() - start < 5  # 0.1 s where this was written
    assert [turn.text for turn in dialogue.turns] == [turn["text"] for turn in turns]


@pytest.mark.parametrize(
    ("name", "content", "format"),
    [
        ("a.jsonl", '{"text": "Hi", "intent": "greet"}', "own"),
        ("a.json", '[{"turns": [{"role": "user", "text": "Hi"}]}]', "own"),
        ("a.csv", "text,intent\nHi,greet\n", "own"),
        ("a.csv", "dialogue_id,role,text\na,user,Hi\n", "own"),
        ("a.csv", "text,category\nHi,greet\n", "banking77"),
        ("a.jsonl", '{"text": "Hi"}', None),
        ("a.jsonl", '{"instruction": "Say hi", "text": "Hi", "intent": "x"}', None),
        ("a.csv", "text\nHi\n", None),
    ],
)
def test_own_files_are_recognised(tmp_path: Path, name: str, content: str, format: str | None) -> None:
    (tmp_path / name).write_text(content)
    assert readers.format_of(tmp_path / name) == format
