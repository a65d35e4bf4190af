"""Your own annotated reviews (source "own"), as CSV or as JSON Lines.

CSV: one line for every tuple. Columns `text` and `aspect`, then those that you have of `category`, `opinion`,
`sentiment` and `domain`. Lines with the same text are one sentence, wherever they are. NULL, or an empty cell in a line
with other elements, means implicit: no word of the text names it. A text without tuples has one line with the text
alone.

    text,aspect,category,opinion,sentiment
    "Great wine, slow service",wine,DRINKS#QUALITY,Great,positive
    "Great wine, slow service",service,SERVICE#GENERAL,slow,negative
    We came on a Sunday.,,,,

JSON Lines: one object for every sentence; null means implicit, `domain` is optional.

    {"text": "Great wine", "quads": [{"aspect": "wine", "category": "DRINKS#QUALITY", "opinion": "Great",
     "sentiment": "positive"}], "domain": "restaurant"}

All tuples of a file have the same elements, which decide which tasks the file supports. Rows of the project's own
format (with `input`, `task` and `gold`, as `zoo data` builds them) are read too. Sentiments are positive, negative,
neutral and conflict; categories may have any name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from instructzoo.absa.data.readers.base import (
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
    elements = [element for element in ELEMENTS if element in header]
    sentences: dict[str, tuple[str, str, list[Quad]]] = {}  # by text: where, domain, quads
    for where, values in rows:
        if not_text := next((name for name, value in values.items() if not isinstance(value, str | None)), None):
            raise ZooError(f'"{not_text}" is {shorten(repr(values[not_text]))}', "text", where=where)
        text = (values["text"] or "").strip()
        _, domain, quads = sentences.setdefault(text, (where, values.get("domain") or "", []))
        if (values.get("domain") or "") != domain:
            raise ZooError(f'domain "{values["domain"]}"', f'"{domain}", as before for this text', where=where)
        if any((values[element] or "").strip() for element in elements):
            quads.append(_make_quad({name: parse_span((values[name] or "").strip()) for name in elements}, where))
    for text, (where, domain, quads) in sentences.items():
        yield make_sentence(text, quads, where, supported_tasks(elements), domain)


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
        yield make_sentence(values.get("text"), quads, where, supported_tasks(elements), _domain(values, where))


def _tuples(values: Mapping[str, Any], where: str) -> list[dict[str, Any]]:
    if unknown := [name for name in values if name not in ("text", "quads", "domain")]:
        raise ZooError(f'key "{unknown[0]}"', suggest(unknown[0], ("text", "quads", "domain")), where=where)
    quads = values.get("quads")
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
