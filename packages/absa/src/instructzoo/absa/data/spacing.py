"""Text as people write it, from text as the published sets have it: "It was n't cheap ." is "It wasn't cheap.".

ASQP, ACOS and ASTE put spaces between all tokens. A model that never saw anything else reads a user's text less well.
"""

from __future__ import annotations

import re
from dataclasses import replace

from instructzoo.absa.data.readers.base import Sentence

_CONTRACTION = re.compile(r" (?:(n't|n’t)|(['’]) ?(s|t|re|ve|ll|m|d))(?= |$)", re.IGNORECASE)
_BEFORE = re.compile(r" +(?=[.,!?;:%)\]])")
_AFTER = re.compile(r"(?<=[(\[$]) +")
_TOKEN_PIECE = re.compile(r"(?:n['’]t|['’])", re.IGNORECASE)


def natural_spacing(text: str) -> str:
    """The text without the spaces before punctuation and within contractions.

    Args:
        text: A tokenised sentence, or a part of it that consists of whole tokens.

    Returns:
        The text; one that is not tokenised stays as it is, or loses stray spaces.
    """
    text = _CONTRACTION.sub(lambda match: "".join(group or "" for group in match.groups()), text)
    return _AFTER.sub("", _BEFORE.sub("", text))


def naturally_spaced(sentence: Sentence) -> Sentence:
    """The sentence and its spans with natural spacing; unchanged where a span would no longer be in the text."""
    text = natural_spacing(sentence.text)
    quads = []
    for quad in sentence.quads:
        spans = [span if span is None else natural_spacing(span) for span in (quad.aspect, quad.opinion)]
        if any(span and (span not in text or _TOKEN_PIECE.match(span)) for span in spans):
            return sentence
        quads.append(replace(quad, aspect=spans[0], opinion=spans[1]))
    return replace(sentence, text=text, quads=tuple(quads))
