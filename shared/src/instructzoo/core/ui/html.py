"""Pieces of HTML that demos share: heading, verdict, note, table. All texts are escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape


def head(title: str, text: str) -> str:
    """HTML of a demo's heading."""
    return f'<div class="zoo-head"><h1>{escape(title)}</h1><p>{escape(text)}</p></div>'


def badge(kind: str, text: str) -> str:
    """HTML of a verdict; kind: right, wrong or unknown."""
    return f'<span class="zoo-badge zoo-{kind}">{escape(text)}</span>'


def note(text: str) -> str:
    """HTML of one line of text, for input that cannot be answered."""
    return f'<div class="zoo-card">{escape(text)}</div>'


Cell = str | tuple[str, str]
"""A plain text, or a text and the classes of its cell: mono, zoo-right, zoo-wrong, zoo-unknown."""


def table(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """HTML of a full-width table; all texts are escaped. A header of empty texts is left out."""
    lines = ["<tr>" + "".join(f"<th>{escape(h)}</th>" for h in header) + "</tr>"] if any(header) else []
    for row in rows:
        pairs = [(cell, "") if isinstance(cell, str) else cell for cell in row]
        lines.append("<tr>" + "".join(f'<td class="{kind}">{escape(text)}</td>' for text, kind in pairs) + "</tr>")
    return f'<div class="zoo-scroll"><table class="zoo-table wide">{"".join(lines)}</table></div>'
