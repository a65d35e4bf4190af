"""The grammar of InstructDial's prompts: reads one into its parts, and writes it.

    Instruction: Which intent does the message have?
    Input: [CONTEXT] Hello [ENDOFTURN] Hi! [RESPONSE] Play jazz [ENDOFDIALOGUE] The options are: [OPTIONS] call||||play
    [QUESTION] The intent is

An input is a sequence of tokens, each with the text up to the next one: fields, then what stands around them. The rows
that InstructDial has rendered are irregular in these ways, which are read and written again as they are:

    [QUESTION] stands before or after [OPTIONS], or is missing; without options there is the question alone
    a lead before [OPTIONS], such as "The possible classes are:", is the text of [ENDOFDIALOGUE], often with a full stop
    [ENDOFDIALOGUE] is missing, and [ENDOFTURN] stands there, or nothing
    options are words, or have numbers ("0: inform||||1: request") or letters, and the target is the number or letter
    instruction_selection has a second question behind its options, spelt [QUESSTION]
    [CONTEXT] is empty, or ends with [ENDOFTURN]; [SEP] parts the passages of a document

White space around tokens and options means nothing; it is as good as random in those rows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_uppercase

from instructzoo.core.errors import ZooError
from instructzoo.dialogue.data.field_format import FIELD_TOKENS, OPTION_SEPARATOR, STRUCTURE_TOKENS
from instructzoo.dialogue.tasks import OptionLabels

QUESTIONS = ("QUESTION", "QUESSTION")
"""The token before the question, and how instruction_selection spells it."""

_TOKEN = re.compile(r"\[(" + "|".join(map(re.escape, (*FIELD_TOKENS, *STRUCTURE_TOKENS, QUESTIONS[1]))) + r")\]")
_PROMPT = re.compile(r"Instruction: (.*?)\nInput: (.*)", re.DOTALL)
_LABELLED = re.compile(r"(\d+|[A-Z]):(?:\s+(.*))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class RenderedPrompt:
    """A prompt of InstructDial.

    Attributes:
        instruction: The instruction, without white space at its ends.
        parts: The tokens of the input without brackets, each with the text up to the next one, in order.
    """

    instruction: str
    parts: tuple[tuple[str, str], ...]

    @property
    def fields(self) -> tuple[tuple[str, str], ...]:
        """The fields, with their texts."""
        return tuple(part for part in self.parts if part[0] in FIELD_TOKENS)

    @property
    def lead(self) -> str:
        """What stands between the end of the dialogue and the next token; "" where there is nothing."""
        return self._text("ENDOFDIALOGUE")

    @property
    def question(self) -> str:
        """The question: the last one where there are two; "" where there is none."""
        return next((text for token, text in reversed(self.parts) if token in QUESTIONS), "")

    @property
    def options(self) -> tuple[str, ...]:
        """The options in words, without numbers and letters; none where the prompt has none."""
        return self._options()[1]

    @property
    def option_labels(self) -> OptionLabels:
        """How the options are labelled."""
        return self._options()[0]

    @property
    def labels(self) -> tuple[str, ...]:
        """The numbers or letters of the options; none where the options have none."""
        count, kind = len(self.options), self.option_labels
        return tuple(map(str, range(count))) if kind == "numbers" else tuple(ascii_uppercase[:count] if kind else ())

    def text(self) -> str:
        """The prompt, with one space around each token."""
        parts = " ".join(f"[{token}] {text}".rstrip() for token, text in self.parts)
        return f"Instruction: {self.instruction}\nInput: {parts}"

    def _text(self, token: str) -> str:
        return next((text for other, text in self.parts if other == token), "")

    def _options(self) -> tuple[OptionLabels, tuple[str, ...]]:
        if not (joined := self._text("OPTIONS")):
            return "", ()
        options = tuple(option.strip() for option in joined.split(OPTION_SEPARATOR))
        matches = [match for option in options if (match := _LABELLED.fullmatch(option))]
        labels, words = [match[1] for match in matches], tuple(match[2] or "" for match in matches)
        if len(matches) == len(options) and labels == [str(number) for number in range(len(options))]:
            return "numbers", words
        if len(matches) == len(options) and labels == list(ascii_uppercase[: len(options)]):
            return "letters", words
        return "", options


def read_prompt(text: str) -> RenderedPrompt:
    """Read a prompt of InstructDial.

    Args:
        text: The prompt, from "Instruction:" on.

    Returns:
        Its parts. `RenderedPrompt.text` writes the same tokens with the same texts.

    Raises:
        ZooError: The text is no such prompt: it does not begin like one, its input does not begin with a field, a field
            stands behind the dialogue, or a token stands twice.
    """
    match = _PROMPT.fullmatch(text)
    if not match:
        raise ZooError(f'"{text[:40]}"', '"Instruction: ..." and, on the next line, "Input: ..."', "correct the prompt")
    return RenderedPrompt(match[1].strip(), read_input(match[2]))


def read_input(text: str) -> tuple[tuple[str, str], ...]:
    """The tokens of an input, each with the text up to the next one.

    Args:
        text: The input, without "Input:".

    Returns:
        Tokens without brackets, with their texts, which have no white space at their ends.

    Raises:
        ZooError: The input does not begin with a field, a field stands behind the dialogue, or a token stands twice.
    """
    starts = list(_TOKEN.finditer(text))
    if not starts or text[: starts[0].start()].strip() or starts[0][1] not in FIELD_TOKENS:
        raise ZooError(f'"{text[:40]}" does not begin with a field', "such as [CONTEXT] or [RESPONSE]", "put one first")
    _check_order([start[1] for start in starts])
    ends = [start.start() for start in starts[1:]] + [len(text)]
    return tuple((start[1], text[start.end() : end].strip()) for start, end in zip(starts, ends, strict=True))


def _check_order(tokens: Sequence[str]) -> None:
    for number, token in enumerate(tokens):
        if token in tokens[:number]:
            raise ZooError(f"[{token}] twice", "each token once", "is one of them a word of the text?")
        if token in FIELD_TOKENS and tokens[number - 1] not in FIELD_TOKENS and number:
            raise ZooError(f"[{token}] behind [{tokens[number - 1]}]", "fields first", "is it a word of the text?")
