"""SNIPS' own JSON (its benchmark of 2017, CC0): by intent, utterances in pieces, those that fill a slot with its name.

{"PlayMusic": [{"data": [{"text": "play some "}, {"text": "jazz", "entity": "genre"}]}]}
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from instructzoo.core.data.json_objects import single_object
from instructzoo.core.data.line_files import malformed
from instructzoo.dialogue.data.readers.base import Beginning, utterance
from instructzoo.dialogue.schema import Dialogue

FORM = '{"data": [{"text": "play some "}, {"text": "jazz", "entity": "genre"}]}'

_BEGINNING = re.compile(r'\{\s*"[^"]*"\s*:\s*\[\s*\{\s*"data"\s*:\s*\[')


def matches(beginning: Beginning) -> bool:
    """Whether the file begins as SNIPS' files do."""
    return bool(_BEGINNING.match(beginning.text))


def read(path: Path) -> Iterator[Dialogue]:
    """The utterances of a file.

    Args:
        path: The file.

    Yields:
        A dialogue of one turn for each utterance.

    Raises:
        ZooError: With the file and the utterance's number for whatever is not of this form.
    """
    for intent, utterances in single_object(path).items():
        if not isinstance(utterances, list) or not intent.strip():
            raise malformed(utterances, f"an intent with a list of {FORM}", f'{path}, "{intent}"')
        for number, values in enumerate(utterances, 1):
            where = f"{path}, {intent} {number}"
            if not isinstance(values, dict) or set(values) != {"data"} or not isinstance(values["data"], list):
                raise malformed(values, FORM, where)
            yield _utterance(values["data"], intent, where)


def _utterance(pieces: list[Any], intent: str, where: str) -> Dialogue:
    text, spans = "", []
    for piece in pieces:
        if not isinstance(piece, dict) or not {"text"} <= set(piece) <= {"text", "entity"}:
            raise malformed(piece, 'a piece such as {"text": "jazz", "entity": "genre"}', where)
        if not all(isinstance(value, str) for value in piece.values()):
            raise malformed(piece, "texts under text and entity", where)
        start, text = len(text), text + piece["text"]
        if "entity" in piece:
            spans.append((piece["entity"], start, len(text)))
    return utterance(text, where, intent, spans)
