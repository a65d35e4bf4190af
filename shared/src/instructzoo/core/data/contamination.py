"""Does training data hold what a model is to be judged on?

A training row is contaminated by an evaluation row where one of these holds:
- exact: the same id, the same item, or the same words of instruction and input;
- n-gram: it shares at least `overlap` of the evaluation row's n-grams of words.

What is compared as n-grams is the content, not the wording around it: the `input`, or the instruction where there is no
input. A content of fewer than n words counts as a whole, together with its instruction. Rows whose item is declared
by the domain (the sum itself, not its text) are compared by item and by `input` alone, for their wordings repeat.
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
    """What one evaluation part has in common with the training rows. Rows are places; exact wins over n-gram.

    exact, ngram: rows of the evaluation part that were found; *_places: training rows that held one."""

    part: str
    rows: int
    exact: set[int] = field(default_factory=set)
    ngram: set[int] = field(default_factory=set)
    exact_places: list[int] = field(default_factory=list)
    ngram_places: list[int] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Counts for the card: evaluation rows that were found, exactly or by n-grams, and the rows that held them."""
        return {
            "against": self.part,
            "rows": self.rows,
            "found_exact": len(self.exact),
            "found_ngram": len(self.ngram - self.exact),
            "dropped_exact": len(self.exact_places),
            "dropped_ngram": len(self.ngram_places),
        }


class _Index:
    """An evaluation part, prepared to be looked up in."""

    def __init__(self, rows: Iterable[Content], n: int) -> None:
        self.exact: dict[object, list[int]] = {}
        self.grams: dict[int, list[int]] = {}
        self.sizes: list[int] = []
        for place, row in enumerate(rows):
            for key in _keys(row):
                self.exact.setdefault(key, []).append(place)
            grams = _content(row, n)
            self.sizes.append(len(grams))
            for gram in grams:
                self.grams.setdefault(gram, []).append(place)

    def same(self, keys: Iterable[object]) -> set[int]:
        return {place for key in keys for place in self.exact.get(key, ())}

    def alike(self, grams: set[int], overlap: float) -> set[int]:
        hits = [place for gram in grams for place in self.grams.get(gram, ())]
        if not hits:
            return set()
        shared = Counter(hits)
        return {place for place, count in shared.items() if count >= overlap * self.sizes[place] - 1e-9}


def check(train: Iterable[Content], parts: Mapping[str, Iterable[Content]], n: int, overlap: float) -> list[Finding]:
    """Compare every training row with every evaluation part. n: words per n-gram; overlap: share that contaminates."""
    indices = [_Index(rows, n) for rows in parts.values()]
    findings = [Finding(part, len(index.sizes)) for part, index in zip(parts, indices, strict=True)]
    for place, row in enumerate(train):
        keys, grams = _keys(row), _content(row, n)
        for index, finding in zip(indices, findings, strict=True):
            same, alike = index.same(keys), index.alike(grams, overlap)
            finding.exact |= same
            finding.ngram |= alike
            if same:
                finding.exact_places.append(place)
            elif alike:
                finding.ngram_places.append(place)
    return findings


def _keys(row: Content) -> tuple[object, ...]:
    if row.explicit:
        return row.id, ("item", row.item)
    return row.id, ("item", row.item), hash((*words(row.instruction), None, *words(row.input)))


def _content(row: Content, n: int) -> set[int]:
    own = words(row.input if row.explicit or row.input.strip() else row.instruction)
    if row.explicit or len(own) >= n or not row.input.strip():
        return ngrams(own, n)
    return ngrams(words(row.instruction) + own, len(words(row.instruction)) + len(own))
