"""Plots the trade-off between making an edit and keeping the rest, as guidance_sweep measures it.

On the left one metric over the other, with a line for each text guidance s_T, image guidance s_I along it, and the
identity as a diamond; further up and right is better. On the right both metrics over s_I with 95% intervals.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import cycle
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from instructzoo.core.errors import ZooError
from instructzoo.core.report import charts
from instructzoo.core.score import MetricValue

COLOURS = (charts.BLUE, charts.ORANGE, "#2e7d5b", "#7a4fa3", charts.INK)
INCHES, DPI = (9.2, 4.6), 160
LABEL_OFFSETS = ((6, 3), (6, -10), (-19, 3), (-19, -10), (-6, 8), (-6, -15))
"""Offsets of a label from its point, in points of 1/72 inch, best first."""
LABEL_SIZE = (18, 10)
"""Width and height of a label, in points of 1/72 inch."""

_STYLE = charts.STYLE | {
    "axes.titlecolor": "#4a5568",
    "axes.titlesize": 8.5,
    "axes.titlelocation": "left",
    "axes.titlepad": 9,
    "axes.grid": True,
}

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Point:
    """Metrics of n edited rows at s_I and s_T, which the identity does not have. metric_values: by name."""

    image_guidance: float | None
    guidance: float | None
    n: int
    metric_values: dict[str, MetricValue]

    def as_dict(self) -> dict[str, Any]:
        """The point as points.json stores it, its values under "figures"."""
        values = asdict(self)
        values["figures"] = values.pop("metric_values")
        return values


class Plane(NamedTuple):
    """The two metrics of a plot. x, y: their names; scale: the factor of their values."""

    x: str
    y: str
    x_label: str
    y_label: str
    scale: float = 1.0

    def coordinates(self, point: Point) -> tuple[float, float]:
        """The point's position in the plot."""
        return self.scale * point.metric_values[self.x].value, self.scale * point.metric_values[self.y].value


def draw_plot(plane: Plane, points: Sequence[Point], identity: Point, path: Path) -> None:
    """Plot points and write the file.

    Args:
        plane: The two metrics; every point has both.
        points: At least one.
        identity: The baseline.
        path: Its suffix sets the format.

    Raises:
        ZooError: There are no points.
    """
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    if not points:
        raise ZooError("no points", "at least one", "measure at one pair of guidances or more")
    with rc_context(_STYLE):
        figure = Figure(figsize=INCHES, layout="constrained")
        FigureCanvasAgg(figure)
        axes: Any = figure.subplot_mosaic([["plane", "x"], ["plane", "y"]], width_ratios=[1.55, 1])
        axes["x"].sharex(axes["y"])
        lines = _group_by_guidance(points)
        for (s_t, line), colour in zip(lines.items(), cycle(COLOURS), strict=False):
            coordinates = np.array([plane.coordinates(point) for point in line])  # [n, 2]
            axes["plane"].plot(
                *coordinates.T, color=colour, linewidth=1.6, marker="o", markersize=4, label=f"$s_T$ = {s_t:g}"
            )
            for name in ("x", "y"):
                _draw_over_image_guidance(axes[name], line, getattr(plane, name), plane.scale, colour)
        _draw_axes(axes["plane"], plane, points, identity)
        axes["x"].set(ylabel=_short_label(plane.x_label))
        axes["x"].tick_params(labelbottom=False)
        axes["y"].set(ylabel=_short_label(plane.y_label), xlabel="image guidance $s_I$")
        axes["x"].set_title("over image guidance, with 95% intervals")
        n = points[0].metric_values[plane.x].n
        axes["plane"].set_title(f"labels: image guidance $s_I$; the same {n:,} rows and noise throughout")
        figure.legend(loc="outside upper center", ncols=min(6, len(lines) + 1))
        figure.draw_without_rendering()  # positions are known from here on
        _draw_labels(axes["plane"], plane, lines)
        figure.savefig(path, dpi=DPI, metadata={"Software": None} if path.suffix == ".png" else None)


def _group_by_guidance(points: Iterable[Point]) -> dict[float, list[Point]]:
    """Points by s_T, each line in the order of s_I."""
    lines: dict[float, list[Point]] = {}
    for point in sorted(points, key=lambda point: (point.guidance or 0.0, point.image_guidance or 0.0)):
        lines.setdefault(point.guidance or 0.0, []).append(point)
    return lines


def _draw_over_image_guidance(axes: Any, line: Sequence[Point], metric: str, scale: float, colour: str) -> None:
    """One metric over s_I with its intervals."""
    s_i, values = [point.image_guidance for point in line], [point.metric_values[metric] for point in line]
    axes.plot(s_i, [scale * value.value for value in values], color=colour, linewidth=1.4, marker="o", markersize=3)
    low, high = [scale * value.low for value in values], [scale * value.high for value in values]
    if len(line) > 1:
        axes.fill_between(s_i, low, high, color=colour, alpha=0.13, linewidth=0)
    else:
        axes.vlines(s_i, low, high, color=colour, alpha=0.4)


def _draw_axes(axes: Any, plane: Plane, points: Sequence[Point], identity: Point) -> None:
    """Axes around the points; the identity at its place, or at the edge that it lies beyond, with its values."""
    limits = np.array(
        [_axis_limits([point.metric_values[name] for point in points]) for name in (plane.x, plane.y)]
    )  # [2, 2]
    limits *= plane.scale
    identity_xy = plane.coordinates(identity)
    marker_xy = np.clip(identity_xy, limits[:, 0], limits[:, 1])
    note = " (beyond the axes)" if not np.allclose(marker_xy, identity_xy) else ""
    axes.set(xlim=limits[0], ylim=limits[1], xlabel=plane.x_label, ylabel=plane.y_label)
    axes.plot(
        *marker_xy, "D", color=charts.GREY, markerfacecolor="white", markersize=7, clip_on=False, zorder=5,
        linestyle="none", label=f"identity: the picture unchanged{note}",
    )  # fmt: skip
    digits = 1 if plane.scale > 1 else 2
    is_left, is_low = marker_xy < limits.mean(1)
    axes.annotate(
        f"({identity_xy[0]:.{digits}f}, {identity_xy[1]:.{digits}f})", marker_xy,
        xytext=(9 if is_left else -9, 5 if is_low else -13), textcoords="offset points",
        ha="left" if is_left else "right", color="#4a5568", fontsize=8,
    )  # fmt: skip


def _axis_limits(metric_values: Sequence[MetricValue]) -> tuple[float, float]:
    """Ends of an axis: the values with a margin; at least an interval's width, so that chance does not look large."""
    centres = [value.value for value in metric_values]
    low, high = min(centres), max(centres)
    width = max(1.3 * (high - low), float(np.mean([value.high - value.low for value in metric_values])), 1e-3)
    return (low + high - width) / 2, (low + high + width) / 2


def _draw_labels(axes: Any, plane: Plane, lines: dict[float, list[Point]]) -> None:
    """Write s_I beside points where there is space."""
    from matplotlib.patheffects import withStroke

    coordinates_by_line = [[plane.coordinates(point) for point in line] for line in lines.values()]
    pixels_by_line = [axes.transData.transform(line) * 72 / axes.figure.dpi for line in coordinates_by_line]
    for line, coordinates, offsets, colour in zip(
        lines.values(), coordinates_by_line, place_labels(pixels_by_line), cycle(COLOURS), strict=False
    ):
        for point, xy, offset in zip(line, coordinates, offsets, strict=True):
            if offset is not None:
                axes.annotate(
                    f"{point.image_guidance:g}", xy, xytext=offset, textcoords="offset points", color=colour,
                    fontsize=8, path_effects=[withStroke(linewidth=2, foreground="white")],
                )  # fmt: skip


def place_labels(lines: Sequence[Floats]) -> list[list[tuple[int, int] | None]]:
    """Where labels go beside points, without covering a point or another label.

    Args:
        lines: Points of each line, [n, 2], in points of 1/72 inch.

    Returns:
        The offset of each label's lower left corner, None where no place is free. The ends of a line are placed first.
    """
    points = [point for line in lines for point in line]
    label_corners: list[Floats] = []
    offsets_by_line: list[list[tuple[int, int] | None]] = []
    for line in lines:
        offsets: list[tuple[int, int] | None] = [None] * len(line)
        for index in dict.fromkeys((0, len(line) - 1, *range(len(line)))):
            free_offsets = (offset for offset in LABEL_OFFSETS if _is_free(line[index] + offset, points, label_corners))
            if (offset := next(free_offsets, None)) is not None:
                offsets[index] = offset
                label_corners.append(line[index] + offset)
        offsets_by_line.append(offsets)
    return offsets_by_line


def _is_free(corner: Floats, points: Sequence[Floats], label_corners: Sequence[Floats]) -> bool:
    size = np.array(LABEL_SIZE)
    covered = any(bool(((point > corner - 2) & (point < corner + size + 2)).all()) for point in points)
    return not covered and not any(bool((abs(label_corner - corner) < size).all()) for label_corner in label_corners)


def _short_label(label: str) -> str:
    return label.partition(" (")[0]
