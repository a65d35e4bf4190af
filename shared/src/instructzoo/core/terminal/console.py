"""Printing on standard output: literal lines, tables, and pairs of key and value."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

COLUMN_GAP = 2
"""Blanks between two columns of a table."""


def line(text: str) -> None:
    """Print a text literally."""
    sys.stdout.write(f"{text}\n")  # rich would replace ":x:" by an emoji
    sys.stdout.flush()


def table(*columns: str, title: str = "") -> Table:
    """An empty table; the first column is aligned to the left, the others to the right."""
    grid = Table(title=title or None, title_justify="left", header_style="bold", box=None, pad_edge=False)
    for index, column in enumerate(columns):
        grid.add_column(column, justify="left" if index == 0 else "right", overflow="fold")
    return grid


def filled_table(head: Sequence[str], rows: Iterable[Sequence[str]], title: str = "") -> Table:
    """A table of rows; columns of numbers are aligned to the right, all others to the left."""
    rows = list(rows)
    grid = Table(title=title or None, title_justify="left", header_style="bold", box=None, pad_edge=False)
    for index, column in enumerate(head):
        numeric = all(row[index][:1].isdigit() for row in rows)
        grid.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        grid.add_row(*row)
    return grid


def put_wide(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table whose cells are never broken: columns that do not fit stand in a further table below.

    The first column is repeated in every table. A row whose cells are all empty in a further table is left out of it.

    Args:
        head: The names of the columns; they may be broken between words.
        rows: The cells of every row.
    """
    width = Console().width
    widths = [
        max(max(map(cell_len, name.split()), default=0), *(cell_len(row[index]) for row in rows), 1)
        for index, name in enumerate(head)
    ]
    remaining = list(range(1, len(head)))
    while remaining:
        columns, used = [0], widths[0]
        while remaining and (len(columns) == 1 or used + COLUMN_GAP + widths[remaining[0]] <= width):
            used += COLUMN_GAP + widths[remaining[0]]
            columns.append(remaining.pop(0))
        grid = table()
        for column in columns:
            justify: Literal["left", "right"] = "right" if column else "left"
            grid.add_column(head[column], justify=justify, min_width=widths[column], vertical="bottom")
        for row in rows:
            if any(row[column] for column in columns[1:]):
                grid.add_row(*(row[column] for column in columns))
        put(grid)
        if remaining:
            line("")


def put(renderable: Any) -> None:
    """Print a table or a styled text; markup in its texts is not interpreted."""
    Console(highlight=False, markup=False, emoji=False).print(renderable)


def pairs(values: dict[str, Any]) -> None:
    """Print keys and values in two columns."""
    grid = Table(box=None, show_header=False, pad_edge=False)
    for key, value in values.items():
        grid.add_row(Text(key, style="bold"), Text(str(value)))
    put(grid)
