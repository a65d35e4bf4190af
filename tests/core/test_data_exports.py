"""Exports are read back as they were, and files of other systems are read by their texts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import datasets
import pytest

from instructzoo.core.data import export, read_export, write_jsonl
from instructzoo.core.data.tables import dataset
from instructzoo.core.errors import ZooError
from instructzoo.core.record import Record, Row, Segment

SUFFIX = {"messages": ".jsonl", "alpaca": ".json", "sharegpt": ".json"}

ROWS: list[Row] = [
    Record(instruction, input, output, "made", "MIT", extra={"digits": "2D", "gold": [1, 2]}).row()
    for instruction, input, output in (
        ("What is 2 + 3?", "2 + 3", "2 + 3 = 5"),
        ("Continue.\n\nNow:", "", ' \n"line"\ttab'),
        ("naïve 😀", "ütf", "日本"),
    )
]


def render(row: Mapping[str, Any], seed: int = 0) -> list[Segment]:
    return [Segment(f"{row['instruction']}\nAnswer: ", False), Segment(row["output"], True)]


@pytest.mark.parametrize("format", SUFFIX)
@pytest.mark.parametrize("prompt", [None, render])
def test_every_export_format_round_trips_all_columns(tmp_path: Path, format: str, prompt: Any) -> None:
    path = tmp_path / f"out{SUFFIX[format]}"
    assert export(ROWS, format, path, prompt) == [path]
    assert list(read_export(path, format)) == ROWS


def test_exported_conversations_contain_the_rendered_prompt(tmp_path: Path) -> None:
    export(ROWS, "messages", tmp_path / "m.jsonl", render)
    export(ROWS, "sharegpt", tmp_path / "s.json", render)
    first = json.loads((tmp_path / "m.jsonl").read_text().splitlines()[0])["messages"]
    assert first == [
        {"role": "user", "content": "What is 2 + 3?\nAnswer:"},
        {"role": "assistant", "content": "2 + 3 = 5"},
    ]
    turns = json.loads((tmp_path / "s.json").read_text())[0]["conversations"]
    assert [turn["from"] for turn in turns] == ["human", "gpt"]
    assert [turn["value"] for turn in turns] == [message["content"] for message in first]


def test_splits_are_exported_to_separate_files(tmp_path: Path) -> None:
    splits = datasets.DatasetDict({"train": dataset(ROWS[:2]), "test": dataset(ROWS[2:])})
    paths = export(splits, "alpaca", tmp_path / "out")
    assert [path.name for path in paths] == ["train.json", "test.json"]
    assert list(read_export(paths[0], "alpaca")) == ROWS[:2]
    assert {"instruction", "input", "output"} < set(json.loads(paths[1].read_text())[0])


def test_an_unknown_format_or_wrong_suffix_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(ZooError, match='did you mean "messages"'):
        export(ROWS, "mesages", tmp_path / "x.jsonl")
    with pytest.raises(ZooError, match=r"a name that ends in \.json for alpaca"):
        export(ROWS, "alpaca", tmp_path / "x.jsonl")
    assert not list(tmp_path.iterdir())


def test_files_of_other_systems_are_read_with_all_their_turns(tmp_path: Path) -> None:
    conversation = [("system", "Be brief."), ("human", "Hi"), ("gpt", "Hello"), ("human", "2 + 3?"), ("gpt", "5")]
    turns = [{"from": name, "value": text} for name, text in conversation]
    (tmp_path / "s.json").write_text(json.dumps([{"id": "x", "conversations": turns}]))
    (row,) = read_export(tmp_path / "s.json", "sharegpt")
    assert (row["instruction"], row["input"], row["output"]) == ("2 + 3?", "", "5")
    assert [turn["text"] for turn in row["history"]] == ["Be brief.", "Hi", "Hello"]
    export([row], "sharegpt", tmp_path / "again.json")
    assert json.loads((tmp_path / "again.json").read_text())[0]["conversations"] == turns
    (tmp_path / "a.json").write_text('[{"instruction": "a", "input": "", "output": "b"}]')
    assert next(read_export(tmp_path / "a.json", "alpaca"))["item"] == "a"


@pytest.mark.parametrize(
    "values", [{"messages": [{"role": "user", "content": "a"}]}, {"messages": [{"role": "robot"}]}, {"text": "a"}]
)
def test_a_dialogue_without_an_answer_is_reported_with_its_line(tmp_path: Path, values: dict[str, Any]) -> None:
    write_jsonl(tmp_path / "m.jsonl", [values])
    with pytest.raises(ZooError, match=r"m\.jsonl:1: "):
        list(read_export(tmp_path / "m.jsonl", "messages"))


@pytest.mark.parametrize(
    ("format", "values", "words"),
    [
        ("alpaca", '{"instruction": "a", "row": true}', '"row" is bool'),
        ("messages", '{"messages": [], "row": [1]}', '"row" is list'),
        (
            "messages",
            '{"messages": [{"role": "user", "content": null}, {"role": "assistant", "content": "x"}]}',
            "no text",
        ),
    ],
)
def test_a_malformed_export_is_an_error_with_its_line(tmp_path: Path, format: str, values: str, words: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(values, encoding="utf-8")
    with pytest.raises(ZooError, match=words) as caught:
        list(read_export(path, format))
    assert str(caught.value).startswith(f"{path}:1: ")
