"""The text format of answers. A span or label is written bare, or in quotes where it would be misread.

    ner, et    type: span; type: span          eet   type: trigger; type: trigger
    re, epr    relation: head, tail; ...       eea   role: argument; role: argument
    es         span, span                      ee    ( type: trigger, role: argument, role: argument), ( type: trigger)
    ep         head, tail; head, tail          None, where nothing is found

These are the paper's formats (arXiv:2304.08085, section 3). The paper writes event arguments in two orders; here the
role comes first, as the type does elsewhere. The space after "(" is the paper's too: it makes a label the same token
everywhere.

A field that contains one of : ; , ( ) " or a control character, that begins or ends with a space, that is empty or the
word None, is written "in quotes" with the escapes \\" \\\\ \\n \\r \\t. So every text can be written, and reading
gives back exactly what was written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from instructzoo.core.record import Invalid
from instructzoo.uie.schema import Annotation, Event, Mention, Relation

NONE = "None"

_TOKEN = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*+)"|([:;,()])|([^:;,()"\x00-\x1f\x7f]++))\s*', re.DOTALL)
_SPECIAL = re.compile(r'[:;,()"\x00-\x1f\x7f]')
ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
"""How these characters are written within quotes."""

_UNESCAPED = {escaped[1]: character for character, escaped in ESCAPES.items()}
_ESCAPE_TABLE = str.maketrans(ESCAPES)


def format_field(text: str) -> str:
    """A span or a label as it is written in prompts and answers: bare where possible, else in quotes."""
    if text and text == text.strip() and text != NONE and not has_special_characters(text):
        return text
    return quote(text)


def quote(text: str) -> str:
    """A span or a label in quotes, with escapes."""
    return f'"{text.translate(_ESCAPE_TABLE)}"'


def has_special_characters(text: str) -> bool:
    """Whether a text contains a character that would be read as punctuation of the format."""
    return bool(_SPECIAL.search(text))


def format_fields(texts: Iterable[str]) -> str:
    """Spans or labels, separated by commas."""
    return ", ".join(map(format_field, texts))


def format_answer(annotation: Annotation, task: str) -> str:
    """Write the answer to a task.

    Args:
        annotation: The answer, as `schema.project` reduces it to the task.
        task: One of `schema.TASKS`.

    Returns:
        The answer as text; "None" where nothing is to be found.
    """
    if task in ("ner", "et"):
        elements = [_labelled(m.type, m.text) for m in annotation.entities]
    elif task == "es":
        return format_fields(m.text for m in annotation.entities) or NONE
    elif task in ("re", "epr"):
        elements = [_labelled(r.type, r.head.text, r.tail.text) for r in annotation.relations]
    elif task == "ep":
        elements = [format_fields((r.head.text, r.tail.text)) for r in annotation.relations]
    elif task == "eet":
        elements = [_labelled(e.type, e.trigger.text) for e in annotation.events]
    elif task == "eea":
        elements = [_labelled(m.type, m.text) for e in annotation.events for m in e.arguments]
    else:
        return ", ".join(_format_event(e) for e in annotation.events) or NONE
    return "; ".join(elements) or NONE


def _labelled(label: str, *texts: str) -> str:
    return f"{format_field(label)}: {format_fields(texts)}"


def _format_event(event: Event) -> str:
    fields = [_labelled(event.type, event.trigger.text), *(_labelled(m.type, m.text) for m in event.arguments)]
    return f"( {', '.join(fields)})"


def parse_answer(text: str, task: str, event: str = "") -> Annotation | Invalid:
    """Read an answer, in linear time.

    Args:
        text: What a model wrote.
        task: One of `schema.TASKS`.
        event: For eea, the event type that the question names.

    Returns:
        What the answer states, without offsets; Invalid with the reason where it does not follow the format.
    """
    text = text.strip()
    if not text:
        return Invalid("no text")
    if text == NONE:
        return Annotation()
    tokens = tokenise(text)
    if isinstance(tokens, Invalid):
        return tokens
    reader = TokenReader(tokens)
    try:
        annotation = _read_task(reader, task, event)
        reader.expect_end()
    except UnexpectedToken as error:
        return Invalid(str(error))
    return annotation


def _read_task(reader: TokenReader, task: str, event: str) -> Annotation:
    if task in ("ner", "et"):
        return Annotation(entities=tuple(Mention(type, span) for type, span in reader.read_pairs(";")))
    if task == "es":
        return Annotation(entities=tuple(Mention("", reader.read_field()) for _ in reader.elements(",")))
    if task in ("re", "ep", "epr"):
        return Annotation(relations=tuple(reader.read_relation(typed=task != "ep") for _ in reader.elements(";")))
    if task == "eet":
        return Annotation(events=tuple(Event(type, Mention("", span)) for type, span in reader.read_pairs(";")))
    if task == "eea":
        arguments = tuple(Mention(role, span) for role, span in reader.read_pairs(";"))
        return Annotation(events=(Event(event, Mention("", ""), arguments),))
    return Annotation(events=tuple(reader.read_event() for _ in reader.elements(",")))


class Token(NamedTuple):
    """A field or a punctuation mark. mark: one of : ; , ( ), or "" for a field, whose text then is `text`."""

    mark: str
    text: str


class UnexpectedToken(Exception):
    """The answer departs from the format at this token."""


def tokenise(text: str) -> list[Token] | Invalid:
    """Split an answer into fields and punctuation; Invalid for an open quote or a bare control character."""
    tokens, position = [], 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if not match:
            return Invalid(f'a quote that does not end, or a control character: "{text[position : position + 20]}"')
        quoted, mark, bare = match.groups()
        if mark:
            tokens.append(Token(mark, ""))
        elif quoted is not None:
            tokens.append(Token("", re.sub(r"\\(.)", lambda m: _UNESCAPED.get(m[1], m[0]), quoted, flags=re.DOTALL)))
        else:
            tokens.append(Token("", bare.strip()))
        position = match.end()
    return tokens


class TokenReader:
    """Reads tokens from left to right; each step raises UnexpectedToken where another token comes next."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self.tokens, self.index = tokens, 0

    def read_field(self) -> str:
        """The next token, which must be a span or a label."""
        token = self._next()
        if token.mark:
            raise UnexpectedToken(f'"{token.mark}" in place of a label or a span')
        return token.text

    def expect(self, mark: str) -> None:
        """Skip the next token, which must be this punctuation mark."""
        token = self._next()
        if token.mark != mark:
            raise UnexpectedToken(f'"{token.mark or token.text[:40]}" in place of "{mark}"')

    def next_is(self, mark: str) -> bool:
        """Whether the next token is this punctuation mark."""
        return self.index < len(self.tokens) and self.tokens[self.index].mark == mark

    def expect_end(self) -> None:
        """Check that no token is left."""
        if self.index < len(self.tokens):
            token = self.tokens[self.index]
            raise UnexpectedToken(f'"{token.mark or token.text[:40]}" after the end of the answer')

    def elements(self, separator: str) -> Iterator[None]:
        """Yield once for every element of a list; the caller reads the element."""
        yield
        while self.next_is(separator):
            self.expect(separator)
            yield

    def read_pairs(self, separator: str) -> Iterator[tuple[str, str]]:
        """A list of (label, span)."""
        for _ in self.elements(separator):
            yield self.read_pair()

    def read_pair(self) -> tuple[str, str]:
        """label: span"""
        label = self.read_field()
        self.expect(":")
        return label, self.read_field()

    def read_relation(self, typed: bool) -> Relation:
        """relation: head, tail; without the relation where it is not `typed`."""
        label = ""
        if typed:
            label = self.read_field()
            self.expect(":")
        head = self.read_field()
        self.expect(",")
        return Relation(label, Mention("", head), Mention("", self.read_field()))

    def read_event(self) -> Event:
        """( type: trigger, role: argument, ...)"""
        self.expect("(")
        (type, trigger), *arguments = self.read_pairs(",")
        self.expect(")")
        return Event(type, Mention("", trigger), tuple(Mention(role, span) for role, span in arguments))

    def _next(self) -> Token:
        if self.index == len(self.tokens):
            raise UnexpectedToken("the answer stops in the middle")
        self.index += 1
        return self.tokens[self.index - 1]
