"""Any file is read, or refused with its path and line; what is read is written as an answer and read back."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from instructzoo.absa import prompts
from instructzoo.absa.data import readers
from instructzoo.absa.schema import CONFLICT, ELEMENTS, project
from instructzoo.core.errors import ZooError

QUICK = settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

WORDS = st.sampled_from(
    ["wine", "fine", "NULL", "none", "[]", "is", "means", "it", "nothing", "implied", "[SSEP]", '"', "🍷", "a\u00a0b"]
)
TEXTS = st.one_of(st.lists(WORDS, max_size=5).map(" ".join), st.text(max_size=12))
CATEGORIES = st.one_of(
    st.sampled_from(["food quality", "FOOD#QUALITY", "laptop", "A#B#C", "", "is#x"]), st.text(max_size=6)
)
SENTIMENTS = st.sampled_from(["positive", "NEG", "neutral", "conflict", "none", ""])
NUMBERS = st.integers(-2, 6)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=6,
)


def one_of_many(form: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Mostly of the right form, sometimes anything."""
    return st.one_of(form, form, form, JSON)


def lines(form: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(form, min_size=1, max_size=4).map("\n".join)


def labelled(labels: st.SearchStrategy[Any]) -> st.SearchStrategy[str]:
    return lines(st.tuples(TEXTS, one_of_many(st.lists(labels, max_size=3))).map(lambda p: f"{p[0]}####{p[1]!r}"))


ASQP = labelled(st.tuples(TEXTS, CATEGORIES, SENTIMENTS, TEXTS).flatmap(lambda q: st.sampled_from([q, list(q)])))
TOKENS = st.lists(NUMBERS, max_size=3)
ASTE = labelled(st.tuples(TOKENS, TOKENS, st.sampled_from(["POS", "NEG", "NEU", "X"])))
ACOS_LABEL = st.builds(
    lambda a, b, c, s, d, e: f"{a},{b} {c} {s} {d},{e}", NUMBERS, NUMBERS, CATEGORIES, NUMBERS, NUMBERS, NUMBERS
)
ACOS = lines(
    st.tuples(TEXTS, st.lists(st.one_of(ACOS_LABEL, WORDS), max_size=3)).map(lambda p: "\t".join([p[0], *p[1]]))
)


def table(header: list[str], cells: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    def written(rows: list[list[str]]) -> str:
        out = io.StringIO()
        csv.writer(out).writerows([header, *rows])
        return out.getvalue()

    return st.lists(st.lists(cells, min_size=len(header), max_size=len(header)), min_size=1, max_size=5).map(written)


OWN_TABLE = st.sampled_from([1, 2, 4]).flatmap(
    lambda n: table(["text", *ELEMENTS[:n]], st.one_of(TEXTS, SENTIMENTS, st.just("")))
)
TERMS = st.lists(st.fixed_dictionaries({"term": TEXTS, "polarity": SENTIMENTS}), max_size=2).map(repr)
SEMEVAL_TABLE = table(["raw_text", "aspectTerms"], st.one_of(TEXTS, TERMS, TERMS))
QUADS = st.dictionaries(st.sampled_from(ELEMENTS), one_of_many(st.one_of(st.none(), TEXTS, SENTIMENTS)), max_size=4)
OBJECTS = lines(
    st.fixed_dictionaries(
        {"text": one_of_many(TEXTS)},
        optional={"quads": one_of_many(st.lists(one_of_many(QUADS), max_size=2)), "domain": one_of_many(TEXTS)},
    ).map(json.dumps)
)
ROWS = lines(
    st.fixed_dictionaries(
        {
            "input": one_of_many(TEXTS),
            "task": one_of_many(st.sampled_from(["ae", "asqp", "tasd", "x"])),
            "gold": st.one_of(st.lists(QUADS, max_size=2).map(json.dumps), one_of_many(TEXTS)),
        }
    ).map(json.dumps)
)


def element(name: str, attributes: dict[str, str], inside: str = "") -> str:
    from xml.sax.saxutils import escape, quoteattr

    written = "".join(f" {key}={quoteattr(value)}" for key, value in attributes.items())
    return f"<{name}{written}>{inside if inside.startswith('<') else escape(inside)}</{name}>"


LABELS = st.one_of(
    st.fixed_dictionaries(
        {"term": TEXTS, "polarity": SENTIMENTS}, optional={"from": NUMBERS.map(str), "to": NUMBERS.map(str)}
    ).map(lambda a: element("aspectTerm", a)),
    st.fixed_dictionaries({"target": TEXTS, "category": CATEGORIES, "polarity": SENTIMENTS}).map(
        lambda a: element("Opinion", a)
    ),
    st.just('<aspectCategory category="food" polarity="positive"/>'),
)
XML = st.lists(st.tuples(TEXTS, st.lists(LABELS, max_size=2)), max_size=3).map(
    lambda sentences: element(
        "sentences",
        {},
        "".join(element("sentence", {}, element("text", {}, text) + "".join(labels)) for text, labels in sentences),
    )
)

FILES: dict[str, tuple[str, str, st.SearchStrategy[str]]] = {
    "asqp": ("a.txt", "asqp", ASQP),
    "aste": ("a.txt", "aste", ASTE),
    "acos": ("a.tsv", "acos", ACOS),
    "semeval-xml": ("a.xml", "semeval-xml", XML),
    "semeval-csv": ("a.csv", "semeval-csv", SEMEVAL_TABLE),
    "own table": ("a.csv", "own", OWN_TABLE),
    "own objects": ("a.jsonl", "own", OBJECTS),
    "own rows": ("a.jsonl", "own", ROWS),
}
"""For each reader the name of a file, the format, and texts of about its form."""


def check(path: Path, content: bytes, format: str) -> int:
    """Read a file; returns the number of its sentences, or 0 for one that is refused."""
    path.write_bytes(content)
    try:
        sentences = list(readers.read_file(path, format))
    except ZooError as error:
        assert str(error.where).startswith(str(path)), error
        assert "\n" not in str(error)
        return 0
    for sentence in sentences:
        assert sentence.text == sentence.text.strip() != ""
        assert sentence.annotated or not sentence.quads
        for task in sentence.tasks:
            check_row(sentence, task)
    return len(sentences)


def check_row(sentence: readers.Sentence, task: str) -> None:
    quads = [quad for quad in sentence.quads if quad.sentiment != CONFLICT]
    try:
        row = prompts.make_row(sentence.text, quads, task, 0, sentence.domain or "bar", where=sentence.where)
    except ZooError as error:
        assert error.where == sentence.where, error
        return
    answer = prompts.parse(row["output"], row)
    assert isinstance(answer, prompts.Answer), (row, answer)
    assert list(answer.quads) == project(quads, task)


@pytest.mark.parametrize("kind", FILES)
def test_a_file_of_about_the_right_form_is_read_back_or_refused_at_its_line(tmp_path: Path, kind: str) -> None:
    name, format, texts = FILES[kind]
    read = 0

    @QUICK
    @given(texts)
    def run(text: str) -> None:
        nonlocal read
        read += check(tmp_path / name, text.encode(errors="surrogatepass"), format)

    run()
    assert read, "no text of this form was read: the strategy has rotted"


@pytest.mark.parametrize("name", ["a.txt", "a.tsv", "a.xml", "a.csv", "a.jsonl", "a.json", "a.parquet"])
def test_any_bytes_are_read_or_refused(tmp_path: Path, name: str) -> None:
    marks = st.sampled_from(
        [b"####[", b"<sentence><text>", b"{", b'"quads"', b"text,aspect\n", b"\t0,1 A 1 0,1", b"\n"]
    )
    contents = st.lists(st.one_of(marks, st.binary(max_size=6)), max_size=6).map(b"".join)

    @QUICK
    @given(contents, st.sampled_from(["", *readers.READERS]))
    def run(content: bytes, format: str) -> None:
        check(tmp_path / name, content, format)

    run()
