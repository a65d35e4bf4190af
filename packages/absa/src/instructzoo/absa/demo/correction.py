"""Corrected judgements -> rows that train again: a table as a person edits it, checked against its text.

    aspect   category        opinion   sentiment
    wine     DRINKS#QUALITY  Great     positive
             food prices     cheap     POS           an empty cell is implicit; case and spelling of labels are free

What is kept is the JSON Lines form of own data (readers_own.py), a text a line, so that every task can be asked of it:

    zoo train absa/small data.sources=[own] data.path=absa-rows.jsonl
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any

from instructzoo.absa import prompts
from instructzoo.absa.data.readers.base import IMPLICIT, category, sentiment
from instructzoo.absa.extraction import Judged, occurrences
from instructzoo.absa.schema import DOMAINS, PARTS, SENTIMENTS, TASKS, Quad
from instructzoo.core.errors import ZooError, suggest
from instructzoo.core.ui.highlighting import unaskable

MAX_TEXT, MAX_QUADS, MAX_KEPT = 1_000, 40, 500
"""Characters of a text, judgements on it, and texts that one page keeps."""

_RESTAURANT = {
    "RESTAURANT": ("GENERAL", "PRICES", "MISCELLANEOUS"),
    "FOOD": ("GENERAL", "QUALITY", "PRICES", "STYLE_OPTIONS"),
    "DRINKS": ("QUALITY", "PRICES", "STYLE_OPTIONS"),
    "SERVICE": ("GENERAL",),
    "AMBIENCE": ("GENERAL",),
    "LOCATION": ("GENERAL",),
}
_PARTS_OF_LAPTOPS = (
    "LAPTOP", "DISPLAY", "KEYBOARD", "MOUSE", "BATTERY", "CPU", "MEMORY", "HARD_DISC", "GRAPHICS", "MOTHERBOARD",
    "FANS&COOLING", "PORTS", "POWER_SUPPLY", "OPTICAL_DRIVES", "MULTIMEDIA_DEVICES", "HARDWARE", "SOFTWARE", "OS",
    "WARRANTY", "SHIPPING", "SUPPORT", "COMPANY",
)  # fmt: skip
_RESPECTS = (
    "GENERAL", "PRICE", "QUALITY", "DESIGN_FEATURES", "OPERATION_PERFORMANCE", "USABILITY", "PORTABILITY",
    "CONNECTIVITY", "MISCELLANEOUS",
)  # fmt: skip
CATEGORIES: dict[str, tuple[str, ...]] = {
    "restaurant": tuple(f"{entity}#{respect}" for entity, held in _RESTAURANT.items() for respect in held),
    "laptop": tuple(f"{part}#{respect}" for part in _PARTS_OF_LAPTOPS for respect in _RESPECTS),
}
"""Entity and attribute as SemEval names them (Pontiki et al. 2016) and the published quadruples of restaurants use."""

Table = list[list[str]]
"""Rows of cells in the order of PARTS."""


def table_of(judged: Judged) -> Table:
    """The judgements of a text, to be edited."""
    return [[getattr(found.quad, part) or "" for part in PARTS] for found in judged.found]


def read_table(text: str, table: Sequence[Sequence[Any]], domain: str, own: bool = False) -> list[Quad]:
    """The judgements of an edited table; rows without any word are skipped. own: categories of any name are right.

    Raises ZooError naming the row for a span that the text does not hold, a label that is none, and a repeated row.
    """
    if domain not in DOMAINS:
        raise ZooError(f'the domain "{domain}"', suggest(domain, DOMAINS), where="domain")
    quads = list[Quad]()
    for number, cells in enumerate(table, 1):
        values = [_cell(cell) for cell in cells]
        if not any(values):
            continue
        if any(values[len(PARTS) :]):
            raise ZooError(f"{len(values)} cells", ", ".join(PARTS), "empty the others", f"row {number}")
        quad = _quad(text, dict(zip_longest(PARTS, values[: len(PARTS)], fillvalue="")), domain, own, f"row {number}")
        if quad in quads:
            raise ZooError("the same judgement as in a row above", "each once", "empty the row", f"row {number}")
        quads.append(quad)
    if len(quads) > MAX_QUADS:
        raise ZooError(f"{len(quads)} judgements", f"at most {MAX_QUADS}", "cut the text in two", "the table")
    return quads


def _cell(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def _quad(text: str, values: Mapping[str, str], domain: str, own: bool, where: str) -> Quad:
    named = values["category"]
    label = category(named) if named else ""
    if not label:
        raise ZooError("no category", f"one such as {CATEGORIES[domain][0]}", "fill the cell", where)
    if not own and label not in CATEGORIES[domain]:
        expected = suggest(label, CATEGORIES[domain]) if len(CATEGORIES[domain]) < 20 else _near(label, domain)
        raise ZooError(f'the category "{named[:60]}"', expected, "or allow categories of your own", where)
    return Quad(
        _span(text, values["aspect"], "aspect", where),
        label,
        _span(text, values["opinion"], "opinion", where),
        _mood(values["sentiment"], where),
    )


def _near(label: str, domain: str) -> str:
    """A short line even where the list has two hundred names."""
    entity = label.partition("#")[0]
    told = [name for name in CATEGORIES[domain] if name.startswith(f"{entity}#")]
    return f"one of {', '.join(told)}" if told else f"one of {', '.join(_PARTS_OF_LAPTOPS)}, then # and a respect"


def _mood(named: str, where: str) -> str:
    """One of the three sentiments that tasks ask for."""
    if not named:
        raise ZooError("no sentiment", f"one of {', '.join(SENTIMENTS)}", "fill the cell", where)
    mood = sentiment(named, where)
    if mood not in SENTIMENTS:
        raise ZooError(f'no sentiment "{mood}"', f"one of {', '.join(SENTIMENTS)}", "write a row for each", where)
    return mood


def _span(text: str, span: str, part: str, where: str) -> str | None:
    """The span itself; none for an implicit one."""
    if span in ("", IMPLICIT):
        return None
    if span in text:
        return span
    near = next(occurrences(text, span), None)
    fix = f'write it as the text does: "{text[slice(*near)]}"' if near else "or leave the cell empty: implicit"
    raise ZooError(f'the {part} "{span[:60]}"', "words of the text", fix, where)


def kept_line(text: str, quads: Sequence[Quad], domain: str) -> str:
    """A line of JSON that `own` reads. Raises ZooError for a text or a judgement that no task could be asked of."""
    text = text.strip()
    if fault := unaskable(text, MAX_TEXT):
        raise ZooError("a text that cannot be kept", fault.rstrip("."), where="the text")
    for task in TASKS:
        prompts.write(text, quads, task, 0, domain)
    values = [{part: getattr(quad, part) for part in PARTS} for quad in quads]
    return json.dumps({"text": text, "quads": values, "domain": domain}, ensure_ascii=False)


def keep(lines: Sequence[str], line: str) -> tuple[list[str], bool]:
    """The lines with one more, and whether it took the place of an earlier one on the same text.

    Raises ZooError where the page holds no more.
    """
    text = json.loads(line)["text"]
    others = [old for old in lines if json.loads(old)["text"] != text]
    if len(others) >= MAX_KEPT:
        raise ZooError(f"{len(others)} texts", f"at most {MAX_KEPT}", "download them and begin anew", "the kept rows")
    return [*others, line], len(others) < len(lines)
