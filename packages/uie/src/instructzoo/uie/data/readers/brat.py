"""brat standoff: the text in NAME.txt, its annotation beside it in NAME.ann.

    T1 <tab> Person 0 3 <tab> Ann              an entity: character offsets, end exclusive; in pieces "0 3;8 11"
    T2 <tab> Attack 4 7 <tab> hit
    R1 <tab> Lives_In Arg1:T1 Arg2:T3          a relation from the first to the second argument, whatever their names
    E1 <tab> Attack:T2 Attacker:T1             an event: its trigger, then its roles; digits after a role are dropped

Every document is one text. A trigger is not an entity. Attributes (A, M), notes (#), normalisations (N), equivalences
(*), and relations or arguments that name events are left out and counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from instructzoo.core.data.line_files import lines, malformed
from instructzoo.core.data.readers import shorten
from instructzoo.core.errors import ZooError, location
from instructzoo.uie.data.readers.base import DISCONTINUOUS, Sentence, annotated, make_mention, make_sentence
from instructzoo.uie.data.readers.offset_units import SpanReader, read_rows
from instructzoo.uie.schema import Annotation, Event, Mention, Relation

T_FORM = "T1<tab>Type 0 3<tab>text"
R_FORM = "R1<tab>Type Arg1:T1 Arg2:T2"
E_FORM = "E1<tab>Type:T1 Role:T2 ..."
UNSUPPORTED = "attributes, notes and equivalences (A, M, N, #, *), which no question asks for"
OTHER_TEXT = "texts whose offsets count a line end as one character, or no byte order mark"
OF_EVENTS = "relations and arguments that name an event, which no question asks for"

_OFFSETS = re.compile(r"\d{1,18} \d{1,18}(?:;\d{1,18} \d{1,18})*")


def read_brat(path: Path) -> Iterator[Sentence]:
    """Read a document.

    Args:
        path: Its .txt or .ann file.

    Yields:
        The document as one sentence.

    Raises:
        ZooError: With file:line for a malformed line, a span that differs from the text that its line states, or a
            reference to an id that does not exist; and where one of the two files is missing.
    """
    text_path, annotation_path = path.with_suffix(".txt"), path.with_suffix(".ann")
    for file in (text_path, annotation_path):
        if not file.is_file():
            raise ZooError(f"{path.name} without {file.name}", "both files of a document", "put it beside", str(path))
    numbered_lines = _numbered_lines(annotation_path)

    def parse(values: Mapping[str, Any], spans: SpanReader) -> Sentence:
        return _read_document(numbered_lines, spans, values["remarks"])

    errors: list[ZooError] = []
    for text, remarks in _readings(_read_text(text_path)):
        try:
            rows = [(str(text_path), {"text": text, "remarks": remarks})]
            yield from annotated(read_rows(rows, lambda values: values["text"], parse), path)
            return
        except ZooError as error:
            errors.append(error)
    raise errors[0]


def _readings(text: str) -> Iterator[tuple[str, list[str]]]:
    """The text as its file has it, then as tools read it that drop a BOM, or count a line end as one character."""
    yield text, []
    for changed in (text.removeprefix("\ufeff"), text.removeprefix("\ufeff").replace("\r\n", "\n")):
        if changed != text:
            yield changed, [OTHER_TEXT]


def _read_document(numbered_lines: Sequence[tuple[str, str]], spans: SpanReader, remarks: list[str]) -> Sentence:
    document = _Document(spans, remarks=list(remarks))
    for kinds in ("T", "RE"):  # a relation or an event may refer to a later line
        for where, line in numbered_lines:
            if line[0] in kinds:
                document.add_line(line, where)
    document.remarks += [UNSUPPORTED] * sum(line[0] in "AMN#*" for _, line in numbered_lines)
    if unknown := next(((where, line) for where, line in numbered_lines if line[0] not in "TREAMN#*"), None):
        raise malformed(unknown[1], f"{T_FORM}, {R_FORM} or {E_FORM}", unknown[0])
    entities = tuple(m for id, m in document.mentions.items() if id not in document.triggers)
    annotation = Annotation(entities, tuple(document.relations), tuple(document.events))
    return make_sentence(spans.text, annotation, spans.where, document.remarks)


def _read_text(path: Path) -> str:
    """The text as brat counts it: a carriage return is a character. Removing trailing line feeds moves no offset."""
    content = path.read_bytes()
    try:
        return content.decode("utf-8").rstrip("\n")
    except UnicodeDecodeError as error:
        where = location(path, content.count(b"\n", 0, error.start) + 1)
        found = f"byte 0x{content[error.start]:02x} is not UTF-8"
        raise ZooError(found, "UTF-8 text", "convert the file", where) from error


def _numbered_lines(path: Path) -> list[tuple[str, str]]:
    """(file:line, line) for every line that is not blank; an empty file is an empty annotation."""
    return [(location(path, number), line) for number, line in lines(path, require_text=False) if line.strip()]


@dataclass
class _Document:
    """What the lines read so far annotate. mentions: T lines by id; triggers: ids of those that are not entities."""

    spans: SpanReader
    mentions: dict[str, Mention] = field(default_factory=dict)
    triggers: set[str] = field(default_factory=set)
    relations: list[Relation] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def add_line(self, line: str, where: str) -> None:
        """Read a T, R or E line."""
        id, _, rest = line.partition("\t")
        {"T": self._add_mention, "R": self._add_relation, "E": self._add_event}[line[0]](id, rest, where)

    def _add_mention(self, id: str, rest: str, where: str) -> None:
        head, _, stated_text = rest.partition("\t")
        type, _, offsets = head.partition(" ")
        if not _OFFSETS.fullmatch(offsets):
            raise malformed(rest, T_FORM, where)
        if id in self.mentions:
            raise ZooError(f"{id} stands twice", "an id for each span", "rename one", where)
        pieces = [[self.spans.code_points(int(offset)) for offset in piece.split()] for piece in offsets.split(";")]
        mentions = [make_mention(type, self.spans.text, start, end, where) for start, end in pieces]
        self._compare(" ".join(m.text for m in mentions), stated_text, where)
        if len(mentions) > 1:
            self.remarks.append(DISCONTINUOUS)
        start, end = min(m.start for m in mentions), max(m.end for m in mentions)
        self.mentions[id] = make_mention(type, self.spans.text, start, end, where)

    def _compare(self, span_text: str, stated_text: str, where: str) -> None:
        """Raise ZooError where a line states another text; it has spaces where the text has line feeds."""
        if span_text.split() != stated_text.split():
            fix = "the offsets count characters of the .txt file"
            raise ZooError(f'"{shorten(span_text)}" in the text', f'"{shorten(stated_text)}"', fix, where)

    def _add_relation(self, id: str, rest: str, where: str) -> None:
        type, *arguments = rest.split() or [""]
        if len(arguments) != 2 or not all(":" in argument for argument in arguments):
            raise malformed(rest, R_FORM, where)
        targets = [argument.partition(":")[2] for argument in arguments]
        if any(target.startswith("E") for target in targets):
            self.remarks.append(OF_EVENTS)
            return
        head, tail = (self._mention(target, where) for target in targets)
        self.relations.append(Relation(type, head, tail))

    def _add_event(self, id: str, rest: str, where: str) -> None:
        fields = [field.partition(":") for field in rest.split()]
        if not fields or not all(colon and name for name, colon, _ in fields):
            raise malformed(rest, E_FORM, where)
        (type, _, trigger), *roles = fields
        arguments = []
        for role, _, target in roles:
            if target.startswith("E"):
                self.remarks.append(OF_EVENTS)
                continue
            arguments.append(replace(self._mention(target, where), type=role.rstrip("0123456789") or role))
        self.triggers.add(trigger)
        self.events.append(Event(type, replace(self._mention(trigger, where), type=""), tuple(arguments)))

    def _mention(self, id: str, where: str) -> Mention:
        if id not in self.mentions:
            raise ZooError(f"{id} is not there", "an id of a T line", "add the line", where)
        return self.mentions[id]
