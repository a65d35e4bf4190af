"""Inline SVG charts for the report: small, without outside resources, each with a name and a description in words."""

from __future__ import annotations

import html
import io
import math
import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

BLUE, ORANGE, GREY, INK = "#1f5fa8", "#b85c00", "#8a93a3", "#1d2433"
POINTS = 300
"""Most points of one curve; longer ones are drawn as means over equal stretches."""

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
    """A named line. x and y: [n]; marked: draw every point."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    marked: bool = False


class Dot(NamedTuple):
    """One row of a dot chart: a value with the ends of its interval, and published values by system; shares in 0..1."""

    label: str
    value: float
    low: float
    high: float
    published: Sequence[tuple[str, float]] = ()


def curves(title: str, lines: Sequence[Curve], x: str, y: str, log: bool = False) -> str:
    """Lines over a common axis; `log` draws y logarithmically where all values are above 0."""
    log = log and all(v > 0 for line in lines for v in line.y)

    def draw(axes: Any) -> None:
        for line, colour in zip(lines, (BLUE, ORANGE, GREY), strict=False):
            xs, ys = _thinned(line)
            axes.plot(
                xs, ys, color=colour, linewidth=1.6, label=line.name, marker="o" if line.marked else None, markersize=3
            )
        axes.set(xlabel=x, ylabel=y)
        axes.grid(True, axis="y")
        if log:
            axes.set_yscale("log")
        elif all(v >= 0 for line in lines for v in line.y):
            axes.set_ylim(bottom=0)
        if len(lines) > 1:
            axes.legend(loc="upper right")

    said = "; ".join(f"{c.name} from {c.y[0]:.4g} at {c.x[0]:,.0f} to {c.y[-1]:.4g} at {c.x[-1]:,.0f}" for c in lines)
    return _svg(title, f"{y} over {x}: {said}", draw, (4.8, 2.7))


def histogram(title: str, edges: Sequence[float], counts: Sequence[int], x: str) -> str:
    """Bars between edges [n + 1] of heights counts [n]."""

    def draw(axes: Any) -> None:
        axes.bar(edges[:-1], counts, width=np.diff(edges), align="edge", color=BLUE, edgecolor="white", linewidth=0.6)
        axes.set(xlabel=x, ylabel="rows")
        axes.grid(True, axis="y")

    top = int(np.argmax(counts))
    most = f"most between {edges[top]:,.4g} and {edges[top + 1]:,.4g}"
    said = f"{sum(counts):,} rows from {edges[0]:,.4g} to {edges[-1]:,.4g} {x}, {most}"
    return _svg(title, said, draw, (4.8, 2.4))


def dots(title: str, rows: Sequence[Dot], x: str) -> str:
    """Values with intervals, one row each from top to bottom, and published values as hollow marks. In percent."""
    names = list(dict.fromkeys(name for row in rows for name, _ in row.published))

    def draw(axes: Any) -> None:
        places = range(len(rows))
        value = np.array([row.value for row in rows])
        spread = np.array([[row.value - row.low, row.high - row.value] for row in rows]).clip(min=0).T
        axes.errorbar(
            100 * value,
            places,
            xerr=100 * spread,
            fmt="o",
            color=BLUE,
            markersize=4.5,
            capsize=2.5,
            label="here, 95% interval",
        )
        for name, colour, marker in zip(names, (ORANGE, GREY, INK), ("D", "s", "^"), strict=False):
            found = [(100 * v, place) for place, row in enumerate(rows) for own, v in row.published if own == name]
            axes.plot(
                *zip(*found, strict=True),
                marker,
                color=colour,
                markerfacecolor="none",
                markersize=6,
                label=f"{name}, published",
            )
        axes.set_yticks(list(places), [row.label for row in rows])
        axes.set_ylim(len(rows) - 0.4, -0.6)
        lowest = min([v for row in rows for v in (row.low, *(p for _, p in row.published))], default=0)
        axes.set_xlim(max(0, 10 * math.floor(10 * lowest)) - 2, 102)
        axes.set_xlabel(x)
        axes.grid(True, axis="x")
        axes.tick_params(axis="y", length=0)
        handles, labels = axes.get_legend_handles_labels()
        handles, labels = handles[-1:] + handles[:-1], labels[-1:] + labels[:-1]  # what was measured here comes first
        axes.legend(handles, labels, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=1 + len(names))

    said = "; ".join(f"{row.label} {100 * row.value:.1f}" for row in rows)
    return _svg(title, f"{x}: {said}. The table below holds the same figures.", draw, (9.6, 0.9 + 0.27 * len(rows)))


def _thinned(line: Curve) -> tuple[np.ndarray, np.ndarray]:
    """At most POINTS points: means over equal stretches of neighbouring points."""
    x, y = np.asarray(line.x, dtype=float), np.asarray(line.y, dtype=float)
    if len(x) <= POINTS:
        return x, y
    cuts = np.linspace(0, len(x), POINTS + 1).astype(int)
    sizes = np.diff(cuts)
    return np.add.reduceat(x, cuts[:-1]) / sizes, np.add.reduceat(y, cuts[:-1]) / sizes


def _svg(title: str, said: str, draw: Callable[[Any], None], inches: tuple[float, float]) -> str:
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
    return _inlined(out.getvalue(), title, said)


def _inlined(text: str, title: str, said: str) -> str:
    """Without prologue, metadata and page-wide style; ids made the chart's own, so that charts of a page do not mix."""
    key = re.sub(r"\W+", "-", title.casefold()).strip("-")
    body = text[text.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", body, flags=re.DOTALL)
    body = re.sub(r'\bid="', f'id="{key}-', body)
    body = re.sub(r'(url\(|href=")#', rf"\1#{key}-", body)
    head, _, rest = body.partition(">")
    size = re.search(r'viewBox="([^"]+)"', head)
    box = size[1] if size else "0 0 100 100"
    width = math.ceil(float(box.split()[2]) * 4 / 3)
    named = f"<title>{html.escape(title)}</title><desc>{html.escape(said)}</desc>"
    label = html.escape(f"{title}. {said}", quote=True)
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="{box}"'
    return f'{opening} style="max-width:{width}px" role="img" aria-label="{label}">{named}{rest}'
