"""The prompts and answers of InstructABSA's joint checkpoint, the task aesc: "cab ride:positive, service:negative"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from instructzoo.absa.prompts import Answer, format_answer, instructabsa_format
from instructzoo.absa.schema import Quad
from instructzoo.core.record import Invalid, Segment

DEFAULT_TASK = "aesc"
"""The only task that the checkpoint answers."""

OPTIONS = {"task": DEFAULT_TASK}
"""What is asked of it where the caller of typed answers names no task."""

DEFINITION = (
    "Definition: The output will be the aspects (both implicit and explicit) and the aspects sentiment polarity. "
    "In cases where there are no aspects the output should be noaspectterm:none."
)


def render(row: Mapping[str, Any], seed: int = 0) -> list[Segment]:
    """The prompt and the target of a row; `instructabsa_format.segments` says when it is a ZooError."""
    return instructabsa_format.segments(row, DEFAULT_TASK, DEFINITION, _write)


def _write(quad: Quad) -> str:
    return f"{quad.aspect}:{quad.sentiment or 'none'}"


def parse(text: str, row: Mapping[str, Any]) -> Answer | Invalid:
    """The aspect terms of an answer with their sentiments; Invalid with the reason where it has another form."""
    return instructabsa_format.read(text, row, instructabsa_format.joint_element)


def rewrite(text: str, row: Mapping[str, Any]) -> str:
    """The checkpoint's answer in the domain's own format; "" where it does not follow its format."""
    answer = parse(text, row)
    return "" if isinstance(answer, Invalid) else format_answer(answer.quads, DEFAULT_TASK)
