"""Words and n-grams of texts, as deduplication and the contamination check compare them.

Case, spacing and sentence punctuation are ignored. Numbers and signs are words: "12 + 34", "12 + 35" and "12 - 34"
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


def numbers(tokens: Sequence[str]) -> tuple[str, ...]:
    """The numbers among the words of a text, in their order."""
    return tuple(token for token in tokens if token[0].isdigit())


def ngrams(tokens: Sequence[str], n: int, block: Hashable = None) -> set[int]:
    """Hashes of the n-grams of a text.

    Args:
        tokens: The words of the text.
        n: Words per n-gram; a text of fewer words is one n-gram.
        block: N-grams of different blocks never have an equal hash, except by chance.

    Returns:
        The hashes; they are the same only within one process.
    """
    if len(tokens) <= n:
        return {hash((block, *tokens))} if tokens else set()
    return {hash((block, *ngram)) for ngram in zip(*(tokens[i:] for i in range(n)), strict=False)}
