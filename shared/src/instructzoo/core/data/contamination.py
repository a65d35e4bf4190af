"""The contamination check: which evaluation rows occur in training data.

A training row is contaminated by an evaluation row if one of these holds:
- exact: the same id, the same item, or the same words of instruction and input;
- n-gram: it shares at least `overlap` of the evaluation row's n-grams of words.

What is compared as n-grams is the content, not the wording around it: the `input`, or the instruction if there is no
input. A content of fewer than n words counts as a whole, together with its instruction. Rows whose item is declared
by the domain (the sum itself, not its text) are compared by item and by `input` alone, because their wordings repeat.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from instructzoo.core.data.ngrams import ngrams, words


class Content(NamedTuple):
    """What is compared of one row. explicit: its item is declared by the domain, not derived from its text."""

    id: str
    item: str
    instruction: str
    input: str
    explicit: bool


@dataclass
class Finding:
    """What one evaluation split has in common with the training rows. Rows are given by their indices.

    Attributes:
        split: The evaluation split.
        rows: Number of its rows.
        exact: Its rows that occur in training data exactly.
        ngram: Its rows that share n-grams with a training row.
        train_exact: Training rows that match one exactly.
        train_ngram: Other training rows that share n-grams with one.
    """

    split: str
    rows: int
    exact: set[int] = field(default_factory=set)
    ngram: set[int] = field(default_factory=set)
    train_exact: list[int] = field(default_factory=list)
    train_ngram: list[int] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Counts for the card: evaluation rows found exactly or by n-grams, and training rows dropped for them."""
        return {
            "against": self.split,
            "rows": self.rows,
            "found_exact": len(self.exact),
            "found_ngram": len(self.ngram - self.exact),
            "dropped_exact": len(self.train_exact),
            "dropped_ngram": len(self.train_ngram),
        }


class _Index:
    """Row indices of an evaluation split by exact key and by n-gram."""

    def __init__(self, rows: Iterable[Content], n: int) -> None:
        self.rows_by_key: dict[object, list[int]] = {}
        self.rows_by_ngram: dict[int, list[int]] = {}
        self.ngram_counts: list[int] = []
        for index, row in enumerate(rows):
            for key in _exact_keys(row):
                self.rows_by_key.setdefault(key, []).append(index)
            row_ngrams = _content_ngrams(row, n)
            self.ngram_counts.append(len(row_ngrams))
            for ngram in row_ngrams:
                self.rows_by_ngram.setdefault(ngram, []).append(index)

    def exact_matches(self, keys: Iterable[object]) -> set[int]:
        return {index for key in keys for index in self.rows_by_key.get(key, ())}

    def ngram_matches(self, row_ngrams: set[int], overlap: float) -> set[int]:
        hits = [index for ngram in row_ngrams for index in self.rows_by_ngram.get(ngram, ())]
        if not hits:
            return set()
        shared = Counter(hits)
        return {index for index, count in shared.items() if count >= overlap * self.ngram_counts[index] - 1e-9}


def check(train: Iterable[Content], splits: Mapping[str, Iterable[Content]], n: int, overlap: float) -> list[Finding]:
    """Compare every training row with every row of the evaluation splits.

    Args:
        train: The training rows.
        splits: The rows of each evaluation split.
        n: Words per n-gram.
        overlap: The fraction of an evaluation row's n-grams that counts as contamination.

    Returns:
        A finding for each evaluation split, in their order.
    """
    indices = [_Index(rows, n) for rows in splits.values()]
    findings = [Finding(split, len(index.ngram_counts)) for split, index in zip(splits, indices, strict=True)]
    for train_row, row in enumerate(train):
        keys, row_ngrams = _exact_keys(row), _content_ngrams(row, n)
        for index, finding in zip(indices, findings, strict=True):
            exact, ngram = index.exact_matches(keys), index.ngram_matches(row_ngrams, overlap)
            finding.exact |= exact
            finding.ngram |= ngram
            if exact:
                finding.train_exact.append(train_row)
            elif ngram:
                finding.train_ngram.append(train_row)
    return findings


def _exact_keys(row: Content) -> tuple[object, ...]:
    """Rows that share one of these keys are the same."""
    if row.explicit:
        return row.id, ("item", row.item)
    return row.id, ("item", row.item), hash((*words(row.instruction), None, *words(row.input)))


def _content_ngrams(row: Content, n: int) -> set[int]:
    content = words(row.input if row.explicit or row.input.strip() else row.instruction)
    if row.explicit or len(content) >= n or not row.input.strip():
        return ngrams(content, n)
    instruction = words(row.instruction)
    return ngrams(instruction + content, len(instruction) + len(content))
