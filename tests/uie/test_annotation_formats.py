"""Exports of annotation tools are read as their annotators meant; what cannot be known is left out, and counted."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import datasets
import pytest

from instructzoo.core import api
from instructzoo.core.errors import ZooError
from instructzoo.core.recipe import Recipe
from instructzoo.uie import sources
from instructzoo.uie.data import readers
from instructzoo.uie.data.readers import annotation_tools, base, brat, line_formats
from instructzoo.uie.data.readers.base import Sentence
from instructzoo.uie.data.readers.offset_units import read_as


def read(folder: Path, *rows: dict[str, Any], name: str = "a.jsonl") -> list[Sentence]:
    path = folder / name
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return list(readers.read_file(path))


def found(sentences: list[Sentence]) -> list[list[str]]:
    return [[m.text for m in sentence.annotation.entities] for sentence in sentences]


def remarks(sentences: list[Sentence]) -> Counter[str]:
    return Counter(remark for sentence in sentences for remark in sentence.remarks)


def tagged(folder: Path, content: str) -> list[Sentence]:
    path = folder / "a.conll"
    path.write_bytes(content.encode("utf-8"))
    return list(readers.read_file(path, "conll"))


# --- white space and columns of CoNLL files


@pytest.mark.parametrize("space", ["\u00a0", "\u3000", "\u2009", "\u2028", "\u0085", "\x0b", "\x1f"])
@pytest.mark.parametrize("between", [" ", "\t"])
def test_white_space_that_separates_no_columns_stays_in_its_token(tmp_path: Path, space: str, between: str) -> None:
    (sentence,) = tagged(tmp_path, f"in{between}O\nNew{space}Oslo{between}B-city\n")
    assert found([sentence]) == [[f"New{space}Oslo"]] and sentence.text == f"in New{space}Oslo"


def test_a_token_with_a_space_in_a_file_of_spaces_is_an_error_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(ZooError, match=r"a\.conll:2: 3 columns in New Oslo B-city; expected 2"):
        tagged(tmp_path, "in O\nNew Oslo B-city\n")


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("between", [" ", "\t"])
def test_a_first_column_of_token_numbers_is_no_text(tmp_path: Path, first: int, between: str) -> None:
    tokens = ["Mira B-PER", "saw O", "Oslo B-LOC", "", "Bo B-PER"]
    numbers = iter([first, first + 1, first + 2, first])
    lines = [f"{next(numbers)} {token}" if token else "" for token in tokens]
    sentences = tagged(tmp_path, "# sent_id = 1\n" + "\n".join(lines).replace(" ", between).replace("#\t", "# "))
    assert [s.text for s in sentences] == ["Mira saw Oslo", "Bo"]
    assert remarks(sentences)[line_formats.NUMBERS] == 2


def test_numbers_that_do_not_count_the_tokens_are_text(tmp_path: Path) -> None:
    sentences = tagged(tmp_path, "1 CD O\n2 CD B-NUM\n\n7 CD B-NUM\n")
    assert [s.text for s in sentences] == ["1 2", "7"]


def test_of_several_columns_of_tags_the_last_is_read_and_the_others_are_counted(tmp_path: Path) -> None:
    sentences = tagged(tmp_path, "Ann NNP B-NP B-PER\nleft VBD B-VP O\n\nBo NNP B-NP B-PER\n")
    assert found(sentences) == [["Ann"], ["Bo"]] and remarks(sentences) == {line_formats.OTHER_TAGS: 2}


def test_a_comment_that_ends_like_a_tag_is_still_a_comment(tmp_path: Path) -> None:
    sentences = tagged(tmp_path, "Ann\tB-PER\n\n# text = Bo lives in block O\nBo\tB-PER\n")
    assert [s.text for s in sentences] == ["Ann", "Bo"]


@pytest.mark.parametrize(
    ("tags", "spans", "remark"),
    [
        ("B-a M-a E-a S-a", ["0 1 2", "3"], None),
        ("B-a I-a O S-a E-b", ["0 1", "3", "4"], line_formats.NOT_ENDED),
        ("I-a I-a O I-b", ["0 1", "3"], line_formats.STARTS_INSIDE),
    ],
)
def test_spans_whose_tags_break_their_scheme_are_counted(
    tmp_path: Path, tags: str, spans: list[str], remark: str | None
) -> None:
    sentences = tagged(tmp_path, "".join(f"{n}\t{tag}\n" for n, tag in enumerate(tags.split())))
    assert found(sentences) == [spans]
    assert (remark in remarks(sentences)) if remark else not remarks(sentences)


def test_a_byte_order_mark_between_files_that_were_put_together_is_no_text(tmp_path: Path) -> None:
    sentences = tagged(tmp_path, "\ufeffAnn\tB-PER\n\n\ufeffBo\tB-PER\n")
    assert found(sentences) == [["Ann"], ["Bo"]]


# --- what nobody annotated, and what an annotator rejected

ANN = {"text": "Ann left.", "spans": [{"start": 0, "end": 3, "label": "PER"}]}
BO = {"text": "Bo left.", "spans": [{"start": 0, "end": 2, "label": "PER"}]}


@pytest.mark.parametrize("answer", ["reject", "ignore"])
def test_what_an_annotator_rejected_or_ignored_is_left_out_and_counted(tmp_path: Path, answer: str) -> None:
    for rows in ([BO, ANN], [ANN, BO]):
        sentences = read(tmp_path, *(row | {"answer": "accept" if row is ANN else answer} for row in rows))
        assert found(sentences) == [["Ann"]] and remarks(sentences) == {annotation_tools.REJECTED: 1}
    with pytest.raises(ZooError, match=r"a\.jsonl: no row is left: 2 texts that their annotator rejected"):
        read(tmp_path, ANN | {"answer": answer}, BO | {"answer": answer})


def test_an_accepted_text_without_spans_has_none_and_an_unknown_answer_is_an_error(tmp_path: Path) -> None:
    sentences = read(tmp_path, {"text": "It rained.", "answer": "accept", "_view_id": "ner_manual"}, ANN)
    assert found(sentences) == [[], ["Ann"]] and not remarks(sentences)
    with pytest.raises(ZooError, match=r"a\.jsonl:2: found maybe; expected accept, reject, ignore"):
        read(tmp_path, ANN, BO | {"answer": "maybe", "_task_hash": 7})


def test_a_rejected_span_is_left_out_alone(tmp_path: Path) -> None:
    spans = [{"start": 0, "end": 3, "label": "PER", "answer": "reject"}, {"start": 8, "end": 10, "label": "PER"}]
    sentences = read(tmp_path, {"text": "Ann met Bo.", "spans": spans, "answer": "accept"})
    assert found(sentences) == [["Bo"]] and remarks(sentences) == {annotation_tools.REJECTED_SPAN: 1}


@pytest.mark.parametrize("missing", [{"text": "It rained."}, {"text": "It rained.", "spans": None}])
def test_a_text_that_nobody_annotated_is_left_out_but_an_empty_list_says_nothing_is_there(
    tmp_path: Path, missing: dict[str, Any]
) -> None:
    sentences = read(tmp_path, missing, {"text": "It snowed.", "spans": []}, ANN)
    assert [s.text for s in sentences] == ["It snowed.", "Ann left."]
    assert remarks(sentences) == {base.UNANNOTATED: 1}
    with pytest.raises(ZooError, match="no row is left: 1 texts without an annotation"):
        list(readers.read_file(_written(tmp_path, missing), "offsets"))


def _written(folder: Path, row: dict[str, Any]) -> Path:
    path = folder / "b.jsonl"
    path.write_text(json.dumps(row), encoding="utf-8")
    return path


def train_of(folder: Path) -> datasets.Dataset:
    data = {"sources": ["own"], "path": str(folder), "validation": 0, "test": 0, "options": {"auxiliary": []}}
    model = {"backbone": "scratch:llama-0.4m", "tokenizer": "bpe"}
    return sources.build(Recipe.model_validate({"domain": "uie", "model": model, "data": data}))["train"]


def test_a_text_is_asked_only_about_what_is_annotated_in_it(tmp_path: Path) -> None:
    spans = [{"type": "person", "start": 0, "end": 3}, {"type": "person", "start": 8, "end": 10}]
    both = {"text": "Ann met Bo.", "entities": spans, "relations": [{"type": "met", "head": 0, "tail": 1}]}
    read(tmp_path, both, {"text": "Cy left.", "entities": []})
    train = train_of(tmp_path)
    assert [(r["input"], r["task"]) for r in train] == [
        ("Ann met Bo.", "ner"), ("Ann met Bo.", "re"), ("Cy left.", "ner"),
    ]  # fmt: skip
    assert "1 texts without relations in their annotation" in train.info.description


def test_texts_that_are_annotated_twice_and_differently_are_counted(tmp_path: Path) -> None:
    other = ANN | {"spans": [{"start": 0, "end": 8, "label": "PER"}]}
    read(tmp_path, ANN, other, BO, BO)
    assert "1 texts that stand more than once, with different annotations" in train_of(tmp_path).info.description


# --- doccano and Label Studio


def test_both_forms_of_doccano_are_read(tmp_path: Path) -> None:
    offsets = [{"id": i, "label": "PER", "start_offset": s, "end_offset": e} for i, s, e in ((7, 0, 3), (9, 8, 10))]
    relation = {"id": 1, "from_id": 9, "to_id": 7, "type": "met"}
    rows: tuple[dict[str, Any], ...] = (
        {"id": 1, "text": "Ann met Bo.", "label": [[0, 3, "PER"], [8, 10, "PER"]]},
        {"id": 2, "text": "Ann met Bo.", "labels": [[0, 3, "PER"], [8, 10, "PER"]]},
        {"id": 3, "text": "Ann met Bo.", "entities": offsets, "relations": [relation], "Comments": []},
    )
    for row in rows:
        assert found(read(tmp_path, row)) == [["Ann", "Bo"]]
    (sentence,) = read(tmp_path, rows[2])
    assert [(r.head.text, r.type, r.tail.text) for r in sentence.annotation.relations] == [("Bo", "met", "Ann")]


def span(id: str, start: int, end: int, text: str, *labels: str) -> dict[str, Any]:
    value = {"start": start, "end": end, "text": text, "labels": list(labels)}
    return {"id": id, "from_name": "label", "to_name": "text", "type": "labels", "value": value}


def task(*annotations: dict[str, Any], text: str = "Ann met Bo.") -> dict[str, Any]:
    return {"id": 1, "data": {"text": text}, "annotations": list(annotations), "predictions": [{"result": [ANN_SPAN]}]}


ANN_SPAN, BO_SPAN = span("a", 0, 3, "Ann", "PER"), span("b", 8, 10, "Bo", "PER", "friend")
MET = {"type": "relation", "from_id": "b", "to_id": "a", "direction": "right", "labels": ["met"]}


def test_tasks_of_label_studio_are_read_with_their_relations(tmp_path: Path) -> None:
    path = tmp_path / "export.json"
    left = MET | {"direction": "left"}
    tasks = [task({"result": [ANN_SPAN, BO_SPAN, MET, left, {"type": "choices", "value": {"choices": ["x"]}}]})]
    path.write_text(json.dumps(tasks), encoding="utf-8")
    (sentence,) = readers.read_file(path)
    assert [(m.type, m.text) for m in sentence.annotation.entities] == [("PER", "Ann"), ("PER", "Bo"), ("friend", "Bo")]
    assert [r.head.text for r in sentence.annotation.relations] == ["Bo", "Ann"]
    assert sentence.remarks.count(annotation_tools.OTHER_RESULTS) == 1
    minimal = {"text": "Ann met Bo.", "id": 1, "label": [ANN_SPAN["value"], BO_SPAN["value"]], "annotator": 1}
    assert read(tmp_path, minimal)[0].annotation.entities == sentence.annotation.entities


def test_of_several_annotators_the_ground_truth_or_the_agreed_answer_counts(tmp_path: Path) -> None:
    one, other = {"result": [ANN_SPAN]}, {"result": [span("b", 8, 10, "Bo", "PER")]}
    cases: list[tuple[list[dict[str, Any]], list[str] | str]] = [
        ([one, other | {"was_cancelled": True}], ["Ann"]),
        ([one, other | {"ground_truth": True}], ["Bo"]),
        ([one, {"result": [span("z", 0, 3, "Ann", "PER")]}], ["Ann"]),
        ([{"result": []}], []),
        ([one, other], annotation_tools.DISAGREEING),
        ([one | {"was_cancelled": True}], annotation_tools.CANCELLED),
        ([], base.UNANNOTATED),
    ]
    for answers, expected in cases:
        sentences = read(tmp_path, task(*answers), task(one, text="Ann left."))
        if isinstance(expected, str):
            assert found(sentences) == [["Ann"]] and remarks(sentences) == {expected: 1}
        else:
            assert found(sentences) == [expected, ["Ann"]] and not remarks(sentences)


def test_tokens_with_tags_are_read_and_numbers_of_tags_are_an_error(tmp_path: Path) -> None:
    row = {"id": "0", "tokens": ["Ann", "met", "Bo"], "ner_tags": ["B-PER", "O", "B-PER"]}
    assert found(read(tmp_path, row)) == [["Ann", "Bo"]]
    with pytest.raises(ZooError, match=r"a\.jsonl:1: found \[1, 0, 1\]; expected names of tags"):
        read(tmp_path, row | {"ner_tags": [1, 0, 1]})
    with pytest.raises(ZooError, match="2 tags of 3 tokens"):
        read(tmp_path, row | {"ner_tags": ["O", "O"]})


# --- what offsets count

EMOJI, UMLAUT = "😀 saw Ann", "Zoë saw Ann"
UNITS = {
    "UTF-16 units": lambda text: len(text.encode("utf-16-le")) // 2,
    "UTF-8 bytes": lambda text: len(text.encode()),
}


def row_in(unit: str, text: str, states_text: bool) -> dict[str, Any]:
    size = UNITS.get(unit, len)
    start, end = text.index("Ann"), text.index("Ann") + 3
    values: dict[str, Any] = {"start": size(text[:start]), "end": size(text[:end]), "label": "PER"}
    return {"text": text, "spans": [values | ({"text": "Ann"} if states_text else {})]}


@pytest.mark.parametrize("unit", [*UNITS, "code points"])
@pytest.mark.parametrize("states_text", [True, False])
@pytest.mark.parametrize("follows", [" home", ""])
def test_offsets_in_another_unit_are_recognised_and_counted(
    tmp_path: Path, unit: str, states_text: bool, follows: str
) -> None:
    texts = [f"{EMOJI}{follows}", f"{UMLAUT}{follows}", f"I saw Ann{follows}", f"😀👍 it was Ann{follows}"]
    sentences = read(tmp_path, *(row_in(unit, text, states_text) for text in texts))
    assert found(sentences) == [["Ann"]] * 4
    assert all(s.text[m.start : m.end] == m.text for s in sentences for m in s.annotation.entities)
    changed = {"UTF-16 units": 2 if states_text else 3, "UTF-8 bytes": 3, "code points": 0}[unit]
    assert remarks(sentences)[read_as(unit)] == changed  # type: ignore[arg-type]


def test_offsets_of_two_units_in_one_file_are_an_error_unless_their_texts_tell(tmp_path: Path) -> None:
    rows = [row_in("code points", "😀 then Ann", False), row_in("UTF-16 units", EMOJI, False)]
    with pytest.raises(
        ZooError, match=r"a\.jsonl:2: offsets that count UTF-16 units; expected code points, as in .*:1"
    ):
        read(tmp_path, *rows)
    rows = [row_in("code points", "😀 then Ann", True), row_in("UTF-16 units", EMOJI, True)]
    assert found(read(tmp_path, *rows)) == [["Ann"], ["Ann"]]


def test_a_span_within_a_word_that_fits_no_other_unit_is_kept_and_counted(tmp_path: Path) -> None:
    rows = [{"text": "😀 unhappy", "spans": [[4, 9, "x"]]}, {"text": "unkind", "spans": [[2, 6, "x"]]}]
    sentences = read(tmp_path, *rows)
    assert found(sentences) == [["happy"], ["kind"]] and remarks(sentences) == {base.INSIDE_WORD: 2}


def test_a_stated_text_that_fits_no_unit_is_an_error_with_its_line(tmp_path: Path) -> None:
    wrong = {"text": EMOJI, "spans": [{"start": 1, "end": 4, "label": "x", "text": "Ann"}]}
    with pytest.raises(ZooError, match=r'a\.jsonl:2: " sa" from 1 to 4; expected "Ann"'):
        read(tmp_path, ANN, wrong)


@pytest.mark.parametrize(
    ("text", "offsets", "remark"),
    [
        ("😀 saw Ann", "7 10", read_as("UTF-16 units")),
        ("Zoë saw Ann", "9 12", read_as("UTF-8 bytes")),
        ("We went.\r\nAnn left.", "9 12", brat.OTHER_TEXT),
        ("\ufeffAnn left.", "0 3", brat.OTHER_TEXT),
        ("We went.\r\nAnn left.", "10 13", None),
    ],
)
def test_brat_documents_are_read_in_the_unit_that_their_texts_confirm(
    tmp_path: Path, text: str, offsets: str, remark: str | None
) -> None:
    (tmp_path / "a.txt").write_bytes(text.encode())
    (tmp_path / "a.ann").write_bytes(f"T1\tPER {offsets}\tAnn\r\n".encode())
    sentences = list(readers.read_file(tmp_path / "a.ann"))
    assert found(sentences) == [["Ann"]] and sentences[0].remarks == ((remark,) if remark else ())


def test_zoo_score_says_how_many_texts_of_the_gold_file_are_left_out(tmp_path: Path) -> None:
    read(tmp_path, ANN | {"answer": "accept"}, BO | {"answer": "reject"}, {"text": "It rained."}, name="gold.jsonl")
    (tmp_path / "said.txt").write_text("person: Ann\n", encoding="utf-8")
    scores = api.score("uie", str(tmp_path / "gold.jsonl"), str(tmp_path / "said.txt"))
    assert scores["n"] == 1 and scores["figures"][0]["value"] == 1
    assert scores["counts"][annotation_tools.REJECTED] == scores["counts"][base.UNANNOTATED] == 1
