"""Measured values: a number never travels without its n, its interval and its scorer variant."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class MetricValue:
    """One measured number over n items. low and high are the ends of its 95% interval, in the metric's unit."""

    metric: str
    value: float
    low: float
    high: float
    n: int
    group: str = "all"


@dataclass(frozen=True)
class Table:
    """A table of plain text; every row has one cell per column."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""

    def markdown(self) -> str:
        """The table in GitHub's Markdown, its first column aligned left and the others right."""
        lines = [self.head, ("---",) + ("---:",) * (len(self.head) - 1), *self.rows]
        return "\n".join("| " + " | ".join(_escaped(cell) for cell in line) + " |" for line in lines)


@dataclass(frozen=True, slots=True)
class Scores:
    """What a scorer says of one system.

    `headline` names the (metric, group) that tables lead with. `tables` go deeper than groups, such as F1 by label; a
    report shows those of the model, folded, under their captions.
    """

    scorer: str
    metric_values: tuple[MetricValue, ...]
    headline: tuple[str, str] = ("", "all")
    notes: tuple[str, ...] = ()
    counts: dict[str, int] = field(default_factory=dict)
    tables: tuple[Table, ...] = ()

    def get(self, metric: str, group: str = "all") -> MetricValue | None:
        """The value of a metric in a group.

        Args:
            metric: The name of the metric.
            group: The group of rows; "all" is every row.

        Returns:
            The value, or None where the scorer did not report it.
        """
        return next((f for f in self.metric_values if (f.metric, f.group) == (metric, group)), None)

    def headline_value(self) -> MetricValue:
        """The value that tables lead with; the first one where the headline names none."""
        return self.get(*self.headline) or self.metric_values[0]

    def as_dict(self) -> dict[str, Any]:
        """The content of scores.json, where the values stand under "figures"."""
        values = asdict(self)
        if not self.tables:
            del values["tables"]
        return {"scorer": values.pop("scorer"), "figures": values.pop("metric_values"), **values}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Scores:
        """The scores that `as_dict` wrote, such as the content of scores.json."""
        metric_values: Iterable[dict[str, Any]] = values["figures"]
        rest = {k: v for k, v in values.items() if k != "figures"}
        rest["headline"] = tuple(rest.get("headline", ("", "all")))
        rest["notes"] = tuple(rest.get("notes", ()))
        tables = (Table(tuple(t["head"]), tuple(map(tuple, t["rows"])), t["caption"]) for t in rest.pop("tables", ()))
        return cls(tables=tuple(tables), metric_values=tuple(MetricValue(**value) for value in metric_values), **rest)


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", "<br>")
