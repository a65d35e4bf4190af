"""JSON without what other programs read differently, or cannot read: each is an error instead of a guess.

- a key that stands twice in an object, of which one value would be lost;
- NaN, Infinity, and a number that becomes infinite (1e999);
- half of a surrogate pair, which no file in UTF-8 can hold.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from typing import Any, NoReturn

_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")


def parse(text: str) -> Any:
    """The value of a JSON text. Raises ValueError or RecursionError for a text that is not valid in this sense."""
    value = DECODER.decode(text)
    if _SURROGATE_ESCAPE.search(text):
        check_characters(value)
    return value


def parse_at(text: str, offset: int) -> tuple[Any, int]:
    """The value that begins at an offset, and the offset after it. Raises as `parse` does."""
    value, end = DECODER.raw_decode(text, offset)
    if _SURROGATE_ESCAPE.search(text, offset, end):
        check_characters(value)
    return value, end


def check_characters(value: Any) -> None:
    """Raise ValueError where a value holds half of a surrogate pair."""
    try:
        json.dumps(value, ensure_ascii=False, default=str).encode("utf-8")
    except UnicodeEncodeError as error:
        half = error.object[error.start]
        raise ValueError(f"half a character, U+{ord(half):04X}") from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        repeated, _ = Counter(key for key, _ in pairs).most_common(1)[0]
        raise ValueError(f'the key "{repeated[:40]}" stands twice')
    return values


def _finite(number: str) -> float:
    value = float(number)
    if not math.isfinite(value):
        raise ValueError(f"{number[:40]} is too large a number")
    return value


def _reject_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_float=_finite, parse_constant=_reject_constant)
