"""What files from other tools have: offsets in other units, no-break spaces, labels of another kind, repeated texts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from instructzoo.absa import sources
from instructzoo.absa.data import readers
from instructzoo.absa.data.readers import base, semeval
from instructzoo.absa.data.readers.base import Sentence
from instructzoo.absa.schema import Quad
from instructzoo.core.errors import ZooError
from instructzoo.core.recipe import Recipe

WINE = '<aspectTerms><aspectTerm term="wine" polarity="positive" from="{}" to="{}"/></aspectTerms>'
CATEGORY = '<aspectCategories><aspectCategory category="food" polarity="positive"/></aspectCategories>'
REVIEW_OPINION = '<Opinions><Opinion category="FOOD#QUALITY" polarity="positive"/></Opinions>'


def xml(text: str, labels: str = "", after: str = "") -> str:
    return f'<sentences>\n<sentence id="1"><text>{text}</text>\n{labels}</sentence>\n{after}</sentences>'


def read(folder: Path, name: str, content: str | bytes) -> list[Sentence]:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(readers.read_file(path))


def refused(folder: Path, name: str, content: str) -> str:
    with pytest.raises(ZooError) as caught:
        read(folder, name, content)
    return str(caught.value).removeprefix(str(folder / name))


@pytest.mark.parametrize(
    ("text", "offsets", "remarks"),
    [
        ("🍷 fine wine", (7, 11), ()),
        ("🍷 fine wine", (8, 12), (semeval.UTF16_OFFSETS,)),
        ("🍷👍 fine wine", (10, 14), (semeval.UTF16_OFFSETS,)),
        ("🍷 fine wine", (6, 10), (semeval.WRONG_OFFSETS,)),
        ("🍷 fine wine", (1, 2), (semeval.WRONG_OFFSETS,)),
        ("fine wine", (500, 504), (semeval.WRONG_OFFSETS,)),
    ],
)
def test_offsets_are_checked_in_characters_and_in_utf16_units(
    tmp_path: Path, text: str, offsets: tuple[int, int], remarks: tuple[str, ...]
) -> None:
    (sentence,) = read(tmp_path, "a.xml", xml(text, WINE.format(*offsets)))
    assert (sentence.quads[0].aspect, sentence.remarks) == ("wine", remarks)


@pytest.mark.parametrize(
    ("text", "offsets", "message"),
    [
        ("fine beer", (5, 9), ':3: the term "wine", and "beer" at its offsets'),
        ("fine wine", (5, "x"), ':3: from="5" to="x"; expected two numbers of characters'),
        ("fine wine", (-5, 4), ':3: from="-5"'),
        ("fine wine", (5, ""), ':3: from="5" to=""'),
        ("fine wine", (5, "9" * 5000), ':3: from="5" to="999'),
    ],
)
def test_labels_that_contradict_the_text_are_errors_with_their_line(
    tmp_path: Path, text: str, offsets: tuple[object, object], message: str
) -> None:
    assert refused(tmp_path, "a.xml", xml(text, WINE.format(*offsets))).startswith(message)


@pytest.mark.parametrize(
    ("labels", "after", "message"),
    [
        (CATEGORY, "", ":3: categories without terms alone"),
        ("", REVIEW_OPINION, ": opinions on whole reviews alone"),
        ("", "", ": no label at all"),
        ("<aspectTerms/>", "", ": no label at all"),
        (
            WINE.format(5, 9) + '<Opinions><Opinion target="NULL" category="A#B" polarity="positive"/></Opinions>',
            "",
            ":3: labels of two forms",
        ),
    ],
)
def test_a_file_that_says_nothing_about_terms_is_refused(tmp_path: Path, labels: str, after: str, message: str) -> None:
    """Else each of its sentences would count as one without opinions, and an empty answer would score 100."""
    assert refused(tmp_path, "a.xml", xml("fine wine", labels, after)).startswith(message)


def test_a_sentence_without_terms_beside_others_has_none(tmp_path: Path) -> None:
    other = "<sentence><text>We came.</text></sentence>"
    first, second = read(tmp_path, "a.xml", xml("fine wine", WINE.format(5, 9) + CATEGORY, other))
    assert (len(first.quads), second.quads, second.annotated) == (1, (), True)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_xml_with_a_byte_order_mark_is_read(tmp_path: Path, encoding: str) -> None:
    (sentence,) = read(tmp_path, "a.xml", xml("fine wine", WINE.format(5, 9)).encode(encoding))
    assert (sentence.text, sentence.remarks) == ("fine wine", ())


@pytest.mark.parametrize("space", ["\u00a0", "\u202f", "\u3000", "\t"])
def test_a_span_typed_with_plain_spaces_gets_the_white_space_of_its_text(tmp_path: Path, space: str) -> None:
    text, quad = f"the wine{space}list was fine", {"aspect": "wine list", "sentiment": "positive"}
    (sentence,) = read(tmp_path, "a.jsonl", json.dumps({"text": text, "quads": [quad]}))
    assert (sentence.quads[0].aspect, sentence.remarks) == (f"wine{space}list", (base.OTHER_WHITE_SPACE,))
    (sentence,) = read(tmp_path, "a.txt", f"{text}####[['wine list', 'food quality', 'positive', 'fine']]\n")
    assert sentence.quads == (Quad(f"wine{space}list", "FOOD#QUALITY", "fine", "positive"),)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", "a b####[([1, 0], [1], 'POS')]", ":1: tokens [1, 0]; expected token numbers in ascending order"),
        ("a.txt", "a b####[([0, 0], [1], 'POS')]", ":1: tokens [0, 0]"),
        ("a.txt", "a b####[([1], [2], 'POS')]", ":1: token 2; expected one of the 2 tokens of the sentence, counted"),
        ("a.txt", f"a b####[([0x{'f' * 5000}], [1], 'POS')]", ":1: found a b####[([0xfff"),
        ("a.tsv", f"a b\t0,1 A#B 1 0,1\na b\t0,{'9' * 5000} A#B 1 0,1", ":2: found 0,999"),
        ("a.txt", "a b####[[' ', 'food quality', 'positive', 'b']]", ":1: an empty element"),
        ("a.jsonl", '{"text": "a", "quads": [{"aspect": "a", "category": " "}]}', ":1: an empty element"),
        ("a.jsonl", '{"text": "a", "quads": [], "domain": "\\ud800"}', ":1: malformed JSON (half a character, U+D800)"),
    ],
)
def test_numbers_and_elements_that_name_nothing_are_errors(
    tmp_path: Path, name: str, content: str, message: str
) -> None:
    assert refused(tmp_path, name, content).startswith(message)


def test_repeated_texts_with_other_tuples_are_counted(tmp_path: Path) -> None:
    lines = [
        {"text": "fine wine", "quads": [{"aspect": aspect}] if aspect else []}
        for aspect in ("wine", "wine", "fine", None)
    ]
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    model = {"backbone": "scratch:llama-1x32", "tokenizer": "bpe"}
    data = {"sources": ["own"], "path": str(path)}
    train = sources.build(Recipe.model_validate({"domain": "absa", "model": model, "data": data}))["train"]
    assert "own, train: 2 sentences that stand more than once with other tuples" in train.info.description


def test_a_sentence_of_conflicting_tuples_alone_is_no_sentence_without_opinions(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text,aspect,sentiment\nodd soup,soup,conflict\nfine wine,wine,positive\n", encoding="utf-8")
    model = {"backbone": "scratch:llama-1x32", "tokenizer": "bpe"}
    data = {"sources": ["own"], "path": str(path)}
    train = sources.build(Recipe.model_validate({"domain": "absa", "model": model, "data": data}))["train"]
    assert sorted(train["output"]) == ["soup", "wine", "wine is great"]
