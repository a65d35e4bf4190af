"""What the model reads, and how its answer is parsed.

    instruction   make the red circle blue
    image         the picture before, a reference (images.py)
    edited        the picture after, likewise: the target, and the form of every answer

The model's text input is the instruction alone, as in the paper (arXiv:2211.09800, section 3.2). The captions in
`input` and `output` are used by people, filters and metrics.
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
    """Segments of a row: the instruction (not supervised) and the edited picture as a data URI (supervised).

    A picture that the row gives as a path is read from its file; `seed` has no effect.
    """
    edited = row.get("edited") or ""
    if edited and not edited.startswith(images.DATA_URI_PREFIX):
        edited = images.to_uri(images.read(edited, str(row.get("id") or "")))
    return [Segment(row["instruction"] or "", False), Segment(edited, True)]


def parse(text: str, row: Mapping[str, Any]) -> Answer | Invalid:
    """The picture in an answer. Only data URIs count as answers, so no model output can make this open a file."""
    if not text.startswith(images.DATA_URI_PREFIX):
        return Invalid("no picture")
    try:
        return Answer(images.read(text))
    except ZooError as error:
        return Invalid(str(error))
