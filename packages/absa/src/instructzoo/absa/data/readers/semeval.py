"""SemEval 2014 task 4, 2015 task 12 and 2016 task 5: the published XML, and the CSV of the InstructABSA repository.

    2014  <sentence id="1"><text>The wine is fine.</text>
            <aspectTerms><aspectTerm term="wine" polarity="positive" from="4" to="8"/></aspectTerms>
            <aspectCategories><aspectCategory category="food" polarity="positive"/></aspectCategories></sentence>
    2015  <sentence id="1:0"><text>The wine is fine.</text>
            <Opinions><Opinion target="wine" category="DRINKS#QUALITY" polarity="positive" from="4" to="8"/></Opinions>
    CSV   raw_text,aspectTerms
          The wine is fine.,"[{'term': 'wine', 'polarity': 'positive'}]"      {'term': 'noaspectterm', ...}: none

Terms answer the tasks ae and aesc, opinions (target NULL: implicit) tasd too. 2014's categories belong to no term, so
no task asks for them; they are counted. So are opinions on a whole review (2016, subtask 2).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from xml.parsers import expat

from instructzoo.absa.data.readers.base import (
    NOT_ASKED,
    Sentence,
    answerable,
    category,
    literal,
    sentence,
    sentiment,
    span,
)
from instructzoo.absa.schema import Quad
from instructzoo.core.data import read, readers
from instructzoo.core.data.readers import cut
from instructzoo.core.errors import ZooError, place

TERMS = answerable(("aspect", "sentiment"))
OPINIONS = answerable(("aspect", "category", "sentiment"))
NO_TERM, NO_CATEGORY = "noaspectterm", "noaspectcategory"
OF_REVIEW = "opinion on a whole review, which no task asks for"
MOVED = "offsets in the file that do not lead to the term"

TEXT_COLUMN, TERMS_COLUMN = "raw_text", "aspectTerms"
_FORM = "[{'term': '...', 'polarity': 'positive'}, ...]"


def table(path: Path) -> Iterator[Sentence]:
    """Sentences of a CSV. Raises ZooError with file:line for a missing column or labels of another form."""
    for where, values in read(path):
        if missing := [name for name in (TEXT_COLUMN, TERMS_COLUMN) if name not in values]:
            found = f"no column {missing[0]} among: {', '.join(values)}"
            raise ZooError(found, f"{TEXT_COLUMN} and {TERMS_COLUMN}", where=where)
        quads = []
        for term in _labels(values[TERMS_COLUMN], ("term", "polarity"), where):
            if term["term"] != NO_TERM:
                quads.append(Quad(span(term["term"]), None, None, sentiment(term["polarity"], where)))
        others = _labels(values.get("aspectCategories") or "[]", ("category", "polarity"), where)
        remarks = [NOT_ASKED for other in others if other["category"] != NO_CATEGORY]
        yield sentence(values[TEXT_COLUMN], quads, where, TERMS, remarks=remarks)


def _labels(text: str, names: tuple[str, ...], where: str) -> list[dict[str, str]]:
    form = _FORM.replace("term", names[0])
    labels = literal(text, form, where)
    if not isinstance(labels, list):
        raise ZooError(f"found {cut(text)}", form, "mend the line", where)
    for label in labels:
        if not (isinstance(label, dict) and all(isinstance(label.get(name), str) for name in names)):
            raise ZooError(f"found {cut(str(label))}", form, "mend the line", where)
    return labels


def markup(path: Path) -> Iterator[Sentence]:
    """Sentences of an XML file. Raises ZooError with file:line for what is not well-formed, a document type, an unknown
    polarity, and a label without its attributes."""
    content = readers.existing(path).read_bytes()
    state = _State(path)
    parser = expat.ParserCreate()
    state.parser = parser
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = state.start, state.end
    parser.CharacterDataHandler = state.characters
    parser.StartDoctypeDeclHandler = state.doctype
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        found = f"no well-formed XML ({expat.ErrorString(error.code)})"
        raise ZooError(found, "SemEval's XML", "mend the file", place(path, error.lineno)) from error
    except (LookupError, ValueError) as error:
        raise ZooError(str(error), "XML in UTF-8", "mend the first line", place(path, 1)) from error
    if not state.found:
        raise ZooError("holds no <sentence>", "SemEval's XML", "check that the file was written whole", str(path))
    tasks = OPINIONS if state.opinions else TERMS
    for one in state.found:
        yield sentence(one.text, one.quads, one.where, tasks, remarks=one.remarks)


@dataclass
class _State:
    """What has been read of the sentence that the parser stands in."""

    path: Path
    parser: Any = None
    found: list[Sentence] = field(default_factory=list)
    inside: bool = False
    text: list[str] | None = None
    read: str = ""
    line: int = 0
    quads: list[Quad] = field(default_factory=list)
    spans: list[tuple[str, str]] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    opinions: bool = False
    late: int = 0

    def here(self) -> str:
        return place(self.path, self.parser.CurrentLineNumber)

    def doctype(self, *_: object) -> None:
        raise ZooError("a document type", "none: entities are not read", "remove the <!DOCTYPE ...>", self.here())

    def start(self, name: str, values: Mapping[str, str]) -> None:
        if name == "sentence":
            self.inside, self.read, self.line = True, "", self.parser.CurrentLineNumber
            self.quads, self.spans, self.remarks = [], [], []
        elif name == "text" and self.inside:
            self.text = []
        elif name == "aspectTerm" and self.inside:
            self._label(values, "term", None)
        elif name == "Opinion" and self.inside:
            self._label(values, "target", "category")
        elif name == "Opinion":
            self.late += 1
        elif name == "aspectCategory" and self.inside:
            self.remarks.append(NOT_ASKED)
        elif name == "Opinions":
            self.opinions = True

    def characters(self, text: str) -> None:
        if self.text is not None:
            self.text.append(text)

    def end(self, name: str) -> None:
        if name == "text" and self.text is not None:
            self.read, self.text = "".join(self.text), None
        elif name == "sentence":
            self.inside = False
            remarks = [*self.remarks, *(MOVED for term, at in self.spans if not self._stands(term, at))]
            where = place(self.path, self.line)
            self.found.append(Sentence(self.read, tuple(self.quads), where, remarks=tuple(remarks)))
        elif name == "Reviews" and self.late and self.found:
            last = self.found[-1]
            self.found[-1] = replace(last, remarks=(*last.remarks, *[OF_REVIEW] * self.late))

    def _stands(self, term: str, at: str) -> bool:
        first, _, end = at.partition(" ")
        return self.read[int(first) : int(end)] == term

    def _label(self, values: Mapping[str, str], term: str, name: str | None) -> None:
        needed = [term, "polarity", *([name] if name else [])]
        if missing := [attribute for attribute in needed if attribute not in values]:
            raise ZooError(f"no attribute {missing[0]}", ", ".join(needed), "mend the element", self.here())
        aspect, mood = span(values[term]), sentiment(values["polarity"], self.here())
        self.quads.append(Quad(aspect, category(values[name]) if name else None, None, mood))
        if aspect is not None and values.get("from", "").isdecimal() and values.get("to", "").isdecimal():
            self.spans.append((aspect, f"{values['from']} {values['to']}"))
