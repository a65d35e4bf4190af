"""The data card and the settings as tables of the report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from instructzoo.core.score.tables import Table

LONGEST = 600
"""Characters shown of one text."""


def card(held: Mapping[str, Any]) -> dict[str, Any]:
    """The data card: parts, sources, what was dropped and why, contamination, examples; other entries as they are."""
    try:
        return _card(held)
    except (KeyError, TypeError, AttributeError, ValueError):  # a card of another version is still shown
        return {"said": "", "tables": [], "examples": Table((), ()), "rest": settings(held)}


def _card(held: Mapping[str, Any]) -> dict[str, Any]:
    parts = []
    for part, kept in held["counts"].items():
        sizes = [f"{x['median']:g} ({x['longest']:,})" for x in held["lengths"][part].values()]
        counted = (f"{held['raw'].get(part, kept):,}", f"{kept:,}", f"{held['items'][part]:,}")
        parts.append((part, *counted, str(held["splits"][part]), *sizes))
    columns = [f"{name}, characters: median (longest)" for name in next(iter(held["lengths"].values()))]
    sources = [(x["source"], x["licence"] or "not stated", text(x["rows"])) for x in held["sources"]]
    dropped = [(x["part"], x["reason"], f"{x['rows']:,}") for x in held["dropped"]]
    check = held["contamination"]
    found = []
    for x in check["checks"]:
        numbers = (x["rows"], x["found_exact"], x["found_ngram"], x["dropped_exact"] + x["dropped_ngram"])
        found.append((x["checked"], x["against"], *(f"{number:,}" for number in numbers)))
    names = ("instruction", "input", "output")
    shown = [(part, *(cut(row[name]) for name in names)) for part, rows in held["examples"].items() for row in rows]
    rule = f"{check['overlap']:.0%} of word {check['ngram']}-grams in one row"
    used = (
        "counts",
        "lengths",
        "raw",
        "items",
        "splits",
        "sources",
        "dropped",
        "contamination",
        "examples",
        "settings",
    )
    plain = {key: value for key, value in held.items() if key not in used}
    return {
        "said": "; ".join(f"{key} {text(value)}" for key, value in plain.items()) + ".",
        "tables": [
            ("Parts", Table(("part", "rows given", "rows kept", "items", "split", *columns), tuple(parts)), ""),
            ("Sources and licences", Table(("source", "licence", "rows kept"), tuple(sources)), "No source is named."),
            ("Dropped", Table(("part", "reason", "rows"), tuple(dropped)), "No row was dropped."),
            (
                "Contamination",
                Table(("part", "against", "rows", "found exactly", rule, "rows dropped for it"), tuple(found)),
                "Not checked: no training rows were built beside this part.",
            ),
        ],
        "examples": Table(("part", *names), tuple(shown)),
        "rest": [],
    }


def settings(values: Mapping[str, Any]) -> list[tuple[str, Table]]:
    """Nested values as one table of dotted keys per group; single values first."""
    groups: dict[str, dict[str, Any]] = {"": {}}
    for key, value in values.items():
        if isinstance(value, dict) and value:
            groups[str(key)] = value
        else:
            groups[""][str(key)] = value
    named = [(name, tuple(_dotted(held, f"{name}." if name else ""))) for name, held in groups.items() if held]
    return [(name, Table(("setting", "value"), rows)) for name, rows in named]


def _dotted(values: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for key, value in values.items():
        if isinstance(value, dict) and value:
            yield from _dotted(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", text(value)


def text(value: Any) -> str:
    """A value in one line for readers."""
    if value is None or value == "" or value == [] or value == {}:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, dict):
        return ", ".join(f"{k} {text(v)}" for k, v in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(text(v) for v in value)
    return cut(value)


def cut(value: Any) -> str:
    """A text of at most LONGEST characters; what was left out is said."""
    whole = "" if value is None else str(value)
    return whole if len(whole) <= LONGEST else f"{whole[:LONGEST]} … ({len(whole) - LONGEST:,} more characters)"
