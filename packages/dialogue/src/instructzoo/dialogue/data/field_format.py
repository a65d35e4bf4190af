"""The fields of a question as one line of text, and back.

[PERSONA] I like jazz. [CONTEXT] Good morning [ENDOFTURN] Hello! [RESPONSE] Wake me at seven
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from instructzoo.core.errors import ZooError

OPTION_SEPARATOR = "||||"
END_OF_TURN = "[ENDOFTURN]"

FIELD_TOKENS = (
    "ACT", "CONTEXT", "RESPONSE", "PERSONA", "DOCUMENT", "EVIDENCE", "EMOTION", "GRAPH", "SUMMARY", "KEYWORDS",
    "TARGET SENTENCE", "STATE", "STRATEGY", "DB", "SCHEMA", "INITIAL PHRASE", "FINAL PHRASE", "OUTPUT", "INSTRUCTION",
    "LANGUAGE", "INTENT", "INCLUDE", "LABELS", "EXAMPLES",
)  # fmt: skip
"""Field tokens that hold a text, without brackets: InstructDial's, and in the last line utterance_generation's."""

STRUCTURE_TOKENS = ("OPTIONS", "QUESTION", "ENDOFDIALOGUE")
"""Tokens of InstructDial that stand around the fields, without brackets."""

_RESERVED = re.compile(r"\[(" + "|".join(map(re.escape, FIELD_TOKENS + STRUCTURE_TOKENS)) + r")\]")


def join_fields(fields: Iterable[tuple[str, str]]) -> str:
    """The fields as one text.

    Args:
        fields: Field tokens without brackets, with their texts.

    Returns:
        The text, which `split_fields` reads back.

    Raises:
        ZooError: A token is unknown, or a text contains a field token or one of STRUCTURE_TOKENS.
    """
    parts = []
    for token, text in fields:
        if token not in FIELD_TOKENS:
            raise ZooError(f"the field [{token}]", f"one of {', '.join(FIELD_TOKENS)}")
        if clash := _RESERVED.search(text):
            raise _reserved(f"the text of [{token}]", clash.group())
        parts.append(f"[{token}] {text}".rstrip())
    return " ".join(parts)


def split_fields(text: str) -> list[tuple[str, str]]:
    """The fields of a text that `join_fields` wrote.

    Args:
        text: The text.

    Returns:
        Field tokens without brackets, with their texts, in order.

    Raises:
        ZooError: The text does not begin with a field token, has one twice, or has one of STRUCTURE_TOKENS.
    """
    starts = list(_RESERVED.finditer(text))
    if not starts or text[: starts[0].start()].strip() or starts[0].group(1) in STRUCTURE_TOKENS:
        raise ZooError(
            f'"{text[:40]}" has no field token', "such as [CONTEXT] or [RESPONSE]", "put one before the text"
        )
    tokens = [match.group(1) for match in starts]
    for number, token in enumerate(tokens):
        if token in STRUCTURE_TOKENS or token in tokens[:number]:
            raise _reserved(f"the text of [{tokens[number - 1]}]", f"[{token}]")
    ends = [match.start() for match in starts[1:]] + [len(text)]
    return [(match.group(1), text[match.end() : end].strip()) for match, end in zip(starts, ends, strict=True)]


def join_turns(texts: Sequence[str], numbered: bool = False) -> str:
    """The turns of a dialogue as one text.

    Args:
        texts: The turns.
        numbered: Whether each turn begins with its index, "0: Good morning", for questions that choose a turn.

    Returns:
        The text, which `split_turns` reads back.

    Raises:
        ZooError: A turn contains a token of the format.
    """
    for number, text in enumerate(texts, 1):
        if clash := _RESERVED.search(text):
            raise _reserved(f"turn {number}", clash.group())
        if END_OF_TURN in text:
            raise _reserved(f"turn {number}", END_OF_TURN)
    return f" {END_OF_TURN} ".join(f"{index}: {text}" if numbered else text for index, text in enumerate(texts))


def split_turns(text: str) -> list[str]:
    """The turns of a text that `join_turns` wrote; none where it is empty."""
    return [turn.strip() for turn in text.split(END_OF_TURN)] if text.strip() else []


def _reserved(place: str, token: str) -> ZooError:
    return ZooError(f'{place} contains "{token}"', "a text without tokens of the format", "write it in another way")
