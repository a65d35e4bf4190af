"""Sentiment tuples of reviews: aspect, category, opinion term and sentiment, with character offsets.

    model = load("absa")
    (review,) = model(["Great wine, slow service"])
    review.quads             each with .quad (aspect, category, opinion, sentiment), .aspect and .opinion (offsets)
    review.to_rows()         a line of a table for each of them
    review.to_dict()         the whole answer as a JSON object

A review of any length is read sentence by sentence. Offsets count characters of the review, the end is exclusive. An
implicit aspect or opinion is None ("NULL" in tables). What the model wrote in another form is in `unparseable`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import Field

from instructzoo.absa.extraction import ReviewAnalysis, combine_outputs, sentence_rows
from instructzoo.absa.prompts import task_of
from instructzoo.core.answers import questions
from instructzoo.core.answers.questions import Names, Question, check_text, text_of

Input = str | Mapping[str, Any]


class Options(questions.Options):
    """The options of a call."""

    task: Literal["ae", "aesc", "tasd", "aste", "asqp"] = Field("asqp", description="the elements to find; asqp: all")
    labels: Names = Field((), description="the categories on offer; none: those that the model was trained on")


def rows(input: Input, options: Options, where: str = "") -> list[Question]:
    """The questions on a review, one for each sentence; a row of the domain is its own question."""
    if isinstance(input, Mapping):
        return [Question(0, dict(input))]
    check_text(input, options.max_characters)
    return sentence_rows(input, task=options.task, categories=options.labels)


def answer(input: Input, questions: Sequence[Question], outputs: Sequence[str], options: Options) -> ReviewAnalysis:
    """The tuples of a review."""
    return combine_outputs(text_of(input), questions, outputs, _task(input, options))


def failed(input: Input, reason: str, options: Options) -> ReviewAnalysis:
    """The answer for a review that cannot be answered."""
    return ReviewAnalysis(text_of(input), error=reason, task=_task(input, options))


def _task(input: Input, options: Options) -> str:
    return task_of(input) if isinstance(input, Mapping) else options.task
