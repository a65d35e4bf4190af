"""A text in its sentences, for models that were trained on single ones."""

from __future__ import annotations

import re
from collections.abc import Iterator

_CLOSED = r"(?:(?<=[.!?])|(?<=[.!?][\"')\]”’]))"
_CASED = re.compile(rf"{_CLOSED}[^\S\n]+(?=[^\sa-z])|(?<=[^\S\n][.!?])[^\S\n]+|(?<=[。！？])|\n\s*")
_UNCASED = re.compile(rf"{_CLOSED}[^\S\n]+|(?<=[。！？])|\n\s*")
_SHORT = re.compile(
    r"(?:\b(?:[A-Za-z]|[MmDd]rs?|[Mm]s|[Pp]rof|Gen|Sen|Rep|Gov|[Ss]t|Inc|Corp|Ltd|Co|[Vv]s|[Nn]o|[JSjs]r|approx|etc)"
    r"|\.[A-Za-z])\.$"
)


def sentences(text: str) -> Iterator[tuple[int, str]]:
    """Sentences without the blanks around them, with the places where they begin.

    A line ends one, as does a full stop before a capital letter (before any letter in a text without capitals, and
    where it stands alone). An abbreviation or an initial ends none.
    """
    start, ends = 0, _CASED if text != text.lower() else _UNCASED
    for end in ends.finditer(text):
        if "\n" not in end[0] and _SHORT.search(text, max(start, end.start() - 8), end.start()):
            continue
        yield from _stripped(text, start, end.start())
        start = end.end()
    yield from _stripped(text, start, len(text))


def _stripped(text: str, start: int, end: int) -> Iterator[tuple[int, str]]:
    piece = text[start:end]
    if piece.strip():
        yield start + len(piece) - len(piece.lstrip()), piece.strip()
