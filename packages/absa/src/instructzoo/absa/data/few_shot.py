"""The public K-shot sampler of Varia et al. (arXiv:2210.06629), draw for draw.

The sentences are shuffled with seed 12347 + 1237 i; one is taken if any of its tuples is of a class that has fewer than
K tuples so far, and then all of its tuples count. A class is the coarse category (FOOD of FOOD#QUALITY) or, where the
data has no categories, the sentiment. A class may stay unfilled: LOCATION has only 16 tuples in rest15's training part.

After github.com/amazon-science/instruction-tuning-for-absa at 81527faa (Apache-2.0); `lines` writes its files byte for
byte.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from instructzoo.absa.data.readers.base import Sentence
from instructzoo.absa.schema import Quad
from instructzoo.core.errors import ZooError

SEED, STEP = 12347, 1237


@dataclass(frozen=True, slots=True)
class Shots:
    """places: which sentences were drawn, in the order of drawing; counts: tuples of every class among them."""

    places: tuple[int, ...]
    counts: dict[str, int]
    k: int

    @property
    def unfilled(self) -> dict[str, int]:
        """Classes of which the data has fewer than K tuples, and how many were drawn."""
        return {name: count for name, count in self.counts.items() if count < self.k}


def seed(index: int) -> int:
    """The seed of draw number `index`, from 0."""
    return SEED + STEP * index


def sample(sentences: Sequence[Sentence], k: int, index: int = 0) -> Shots:
    """Draw sentences until every class has K tuples. Raises ZooError for K below 1 and for data without a tuple."""
    if k < 1:
        raise ZooError(f"{k} shots", "at least 1")
    order = list(range(len(sentences)))
    random.Random(seed(index)).shuffle(order)
    counts = {_class(quad): 0 for sentence in sentences for quad in sentence.quads}
    if not counts:
        raise ZooError("no sentence has a tuple", "at least one", "K-shot data is drawn by the classes of tuples")
    drawn = []
    for place in order:
        quads = sentences[place].quads
        if any(counts[_class(quad)] < k for quad in quads):
            drawn.append(place)
            for name, found in Counter(map(_class, quads)).items():
                counts[name] += found
            if min(counts.values()) >= k:
                break
    return Shots(tuple(drawn), counts, k)


def lines(sentences: Sequence[Sentence]) -> str:
    """The text of a published K-shot file: lower-cased spans, "none" for implicit ones, categories as FOOD#QUALITY."""
    return "".join(f"{' '.join(s.text.split())}####{list(map(_published, s.quads))!r}\n" for s in sentences)


def _class(quad: Quad) -> str:
    return (quad.category or "").split("#")[0] or quad.sentiment or ""


def _published(quad: Quad) -> tuple[str, str, str, str]:
    aspect, opinion = (words.lower() if words is not None else "none" for words in (quad.aspect, quad.opinion))
    return aspect, quad.category or "laptop", quad.sentiment or "", opinion
