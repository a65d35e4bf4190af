"""Answers as typed values: what the model says of a message."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from instructzoo.core.answers.questions import Cell, Options, Question, check_text
from instructzoo.core.record import Invalid, Row
from instructzoo.dialogue import prompts

__all__ = ["Answer", "Options", "answer", "failed", "rows"]


@dataclass(frozen=True, slots=True)
class Answer:
    """The text that the model gave, and why there is none."""

    text: str = ""
    error: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The answer as a JSON object."""
        return asdict(self)

    def to_rows(self) -> list[dict[str, Cell]]:
        """The answer as a table of one line."""
        return [{"text": self.text}]


def rows(input: str | Row, options: Options, where: str = "") -> list[Question]:
    """The one question of an input; a row of the domain is its own question."""
    if isinstance(input, str):
        input = {"instruction": "", "input": f"[RESPONSE] {check_text(input, options.max_characters)}", "output": ""}
    return [Question(0, input)]


def answer(input: str | Row, questions: Sequence[Question], outputs: Sequence[str], options: Options) -> Answer:
    """The model's answer."""
    parsed = prompts.parse(outputs[0], questions[0].row)
    return Answer(error=f"No answer: {parsed.reason}.") if isinstance(parsed, Invalid) else Answer(parsed.text)


def failed(input: str | Row, reason: str, options: Options) -> Answer:
    """The answer for an input that cannot be answered."""
    return Answer(error=reason)
