"""brat standoff: the text in NAME.txt, its annotation beside it in NAME.ann.

    T1 <tab> Person 0 3 <tab> Ann              an entity: characters, the end exclusive; pieces of one go "0 3;8 11"
    T2 <tab> Attack 4 7 <tab> hit
    R1 <tab> Lives_In Arg1:T1 Arg2:T3          a relation from Arg1 to Arg2, whatever the two are called
    E1 <tab> Attack:T2 Attacker:T1             an event: its trigger, then its roles; a role's number is not its name

Every document is one text. A trigger is no entity. Attributes (A, M), notes (#), normalisations (N), sets of equals (*)
and relations or arguments that name events are in no answer; they are counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from instructzoo.core.data.line_files import lines, malformed
from instructzoo.core.data.readers import cut
from instructzoo.core.errors import ZooError, place
from instructzoo.uie.data.readers.base import DISCONTINUOUS, Sentence, mention, sentence
from instructzoo.uie.schema import Annotation, Event, Mention, Relation

T_FORM = "T1<tab>Type 0 3<tab>text"
R_FORM = "R1<tab>Type Arg1:T1 Arg2:T2"
E_FORM = "E1<tab>Type:T1 Role:T2 ..."
PASSED = "attributes, notes and equivalences (A, M, N, #, *), which no question asks for"
OF_EVENTS = "relations and arguments that name an event, which no question asks for"

_PLACES = re.compile(r"\d+ \d+(?:;\d+ \d+)*")


def brat(path: Path) -> Iterator[Sentence]:
    """The one text of a document. path: its .txt or .ann file.

    Raises ZooError with file:line for a line of another form, a span that is not what the line says, or a reference to
    what is not there; and where one of the two files is missing.
    """
    texts, notes = path.with_suffix(".txt"), path.with_suffix(".ann")
    for file in (texts, notes):
        if not file.is_file():
            raise ZooError(f"{path.name} without {file.name}", "both files of a document", "put it beside", str(path))
    text = _whole(texts)
    reader = _Document(text)
    written = _numbered(notes)
    for form in ("T", "RE"):  # a line may speak of a later one
        for where, line in written:
            if line[0] in form:
                reader.line(line, where)
    reader.remarks += [PASSED] * sum(line[0] in "AMN#*" for _, line in written)
    if odd := next(((where, line) for where, line in written if line[0] not in "TREAMN#*"), None):
        raise malformed(odd[1], f"{T_FORM}, {R_FORM} or {E_FORM}", odd[0])
    entities = tuple(m for id, m in reader.mentions.items() if id not in reader.triggers)
    yield sentence(
        text, Annotation(entities, tuple(reader.relations), tuple(reader.events)), str(texts), reader.remarks
    )


def _whole(path: Path) -> str:
    """The text as brat counts it: a carriage return is a character. Trailing line feeds go, which moves no offset."""
    content = path.read_bytes()
    try:
        return content.decode("utf-8").rstrip("\n")
    except UnicodeDecodeError as error:
        where = place(path, content.count(b"\n", 0, error.start) + 1)
        found = f"byte 0x{content[error.start]:02x} is not UTF-8"
        raise ZooError(found, "UTF-8 text", "convert the file", where) from error


def _numbered(path: Path) -> list[tuple[str, str]]:
    """Lines with their places; none in an empty file, which says that nothing is found."""
    return [(place(path, number), line) for number, line in lines(path, some=False) if line.strip()]


@dataclass
class _Document:
    """What the lines have said so far. mentions: T lines by their id; triggers: ids of those that are no entities."""

    text: str
    mentions: dict[str, Mention] = field(default_factory=dict)
    triggers: set[str] = field(default_factory=set)
    relations: list[Relation] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def line(self, line: str, where: str) -> None:
        id, _, rest = line.partition("\t")
        {"T": self._mention, "R": self._relation, "E": self._event}[line[0]](id, rest, where)

    def _mention(self, id: str, rest: str, where: str) -> None:
        head, _, said = rest.partition("\t")
        type, _, places = head.partition(" ")
        if not _PLACES.fullmatch(places):
            raise malformed(rest, T_FORM, where)
        if id in self.mentions:
            raise ZooError(f"{id} stands twice", "an id for each span", "rename one", where)
        pieces = [tuple(map(int, piece.split())) for piece in places.split(";")]
        found = [mention(type, self.text, start, end, where) for start, end in pieces]
        self._compare(" ".join(m.text for m in found), said, where)
        if len(found) > 1:
            self.remarks.append(DISCONTINUOUS)
        start, end = min(m.start for m in found), max(m.end for m in found)
        self.mentions[id] = mention(type, self.text, start, end, where)

    def _compare(self, found: str, said: str, where: str) -> None:
        """The copy of the text in a line has spaces where the text has line feeds."""
        if found.split() != said.split():
            fix = "the offsets count characters of the .txt file"
            raise ZooError(f'"{cut(found)}" in the text', f'"{cut(said)}"', fix, where)

    def _relation(self, id: str, rest: str, where: str) -> None:
        type, *sides = rest.split()
        if len(sides) != 2 or not all(":" in side for side in sides):
            raise malformed(rest, R_FORM, where)
        targets = [side.partition(":")[2] for side in sides]
        if any(target.startswith("E") for target in targets):
            self.remarks.append(OF_EVENTS)
            return
        head, tail = (self._known(target, where) for target in targets)
        self.relations.append(Relation(type, head, tail))

    def _event(self, id: str, rest: str, where: str) -> None:
        parts = [part.partition(":") for part in rest.split()]
        if not parts or not all(mark and name for name, mark, _ in parts):
            raise malformed(rest, E_FORM, where)
        (type, _, trigger), *roles = parts
        arguments = []
        for role, _, target in roles:
            if target.startswith("E"):
                self.remarks.append(OF_EVENTS)
                continue
            arguments.append(replace(self._known(target, where), type=role.rstrip("0123456789") or role))
        self.triggers.add(trigger)
        self.events.append(Event(type, replace(self._known(trigger, where), type=""), tuple(arguments)))

    def _known(self, id: str, where: str) -> Mention:
        if id not in self.mentions:
            raise ZooError(f"{id} is not there", "an id of a T line", "add the line", where)
        return self.mentions[id]
