"""The JSON of Restaurant8k and of the same authors' part of DSTC8: user turns with the spans of slots.

[{"userInput": {"text": "A table for two"}, "context": {"requestedSlots": ["people"]},
  "labels": [{"slot": "people", "valueSpan": {"startIndex": 12, "endIndex": 15}}]}]

startIndex is left out where it is 0, labels where no slot is filled. What the system has requested before the turn is
the turn's label "requested slots", with commas between.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from instructzoo.core.data.json_objects import objects
from instructzoo.core.data.line_files import malformed
from instructzoo.core.errors import ZooError, suggest
from instructzoo.dialogue.data.readers.base import Beginning, utterance
from instructzoo.dialogue.schema import Dialogue

REQUESTED = "requested slots"
KEYS = ("userInput", "context", "labels", "id", "splitKey")
SPAN_FORM = '{"slot": "people", "valueSpan": {"startIndex": 12, "endIndex": 15}}'


def matches(beginning: Beginning) -> bool:
    """Whether the file begins with a turn of this form."""
    return isinstance(beginning.object.get("userInput"), dict)


def read(path: Path) -> Iterator[Dialogue]:
    """The turns of a file, each a dialogue of its own.

    Args:
        path: The JSON file.

    Yields:
        A dialogue of one turn for each object.

    Raises:
        ZooError: With file:line and the object's number for unknown keys, missing texts and offsets outside of them.
    """
    for where, values in objects(path):
        _check_keys(values, KEYS, where)
        user_input, context = values.get("userInput"), values.get("context", {})
        if not isinstance(user_input, dict) or not isinstance(context, dict):
            raise malformed(dict(values), '{"userInput": {"text": "..."}, "context": {}, "labels": []}', where)
        _check_keys(user_input, ("text",), where)
        _check_keys(context, ("requestedSlots",), where)
        requested, spans = context.get("requestedSlots", []), values.get("labels", [])
        if not isinstance(requested, list) or not all(isinstance(name, str) and name for name in requested):
            raise malformed(requested, "a list of slots under requestedSlots", where)
        if not isinstance(spans, list):
            raise malformed(spans, f"a list of {SPAN_FORM}", where)
        labels = {REQUESTED: ", ".join(requested)} if requested else {}
        yield utterance(user_input.get("text"), where, spans=[_span(span, where) for span in spans], labels=labels)


def _check_keys(values: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    if unknown := [key for key in values if key not in known]:
        raise ZooError(f'the key "{unknown[0][:40]}"', suggest(unknown[0][:40], known), "rename or remove it", where)


def _span(values: Any, where: str) -> tuple[str, int, int]:
    """(slot, start, end) of a label."""
    if not isinstance(values, dict) or not isinstance(values.get("valueSpan"), dict):
        raise malformed(values, SPAN_FORM, where)
    _check_keys(values, ("slot", "valueSpan"), where)
    span = values["valueSpan"]
    _check_keys(span, ("startIndex", "endIndex"), where)
    start, end = span.get("startIndex", 0), span.get("endIndex")
    if type(start) is not int or type(end) is not int or not isinstance(values.get("slot"), str):
        raise malformed(values, SPAN_FORM, where)
    return values["slot"], start, end
