"""scores.json as tables: the systems, and the model by group. Report, README and terminal show the same tables.

| system         | scorer | exact match, %    | n     |
| this model     | strict | 98.7 [97.8, 99.2] | 1,000 |
| copy the input | strict | 0.0 [0.0, 0.4]    | 1,000 |
"""

from __future__ import annotations

from collections.abc import Mapping

from instructzoo.core.score.results import Results
from instructzoo.core.score.types import MetricValue, Scores
from instructzoo.core.score.types import Table as Table

SYSTEM_LABELS = {
    "model": "this model",
    "unconstrained": "this model, unconstrained",
    "untuned": "same backbone, untuned",
    "copy": "copy the input",
    "constant": "most frequent training output",
    "nearest": "nearest training row",
}
MISSING = "–"

MOST_COLUMNS = 10
"""Columns of the widest table that is shown as one."""

COMMON_SHARE = 0.4
"""A column that at least this share of the rows has stands in every part of a table that is split."""

SMALLEST_GROUP = 5
"""Rows of the smallest group that a table shows of a file of rows."""


def format_number(metric: str, value: float) -> str:
    """A value for readers: fractions in percent with one decimal, anything else with up to two decimals.

    A value is a fraction in 0..1 unless its metric names a unit in brackets, such as "time (s)". What is not quite 0 or
    100 percent never reads 0.0 or 100.0.

    Args:
        metric: The name of the metric.
        value: The value, in the metric's unit.

    Returns:
        The number as text, without a unit or percent sign.
    """
    if not is_fraction(metric):
        return f"{value:,.2f}".rstrip("0").rstrip(".")
    percent = 100 * value
    for decimals in (1, 2, 3):
        text = f"{percent:.{decimals}f}"
        if float(text) not in (0, 100) or value in (0, 1):
            return text
    return text


def is_fraction(metric: str) -> bool:
    """Whether the values of a metric are fractions in 0..1, which are shown in percent."""
    return not metric.endswith(")")


def column_heading(metric: str) -> str:
    """The metric with its unit."""
    return f"{metric}, %" if is_fraction(metric) else metric


def format_cell(value: MetricValue | None) -> str:
    """`98.7 [97.8, 99.2]`, or a dash."""
    if value is None:
        return MISSING
    low, high = format_number(value.metric, value.low), format_number(value.metric, value.high)
    return f"{format_number(value.metric, value.value)} [{low}, {high}]"


def systems_table(results: Results, paper: bool = True) -> Table:
    """The systems, one a row.

    Args:
        results: The content of scores.json.
        paper: Whether published results of the headline's group are included.

    Returns:
        The model by every scorer, then the baselines, then published results.
    """
    headline = results.model.headline_value()
    group = headline.group
    metrics = list(dict.fromkeys(v.metric for v in results.model.metric_values if v.group == group))
    metrics.sort(key=lambda metric: metric != headline.metric)
    rows = []
    for name, scores in {"model": results.model, **_variant_systems(results), **results.systems}.items():
        metric_values = [scores.get(metric, group) for metric in metrics]
        n = max((v.n for v in metric_values if v), default=0)
        label = SYSTEM_LABELS.get(name.partition(",")[0], name)
        gain = _format_gain(results.paired.get(name), headline.metric)
        rows.append((label, scores.scorer, *map(format_cell, metric_values), gain, f"{n:,}"))
    for system in dict.fromkeys(p.system for p in results.paper) if paper else ():
        published = {p.metric: p.value for p in results.paper if (p.system, p.group) == (system, group)}
        if published:
            cells = [format_number(m, published[m]) if m in published else MISSING for m in metrics]
            rows.append((f"{system} (published)", "paper's", *cells, MISSING, MISSING))
    head = ("system", "scorer", *map(column_heading, metrics), "gain over this system", "n")
    return Table(head, tuple(rows))


def groups_table(results: Results) -> Table:
    """The model in every group that was measured, each metric followed by the published values of the same group.

    Of a file of rows, which is small, groups of fewer than SMALLEST_GROUP rows are left out.
    """
    return _groups(results, _measured_groups(results, SMALLEST_GROUP if results.rows_file else 0))


def narrow_tables(table: Table) -> list[Table]:
    """Split a wide table into tables of the columns that have values in the same rows.

    Args:
        table: A table whose first two columns say what a row is about.

    Returns:
        The table itself if it has at most MOST_COLUMNS columns. Otherwise the rows that have no more than the common
        columns, and a table for each set of columns that share rows; every row stands in one of the tables.
    """
    if len(table.head) <= MOST_COLUMNS:
        return [table]
    filled = [frozenset(i for i, cell in enumerate(row) if cell != MISSING) for row in table.rows]
    counts = [sum(i in row for row in filled) for i in range(len(table.head))]
    common = {i for i, count in enumerate(counts) if i < 2 or count >= COMMON_SHARE * len(filled)}
    parts: list[set[int]] = [set()]  # the columns of each table besides the common ones
    for row in filled:
        if own := set(row - common):
            touching = [part for part in parts if part & own]
            parts = [part for part in parts if not part & own] + [own.union(*touching)]
    parts = parts[:1] + sorted(parts[1:], key=min)
    tables = []
    for part in parts:
        of_part = [bool(has & part) if part else has <= common for has in filled]
        rows = [row for row, belongs in zip(table.rows, of_part, strict=True) if belongs]
        shown = [
            i for i in range(len(table.head)) if i in part or (i in common and any(row[i] != MISSING for row in rows))
        ]
        if rows:
            tables.append(
                Table(tuple(table.head[i] for i in shown), tuple(tuple(row[i] for i in shown) for row in rows))
            )
    return tables


def unpublished_groups_table(results: Results) -> Table:
    """As `groups_table`, but only the groups that nobody has published values of, if they have SMALLEST_GROUP rows."""
    published = {p.group for p in results.paper}
    return _groups(results, [g for g in _measured_groups(results, SMALLEST_GROUP) if g not in published])


def _measured_groups(results: Results, smallest: int) -> list[str]:
    """The groups of at least so many rows, in the order of the scorer, without that of all rows."""
    return list(dict.fromkeys(v.group for v in results.model.metric_values if v.group != "all" and v.n >= smallest))


def published_groups_table(results: Results) -> Table:
    """As `groups_table`, but only the groups that have published values of a measured metric."""
    measured = {(v.metric, v.group) for v in results.model.metric_values}
    groups = dict.fromkeys(p.group for p in results.paper if (p.metric, p.group) in measured and p.group != "all")
    return _groups(results, list(groups))


def unmeasured_table(results: Results) -> Table:
    """Published values that were not measured here: a row for each group, a column for each system and metric."""
    measured = {(v.metric, v.group) for v in results.model.metric_values}
    published = {(p.group, p.system, p.metric): p for p in results.paper if (p.metric, p.group) not in measured}
    columns = list(dict.fromkeys((system, metric) for _, system, metric in published))
    rows = []
    for group in dict.fromkeys(group for group, _, _ in published):
        values = [published.get((group, *column)) for column in columns]
        rows.append((group, *(format_number(v.metric, v.value) if v else MISSING for v in values)))
    return Table(("group", *(f"{system}, {column_heading(metric)}" for system, metric in columns)), tuple(rows))


def _groups(results: Results, groups: list[str]) -> Table:
    """The model in some groups: a column for each metric, followed by a column for each system that published it."""
    model = results.model
    metrics = list(dict.fromkeys(v.metric for v in model.metric_values if v.group in groups))
    published = {(p.system, p.metric, p.group): p.value for p in results.paper}
    published_columns = list(dict.fromkeys((p.system, p.metric) for p in results.paper if p.group in groups))
    systems_of = {metric: [s for s, m in published_columns if m == metric] for metric in metrics}
    head: list[str] = ["group", "n"]
    for metric in metrics:
        head += [column_heading(metric), *(f"{system}, {metric}" for system in systems_of[metric])]
    rows = []
    for group in groups:
        metric_values = {metric: model.get(metric, group) for metric in metrics}
        n = max((v.n for v in metric_values.values() if v), default=0)
        row = [group, f"{n:,}" if n else MISSING]
        for metric in metrics:
            row.append(format_cell(metric_values[metric]))
            for system in systems_of[metric]:
                value = published.get((system, metric, group))
                row.append(MISSING if value is None else format_number(metric, value))
        rows.append(tuple(row))
    return Table(tuple(head), tuple(rows))


def _variant_systems(results: Results) -> dict[str, Scores]:
    """The model by the other scorers, under keys that no system has."""
    return {f"model, {scorer}": scores for scorer, scores in results.variants.items()}


def _format_gain(paired: Mapping[str, float] | None, metric: str) -> str:
    """How much better the model is than a system, with interval and p; a dash without a comparison."""
    if not paired:
        return MISSING
    difference, low, high = (format_number(metric, float(paired[key])) for key in ("difference", "low", "high"))
    p = float(paired["p"])
    return f"{difference} [{low}, {high}], p " + (f"= {p:.3f}" if p >= 0.001 else "< 0.001")
