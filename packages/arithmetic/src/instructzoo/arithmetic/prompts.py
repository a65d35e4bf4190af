"""What the model reads, and what its answer means.

    8914/64            <- instruction
    Answer:            <- the model writes from here on

The rule for the answer, in one sentence: it is the text after the last "=" of the last line, or the whole last line
where it has no "="; steps of a division must end in a line "Therefore, a / b = ...".
Strict: exactly "-12", "139 R 18" or "... is undefined", as the world writes them. Lenient: the last number or the last
quotient and remainder anywhere in the text, with thousands separators, any spacing, "r" or "remainder", or R 0.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from instructzoo.core.record import Invalid, Segment

_STRICT_ANSWER = re.compile(r"(0|-?[1-9][0-9]*)(?: R ([1-9][0-9]*))?")
_STRICT_UNDEFINED = re.compile(r"(?:[0-9]+ ?/ ?0 is )?undefined")
_LENIENT_UNDEFINED = re.compile(r"\bundefined\b|\bnot defined\b", re.IGNORECASE)
_SEPARATOR = re.compile(r"(?<=[0-9])[,_'\u2009\u202f](?=[0-9]{3}(?![0-9]))")
_NUMBER = r"[0-9]+(?:\.[0-9]+)?"
_BETWEEN = r"[\s,;]*(?:(?:and|with)\s+)?(?:an?\s+|the\s+)?(?:remainder|rem\.?|r)\s*(?:of|is|[:=])?\s*"
_LENIENT_ANSWER = re.compile(
    rf"(?P<minus>[-\u2212]\s*)?(?P<number>{_NUMBER})(?:{_BETWEEN}(?P<remainder>[0-9]+))?", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer in canonical form: "-12", "139 R 18" (no R where the remainder is 0) or "undefined"."""

    value: str


def render(row: Mapping[str, Any], seed: int = 0) -> list[Segment]:
    """The prompt and the target of a row.

    Args:
        row: Its `instruction` is the question, or its `input` where it has none.
        seed: Not used; the wording is in the row.

    Returns:
        The prompt, and the target that the model learns to write.

    Example:
        >>> render({"instruction": "What is 3+4?", "output": "3 + 4 = 7"})
        [Segment(text='What is 3+4?\\nAnswer: ', supervised=False), Segment(text='3 + 4 = 7', supervised=True)]
    """
    question = row.get("instruction") or row.get("input", "")
    return [Segment(f"{question}\nAnswer: ", False), Segment(row.get("output", ""), True)]


def parse(text: str, row: Mapping[str, Any], lenient: bool = False) -> Answer | Invalid:
    """The answer that a model's text gives, by the rule above.

    Args:
        text: The model's raw text.
        row: Its `operation`, or else its `input`, says whether the question is a division.
        lenient: Use the lenient rule.

    Returns:
        The answer in canonical form, or Invalid with the reason where the text gives none.

    Example:
        >>> parse("3 + 4 = 7", {"operation": "add"})
        Answer(value='7')
    """
    if not text.strip():
        return Invalid("no text")
    return _lenient(text) if lenient else _strict(text.strip(), row)


def _strict(text: str, row: Mapping[str, Any]) -> Answer | Invalid:
    *steps, last_line = text.split("\n")
    before, equals, end = last_line.rpartition("=")
    if _is_division(row, text):
        has_conclusion = last_line.startswith("Therefore, ")
        if not has_conclusion and (steps or " - " in before):
            return Invalid('steps of a division without the line "Therefore, ..."')
    elif steps:
        return Invalid("more than one line")
    end = end.strip()
    if match := _STRICT_ANSWER.fullmatch(end):
        return Answer(match[0])
    if not equals and _STRICT_UNDEFINED.fullmatch(end):
        return Answer("undefined")
    return Invalid(f'no number after the last "=": "{end[:40]}"' if equals else f'no answer in "{end[:40]}"')


def _is_division(row: Mapping[str, Any], text: str) -> bool:
    """Whether the question is a division. Where the row names no operation, its input or the text decides."""
    operation = row.get("operation")
    if operation:
        return bool(operation == "divide")
    return "/" in (row.get("input") or "") or "÷" in (row.get("input") or "") or "/" in text or "\n" in text


def _lenient(text: str) -> Answer | Invalid:
    text = _SEPARATOR.sub("", text)
    matches = list(_LENIENT_ANSWER.finditer(text))
    undefined_ends = [match.end() for match in _LENIENT_UNDEFINED.finditer(text)]
    if undefined_ends and (not matches or undefined_ends[-1] > matches[-1].end()):
        return Answer("undefined")
    if not matches:
        return Invalid("no number in the text")
    match = matches[-1]
    digits, _, fraction = match["number"].partition(".")
    if fraction.strip("0"):
        return Invalid(f'a fraction: "{match["number"]}"')
    value = digits.lstrip("0") or "0"  # as text: Python converts no number of more than 4,300 digits
    # a minus belongs to the number only where no operand stands before it
    if match["minus"] and value != "0" and not re.search(r"[0-9)]\s*$", text[: match.start()]):
        value = f"-{value}"
    remainder = (match["remainder"] or "").lstrip("0")
    return Answer(f"{value} R {remainder}" if remainder else value)
