"""What the model reads, and what its answer means.

    instruction   make the red circle blue
    image         the picture before, a reference (images.py)
    edited        the picture after, likewise: the target, and the form of every answer

The text that the model reads is the instruction alone, as in the paper (arXiv:2211.09800, section 3.2); the captions
in `input` and `output` are for people, filters and metrics.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from instructzoo.core.errors import ZooError
from instructzoo.core.record import Invalid, Segment
from instructzoo.pix2pix import images
from instructzoo.pix2pix.images import Pixels


@dataclass(frozen=True, eq=False)
class Answer:
    """An edited picture, uint8 [h, w, 3]."""

    pixels: Pixels


def render(row: Mapping[str, Any], seed: int = 0) -> list[Segment]:
    """The instruction, and the edited picture as the target, whose file is read where the row holds its path."""
    edited = row.get("edited") or ""
    if edited and not edited.startswith(images.PREFIX):
        edited = images.to_uri(images.read(edited, str(row.get("id") or "")))
    return [Segment(row["instruction"] or "", False), Segment(edited, True)]


def parse(text: str, row: Mapping[str, Any]) -> Answer | Invalid:
    """The picture that an answer holds; a path is no answer, so that no text of a model opens a file."""
    if not text.startswith(images.PREFIX):
        return Invalid("no picture")
    try:
        return Answer(images.read(text))
    except ZooError as error:
        return Invalid(str(error))
