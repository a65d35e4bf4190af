"""What every reader yields, and what they share: one annotated sentence, with its place in the file."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from instructzoo.absa.prompts import writable
from instructzoo.absa.schema import CONFLICT, ELEMENTS, SENTIMENTS, TASKS, Quad
from instructzoo.core.data.line_files import lines as numbered
from instructzoo.core.data.line_files import malformed
from instructzoo.core.data.readers import cut
from instructzoo.core.errors import ZooError, place, suggest

IMPLICIT = "NULL"
"""How the corpora write an element that no word of the sentence names."""

EMPTY_SPAN = "empty span, read as implicit"
NOT_ASKED = "category without aspect terms, which no task asks for"

_SENTIMENTS = {"pos": "positive", "neg": "negative", "neu": "neutral"} | {
    name: name for name in (*SENTIMENTS, CONFLICT)
}
_LITERAL_FAULTS = (SyntaxError, ValueError, TypeError, MemoryError, RecursionError)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence and its judgements. tasks: those that its annotation can answer; domain: where the file names one.

    remarks: what the reader had to decide about it, in words that are counted.
    """

    text: str
    quads: tuple[Quad, ...]
    where: str
    tasks: tuple[str, ...] = TASKS
    domain: str = ""
    remarks: tuple[str, ...] = ()


def sentence(
    text: Any,
    quads: Sequence[Quad],
    where: str,
    tasks: tuple[str, ...] = TASKS,
    domain: str = "",
    remarks: Sequence[str] = (),
) -> Sentence:
    """A checked Sentence. Raises ZooError for an empty text, and for half a surrogate pair, which no file can hold."""
    if not isinstance(text, str) or not text.strip():
        raise ZooError(f"found {cut(repr(text))}", "a text that is not empty", "mend or remove the line", where)
    for part in (text, *(part for quad in quads for part in (quad.aspect, quad.opinion, quad.category) if part)):
        if not writable(part):
            raise ZooError("half a surrogate pair in the text", "Unicode characters", "mend the line", where)
    return Sentence(text.strip(), tuple(quads), where, tasks, domain, tuple(remarks))


def answerable(elements: Collection[str]) -> tuple[str, ...]:
    """The tasks that ask for nothing beyond these elements."""
    return tuple(task for task in TASKS if set(ELEMENTS[task]) <= set(elements))


def lines(path: Path) -> Iterator[tuple[str, str]]:
    """(file:line, text) of every line that is not blank. Raises ZooError for a carriage return within a line."""
    for number, line in numbered(path):
        where = place(path, number)
        if "\r" in line:
            raise ZooError("a carriage return within the line", "lines that end in line feeds", "convert it", where)
        if line.strip():
            yield where, line


def literal(text: str, form: str, where: str) -> Any:
    """The value of a Python literal, never evaluated as code. Raises ZooError that shows the wanted form."""
    try:
        with warnings.catch_warnings(action="ignore"):  # of "\\d" in a corpus's strings
            return ast.literal_eval(text)
    except _LITERAL_FAULTS as error:
        raise malformed(text, form, where) from error


def sentiment(word: Any, where: str) -> str:
    """positive, negative, neutral or conflict; POS, NEG and NEU are understood. Raises ZooError for another word."""
    name = _SENTIMENTS.get(word.strip().casefold()) if isinstance(word, str) else None
    if name is None:
        raise ZooError(f'no sentiment "{cut(str(word))}"', suggest(str(word), _SENTIMENTS.values()), where=where)
    return name


def category(text: str) -> str:
    """FOOD#STYLE_OPTIONS of "food style_options", or of itself; a label of one word stays one."""
    text = text.strip()
    if "#" in text:
        return text
    entity, _, attribute = text.partition(" ")
    return f"{entity}#{attribute.replace(' ', '_')}".upper() if attribute else text.upper()


def span(text: str) -> str | None:
    """The words of an element; none where it is implicit."""
    return None if text in (IMPLICIT, "") else text
