"""Where a span of a text may start and end, as byte offsets into the form in which the text is written."""

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
"""Scripts without spaces between words (Thai, Lao, Burmese, Khmer, kana, ideographs): any character starts a word."""

_JOINER = "\u200d"
"""Zero-width joiner: it makes one grapheme of the characters on both sides."""

_GRAPHEME_EXTENDERS = "\u200c\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"
"""Non-joiner and skin tones: they belong to the character before them, as marks of category M do."""

_FLAG_LETTERS = (0x1F1E6, 0x1F1FF)
"""Regional indicators: the letters that spell flags, two to a flag."""


class SpanBoundaries(NamedTuple):
    """The bytes of a text as it is written, with the byte offsets where words start, end, or a span is forbidden."""

    data: bytes
    starts: list[int]
    ends: frozenset[int]
    forbidden: frozenset[int]


@dataclass(frozen=True)
class SourceText:
    """A text that spans are copied from. All offsets are in bytes of `data`.

    Args:
        text: The text.
        escapes: How a character is written that is not written as it stands; None for one that no span may contain.
    """

    text: str
    escapes: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def data(self) -> bytes:
        """The text in UTF-8, its characters escaped."""
        return self._boundaries.data

    @property
    def ends(self) -> frozenset[int]:
        """Offsets at which a span may end."""
        return self._boundaries.ends

    @cached_property
    def starts(self) -> tuple[int, ...]:
        """Offsets at which a span may start, and from which it reaches an end."""
        return tuple(start for start in self._boundaries.starts if self.reaches_end[start])

    @cached_property
    def reaches_end(self) -> bytearray:
        """For each offset, whether its byte may be written: an end follows before a forbidden character."""
        data, _, ends, forbidden = self._boundaries
        reaches_end = bytearray(len(data) + 1)
        for offset in range(len(data) - 1, -1, -1):
            reaches_end[offset] = offset not in forbidden and (offset + 1 in ends or bool(reaches_end[offset + 1]))
        return reaches_end

    @cached_property
    def _boundaries(self) -> SpanBoundaries:
        data, starts, ends, forbidden = bytearray(), [], set(), set()
        previous = " "
        for character in self.text:
            at_boundary = _is_boundary(previous, character)
            if at_boundary and not previous.isspace():
                ends.add(len(data))
            written = self.escapes.get(character, character)
            if written is None:
                forbidden.add(len(data))
                written = character
            elif at_boundary and not character.isspace():
                starts.append(len(data))
            data += utf8_bytes(written)
            previous = character
        if not previous.isspace():
            ends.add(len(data))
        return SpanBoundaries(bytes(data), starts, frozenset(ends), frozenset(forbidden))


def utf8_bytes(text: str) -> bytes:
    """The text in UTF-8. Half a surrogate pair, which JSON can contain and no model writes, is kept."""
    return text.encode(errors="surrogatepass")


def _is_boundary(previous: str, character: str) -> bool:
    """Whether a span may end before `character`: not inside a word and not inside a grapheme of several characters."""
    if (
        _JOINER in (previous, character)
        or character in _GRAPHEME_EXTENDERS
        or unicodedata.category(character)[0] == "M"
    ):
        return False
    return not (_in_word(previous) and _in_word(character))


def _in_word(character: str) -> bool:
    """Whether it is a letter, digit or mark of a script that puts spaces between words."""
    code = ord(character)
    if not (character.isalnum() or character == "_" or unicodedata.category(character)[0] == "M"):
        return _FLAG_LETTERS[0] <= code <= _FLAG_LETTERS[1]
    return code < _UNSPACED[0][0] or not any(low <= code <= high for low, high in _UNSPACED)
