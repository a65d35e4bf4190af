"""The data card and the settings as tables, for the report and for `zoo data`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from instructzoo.core.score.tables import Table

MAX_CHARACTERS = 600
"""Characters shown of one text."""

COLUMNS = ("instruction", "input", "output")
"""Columns of the examples."""

TABULATED = (
    "counts", "lengths", "raw", "items", "splits", "sources", "dropped", "contamination", "examples", "settings",
)  # fmt: skip
"""Entries of a card that have a table; all others are shown as a line of text."""


def card(values: Mapping[str, Any]) -> dict[str, Any]:
    """The data card as the report shows it.

    Args:
        values: The content of card.json.

    Returns:
        {"text": entries without a table, "tables": [(title, table, text where it is empty)], "examples": a table,
        "rest": tables of all entries, for a card of another version}.
    """
    try:
        return _card(values)
    except (KeyError, TypeError, AttributeError, ValueError):  # a card of another version is still shown
        return {"text": "", "tables": [], "examples": Table((), ()), "rest": settings(values)}


def _card(values: Mapping[str, Any]) -> dict[str, Any]:
    others = {key: value for key, value in values.items() if key not in TABULATED}
    examples = [
        (split, *(cut(row[name]) for name in COLUMNS)) for split, rows in values["examples"].items() for row in rows
    ]
    return {
        "text": "; ".join(f"{key} {text(value)}" for key, value in others.items()) + ".",
        "tables": [
            ("Splits", split_table(values, lengths=True), ""),
            ("Sources and licences", source_table(values), "No source is named."),
            ("Dropped", dropped_table(values), "No row was dropped."),
            (
                "Contamination",
                contamination_table(values),
                "Not checked: no training rows were built together with this split.",
            ),
        ],
        "examples": Table(("split", *COLUMNS), tuple(examples)),
        "rest": [],
    }


def split_table(values: Mapping[str, Any], lengths: bool = False) -> Table:
    """Rows and items of every split; with `lengths` also the characters of instruction, input and output.

    Args:
        values: The content of a run's card.json.
        lengths: Whether to add a column for each text.

    Returns:
        A table with one row per split.
    """
    rows = []
    for split, n_rows in values["counts"].items():
        counts = (f"{values['raw'].get(split, n_rows):,}", f"{n_rows:,}", f"{values['items'][split]:,}")
        sizes = [f"{x['median']:g} ({x['longest']:,})" for x in values["lengths"][split].values()] if lengths else []
        rows.append((split, *counts, str(values["splits"][split]), *sizes))
    names = next(iter(values["lengths"].values())) if lengths else ()
    columns = [f"{name}, characters: median (longest)" for name in names]
    return Table(("split", "rows given", "rows kept", "items", "how it was split", *columns), tuple(rows))


def source_table(values: Mapping[str, Any]) -> Table:
    """The sources with their licences and the rows of each split."""
    rows = [(x["source"], x["licence"] or "not stated", text(x["rows"])) for x in values["sources"]]
    return Table(("source", "licence", "rows kept"), tuple(rows))


def dropped_table(values: Mapping[str, Any]) -> Table:
    """The rows that were dropped, by split and reason."""
    rows = [(x["part"], x["reason"], f"{x['rows']:,}") for x in values["dropped"]]
    return Table(("split", "reason", "rows"), tuple(rows))


def contamination_table(values: Mapping[str, Any]) -> Table:
    """What the contamination check found between the splits."""
    check = values["contamination"]
    rows = []
    for x in check["checks"]:
        numbers = (x["rows"], x["found_exact"], x["found_ngram"], x["dropped_exact"] + x["dropped_ngram"])
        rows.append((x["checked"], x["against"], *(f"{number:,}" for number in numbers)))
    criterion = f"{check['overlap']:.0%} of word {check['ngram']}-grams in one row"
    return Table(("split", "against", "rows", "found exactly", criterion, "rows dropped for it"), tuple(rows))


def settings(values: Mapping[str, Any]) -> list[tuple[str, Table]]:
    """Nested values as one table of dotted keys per group; values outside of any group come first."""
    groups: dict[str, dict[str, Any]] = {"": {}}
    for key, value in values.items():
        if isinstance(value, dict) and value:
            groups[str(key)] = value
        else:
            groups[""][str(key)] = value
    named = [(name, tuple(_dotted(group, f"{name}." if name else ""))) for name, group in groups.items() if group]
    return [(name, Table(("setting", "value"), rows)) for name, rows in named]


def _dotted(values: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    """Pairs of dotted key and value."""
    for key, value in values.items():
        if isinstance(value, dict) and value:
            yield from _dotted(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", text(value)


def text(value: Any) -> str:
    """A value in one line, for people."""
    if value is None or value == "" or value == [] or value == {}:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, dict):
        return ", ".join(f"{key} {text(inner)}" for key, inner in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(text(inner) for inner in value)
    return cut(value)


def cut(value: Any) -> str:
    """A text of at most MAX_CHARACTERS characters, with the number of those that are left out."""
    full = "" if value is None else str(value)
    if len(full) <= MAX_CHARACTERS:
        return full
    return f"{full[:MAX_CHARACTERS]} … ({len(full) - MAX_CHARACTERS:,} more characters)"
