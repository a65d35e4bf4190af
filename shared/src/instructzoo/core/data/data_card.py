"""The data card of a built data set: rows, sources, licences, what was dropped and why; as a dict and as a README."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import yaml

from instructzoo.core.data.clean import CleanedData
from instructzoo.core.data.sources import OWN_LICENCE
from instructzoo.core.data.tables import hashes
from instructzoo.core.recipe import Data, Recipe

EXAMPLES = 3
MAX_CHARACTERS = 400
"""Rows shown of each split, and characters shown of each of their texts."""

SMALL_SPLIT = 30
"""Rows below which a split tells little: the 95% interval of a rate is wider than 17 points to either side."""

NORMAL_QUANTILE = 1.96
"""Of the standard normal distribution, for intervals of 95%."""

_HUB_LICENCES = {
    "apache-2.0",
    "mit",
    "cc0-1.0",
    "cc-by-4.0",
    "cc-by-sa-3.0",
    "cc-by-sa-4.0",
    "cc-by-nc-4.0",
    "bsd-3-clause",
}
"""Licence names that are valid in a card of the hub; any other is written as "other"."""


def describe(
    data: CleanedData, raw: Mapping[str, int], recipe: Recipe, fingerprint: str, notes: Sequence[str] = ()
) -> dict[str, Any]:
    """Describe clean rows.

    Args:
        data: The clean rows, with the account of dropped ones.
        raw: Number of rows of each split as the source gave them.
        recipe: The recipe of the rows.
        fingerprint: The fingerprint of the rows.
        notes: What the source states about its rows, a sentence each.

    Returns:
        The card; every value is plain JSON.
    """
    sources = _sources(data.tables)
    counts = {split: table.num_rows for split, table in data.tables.items()}
    return {
        "domain": recipe.domain,
        "fingerprint": fingerprint,
        "seed": recipe.seed,
        "settings": recipe.data.model_dump(mode="json"),
        "sources": sources,
        "licences": sorted({source["licence"] or "not stated" for source in sources}),
        "counts": counts,
        "items": {split: len(np.unique(hashes(table.column("item")))) for split, table in data.tables.items()},
        "raw": dict(raw),
        "asked": _requested(raw, recipe),
        "splits": data.split_origins,
        "dropped": data.dropped,
        "notes": [*notes, *small_split_notes(counts, data.split_origins, recipe.data, brought(sources))],
        "contamination": {
            "ngram": recipe.data.ngram,
            "overlap": recipe.data.overlap,
            "checks": data.findings,
        },
        "lengths": {split: _lengths(table) for split, table in data.tables.items()},
        "examples": {split: _examples(table) for split, table in data.tables.items()},
    }


def brought(sources: Sequence[Mapping[str, Any]]) -> bool:
    """Whether any rows are a user's own, by the sources of a data card."""
    return any(source["licence"] == OWN_LICENCE for source in sources)


def small_split_notes(
    counts: Mapping[str, int], origins: Mapping[str, str], settings: Data, own_rows: bool = False
) -> list[str]:
    """A sentence for each split that has fewer than SMALL_SPLIT rows and that the user can enlarge.

    Args:
        counts: Rows by split.
        origins: How each split was made, by split.
        settings: The fractions that were asked for; a note never advises what is set already.
        own_rows: Whether rows are the user's own: what their files have as a split can then be enlarged as well.
    """
    notes = []
    for split in ("validation", "test"):
        rows, origin = counts.get(split, SMALL_SPLIT), origins.get(split, "")
        if rows >= SMALL_SPLIT or not (own_rows or "of train's items" in origin):
            continue
        needed = SMALL_SPLIT / sum(counts.values())
        fraction = min(0.3, math.ceil(100 * needed) / 100)
        can_cut = "of train's items" in origin and not origin.startswith("fold")
        advice = [f"set data.{split}={fraction:g}"] if can_cut and fraction > getattr(settings, split) else []
        fix = " and ".join([*advice, "bring more rows"] if needed > 0.3 or not advice else advice)
        if split == "test":
            fix += ", or a test file of your own" if can_cut else ""
            fix += "" if settings.fold else ", or test on all rows in folds (zoo reproduce RECIPE --folds 5)"
        notes.append(
            f"{split} has {rows} row{'s' * (rows != 1)}, too few to tell models apart: {fix}; {interval_of_half(rows)}"
        )
    return notes


def interval_of_half(rows: int) -> str:
    """What a number of rows can tell at most: the 95% interval (Wilson's) of a score of 50%, in words."""
    half_width = 50 * NORMAL_QUANTILE / math.sqrt(rows + NORMAL_QUANTILE**2)
    return f"a score of 50% on {rows} row{'s' * (rows != 1)} means {50 - half_width:.0f} to {50 + half_width:.0f}%"


def _requested(raw: Mapping[str, int], recipe: Recipe) -> dict[str, int]:
    """Rows requested of a microworld that is the only source; a held-out split may have fewer problems."""
    sizes = recipe.data.sizes.model_dump() if recipe.data.sources == ("world",) else {}
    return {split: sizes[split] for split in raw if split in sizes}


def _sources(tables: Mapping[str, pa.Table]) -> list[dict[str, Any]]:
    """The sources in the order of their names, each with its licence and its rows by split."""
    entries: dict[tuple[str, str], dict[str, Any]] = {}
    for split, table in tables.items():
        counts = table.group_by(["source", "licence"]).aggregate([([], "count_all")])
        for line in counts.to_pylist():
            key = (line["source"], line["licence"])
            entry = entries.setdefault(key, {"source": key[0] or "not stated", "licence": key[1], "rows": {}})
            entry["rows"][split] = line["count_all"]
    return [entries[key] for key in sorted(entries)]


def _lengths(table: pa.Table) -> dict[str, dict[str, float]]:
    """Characters of instruction, input and output: mean, median, 95th percentile, longest."""
    lengths = {}
    for name in ("instruction", "input", "output"):
        sizes = pc.utf8_length(table.column(name)).to_numpy()
        median, p95 = np.percentile(sizes, [50, 95])
        lengths[name] = {
            "mean": round(float(sizes.mean()), 1),
            "median": float(median),
            "p95": float(p95),
            "longest": int(sizes.max()),
        }
    return lengths


def _examples(table: pa.Table) -> list[dict[str, str]]:
    """Rows evenly spread over the table, only their texts, truncated at MAX_CHARACTERS characters."""
    names = [field.name for field in table.schema if pa.types.is_string(field.type)]
    indices = np.linspace(0, table.num_rows - 1, min(EXAMPLES, table.num_rows)).astype(int)
    rows = table.select(names).take(pa.array(indices)).to_pylist()
    return [{name: _truncate(text or "") for name, text in row.items()} for row in rows]


def _truncate(text: str) -> str:
    return text if len(text) <= MAX_CHARACTERS else text[: MAX_CHARACTERS - 3] + "..."


def readme(card: Mapping[str, Any]) -> str:
    """Write a card as README.md.

    Args:
        card: What `describe` returns.

    Returns:
        Markdown, with a header that lets `datasets.load_dataset(folder)` open the splits anywhere.
    """
    licences = sorted({_hub_licence(name) for name in card["licences"]})
    header = {
        "license": licences[0] if len(licences) == 1 else licences,
        "pretty_name": f"instructzoo {card['domain']}",
        "configs": [
            {
                "config_name": "default",
                "data_files": [{"split": split, "path": f"{split}.parquet"} for split in card["counts"]],
            }
        ],
    }
    header_yaml = yaml.safe_dump(header, sort_keys=False, allow_unicode=True)
    sections = [
        _splits_section(card),
        _sources_section(card),
        _dropped_section(card),
        _contamination_section(card),
        _examples_section(card),
    ]
    title = f"# {card['domain']}: instruction data\n\nFingerprint `{card['fingerprint']}`, seed {card['seed']}."
    return f"---\n{header_yaml}---\n\n" + "\n\n".join([title, *sections]) + "\n"


def _hub_licence(name: str) -> str:
    return name.lower() if name.lower() in _HUB_LICENCES else "other"


def _splits_section(card: Mapping[str, Any]) -> str:
    lines = []
    for split, row_count in card["counts"].items():
        sizes = card["lengths"][split]
        lengths = " / ".join(f"{sizes[name]['median']:g} ({sizes[name]['longest']})" for name in sizes)
        lines.append([split, f"{row_count:,}", f"{card['items'][split]:,}", card["splits"][split], lengths])
    head = [
        "split",
        "rows",
        "items",
        "how it was split",
        "characters of instruction / input / output: median (longest)",
    ]
    return "## Splits\n\n" + _table(head, lines)


def _sources_section(card: Mapping[str, Any]) -> str:
    lines = [
        [
            entry["source"],
            entry["licence"] or "not stated",
            ", ".join(f"{split} {n:,}" for split, n in entry["rows"].items()),
        ]
        for entry in card["sources"]
    ]
    return "## Sources\n\n" + _table(["source", "licence", "rows"], lines)


def _dropped_section(card: Mapping[str, Any]) -> str:
    notes = "".join(f"\n- {note}" for note in card["notes"])
    counts = ", ".join(f"{split} {n:,}{_of_requested(card, split)}" for split, n in card["raw"].items())
    text = f"## Dropped\n\nThe source gave {counts} rows."
    text += f"\n{notes}\n" if notes else ""
    if not card["dropped"]:
        return text + ("\n" if notes else " ") + "None was dropped."
    lines = [[entry["part"], entry["reason"], f"{entry['rows']:,}"] for entry in card["dropped"]]
    return f"{text}\n\n" + _table(["split", "reason", "rows"], lines)


def _of_requested(card: Mapping[str, Any], split: str) -> str:
    """How many rows were requested, if the source gave fewer."""
    requested = card.get("asked", {}).get(split, 0)
    return f" (of {requested:,} asked for)" if card["raw"][split] < requested else ""


def _contamination_section(card: Mapping[str, Any]) -> str:
    contamination = card["contamination"]
    rule = (
        f"Compared: ids, items and texts, and {contamination['ngram']}-grams of words, of which"
        f" {contamination['overlap']:.0%} of an evaluation row's own in one row count as contamination. Rows that"
        " contain any were dropped."
    )
    if not contamination["checks"]:
        return "## Contamination\n\nNot checked: no training rows were built with this split."
    lines = []
    for check in contamination["checks"]:
        exact, ngram = check["found_exact"], check["found_ngram"]
        found = f"{exact + ngram:,} of {check['rows']:,} ({exact:,} exactly, {ngram:,} by n-grams)"
        dropped = check["dropped_exact"] + check["dropped_ngram"]
        lines.append([check["checked"], check["against"], found, f"{dropped:,}"])
    head = ["split", "against", "evaluation rows found in it", "rows that contain one, dropped"]
    return f"## Contamination\n\n{rule}\n\n" + _table(head, lines)


def _examples_section(card: Mapping[str, Any]) -> str:
    split = next(iter(card["examples"]))
    lines = [[row[name] for name in ("instruction", "input", "output")] for row in card["examples"][split]]
    return f"## Examples ({split})\n\n" + _table(["instruction", "input", "output"], lines)


def _table(head: list[str], lines: list[list[str]]) -> str:
    def line(cells: list[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", "<br>") for cell in cells) + " |"

    return "\n".join([line(head), "|" + " --- |" * len(head), *map(line, lines)])
