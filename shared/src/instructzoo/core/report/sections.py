"""The sections of a run's report, each from one file of the run directory, which may be missing or damaged."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from instructzoo.core import runs
from instructzoo.core.errors import ZooError
from instructzoo.core.report import charts
from instructzoo.core.report.data_card import cut
from instructzoo.core.score import tables
from instructzoo.core.score.results import Results
from instructzoo.core.score.tables import Table

SAMPLES = 8
"""Wrong answers, and right answers, that are shown at most."""

COLUMN_TITLES = {
    "instruction": "question",
    "image": "before",
    "output": "expected",
    "edited": "expected",
    "prediction": "answered",
}
"""Headings of the sample tables, by the key of predictions.jsonl."""

IMAGE_PREFIX, MAX_IMAGE_CHARACTERS = "data:image/", 300_000
"""How an image in a row begins, and the size of its data URI up to which a report shows it."""

MAX_GROUPS = 40
"""Groups that are shown at once; the others can be unfolded."""


@dataclass(frozen=True)
class Block:
    """A sentence with the charts and tables that it introduces; without any, the sentence says what is missing."""

    intro: str
    charts: list[tuple[str, str]] = field(default_factory=list)
    tables: list[tuple[str, str, Table]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read(path: Path, absent: str) -> tuple[Any, str]:
    """(content, "") of a JSON file, or (None, the reason in words).

    Args:
        path: The file.
        absent: The reason to give where there is no such file.
    """
    if not path.is_file():
        return None, absent
    try:
        return runs.read_json(path), ""
    except (ZooError, UnicodeDecodeError) as error:
        return None, f"{path.name} cannot be read: {error}."


def lines(path: Path) -> tuple[list[dict[str, Any]], int]:
    """The objects of a JSONL file, and the number of unreadable lines (a killed run may leave half a line)."""
    numbered = list(_parsed_lines(path))
    objects = [value for _, value in numbered if value is not None]
    return objects, len(numbered) - len(objects)


def unreadable_lines(path: Path) -> list[int]:
    """The numbers of the lines of a JSONL file that hold no object, counted from 1."""
    return [number for number, value in _parsed_lines(path) if value is None]


def _parsed_lines(path: Path) -> Iterator[tuple[int, dict[str, Any] | None]]:
    """Number and object of the lines that are not blank; None where a line holds no object."""
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        if line.strip():
            try:
                value = json.loads(line)
            except (ValueError, RecursionError):
                value = None
            yield number, value if isinstance(value, dict) else None


def results(results: Results) -> dict[str, Any]:
    """The sections "Results" and "By group"."""
    groups = tables.groups_table(results)
    published = {row[0] for row in tables.published_groups_table(results).rows}
    has_few_groups = len(groups.rows) <= MAX_GROUPS
    main_groups = _main_groups(groups, published)
    headline = results.model.headline_value()
    dots = []
    for group in [headline.group, *(row[0] for row in main_groups.rows)]:
        if value := results.model.get(headline.metric, group):
            group_results = [p for p in results.paper if (p.metric, p.group) == (headline.metric, group)]
            published_values = [(p.system, p.value) for p in group_results]
            dots.append(charts.Dot(f"{group} (n = {value.n:,})", value.value, value.low, value.high, published_values))
    has_chart = tables.is_fraction(headline.metric) and len(dots) > 1
    chart = charts.dots(f"{headline.metric} by group", dots, f"{headline.metric}, %") if has_chart else ""
    caption = f"{headline.metric} under the {results.scorer} scorer"
    if results.paper:
        caption += ", next to published values of the same group (other test items, other training data)"
    return {
        "intro": f"The {results.split} split, {results.n:,} rows; the data card says how the training data were checked"
        " against it. The first line is the scorer of the recipe, the lines below it are the same answers under other"
        " scorers.",
        "systems": tables.systems_table(results),
        "command": results.command,
        "reading": "In brackets: 95% intervals (Wilson for fractions of right answers, else percentile bootstrap over "
        "items). Gain over this system: points of the first metric on the same items, with the 95% interval and the "
        "two-sided p of a paired bootstrap.",
        "counts": _counts(results),
        "groups_heading": "By group, beside the paper" if results.paper else "By group",
        "groups": groups if has_few_groups else main_groups,
        "more": Table((), ()) if has_few_groups else groups,
        "details": results.model.tables,
        "unmeasured": tables.unmeasured_table(results),
        "chart": chart,
        "chart_caption": f"{caption}.",
        "notes": results.model.notes,
        "sources": ", ".join(dict.fromkeys(p.source for p in results.paper)),
    }


def _main_groups(groups: Table, published: set[str]) -> Table:
    """At most MAX_GROUPS groups: those of one word, which are the broad ones, and those that the paper reports."""
    rows = [row for row in groups.rows if " " not in row[0] or row[0] in published]
    return Table(groups.head, tuple(rows[:MAX_GROUPS]))


def _counts(results: Results) -> Table:
    """What each system's scorer counted, such as answers that cannot be parsed."""
    variants = {f"model, {scorer}": scores for scorer, scores in results.variants.items()}
    systems = {"model": results.model, **variants, **results.systems}
    names = list(dict.fromkeys(name for scores in systems.values() for name in scores.counts))
    rows = []
    for name, scores in systems.items():
        label = tables.SYSTEM_LABELS.get(name.partition(",")[0], name)
        rows.append((f"{label}, {scores.scorer}", *(f"{scores.counts.get(key, 0):,}" for key in names)))
    return Table(("counts", *names), tuple(rows)) if names else Table((), ())


def training(path: Path) -> Block:
    """The section "Training", from metrics.jsonl: curves of losses, learning rate, gradient norm and speed."""
    if not path.is_file():
        manifest, _ = read(path.with_name("manifest.json"), "")
        if isinstance(manifest, dict) and manifest.get("state") == "finished":
            return Block("metrics.jsonl is missing: the curves of this finished run cannot be shown.")
        return Block("This run has no metrics.jsonl: nothing was trained here yet.")
    logged, unreadable = lines(path)
    notes = []
    if unreadable:
        notes.append(f"Left out, because they could not be read: {unreadable} lines of metrics.jsonl.")

    def curve(name: str, key: str, marked: bool = False) -> charts.Curve | None:
        points = [(x["step"], x[key]) for x in logged if _is_number(x.get("step")) and _is_number(x.get(key))]
        return charts.Curve(name, [x for x, _ in points], [y for _, y in points], marked) if points else None

    train_loss, val_loss = curve("training", "loss"), curve("validation", "validation_loss", marked=True)
    losses = [line for line in (train_loss, val_loss) if line]
    if not losses:
        return Block("metrics.jsonl holds no step yet.", notes=notes)
    title = "Loss per supervised token"
    drawn = [(title, charts.curves(title, losses, "step", "loss (log scale)", log=True))]
    for title, key in (
        ("Learning rate", "lr"),
        ("Gradient norm", "grad_norm"),
        ("Tokens per second", "tokens_per_second"),
    ):
        if line := curve(title, key):
            drawn.append((title, charts.curves(title, [line], "step", title.casefold())))
    return Block(_training_summary(logged, train_loss, val_loss), drawn, notes=notes)


def _training_summary(
    logged: Sequence[Mapping[str, Any]], train_loss: charts.Curve | None, val_loss: charts.Curve | None
) -> str:
    """Steps, examples, tokens, time and losses in one sentence."""
    last: Mapping[str, Any] = next((x for x in reversed(logged) if "loss" in x), {})
    text = f"{int(last.get('step', 0)):,} steps"
    if _is_number(last.get("examples")) and _is_number(last.get("tokens")):
        text += f" over {last['examples']:,} examples and {last['tokens']:,} tokens"
    if _is_number(last.get("seconds")):
        text += f" in {duration(last['seconds'])}"
    if train_loss:
        text += f"; training loss {train_loss.y[0]:.3g} at first, {train_loss.y[-1]:.3g} at last"
    if val_loss:
        best = min(range(len(val_loss.y)), key=val_loss.y.__getitem__)
        text += f"; best validation loss {val_loss.y[best]:.3g}, at step {val_loss.x[best]:,}"
    return text + "."


def lengths(path: Path) -> Block:
    """The section "Lengths", from lengths.json: histograms of tokens and of supervised tokens per row."""
    content, reason = read(path, "This run has no lengths.json: its rows were not encoded yet.")
    if not isinstance(content, dict):
        return Block(reason or "lengths.json holds no object.")
    drawn = []
    for key, title in (("total", "Tokens per row"), ("supervised", "Supervised tokens per row")):
        histogram = content.get(key)
        if not isinstance(histogram, dict) or not histogram.get("counts"):
            continue
        if len(histogram.get("edges", ())) == len(histogram["counts"]) + 1:
            axis = title.removesuffix(" per row").casefold()
            drawn.append((title, charts.histogram(title, histogram["edges"], histogram["counts"], axis)))
    if not drawn:
        return Block("lengths.json holds no histogram.")
    fractions = [
        (content.get("supervised_share"), "of the tokens are supervised"),
        (content.get("padding_share"), "of all batch positions are padding"),
    ]
    clauses = [f"{fraction:.1%} {text}" for fraction, text in fractions if _is_number(fraction)]
    intro = "Training rows, prompt and target together" + (": " + ", ".join(clauses) if clauses else "")
    return Block(f"{intro}.", drawn)


def _cell(value: Any) -> str:
    """A text, cut to a maximum length, or an image as its data URI, unless it is too large."""
    if isinstance(value, str) and value.startswith(IMAGE_PREFIX):
        return value if len(value) <= MAX_IMAGE_CHARACTERS else f"an image of {len(value) * 3 // 4000} KB"
    return cut(value)


def samples(path: Path) -> Block:
    """The section of right and wrong answers: samples of predictions.jsonl, drawn with a fixed seed."""
    if not path.is_file():
        return Block("This run has no predictions.jsonl: it was not evaluated yet (zoo eval).")
    predictions, unreadable = lines(path)
    has_images = any("edited" in prediction for prediction in predictions)
    keys = ("instruction", "image", "edited", "prediction") if has_images else ("instruction", "output", "prediction")
    drawn = []
    for name, mark, hit in (("Wrong", "bad", False), ("Right", "good", True)):
        pool = [prediction for prediction in predictions if bool(prediction.get("correct")) is hit]
        indices = sorted(random.Random(0).sample(range(len(pool)), min(SAMPLES, len(pool))))
        rows = tuple(tuple(_cell(pool[index].get(key)) for key in keys) for index in indices)
        title = f"{name}: {len(rows)} of {len(pool):,}, drawn at random"
        if rows:
            drawn.append((title, mark, Table(tuple(COLUMN_TITLES[key] for key in keys), rows)))
    right = sum(bool(prediction.get("correct")) for prediction in predictions)
    intro = f"{right:,} of {len(predictions):,} answers are right under the scorer of the recipe."
    if not predictions:
        intro = "predictions.jsonl holds no answer."
    return Block(
        intro + (f" {unreadable} lines of predictions.jsonl could not be read." if unreadable else ""), tables=drawn
    )


def duration(seconds: float) -> str:
    """A time in s, min or h."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _is_number(value: Any) -> bool:
    """Whether a value is a finite number."""
    return (
        isinstance(value, int | float) and not isinstance(value, bool) and value == value and abs(value) != float("inf")
    )
