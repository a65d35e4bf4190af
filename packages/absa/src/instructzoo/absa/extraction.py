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
from instructzoo.absa.schema import ELEMENTS, SENTIMENTS, TASK_ELEMENTS, Quad
from instructzoo.core.answers.model import answer_inputs, options_for
from instructzoo.core.answers.questions import Cell, Question
from instructzoo.core.data.sentence_split import sentences
from instructzoo.core.infer import trained_labels
from instructzoo.core.record import Invalid, Row
from instructzoo.core.ui.questions import AnswersRows

TASK = "asqp"
SPANS = ("aspect", "opinion")
"""The elements that are spans of the review, unless they are implicit."""
IMPLICIT = "NULL"
"""An implicit element in a table of answers, as the published data sets write it."""
MAX_OCCURRENCES = 20
"""Occurrences of one span in one sentence that are compared."""

Offsets = tuple[int, int]
"""Start and end of a span in the review, in characters, the end exclusive."""


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

    def to_row(self, task: str = TASK) -> dict[str, Cell]:
        """A line of a table: the elements, empty where the task does not ask for them, offsets and a note."""
        row: dict[str, Cell] = {element: getattr(self.quad, element) for element in ELEMENTS}
        row |= {span: IMPLICIT for span in SPANS if row[span] is None and span in TASK_ELEMENTS[task]}
        for span in SPANS:
            row[f"{span}_start"], row[f"{span}_end"] = getattr(self, span) or (None, None)
        hallucinated = ", ".join(f'"{span}"' for span in self.hallucinated_spans())
        return row | {"note": f"not in the text: {hallucinated}" if hallucinated else ""}


@dataclass(frozen=True, slots=True)
class ReviewAnalysis:
    """The quadruples of one review, or the tuples of another task, whose other elements are None.

    unparseable: for each unparseable output the reason and the output; error: why the review was not analysed, or "";
    task: the task whose tuples these are.
    """

    text: str
    quads: tuple[LocatedQuad, ...] = ()
    unparseable: tuple[str, ...] = ()
    error: str = ""
    task: str = TASK

    def to_dict(self) -> dict[str, Any]:
        """The analysis as a JSON object with offsets. A null element is implicit; null offsets of a span mean that the
        text does not contain it."""
        elements = TASK_ELEMENTS[self.task]
        quads = [
            {element: getattr(located.quad, element) for element in elements}
            | {f"{name}_at": getattr(located, name) for name in SPANS if name in elements}
            for located in self.quads
        ]
        unparseable = {"invalid": list(self.unparseable)} if self.unparseable else {}
        return {"text": self.text, "quads": quads, **unparseable, **({"error": self.error} if self.error else {})}

    def to_rows(self) -> list[dict[str, Cell]]:
        """A line of a table for each tuple and for each unparseable output; one line where there is neither.

        An implicit element is "NULL". `note` says what is wrong, and that a review has no opinion.
        """
        empty = LocatedQuad(Quad()).to_row()
        lines = [located.to_row(self.task) for located in self.quads]
        notes = [f"unparseable output: {reason}" for reason in self.unparseable]
        if not (lines or notes):
            notes = ["" if self.error else "no opinion"]
        return lines + [dict.fromkeys(empty) | {"note": note} for note in notes]


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


def sentence_rows(
    text: str, labels: trained_labels.Labels | None = None, task: str = TASK, categories: Sequence[str] = ()
) -> list[Question]:
    """A question for every sentence of a review, with the offset of the sentence.

    Args:
        text: the review.
        labels: the labels of the model's training rows, to which answers are held.
        task: one of schema.TASKS.
        categories: the categories on offer; none: those of `labels`.
    """
    located, options = list(sentences(text)), {"options": list(categories)} if categories else {}
    rows: list[Row] = [
        {"instruction": prompts.question(sentence, task, 0), "input": sentence, "output": "", "task": task, **options}
        for _, sentence in located
    ]
    return [Question(start, row) for (start, _), row in zip(located, trained_labels.add(rows, labels), strict=True)]


def analyse(predictor: LabelledPredictor, texts: Sequence[str], max_characters: int) -> list[ReviewAnalysis]:
    """Extract the quadruples of several reviews.

    Args:
        predictor: the model.
        texts: the reviews.
        max_characters: maximum length of a review.

    Returns:
        One analysis per review, in order. A review that cannot be analysed (too long, without a word) has an `error`.
    """
    from instructzoo.absa import answers

    options = options_for(answers, predictor, {"max_characters": max_characters})
    return answer_inputs(answers, predictor, texts, options)


def combine_outputs(text: str, rows: Sequence[Question], outputs: Sequence[str], task: str = TASK) -> ReviewAnalysis:
    """Combine the outputs for the sentences of one review.

    Args:
        text: the review.
        rows: its sentences, from `sentence_rows`.
        outputs: the model's output for each of them.
        task: the task of the rows.
    """
    quads, unparseable = list[LocatedQuad](), list[str]()
    for (start, row), output in zip(rows, outputs, strict=True):
        answer = prompts.parse(output, row)
        if isinstance(answer, Invalid):
            unparseable.append(f"{answer.reason}: {output[:200]}")
        else:
            quads += [locate(quad, row["input"], start) for quad in answer.quads]
    return ReviewAnalysis(text, tuple(quads), tuple(unparseable), task=task)


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
