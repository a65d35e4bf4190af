"""What every reader yields, and what they share: one annotated text, with its place in the file.

Spans that are not one run of characters, and such that meet others, are read the same way everywhere: a discontinuous
span counts from its first to its last piece; nested and crossing spans all stay, since an answer lists spans and can
name them all; a span that stands twice with the same label is one. Each of these is a remark, and remarks are counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from instructzoo.core.data.readers import cut
from instructzoo.core.errors import ZooError
from instructzoo.uie.schema import Annotation, Mention

DISCONTINUOUS = "discontinuous spans, read from the first to the last piece"
TWICE = "spans annotated twice with one label, read once"
NESTED = "spans that lie in or across another one of the same kind"
NO_RELATION = "pairs without a relation, which are no part of an answer"


@dataclass(frozen=True, slots=True)
class Sentence:
    """A text and what is found in it, labels as the file writes them.

    remarks: what the reader had to decide about it, in words that are counted.
    """

    text: str
    annotation: Annotation
    where: str
    remarks: tuple[str, ...] = ()


def sentence(text: str, annotation: Annotation, where: str, remarks: Sequence[str] = ()) -> Sentence:
    """A checked Sentence: entities once each, meetings of spans remarked.

    Raises ZooError for a text that is blank or that no file can hold (half of a surrogate pair).
    """
    if not text.strip():
        raise ZooError("an empty text", "a sentence", "remove it with its annotation", where)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        found = f"half a character (U+{ord(text[error.start]):04X}) at {error.start}"
        raise ZooError(found, "whole Unicode characters", "mend the text", where) from error
    entities = tuple(dict.fromkeys(annotation.entities))
    twice = [TWICE] * (len(annotation.entities) - len(entities))
    return Sentence(
        text, replace(annotation, entities=entities), where, (*remarks, *twice, *[NESTED] * _meetings(entities))
    )


def _meetings(mentions: Sequence[Mention]) -> int:
    """Mentions that begin before an earlier one ends."""
    count, reached = 0, 0
    for mention in sorted(mentions, key=lambda m: (m.start, -m.end)):
        count += mention.start < reached
        reached = max(reached, mention.end)
    return count


def span(text: str, start: int, end: int, where: str, said: str | None = None) -> Mention:
    """The piece of `text` from start up to end, without a type. said: what the file says stands there.

    Raises ZooError for a place outside of the text, an empty one, and another piece than said.
    """
    if not 0 <= start < end <= len(text):
        expected = f"0 <= start < end <= {len(text)}, in characters of the text"
        raise ZooError(f"a span from {start} to {end}", expected, "mend the offsets", where)
    found = text[start:end]
    if said is not None and said != found:
        fix = "count characters, not bytes, from 0; the end is exclusive"
        raise ZooError(f'"{cut(found)}" from {start} to {end}', f'"{cut(said)}"', fix, where)
    return Mention("", found, start, end)


def mention(type: object, text: str, start: int, end: int, where: str, said: str | None = None) -> Mention:
    """As `span`, with a type; raises ZooError for a blank one too."""
    return replace(span(text, start, end, where, said), type=label(type, where))


def label(type: object, where: str) -> str:
    """A label as it is. Raises ZooError for one that is no text or blank."""
    if not isinstance(type, str) or not type.strip():
        raise ZooError(f"the label {type!r}", "a text", "name the type", where)
    return type.strip()


def joined(tokens: Sequence[str]) -> tuple[str, list[int]]:
    """Tokens with one space between, and where each of them starts: token i ends at starts[i] + len(tokens[i])."""
    starts, place = [], 0
    for token in tokens:
        starts.append(place)
        place += len(token) + 1
    return " ".join(tokens), starts
