"""Extracts located sentiment quadruples from reviews with a predictor: the API under the demo.

    (analysis,) = analyse(predictor, ["The pizza was tasty. Rude staff!"], max_characters=5_000)
    analysis.quads[0]     LocatedQuad(Quad("pizza", "FOOD#QUALITY", "tasty", "positive"), (4, 9), (14, 19))

The model is asked sentence by sentence, since the published training sets consist of single sentences. No output of the
model is dropped: unparseable outputs and hallucinated spans are reported and counted.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from instructzoo.absa import prompts
from instructzoo.absa.schema import ELEMENTS, SENTIMENTS, Quad
from instructzoo.core.answers.blocks import answer_or_reason
from instructzoo.core.answers.text_files import invalid_text_reason
from instructzoo.core.data.sentence_split import sentences
from instructzoo.core.errors import ZooError
from instructzoo.core.infer import trained_labels
from instructzoo.core.record import Invalid, Row
from instructzoo.core.ui.questions import AnswersRows

TASK = "asqp"
MAX_OCCURRENCES = 20
"""Occurrences of one span in one sentence that are compared."""

Offsets = tuple[int, int]
"""Start and end of a span in the review, in characters, the end exclusive."""

SentenceRow = tuple[int, Row]
"""The offset of a sentence in its review, and the row that asks for its quadruples."""


@dataclass(frozen=True, slots=True)
class LocatedQuad:
    """A quadruple with the offsets of its spans; None for an implicit element and for a hallucinated span."""

    quad: Quad
    aspect: Offsets | None = None
    opinion: Offsets | None = None

    def hallucinated_spans(self) -> list[str]:
        """Spans that the model named and the review does not contain."""
        pairs = ((self.quad.aspect, self.aspect), (self.quad.opinion, self.opinion))
        return [span for span, offsets in pairs if span is not None and offsets is None]


@dataclass(frozen=True, slots=True)
class ReviewAnalysis:
    """The quadruples of one review.

    unparseable: for each unparseable output the reason and the output; error: why the review was not analysed, or "".
    """

    text: str
    quads: tuple[LocatedQuad, ...] = ()
    unparseable: tuple[str, ...] = ()
    error: str = ""

    def to_record(self) -> dict[str, Any]:
        """The analysis as a JSON object with offsets. A null element is implicit; null offsets of a span mean that the
        text does not contain it."""
        quads = [
            {element: getattr(located.quad, element) for element in ELEMENTS}
            | {"aspect_at": located.aspect, "opinion_at": located.opinion}
            for located in self.quads
        ]
        unparseable = {"invalid": list(self.unparseable)} if self.unparseable else {}
        return {"text": self.text, "quads": quads, **unparseable, **({"error": self.error} if self.error else {})}


@dataclass
class AnalysisCounts:
    """Counts over reviews, in constant memory."""

    reviews: int = 0
    without_quads: int = 0
    failed: int = 0
    unparseable: int = 0
    hallucinated: int = 0
    sentiments: Counter[str] = field(default_factory=Counter)
    sentiments_by_category: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, analysis: ReviewAnalysis) -> None:
        """Count one more review."""
        self.reviews += 1
        self.failed += bool(analysis.error)
        self.unparseable += len(analysis.unparseable)
        self.without_quads += not (analysis.quads or analysis.error or analysis.unparseable)
        for located in analysis.quads:
            sentiment = located.quad.sentiment or SENTIMENTS[-1]
            self.sentiments[sentiment] += 1
            self.sentiments_by_category.setdefault(located.quad.category or "", Counter())[sentiment] += 1
            self.hallucinated += len(located.hallucinated_spans())

    @classmethod
    def of(cls, analyses: Iterable[ReviewAnalysis]) -> AnalysisCounts:
        """The counts of several reviews."""
        counts = cls()
        for analysis in analyses:
            counts.add(analysis)
        return counts


class LabelledPredictor(AnswersRows, Protocol):
    """What the extraction needs of a predictor; instructzoo.core.infer.Predictor is one."""

    @property
    def labels(self) -> trained_labels.Labels | None:
        """The categories and domains of its training rows; None where it remembers none."""
        ...


def sentence_rows(text: str, labels: trained_labels.Labels | None = None) -> list[SentenceRow]:
    """The offset of every sentence of a review, and a row that asks for its quadruples.

    Args:
        text: the review.
        labels: the labels of the model's training rows, to which answers are held.
    """
    located = list(sentences(text))
    rows = [
        {"instruction": prompts.question(sentence, TASK, 0), "input": sentence, "output": "", "task": TASK}
        for _, sentence in located
    ]
    return [(start, row) for (start, _), row in zip(located, trained_labels.add(rows, labels), strict=True)]


def analyse(predictor: LabelledPredictor, texts: Sequence[str], max_characters: int) -> list[ReviewAnalysis]:
    """Extract the quadruples of several reviews.

    Args:
        predictor: the model.
        texts: the reviews.
        max_characters: maximum length of a review.

    Returns:
        One analysis per review, in order. A review that cannot be analysed (too long, without a word) has an `error`.
    """
    errors = [invalid_text_reason(text, max_characters) for text in texts]
    valid_rows = [sentence_rows(text, predictor.labels) for text, error in zip(texts, errors, strict=True) if not error]
    outputs = iter(answer_or_reason(valid_rows, lambda reviews: _answer_reviews(predictor, reviews)))
    rows = iter(valid_rows)
    return [
        ReviewAnalysis(text, error=error) if error else _analysis_or_error(text, next(rows), next(outputs))
        for text, error in zip(texts, errors, strict=True)
    ]


def _answer_reviews(predictor: AnswersRows, reviews: Sequence[Sequence[SentenceRow]]) -> list[list[str]]:
    """The outputs for every sentence of every review, with one call of the model."""
    rows = [row for review in reviews for _, row in review]
    outputs = iter(predictor.answer(rows) if rows else [])
    return [list(itertools.islice(outputs, len(review))) for review in reviews]


def _analysis_or_error(text: str, rows: Sequence[SentenceRow], outputs: Sequence[str] | ZooError) -> ReviewAnalysis:
    if isinstance(outputs, ZooError):
        return ReviewAnalysis(text, error=f"{outputs}.")
    return combine_outputs(text, rows, outputs)


def combine_outputs(text: str, rows: Sequence[SentenceRow], outputs: Sequence[str]) -> ReviewAnalysis:
    """Combine the outputs for the sentences of one review.

    Args:
        text: the review.
        rows: its sentences, from `sentence_rows`.
        outputs: the model's output for each of them.
    """
    quads, unparseable = list[LocatedQuad](), list[str]()
    for (start, row), output in zip(rows, outputs, strict=True):
        answer = prompts.parse(output, row)
        if isinstance(answer, Invalid):
            unparseable.append(f"{answer.reason}: {output[:200]}")
        else:
            quads += [locate(quad, row["input"], start) for quad in answer.quads]
    return ReviewAnalysis(text, tuple(quads), tuple(unparseable))


def locate(quad: Quad, sentence: str, start: int = 0) -> LocatedQuad:
    """Find the spans of a quadruple: of all occurrences of aspect and opinion, the pair nearest to each other.

    Args:
        quad: the quadruple.
        sentence: the sentence that it was extracted from.
        start: offset of the sentence in its review.
    """
    aspects, opinions = (list(occurrences(sentence, span)) for span in (quad.aspect, quad.opinion))
    no_occurrence: list[Offsets | None] = [None]
    pairs = itertools.product(aspects or no_occurrence, opinions or no_occurrence)
    aspect, opinion = min(pairs, key=lambda pair: _distance(*pair))
    return LocatedQuad(quad, _shift(aspect, start), _shift(opinion, start))


def occurrences(text: str, span: str | None) -> Iterator[Offsets]:
    """Offsets of a span in a text, at most MAX_OCCURRENCES.

    Occurrences as whole words are preferred to those inside of words, and these to whole words in another case.
    """
    if not span:
        return
    exact = re.escape(span)
    for pattern, flags in ((rf"(?<!\w){exact}(?!\w)", 0), (exact, 0), (rf"(?<!\w){exact}(?!\w)", re.IGNORECASE)):
        matches = [match.span() for match in itertools.islice(re.finditer(pattern, text, flags), MAX_OCCURRENCES)]
        if matches:
            yield from matches
            return


def _distance(aspect: Offsets | None, opinion: Offsets | None) -> tuple[int, int]:
    """Sort key of a pair: characters between the spans, then the offset of the aspect; overlapping spans come last."""
    if aspect is None or opinion is None:
        return 0, (aspect or opinion or (0, 0))[0]
    gap = max(aspect[0], opinion[0]) - min(aspect[1], opinion[1])
    return gap if gap >= 0 else 1 << 20, aspect[0]


def _shift(offsets: Offsets | None, by: int) -> Offsets | None:
    return offsets and (offsets[0] + by, offsets[1] + by)
