"""Pictures of the trade-off between making an edit and keeping the rest: sweep.py measures it, this draws it.

On the left one figure over the other, a line for each text guidance s_T, along it the image guidance s_I, and the
identity as a diamond; further up and right is better. On the right both figures over s_I with their 95% intervals.
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
SPOTS = ((6, 3), (6, -10), (-19, 3), (-19, -10), (-6, 8), (-6, -15))
"""Where a label may stand beside its point, in points of 1/72 inch, best first."""
LABEL = (18, 10)
"""Room of a label, likewise: width and height."""

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
    """Edits of n rows at s_I and s_T, neither of which the identity has. metric_values: by name."""

    image_guidance: float | None
    guidance: float | None
    n: int
    metric_values: dict[str, MetricValue]

    def as_dict(self) -> dict[str, Any]:
        """The point as points.json holds it, its values under "figures"."""
        values = asdict(self)
        values["figures"] = values.pop("metric_values")
        return values


class Plane(NamedTuple):
    """What is drawn. x, y: names of figures; scale: what their values are multiplied by."""

    x: str
    y: str
    x_label: str
    y_label: str
    scale: float = 1.0

    def spot(self, point: Point) -> tuple[float, float]:
        return self.scale * point.metric_values[self.x].value, self.scale * point.metric_values[self.y].value


def draw(plane: Plane, points: Sequence[Point], identity: Point, path: Path) -> None:
    """Draw points, each of which has both figures, into a file of the format that its ending names."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    if not points:
        raise ZooError("no points", "at least one", "measure at one pair of guidances or more")
    with rc_context(_STYLE):
        drawing = Figure(figsize=INCHES, layout="constrained")
        FigureCanvasAgg(drawing)
        axes: Any = drawing.subplot_mosaic([["plane", "x"], ["plane", "y"]], width_ratios=[1.55, 1])
        axes["x"].sharex(axes["y"])
        lines = _lines(points)
        for (s_t, line), colour in zip(lines.items(), cycle(COLOURS), strict=False):
            spots = np.array([plane.spot(point) for point in line])  # [n, 2]
            axes["plane"].plot(
                *spots.T, color=colour, linewidth=1.6, marker="o", markersize=4, label=f"$s_T$ = {s_t:g}"
            )
            for name in ("x", "y"):
                _over_s_i(axes[name], line, getattr(plane, name), plane.scale, colour)
        _frame(axes["plane"], plane, points, identity)
        axes["x"].set(ylabel=_short(plane.x_label))
        axes["x"].tick_params(labelbottom=False)
        axes["y"].set(ylabel=_short(plane.y_label), xlabel="image guidance $s_I$")
        axes["x"].set_title("over image guidance, with 95% intervals")
        n = points[0].metric_values[plane.x].n
        axes["plane"].set_title(f"labels: image guidance $s_I$; the same {n:,} rows and noise throughout")
        drawing.legend(loc="outside upper center", ncols=min(6, len(lines) + 1))
        drawing.draw_without_rendering()  # places are known from here on
        _label(axes["plane"], plane, lines)
        drawing.savefig(path, dpi=DPI, metadata={"Software": None} if path.suffix == ".png" else None)


def _lines(points: Iterable[Point]) -> dict[float, list[Point]]:
    """Points by s_T, each line in the order of s_I."""
    found: dict[float, list[Point]] = {}
    for point in sorted(points, key=lambda one: (one.guidance or 0.0, one.image_guidance or 0.0)):
        found.setdefault(point.guidance or 0.0, []).append(point)
    return found


def _over_s_i(axes: Any, line: Sequence[Point], metric: str, scale: float, colour: str) -> None:
    s_i, ones = [point.image_guidance for point in line], [point.metric_values[metric] for point in line]
    axes.plot(s_i, [scale * one.value for one in ones], color=colour, linewidth=1.4, marker="o", markersize=3)
    low, high = [scale * one.low for one in ones], [scale * one.high for one in ones]
    if len(line) > 1:
        axes.fill_between(s_i, low, high, color=colour, alpha=0.13, linewidth=0)
    else:
        axes.vlines(s_i, low, high, color=colour, alpha=0.4)


def _frame(axes: Any, plane: Plane, points: Sequence[Point], identity: Point) -> None:
    """Axes around the points; the identity where it is, or at the edge that it lies beyond, with its values."""
    limits = np.array(
        [_limits([point.metric_values[name] for point in points]) for name in (plane.x, plane.y)]
    )  # [2, 2]
    limits *= plane.scale
    spot = plane.spot(identity)
    at = np.clip(spot, limits[:, 0], limits[:, 1])
    beyond = " (beyond the axes)" if not np.allclose(at, spot) else ""
    axes.set(xlim=limits[0], ylim=limits[1], xlabel=plane.x_label, ylabel=plane.y_label)
    axes.plot(
        *at, "D", color=charts.GREY, markerfacecolor="white", markersize=7, clip_on=False, zorder=5, linestyle="none",
        label=f"identity: the picture unchanged{beyond}",
    )  # fmt: skip
    digits = 1 if plane.scale > 1 else 2
    left, low = at < limits.mean(1)
    axes.annotate(
        f"({spot[0]:.{digits}f}, {spot[1]:.{digits}f})", at, xytext=(9 if left else -9, 5 if low else -13),
        textcoords="offset points", ha="left" if left else "right", color="#4a5568", fontsize=8,
    )  # fmt: skip


def _limits(ones: Sequence[MetricValue]) -> tuple[float, float]:
    """Ends of an axis: the values with some room, and no less than an interval's width, lest chance look large."""
    values = [one.value for one in ones]
    low, high = min(values), max(values)
    width = max(1.3 * (high - low), float(np.mean([one.high - one.low for one in ones])), 1e-3)
    return (low + high - width) / 2, (low + high + width) / 2


def _label(axes: Any, plane: Plane, lines: dict[float, list[Point]]) -> None:
    """Write s_I beside points, where there is room for it."""
    from matplotlib.patheffects import withStroke

    spots = [[plane.spot(point) for point in line] for line in lines.values()]
    dots = [axes.transData.transform(line) * 72 / axes.figure.dpi for line in spots]
    for line, own, offsets, colour in zip(lines.values(), spots, places(dots), cycle(COLOURS), strict=False):
        for point, spot, offset in zip(line, own, offsets, strict=True):
            if offset is not None:
                axes.annotate(
                    f"{point.image_guidance:g}", spot, xytext=offset, textcoords="offset points", color=colour,
                    fontsize=8, path_effects=[withStroke(linewidth=2, foreground="white")],
                )  # fmt: skip


def places(lines: Sequence[Floats]) -> list[list[tuple[int, int] | None]]:
    """Where labels stand beside the points of lines, [n, 2] each, as offsets of their lower left corners.

    All in points of 1/72 inch. No label covers a point or another label; None where no place is free. The ends of a
    line come first.
    """
    dots = [dot for line in lines for dot in line]
    taken: list[Floats] = []
    found: list[list[tuple[int, int] | None]] = []
    for line in lines:
        offsets: list[tuple[int, int] | None] = [None] * len(line)
        for place in dict.fromkeys((0, len(line) - 1, *range(len(line)))):
            free = (offset for offset in SPOTS if _is_free(line[place] + offset, dots, taken))
            if (offset := next(free, None)) is not None:
                offsets[place] = offset
                taken.append(line[place] + offset)
        found.append(offsets)
    return found


def _is_free(corner: Floats, dots: Sequence[Floats], taken: Sequence[Floats]) -> bool:
    room = np.array(LABEL)
    covered = any(bool(((dot > corner - 2) & (dot < corner + room + 2)).all()) for dot in dots)
    return not covered and not any(bool((abs(other - corner) < room).all()) for other in taken)


def _short(label: str) -> str:
    return label.partition(" (")[0]
