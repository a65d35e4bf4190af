"""Finds near-duplicate rows exactly: every pair whose Jaccard similarity reaches the threshold, and no other.

The word 3-grams of each text are ordered from rare to common. Two sets of similarity t must share a gram among the
first |x| - ceil(t|x|) + 1 of each (prefix filter: Bayardo, Ma, Srikant, WWW 2007), so only texts that share a rare gram
are compared. Unlike MinHash, it misses no pair by chance and needs no seed.
"""

from __future__ import annotations

import math
import tempfile
from array import array
from collections.abc import Hashable, Iterable, Iterator
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from instructzoo.core import runs
from instructzoo.core.data.ngrams import ngrams, numbers, words

NGRAM = 3
"""Words per n-gram."""

SKETCH_SIZE = 1 << 22
"""Counters that estimate how common a gram is; two grams may share one, which costs time but changes no result."""

Ints = npt.NDArray[np.int64]


def near_duplicates(texts: Iterable[tuple[Hashable, str]], threshold: float) -> dict[int, int]:
    """Find the texts that repeat an earlier one.

    Only texts of one block that contain the same numbers in the same order are compared. Texts without a word are
    never duplicates.

    Args:
        texts: (block, text) of each text.
        threshold: The Jaccard similarity from which texts count as near-duplicates, in 0..1.

    Returns:
        For the index of each duplicate the index of the first kept text that is similar to it.
    """
    grams, ends = _hash_grams(texts)
    kept_by_gram: dict[int, list[int]] = {}  # gram -> kept texts that have it in their prefix
    duplicates: dict[int, int] = {}
    for index, prefix in _prefixes(grams, ends, threshold):
        candidates = dict.fromkeys(kept for gram in prefix for kept in kept_by_gram.get(gram, ()))
        text_grams = _grams_of(grams, ends, index)
        match = next((c for c in candidates if _similar(text_grams, _grams_of(grams, ends, c), threshold)), None)
        if match is not None:
            duplicates[index] = match
            continue
        for gram in prefix:
            kept_by_gram.setdefault(gram, []).append(index)
    return duplicates


def _hash_grams(texts: Iterable[tuple[Hashable, str]]) -> tuple[Ints, Ints]:
    """Gram hashes of all texts in one mapped array [grams], and the end of each text's grams in it [texts]."""
    pending, sizes = array("q"), array("q")
    runs.cache().mkdir(parents=True, exist_ok=True)
    with runs.disk_errors(runs.cache()), tempfile.TemporaryFile(dir=runs.cache()) as file:
        for block, text in texts:
            tokens = words(text)
            text_grams = ngrams(tokens, NGRAM, (block, numbers(tokens)))
            pending.extend(text_grams)
            sizes.append(len(text_grams))
            if len(pending) > 1_000_000:
                file.write(pending.tobytes())
                pending = array("q")
        file.write(pending.tobytes())
        file.flush()
        grams = np.asarray(np.memmap(file, np.int64, "r")) if file.tell() else np.zeros(0, np.int64)
    return grams, np.cumsum(np.array(sizes, np.int64))


def _grams_of(grams: Ints, ends: Ints, index: int) -> Ints:
    """The gram hashes of one text."""
    return grams[ends[index - 1] if index else 0 : ends[index]]


def _prefixes(grams: Ints, ends: Ints, threshold: float) -> Iterator[tuple[int, list[int]]]:
    """(index, shared grams of its prefix) for every text that has any; a gram of one prefix alone cannot match."""
    chunks = list(_prefix_chunks(grams, ends, threshold))
    indices = np.concatenate([np.zeros(0, np.int64), *(chunk[0] for chunk in chunks)])
    prefix_grams = np.concatenate([np.zeros(0, np.int64), *(chunk[1] for chunk in chunks)])
    del chunks
    _, inverse, counts = np.unique(prefix_grams, return_inverse=True, return_counts=True)
    is_shared = counts[inverse] > 1
    indices, prefix_grams = indices[is_shared], prefix_grams[is_shared]
    starts = np.flatnonzero(np.diff(indices, prepend=-1))
    for start, end in pairwise([*starts.tolist(), len(indices)]):
        yield int(indices[start]), prefix_grams[start:end].tolist()


def _prefix_chunks(grams: Ints, ends: Ints, threshold: float, chunk: int = 20_000) -> Iterator[tuple[Ints, Ints]]:
    """Text indices and grams of all prefixes, text by text and from rare to common, both [prefix grams of a chunk]."""
    counts = np.zeros(SKETCH_SIZE, np.int64)
    for start in range(0, len(grams), SKETCH_SIZE):
        counts += np.bincount(grams[start : start + SKETCH_SIZE] & (SKETCH_SIZE - 1), minlength=SKETCH_SIZE)
    for first in range(0, len(ends), chunk):
        chunk_ends = ends[first : first + chunk]
        start = int(ends[first - 1]) if first else 0
        sizes = np.diff(chunk_ends, prepend=start)
        chunk_grams = grams[start : chunk_ends[-1]]
        text_indices = np.repeat(np.arange(len(sizes)), sizes)
        frequencies = counts[chunk_grams & (SKETCH_SIZE - 1)]
        order = np.lexsort((chunk_grams, frequencies, text_indices))  # by text, then from rare to common
        rank = np.arange(len(chunk_grams)) - np.repeat(chunk_ends - start - sizes, sizes)
        length_by_size = [_prefix_length(int(n), threshold) for n in range(int(sizes.max(initial=0)) + 1)]
        prefix_lengths = np.array(length_by_size)[sizes]
        chosen = order[(rank < np.repeat(prefix_lengths, sizes)) & (frequencies[order] > 1)]
        yield first + text_indices[chosen], chunk_grams[chosen]


def _prefix_length(size: int, threshold: float) -> int:
    """How many of `size` grams, rare first, contain at least one gram of any set that is similar enough."""
    return size - math.ceil(threshold * size - 1e-9) + 1 if size else 0


def _similar(first: Ints, second: Ints, threshold: float) -> bool:
    if min(len(first), len(second)) < threshold * max(len(first), len(second)) - 1e-9:
        return False
    shared = len(np.intersect1d(first, second, assume_unique=True))
    return shared >= threshold * (len(first) + len(second) - shared) - 1e-9
