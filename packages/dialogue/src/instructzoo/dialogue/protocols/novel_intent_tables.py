"""The tables of the novel-intent protocol, from the files that novel_intent.py writes.

`python -m instructzoo.dialogue.protocols.novel_intent_tables README.md` updates the tables of a page, each between the
markers `<!-- novel-intent:NAME/TABLE -->` and `<!-- /novel-intent -->`; NAME.json lies beside the page, and TABLE is
scores, gains or intents.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from instructzoo.core import runs
from instructzoo.core.errors import ZooError, suggest
from instructzoo.core.report.page_tables import main, update_tables
from instructzoo.core.score.seed_aggregation import mean_over_seeds
from instructzoo.core.score.tables import Table, column_heading, format_cell, format_number
from instructzoo.core.score.types import MetricValue
from instructzoo.dialogue.protocols.novel_intent_data import REAL, UPSAMPLED

PLACE = re.compile(r"(<!-- novel-intent:(?P<name>[\w-]+/\w+) -->\n).*?(<!-- /novel-intent -->)", re.DOTALL)

METRICS = {
    "novel_recall": "recall of the novel intent",
    "novel_slot_f1": "slot F1 of its utterances",
    "accuracy": "intent accuracy, all",
    "slot_f1": "slot F1, all",
}
"""The scores of a run, and what tables call them."""

StoredRun = Mapping[str, Any]


def scores_table(stored: Sequence[StoredRun]) -> Table:
    """The mean scores of each condition over all novel intents and seeds, with Student's t interval over these runs."""
    rows = []
    for condition, found in _by_condition(stored).items():
        generated = {run["generated"] for run in found}
        count = f"{min(generated)}" if len(generated) == 1 else f"{min(generated)} to {max(generated)}"
        means = (mean_over_seeds(name, [run[key] for run in found]) for key, name in METRICS.items())
        rows.append((condition, count, *map(format_cell, means), f"{len(found)}"))
    return Table(("learnt from", "generated", *map(column_heading, METRICS.values()), "runs"), tuple(rows))


def gains_table(stored: Sequence[StoredRun]) -> Table:
    """What each condition gains over up-sampling in points, run by run, with Student's t interval."""
    conditions = _by_condition(stored)
    before = {(run["intent"], run["seed"]): run for run in conditions.get(UPSAMPLED, ())}
    rows = []
    for condition, found in conditions.items():
        pairs = [(run, before[run["intent"], run["seed"]]) for run in found if (run["intent"], run["seed"]) in before]
        if condition in (REAL, UPSAMPLED) or len(pairs) < 2:
            continue
        gains = (_points(name, [100 * (new[key] - old[key]) for new, old in pairs]) for key, name in METRICS.items())
        rows.append((f"{condition} against {UPSAMPLED}", *map(format_cell, gains), f"{len(pairs)}"))
    return Table(("gain, points", *METRICS.values(), "runs"), tuple(rows))


def intents_table(stored: Sequence[StoredRun]) -> Table:
    """For each novel intent its mean recall and slot F1 over the seeds, by condition."""
    conditions = _by_condition(stored)
    metrics = {key: METRICS[key] for key in ("novel_recall", "novel_slot_f1")}
    rows = []
    for intent in dict.fromkeys(run["intent"] for run in stored):
        cells = []
        for key, name in metrics.items():
            for found in conditions.values():
                values = [run[key] for run in found if run["intent"] == intent]
                cells.append(format_number(name, sum(values) / len(values)) if values else "–")
        rows.append((intent, *cells))
    head = [f"{name}, %, {condition}" for name in ("recall", "slot F1") for condition in conditions]
    return Table(("novel intent", *head), tuple(rows))


TABLES = {"scores": scores_table, "gains": gains_table, "intents": intents_table}


def update_page(page: Path) -> bool:
    """Replace the tables of a page.

    Args:
        page: A Markdown file; the files of results lie beside it.

    Returns:
        Whether the page changed.

    Raises:
        ZooError: A marker names no table, or a file of results is missing.
    """
    return update_tables(page, PLACE, lambda name: table(page.parent, name))


def table(folder: Path, name: str) -> Table:
    """A table by the name of its marker, such as "snips/gains"."""
    file, _, kind = name.partition("/")
    if kind not in TABLES:
        raise ZooError(f'the table "{kind}"', suggest(kind, TABLES), where=name)
    stored: list[StoredRun] = runs.read_json(folder / f"{file}.json")["runs"]
    return TABLES[kind](stored)


def _by_condition(stored: Sequence[StoredRun]) -> dict[str, list[StoredRun]]:
    """The runs of each condition that has at least two."""
    by_condition: dict[str, list[StoredRun]] = {}
    for run in stored:
        by_condition.setdefault(run["condition"], []).append(run)
    return {condition: found for condition, found in by_condition.items() if len(found) > 1}


def _points(name: str, values: Sequence[float]) -> MetricValue:
    return mean_over_seeds(f"{name} (points)", values)


if __name__ == "__main__":
    main(update_page)
