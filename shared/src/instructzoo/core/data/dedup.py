"""Near-duplicate rows, found exactly: every pair whose Jaccard similarity reaches the threshold, and no other.

Word 3-grams of each text, ordered from rare to common; two sets of similarity t must share a gram among the first
|x| - ceil(t|x|) + 1 of each (prefix filter: Bayardo, Ma, Srikant, WWW 2007), so only texts that share a rare gram are
compared. It misses nothing, where MinHash would miss some by chance, and needs no seed.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Iterator

import numpy as np
import numpy.typing as npt

from instructzoo.core.data.ngrams import ngrams, numbers, words

GRAM = 3
"""Words per gram of a near-duplicate."""

SKETCH = 1 << 22
"""Counters that estimate how common a gram is; two grams may share one, which costs time and never a result."""

Ints = npt.NDArray[np.int64]


def near_duplicates(texts: Iterable[tuple[Hashable, str]], threshold: float) -> dict[int, int]:
    """Which of the (block, text) repeat an earlier one: {its place: place of the first kept text that it is like}.

    Compared are texts of one block that hold the same numbers in the same order. Texts without a word are kept.
    """
    grams, ends = _grams(texts)
    kept: dict[int, list[int]] = {}  # gram -> kept texts that have it in their prefix
    repeats: dict[int, int] = {}
    for place, prefix in _prefixes(grams, ends, threshold):
        candidates = dict.fromkeys(other for gram in prefix for other in kept.get(gram, ()))
        mine = _of(grams, ends, place)
        match = next((o for o in candidates if _similar(mine, _of(grams, ends, o), threshold)), None)
        if match is not None:
            repeats[place] = match
            continue
        for gram in prefix:
            kept.setdefault(gram, []).append(place)
    return repeats


def _grams(texts: Iterable[tuple[Hashable, str]]) -> tuple[Ints, Ints]:
    """Gram hashes of all texts in one array, and where each text's end. Grams of two blocks are never equal."""
    pieces: list[Ints] = []
    pending: list[int] = []
    sizes: list[int] = []
    for block, text in texts:
        sequence = words(text)
        own = ngrams(sequence, GRAM, (block, numbers(sequence)))
        pending.extend(own)
        sizes.append(len(own))
        if len(pending) > 1_000_000:
            pieces.append(np.array(pending, np.int64))
            pending = []
    return np.concatenate([*pieces, np.array(pending, np.int64)]), np.cumsum(np.array(sizes, np.int64))


def _of(grams: Ints, ends: Ints, place: int) -> Ints:
    return grams[ends[place - 1] if place else 0 : ends[place]]


def _prefixes(grams: Ints, ends: Ints, threshold: float, chunk: int = 100_000) -> Iterator[tuple[int, list[int]]]:
    """(place, shared grams of its prefix) for every text that has any. A gram that occurs once matches nobody."""
    counts = np.bincount(grams & (SKETCH - 1), minlength=SKETCH)
    for first in range(0, len(ends), chunk):
        stop = ends[first : first + chunk]
        start = int(ends[first - 1]) if first else 0
        sizes = np.diff(stop, prepend=start)
        own = grams[start : stop[-1]]
        owner = np.repeat(np.arange(len(sizes)), sizes)
        common = counts[own & (SKETCH - 1)]
        order = np.lexsort((own, common, owner))  # by text, then from rare to common
        rank = np.arange(len(own)) - np.repeat(stop - start - sizes, sizes)
        length = np.array([_prefix(int(n), threshold) for n in range(int(sizes.max(initial=0)) + 1)])[sizes]
        chosen = order[(rank < np.repeat(length, sizes)) & (common[order] > 1)]
        bounds = np.searchsorted(owner[chosen], np.arange(len(sizes) + 1))
        for place in np.flatnonzero(np.diff(bounds)).tolist():
            yield first + place, own[chosen[bounds[place] : bounds[place + 1]]].tolist()


def _prefix(size: int, threshold: float) -> int:
    """How many of `size` grams, rare first, hold at least one gram of any set that is similar enough."""
    return size - math.ceil(threshold * size - 1e-9) + 1 if size else 0


def _similar(one: Ints, two: Ints, threshold: float) -> bool:
    if min(len(one), len(two)) < threshold * max(len(one), len(two)) - 1e-9:
        return False
    shared = len(np.intersect1d(one, two, assume_unique=True))
    return shared >= threshold * (len(one) + len(two) - shared) - 1e-9
