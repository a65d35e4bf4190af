"""The data card: what the rows are, where they come from, what was dropped and why. A dict, and its README."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import yaml

from instructzoo.core.data.clean import Clean
from instructzoo.core.data.tables import codes
from instructzoo.core.recipe import Recipe

EXAMPLES = 3
LONGEST = 400
"""Rows shown of each part, and characters shown of each of their texts."""

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
"""Licence names that the hub's card header knows and the zoo meets; any other is written as "other"."""


def describe(
    state: Clean, raw: Mapping[str, int], recipe: Recipe, fingerprint: str, notes: Sequence[str] = ()
) -> dict[str, Any]:
    """The card of clean parts. raw: rows of each part as the source gave them; notes: what it said of them.

    Every value is plain JSON.
    """
    sources = _sources(state.tables)
    return {
        "domain": recipe.domain,
        "fingerprint": fingerprint,
        "seed": recipe.seed,
        "settings": recipe.data.model_dump(mode="json"),
        "sources": sources,
        "licences": sorted({source["licence"] or "not stated" for source in sources}),
        "counts": {part: rows.num_rows for part, rows in state.tables.items()},
        "items": {part: int(codes(rows.column("item")).max()) + 1 for part, rows in state.tables.items()},
        "raw": dict(raw),
        "asked": _asked(raw, recipe),
        "splits": state.splits,
        "dropped": state.dropped,
        "notes": list(notes),
        "contamination": {
            "ngram": recipe.data.ngram,
            "overlap": recipe.data.overlap,
            "checks": state.findings,
        },
        "lengths": {part: _lengths(rows) for part, rows in state.tables.items()},
        "examples": {part: _examples(rows) for part, rows in state.tables.items()},
    }


def _asked(raw: Mapping[str, int], recipe: Recipe) -> dict[str, int]:
    """Rows that were asked for, where all are the microworld's own; a held-out part may span fewer problems."""
    sizes = recipe.data.sizes.model_dump() if recipe.data.sources == ("world",) else {}
    return {part: sizes[part] for part in raw if part in sizes}


def _sources(tables: Mapping[str, pa.Table]) -> list[dict[str, Any]]:
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for part, rows in tables.items():
        counted = rows.group_by(["source", "licence"]).aggregate([([], "count_all")])
        for line in counted.to_pylist():
            key = (line["source"], line["licence"])
            entry = found.setdefault(key, {"source": key[0] or "not stated", "licence": key[1], "rows": {}})
            entry["rows"][part] = line["count_all"]
    return [found[key] for key in sorted(found)]


def _lengths(rows: pa.Table) -> dict[str, dict[str, float]]:
    """Characters of instruction, input and output: mean, median, 95th percentile, longest."""
    lengths = {}
    for name in ("instruction", "input", "output"):
        sizes = pc.utf8_length(rows.column(name)).to_numpy()
        middle, high = np.percentile(sizes, [50, 95])
        lengths[name] = {
            "mean": round(float(sizes.mean()), 1),
            "median": float(middle),
            "p95": float(high),
            "longest": int(sizes.max()),
        }
    return lengths


def _examples(rows: pa.Table) -> list[dict[str, str]]:
    """Rows evenly spread over the part, texts only and cut at LONGEST characters."""
    names = [field.name for field in rows.schema if pa.types.is_string(field.type)]
    places = np.linspace(0, rows.num_rows - 1, min(EXAMPLES, rows.num_rows)).astype(int)
    shown = rows.select(names).take(pa.array(places)).to_pylist()
    return [{name: _cut(text or "") for name, text in row.items()} for row in shown]


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."


def readme(card: Mapping[str, Any]) -> str:
    """The card as README.md; its header lets `datasets.load_dataset(folder)` open the parts anywhere."""
    names = sorted({_hub_licence(name) for name in card["licences"]})
    header = {
        "license": names[0] if len(names) == 1 else names,
        "pretty_name": f"instructzoo {card['domain']}",
        "configs": [
            {
                "config_name": "default",
                "data_files": [{"split": part, "path": f"{part}.parquet"} for part in card["counts"]],
            }
        ],
    }
    text = yaml.safe_dump(header, sort_keys=False, allow_unicode=True)
    sections = [_parts(card), _origin(card), _losses(card), _check(card), _shown(card)]
    opening = f"# {card['domain']}: instruction data\n\nFingerprint `{card['fingerprint']}`, seed {card['seed']}."
    return f"---\n{text}---\n\n" + "\n\n".join([opening, *sections]) + "\n"


def _hub_licence(name: str) -> str:
    return name.lower() if name.lower() in _HUB_LICENCES else "other"


def _parts(card: Mapping[str, Any]) -> str:
    lines = []
    for part, rows in card["counts"].items():
        sizes = card["lengths"][part]
        lengths = " / ".join(f"{sizes[name]['median']:g} ({sizes[name]['longest']})" for name in sizes)
        lines.append([part, f"{rows:,}", f"{card['items'][part]:,}", card["splits"][part], lengths])
    head = ["part", "rows", "items", "split", "characters of instruction / input / output: median (longest)"]
    return "## Parts\n\n" + _table(head, lines)


def _origin(card: Mapping[str, Any]) -> str:
    lines = [
        [entry["source"], entry["licence"] or "not stated", ", ".join(f"{p} {n:,}" for p, n in entry["rows"].items())]
        for entry in card["sources"]
    ]
    return "## Sources\n\n" + _table(["source", "licence", "rows"], lines)


def _losses(card: Mapping[str, Any]) -> str:
    said = "".join(f"\n- {note}" for note in card["notes"])
    came = ", ".join(f"{part} {rows:,}{_of(card, part)}" for part, rows in card["raw"].items())
    text = f"## Dropped\n\nThe source gave {came} rows."
    text += f"\n{said}\n" if said else ""
    if not card["dropped"]:
        return text + ("\n" if said else " ") + "None was dropped."
    lines = [[drop["part"], drop["reason"], f"{drop['rows']:,}"] for drop in card["dropped"]]
    return f"{text}\n\n" + _table(["part", "reason", "rows"], lines)


def _of(card: Mapping[str, Any], part: str) -> str:
    asked = card.get("asked", {}).get(part, 0)
    return f" (of {asked:,} asked for)" if card["raw"][part] < asked else ""


def _check(card: Mapping[str, Any]) -> str:
    held = card["contamination"]
    rule = (
        f"Compared: ids, items and texts, and {held['ngram']}-grams of words, of which {held['overlap']:.0%} of an"
        " evaluation row's own in one row count as contamination. Rows that held any were dropped."
    )
    if not held["checks"]:
        return "## Contamination\n\nNot checked: no training rows were built beside this part."
    lines = []
    for one in held["checks"]:
        found = one["found_exact"] + one["found_ngram"]
        verdict = f"{found:,} of {one['rows']:,} ({one['found_exact']:,} exactly, {one['found_ngram']:,} by n-grams)"
        lines.append([one["checked"], one["against"], verdict, f"{one['dropped_exact'] + one['dropped_ngram']:,}"])
    head = ["part", "against", "evaluation rows found in it", "rows that held one, dropped"]
    return f"## Contamination\n\n{rule}\n\n" + _table(head, lines)


def _shown(card: Mapping[str, Any]) -> str:
    part = next(iter(card["examples"]))
    lines = [[row[name] for name in ("instruction", "input", "output")] for row in card["examples"][part]]
    return f"## Examples ({part})\n\n" + _table(["instruction", "input", "output"], lines)


def _table(head: list[str], lines: list[list[str]]) -> str:
    def line(cells: list[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", "<br>") for cell in cells) + " |"

    return "\n".join([line(head), "|" + " --- |" * len(head), *map(line, lines)])
