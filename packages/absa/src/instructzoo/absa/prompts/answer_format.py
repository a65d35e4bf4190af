"""How the elements of a tuple are written: spans as they are or in quotes, categories and sentiments as phrases.

    pizza -> pizza        None -> it          'the "it" bar' -> "the \\"it\\" bar"
    FOOD#STYLE_OPTIONS -> food style options are        positive -> great

A span that would break the template stands in double quotes, as a JSON string; every span can be written and read.
A category whose phrase would not lead back to it is written the same way: "Out_Of_Scope#GENERAL" is.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache

SEPARATOR = " [SSEP] "
NOTHING = "nothing"
"""The answer on a text without an opinion."""

IMPLICIT = {"aspect": "it", "opinion": "implied"}
SENTIMENT_WORDS = {"positive": "great", "negative": "bad", "neutral": "ok"}
SENTIMENT_OF = {word: name for name, word in SENTIMENT_WORDS.items()}

_RESERVED = (*IMPLICIT.values(), NOTHING)
BREAKS = (" is ", " means ", "[SSEP]", '"')
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


def breaks(span: str) -> str:
    """Why a span would not survive the paper's template, which writes it without quotes; empty where it would.

    "it" as a real aspect reads as an implicit one, "a is b" falls apart at " is ", a blank at the end is lost.
    """
    if not span:
        return "it is empty"
    if span in _RESERVED:
        return f'it is the word "{span}", which stands for no span'
    padded = f" {span} "
    if held := next((mark for mark in BREAKS if mark in padded), ""):
        return f'it holds "{held.strip()}"'
    if span != span.strip() or "  " in span or not span.isprintable():
        return "it holds white space or control characters that a reader would not keep"
    return ""


def write_span(span: str | None, part: str) -> str:
    """A span of the text, or the word for an implicit one. part: "aspect" or "opinion"."""
    if span is None:
        return IMPLICIT[part]
    return json.dumps(span, ensure_ascii=False) if breaks(span) else span


def read_span(written: str, part: str) -> str | None:
    """What `write_span` wrote without quotes. Raises ValueError for text that it never writes."""
    if written == IMPLICIT[part]:
        return None
    if fault := breaks(written):
        raise ValueError(f'"{written[:40]}" without quotes, but {fault}')
    return written


def read_quoted(text: str, begin: int) -> tuple[str, int]:
    """The string whose quotes open at `begin`, and where it ends. Raises ValueError where it is none."""
    match = _QUOTED.match(text, begin)
    if not match:
        raise ValueError("quotes that do not close")
    try:
        span = json.loads(match[0], strict=False)
        span.encode()  # half a surrogate pair can be escaped, and stands in no text
    except ValueError as error:
        raise ValueError(f"no escaped text in quotes: {match[0][:40]}") from error
    if not span:
        raise ValueError("empty quotes")
    return span, match.end()


@lru_cache(4096)
def write_category(category: str) -> str:
    """ "food style options are": the phrase with its verb."""
    phrase = _phrase(category)
    if phrase is not None and read_category(phrase) == category and not breaks(phrase.rpartition(" ")[0]):
        return phrase
    return f"{json.dumps(category, ensure_ascii=False)} is"


def _phrase(category: str) -> str | None:
    entity, _, attribute = category.partition("#")
    if not _CATEGORY.fullmatch(category) or attribute not in ATTRIBUTES:
        return None
    return f"{entity.lower().replace('_', ' ')} {ATTRIBUTES[attribute]}"


def read_category(phrase: str) -> str | None:
    """The category of a phrase with its verb (not of one in quotes); None for another text."""
    for attribute, words in ATTRIBUTES.items():
        entity = phrase.removesuffix(f" {words}")
        if entity != phrase and re.fullmatch(r"[a-z&]+(?: [a-z&]+)*", entity):
            return f"{entity.replace(' ', '_').upper()}#{attribute}"
    return None
