"""The public K-shot sampler of Varia et al. (arXiv:2210.06629), reproduced draw for draw.

The sentences are shuffled with seed 12347 + 1237 i for draw i. A sentence is taken if any of its tuples is of a class
that has fewer than K tuples so far, and then all of its tuples count. A class is the coarse category (FOOD of
FOOD#QUALITY) or, where the data has no categories, the sentiment. A class may stay below K: LOCATION has only 16 tuples
in rest15's train split.

After github.com/amazon-science/instruction-tuning-for-absa at 81527faa (Apache-2.0); `to_lines` writes its files byte
for byte.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from instructzoo.absa.data.readers.base import Sentence
from instructzoo.absa.schema import Quad
from instructzoo.core.errors import ZooError

FIRST_SEED, SEED_STEP = 12347, 1237


@dataclass(frozen=True, slots=True)
class FewShotSample:
    """One draw.

    indices: the drawn sentences, in the order of drawing; counts: their number of tuples by class; k: the tuples wanted
    of every class.
    """

    indices: tuple[int, ...]
    counts: dict[str, int]
    k: int

    @property
    def unfilled(self) -> dict[str, int]:
        """Classes of which the data has fewer than K tuples, and how many were drawn."""
        return {name: count for name, count in self.counts.items() if count < self.k}


def seed_of_draw(index: int) -> int:
    """The random seed of draw number `index`, counted from 0."""
    return FIRST_SEED + SEED_STEP * index


def sample(sentences: Sequence[Sentence], k: int, index: int = 0) -> FewShotSample:
    """Draw sentences until every class has at least K tuples, or no sentence is left.

    Args:
        sentences: the sentences to draw from.
        k: tuples wanted of every class.
        index: number of the draw, from 0.

    Returns:
        The indices of the drawn sentences, and their number of tuples by class.

    Raises:
        ZooError: for K below 1, and for data without a tuple.
    """
    if k < 1:
        raise ZooError(f"{k} shots", "at least 1")
    order = list(range(len(sentences)))
    random.Random(seed_of_draw(index)).shuffle(order)
    counts = {_class_of(quad): 0 for sentence in sentences for quad in sentence.quads}
    if not counts:
        raise ZooError("no sentence has a tuple", "at least one", "K-shot data is drawn by the classes of tuples")
    indices = []
    for i in order:
        quads = sentences[i].quads
        if any(counts[_class_of(quad)] < k for quad in quads):
            indices.append(i)
            for name, count in Counter(map(_class_of, quads)).items():
                counts[name] += count
            if min(counts.values()) >= k:
                break
    return FewShotSample(tuple(indices), counts, k)


def to_lines(sentences: Sequence[Sentence]) -> str:
    """The text of a published K-shot file: lower-case spans, "none" for implicit ones, categories as FOOD#QUALITY."""
    return "".join(f"{' '.join(s.text.split())}####{list(map(_published_tuple, s.quads))!r}\n" for s in sentences)


def _class_of(quad: Quad) -> str:
    return (quad.category or "").split("#")[0] or quad.sentiment or ""


def _published_tuple(quad: Quad) -> tuple[str, str, str, str]:
    aspect, opinion = (span.lower() if span is not None else "none" for span in (quad.aspect, quad.opinion))
    return aspect, quad.category or "laptop", quad.sentiment or "", opinion
