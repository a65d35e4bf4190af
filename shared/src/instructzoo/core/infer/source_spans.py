"""Where in a text a span may begin and end, in the bytes that it is written in."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

_UNSPACED = (
    (0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x3040, 0x30FF), (0x3400, 0x9FFF), (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)  # fmt: skip
"""Scripts that put no spaces between words (Thai, Lao, Burmese, Khmer, kana, ideographs): any character begins one."""

_JOINER = "\u200d"
"""Binds the signs on both sides into one."""

_TAIL = "\u200c\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"
"""Non-joiner and skin tones: they belong to the sign before them, as marks of category M do."""

_FLAGS = (0x1F1E6, 0x1F1FF)
"""Letters that flags are spelled with, two to a flag."""


class SpanBoundaries(NamedTuple):
    """Of a text as it is written: its bytes, and where in them words begin, end, or meet what no span may hold."""

    data: bytes
    starts: list[int]
    ends: frozenset[int]
    barred: frozenset[int]


@dataclass(frozen=True)
class SourceText:
    """A text that spans are taken from. written: how characters are written, None for those that no span may hold."""

    text: str
    written: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def data(self) -> bytes:
        return self._places.data

    @property
    def ends(self) -> frozenset[int]:
        return self._places.ends

    @cached_property
    def starts(self) -> tuple[int, ...]:
        """Where a span may begin and will find an end."""
        return tuple(place for place in self._places.starts if self.open[place])

    @cached_property
    def open(self) -> bytearray:
        """For each place whether its byte may be written: an end follows before a barred character."""
        data, _, ends, barred = self._places
        found = bytearray(len(data) + 1)
        for place in range(len(data) - 1, -1, -1):
            found[place] = place not in barred and (place + 1 in ends or bool(found[place + 1]))
        return found

    @cached_property
    def _places(self) -> SpanBoundaries:
        data, starts, ends, barred = bytearray(), [], set(), set()
        before = " "
        for character in self.text:
            apart = _apart(before, character)
            if apart and not before.isspace():
                ends.add(len(data))
            form = self.written.get(character, character)
            if form is None:
                barred.add(len(data))
                form = character
            elif apart and not character.isspace():
                starts.append(len(data))
            data += encoded(form)
            before = character
        if not before.isspace():
            ends.add(len(data))
        return SpanBoundaries(bytes(data), starts, frozenset(ends), frozenset(barred))


def encoded(text: str) -> bytes:
    """UTF-8; half of a surrogate pair, which JSON can hold and no model writes, is kept."""
    return text.encode(errors="surrogatepass")


def _apart(before: str, character: str) -> bool:
    """Whether a word may end before this character: not inside a word, and not inside what is drawn as one sign."""
    if _JOINER in (before, character) or character in _TAIL or unicodedata.category(character)[0] == "M":
        return False
    return not (_in_word(before) and _in_word(character))


def _in_word(character: str) -> bool:
    """Whether it is a letter, digit or mark of a script that puts spaces between words."""
    code = ord(character)
    if not (character.isalnum() or character == "_" or unicodedata.category(character)[0] == "M"):
        return _FLAGS[0] <= code <= _FLAGS[1]
    return code < _UNSPACED[0][0] or not any(low <= code <= high for low, high in _UNSPACED)
