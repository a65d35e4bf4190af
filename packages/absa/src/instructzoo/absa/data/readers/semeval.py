"""SemEval 2014 task 4, 2015 task 12 and 2016 task 5: the published XML, and the CSV of the InstructABSA repository.

    2014  <sentence id="1"><text>The wine is fine.</text>
            <aspectTerms><aspectTerm term="wine" polarity="positive" from="4" to="8"/></aspectTerms>
            <aspectCategories><aspectCategory category="food" polarity="positive"/></aspectCategories></sentence>
    2015  <sentence id="1:0"><text>The wine is fine.</text>
            <Opinions><Opinion target="wine" category="DRINKS#QUALITY" polarity="positive" from="4" to="8"/></Opinions>
    CSV   raw_text,aspectTerms
          The wine is fine.,"[{'term': 'wine', 'polarity': 'positive'}]"      {'term': 'noaspectterm', ...}: no term

Aspect terms support the tasks ae and aesc, opinions (target NULL: implicit) support tasd as well. The categories of
2014 belong to no term, so no task asks for them; they are counted. So are opinions on a whole review (2016, subtask 2).
A file that has nothing else says nothing about terms, and is refused. In XML a sentence without labels has no opinion;
in CSV an empty cell is not annotated.

Offsets count characters; those of tools that count UTF-16 units (two for an emoji) are recognised. Offsets that lead
elsewhere are counted where the sentence has the term, and are an error where it does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from xml.parsers import expat

from instructzoo.absa.data.readers.base import (
    UNUSED_CATEGORY,
    Sentence,
    make_sentence,
    parse_literal,
    parse_sentiment,
    parse_span,
    supported_tasks,
)
from instructzoo.absa.schema import Quad, parse_category
from instructzoo.core.data import read, readers
from instructzoo.core.data.readers import shorten
from instructzoo.core.errors import ZooError, location

TERM_TASKS = supported_tasks(("aspect", "sentiment"))
OPINION_TASKS = supported_tasks(("aspect", "category", "sentiment"))
NO_TERM, NO_CATEGORY = "noaspectterm", "noaspectcategory"
REVIEW_OPINION = "opinion on a whole review, which no task asks for"
WRONG_OFFSETS = "offsets in the file that do not lead to the term"
UTF16_OFFSETS = "offsets that count UTF-16 units, read as such"

TEXT_COLUMN, TERMS_COLUMN = "raw_text", "aspectTerms"
_FORM = "[{'term': '...', 'polarity': 'positive'}, ...]"


def read_csv(path: Path) -> Iterator[Sentence]:
    """Read the sentences of a CSV file.

    Raises:
        ZooError: with file:line, for a missing column or labels of another form.
    """
    for where, values in read(path):
        if missing := [name for name in (TEXT_COLUMN, TERMS_COLUMN) if name not in values]:
            found = f"no column {missing[0]} among: {', '.join(values)}"
            raise ZooError(found, f"{TEXT_COLUMN} and {TERMS_COLUMN}", where=where)
        quads, annotated = [], bool((values[TERMS_COLUMN] or "").strip())
        for term in _labels(values[TERMS_COLUMN] if annotated else "[]", ("term", "polarity"), where):
            if term["term"] != NO_TERM:
                quads.append(Quad(parse_span(term["term"]), None, None, parse_sentiment(term["polarity"], where)))
        categories = _labels(values.get("aspectCategories") or "[]", ("category", "polarity"), where)
        remarks = [UNUSED_CATEGORY for category in categories if category["category"] != NO_CATEGORY]
        yield make_sentence(values[TEXT_COLUMN], quads, where, TERM_TASKS, remarks=remarks, annotated=annotated)


def _labels(text: str, names: tuple[str, ...], where: str) -> list[dict[str, str]]:
    form = _FORM.replace("term", names[0])
    labels = parse_literal(text, form, where)
    if not isinstance(labels, list):
        raise ZooError(f"found {shorten(text)}", form, "correct the line", where)
    for label in labels:
        if not (isinstance(label, dict) and all(isinstance(label.get(name), str) for name in names)):
            raise ZooError(f"found {shorten(str(label))}", form, "correct the line", where)
    return labels


def read_xml(path: Path) -> Iterator[Sentence]:
    """Read the sentences of an XML file.

    Raises:
        ZooError: with file:line, for XML that is not well-formed, a document type, an unknown polarity, a label without
            its attributes or whose term is not in the sentence, and a file without labels of terms.
    """
    content = readers.existing_path(path).read_bytes()
    handler = _SentenceHandler(path)
    parser = expat.ParserCreate()
    handler.parser = parser
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = handler.start, handler.end
    parser.CharacterDataHandler = handler.characters
    parser.StartDoctypeDeclHandler = handler.doctype
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        found = f"no well-formed XML ({expat.ErrorString(error.code)})"
        raise ZooError(found, "SemEval's XML", "correct the file", location(path, error.lineno)) from error
    except (LookupError, ValueError) as error:
        raise ZooError(str(error), "XML in UTF-8", "correct the first line", location(path, 1)) from error
    if not handler.sentences:
        raise ZooError("holds no <sentence>", "SemEval's XML", "check that the file is complete", str(path))
    handler.check_labels()
    tasks = OPINION_TASKS if handler.opinions_at else TERM_TASKS
    for sentence in handler.sentences:
        yield make_sentence(sentence.text, sentence.quads, sentence.where, tasks, remarks=sentence.remarks)


@dataclass(frozen=True)
class _Located:
    """A term with its offsets, and the line of its label."""

    term: str
    start: int
    end: int
    where: str

    def remarks(self, text: str) -> Iterator[str]:
        """What is to be said of the offsets. Raises ZooError where the text does not have the term at all."""
        units = text.encode("utf-16-le", "surrogatepass")[2 * self.start : 2 * self.end]
        if _plain(text[self.start : self.end]) == _plain(self.term):
            return
        if _plain(units.decode("utf-16-le", "replace")) == _plain(self.term):
            yield UTF16_OFFSETS
        elif _plain(self.term) in _plain(text):
            yield WRONG_OFFSETS
        else:
            found = f'the term "{shorten(self.term)}", and "{shorten(text[self.start : self.end])}" at its offsets'
            raise ZooError(found, "a term of the sentence", "correct the label", self.where)


def _plain(text: str) -> str:
    """The text with plain spaces for all white space, one for one."""
    return re.sub(r"\s", " ", text)


@dataclass
class _SentenceHandler:
    """Callbacks of the XML parser; `text`, `line`, `quads`, `located`, `remarks` are of the current sentence.

    terms_at, opinions_at, categories_at: the first label of each kind in a sentence, or "".
    """

    path: Path
    parser: Any = None
    sentences: list[Sentence] = field(default_factory=list)
    in_sentence: bool = False
    text_pieces: list[str] | None = None
    text: str = ""
    line: int = 0
    quads: list[Quad] = field(default_factory=list)
    located: list[_Located] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    terms_at: str = ""
    opinions_at: str = ""
    categories_at: str = ""
    review_opinions: int = 0

    def where(self) -> str:
        return location(self.path, self.parser.CurrentLineNumber)

    def check_labels(self) -> None:
        """Raise ZooError for a file whose labels say nothing about terms, or that mixes the forms of two years."""
        if self.terms_at and self.opinions_at:
            found = (
                f"aspectTerm in {self.terms_at.rpartition(':')[2]} and Opinion in {self.opinions_at.rpartition(':')[2]}"
            )
            raise ZooError(f"labels of two forms: {found}", "one form in a file", "split it", self.opinions_at)
        if not (self.terms_at or self.opinions_at):
            kind = "opinions on whole reviews" if self.review_opinions else "categories without terms"
            found = f"{kind} alone" if self.review_opinions or self.categories_at else "no label at all"
            fix = "no task of this domain asks for anything else"
            raise ZooError(found, "aspectTerm or Opinion in a sentence", fix, self.categories_at or str(self.path))

    def doctype(self, *_: object) -> None:
        raise ZooError("a document type", "none: entities are not read", "remove the <!DOCTYPE ...>", self.where())

    def start(self, name: str, values: Mapping[str, str]) -> None:
        if name == "sentence":
            self.in_sentence, self.text, self.line = True, "", self.parser.CurrentLineNumber
            self.quads, self.located, self.remarks = [], [], []
        elif name == "text" and self.in_sentence:
            self.text_pieces = []
        elif name == "aspectTerm" and self.in_sentence:
            self.terms_at = self.terms_at or self.where()
            self._add_label(values, "term", None)
        elif name == "Opinion" and self.in_sentence:
            self.opinions_at = self.opinions_at or self.where()
            self._add_label(values, "target", "category")
        elif name == "Opinion":
            self.review_opinions += 1
        elif name == "aspectCategory" and self.in_sentence:
            self.categories_at = self.categories_at or self.where()
            self.remarks.append(UNUSED_CATEGORY)

    def characters(self, text: str) -> None:
        if self.text_pieces is not None:
            self.text_pieces.append(text)

    def end(self, name: str) -> None:
        if name == "text" and self.text_pieces is not None:
            self.text, self.text_pieces = "".join(self.text_pieces), None
        elif name == "sentence":
            self.in_sentence = False
            located = self.located if self.text.strip() else []
            remarks = (*self.remarks, *(remark for label in located for remark in label.remarks(self.text)))
            where = location(self.path, self.line)
            self.sentences.append(Sentence(self.text, tuple(self.quads), where, remarks=remarks))
        elif name == "Reviews" and self.review_opinions and self.sentences:
            last = self.sentences[-1]
            self.sentences[-1] = replace(last, remarks=(*last.remarks, *[REVIEW_OPINION] * self.review_opinions))

    def _add_label(self, values: Mapping[str, str], term: str, category: str | None) -> None:
        """term, category: the names of the attributes with the aspect term and the category."""
        needed = [term, "polarity", *([category] if category else [])]
        if missing := [attribute for attribute in needed if attribute not in values]:
            raise ZooError(f"no attribute {missing[0]}", ", ".join(needed), "correct the element", self.where())
        aspect, sentiment = parse_span(values[term]), parse_sentiment(values["polarity"], self.where())
        self.quads.append(Quad(aspect, parse_category(values[category]) if category else None, None, sentiment))
        if aspect is not None and (offsets := self._offsets(values)):
            self.located.append(_Located(aspect, *offsets, self.where()))

    def _offsets(self, values: Mapping[str, str]) -> tuple[int, int] | None:
        """The attributes from and to; None where the label has neither."""
        written = [values.get("from", ""), values.get("to", "")]
        if not any(written):
            return None
        if not all(re.fullmatch(r"\d{1,9}", offset) for offset in written):
            found = f'from="{shorten(written[0])}" to="{shorten(written[1])}"'
            raise ZooError(found, "two numbers of characters", "correct the element", self.where())
        return int(written[0]), int(written[1])
