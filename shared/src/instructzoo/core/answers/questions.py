"""What a domain's module `answers` is made of: options, the questions on an input, and the protocol of its answers.

class Options(questions.Options): ...              the options of a call, such as a task or labels
rows(input, options, where) -> list[Question]      what the model is asked about one input
answer(input, questions, outputs, options)         the typed answer, a frozen dataclass
failed(input, reason, options)                     the answer for an input that cannot be answered
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, NamedTuple, Protocol

from pydantic import BeforeValidator, Field

from instructzoo.core.answers.text_files import invalid_text_reason
from instructzoo.core.data.sentence_split import sentences
from instructzoo.core.errors import ZooError
from instructzoo.core.record import Row
from instructzoo.core.settings import Settings

MAX_CHARACTERS = 50_000
"""Characters of one text at most, where the caller says nothing."""

Cell = str | int | float | None
"""A value of a table of answers."""


class Question(NamedTuple):
    """One question to the model.

    Attributes:
        start: The offset of the question's text in the input, in characters.
        row: The row that the model answers.
    """

    start: int
    row: Row


class Options(Settings):
    """The options of a call that every domain has; a domain adds its own."""

    max_characters: int = Field(MAX_CHARACTERS, ge=1, description="characters of one text at most")


def _names(value: Any) -> Any:
    """A list of names; a text lists them with commas."""
    return [name for name in map(str.strip, value.split(",")) if name] if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_names)]
"""Names as an option: a sequence, or one text with commas between them, as on the command line."""


class TypedAnswer(Protocol):
    """What all answers have in common.

    `to_rows` gives a line of a table for each part of the answer, all with the same keys, and one line where there is
    no part; `to_dict` the whole answer as a JSON object.
    """

    @property
    def error(self) -> str:
        """Why the input was not answered, in one sentence; empty where it was."""
        ...

    def to_dict(self) -> dict[str, Any]: ...
    def to_rows(self) -> list[dict[str, Cell]]: ...


def check_text(text: object, max_characters: int) -> str:
    """The text itself.

    Raises:
        ZooError: It is no text, has no word or is too long.
    """
    if not isinstance(text, str):
        raise ZooError(f"found {type(text).__name__}", "a text")
    if reason := invalid_text_reason(text, max_characters):
        raise ZooError(reason.rstrip("."))
    return text


def text_of(input: object) -> str:
    """The text of an input: the input itself, or the column `input` of a row in the domain's own format."""
    return str((input.get("input") or "") if isinstance(input, Mapping) else input)


def located_sentences(text: str, max_characters: int) -> Sequence[tuple[int, str]]:
    """The sentences of a text with their offsets. Raises ZooError for a text that cannot be answered."""
    return list(sentences(check_text(text, max_characters)))
