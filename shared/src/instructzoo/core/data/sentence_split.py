"""Splits texts into sentences, for models that were trained on single sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator

_SENTENCE_END = r"(?:(?<=[.!?])|(?<=[.!?][\"')\]”’]))"
_BOUNDARY = re.compile(rf"{_SENTENCE_END}[^\S\n]+(?=[^\sa-z])|(?<=[^\S\n][.!?])[^\S\n]+|(?<=[。！？])|\n\s*")
_BOUNDARY_UNCASED = re.compile(rf"{_SENTENCE_END}[^\S\n]+|(?<=[。！？])|\n\s*")
_ABBREVIATION = re.compile(
    r"(?:\b(?:[A-Za-z]|[MmDd]rs?|[Mm]s|[Pp]rof|Gen|Sen|Rep|Gov|[Ss]t|Inc|Corp|Ltd|Co|[Vv]s|[Nn]o|[JSjs]r|approx|etc)"
    r"|\.[A-Za-z])\.$"
)


def sentences(text: str) -> Iterator[tuple[int, str]]:
    """Split a text into sentences.

    A sentence ends at the end of a line, at a full stop before a capital letter (before any letter in a text without
    capitals), and at a full stop that stands alone. An abbreviation or an initial does not end one.

    Args:
        text: The text.

    Yields:
        The offset of each sentence in characters, and the sentence without the white space around it.
    """
    start, boundary = 0, _BOUNDARY if text != text.lower() else _BOUNDARY_UNCASED
    for end in boundary.finditer(text):
        if "\n" not in end[0] and _ABBREVIATION.search(text, max(start, end.start() - 8), end.start()):
            continue
        yield from _stripped(text, start, end.start())
        start = end.end()
    yield from _stripped(text, start, len(text))


def _stripped(text: str, start: int, end: int) -> Iterator[tuple[int, str]]:
    piece = text[start:end]
    if piece.strip():
        yield start + len(piece) - len(piece.lstrip()), piece.strip()
