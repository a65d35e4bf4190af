"""Reviews -> questions for the model, and its answers -> judgements with their places in the review.

    (judged,) = judge(predictor, ["The pizza was tasty. Rude staff!"])
    judged.found[0]     Found(Quad("pizza", "FOOD#QUALITY", "tasty", "positive"), (4, 9), (14, 19))

A review is asked sentence by sentence, since that is what models of the published sets were trained on. Nothing that
the model writes is left out: answers without form, and spans that the review does not hold, are kept and counted.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from instructzoo.absa import prompts
from instructzoo.absa.schema import PARTS, SENTIMENTS, Quad
from instructzoo.core.data.sentence_split import sentences
from instructzoo.core.errors import ZooError
from instructzoo.core.recipe import Recipe
from instructzoo.core.record import Invalid, Row
from instructzoo.core.ui.highlighting import unaskable

TASK = "asqp"
OCCURRENCES = 20
"""Places of one span in one sentence that are looked at."""

Place = tuple[int, int]
"""Characters of the review, the end exclusive."""


class Answers(Protocol):
    """What the demo needs of a predictor (instructzoo.core.infer.Predictor is one)."""

    recipe: Recipe
    scores: dict[str, Any] | None

    def answer(self, rows: Sequence[Row]) -> list[str]: ...


@dataclass(frozen=True, slots=True)
class Found:
    """One judgement and where its words stand; no place: implicit, or not in the review."""

    quad: Quad
    aspect: Place | None = None
    opinion: Place | None = None

    def lost(self) -> list[str]:
        """Spans that the model named and the review does not hold."""
        pairs = ((self.quad.aspect, self.aspect), (self.quad.opinion, self.opinion))
        return [span for span, place in pairs if span is not None and place is None]


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of a review. invalid: an answer without form each; fault: why it was not asked, or ""."""

    text: str
    found: tuple[Found, ...] = ()
    invalid: tuple[str, ...] = ()
    fault: str = ""

    def record(self) -> dict[str, Any]:
        """The review as an object of JSON, with places; null is implicit, or, beside a span, not in the text."""
        quads = [
            {part: getattr(f.quad, part) for part in PARTS} | {"aspect_at": f.aspect, "opinion_at": f.opinion}
            for f in self.found
        ]
        notes = {"invalid": list(self.invalid)} if self.invalid else {}
        return {"text": self.text, "quads": quads, **notes, **({"error": self.fault} if self.fault else {})}


@dataclass
class Totals:
    """Counts over reviews, in memory that does not grow with them."""

    reviews: int = 0
    silent: int = 0
    faulty: int = 0
    invalid: int = 0
    lost: int = 0
    moods: Counter[str] = field(default_factory=Counter)
    categories: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, judged: Judged) -> None:
        self.reviews += 1
        self.faulty += bool(judged.fault)
        self.invalid += len(judged.invalid)
        self.silent += not (judged.found or judged.fault or judged.invalid)
        for found in judged.found:
            mood = found.quad.sentiment or SENTIMENTS[-1]
            self.moods[mood] += 1
            self.categories.setdefault(found.quad.category or "", Counter())[mood] += 1
            self.lost += len(found.lost())

    @classmethod
    def of(cls, judged: Iterable[Judged]) -> Totals:
        totals = cls()
        for one in judged:
            totals.add(one)
        return totals


def questions(text: str) -> list[tuple[int, Row]]:
    """A row for every sentence, with the place where it begins."""
    return [
        (start, {"instruction": prompts.question(sentence, TASK, 0), "input": sentence, "output": "", "task": TASK})
        for start, sentence in sentences(text)
    ]


def judge(predictor: Answers, texts: Sequence[str], most: int) -> list[Judged]:
    """What the model finds in each text. most: characters of a text. One that cannot be asked says why in `fault`."""
    faults = [unaskable(text, most) for text in texts]
    asked = [[] if fault else questions(text) for text, fault in zip(texts, faults, strict=True)]
    try:
        answers = iter(_answer(predictor, asked))
        said = [list(itertools.islice(answers, len(rows))) for rows in asked]
    except ZooError:  # one of them is too long for the model: ask each alone, so that the others are answered
        said = []
        for number, rows in enumerate(asked):
            try:
                said.append(_answer(predictor, [rows]))
            except ZooError as error:
                faults[number], asked[number] = f"{error}.", []
                said.append([])
    return [gather(*one) for one in zip(texts, asked, said, faults, strict=True)]


def _answer(predictor: Answers, asked: Sequence[Sequence[tuple[int, Row]]]) -> list[str]:
    rows = [row for one in asked for _, row in one]
    return predictor.answer(rows) if rows else []


def gather(text: str, asked: Sequence[tuple[int, Row]], said: Sequence[str], fault: str = "") -> Judged:
    """The answers on the sentences of a text as one."""
    found, invalid = list[Found](), list[str]()
    for (start, row), written in zip(asked, said, strict=True):
        meant = prompts.parse(written, row)
        if isinstance(meant, Invalid):
            invalid.append(f"{meant.reason}: {written[:200]}")
        else:
            found += [place(quad, row["input"], start) for quad in meant.quads]
    return Judged(text, tuple(found), tuple(invalid), fault)


def place(quad: Quad, sentence: str, start: int = 0) -> Found:
    """Where a judgement's words stand: of all places of aspect and opinion, the two that are nearest to each other."""
    aspects, opinions = (list(occurrences(sentence, span)) for span in (quad.aspect, quad.opinion))
    nowhere: list[Place | None] = [None]
    aspect, opinion = min(itertools.product(aspects or nowhere, opinions or nowhere), key=lambda pair: _distance(*pair))
    return Found(quad, _moved(aspect, start), _moved(opinion, start))


def occurrences(text: str, span: str | None) -> Iterator[Place]:
    """Places of a span, the first few: as whole words, else as part of words; as it is written, else in any case."""
    if not span:
        return
    exact = re.escape(span)
    for pattern, flags in ((rf"(?<!\w){exact}(?!\w)", 0), (exact, 0), (rf"(?<!\w){exact}(?!\w)", re.IGNORECASE)):
        places = [match.span() for match in itertools.islice(re.finditer(pattern, text, flags), OCCURRENCES)]
        if places:
            yield from places
            return


def _distance(one: Place | None, other: Place | None) -> tuple[int, int]:
    """Characters between two places, then the earlier one: overlapping ones are farther than any neighbours."""
    if one is None or other is None:
        return 0, (one or other or (0, 0))[0]
    gap = max(one[0], other[0]) - min(one[1], other[1])
    return gap if gap >= 0 else 1 << 20, one[0]


def _moved(place: Place | None, by: int) -> Place | None:
    return place and (place[0] + by, place[1] + by)
