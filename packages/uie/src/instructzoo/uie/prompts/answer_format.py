"""How answers are written and read. A span or label stands bare, or quoted where it would be read as something else.

    ner, et    type: span; type: span          eet   type: trigger; type: trigger
    re, epr    relation: head, tail; ...       eea   role: argument; role: argument
    es         span, span                      ee    ( type: trigger, role: argument, role: argument), ( type: trigger)
    ep         head, tail; head, tail          None, where nothing is found

These are the paper's formats (arXiv:2304.08085, section 3). It gives event arguments in two orders; here the role comes
first, as the type does elsewhere. The space behind "(" is the paper's too: so a label is one token everywhere.

A field that holds one of : ; , ( ) " or a control character, begins or ends with a space, is empty or the word None, is
written "in quotes" with the escapes \\" \\\\ \\n \\r \\t. So every text can be written, and reading gives back what
was written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from instructzoo.core.record import Invalid
from instructzoo.uie.schema import Annotation, Event, Mention, Relation

NONE = "None"

_TOKEN = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*+)"|([:;,()])|([^:;,()"\x00-\x1f\x7f]++))\s*', re.DOTALL)
_AWKWARD = re.compile(r'[:;,()"\x00-\x1f\x7f]')
ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
"""How these characters are written inside of quotes."""

_PLAIN = {escaped[1]: character for character, escaped in ESCAPES.items()}
_TABLE = str.maketrans(ESCAPES)


def write_field(text: str) -> str:
    """A span or a label as it stands in prompts and answers."""
    if text and text == text.strip() and text != NONE and not must_be_quoted(text):
        return text
    return quoted(text)


def quoted(text: str) -> str:
    """A span or a label in quotes, with escapes."""
    return f'"{text.translate(_TABLE)}"'


def must_be_quoted(text: str) -> bool:
    """Whether a text holds a character that would be read as a mark."""
    return bool(_AWKWARD.search(text))


def fields(texts: Iterable[str]) -> str:
    return ", ".join(map(write_field, texts))


def write(annotation: Annotation, task: str) -> str:
    """The answer to a task, of what `schema.project` has left of the truth."""
    if task in ("ner", "et"):
        parts = [_pair(m.type, m.text) for m in annotation.entities]
    elif task == "es":
        return fields(m.text for m in annotation.entities) or NONE
    elif task in ("re", "epr"):
        parts = [_pair(r.type, r.head.text, r.tail.text) for r in annotation.relations]
    elif task == "ep":
        parts = [fields((r.head.text, r.tail.text)) for r in annotation.relations]
    elif task == "eet":
        parts = [_pair(e.type, e.trigger.text) for e in annotation.events]
    elif task == "eea":
        parts = [_pair(m.type, m.text) for e in annotation.events for m in e.arguments]
    else:
        return ", ".join(_event(e) for e in annotation.events) or NONE
    return "; ".join(parts) or NONE


def _pair(label: str, *texts: str) -> str:
    return f"{write_field(label)}: {fields(texts)}"


def _event(event: Event) -> str:
    inside = [_pair(event.type, event.trigger.text), *(_pair(m.type, m.text) for m in event.arguments)]
    return f"( {', '.join(inside)})"


def read(text: str, task: str, event: str = "") -> Annotation | Invalid:
    """What an answer says, without places; Invalid with the reason where it has not the form. Takes linear time.

    event: the type that an eea question names.
    """
    text = text.strip()
    if not text:
        return Invalid("no text")
    if text == NONE:
        return Annotation()
    tokens = tokenise(text)
    if isinstance(tokens, Invalid):
        return tokens
    reader = Reader(tokens)
    try:
        found = _read(reader, task, event)
        reader.end()
    except Unexpected as error:
        return Invalid(str(error))
    return found


def _read(reader: Reader, task: str, event: str) -> Annotation:
    if task in ("ner", "et"):
        return Annotation(entities=tuple(Mention(a, b) for a, b in reader.pairs(";")))
    if task == "es":
        return Annotation(entities=tuple(Mention("", reader.field()) for _ in reader.each(",")))
    if task in ("re", "ep", "epr"):
        return Annotation(relations=tuple(reader.relation(named=task != "ep") for _ in reader.each(";")))
    if task == "eet":
        return Annotation(events=tuple(Event(a, Mention("", b)) for a, b in reader.pairs(";")))
    if task == "eea":
        return Annotation(events=(Event(event, Mention("", ""), tuple(Mention(a, b) for a, b in reader.pairs(";"))),))
    return Annotation(events=tuple(reader.event() for _ in reader.each(",")))


class Token(NamedTuple):
    """mark: one of : ; , ( ) or "" for a field."""

    mark: str
    text: str


class Unexpected(Exception):
    """The answer breaks the form here."""


def tokenise(text: str) -> list[Token] | Invalid:
    """Fields and marks of an answer."""
    tokens, place = [], 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if not match:
            return Invalid(f'a quote that does not end, or a control character: "{text[place : place + 20]}"')
        quoted, mark, bare = match.groups()
        if mark:
            tokens.append(Token(mark, ""))
        elif quoted is not None:
            tokens.append(Token("", re.sub(r"\\(.)", lambda m: _PLAIN.get(m[1], m[0]), quoted, flags=re.DOTALL)))
        else:
            tokens.append(Token("", bare.strip()))
        place = match.end()
    return tokens


class Reader:
    """Walks over tokens; each step raises Unexpected where something else stands there."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self.tokens, self.place = tokens, 0

    def field(self) -> str:
        token = self._next()
        if token.mark:
            raise Unexpected(f'"{token.mark}" in place of a label or a span')
        return token.text

    def mark(self, mark: str) -> None:
        token = self._next()
        if token.mark != mark:
            raise Unexpected(f'"{token.mark or token.text[:40]}" in place of "{mark}"')

    def at(self, mark: str) -> bool:
        return self.place < len(self.tokens) and self.tokens[self.place].mark == mark

    def end(self) -> None:
        if self.place < len(self.tokens):
            token = self.tokens[self.place]
            raise Unexpected(f'"{token.mark or token.text[:40]}" after the end of the answer')

    def each(self, separator: str) -> Iterator[None]:
        """Once for every element of a list; the caller reads the element."""
        yield
        while self.at(separator):
            self.mark(separator)
            yield

    def pairs(self, separator: str) -> Iterator[tuple[str, str]]:
        for _ in self.each(separator):
            yield self.pair()

    def pair(self) -> tuple[str, str]:
        label = self.field()
        self.mark(":")
        return label, self.field()

    def relation(self, named: bool) -> Relation:
        label = ""
        if named:
            label = self.field()
            self.mark(":")
        head = self.field()
        self.mark(",")
        return Relation(label, Mention("", head), Mention("", self.field()))

    def event(self) -> Event:
        self.mark("(")
        (type, trigger), *arguments = self.pairs(",")
        self.mark(")")
        return Event(type, Mention("", trigger), tuple(Mention(a, b) for a, b in arguments))

    def _next(self) -> Token:
        if self.place == len(self.tokens):
            raise Unexpected("the answer stops in the middle")
        self.place += 1
        return self.tokens[self.place - 1]
