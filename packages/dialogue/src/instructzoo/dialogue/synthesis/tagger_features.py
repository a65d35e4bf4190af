"""What the tagger sees of an utterance, and how its slots are written as tags.

    play     some  jazz     please
    O        O     B-genre  O            a value of several tokens: B-genre I-genre

A token is a run of letters and digits, or one other character. Its features are the word, its pieces of three to five
characters and its shape, each as the number of a bucket that a hash gives; there is no vocabulary.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence

from instructzoo.dialogue.schema import Slot, Turn

OUTSIDE = "O"
MOST_PIECES = 24
"""Pieces of a token at most, so that a text without spaces has no more features than others."""

_TOKEN = re.compile(r"\w+|[^\w\s]")


def token_spans(text: str) -> list[tuple[int, int]]:
    """Start and end (exclusive) of each token, in characters of the text."""
    return [match.span() for match in _TOKEN.finditer(text)]


def token_features(token: str, buckets: int) -> list[int]:
    """The buckets of a token's features.

    Args:
        token: The token.
        buckets: The number of buckets.

    Returns:
        Numbers from 0 to buckets - 1: first that of the word itself, then its shape and its pieces.
    """
    word = token.lower()
    shape = re.sub(r"\d", "9", re.sub(r"[^\W\d_]", lambda match: "X" if match[0].isupper() else "x", token))
    shape = re.sub(r"(.)\1+", r"\1\1", shape)[:8]
    framed = f"<{word}>"
    pieces = [framed[start : start + size] for size in (3, 4, 5) for start in range(len(framed) - size + 1)]
    names = [f"w {word}", f"s {shape}", *(f"p {piece}" for piece in pieces[:MOST_PIECES])]
    return [zlib.crc32(name.encode()) % buckets for name in names]


def tags_of(utterance: Turn, spans: Sequence[tuple[int, int]]) -> list[str]:
    """The tag of each token: B-slot for the first token of a value, I-slot for those after it, else OUTSIDE.

    A value that begins or ends inside a token takes the whole token.
    """
    tags = [OUTSIDE] * len(spans)
    for slot in utterance.slots or ():
        inside = [i for i, (start, end) in enumerate(spans) if start < slot.end and end > slot.start]
        for number, index in enumerate(inside):
            tags[index] = f"{'I' if number else 'B'}-{slot.name}"
    return tags


def slots_of(text: str, spans: Sequence[tuple[int, int]], tags: Sequence[str]) -> tuple[Slot, ...]:
    """The slots of a text whose tokens have these tags; an I-slot that continues no value begins one."""
    values: list[tuple[str, int, int]] = []
    before = OUTSIDE
    for (start, end), tag in zip(spans, tags, strict=True):
        if tag.startswith("I-") and before[2:] == tag[2:] and before != OUTSIDE:
            values[-1] = (tag[2:], values[-1][1], end)
        elif tag != OUTSIDE:
            values.append((tag[2:], start, end))
        before = tag
    return tuple(Slot(name, text[start:end], start, end) for name, start, end in values)
