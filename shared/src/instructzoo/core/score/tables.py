"""scores.json as tables: systems side by side, and groups beside the paper. One source for report, README and terminal.

| system         | scorer | exact match, %    | n     |
| this model     | strict | 98.7 [97.8, 99.2] | 1,000 |
| copy the input | strict | 0.0 [0.0, 0.4]    | 1,000 |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from instructzoo.core.domain import PublishedResult
from instructzoo.core.errors import ZooError
from instructzoo.core.score.types import MetricValue, Scores

LABELS = {
    "model": "this model",
    "unconstrained": "this model, unconstrained",
    "untuned": "same backbone, untuned",
    "copy": "copy the input",
    "constant": "most frequent training output",
    "nearest": "nearest training row",
}
NONE = "–"


@dataclass(frozen=True)
class Table:
    """Plain text cells; every row has one cell per column."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""

    def markdown(self) -> str:
        lines = [self.head, ("---",) + ("---:",) * (len(self.head) - 1), *self.rows]
        return "\n".join("| " + " | ".join(_escaped(cell) for cell in line) + " |" for line in lines)


@dataclass(frozen=True)
class Results:
    """The checked content of scores.json. variants: the model under the other scorers of its domain, by their names;
    left_out: baselines that could not be scored, and why; runs: how many the figures are means of."""

    domain: str
    recipe: str
    part: str
    scorer: str
    n: int
    systems: Mapping[str, Scores]
    variants: Mapping[str, Scores]
    paired: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    paper: tuple[PublishedResult, ...] = ()
    command: str = ""
    backbone: str = ""
    left_out: Mapping[str, str] = field(default_factory=dict)
    runs: int = 1

    @property
    def model(self) -> Scores:
        return self.systems["model"]

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], where: str = "scores.json") -> Results:
        """Check a parsed scores.json. Raises ZooError for a missing or malformed part."""
        try:
            systems = {name: Scores.from_dict(one) for name, one in values["systems"].items()}
            if not systems["model"].metric_values:
                raise ZooError("the model has no figures", "at least one", "zoo eval writes them", where)
            others = {key: one for key, one in values.items() if isinstance(one, dict) and "figures" in one}
            return cls(
                domain=str(values["domain"]),
                recipe=str(values["recipe"]),
                part=str(values.get("part", "test")),
                scorer=str(values["scorer"]),
                n=int(values["n"]),
                systems=systems,
                variants={str(one["scorer"]): Scores.from_dict(one) for one in others.values()},
                paired=dict(values.get("paired") or {}),
                paper=tuple(PublishedResult(**one) for one in values.get("paper") or ()),
                command=str(values.get("command", "")),
                backbone=str(values.get("backbone", "")),
                left_out=dict(values.get("left_out") or {}),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            reason = f"{type(error).__name__}: {error}"
            raise ZooError(f"malformed scores ({reason})", "the content that zoo eval writes", where=where) from error

    def notes(self) -> list[str]:
        """What a reader of the tables must know besides."""
        return [f"The baseline {name} was left out: {why}." for name, why in self.left_out.items()]

    def best_baseline(self) -> tuple[str, MetricValue] | None:
        """The system beside the model with the highest headline figure. The model without its grammar is none."""
        lead, own = self.model.headline_value(), ("model", "unconstrained")
        found = {name: one.get(lead.metric, lead.group) for name, one in self.systems.items() if name not in own}
        known = [(name, one) for name, one in found.items() if one]
        return max(known, key=lambda pair: pair[1].value) if known else None


def number(metric: str, value: float) -> str:
    """A value for readers: shares in percent with one decimal, anything else with up to two decimals.

    A figure is a share in 0..1 unless its metric names a unit in brackets, such as "time (s)". What is not quite 0 or
    100 percent never reads 0.0 or 100.0.
    """
    if not is_share(metric):
        return f"{value:,.2f}".rstrip("0").rstrip(".")
    percent = 100 * value
    for decimals in (1, 2, 3):
        text = f"{percent:.{decimals}f}"
        if float(text) not in (0, 100) or value in (0, 1):
            return text
    return text


def is_share(metric: str) -> bool:
    return not metric.endswith(")")


def unit(metric: str) -> str:
    """The metric as a column's head, with its unit."""
    return f"{metric}, %" if is_share(metric) else metric


def cell(figure: MetricValue | None) -> str:
    """`98.7 [97.8, 99.2]`, or a dash."""
    if figure is None:
        return NONE
    low, high = number(figure.metric, figure.low), number(figure.metric, figure.high)
    return f"{number(figure.metric, figure.value)} [{low}, {high}]"


def systems(results: Results, paper: bool = True) -> Table:
    """The model under every scorer, then the baselines, then what the paper publishes for the same groups."""
    group = results.model.headline_value().group
    metrics = list(dict.fromkeys(f.metric for f in results.model.metric_values if f.group == group))
    lead = results.model.headline_value().metric
    metrics.sort(key=lambda metric: metric != lead)
    rows = []
    for name, scores in {"model": results.model, **_variants(results), **results.systems}.items():
        figures = [scores.get(metric, group) for metric in metrics]
        n = max((f.n for f in figures if f), default=0)
        label = LABELS.get(name.partition(",")[0], name)
        gap = _gap(results.paired.get(name), lead)
        rows.append((label, scores.scorer, *map(cell, figures), gap, f"{n:,}"))
    for system in dict.fromkeys(f.system for f in results.paper) if paper else ():
        published = {f.metric: f.value for f in results.paper if (f.system, f.group) == (system, group)}
        if published:
            values = [number(m, published[m]) if m in published else NONE for m in metrics]
            rows.append((f"{system} (published)", "paper's", *values, NONE, NONE))
    head = ("system", "scorer", *map(unit, metrics), "model ahead by", "n")
    return Table(head, tuple(rows))


def by_group(results: Results) -> Table:
    """Every group that was measured here, each metric beside the paper's figure of the same group."""
    return _groups(results, [g for g in dict.fromkeys(f.group for f in results.model.metric_values) if g != "all"])


def beside_paper(results: Results) -> Table:
    """Only the groups that the paper has too, by the same metric."""
    measured = {(f.metric, f.group) for f in results.model.metric_values}
    known = dict.fromkeys(f.group for f in results.paper if (f.metric, f.group) in measured and f.group != "all")
    return _groups(results, list(known))


def unmeasured(results: Results) -> Table:
    """Published figures that nothing here was measured beside: a row for each group, a column for each system."""
    measured = {(f.metric, f.group) for f in results.model.metric_values}
    figures = {(f.group, f.system, f.metric): f for f in results.paper if (f.metric, f.group) not in measured}
    columns = list(dict.fromkeys((system, metric) for _, system, metric in figures))
    rows = []
    for group in dict.fromkeys(group for group, _, _ in figures):
        held = [figures.get((group, *column)) for column in columns]
        rows.append((group, *(number(f.metric, f.value) if f else NONE for f in held)))
    return Table(("group", *(f"{system}, {unit(metric)}" for system, metric in columns)), tuple(rows))


def _groups(results: Results, groups: list[str]) -> Table:
    model, wanted = results.model, set(groups)
    metrics = list(dict.fromkeys(f.metric for f in model.metric_values if f.group in wanted))
    published = {(f.system, f.metric, f.group): f.value for f in results.paper}
    columns = list(dict.fromkeys((f.system, f.metric) for f in results.paper if f.group in wanted))
    columns = [(s, m) for m in metrics for s, own in columns if own == m]
    head: list[str] = ["group", "n"]
    for metric in metrics:
        head += [unit(metric), *(f"{s}, {metric}" for s, own in columns if own == metric)]
    rows = []
    for group in groups:
        figures = {metric: model.get(metric, group) for metric in metrics}
        n = max((f.n for f in figures.values() if f), default=0)
        row = [group, f"{n:,}" if n else NONE]
        for metric in metrics:
            row.append(cell(figures[metric]))
            for system, own in columns:
                if own == metric:
                    value = published.get((system, metric, group))
                    row.append(NONE if value is None else number(metric, value))
        rows.append(tuple(row))
    return Table(tuple(head), tuple(rows))


def _variants(results: Results) -> dict[str, Scores]:
    """The model under the other scorers; keys that no system bears."""
    return {f"model, {scorer}": scores for scorer, scores in results.variants.items()}


def _gap(paired: Mapping[str, float] | None, metric: str) -> str:
    if not paired:
        return NONE
    gap = [number(metric, float(paired[key])) for key in ("difference", "low", "high")]
    p = float(paired["p"])
    return f"{gap[0]} [{gap[1]}, {gap[2]}], p " + (f"= {p:.3f}" if p >= 0.001 else "< 0.001")


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", "<br>")
