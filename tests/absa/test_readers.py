"""Published formats and own files are read completely, or rejected with file and line."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from instructzoo.absa import prompts
from instructzoo.absa.data import readers
from instructzoo.absa.data.readers import base
from instructzoo.absa.data.readers.base import Sentence
from instructzoo.absa.schema import TASKS, Quad, project
from instructzoo.core.errors import ZooError

ASQP = (
    "The wine is fine but Bob 's \"steak\" is not .####[['wine', 'drinks quality', 'positive', 'fine'], "
    "['NULL', 'food style_options', 'negative', \"Bob 's\"]]\n"
)
ASTE = "The wine list is very fine .####[([1, 2], [5], 'POS'), ([1], [4, 5], 'NEU')]\n"
ACOS = "the wine list is fine\t1,3 DRINKS#QUALITY 2 4,5\t-1,-1 Out_Of_Scope#GENERAL 0 -1,-1\n"
XML_2014 = """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<sentences>
    <sentence id="1">
        <text>The wine &amp; the bread are fine.</text>
        <aspectTerms>
            <aspectTerm term="wine" polarity="positive" from="4" to="8"/>
            <aspectTerm term="bread" polarity="conflict" from="15" to="20"/>
        </aspectTerms>
        <aspectCategories><aspectCategory category="food" polarity="positive"/></aspectCategories>
    </sentence>
    <sentence id="2"><text>We came late.</text></sentence>
</sentences>
"""
XML_2016 = """<?xml version="1.0" encoding="UTF-8"?>
<Reviews><Review rid="1"><sentences>
<sentence id="1:0"><text>Great wine, too dear.</text>
<Opinions><Opinion target="wine" category="DRINKS#QUALITY" polarity="positive" from="6" to="10"/>
<Opinion target="NULL" category="DRINKS#PRICES" polarity="negative" from="0" to="0"/></Opinions></sentence>
<sentence id="1:1" OutOfScope="TRUE"><text>We came late.</text></sentence>
</sentences><Opinions><Opinion category="DRINKS#QUALITY" polarity="positive"/></Opinions></Review></Reviews>
"""
CSV = """raw_text,aspectTerms,aspectCategories
"Wine, dear","[{'term': 'wine', 'polarity': 'positive'}, {'term': ""cook's, [1]"", 'polarity': 'neutral'}]","[]"
We came late.,"[{'term': 'noaspectterm', 'polarity': 'none'}]","[{'category': 'food', 'polarity': 'positive'}]"
"""
OWN_CSV = """text,aspect,category,opinion,sentiment
"Great wine, slow service",wine,drinks quality,Great,positive
We came on a Sunday.,none,,,
"Great wine, slow service",service,SERVICE#GENERAL,NULL,NEG
"""


def file(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def read(folder: Path, name: str, text: str | bytes) -> list[Sentence]:
    return list(readers.read_file(file(folder, name, text)))


def refused(folder: Path, name: str, text: str | bytes, format: str = "") -> str:
    with pytest.raises(ZooError) as caught:
        list(readers.read_file(file(folder, name, text), format))
    assert "\n" not in str(caught.value)
    return str(caught.value).removeprefix(str(folder / name))


def test_an_asqp_line_is_read_with_all_elements_in_place(tmp_path: Path) -> None:
    (sentence,) = read(tmp_path, "train.txt", ASQP)
    assert sentence.text == 'The wine is fine but Bob \'s "steak" is not .'
    assert sentence.quads == (
        Quad("wine", "DRINKS#QUALITY", "fine", "positive"),
        Quad(None, "FOOD#STYLE_OPTIONS", "Bob 's", "negative"),
    )
    assert (sentence.tasks, sentence.where) == (TASKS, f"{tmp_path / 'train.txt'}:1")


def test_token_indices_count_from_zero_and_empty_spans_are_remarked(tmp_path: Path) -> None:
    (aste,) = read(tmp_path, "train_triplets.txt", ASTE)
    assert aste.quads == (
        Quad("wine list", None, "fine", "positive"),
        Quad("wine", None, "very fine", "neutral"),
    )
    assert aste.tasks == ("ae", "aesc", "aste")
    (acos,) = read(tmp_path, "x.tsv", ACOS)
    assert acos.quads == (
        Quad("wine list", "DRINKS#QUALITY", "fine", "positive"),
        Quad(None, "Out_Of_Scope#GENERAL", None, "negative"),
    )
    (empty,) = read(tmp_path, "y.tsv", "a b\t1,1 A#B 1 0,1\n")
    assert empty.quads == (Quad(None, "A#B", "a", "neutral"),)
    assert empty.remarks == (base.EMPTY_SPAN,)


def test_semeval_xml_of_2014_and_2016_is_read_by_its_own_format(tmp_path: Path) -> None:
    first, second = read(tmp_path, "Restaurants_Train_v2.xml", XML_2014)
    assert first.text == "The wine & the bread are fine."
    assert first.quads == (Quad("wine", None, None, "positive"), Quad("bread", None, None, "conflict"))
    assert first.tasks == second.tasks == ("ae", "aesc")
    assert first.remarks == (base.UNUSED_CATEGORY,)
    assert (second.quads, second.where) == ((), f"{tmp_path / 'Restaurants_Train_v2.xml'}:11")
    first, second = read(tmp_path, "EN_REST_SB1_TEST.xml.gold", XML_2016)
    assert first.quads == (
        Quad("wine", "DRINKS#QUALITY", None, "positive"),
        Quad(None, "DRINKS#PRICES", None, "negative"),
    )
    assert first.tasks == second.tasks == ("ae", "aesc", "tasd")
    assert not first.remarks
    assert Counter(second.remarks) == {"opinion on a whole review, which no task asks for": 1}


def test_offsets_that_miss_their_term_are_remarked(tmp_path: Path) -> None:
    (sentence, _) = read(tmp_path, "a.xml", XML_2014.replace('from="4"', 'from="5"'))
    assert Counter(sentence.remarks)["offsets in the file that do not lead to the term"] == 1


def test_terms_with_commas_and_brackets_stay_whole(tmp_path: Path) -> None:
    first, second = read(tmp_path, "Restaurants_Train.csv", CSV.replace("\n", "\r\n"))
    assert first.quads == (Quad("wine", None, None, "positive"), Quad("cook's, [1]", None, None, "neutral"))
    assert (second.quads, second.remarks) == ((), (base.UNUSED_CATEGORY,))


def test_own_csv_and_jsonl_files_are_read_with_every_tuple(tmp_path: Path) -> None:
    quads = (
        Quad("wine", "DRINKS#QUALITY", "Great", "positive"),
        Quad("service", "SERVICE#GENERAL", None, "negative"),
    )
    first, second = read(tmp_path, "mine.csv", OWN_CSV)
    assert (first.text, first.quads, first.tasks) == ("Great wine, slow service", quads, TASKS)
    assert (second.text, second.quads, second.where) == ("We came on a Sunday.", (), f"{tmp_path / 'mine.csv'}:3")
    elements = ("aspect", "category", "opinion", "sentiment")
    objects = [{name: getattr(quad, name) for name in elements} for quad in quads]
    lines = [{"text": "We came.", "quads": []}, {"text": first.text, "quads": objects, "domain": "bar"}]
    third, fourth = read(tmp_path, "mine.jsonl", "\n".join(map(json.dumps, lines)))
    assert (third.quads, third.tasks) == ((), TASKS)
    assert (fourth.quads, fourth.domain) == (quads, "bar")


def test_a_file_gets_only_tasks_whose_elements_it_annotates(tmp_path: Path) -> None:
    (sentence,) = read(tmp_path, "mine.csv", "text,aspect,sentiment\nFine wine,wine,positive\n")
    assert sentence.tasks == ("ae", "aesc")
    lines = [{"text": "We came.", "quads": []}, {"text": "Fine wine", "quads": [{"aspect": "wine"}]}]
    assert {s.tasks for s in read(tmp_path, "mine.jsonl", "\n".join(map(json.dumps, lines)))} == {("ae",)}


def test_instruction_rows_are_read_back_with_task_and_domain(tmp_path: Path) -> None:
    quads = [Quad("wine", "DRINKS#QUALITY", None, "positive")]
    rows = [prompts.make_row("Fine wine", quads, task, 0, "bar", "own", "mine") for task in ("asqp", "ae")]
    path = file(tmp_path, "rows.jsonl", "\n".join(map(json.dumps, rows)))
    first, second = readers.read_file(path, "own")
    assert (first.text, first.quads, first.tasks, first.domain) == ("Fine wine", tuple(quads), ("asqp",), "bar")
    assert (second.quads, second.tasks) == ((Quad("wine"),), ("ae",))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("no labels here", "found no labels here; expected sentence####[['aspect', 'category', 'positive', 'opinion']"),
        (
            "a b####[['a', 'food quality', 'positive']]",
            "found ['a', 'food quality', 'positive']; expected sentence####",
        ),
        ("a b####[['a', 'food quality', 'good', 'b']]", 'no sentiment "good"'),
        ("a b####[['a', 'food quality', 'positive', 'b'", "expected sentence####"),
        ("a b####[['a', '', 'positive', 'b']]", "expected a category"),
        ("a b####[__import__('os').system('true')]", "found a b####[__import__"),
        ("####[['a', 'food quality', 'positive', 'b']]", "found ''; expected a text that is not empty"),
        ("a b####[['\\ud800', 'food quality', 'positive', 'b']]", "half a surrogate pair"),
        ("a b####" + "[" * 5000, "expected sentence####"),
        ("a\rb####[]", "a carriage return within the line"),
    ],
)
def test_a_malformed_asqp_line_is_an_error_with_its_line(tmp_path: Path, line: str, words: str) -> None:
    message = refused(tmp_path, "train.txt", ASQP + line + "\n" + ASQP, "asqp")
    assert message.startswith(":2: ")
    assert words in message


@pytest.mark.parametrize(
    ("name", "good", "line", "words"),
    [
        ("a.txt", ASTE, "a b####[([0], [2], 'POS')]", "token 2; expected one of the 2 tokens"),
        ("a.txt", ASTE, "a b####[([0], [-1], 'POS')]", "token -1"),
        ("a.txt", ASTE, "a b####[([], [1], 'POS')]", "found []"),
        ("a.txt", ASTE, "a b####[([0], [1], 'GOOD')]", 'no sentiment "GOOD"'),
        ("a.txt", ASTE, "a b####[([0], [1])]", "expected sentence####[([0, 1], [3], 'POS')"),
        ("a.tsv", ACOS, "a b\t0,1 FOOD 3 1,2", "expected sentence<tab>first,end"),
        ("a.tsv", ACOS, "a b\t0,3 FOOD#QUALITY 2 1,2", "token 3; expected one of the 2 tokens"),
        ("a.tsv", ACOS, "a b\t-1,0 FOOD#QUALITY 2 1,2", "token -1"),
        ("a.tsv", ACOS, "\t0,1 FOOD#QUALITY 2 -1,-1", "a text that is not empty"),
    ],
)
def test_a_malformed_line_of_token_indices_is_an_error_with_its_line(
    tmp_path: Path, name: str, good: str, line: str, words: str
) -> None:
    message = refused(tmp_path, name, good + line + "\n")
    assert message.startswith(":2: ")
    assert words in message


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ('polarity="positive" from="4"', 'polarity="good" from="4"', 6, 'no sentiment "good"'),
        ('term="wine" ', "", 6, "no attribute term"),
        ("</aspectTerms>", "", 10, "no well-formed XML (mismatched tag)"),
        ("<sentences>", "<!DOCTYPE a [<!ENTITY b 'c'>]><sentences>", 2, "a document type"),
        ("The wine &amp; the bread are fine.", " ", 3, "a text that is not empty"),
        ("sentence ", "Satz ", 10, "no well-formed XML"),
        ('"UTF-8"', '"UTF-88"', 1, "unknown encoding: UTF-88"),
    ],
)
def test_malformed_xml_is_an_error_with_its_line(tmp_path: Path, old: str, new: str, line: int, words: str) -> None:
    message = refused(tmp_path, "a.xml", XML_2014.replace(old, new))
    assert message.startswith(f":{line}: "), message
    assert words in message


@pytest.mark.parametrize(
    ("name", "text", "line", "words"),
    [
        ("a.csv", CSV.replace("'term': 'wine', ", ""), 2, "expected [{'term': '...', 'polarity': 'positive'}"),
        ("a.csv", CSV.replace("'positive'}, {'term'", "'fine'}, {'term'"), 2, 'no sentiment "fine"'),
        ("a.csv", CSV.replace("[{'term': 'noas", "{'term': 'noas"), 3, "expected [{'term'"),
        ("a.csv", CSV.replace("aspectTerms", "terms"), 2, "no column aspectTerms among"),
        ("a.csv", OWN_CSV.replace("opinion", "view"), 2, 'column "view"'),
        ("a.csv", OWN_CSV.replace("positive", "top"), 2, 'no sentiment "top"'),
        ("a.csv", OWN_CSV.replace(",positive", ","), 2, "a tuple without sentiment"),
        ("a.csv", OWN_CSV.replace("drinks quality", "NULL"), 2, "a tuple without category"),
        ("a.csv", OWN_CSV + "Fine,wine\n", 5, "2 cells; expected 5"),
        ("a.csv", OWN_CSV + " ,wine,A#B,x,positive\n", 5, "a text that is not empty"),
        ("a.jsonl", '{"text": "a", "quads": [{"aspect": "b", "view": "c"}]}', 1, 'element "view"'),
        ("a.jsonl", '{"text": "a", "quads": [{"aspect": ""}]}', 1, "\"aspect\" is ''; expected text, or null"),
        ("a.jsonl", '{"text": "a", "quads": {"aspect": "b"}}', 1, "expected a list of objects"),
        ("a.jsonl", '{"text": "a", "quads": []}\n{"text": " ", "quads": []}', 2, "a text that is not empty"),
        ("a.jsonl", '{"text": "a", "quads": []}\n{"text": "a"', 2, "malformed JSON"),
        ("a.jsonl", '{"text": "a", "quads": [{"sentiment": "positive"}]}', 1, "a tuple without aspect"),
        (
            "a.jsonl",
            '{"text": "a", "quads": [{"aspect": "b"}]}\n{"text": "a", "quads": [{"aspect": "b", "opinion": "c"}]}',
            2,
            "a tuple with aspect, opinion; expected aspect, as in the first one",
        ),
    ],
)
def test_a_malformed_table_or_object_is_an_error_with_its_line(
    tmp_path: Path, name: str, text: str, line: int, words: str
) -> None:
    message = refused(tmp_path, name, text)
    assert message.startswith(f":{line}: "), message
    assert words in message


def test_unknown_empty_or_missing_files_are_errors(tmp_path: Path) -> None:
    assert "a file in no known format" in refused(tmp_path, "a.txt", "just words\n")
    assert ":1: byte 0xff is not UTF-8" in refused(tmp_path, "a.txt", b"\xff####[]\n", "asqp")
    assert "holds no sentence" in refused(tmp_path, "a.txt", "\n \n", "asqp")
    assert "holds no <sentence>" in refused(tmp_path, "a.xml", "<a/>")
    with pytest.raises(ZooError, match="no such file"):
        readers.detect_format(tmp_path / "absent.txt")


@pytest.mark.parametrize(
    "text",
    [
        "فاخر والنبيذ لذيذ",
        "wine 🍷👩‍👩‍👧 fine",
        "wine\u2028fine\x85\x0b\x0c\x1c\x00 \u202e\ufeff !",
        "#### wine ####[fine] 'x' \"y\" \\n",
        "wine " * 10_000,
        "it is means [SSEP] implied nothing",
    ],
)
def test_unusual_texts_are_read_and_parsed_back_unchanged(tmp_path: Path, text: str) -> None:
    """Emoji, right-to-left script, control characters, marks of the format, 50,000 characters."""
    text = text.strip()
    words = text.split(" ")
    quads = (Quad(words[0], "FOOD#QUALITY", words[-1], "positive"), Quad(None, "FOOD#QUALITY", text, "negative"))
    labels = [[q.aspect or "NULL", "food quality", q.sentiment, q.opinion] for q in quads]
    end = len(words)
    acos = f"0,1 FOOD#QUALITY 2 {end - 1},{end}\t-1,-1 FOOD#QUALITY 0 0,{end}"
    elements = ("aspect", "category", "opinion", "sentiment")
    objects = [{name: getattr(quad, name) for name in elements} for quad in quads]
    files = {
        "a.txt": f"\ufeff{text}####{labels!r}\r\n",
        "a.tsv": f"{text}\t{acos}\n",
        "a.jsonl": json.dumps({"text": text, "quads": objects}),
    }
    for name, content in files.items():
        (sentence,) = read(tmp_path, name, content)
        assert (sentence.text, sentence.quads) == (text, quads), name
        for task in TASKS:
            row = prompts.make_row(sentence.text, sentence.quads, task, 0)
            answer = prompts.parse(row["output"], row)
            assert isinstance(answer, prompts.Answer)
            assert list(answer.quads) == project(quads, task)


JUNK = (
    "\0",
    '"',
    "'",
    "[",
    "]",
    "{",
    "(",
    ",",
    "\n",
    "\r",
    "\t",
    "####[",
    "-1",
    "9" * 20,
    "é",
    "\u2028",
    "&",
    "<",
    "\\",
    "NULL",
)


@pytest.mark.parametrize("name", ["a.txt", "b.txt", "a.tsv", "a.xml", "b.xml", "a.csv", "b.csv"])
def test_a_mangled_file_is_read_or_refused_in_one_line(tmp_path: Path, name: str) -> None:
    """After three random edits a file is read, or rejected with an error of one line."""
    good = {"a.txt": ASQP, "b.txt": ASTE, "a.tsv": ACOS, "a.xml": XML_2014, "b.xml": XML_2016, "a.csv": CSV}
    text = good.get(name, OWN_CSV)
    rng = random.Random(name)
    refusals = 0
    for _ in range(150):
        mangled = text
        for _ in range(3):
            i = rng.randrange(len(mangled) + 1)
            mangled = mangled[:i] + rng.choice(JUNK) + mangled[i + rng.choice((0, 0, 1, 5)) :]
        try:
            for sentence in readers.read_file(file(tmp_path, name, mangled)):
                assert sentence.text == sentence.text.strip() != ""
        except ZooError as error:
            refusals += 1
            assert "\n" not in str(error)
    assert 0 < refusals < 150


COUNTS = {
    "asqp/rest15": [(834, 1354), (209, 347), (537, 795)],
    "asqp/rest16": [(1264, 1989), (316, 507)],
    "acos/restaurant": [(1530, 2484), (171, 261), (583, 916)],
    "acos/laptop": [(2934, 4172), (326, 440)],
    "aste/14lap": [(906, 1460), (219, 346)],
    "aste/14res": [(1266, 2338), (310, 577), (492, 994)],
    "aste/15res": [(605, 1013), (148, 249), (322, 485)],
    "aste/16res": [(857, 1394), (210, 339), (326, 514)],
    "semeval/2014-laptop": [(3045, 2358), (800, 654)],
    "semeval/2014-restaurant": [(3041, 3693), (800, 1134)],
    "semeval/2015-restaurant": [(1315, 1204), (685, 542)],
    "semeval/2015-hotel": [(266, 215)],
    "semeval/2016-restaurant": [(2000, 1748), (676, 615)],
}
"""Sentences and tuples of the published files, in order of train, validation, test."""

BROKEN = {
    "asqp/rest15": 9,
    "asqp/rest16": 9,
    "acos/restaurant": 8,
    "acos/laptop": 9,
    "aste/14lap": 7,
    "aste/14res": 6,
    "aste/15res": 2,
    "aste/16res": 4,
    "semeval/2014-laptop": 22,
    "semeval/2014-restaurant": 1,
    "semeval/2015-restaurant": 1,
    "semeval/2015-hotel": 0,
    "semeval/2016-restaurant": 2,
}
"""Spans that a template without quotes would lose: "is n't the greatest", "no apology ", a real aspect "it"."""


@pytest.mark.realdata
@pytest.mark.parametrize("name", COUNTS)
def test_published_sets_have_known_counts_and_parse_back(realdata: Path, name: str) -> None:
    """Render then parse is the identity on every sentence and task of every file."""
    from instructzoo.absa.data import corpora

    files = corpora.locate(name, str(realdata), only_source=True)
    assert len(files) == len(COUNTS[name])
    broken: Counter[str] = Counter()
    for path, (sentences, tuples) in zip(files.values(), COUNTS[name], strict=True):
        read = list(readers.read_file(path))
        assert (len(read), sum(len(sentence.quads) for sentence in read)) == (sentences, tuples), path
        for sentence in read:
            broken.update(s for q in sentence.quads for s in (q.aspect, q.opinion) if s and prompts.quoting_reason(s))
            for task in sentence.tasks:
                quads = [quad for quad in sentence.quads if quad.sentiment != "conflict"]
                row = prompts.make_row(sentence.text, quads, task, 0, "restaurant", name, "none", sentence.where)
                answer = prompts.parse(row["output"], row)
                assert isinstance(answer, prompts.Answer), (sentence.where, answer)
                assert list(answer.quads) == project(quads, task), sentence.where
    print(f"{name}: {broken.total()} spans would break the paper's template: {dict(broken)}")
    assert broken.total() == BROKEN[name]


def test_a_sentence_without_tuples_gets_only_the_tasks_of_its_file(tmp_path: Path) -> None:
    """The K-shot files of LAP14 have no categories; so a sentence without tuples is not asked for them either."""
    path = tmp_path / "lap14.txt"
    path.write_text(
        "Fine .####[]\nGood screen .####[('screen', 'laptop', 'positive', 'Good')]\nWell .####[]\n", encoding="utf-8"
    )
    sentences = list(readers.READERS["asqp"](path))
    assert [sentence.text for sentence in sentences] == ["Fine .", "Good screen .", "Well ."]
    assert {sentence.tasks for sentence in sentences} == {("ae", "aesc", "aste")}


def test_a_number_in_a_text_column_is_an_error(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": ["Fine wine"], "aspect": [5]}), tmp_path / "own.parquet")
    with pytest.raises(ZooError, match='"aspect" is 5; expected text'):
        list(readers.READERS["own"](tmp_path / "own.parquet"))
