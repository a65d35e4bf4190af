"""Your own annotated reviews, as CSV or as JSON Lines.

CSV: one line for every judgement. Columns `text` and `aspect`, then what you have of `category`, `opinion`, `sentiment`
and `domain`. Lines of one text are one sentence, wherever they stand. NULL, or an empty cell beside others that are
filled, is implicit: no word of the text names it. A text without judgements has one line, empty but for the text.

    text,aspect,category,opinion,sentiment
    "Great wine, slow service",wine,DRINKS#QUALITY,Great,positive
    "Great wine, slow service",service,SERVICE#GENERAL,slow,negative
    We came on a Sunday.,,,,

JSON Lines: one object for every sentence; null is implicit, `domain` may be left out.

    {"text": "Great wine", "quads": [{"aspect": "wine", "category": "DRINKS#QUALITY", "opinion": "Great",
     "sentiment": "positive"}], "domain": "restaurant"}

Every judgement of a file has the same elements; they decide which tasks can be asked. Rows of the house (with `input`,
`task` and `gold`, as the demo saves them and `zoo data` builds them) are read too. Sentiments are positive, negative,
neutral and conflict; categories are yours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from instructzoo.absa.data.readers.base import Sentence, answerable, category, sentence, sentiment, span
from instructzoo.absa.schema import PARTS, Quad, from_json, known
from instructzoo.core.data import read
from instructzoo.core.data.readers import cut
from instructzoo.core.errors import ZooError, suggest

COLUMNS = ("text", *PARTS, "domain")
HOUSE = ("input", "task", "gold")


def own(path: Path) -> Iterator[Sentence]:
    """Sentences of a file by its suffix and first row. Raises ZooError with file:line for what breaks the schema."""
    rows = read(path)
    where, first = next(rows)
    if path.suffix.lower() in (".csv", ".tsv", ".parquet") and "gold" not in first:
        yield from _table([(where, first), *rows])
    elif all(name in first for name in HOUSE):
        yield from (_house(*one) for one in [(where, first), *rows])
    else:
        yield from _objects([(where, first), *rows])


def _table(rows: list[tuple[str, dict[str, Any]]]) -> Iterator[Sentence]:
    """Sentences in order of their first line."""
    header = list(rows[0][1])
    if unknown := [name for name in header if name not in COLUMNS]:
        raise ZooError(f'column "{unknown[0]}"', suggest(unknown[0], COLUMNS), where=rows[0][0])
    for name in ("text", "aspect"):
        if name not in header:
            raise ZooError(f"no column {name} among: {', '.join(header)}", "text and aspect", where=rows[0][0])
    held = [part for part in PARTS if part in header]
    found: dict[str, tuple[str, str, list[Quad]]] = {}
    for where, values in rows:
        if odd := next((name for name, value in values.items() if not isinstance(value, str | None)), None):
            raise ZooError(f'"{odd}" is {cut(repr(values[odd]))}', "text", where=where)
        text = (values["text"] or "").strip()
        _, domain, quads = found.setdefault(text, (where, values.get("domain") or "", []))
        if (values.get("domain") or "") != domain:
            raise ZooError(f'domain "{values["domain"]}"', f'"{domain}", as before for this text', where=where)
        if any((values[part] or "").strip() for part in held):
            quads.append(_quad({part: span((values[part] or "").strip()) for part in held}, where))
    for text, (where, domain, quads) in found.items():
        yield sentence(text, quads, where, answerable(held), domain)


def _objects(rows: list[tuple[str, dict[str, Any]]]) -> Iterator[Sentence]:
    """Sentences of JSON objects; the first judgement decides which elements all have."""
    checked = [(where, values, _judgements(values, where)) for where, values in rows]
    held = next((tuple(quads[0]) for _, _, quads in checked if quads), PARTS)
    for where, values, judgements in checked:
        for judgement in judgements:
            if set(judgement) != set(held):
                found = f"a judgement with {', '.join(judgement) or 'nothing'}"
                fix = "write null for an implicit element"
                raise ZooError(found, f"{', '.join(held)}, as in the first one", fix, where)
        quads = tuple(_quad(judgement, where) for judgement in judgements)
        yield sentence(values.get("text"), quads, where, answerable(held), _domain(values, where))


def _judgements(values: Mapping[str, Any], where: str) -> list[dict[str, Any]]:
    if unknown := [name for name in values if name not in ("text", "quads", "domain")]:
        raise ZooError(f'key "{unknown[0]}"', suggest(unknown[0], ("text", "quads", "domain")), where=where)
    quads = values.get("quads")
    if not isinstance(quads, list) or not all(isinstance(quad, dict) for quad in quads):
        raise ZooError(f'"quads" is {cut(repr(quads))}', "a list of objects", "[] for a text without judgements", where)
    for quad in quads:
        if unknown := [name for name in quad if name not in PARTS]:
            raise ZooError(f'element "{unknown[0]}"', suggest(unknown[0], PARTS), where=where)
        if "aspect" not in quad:
            raise ZooError("a judgement without aspect", "one; null for an implicit one", where=where)
        for name, value in quad.items():
            if value is not None and not (isinstance(value, str) and value):
                raise ZooError(f'"{name}" is {cut(repr(value))}', "text, or null for implicit", where=where)
    return quads


def _house(where: str, values: Mapping[str, Any]) -> Sentence:
    text, task, gold = (values.get(name) for name in HOUSE)
    if not isinstance(task, str) or not isinstance(gold, str):
        raise ZooError(f'"task" {cut(repr(task))}, "gold" {cut(repr(gold))}', "texts", "mend the row", where)
    return sentence(text, from_json(gold, where), where, (known(task, where),), _domain(values, where))


def _domain(values: Mapping[str, Any], where: str) -> str:
    domain = values.get("domain") or ""
    if not isinstance(domain, str):
        raise ZooError(f'"domain" is {cut(repr(domain))}', "a word such as restaurant", where=where)
    return domain


def _quad(parts: Mapping[str, str | None], where: str) -> Quad:
    name, mood = parts.get("category"), parts.get("sentiment")
    for part in ("category", "sentiment"):
        if part in parts and parts[part] is None:
            raise ZooError(f"a judgement without {part}", "one: only aspect and opinion can be implicit", where=where)
    return Quad(
        parts.get("aspect"),
        category(name) if name is not None else None,
        parts.get("opinion"),
        sentiment(mood, where) if mood is not None else None,
    )
