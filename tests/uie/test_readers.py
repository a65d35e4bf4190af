"""Files in published formats are read with exact offsets, or rejected with an error that names file and line."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from instructzoo.core.errors import ZooError
from instructzoo.uie.data import label_names, readers
from instructzoo.uie.data.readers import base
from instructzoo.uie.data.readers.base import Sentence
from instructzoo.uie.schema import Annotation, Event, Mention, Relation

ANN, OSLO = Mention("person", "Ann", 0, 3), Mention("city", "Oslo", 13, 17)
TEXT = "Ann lives in Oslo"


def write_file(folder: Path, content: str | bytes, name: str = "file.conll") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return path


def read(folder: Path, content: str | bytes, name: str = "file.conll") -> list[Sentence]:
    return list(readers.read_file(write_file(folder, content, name)))


def error_of(folder: Path, content: str | bytes, name: str = "file.conll", format: str = "") -> str:
    with pytest.raises(ZooError) as caught:
        list(readers.read_file(write_file(folder, content, name), format))
    return str(caught.value)


def all_mentions(annotation: Annotation) -> Iterator[Mention]:
    yield from annotation.entities
    for relation in annotation.relations:
        yield from (relation.head, relation.tail)
    for event in annotation.events:
        yield from (event.trigger, *event.arguments)


# --- CoNLL


@pytest.mark.parametrize("between", ["\t", " ", "\t_\t", "   x "])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_conll_spans_get_exact_offsets_and_line_numbers(tmp_path: Path, between: str, end: str) -> None:
    lines = ["Ann B-person", "lives O", "in O", "Oslo B-city", "", "", "New B-city", "York I-city"]
    content = end.join(line.replace(" ", between) for line in lines)
    first, second = read(tmp_path, b"\xef\xbb\xbf" + content.encode())
    assert (first.text, first.annotation.entities) == (TEXT, (ANN, OSLO))
    assert second.annotation.entities == (Mention("city", "New York", 0, 8),)
    assert [s.where.rpartition(":")[2] for s in (first, second)] == ["1", "7"]


@pytest.mark.parametrize(
    ("tags", "spans", "inside"),
    [
        ("B-a I-a B-a O I-a", ["a 0 2", "a 2 3", "a 4 5"], 1),
        ("B-a I-b I-b", ["a 0 1", "b 1 3"], 1),
        ("B-a E-a S-a O B-b I-b E-b", ["a 0 2", "a 2 3", "b 4 7"], 0),
        ("B-a L-a U-a I-a", ["a 0 2", "a 2 3", "a 3 4"], 1),
        ("I-a I-a B-a", ["a 0 2", "a 2 3"], 1),
        ("O O", [], 0),
    ],
)
def test_every_tagging_scheme_yields_its_own_spans(tmp_path: Path, tags: str, spans: list[str], inside: int) -> None:
    split = tags.split()
    (sentence,) = read(tmp_path, "".join(f"{n}\t{tag}\n" for n, tag in enumerate(split)))
    labelled = [f"{m.type} {m.start // 2} {(m.end + 1) // 2}" for m in sentence.annotation.entities]
    assert (labelled, len(sentence.remarks)) == (spans, inside)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("Ann\tB-person\nlives\n", 2),
        ("Ann\tB-person\n\nOslo\tcity\n", 3),
        ("\tO\n", 1),
        ("Ann\tB-\n", 1),
        ("Ann\tB-person\nOslo\tX-city\n", 2),
        (b"Ann\tO\n\xff\tO\n", 2),
    ],
)
def test_a_malformed_conll_line_is_an_error_with_its_line(tmp_path: Path, content: str | bytes, line: int) -> None:
    assert error_of(tmp_path, content, format="conll").startswith(f"{tmp_path / 'file.conll'}:{line}: ")


@pytest.mark.parametrize("content", ["", "\n\n", "\t\n"])
def test_a_file_without_a_sentence_is_an_error(tmp_path: Path, content: str) -> None:
    assert "holds no sentence" in error_of(tmp_path, content, format="conll")


def test_comments_and_document_marks_are_skipped(tmp_path: Path) -> None:
    content = "-DOCSTART- -X- O\n\n# id 7 domain=en\nAnn\tB-person\n#\tO\n\n#\tO\n# O\n"
    assert [s.text for s in read(tmp_path, content)] == ["Ann #", "# #"]


def test_offsets_are_exact_in_any_script(tmp_path: Path) -> None:
    tokens = ["😀", "שלום", "دبي", "e\u0301", "a\u200bb", "\u0007", "東京", "👩\u200d👩"]
    content = "".join(f"{token}\tB-x\n" for token in tokens)
    (sentence,) = read(tmp_path, content)
    assert [m.text for m in sentence.annotation.entities] == tokens
    assert all(sentence.text[m.start : m.end] == m.text for m in sentence.annotation.entities)


def test_a_conll_sentence_of_ten_thousand_tokens_is_read_whole(tmp_path: Path) -> None:
    (sentence,) = read(tmp_path, "word\tB-x\n" * 10_000)
    assert (len(sentence.text), len(sentence.annotation.entities)) == (49_999, 10_000)


# --- SemEval-2010 task 8

SEMEVAL = '1\t"The <e1>cup</e1> holds "<e2>tea</e2>"."\nContent-Container({})\nComment: x\n\n'


@pytest.mark.parametrize(("order", "head", "tail"), [("e1,e2", "cup", "tea"), ("e2,e1", "tea", "cup")])
def test_semeval_relations_keep_their_direction(tmp_path: Path, order: str, head: str, tail: str) -> None:
    (sentence,) = read(tmp_path, SEMEVAL.format(order), "TRAIN_FILE.TXT")
    assert sentence.text == 'The cup holds "tea".'
    places = {"cup": (4, 7), "tea": (15, 18)}
    sides = (Mention("", word, *places[word]) for word in (head, tail))
    assert sentence.annotation == Annotation(relations=(Relation("Content-Container", *sides),))


def test_other_is_read_as_no_relation(tmp_path: Path) -> None:
    (sentence,) = read(tmp_path, SEMEVAL.replace("Content-Container({})", "Other"), "a.txt")
    assert (sentence.annotation, sentence.remarks) == (Annotation(), (base.NO_RELATION,))


@pytest.mark.parametrize(
    ("broken", "line"),
    [
        (SEMEVAL.replace("</e2>", ""), 1),
        (SEMEVAL.replace("e1>", "e3>"), 1),
        (SEMEVAL.format("e1,e1"), 2),
        ('1\t"<e1>a</e1> <e2>b</e2>"\n\n', 1),
        (SEMEVAL.format("e1,e2") + "two\n", 5),
    ],
)
def test_a_malformed_semeval_block_is_an_error_with_its_line(tmp_path: Path, broken: str, line: int) -> None:
    assert error_of(tmp_path, broken, "a.txt", "semeval").startswith(f"{tmp_path / 'a.txt'}:{line}: ")


# --- JSON

CONLL04 = {
    "tokens": TEXT.split(),
    "entities": [[0, 1, "person"], [3, 4, "city"]],
    "relations": [[0, 1, 3, 4, "Live_In"]],
}
LIVES = Relation("Live_In", Mention("", "Ann", 0, 3), Mention("", "Oslo", 13, 17))


def test_conll04_token_indices_become_character_offsets(tmp_path: Path) -> None:
    (sentence,) = read(tmp_path, json.dumps([CONLL04]), "train.CoNLL04.json")
    assert (sentence.text, sentence.annotation) == (TEXT, Annotation((ANN, OSLO), (LIVES,)))


@pytest.mark.parametrize(
    "change",
    [
        {"entities": [[3, 5, "city"]]},
        {"entities": [[1, 1, "city"]]},
        {"entities": [[-1, 1, "city"]]},
        {"entities": [[0, 1, " "]]},
        {"entities": [[0, True, "city"]]},
        {"relations": [[0, 1, 3, "Live_In"]]},
        {"tokens": ["Ann", ""]},
        {"tokens": []},
    ],
)
def test_an_invalid_conll04_object_is_an_error_with_its_number(tmp_path: Path, change: dict[str, object]) -> None:
    content = json.dumps([CONLL04, CONLL04 | change])
    assert ", object 2: " in error_of(tmp_path, content, "a.json", "conll04")


OFFSETS = {
    "text": TEXT,
    "entities": [{"type": "person", "start": 0, "end": 3, "id": "T7"}, {"label": "city", "start": 13, "end": 17}],
    "relations": [{"type": "Live_In", "head": "T7", "tail": 1}],
    "events": [
        {
            "type": "stay",
            "trigger": {"start": 4, "end": 9, "text": "lives"},
            "arguments": [{"role": "who", "start": 0, "end": 3}],
        }
    ],
}


@pytest.mark.parametrize(
    "values",
    [
        {"text": TEXT, "ents": [{"start": 0, "end": 3, "label": "person"}, {"start": 13, "end": 17, "label": "city"}]},
        {"text": TEXT, "entities": [[0, 3, "person"], [13, 17, "city"]], "title": None},
        {"text": TEXT, "spans": [{"start": 0, "end": 3, "label": "person"}, {"start": 13, "end": 17, "label": "city"}]},
    ],
)
def test_every_spacy_form_is_read(tmp_path: Path, values: dict[str, object]) -> None:
    for name, content in (("a.jsonl", json.dumps(values)), ("a.json", json.dumps([values], indent=1))):
        (sentence,) = read(tmp_path, content, name)
        assert (sentence.text, sentence.annotation) == (TEXT, Annotation((ANN, OSLO)))


def test_relations_and_events_are_read_from_offsets(tmp_path: Path) -> None:
    (sentence,) = read(tmp_path, json.dumps(OFFSETS), "a.jsonl")
    event = Event("stay", Mention("", "lives", 4, 9), (Mention("who", "Ann", 0, 3),))
    assert sentence.annotation == Annotation((ANN, OSLO), (Relation("Live_In", ANN, OSLO),), (event,))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"entities": [[0, 18, "x"]]}, "a span from 0 to 18"),
        ({"entities": [[3, 3, "x"]]}, "a span from 3 to 3"),
        ({"entities": [{"start": 0, "end": 3, "label": "x", "text": "Anna"}]}, '"Ann" from 0 to 3'),
        ({"entities": [{"start": "0", "end": 3, "label": "x"}]}, "whole numbers"),
        ({"entities": {"start": 0}}, 'a list under "entities"'),
        ({"entities": [], "ents": []}, 'both "entities" and "ents"'),
        ({"relations": [{"type": "x", "head": 0, "tail": 2}]}, '"tail" is 2'),
        ({"events": [{"type": "x"}]}, '{"start": 0, "end": 3}'),
        ({"text": " ", "entities": []}, "an empty text"),
        ({"text": "Ann \ud800 in Oslo now"}, "half a character (U+D800) at 4"),
        ({"text": 7}, 'an object with "text"'),
    ],
)
def test_an_invalid_offset_object_is_an_error_with_its_line(
    tmp_path: Path, change: dict[str, object], message: str
) -> None:
    lines = [json.dumps(OFFSETS), json.dumps(OFFSETS | {"relations": [], "events": []} | change)]
    message = error_of(tmp_path, "\n".join(lines), "a.jsonl", "offsets")
    assert message.startswith(f"{tmp_path / 'a.jsonl'}:2: ") and message in message


def test_nested_and_crossing_spans_are_kept_and_duplicates_dropped(tmp_path: Path) -> None:
    spans = [[0, 9, "a"], [0, 3, "b"], [4, 12, "a"], [0, 3, "b"], [0, 3, "c"]]
    (sentence,) = read(tmp_path, json.dumps({"text": TEXT, "entities": spans}), "a.jsonl")
    assert len(sentence.annotation.entities) == 4
    assert Counter(sentence.remarks) == {base.DUPLICATE: 1, base.OVERLAPPING: 3}


def test_an_emoji_counts_as_one_character(tmp_path: Path) -> None:
    (sentence,) = read(tmp_path, json.dumps({"text": "😀 Ann", "entities": [[2, 5, "person"]]}), "a.jsonl")
    assert sentence.annotation.entities[0].text == "Ann"


# --- PHEE


def phee_line(**roles: object) -> str:
    event = {"event_type": "Adverse_event", "Trigger": {"text": [["after"]], "start": [[5]]}} | roles
    return json.dumps({"id": "1", "context": "Rash after drug A and drug B.", "annotations": [{"events": [event]}]})


def test_phee_nested_roles_and_combinations_are_read(tmp_path: Path) -> None:
    drugs = {"text": [["drug A"], ["drug B"]], "start": [[11], [22]]}
    both = {"event_type": "Combination", "Trigger": {"text": [["and"]], "start": [[18]]}, "Drug": drugs}
    treatment = {"text": [["drug A and drug B"]], "start": [[11]], "Drug": drugs, "Combination": [both]}
    severity = {"text": [["Rash"]], "start": [[0]], "value": "High"}
    (sentence,) = read(tmp_path, phee_line(Treatment=treatment, Severity=severity), "train.json")
    adverse, combination = sentence.annotation.events
    assert [(m.type, m.text) for m in adverse.arguments] == [
        ("Treatment", "drug A and drug B"),
        ("Treatment.Drug", "drug A"),
        ("Treatment.Drug", "drug B"),
        ("Severity", "Rash"),
    ]
    assert (combination.type, combination.trigger.text) == ("Combination", "and")
    assert [m.type for m in combination.arguments] == ["Combination.Drug"] * 2
    assert len(sentence.remarks) == 1


def test_a_discontinuous_phee_span_is_joined_and_remarked(tmp_path: Path) -> None:
    effect = {"text": [["drug", "B"]], "start": [[11, 27]]}
    (sentence,) = read(tmp_path, phee_line(Effect=effect), "a.jsonl")
    assert sentence.annotation.events[0].arguments == (Mention("Effect", "drug A and drug B", 11, 28),)
    assert sentence.remarks == (base.DISCONTINUOUS,)


@pytest.mark.parametrize(
    "roles",
    [
        {"Effect": {"text": [["rash"]], "start": [[0]]}},
        {"Effect": {"text": [["Rash"]], "start": [[0, 1]]}},
        {"Effect": "Rash"},
        {"Trigger": {"text": [], "start": []}},
        {"event_type": None},
    ],
)
def test_a_malformed_phee_event_is_an_error_with_its_line(tmp_path: Path, roles: dict[str, object]) -> None:
    content = phee_line() + "\n" + phee_line(**roles)
    assert error_of(tmp_path, content, "a.jsonl").startswith(f"{tmp_path / 'a.jsonl'}:2: ")


# --- brat

ANN_FILE = """T1\tperson 0 3\tAnn
R1\tLive_In Arg1:T1 Arg2:T2
T2\tcity 13 17\tOslo
T3\tstay 4 9\tlives
E1\tstay:T3 who:T1 where2:T2 cause:E1
R2\tbefore Arg1:T1 Arg2:E1
A1\tNegation E1
#1\tAnnotatorNotes T1\ta note
"""


def brat(folder: Path, text: str = TEXT + "\n", notes: str = ANN_FILE) -> Path:
    write_file(folder, text, "7.txt")
    return write_file(folder, notes, "7.ann")


def test_brat_lines_are_read_and_unsupported_ones_are_remarked(tmp_path: Path) -> None:
    path = brat(tmp_path)
    for file in (path, path.with_suffix(".txt")):
        (sentence,) = readers.read_file(file)
        arguments = (Mention("who", "Ann", 0, 3), Mention("where", "Oslo", 13, 17))
        event = Event("stay", Mention("", "lives", 4, 9), arguments)
        assert sentence.text == TEXT
        assert sentence.annotation == Annotation((ANN, OSLO), (Relation("Live_In", ANN, OSLO),), (event,))
        assert len(sentence.remarks) == 4  # an event as an argument, as a side, an attribute, a note


def test_brat_spans_with_fragments_or_line_feeds_are_read_whole(tmp_path: Path) -> None:
    notes = "T1\tx 0 3;13 17\tAnn Oslo\nT2\ty 4 12\tlives in\n"
    (sentence,) = readers.read_file(brat(tmp_path, "Ann lives\nin Oslo", notes.replace("4 12", "4 12")))
    assert [m.text for m in sentence.annotation.entities] == ["Ann lives\nin Oslo", "lives\nin"]
    assert Counter(sentence.remarks) == {base.DISCONTINUOUS: 1, base.OVERLAPPING: 1}


@pytest.mark.parametrize(
    ("notes", "line"),
    [
        ("T1\tperson 0 3\tAnna\n", 1),
        ("T1\tperson 0 99\tAnn\n", 1),
        ("T1\tperson 0\tAnn\n", 1),
        ("T1\tperson 0 3\tAnn\nT1\tcity 13 17\tOslo\n", 2),
        ("T1\tperson 0 3\tAnn\nR1\tx Arg1:T1 Arg2:T9\n", 2),
        ("T1\tperson 0 3\tAnn\nE1\tx who:T1\n", 2),
        ("T1\tperson 0 3\tAnn\nR1\tx Arg1:T1\n", 2),
        ("T1\tperson 0 3\tAnn\nR1\t\n", 2),
        ("T1\tperson 0 3\tAnn\nX1\tx\n", 2),
    ],
)
def test_a_malformed_brat_line_is_an_error_with_its_line(tmp_path: Path, notes: str, line: int) -> None:
    with pytest.raises(ZooError) as caught:
        list(readers.read_file(brat(tmp_path, notes=notes)))
    assert str(caught.value).startswith(f"{tmp_path / '7.ann'}:{line}: ")


def test_a_brat_annotation_without_its_text_is_an_error(tmp_path: Path) -> None:
    path = brat(tmp_path)
    path.with_suffix(".txt").unlink()
    with pytest.raises(ZooError, match=r"7\.ann without 7\.txt"):
        list(readers.read_file(path))


def test_a_brat_document_with_an_empty_annotation_file_is_read(tmp_path: Path) -> None:
    (sentence,) = readers.read_file(brat(tmp_path, notes=""))
    assert (sentence.text, sentence.annotation) == (TEXT, Annotation())


# --- which format


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ('{"instruction": "x", "input": "y", "output": "z"}\n', "rows.jsonl"),
        ('{"prediction": "person: Ann"}\n', "said.jsonl"),
        ("person: Ann; city: Oslo\nNone\n", "said.txt"),
        ("None\n", "said.txt"),
        ("", "said.txt"),
        ("{broken\n", "said.jsonl"),
    ],
)
def test_rows_and_plain_answers_are_in_no_published_format(tmp_path: Path, content: str, name: str) -> None:
    assert readers.format_of(write_file(tmp_path, content, name)) is None
    assert "no known format" in error_of(tmp_path, content, name)


# --- labels


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ("ORG", "organisation"),
        ("Located_In", "located in"),
        ("OrgBased_In", "is based in"),
        ("programlang", "programming language"),
        ("Cause-Effect", "causes"),
        ("creative-work", "creative work"),
        ("ProductLaunch", "product launch"),
        ("DNADamage", "DNA damage"),
        ("GENE", "gene"),
        ("/people/person/place_lived", "people person place lived"),
        ("Treatment.Time_elapsed", "time elapsed"),
        ("人物", "人物"),
        ("+", "+"),
    ],
)
def test_labels_are_turned_into_words(label: str, words: str) -> None:
    assert label_names.label_in_words(label) == words


def test_two_labels_with_the_same_words_are_an_error() -> None:
    with pytest.raises(ZooError, match='"ORG" and "organisation" both read "organisation"'):
        label_names.labels_in_words(["ORG", "person", "organisation"], "a.conll")


# --- the corpora themselves

COUNTS = {  # sentences, entities, relations, events
    "crossner/ai/train.txt": (100, 532, 0, 0),
    "crossner/ai/dev.txt": (350, 1549, 0, 0),
    "crossner/ai/test.txt": (431, 1809, 0, 0),
    "crossner/literature/train.txt": (100, 541, 0, 0),
    "crossner/literature/dev.txt": (400, 2130, 0, 0),
    "crossner/music/train.txt": (100, 648, 0, 0),
    "crossner/music/dev.txt": (380, 2679, 0, 0),
    "crossner/music/test.txt": (465, 3336, 0, 0),
    "crossner/politics/train.txt": (200, 1304, 0, 0),
    "crossner/politics/dev.txt": (541, 3482, 0, 0),
    "crossner/science/train.txt": (200, 1075, 0, 0),
    "crossner/science/dev.txt": (450, 2538, 0, 0),
    "crossner/science/test.txt": (543, 3089, 0, 0),
    "wnut17/wnut17train.conll": (3394, 1975, 0, 0),
    "wnut17/emerging.dev.conll": (1009, 836, 0, 0),
    "ncbi_disease/devel.tsv": (923, 787, 0, 0),
    "ncbi_disease/test.tsv": (940, 960, 0, 0),
    "conll04/train.CoNLL04.json": (922, 3377, 1283, 0),
    "conll04/valid.CoNLL04.json": (231, 893, 343, 0),
    "semeval2010_task8/TRAIN_FILE.TXT": (8000, 0, 6590, 0),
    "semeval2010_task8/TEST_FILE_FULL.TXT": (2717, 0, 2263, 0),
    "phee/train.jsonl": (2898, 0, 0, 3386),
    "phee/dev.jsonl": (961, 0, 0, 1155),
}


@pytest.mark.realdata
@pytest.mark.parametrize("name", COUNTS)
def test_corpora_have_their_published_counts_and_exact_offsets(realdata: Path, name: str) -> None:
    """Every span is the text at its offsets; the sizes are those of the published tables."""
    path = realdata / "ie" / name
    if not path.is_file():
        pytest.skip(f"no {path}")
    sentences = list(readers.read_file(path))
    annotations = [s.annotation for s in sentences]
    sizes = (
        sum(len(a.entities) for a in annotations),
        sum(len(a.relations) for a in annotations),
        sum(len(a.events) for a in annotations),
    )
    assert (len(sentences), *sizes) == COUNTS[name]
    for sentence in sentences:
        for mention in all_mentions(sentence.annotation):
            assert sentence.text[mention.start : mention.end] == mention.text


def test_an_entity_at_the_offsets_of_a_trigger_is_kept(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Rash came.", encoding="utf-8")
    (tmp_path / "a.ann").write_text("T1\tDisease 0 4\tRash\nT2\tAdverse 0 4\tRash\nE1\tAdverse:T2\n", encoding="utf-8")
    (sentence,) = readers.read_file(tmp_path / "a.ann")
    assert sentence.annotation.entities == (Mention("Disease", "Rash", 0, 4),)
    assert sentence.annotation.events == (Event("Adverse", Mention("", "Rash", 0, 4)),)


def test_a_brat_document_with_a_blank_annotation_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Nothing here.", encoding="utf-8")
    (tmp_path / "a.ann").write_text("\n", encoding="utf-8")
    (sentence,) = readers.read_file(tmp_path / "a.ann")
    assert sentence.annotation == Annotation()


def test_pretty_printed_and_long_json_objects_are_read(tmp_path: Path) -> None:
    value = {"text": "Ann left.", "entities": [{"type": "person", "start": 0, "end": 3}]}
    pretty, long, both = tmp_path / "extraction.json", tmp_path / "long.jsonl", tmp_path / "both.json"
    pretty.write_text(json.dumps(value, indent=2), encoding="utf-8")
    long.write_text(json.dumps(value | {"text": "Ann left. " * 8000}) + "\n", encoding="utf-8")
    both.write_text(json.dumps(value | {"text": "Ann left. " * 8000}, indent=2), encoding="utf-8")
    for path in (pretty, long, both):
        (sentence,) = readers.read_file(path)
        assert sentence.annotation.entities == (Mention("person", "Ann", 0, 3),)
