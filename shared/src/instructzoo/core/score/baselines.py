"""What needs no model: copy the input, always say the most frequent output, look up the nearest training row.

Each baseline is `answers(train, test) -> list[str]`, one raw text per test row, in order; the domain's scorer parses
these like a model's. The fourth baseline, the untuned model, goes through the same predictor as the tuned one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from instructzoo.core.errors import ZooError
from instructzoo.core.record import Row

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Baseline = Callable[[Sequence[Row], Sequence[Row]], list[str]]

# Scripts written without spaces go character by character; digits apart from letters, so that 12x34 is three tokens.
_UNSPACED = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_TOKEN = re.compile(rf"[{_UNSPACED}]|\d+|[^\W\d_{_UNSPACED}]+|[^\w\s]|_")
_CHUNK = 256  # test rows per sparse product


def copy(train: Sequence[Row], test: Sequence[Row]) -> list[str]:
    """The input given back; the instruction where a row has no input.

    Args:
        train: The training rows, which are not used; all baselines have this signature.
        test: The rows to answer.

    Returns:
        One answer per test row, in order.
    """
    return [str(row["input"] or row["instruction"]) for row in test]


def constant(train: Sequence[Row], test: Sequence[Row]) -> list[str]:
    """The most frequent training output for every row; among equally frequent ones, the first.

    Args:
        train: The training rows.
        test: The rows to answer.

    Returns:
        One answer per test row, all the same.

    Raises:
        ZooError: There are no training rows.
    """
    _need(train)
    ((output, _),) = Counter(str(row["output"]) for row in train).most_common(1)
    return [output] * len(test)


def nearest(train: Sequence[Row], test: Sequence[Row]) -> list[str]:
    """The output of the training row whose instruction and input are most similar; the first among equals.

    Similarity: cosine of tf-idf vectors over single tokens and pairs of neighbouring tokens, idf from the training
    rows. A test row that shares no token with any training row gets the first training row's output.

    Args:
        train: The training rows.
        test: The rows to answer.

    Returns:
        One answer per test row, in order.

    Raises:
        ZooError: There are no training rows.
    """
    _need(train)
    vocabulary: dict[str, int] = {}
    train_matrix = _matrix((_grams(row) for row in train), vocabulary, grow=True)
    test_matrix = _matrix((_grams(row) for row in test), vocabulary, grow=False)
    frequency = np.bincount(train_matrix.indices, minlength=len(vocabulary))
    idf = np.log((1 + train_matrix.shape[0]) / (1 + frequency)).astype(np.float32)  # 0 for what every row has
    train_matrix, test_matrix = _weighted(train_matrix, idf), _weighted(test_matrix, idf)
    columns = train_matrix.T.tocsr()
    best: list[int] = []
    for start in range(0, test_matrix.shape[0], _CHUNK):
        similar = (test_matrix[start : start + _CHUNK] @ columns).toarray()  # [chunk, train]
        best += similar.argmax(axis=1).tolist()
    return [str(train[i]["output"]) for i in best]


BASELINES: Mapping[str, Baseline] = {"copy": copy, "constant": constant, "nearest": nearest}


def _need(train: Sequence[Row]) -> None:
    if not len(train):
        raise ZooError("no training rows", "at least one", "baselines learn from the training split")


def _grams(row: Row) -> list[str]:
    tokens = _TOKEN.findall(f"{row['instruction']}\n{row['input']}".casefold())
    return tokens + [f"{a} {b}" for a, b in pairwise(tokens)]


def _matrix(texts: Iterable[list[str]], vocabulary: dict[str, int], grow: bool) -> csr_matrix:
    """Counts of grams, [rows, vocabulary]; `grow` adds grams not yet in the vocabulary, else they are left out."""
    from scipy.sparse import csr_matrix

    columns: list[int] = []
    ends = [0]
    for grams in texts:
        if grow:
            columns += [vocabulary.setdefault(gram, len(vocabulary)) for gram in grams]
        else:
            columns += [vocabulary[gram] for gram in grams if gram in vocabulary]
        ends.append(len(columns))
    shape = (len(ends) - 1, len(vocabulary))
    counts = csr_matrix((np.ones(len(columns), dtype=np.float32), columns, ends), shape=shape)
    counts.sum_duplicates()
    return counts


def _weighted(counts: csr_matrix, idf: np.ndarray) -> csr_matrix:
    """tf-idf with sublinear term frequency, rows of unit length."""
    from scipy.sparse import csr_matrix

    data = (1 + np.log(counts.data)) * idf[counts.indices]
    owner = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    norms = np.sqrt(np.bincount(owner, data**2, minlength=counts.shape[0]))
    data = (data / np.maximum(norms, 1e-12)[owner]).astype(np.float32)
    return csr_matrix((data, counts.indices, counts.indptr), shape=counts.shape)
