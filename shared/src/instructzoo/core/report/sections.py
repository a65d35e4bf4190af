"""The parts of a run's report, each from one file of the run directory. What is missing is said in words."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from instructzoo.core import runs
from instructzoo.core.errors import ZooError
from instructzoo.core.report import charts
from instructzoo.core.report.data_card import cut
from instructzoo.core.score import tables
from instructzoo.core.score.tables import Results, Table

SAMPLES = 8
"""Right and wrong answers shown, of each."""

ASKED = {
    "instruction": "question",
    "image": "before",
    "output": "expected",
    "edited": "expected",
    "prediction": "answered",
}
"""Columns of the samples."""

PICTURE, HEAVY = "data:image/", 300_000
"""How a picture in a row begins, and the most characters of one that a report shows."""

GROUPS = 40
"""Groups shown at once; where there are more, the rest can be unfolded."""


@dataclass(frozen=True)
class Block:
    """A sentence, and what it introduces. Without charts and tables the sentence says what is missing."""

    intro: str
    charts: list[tuple[str, str]] = field(default_factory=list)
    tables: list[tuple[str, str, Table]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read(path: Path, absent: str) -> tuple[Any, str]:
    """(content, "") of a JSON file, or (None, the reason in words)."""
    if not path.is_file():
        return None, absent
    try:
        return runs.read_json(path), ""
    except (ZooError, UnicodeDecodeError) as error:
        return None, f"{path.name} cannot be read: {error}."


def lines(path: Path) -> tuple[list[dict[str, Any]], int]:
    """The objects of a JSON-lines file, and how many lines could not be read (a killed run may leave half a line)."""
    good, bad = [], 0
    for line in path.read_bytes().splitlines():
        try:
            value = json.loads(line)
        except ValueError:
            value = None
        if isinstance(value, dict):
            good.append(value)
        elif line.strip():
            bad += 1
    return good, bad


def results(found: Results) -> dict[str, Any]:
    """What the template's first two sections show."""
    groups, published = tables.by_group(found), {row[0] for row in tables.beside_paper(found).rows}
    few = len(groups.rows) <= GROUPS
    first = _first(groups, published)
    lead = found.model.headline_value()
    rows = []
    for group in [lead.group, *(row[0] for row in first.rows)]:
        if one := found.model.get(lead.metric, group):
            there = [(f.system, f.value) for f in found.paper if (f.metric, f.group) == (lead.metric, group)]
            rows.append(charts.Dot(f"{group} (n = {one.n:,})", one.value, one.low, one.high, there))
    share = tables.is_share(lead.metric)
    return {
        "intro": f"The {found.part} part, {found.n:,} rows; how the training data were checked against it stands in "
        "the data card. The first line is the scorer of the recipe, the lines below it the same answers under others.",
        "systems": tables.systems(found),
        "command": found.command,
        "reading": "In brackets: 95% intervals (Wilson for shares of right answers, else percentile bootstrap over "
        "items). Model ahead by: points of the first figure on the same items, with the 95% interval and the "
        "two-sided p of a paired bootstrap.",
        "counts": _counts(found),
        "groups": groups if few else first,
        "more": Table((), ()) if few else groups,
        "unmeasured": tables.unmeasured(found),
        "chart": charts.dots(f"{lead.metric} by group", rows, f"{lead.metric}, %") if share and len(rows) > 1 else "",
        "chart_caption": f"{lead.metric} under the {found.scorer} scorer, beside published figures of the same group "
        "(other test items, other training data).",
        "notes": found.model.notes,
        "sources": ", ".join(dict.fromkeys(f.source for f in found.paper)),
    }


def _first(groups: Table, published: set[str]) -> Table:
    """The groups that stand for many: broad ones and those of the paper, at most GROUPS."""
    chosen = [row for row in groups.rows if " " not in row[0] or row[0] in published]
    return Table(groups.head, tuple(chosen[:GROUPS]))


def _counts(found: Results) -> Table:
    scored = {"model": found.model, **{f"model, {k}": v for k, v in found.variants.items()}, **found.systems}
    names = list(dict.fromkeys(name for one in scored.values() for name in one.counts))
    rows = []
    for name, one in scored.items():
        label = tables.LABELS.get(name.partition(",")[0], name)
        rows.append((f"{label}, {one.scorer}", *(f"{one.counts.get(key, 0):,}" for key in names)))
    return Table(("counted", *names), tuple(rows)) if names else Table((), ())


def training(path: Path) -> Block:
    """Loss with validation loss, learning rate, gradient norm and speed, of metrics.jsonl."""
    if not path.is_file():
        return Block("This run has no metrics.jsonl: nothing was trained here yet.")
    logged, bad = lines(path)
    notes = [f"Left out, because they could not be read: {bad} lines of metrics.jsonl."] if bad else []

    def curve(name: str, key: str, marked: bool = False) -> charts.Curve | None:
        points = [(x["step"], x[key]) for x in logged if _number(x.get("step")) and _number(x.get(key))]
        return charts.Curve(name, [x for x, _ in points], [y for _, y in points], marked) if points else None

    loss, held_out = curve("training", "loss"), curve("validation", "validation_loss", marked=True)
    both = [line for line in (loss, held_out) if line]
    if not both:
        return Block("metrics.jsonl holds no step yet.", notes=notes)
    title = "Loss per supervised token"
    drawn = [(title, charts.curves(title, both, "step", "loss (log scale)", log=True))]
    for title, key in (
        ("Learning rate", "lr"),
        ("Gradient norm", "grad_norm"),
        ("Tokens per second", "tokens_per_second"),
    ):
        if line := curve(title, key):
            drawn.append((title, charts.curves(title, [line], "step", title.casefold())))
    return Block(_trained(logged, loss, held_out), drawn, notes=notes)


def _trained(logged: Sequence[Mapping[str, Any]], loss: charts.Curve | None, held_out: charts.Curve | None) -> str:
    last: Mapping[str, Any] = next((x for x in reversed(logged) if "loss" in x), {})
    text = f"{int(last.get('step', 0)):,} steps"
    if _number(last.get("examples")) and _number(last.get("tokens")):
        text += f" over {last['examples']:,} examples and {last['tokens']:,} tokens"
    if _number(last.get("seconds")):
        text += f" in {duration(last['seconds'])}"
    if loss:
        text += f"; training loss {loss.y[0]:.3g} at first, {loss.y[-1]:.3g} at last"
    if held_out:
        best = min(range(len(held_out.y)), key=held_out.y.__getitem__)
        text += f"; best validation loss {held_out.y[best]:.3g}, at step {held_out.x[best]:,}"
    return text + "."


def lengths(path: Path) -> Block:
    """Histograms of tokens per row and of supervised tokens per row."""
    found, reason = read(path, "This run has no lengths.json: its rows were not encoded yet.")
    if not isinstance(found, dict):
        return Block(reason or "lengths.json holds no object.")
    drawn = []
    for key, title in (("total", "Tokens per row"), ("supervised", "Supervised tokens per row")):
        held = found.get(key)
        if isinstance(held, dict) and held.get("counts") and len(held.get("edges", ())) == len(held["counts"]) + 1:
            axis = title.removesuffix(" per row").casefold()
            drawn.append((title, charts.histogram(title, held["edges"], held["counts"], axis)))
    if not drawn:
        return Block("lengths.json holds no histogram.")
    shares = [
        (found.get("supervised_share"), "of the tokens are supervised"),
        (found.get("padding_share"), "of the cells of all batches are padding"),
    ]
    said = [f"{share:.1%} {text}" for share, text in shares if _number(share)]
    return Block("Training rows, prompt and target together" + (": " + ", ".join(said) if said else "") + ".", drawn)


def _cell(value: Any) -> str:
    """Text cut short; a picture whole, unless it would make the page heavy."""
    if isinstance(value, str) and value.startswith(PICTURE):
        return value if len(value) <= HEAVY else f"a picture of {len(value) * 3 // 4000} KB"
    return cut(value)


def samples(path: Path) -> Block:
    """Right and wrong answers of predictions.jsonl, drawn by a fixed seed."""
    if not path.is_file():
        return Block("This run has no predictions.jsonl: it was not evaluated yet (zoo eval).")
    answered, bad = lines(path)
    pictures = any("edited" in line for line in answered)
    keys = ("instruction", "image", "edited", "prediction") if pictures else ("instruction", "output", "prediction")
    drawn = []
    for name, mark, hit in (("Wrong", "bad", False), ("Right", "good", True)):
        held = [x for x in answered if bool(x.get("correct")) is hit]
        chosen = sorted(random.Random(0).sample(range(len(held)), min(SAMPLES, len(held))))
        texts = tuple(tuple(_cell(held[i].get(key)) for key in keys) for i in chosen)
        title = f"{name}: {len(texts)} of {len(held):,}, drawn at random"
        if texts:
            drawn.append((title, mark, Table(tuple(ASKED[key] for key in keys), texts)))
    right = sum(bool(x.get("correct")) for x in answered)
    intro = f"{right:,} of {len(answered):,} answers are right under the scorer of the recipe."
    if not answered:
        intro = "predictions.jsonl holds no answer."
    return Block(intro + (f" {bad} lines of predictions.jsonl could not be read." if bad else ""), tables=drawn)


def duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _number(value: Any) -> bool:
    return (
        isinstance(value, int | float) and not isinstance(value, bool) and value == value and abs(value) != float("inf")
    )
