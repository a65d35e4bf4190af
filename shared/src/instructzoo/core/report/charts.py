"""Inline SVG charts for the report: small, without external resources, each with a title and a description in words."""

from __future__ import annotations

import html
import io
import math
import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

BLUE, ORANGE, GREY, INK = "#1f5fa8", "#b85c00", "#8a93a3", "#1d2433"
MAX_POINTS = 300
"""Points of one curve at most; longer curves are drawn as means over equal segments."""

STYLE: dict[str, Any] = {
    "svg.fonttype": "none",  # text stays text: it can be read aloud, searched and scaled
    "font.size": 9,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": "#e3e7ee",
    "grid.linewidth": 0.7,
    "xtick.color": "#4a5568",
    "ytick.color": "#4a5568",
    "legend.frameon": False,
}


class Curve(NamedTuple):
    """A named line through the points x [n], y [n]; marked: whether every point is drawn."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    marked: bool = False


class Dot(NamedTuple):
    """One row of a dot chart: a value with its interval, and published values by system; fractions in 0..1."""

    label: str
    value: float
    low: float
    high: float
    published: Sequence[tuple[str, float]] = ()


def curves(title: str, lines: Sequence[Curve], x: str, y: str, log: bool = False) -> str:
    """Draw lines over a common axis.

    Args:
        title: The title of the chart.
        lines: At most three lines.
        x: The label of the horizontal axis.
        y: The label of the vertical axis.
        log: Whether y is logarithmic; it is linear where a value is not above 0.

    Returns:
        The chart as SVG.
    """
    log = log and all(value > 0 for line in lines for value in line.y)

    def draw(axes: Any) -> None:
        for line, colour in zip(lines, (BLUE, ORANGE, GREY), strict=False):
            xs, ys = _downsample(line)
            axes.plot(
                xs, ys, color=colour, linewidth=1.6, label=line.name, marker="o" if line.marked else None, markersize=3
            )
        axes.set(xlabel=x, ylabel=y)
        axes.grid(True, axis="y")
        if log:
            axes.set_yscale("log")
        elif all(value >= 0 for line in lines for value in line.y):
            axes.set_ylim(bottom=0)
        if len(lines) > 1:
            axes.legend(loc="upper right")

    description = "; ".join(
        f"{c.name} from {c.y[0]:.4g} at {c.x[0]:,.0f} to {c.y[-1]:.4g} at {c.x[-1]:,.0f}" for c in lines
    )
    return _svg(title, f"{y} over {x}: {description}", draw, (4.8, 2.7))


def histogram(title: str, edges: Sequence[float], counts: Sequence[int], x: str) -> str:
    """Draw a histogram.

    Args:
        title: The title of the chart.
        edges: The edges of the bars in ascending order, [n + 1].
        counts: The number of rows in each bar, [n].
        x: The label of the horizontal axis.

    Returns:
        SVG, with a description for screen readers.
    """

    def draw(axes: Any) -> None:
        axes.bar(edges[:-1], counts, width=np.diff(edges), align="edge", color=BLUE, edgecolor="white", linewidth=0.6)
        axes.set(xlabel=x, ylabel="rows")
        axes.grid(True, axis="y")

    mode = int(np.argmax(counts))
    most = f"most between {edges[mode]:,.4g} and {edges[mode + 1]:,.4g}"
    description = f"{sum(counts):,} rows from {edges[0]:,.4g} to {edges[-1]:,.4g} {x}, {most}"
    return _svg(title, description, draw, (4.8, 2.4))


def dots(title: str, rows: Sequence[Dot], x: str) -> str:
    """Draw values with intervals, one row each, and published values as hollow marks, in percent.

    Args:
        title: The title of the chart.
        rows: The values as fractions in 0..1, from top to bottom. Published values of up to three systems are drawn.
        x: The label of the horizontal axis.

    Returns:
        SVG, with a description for screen readers.
    """
    systems = list(dict.fromkeys(name for row in rows for name, _ in row.published))

    def draw(axes: Any) -> None:
        positions = range(len(rows))
        values = np.array([row.value for row in rows])
        half_widths = np.array([[row.value - row.low, row.high - row.value] for row in rows]).clip(min=0).T
        axes.errorbar(
            100 * values,
            positions,
            xerr=100 * half_widths,
            fmt="o",
            color=BLUE,
            markersize=4.5,
            capsize=2.5,
            label="here, 95% interval",
        )
        for system, colour, marker in zip(systems, (ORANGE, GREY, INK), ("D", "s", "^"), strict=False):
            points = [
                (100 * value, position)
                for position, row in enumerate(rows)
                for name, value in row.published
                if name == system
            ]
            axes.plot(
                *zip(*points, strict=True),
                marker,
                color=colour,
                markerfacecolor="none",
                markersize=6,
                label=f"{system}, published",
            )
        axes.set_yticks(list(positions), [row.label for row in rows])
        axes.set_ylim(len(rows) - 0.4, -0.6)
        lowest = min([v for row in rows for v in (row.low, *(value for _, value in row.published))], default=0)
        axes.set_xlim(max(0, 10 * math.floor(10 * lowest)) - 2, 102)
        axes.set_xlabel(x)
        axes.grid(True, axis="x")
        axes.tick_params(axis="y", length=0)
        handles, labels = axes.get_legend_handles_labels()
        handles, labels = handles[-1:] + handles[:-1], labels[-1:] + labels[:-1]  # our own values first
        axes.legend(handles, labels, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=1 + len(systems))

    description = "; ".join(f"{row.label} {100 * row.value:.1f}" for row in rows)
    return _svg(
        title, f"{x}: {description}. The table below holds the same values.", draw, (9.6, 0.9 + 0.27 * len(rows))
    )


def _downsample(line: Curve) -> tuple[np.ndarray, np.ndarray]:
    """At most MAX_POINTS points: means over equal segments of neighbouring points."""
    x, y = np.asarray(line.x, dtype=float), np.asarray(line.y, dtype=float)
    if len(x) <= MAX_POINTS:
        return x, y
    bounds = np.linspace(0, len(x), MAX_POINTS + 1).astype(int)
    sizes = np.diff(bounds)
    return np.add.reduceat(x, bounds[:-1]) / sizes, np.add.reduceat(y, bounds[:-1]) / sizes


def _svg(title: str, description: str, draw: Callable[[Any], None], inches: tuple[float, float]) -> str:
    """The drawing as an <svg> element with <title> and <desc>; the same input gives the same bytes."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with rc_context(STYLE | {"svg.hashsalt": title}):
        figure = Figure(figsize=inches, layout="constrained")
        FigureCanvasSVG(figure)
        draw(figure.add_subplot())
        out = io.StringIO()
        figure.savefig(
            out, format="svg", transparent=True, metadata={"Date": None, "Creator": None, "Format": None, "Type": None}
        )
    return _inline_svg(out.getvalue(), title, description)


def _inline_svg(text: str, title: str, description: str) -> str:
    """The SVG without prologue, metadata and global style; prefixed ids differ from those of the other charts."""
    prefix = re.sub(r"\W+", "-", title.casefold()).strip("-")
    body = text[text.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", body, flags=re.DOTALL)
    body = re.sub(r'\bid="', f'id="{prefix}-', body)
    body = re.sub(r'(url\(|href=")#', rf"\1#{prefix}-", body)
    head, _, rest = body.partition(">")
    size = re.search(r'viewBox="([^"]+)"', head)
    view_box = size[1] if size else "0 0 100 100"
    width = math.ceil(float(view_box.split()[2]) * 4 / 3)
    title_elements = f"<title>{html.escape(title)}</title><desc>{html.escape(description)}</desc>"
    label = html.escape(f"{title}. {description}", quote=True)
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="{view_box}"'
    return f'{opening} style="max-width:{width}px" role="img" aria-label="{label}">{title_elements}{rest}'
