"""A text that nobody has annotated is no text without opinions: it is left out and counted, or the file is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from instructzoo.absa import sources
from instructzoo.absa.data import readers
from instructzoo.absa.data.readers.base import Sentence
from instructzoo.core.errors import ZooError
from instructzoo.core.recipe import Recipe

QUAD = {"aspect": "wine", "category": "DRINKS#QUALITY", "opinion": "fine", "sentiment": "positive"}
ROW = {"input": "Fine wine", "task": "ae", "gold": '[{"aspect": "wine"}]'}
HEADER = "text,aspect,category,opinion,sentiment\nfine wine,wine,DRINKS#QUALITY,fine,positive\n"


def recipe(path: Path) -> Recipe:
    model = {"backbone": "scratch:llama-1x32", "tokenizer": "bpe"}
    return Recipe.model_validate({"domain": "absa", "model": model, "data": {"sources": ["own"], "path": str(path)}})


def read(folder: Path, name: str, text: str, format: str = "") -> list[Sentence]:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return list(readers.read_file(path, format))


@pytest.mark.parametrize(
    ("name", "format", "start", "explicit", "blank"),
    [
        ("a.csv", "own", HEADER, "We came.,none,,,", "We came.,,,,"),
        ("a.csv", "own", HEADER, "We came.,None,none,NULL,", "We came., , ,,"),
        ("a.csv", "own", HEADER, "We came.,[],,,", "We came.,,,,"),
        ("a.csv", "own", HEADER, "We came.,NULL,,,", "We came.,,,,"),
        ("a.csv", "own", "text,aspect\nfine wine,wine\n", "We came.,none", "We came.,"),
        ("a.jsonl", "own", json.dumps({"text": "fine wine", "quads": [QUAD]}) + "\n",
         '{"text": "We came.", "quads": []}', '{"text": "We came.", "quads": null}'),
        ("a.jsonl", "own", json.dumps({"text": "fine wine", "quads": [QUAD]}) + "\n",
         '{"text": "We came.", "quads": []}', '{"text": "We came."}'),
        ("a.jsonl", "own", json.dumps(ROW) + "\n",
         json.dumps({**ROW, "gold": "[]"}), json.dumps({**ROW, "gold": ""})),
        ("a.csv", "semeval-csv", "raw_text,aspectTerms\nfine wine,\"[{'term': 'wine', 'polarity': 'positive'}]\"\n",
         "We came.,\"[{'term': 'noaspectterm', 'polarity': 'none'}]\"", "We came.,"),
        ("a.tsv", "acos", "fine wine\t1,2 DRINKS#QUALITY 2 0,1\n", "We came .\t[]", "We came ."),
    ],
)  # fmt: skip
def test_only_what_a_file_says_is_a_text_without_opinions(
    tmp_path: Path, name: str, format: str, start: str, explicit: str, blank: str
) -> None:
    _, said = read(tmp_path, name, f"{start}{explicit}\n", format)
    assert (said.quads, said.annotated) == ((), True)
    first, silent = read(tmp_path, name, f"{start}{blank}\n", format)
    assert (first.annotated, silent.quads, silent.annotated) == (True, (), False)


def test_a_blank_row_of_an_own_file_is_no_training_row_and_is_counted(tmp_path: Path) -> None:
    lines = [f"text {n},,,," for n in range(30)] + ["We came.,none,,,"]
    path = tmp_path / "own.csv"
    path.write_text(HEADER + "\n".join(lines), encoding="utf-8")
    train = sources.build(recipe(path))["train"]
    assert set(train["input"]) == {"fine wine", "We came."}
    (note,) = [line for line in train.info.description.splitlines() if "annotated" in line]
    assert note.startswith("own, train: 30 texts that nobody has annotated, left out")


def test_a_file_in_which_nothing_is_annotated_is_refused(tmp_path: Path) -> None:
    for name, text in (("a.csv", "text,aspect\nWe came.,\nWe went.,\n"), ("a.jsonl", '{"text": "We came."}\n')):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ZooError, match=rf"{name}:\d: none of the \d texts is annotated"):
            sources.build(recipe(path))


def test_an_unannotated_text_cannot_be_scored(tmp_path: Path) -> None:
    path = tmp_path / "gold.csv"
    path.write_text(HEADER + "We came.,,,,\n", encoding="utf-8")
    gold = sources.gold(path)
    assert gold is not None
    with pytest.raises(ZooError, match=r"gold.csv:3: a text that nobody has annotated"):
        list(gold)


def test_a_text_with_tuples_cannot_say_none(tmp_path: Path) -> None:
    with pytest.raises(ZooError, match=r"a.csv:3: a text with tuples that says none"):
        read(tmp_path, "a.csv", HEADER + "fine wine,none,,,\n")
    with pytest.raises(ZooError, match=r"a.csv:3: a text with tuples that says none"):
        read(tmp_path, "a.csv", HEADER + "red wine,none,,,\nred wine,wine,A#B,red,neutral\n")


def test_an_aspect_called_none_beside_other_elements_is_an_aspect(tmp_path: Path) -> None:
    _, sentence = read(tmp_path, "a.csv", HEADER + "none of it works,none,A#B,works,negative\n")
    assert [quad.aspect for quad in sentence.quads] == ["none"]


def test_a_column_that_is_empty_in_all_lines_is_not_annotated(tmp_path: Path) -> None:
    (sentence,) = read(tmp_path, "a.csv", "text,aspect,category,opinion,sentiment\nFine wine,wine,,,positive\n")
    assert sentence.tasks == ("ae", "aesc")
    with pytest.raises(ZooError, match="a column aspect that is empty in every line"):
        read(tmp_path, "a.csv", "text,aspect,sentiment\nFine wine,,positive\n")
