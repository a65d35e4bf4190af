"""Readers of corpora with intents and slots: what they read is what the files say, and what is malformed is named."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from instructzoo.core.errors import ZooError
from instructzoo.dialogue.data import readers
from instructzoo.dialogue.data.readers.base import SPACES_AROUND
from instructzoo.dialogue.data.readers.joint_bert import STARTS_INSIDE
from instructzoo.dialogue.schema import Dialogue, Slot, Turn


def write(path: Path, content: Any) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def joint_bert(folder: Path, texts: str, tags: str | None = None, intents: str | None = None) -> Path:
    for name, content in (("seq.out", tags), ("label", intents)):
        if content is not None:
            write(folder / name, content)
    return write(folder / "seq.in", texts)


def turns(path: Path) -> list[Turn]:
    return [turn for dialogue in readers.read_file(path) for turn in dialogue.turns]


def error_of(path: Path, format: str = "") -> str:
    with pytest.raises(ZooError) as error:
        list(readers.read_file(path, format))
    return str(error.value)


# --- JointBERT's layout


def test_tags_become_slots_with_offsets_and_an_intent_stays_as_it_is_written(tmp_path: Path) -> None:
    path = joint_bert(tmp_path, "from new  york to rome \nstop\n", "O B-from I-from O B-to\nO\n", "flight#fare\nstop\n")
    first, second = turns(path)
    assert first.text == "from new york to rome"
    assert first.intent == "flight#fare"
    assert first.slots == (Slot("from", "new york", 5, 13), Slot("to", "rome", 17, 21))
    assert second == Turn("user", "stop", "stop", slots=())


def test_a_folder_is_read_as_its_seq_in(tmp_path: Path) -> None:
    path = joint_bert(tmp_path, "stop\n", intents="stop\n")
    assert readers.format_of(tmp_path) == readers.format_of(path) == "joint-bert"
    assert list(readers.read_file(tmp_path)) == list(readers.read_file(path))


def test_without_tags_slots_are_not_annotated_and_without_intents_the_intent_is_not(tmp_path: Path) -> None:
    (tmp_path / "intents").mkdir()
    (tmp_path / "slots").mkdir()
    assert turns(joint_bert(tmp_path / "intents", "play jazz\n", intents="play\n"))[0] == Turn(
        "user", "play jazz", "play"
    )
    assert turns(joint_bert(tmp_path / "slots", "play jazz\n", "O B-genre\n"))[0] == Turn(
        "user", "play jazz", slots=(Slot("genre", "jazz", 5, 9),)
    )


def test_an_inside_tag_without_a_beginning_begins_a_value_and_is_counted(tmp_path: Path) -> None:
    path = joint_bert(tmp_path, "a b c d\n", "I-x I-x I-y B-y\n")
    (dialogue,) = readers.read_file(path)
    assert dialogue.turns[0].slots == (Slot("x", "a b", 0, 3), Slot("y", "c", 4, 5), Slot("y", "d", 6, 7))
    assert dialogue.remarks == (STARTS_INSIDE,) * 2


@pytest.mark.parametrize(
    ("texts", "tags", "intents", "message"),
    [
        ("a\nb c\n", "O\nO\n", "x\nx\n", "seq.out:2: 1 tags; expected 2"),
        ("a\nb\n", "O\nO\n", "x\n", "label: 1 lines; expected 2"),
        ("a\nb\n", None, "x\n\nz\n", "label: 3 lines; expected 2"),
        ("a\nb\nc\n", None, "x\n\nz\n", "label:2: a blank line"),
        ("a\n\nc\n", None, "x\ny\nz\n", "seq.in:2: the text ''"),
        ("a\n", "Q-x\n", None, 'seq.out:1: the tag "Q-x"'),
        ("a\n", None, None, "seq.in stands alone"),
        ("", None, "x\n", "seq.in"),
    ],
)
def test_lines_that_do_not_belong_together_are_errors_with_their_place(
    tmp_path: Path, texts: str, tags: str | None, intents: str | None, message: str
) -> None:
    assert message in error_of(joint_bert(tmp_path, texts, tags, intents))


# --- SNIPS' own JSON

SNIPS = {"PlayMusic": [{"data": [{"text": " play "}, {"text": "jazz ", "entity": "genre"}, {"text": "now"}]}]}


def test_pieces_become_one_text_and_offsets_count_from_its_first_letter(tmp_path: Path) -> None:
    (dialogue,) = readers.read_file(write(tmp_path / "train.json", SNIPS))
    assert dialogue.turns == (Turn("user", "play jazz now", "PlayMusic", slots=(Slot("genre", "jazz", 5, 9),)),)
    assert dialogue.remarks == (SPACES_AROUND,)


@pytest.mark.parametrize(
    ("pieces", "message"),
    [
        ([{"text": "a", "entityy": "b"}], "PlayMusic 1: found {'text': 'a', 'entityy': 'b'}"),
        ([{"text": 3}], "texts under text and entity"),
        ([{"text": " "}], "the text ' '"),
        ([{"text": "a"}, {"text": " ", "entity": "b"}, {"text": "c"}], 'the value of "b" is blank'),
        ([{"text": "a", "entity": ""}], "the slot ''"),
    ],
)
def test_malformed_pieces_are_errors_with_intent_and_number(tmp_path: Path, pieces: list[Any], message: str) -> None:
    assert message in error_of(write(tmp_path / "train.json", {"PlayMusic": [{"data": pieces}]}))


# --- CLINC150

CLINC = {
    "train": [["play jazz", "play_music"]],
    "oos_val": [["how tall is it", "oos"]],
    "test": [["stop", "stop"], ["who knows", "oos"]],
}


def test_each_part_has_its_split_and_what_is_out_of_scope_has_no_intent(tmp_path: Path) -> None:
    dialogues = list(readers.read_file(write(tmp_path / "data_full.json", CLINC)))
    assert [(d.split, d.turns[0].intent) for d in dialogues] == [
        ("train", "play_music"),
        ("validation", ""),
        ("test", "stop"),
        ("test", ""),
    ]


@pytest.mark.parametrize(
    ("part", "utterances", "message"),
    [
        ("trian", [["a", "b"]], 'the part "trian"; did you mean "train"?'),
        ("val", [["a", "b"], ["a"]], "val 2: found ['a']"),
        ("val", [["", "b"]], "val 1: the text ''"),
        ("oos_test", [["a", "b"]], 'oos_test 1: the intent "b"'),
    ],
)
def test_malformed_parts_are_errors_with_their_place(
    tmp_path: Path, part: str, utterances: list[Any], message: str
) -> None:
    assert message in error_of(write(tmp_path / "a.json", CLINC | {part: utterances}))


# --- BANKING77


def test_a_quoted_cell_may_hold_commas_and_line_breaks(tmp_path: Path) -> None:
    path = write(tmp_path / "train.csv", 'text,category\n"\nmy card, lost\n",lost_card\n')
    assert turns(path) == [Turn("user", "my card, lost", "lost_card")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("text,category\nmy card\n", "train.csv:2: 1 cells; expected 2"),
        ("text,category\n,lost_card\n", "train.csv:2: the text ''"),
        ("text,category\nmy card,\n", "train.csv:2: a row without category"),
        ("text,categorie\nmy card,lost\n", 'the column "categorie"; did you mean "category"?'),
        ("text\nmy card\n", 'no column "category"'),
    ],
)
def test_malformed_rows_are_errors_with_their_line(tmp_path: Path, content: str, message: str) -> None:
    assert message in error_of(write(tmp_path / "train.csv", content), "banking77")


# --- Restaurant8k and DSTC8

SPAN = {"slot": "people", "valueSpan": {"startIndex": 12, "endIndex": 15}}
TURN = {"userInput": {"text": "A table for two"}, "context": {"requestedSlots": ["people", "date"]}, "labels": [SPAN]}


def test_spans_keep_their_offsets_and_a_missing_start_is_0(tmp_path: Path) -> None:
    two = {"userInput": {"text": "Two"}, "labels": [{"slot": "people", "valueSpan": {"endIndex": 3}}]}
    first, second, third = turns(write(tmp_path / "a.json", [TURN, two, {"userInput": {"text": "Hello"}}]))
    assert first.slots == (Slot("people", "two", 12, 15),)
    assert first.labels == {"requested slots": "people, date"}
    assert second.slots == (Slot("people", "Two", 0, 3),)
    assert third == Turn("user", "Hello", slots=())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lables": []}, 'object 2: the key "lables"; did you mean "labels"?'),
        ({"labels": [{"slot": "people", "valueSpan": {"startIndex": 12, "endIndex": 16}}]}, '"people" from 12 to 16'),
        ({"labels": [{"slot": "people", "valueSpan": {"startIndex": 3, "endIndex": 3}}]}, '"people" from 3 to 3'),
        ({"labels": [{"slot": "people", "valueSpan": {"startIndex": 3}}]}, "object 2: found {'slot': 'people'"),
        ({"labels": [{"slot": "", "valueSpan": {"endIndex": 3}}]}, "the slot ''"),
        ({"userInput": {"text": " "}}, "the text ' '"),
        ({"userInput": {}}, "the text None"),
        ({"context": {"requestedSlots": "people"}}, "a list of slots under requestedSlots"),
    ],
)
def test_malformed_turns_are_errors_with_their_number(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    assert message in error_of(write(tmp_path / "a.json", [TURN, TURN | changes]))


# --- formats


def test_a_format_is_known_by_the_content_whatever_the_name(tmp_path: Path) -> None:
    assert readers.format_of(write(tmp_path / "a.json", SNIPS)) == "snips"
    assert readers.format_of(write(tmp_path / "b.json", CLINC)) == "clinc150"
    assert readers.format_of(write(tmp_path / "c.json", [TURN])) == "span-extraction"
    assert readers.format_of(write(tmp_path / "d.csv", "text,category\na,b\n")) == "banking77"


def test_rows_of_the_zoo_and_plain_texts_are_in_no_published_format(tmp_path: Path) -> None:
    rows = json.dumps({"instruction": "", "input": "[RESPONSE] stop", "output": "stop"})
    for name, content in (("rows.jsonl", rows), ("a.txt", "stop\n"), ("a.json", '{"a": 1}'), ("a.csv", "a,b\n1,2\n")):
        assert readers.format_of(write(tmp_path / name, content)) is None
    assert "a file in no known format; expected one of joint-bert" in error_of(tmp_path / "a.txt")
    assert 'did you mean "snips"?' in error_of(tmp_path / "a.txt", "snip")


# --- the corpora

COUNTS = {  # utterances, intents (out of scope counted as one), slot values
    "snips/train/seq.in": (13_084, 7, 33_958),
    "snips/dev/seq.in": (700, 7, 1_794),
    "atis/train/seq.in": (4_478, 21, 14_851),
    "atis/dev/seq.in": (500, 16, 1_709),
    "atis/test/seq.in": (893, 20, 2_837),
    "snips_cc0_raw/GetWeather/train_GetWeather.json": (300, 1, 681),
    "banking77/train.csv": (10_003, 77, 0),
    "clinc150/data_small.json": (16_200, 151, 0),
    "hwu64/train_10/seq.in": (640, 64, 0),
    "hwu64/test/seq.in": (1_076, 64, 0),
    "fewshot_splits/BANKING77/train_5/seq.in": (385, 77, 0),
    "fewshot_splits/CLINC150/train_10/seq.in": (1_500, 150, 0),
    "restaurant8k/train_3.json": (1_024, 1, 908),
    "dstc8_span/Buses_1/test.json": (377, 1, 163),
}


@pytest.mark.realdata
@pytest.mark.parametrize("name", COUNTS)
def test_corpora_have_their_published_counts_and_exact_offsets(realdata: Path, name: str) -> None:
    path = realdata / "intent_slot" / name
    if not path.is_file():
        pytest.skip(f"no {path}")
    read: list[Turn] = turns(path)
    values = [(turn, slot) for turn in read for slot in turn.slots or ()]
    assert (len(read), len({turn.intent for turn in read}), len(values)) == COUNTS[name]
    assert all(turn.text[slot.start : slot.end] == slot.value for turn, slot in values)


@pytest.mark.realdata
def test_clinc150_has_150_intents_and_its_out_of_scope_apart(realdata: Path) -> None:
    path = realdata / "intent_slot" / "clinc150" / "data_small.json"
    if not path.is_file():
        pytest.skip(f"no {path}")
    dialogues: list[Dialogue] = list(readers.read_file(path))
    out_of_scope = Counter(d.split for d in dialogues if d.turns[0].intent == "")
    assert out_of_scope == {"train": 100, "validation": 100, "test": 1_000}
    assert len({d.turns[0].intent for d in dialogues} - {""}) == 150
