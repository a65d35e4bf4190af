"""A learning curve: the scores of one setup that was trained on more and more rows, all on the same test rows.

| training rows | items | F1, %             | n   |
| 30            | 30    | 11.9 [9.0, 15.1]  | 537 |
| 100           | 100   | 24.0 [20.2, 27.9] | 537 |
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from instructzoo.core.errors import ZooError
from instructzoo.core.score.results import Results
from instructzoo.core.score.seed_aggregation import mean_over_seeds
from instructzoo.core.score.tables import Table, column_heading, format_cell
from instructzoo.core.score.types import MetricValue

CHANCE = 1.5
"""Factor between the sizes of training splits up to which they count as draws of one size."""


@dataclass(frozen=True)
class Point:
    """The headline value after training on some rows.

    Attributes:
        rows: The number of training rows.
        items: The number of their items, such as sentences.
        value: The value; a mean where several seeds trained on as many rows.
        seeds: The number of seeds.
    """

    rows: int
    items: int
    value: MetricValue
    seeds: int


def is_curve(results: Sequence[Results]) -> bool:
    """Whether results are of training splits that differ in size by more than chance, as those of several seeds do."""
    sizes = [_size(result) for result in results if result.trained_on]
    return bool(sizes) and max(sizes) > CHANCE * min(sizes)


def _size(result: Results) -> int:
    """data.train_items of a run, or the items of its training split where that was not set."""
    return result.trained_on.get("limit") or result.trained_on.get("items", 0)


def points(results: Sequence[Results]) -> list[Point]:
    """The points of a curve, in the order of their training rows.

    Args:
        results: Results of one setup, on the same test rows.

    Returns:
        A point for each number of training rows.

    Raises:
        ZooError: A result does not say how many rows it was trained on, or is of another setup or of other test rows.
    """
    first = results[0]
    for result in results:
        for name in ("domain", "recipe", "split", "rows_file", "scorer", "n", "backbone"):
            if getattr(result, name) != getattr(first, name):
                found = f"{name} {getattr(result, name)} beside {getattr(first, name)}"
                raise ZooError(found, "runs that differ by their training rows alone")
        if "rows" not in result.trained_on:
            raise ZooError("scores that do not name their training rows", '"trained_on"', "score the run again")
    by_size: dict[int, list[Results]] = {}
    for result in sorted(results, key=lambda result: result.trained_on["items"]):
        by_size.setdefault(_size(result), []).append(result)
    return [_point(seeds) for seeds in by_size.values()]


def _point(seeds: Sequence[Results]) -> Point:
    """The point of runs of one size; with several seeds a mean, and the sizes of the first."""
    rows, items = seeds[0].trained_on["rows"], seeds[0].trained_on["items"]
    values = [result.model.headline_value() for result in seeds]
    first = values[0]
    if len(values) == 1:
        return Point(rows, items, first, 1)
    mean = mean_over_seeds(first.metric, [value.value for value in values], first.group, first.n)
    return Point(rows, items, mean, len(values))


def curve_table(curve: Sequence[Point]) -> Table:
    """A curve as a table: training rows, their items where these are fewer, the value with its interval, and n."""
    by_item = any(point.items != point.rows for point in curve)
    head = ("training rows", *(("items",) if by_item else ()), column_heading(curve[0].value.metric), "n")
    return Table(
        head,
        tuple(
            (
                f"{point.rows:,}",
                *((f"{point.items:,}",) if by_item else ()),
                format_cell(point.value),
                f"{point.value.n:,}",
            )
            for point in curve
        ),
    )


def sentence(curve: Sequence[Point]) -> str:
    """A curve in one line: `F1, %: 11.9 [9.0, 15.1] after 30 training rows, 24.0 [20.2, 27.9] after 100 (n 537)`."""
    first, *others = (f"{format_cell(point.value)} after {point.rows:,}" for point in curve)
    values = ", ".join([f"{first} training rows", *others])
    return f"{column_heading(curve[0].value.metric)}: {values} (n {curve[0].value.n:,})"
