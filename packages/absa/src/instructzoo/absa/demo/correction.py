"""Corrected quadruples as training rows: an edited table is checked against its text and written as JSON Lines.

    aspect   category        opinion   sentiment
    wine     DRINKS#QUALITY  Great     positive
             food prices     cheap     POS           an empty cell is implicit; labels may have any case and spelling

The result is the JSON Lines format of own data (data/readers/custom.py), one text per line, which supports every task:

    zoo train absa/small data.sources=[own] data.path=absa-rows.jsonl
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any

from instructzoo.absa import prompts
from instructzoo.absa.data.readers.base import IMPLICIT, parse_sentiment
from instructzoo.absa.extraction import ReviewAnalysis, occurrences
from instructzoo.absa.schema import DOMAINS, ELEMENTS, SENTIMENTS, TASKS, Quad, parse_category
from instructzoo.core.answers.text_files import invalid_text_reason
from instructzoo.core.errors import ZooError, suggest

MAX_TEXT, MAX_QUADS, MAX_SAVED = 1_000, 40, 500
"""Maximum characters of a text, quadruples of a text, and texts saved by one page."""

_RESTAURANT_ATTRIBUTES = {
    "RESTAURANT": ("GENERAL", "PRICES", "MISCELLANEOUS"),
    "FOOD": ("GENERAL", "QUALITY", "PRICES", "STYLE_OPTIONS"),
    "DRINKS": ("QUALITY", "PRICES", "STYLE_OPTIONS"),
    "SERVICE": ("GENERAL",),
    "AMBIENCE": ("GENERAL",),
    "LOCATION": ("GENERAL",),
}
_LAPTOP_ENTITIES = (
    "LAPTOP", "DISPLAY", "KEYBOARD", "MOUSE", "BATTERY", "CPU", "MEMORY", "HARD_DISC", "GRAPHICS", "MOTHERBOARD",
    "FANS&COOLING", "PORTS", "POWER_SUPPLY", "OPTICAL_DRIVES", "MULTIMEDIA_DEVICES", "HARDWARE", "SOFTWARE", "OS",
    "WARRANTY", "SHIPPING", "SUPPORT", "COMPANY",
)  # fmt: skip
_LAPTOP_ATTRIBUTES = (
    "GENERAL", "PRICE", "QUALITY", "DESIGN_FEATURES", "OPERATION_PERFORMANCE", "USABILITY", "PORTABILITY",
    "CONNECTIVITY", "MISCELLANEOUS",
)  # fmt: skip
CATEGORIES: dict[str, tuple[str, ...]] = {
    "restaurant": tuple(
        f"{entity}#{attribute}" for entity, attributes in _RESTAURANT_ATTRIBUTES.items() for attribute in attributes
    ),
    "laptop": tuple(f"{entity}#{attribute}" for entity in _LAPTOP_ENTITIES for attribute in _LAPTOP_ATTRIBUTES),
}
"""Entity#attribute as SemEval names them (Pontiki et al. 2016) and as the published restaurant quadruples use them."""

Table = list[list[str]]
"""Rows of cells in the order of ELEMENTS."""


def to_table(analysis: ReviewAnalysis) -> Table:
    """The quadruples of a review as an editable table."""
    return [[getattr(located.quad, element) or "" for element in ELEMENTS] for located in analysis.quads]


def read_table(text: str, table: Sequence[Sequence[Any]], domain: str, custom_categories: bool = False) -> list[Quad]:
    """The quadruples of an edited table; empty rows are skipped.

    Args:
        text: the text that the spans must occur in.
        table: rows of cells in the order of ELEMENTS.
        domain: one of DOMAINS, which decides the categories.
        custom_categories: whether categories of any name are valid.

    Raises:
        ZooError: for a span that the text does not contain, an invalid label and a repeated row, naming the row.
    """
    if domain not in DOMAINS:
        raise ZooError(f'the domain "{domain}"', suggest(domain, DOMAINS), where="domain")
    quads = list[Quad]()
    for number, cells in enumerate(table, 1):
        values = [_cell_text(cell) for cell in cells]
        if not any(values):
            continue
        where = f"row {number}"
        if any(values[len(ELEMENTS) :]):
            raise ZooError(f"{len(values)} cells", ", ".join(ELEMENTS), "empty the others", where)
        elements = dict(zip_longest(ELEMENTS, values[: len(ELEMENTS)], fillvalue=""))
        quad = _read_quad(text, elements, domain, custom_categories, where)
        if quad in quads:
            raise ZooError("the same opinion as in a row above", "each once", "empty the row", where)
        quads.append(quad)
    if len(quads) > MAX_QUADS:
        raise ZooError(f"{len(quads)} opinions", f"at most {MAX_QUADS}", "cut the text in two", "the table")
    return quads


def _cell_text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def _read_quad(text: str, elements: Mapping[str, str], domain: str, custom_categories: bool, where: str) -> Quad:
    written = elements["category"]
    category = parse_category(written) if written else ""
    if not category:
        raise ZooError("no category", f"one such as {CATEGORIES[domain][0]}", "fill the cell", where)
    if not custom_categories and category not in CATEGORIES[domain]:
        expected = _expected_categories(category, domain)
        raise ZooError(f'the category "{written[:60]}"', expected, "or allow categories of your own", where)
    return Quad(
        _read_span(text, elements["aspect"], "aspect", where),
        category,
        _read_span(text, elements["opinion"], "opinion", where),
        _read_sentiment(elements["sentiment"], where),
    )


def _expected_categories(category: str, domain: str) -> str:
    """The categories to choose from, in a short text even where the domain has two hundred."""
    if len(CATEGORIES[domain]) < 20:
        return suggest(category, CATEGORIES[domain])
    entity = category.partition("#")[0]
    same_entity = [name for name in CATEGORIES[domain] if name.startswith(f"{entity}#")]
    if same_entity:
        return f"one of {', '.join(same_entity)}"
    return f"one of {', '.join(_LAPTOP_ENTITIES)}, then # and an attribute"


def _read_sentiment(written: str, where: str) -> str:
    """One of the three sentiments that tasks ask for."""
    if not written:
        raise ZooError("no sentiment", f"one of {', '.join(SENTIMENTS)}", "fill the cell", where)
    sentiment = parse_sentiment(written, where)
    if sentiment not in SENTIMENTS:
        raise ZooError(f'no sentiment "{sentiment}"', f"one of {', '.join(SENTIMENTS)}", "write a row for each", where)
    return sentiment


def _read_span(text: str, span: str, element: str, where: str) -> str | None:
    """The span itself; None for an implicit one."""
    if span in ("", IMPLICIT):
        return None
    if span in text:
        return span
    similar = next(occurrences(text, span), None)
    fix = f'write it as the text does: "{text[slice(*similar)]}"' if similar else "or leave the cell empty: implicit"
    raise ZooError(f'the {element} "{span[:60]}"', "words of the text", fix, where)


def to_json_line(text: str, quads: Sequence[Quad], domain: str) -> str:
    """A line of JSON in the format of own data.

    Raises:
        ZooError: for a text or a quadruple of which no row can be made.
    """
    text = text.strip()
    if reason := invalid_text_reason(text, MAX_TEXT):
        raise ZooError("a text that cannot be saved", reason.rstrip("."), where="the text")
    for task in TASKS:  # raises for what a task cannot express
        prompts.make_row(text, quads, task, 0, domain)
    objects = [{element: getattr(quad, element) for element in ELEMENTS} for quad in quads]
    return json.dumps({"text": text, "quads": objects, "domain": domain}, ensure_ascii=False)


def add_line(lines: Sequence[str], line: str) -> tuple[list[str], bool]:
    """Add a line, in place of an earlier one with the same text.

    Returns:
        The lines, and whether one was replaced.

    Raises:
        ZooError: where the page has MAX_SAVED texts already.
    """
    text = json.loads(line)["text"]
    other_texts = [saved for saved in lines if json.loads(saved)["text"] != text]
    if len(other_texts) >= MAX_SAVED:
        found = f"{len(other_texts)} texts"
        raise ZooError(found, f"at most {MAX_SAVED}", "download them and start again", "the saved rows")
    return [*other_texts, line], len(other_texts) < len(lines)
