"""Texts -> words -> n-grams, as deduplication and the contamination check compare them.

Case, spacing and sentence punctuation are dropped. Numbers and signs are words: "12 + 34", "12 + 35" and "12 - 34"
are three different texts.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Hashable, Sequence

_WORD = re.compile(r"\d+(?:[.,:]\d+)*|[^\W\d]+|[^\w\s.,;:!?\"'()\[\]{}…–—“”‘’`]")


def words(text: str) -> list[str]:
    """Words, numbers and signs of a text, in Unicode's compatibility form (full-width digits are digits)."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return _WORD.findall(text.casefold())


def numbers(sequence: Sequence[str]) -> tuple[str, ...]:
    """The numbers among words, in their order."""
    return tuple(word for word in sequence if word[0].isdigit())


def ngrams(sequence: Sequence[str], n: int, block: Hashable = None) -> set[int]:
    """Hashes of the n-grams; of the whole sequence where it is shorter than n. Equal within one process only.

    Grams of different blocks never compare equal.
    """
    if len(sequence) <= n:
        return {hash((block, *sequence))} if sequence else set()
    return {hash((block, *gram)) for gram in zip(*(sequence[i:] for i in range(n)), strict=False)}
