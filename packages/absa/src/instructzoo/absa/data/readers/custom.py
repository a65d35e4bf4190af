"""Your own annotated reviews (source "own"), as CSV or as JSON Lines.

CSV: one line for every tuple. Columns `text` and `aspect`, then those that you have of `category`, `opinion`,
`sentiment` and `domain`. Lines with the same text are one sentence, wherever they are. NULL, or an empty cell in a line
with other elements, means implicit: no word of the text names it. A column that is empty in all lines is not annotated.
A text without tuples has one line that says none. A text whose line says nothing at all is not annotated yet: it is
left out, and counted.

    text,aspect,category,opinion,sentiment
    "Great wine, slow service",wine,DRINKS#QUALITY,Great,positive
    "Great wine, slow service",service,SERVICE#GENERAL,slow,negative
    We came on a Sunday.,none,,,
    A text for tomorrow.,,,,

JSON Lines: one object for every sentence; null means implicit, `domain` is optional. `[]` says that a text has no
tuples; a text without "quads", or with null, is not annotated yet.

    {"text": "Great wine", "quads": [{"aspect": "wine", "category": "DRINKS#QUALITY", "opinion": "Great",
     "sentiment": "positive"}], "domain": "restaurant"}

All tuples of a file have the same elements, which decide which tasks the file supports. Rows of the project's own
format (with `input`, `task` and `gold`, as `zoo data` builds them) are read too. Sentiments are positive, negative,
neutral and conflict; categories may have any name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from instructzoo.absa.data.readers.base import (
    IMPLICIT,
    NOTHING_MARKS,
    Sentence,
    make_sentence,
    parse_sentiment,
    parse_span,
    supported_tasks,
)
from instructzoo.absa.schema import ELEMENTS, Quad, check_task, from_json, parse_category
from instructzoo.core.data import read
from instructzoo.core.data.readers import shorten
from instructzoo.core.errors import ZooError, suggest

COLUMNS = ("text", *ELEMENTS, "domain")
ROW_COLUMNS = ("input", "task", "gold")
"""Columns by which a file of the project's own rows is recognised."""


def read_custom(path: Path) -> Iterator[Sentence]:
    """Read the sentences of a file; its suffix and first row decide which of the formats it has.

    Raises:
        ZooError: with file:line, for content that does not follow the format.
    """
    rows = read(path)
    where, first = next(rows)
    if path.suffix.lower() in (".csv", ".tsv", ".parquet") and "gold" not in first:
        yield from _read_table([(where, first), *rows])
    elif all(name in first for name in ROW_COLUMNS):
        yield from (_read_row(row_where, values) for row_where, values in [(where, first), *rows])
    else:
        yield from _read_objects([(where, first), *rows])


def _read_table(rows: list[tuple[str, dict[str, Any]]]) -> Iterator[Sentence]:
    """Sentences in the order of their first line."""
    header = list(rows[0][1])
    if unknown := [name for name in header if name not in COLUMNS]:
        raise ZooError(f'column "{unknown[0]}"', suggest(unknown[0], COLUMNS), where=rows[0][0])
    for name in ("text", "aspect"):
        if name not in header:
            raise ZooError(f"no column {name} among: {', '.join(header)}", "text and aspect", where=rows[0][0])
    for where, values in rows:
        if not_text := next((name for name, value in values.items() if not isinstance(value, str | None)), None):
            raise ZooError(f'"{not_text}" is {shorten(repr(values[not_text]))}', "text", where=where)
    lines = [(where, {name: (value or "").strip() for name, value in values.items()}) for where, values in rows]
    elements = _annotated_elements(lines, [element for element in ELEMENTS if element in header])
    texts: dict[str, _Text] = {}
    for where, cells in lines:
        text = texts.setdefault(cells["text"], _Text(where, cells.get("domain", "")))
        if cells.get("domain", "") != text.domain:
            raise ZooError(f'domain "{cells["domain"]}"', f'"{text.domain}", as before for this text', where=where)
        if _says_nothing(cells, elements):
            text.nothing_at = where
        elif any(cells[element] for element in elements):
            text.quads.append(_make_quad({name: parse_span(cells[name]) for name in elements}, where))
        if text.nothing_at and text.quads:
            fix = "remove the line, or the tuples"
            raise ZooError("a text with tuples that says none", "tuples, or none", fix, text.nothing_at)
    for name, text in texts.items():
        annotated = bool(text.quads or text.nothing_at)
        yield make_sentence(name, text.quads, text.where, supported_tasks(elements), text.domain, annotated=annotated)


@dataclass
class _Text:
    """What the lines of one text say; nothing_at: the line that says that it has no tuple, or ""."""

    where: str
    domain: str
    quads: list[Quad] = field(default_factory=list)
    nothing_at: str = ""


def _annotated_elements(lines: Sequence[tuple[str, Mapping[str, str]]], columns: Sequence[str]) -> list[str]:
    """The columns that the lines with tuples fill somewhere. Raises ZooError where aspect is none of them."""
    with_tuples = [cells for _, cells in lines if any(cells[n] for n in columns) and not _says_nothing(cells, columns)]
    filled = [name for name in columns if not with_tuples or any(cells[name] for cells in with_tuples)]
    if "aspect" not in filled:
        found = "a column aspect that is empty in every line"
        raise ZooError(found, "aspect terms, or NULL for implicit ones", "fill it", lines[0][0])
    return filled


def _says_nothing(cells: Mapping[str, str], elements: Sequence[str]) -> bool:
    """Whether a line says that its text has no tuple: none or [] as aspect and nothing beside.

    NULL alone says so too where a tuple would need a category or a sentiment, which are never implicit.
    """
    values = {cells[name].casefold() for name in elements} - {""}
    if cells["aspect"].casefold() in NOTHING_MARKS:
        return values <= {*NOTHING_MARKS, IMPLICIT.casefold()}
    return values == {IMPLICIT.casefold()} and bool({"category", "sentiment"} & {*elements})


def _read_objects(rows: list[tuple[str, dict[str, Any]]]) -> Iterator[Sentence]:
    """Sentences of JSON objects; the first tuple decides which elements all have."""
    checked = [(where, values, _tuples(values, where)) for where, values in rows]
    elements = next((tuple(tuples[0]) for _, _, tuples in checked if tuples), ELEMENTS)
    for where, values, tuples in checked:
        for tuple_values in tuples:
            if set(tuple_values) != set(elements):
                found = f"a tuple with {', '.join(tuple_values) or 'nothing'}"
                fix = "write null for an implicit element"
                raise ZooError(found, f"{', '.join(elements)}, as in the first one", fix, where)
        quads = tuple(_make_quad(tuple_values, where) for tuple_values in tuples)
        tasks, annotated = supported_tasks(elements), values.get("quads") is not None
        yield make_sentence(values.get("text"), quads, where, tasks, _domain(values, where), annotated=annotated)


def _tuples(values: Mapping[str, Any], where: str) -> list[dict[str, Any]]:
    if unknown := [name for name in values if name not in ("text", "quads", "domain")]:
        raise ZooError(f'key "{unknown[0]}"', suggest(unknown[0], ("text", "quads", "domain")), where=where)
    if (quads := values.get("quads")) is None:
        return []
    if not isinstance(quads, list) or not all(isinstance(quad, dict) for quad in quads):
        raise ZooError(f'"quads" is {shorten(repr(quads))}', "a list of objects", "[] for a text without tuples", where)
    for quad in quads:
        if unknown := [name for name in quad if name not in ELEMENTS]:
            raise ZooError(f'element "{unknown[0]}"', suggest(unknown[0], ELEMENTS), where=where)
        if "aspect" not in quad:
            raise ZooError("a tuple without aspect", "one; null for an implicit one", where=where)
        for name, value in quad.items():
            if value is not None and not (isinstance(value, str) and value):
                raise ZooError(f'"{name}" is {shorten(repr(value))}', "text, or null for implicit", where=where)
    return quads


def _read_row(where: str, values: Mapping[str, Any]) -> Sentence:
    text, task, gold = (values.get(name) for name in ROW_COLUMNS)
    if gold in (None, "") and isinstance(task, str):
        return make_sentence(text, (), where, (check_task(task, where),), _domain(values, where), annotated=False)
    if not isinstance(task, str) or not isinstance(gold, str):
        raise ZooError(f'"task" {shorten(repr(task))}, "gold" {shorten(repr(gold))}', "texts", "correct the row", where)
    return make_sentence(text, from_json(gold, where), where, (check_task(task, where),), _domain(values, where))


def _domain(values: Mapping[str, Any], where: str) -> str:
    domain = values.get("domain") or ""
    if not isinstance(domain, str):
        raise ZooError(f'"domain" is {shorten(repr(domain))}', "a word such as restaurant", where=where)
    return domain


def _make_quad(elements: Mapping[str, str | None], where: str) -> Quad:
    category, sentiment = elements.get("category"), elements.get("sentiment")
    for name in ("category", "sentiment"):
        if name in elements and elements[name] is None:
            raise ZooError(f"a tuple without {name}", "one: only aspect and opinion can be implicit", where=where)
    return Quad(
        elements.get("aspect"),
        parse_category(category) if category is not None else None,
        elements.get("opinion"),
        parse_sentiment(sentiment, where) if sentiment is not None else None,
    )
