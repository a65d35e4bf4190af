"""How the elements of a tuple are written in an answer: spans bare or quoted, categories and sentiments as phrases.

    pizza -> pizza        None -> it          'the "it" bar' -> "the \\"it\\" bar"
    FOOD#STYLE_OPTIONS -> food style options are        positive -> great

A span that would break the template is written in double quotes, as a JSON string, so that every span can be written
and read back. A category whose phrase would not be read back as the same category is quoted as well:
"Out_Of_Scope#GENERAL" is.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache

SEPARATOR = " [SSEP] "
NOTHING = "nothing"
"""The answer for a text without opinions."""

IMPLICIT = {"aspect": "it", "opinion": "implied"}
SENTIMENT_WORDS = {"positive": "great", "negative": "bad", "neutral": "ok"}
SENTIMENT_OF = {word: name for name, word in SENTIMENT_WORDS.items()}

TEMPLATE_MARKS = (" is ", " means ", "[SSEP]", '"')
"""Texts that end a bare span in the answer template."""

_RESERVED_WORDS = (*IMPLICIT.values(), NOTHING)
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_CATEGORY = re.compile(r"[A-Z][A-Z&]*(?:_[A-Z&]+)*#[A-Z]+(?:_[A-Z]+)*")
ATTRIBUTES = {
    "GENERAL": "in general is",
    "QUALITY": "quality is",
    "PRICES": "prices are",
    "PRICE": "price is",
    "STYLE_OPTIONS": "style options are",
    "MISCELLANEOUS": "in other respects is",
    "DESIGN_FEATURES": "design and features are",
    "OPERATION_PERFORMANCE": "operation and performance are",
    "USABILITY": "usability is",
    "PORTABILITY": "portability is",
    "CONNECTIVITY": "connectivity is",
}


def quoting_reason(span: str) -> str:
    """Why a span must be quoted: the reason for which the paper's template, which writes it bare, would lose it.

    "it" as a real aspect reads as an implicit one, "a is b" falls apart at " is ", a trailing space is lost.

    Returns:
        The reason as a clause, or "" where the bare span is read back unchanged.
    """
    if not span:
        return "it is empty"
    if span in _RESERVED_WORDS:
        return f'it is the word "{span}", which stands for no span'
    padded = f" {span} "
    if mark := next((mark for mark in TEMPLATE_MARKS if mark in padded), ""):
        return f'it holds "{mark.strip()}"'
    if span != span.strip() or "  " in span or not span.isprintable():
        return "it holds white space or control characters that a reader would not keep"
    return ""


def write_span(span: str | None, element: str) -> str:
    """Write a span of the text, or the word for an implicit one.

    Args:
        span: the words, or None for an implicit element.
        element: "aspect" or "opinion".

    Returns:
        The bare span, or a JSON string where the bare one would not be read back.
    """
    if span is None:
        return IMPLICIT[element]
    return json.dumps(span, ensure_ascii=False) if quoting_reason(span) else span


def read_span(written: str, element: str) -> str | None:
    """Read a span that `write_span` wrote bare.

    Args:
        written: the text of the element in an answer.
        element: "aspect" or "opinion".

    Returns:
        The span, or None for an implicit element.

    Raises:
        ValueError: for text that `write_span` never writes.
    """
    if written == IMPLICIT[element]:
        return None
    if reason := quoting_reason(written):
        raise ValueError(f'"{written[:40]}" without quotes, but {reason}')
    return written


def read_quoted(text: str, start: int) -> tuple[str, int]:
    """Read the quoted string that begins at `start`.

    Args:
        text: an answer.
        start: the offset of the opening quote, in characters.

    Returns:
        The string and the offset after its closing quote.

    Raises:
        ValueError: where no quoted string begins there.
    """
    match = _QUOTED.match(text, start)
    if not match:
        raise ValueError("quotes that do not close")
    try:
        span = json.loads(match[0], strict=False)
        span.encode()  # half a surrogate pair can be escaped in JSON and cannot be in any text
    except ValueError as error:
        raise ValueError(f"no escaped text in quotes: {match[0][:40]}") from error
    if not span:
        raise ValueError("empty quotes")
    return span, match.end()


@lru_cache(4096)
def write_category(category: str) -> str:
    """Write a category as a phrase with its verb: "food style options are" for FOOD#STYLE_OPTIONS."""
    phrase = _category_phrase(category)
    if phrase is not None and read_category(phrase) == category:
        return phrase
    return f"{json.dumps(category, ensure_ascii=False)} is"


def _category_phrase(category: str) -> str | None:
    entity, _, attribute = category.partition("#")
    if not _CATEGORY.fullmatch(category) or attribute not in ATTRIBUTES:
        return None
    return f"{entity.lower().replace('_', ' ')} {ATTRIBUTES[attribute]}"


def read_category(phrase: str) -> str | None:
    """The category of a bare phrase with its verb; None for any other text."""
    for attribute, words in ATTRIBUTES.items():
        entity = phrase.removesuffix(f" {words}")
        # a word of the template between two elements is never a part of one of them
        if entity != phrase and re.fullmatch(r"[a-z&]+(?: [a-z&]+)*", entity) and not _needs_quotes(phrase):
            return f"{entity.replace(' ', '_').upper()}#{attribute}"
    return None


def _needs_quotes(phrase: str) -> bool:
    """Whether the words of a phrase, without its verb, contain a mark of the template."""
    return bool(quoting_reason(phrase.rpartition(" ")[0]))
