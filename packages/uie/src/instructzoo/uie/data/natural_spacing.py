"""Writes tokenised text as people write it, without spaces before commas, and moves the annotation along.

natural_spacing("Ann lives in Oslo , Norway .", annotation)    # "Ann lives in Oslo, Norway."
"""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import accumulate

from instructzoo.uie.schema import UNKNOWN, Annotation, Mention, Relation

_EDITS = re.compile(
    r"(?P<space> (?!:[)(DP])(?=[,.;:!?%)\]}](?: |$|[,.;:!?'\")]))"  # before a closing mark, which is no smiley
    r"| (?=(?:n't|'(?:s|re|ve|ll|d|m))(?: |$))"  # before an ending: is n't
    r"|(?<= [(\[{$]) |(?<=^[(\[{$]) )"  # after an opening mark
    r"|(?P<opening>(?:` ?`) ?)"
    r"|(?P<closing> ?' ?'(?= |$))"
)


def natural_spacing(text: str, annotation: Annotation) -> tuple[str, Annotation]:
    """Remove the spaces that a tokeniser put in, and write its pairs of quotes as one.

    Args:
        text: A tokenised text; a text that is none stays nearly as it is.
        annotation: Its entities and relations, with offsets.

    Returns:
        The text, and the annotation with its spans in it.
    """
    kept = list(text)  # what stands for each character
    for edit in _EDITS.finditer(text):
        for index in range(edit.start(), edit.end()):
            kept[index] = ""
        if not edit["space"]:
            kept[edit.start()] = '"'
    offsets = [0, *accumulate(map(len, kept))]
    written = "".join(kept)

    def moved(mention: Mention) -> Mention:
        if mention.start == UNKNOWN:
            return mention
        start, end = offsets[mention.start], offsets[mention.end]
        return replace(mention, text=written[start:end], start=start, end=end)

    entities = tuple(map(moved, annotation.entities))
    relations = tuple(Relation(r.type, moved(r.head), moved(r.tail)) for r in annotation.relations)
    return written, Annotation(entities, relations)
