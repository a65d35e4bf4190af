"""Printing on standard output: literal lines, tables, and pairs of key and value."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text


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


def put(renderable: Any) -> None:
    """Print a table or a styled text; markup in its texts is not interpreted."""
    Console(highlight=False, markup=False, emoji=False).print(renderable)


def pairs(values: dict[str, Any]) -> None:
    """Print keys and values in two columns."""
    grid = Table(box=None, show_header=False, pad_edge=False)
    for key, value in values.items():
        grid.add_row(Text(key, style="bold"), Text(str(value)))
    put(grid)
