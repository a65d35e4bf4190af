"""The prompt in five blocks after LINGUIST (arXiv:2209.09900), and the utterance with tagged slots that answers it.

    [LANGUAGE] English
    [INTENT] get weather
    [INCLUDE] [3 snow ] [1 * ]                       <- slots to name, with their words; * leaves the words to the model
    [LABELS] 1 = city; 2 = country; 3 = condition    <- what the numbers mean; ? for a name that is left out
    [EXAMPLES] is it warm in [1 oslo ]
    how much rain in [2 chile ]

    will there be [3 snow ] in [1 rome ]             <- the answer

The blocks are those of the paper; the exact tokens are this package's own. A bracket or backslash of an utterance
itself stands behind a backslash, so that every utterance is read back as it was.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from instructzoo.core.errors import ZooError
from instructzoo.core.record import Invalid
from instructzoo.dialogue.schema import Slot, Turn

ANY = "*"
"""Stands for words of the model's choice."""

NO_NAME = "?"
MOST_EXAMPLES = 10

_BREAK = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|_")
_SPECIAL = re.compile(r"([\[\]\\])")
_ESCAPED = re.compile(r"\\([\[\]\\])")
_TOKEN = re.compile(r"\\[\[\]\\]|\[(?P<open>\d+) |\s?(?P<close>\])|\\|\[|[^\[\]\\]", re.ASCII)


@dataclass(frozen=True, slots=True)
class Wish:
    """A slot that the utterance is to name, with its words; ANY leaves the words to the model."""

    slot: str
    value: str = ANY


@dataclass(frozen=True, slots=True)
class Request:
    """What one prompt asks for.

    Attributes:
        intent: The intent, as the data names it.
        labels: Slots, as the data names them; a slot's number is its place in this list, from 1.
        wishes: Slots to name.
        examples: Utterances of the intent; at most MOST_EXAMPLES.
        language: The language of the utterance.
        unnamed: Slots whose names are left out of the prompt, so that a model learns to read the examples instead.
    """

    intent: str
    labels: tuple[str, ...]
    wishes: tuple[Wish, ...] = ()
    examples: tuple[Turn, ...] = ()
    language: str = "English"
    unnamed: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        """Raises ZooError for too many examples, a slot twice, a slot without number, and words that end a block."""
        if len(self.examples) > MOST_EXAMPLES:
            raise ZooError(f"{len(self.examples)} examples", f"at most {MOST_EXAMPLES}")
        if len(set(self.labels)) < len(self.labels):
            raise ZooError(f"a slot twice in {', '.join(self.labels)}", "each once")
        for wish in self.wishes:
            _number(self.labels, wish.slot)
            _check_value(wish.value)
        for text in (self.intent, self.language, *self.labels):
            if not text.strip() or "\n" in text or ";" in text:
                raise ZooError(f'the name "{text[:40]}"', "a text in one line without semicolons")

    def fields(self) -> tuple[tuple[str, str], ...]:
        """The five blocks as the fields of a question; names stand in words."""
        wishes = " ".join(f"[{_number(self.labels, wish.slot)} {_escape(wish.value)} ]" for wish in self.wishes)
        names = [NO_NAME if label in self.unnamed else name_in_words(label) for label in self.labels]
        return (
            ("LANGUAGE", self.language),
            ("INTENT", name_in_words(self.intent)),
            ("INCLUDE", wishes),
            ("LABELS", "; ".join(f"{number} = {name}" for number, name in enumerate(names, 1))),
            ("EXAMPLES", "\n".join(tag(example, self.labels) for example in self.examples)),
        )


def tag(utterance: Turn, labels: Sequence[str]) -> str:
    """An utterance with its slots in brackets: "is it warm in [1 oslo ]".

    Args:
        utterance: The utterance; each slot has its place in the text.
        labels: Names of slots; a slot's number is its place in this list, from 1.

    Returns:
        The text, which `untag` reads back.

    Raises:
        ZooError: A slot has no number, no place in the text or other words than stand there, overlaps another one, or
            begins or ends with a space; or the text has a line break.
    """
    if "\n" in utterance.text:
        raise ZooError(f'a line break in "{utterance.text[:40]}"', "an utterance in one line")
    text, position = [], 0
    for slot in sorted(utterance.slots or (), key=lambda slot: slot.start):
        if slot.start < position or utterance.text[slot.start : slot.end] != slot.value:
            found = f'the slot "{slot.name}: {slot.value}" of "{utterance.text[:60]}"'
            raise ZooError(found, "its words at its place, outside of other slots", "correct start and end")
        _check_value(slot.value)
        text += [_escape(utterance.text[position : slot.start])]
        text += [f"[{_number(labels, slot.name)} {_escape(slot.value)} ]"]
        position = slot.end
    return "".join([*text, _escape(utterance.text[position:])])


def untag(text: str, labels: Sequence[str], intent: str | None = None) -> Turn | Invalid:
    """Read an utterance with slots in brackets.

    Args:
        text: What `tag`, or a model, wrote.
        labels: Names of slots by their number, from 1.
        intent: The intent of the utterance.

    Returns:
        The utterance with its slots, or Invalid with the reason: brackets that do not match, a number without a label,
        a slot without words. Spaces around the words of a slot are dropped.
    """
    plain, slots = "", list[Slot]()
    number, start = 0, 0
    for match in _TOKEN.finditer(text):
        if match["open"]:
            if number:
                return Invalid("a slot inside another one")
            number, start = int(match["open"]), len(plain)
            if not 1 <= number <= len(labels):
                return Invalid("a number without a label")
        elif match["close"]:
            value = plain[start:].strip()
            if not number or not value:
                return Invalid("a slot without words" if number else "brackets that do not match")
            plain = plain[:start] + value
            slots.append(Slot(labels[number - 1], value, start, start + len(value)))
            number = 0
        elif match[0] in "[\\":
            return Invalid("brackets that do not match")
        else:
            plain += match[0].removeprefix("\\")
    if number:
        return Invalid("brackets that do not match")
    return Turn("user", plain, intent, slots=tuple(slots))


def name_in_words(name: str) -> str:
    """A name in words: "get weather" for GetWeather and get_weather."""
    return " ".join(_BREAK.sub(" ", name).lower().split())


def _number(labels: Sequence[str], slot: str) -> int:
    if slot not in labels:
        raise ZooError(f'the slot "{slot}"', f"one of {', '.join(labels) or 'no slots'}", "add it to the labels")
    return labels.index(slot) + 1


def _check_value(value: str) -> None:
    if not value or value != value.strip() or "\n" in value:
        raise ZooError(f'the value "{value[:40]}"', "words in one line without spaces around them")


def _escape(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)
