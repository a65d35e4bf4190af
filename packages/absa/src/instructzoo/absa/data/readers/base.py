"""The annotated sentence that every reader yields, and the parsing that the readers share."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from instructzoo.absa.prompts import is_encodable
from instructzoo.absa.schema import CONFLICT, SENTIMENTS, TASK_ELEMENTS, TASKS, Quad
from instructzoo.core.data.line_files import lines as core_lines
from instructzoo.core.data.line_files import malformed
from instructzoo.core.data.readers import shorten
from instructzoo.core.errors import ZooError, location, suggest

IMPLICIT = "NULL"
"""How the published data sets write an implicit element."""

NOTHING_MARKS = ("none", "[]")
"""How a cell says, in any case, that a text has nothing to find; an empty cell says nothing about the text."""

EMPTY_SPAN = "empty span, read as implicit"
OTHER_WHITE_SPACE = "tuples whose white space is not that of the text, which was taken"
UNUSED_CATEGORY = "category without aspect terms, which no task asks for"

_SENTIMENTS = {"pos": "positive", "neg": "negative", "neu": "neutral"} | {
    name: name for name in (*SENTIMENTS, CONFLICT)
}
_LITERAL_ERRORS = (SyntaxError, ValueError, TypeError, MemoryError, RecursionError)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence with its quadruples.

    where: file:line; tasks: those that its annotation supports; domain: what is reviewed, "" where the file does not
    say; remarks: decisions of the reader about it, which the data card counts; annotated: False where nobody has
    annotated it, which does not say that there is nothing to find.
    """

    text: str
    quads: tuple[Quad, ...]
    where: str
    tasks: tuple[str, ...] = TASKS
    domain: str = ""
    remarks: tuple[str, ...] = ()
    annotated: bool = True


def make_sentence(
    text: Any,
    quads: Sequence[Quad],
    where: str,
    tasks: tuple[str, ...] = TASKS,
    domain: str = "",
    remarks: Sequence[str] = (),
    annotated: bool = True,
) -> Sentence:
    """Check the texts and build a Sentence.

    Args:
        text: the text; white space around it is removed.
        quads: its tuples.
        where: file and line, for error messages.
        tasks: the tasks that the file's annotation is complete for; all of them by default.
        domain: the domain, such as restaurant; "" where the file names none.
        remarks: what the reader had to decide.
        annotated: whether the file says anything about the text, be it that there is nothing to find.

    Returns:
        The checked sentence.

    Raises:
        ZooError: for an empty text or element, and for half a surrogate pair, which cannot be encoded.
    """
    if not isinstance(text, str) or not text.strip():
        raise ZooError(f"found {shorten(repr(text))}", "a text that is not empty", "correct or remove the line", where)
    elements = [e for quad in quads for e in (quad.aspect, quad.opinion, quad.category) if e is not None]
    for value in (text, domain, *elements):
        if not is_encodable(value):
            raise ZooError("half a surrogate pair in the text", "Unicode characters", "correct the line", where)
    if any(not element.strip() for element in elements):
        raise ZooError("an empty element", "words, or what the format has for an implicit one", "correct it", where)
    text = text.strip()
    aligned = tuple(_with_white_space_of(text, quad) for quad in quads)
    remarks = [*remarks, *[OTHER_WHITE_SPACE] * sum(map(Quad.__ne__, quads, aligned))]
    return Sentence(text, aligned, where, tasks, domain, tuple(remarks), annotated)


def _with_white_space_of(text: str, quad: Quad) -> Quad:
    """The quad, its spans with the white space of the text: a no-break space is often typed as a plain one."""
    return replace(quad, aspect=_found_in(text, quad.aspect), opinion=_found_in(text, quad.opinion))


def _found_in(text: str, span: str | None) -> str | None:
    if span is None or span in text:
        return span
    match = re.search(r"\s".join(map(re.escape, re.split(r"\s", span))), text)
    return match[0] if match else span


def supported_tasks(elements: Collection[str]) -> tuple[str, ...]:
    """The tasks that ask for nothing beyond these elements."""
    return tuple(task for task in TASKS if set(TASK_ELEMENTS[task]) <= set(elements))


def numbered_lines(path: Path) -> Iterator[tuple[str, str]]:
    """(file:line, text) of every line that is not blank.

    Raises:
        ZooError: for a carriage return within a line.
    """
    for number, line in core_lines(path):
        where = location(path, number)
        if "\r" in line:
            raise ZooError("a carriage return within the line", "lines that end in line feeds", "convert it", where)
        if line.strip():
            yield where, line


def parse_literal(text: str, form: str, where: str) -> Any:
    """The value of a Python literal, which is never run as code.

    Args:
        text: the literal.
        form: the expected form in words, for the error message.
        where: file and line, for the error message.

    Returns:
        The value.

    Raises:
        ZooError: for any other text, showing the expected form.
    """
    try:
        with warnings.catch_warnings(action="ignore"):  # of "\\d" in a corpus's strings
            value = ast.literal_eval(text)
        repr(value)  # which fails for a hexadecimal number of thousands of digits, and would in an error message
        return value
    except _LITERAL_ERRORS as error:
        raise malformed(text, form, where) from error


def parse_sentiment(word: Any, where: str) -> str:
    """Normalise a sentiment to positive, negative, neutral or conflict; POS, NEG and NEU are accepted.

    Args:
        word: the value as the file has it; case and surrounding white space do not matter.
        where: file and line, for the error message.

    Returns:
        One of the four names.

    Raises:
        ZooError: for any other value.
    """
    name = _SENTIMENTS.get(word.strip().casefold()) if isinstance(word, str) else None
    if name is None:
        raise ZooError(f'no sentiment "{shorten(str(word))}"', suggest(str(word), _SENTIMENTS.values()), where=where)
    return name


def parse_span(text: str) -> str | None:
    """The words of an element, None where it is implicit."""
    return None if text in (IMPLICIT, "") else text
