"""What every reader yields, and what the readers share: one annotated text with its position in the file.

Spans that are not contiguous, or that overlap, are treated the same way by all readers: a discontinuous span runs from
its first to its last piece; nested and crossing spans are all kept, since an answer lists spans and can name them all;
a span that is annotated twice with the same label is kept once. Each of these is a remark, and remarks are counted.
A row that nobody annotated is no row without entities: it is left out, and counted too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from instructzoo.core.data.line_files import LeftOut, without_left_out
from instructzoo.core.data.readers import shorten
from instructzoo.core.errors import ZooError
from instructzoo.uie.schema import Annotation, Mention

DISCONTINUOUS = "discontinuous spans, read from the first to the last piece"
DUPLICATE = "spans annotated twice with one label, read once"
OVERLAPPING = "spans that lie in or across another one of the same kind"
NO_RELATION = "pairs without a relation, which are no part of an answer"
UNANNOTATED = "texts without an annotation, left out (an empty list says that there is nothing to find)"
INSIDE_WORD = "spans that begin or end within a word, or with a space"

LAYERS = ("entities", "relations", "events")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A text and its annotation.

    Attributes:
        text: The text.
        annotation: What is annotated in it, with labels as the file writes them.
        where: File and line, for error messages.
        remarks: What the reader had to decide; equal remarks are counted in the data card.
        layers: Those of LAYERS that are annotated: a text without the others may still hold some.
    """

    text: str
    annotation: Annotation
    where: str
    remarks: tuple[str, ...] = ()
    layers: tuple[str, ...] = LAYERS


def annotated(rows: Iterable[Sentence | LeftOut], path: Path) -> Iterator[Sentence]:
    """The sentences of a file, without the rows that are left out. Raises ZooError where all of them are."""
    return without_left_out(rows, path, "annotated texts", "annotate some, or leave out the file")


def make_sentence(
    text: str, annotation: Annotation, where: str, remarks: Sequence[str] = (), layers: Sequence[str] = LAYERS
) -> Sentence:
    """Check a text and its annotation: entities are kept once each, overlapping spans get a remark.

    Args:
        text: The text.
        annotation: What is annotated in it.
        where: File and line, for error messages.
        remarks: Remarks of the reader, before those of this function.
        layers: Those of LAYERS that are annotated.

    Returns:
        The checked sentence.

    Raises:
        ZooError: For a text that is blank or that no file can hold (half of a surrogate pair).
    """
    if not text.strip():
        raise ZooError("an empty text", "a sentence", "remove it with its annotation", where)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        found = f"half a character (U+{ord(text[error.start]):04X}) at {error.start}"
        raise ZooError(found, "whole Unicode characters", "correct the text", where) from error
    entities = tuple(dict.fromkeys(annotation.entities))
    duplicates = [DUPLICATE] * (len(annotation.entities) - len(entities))
    overlapping = [OVERLAPPING] * _count_overlapping(entities)
    all_remarks = (*remarks, *duplicates, *overlapping)
    return Sentence(text, replace(annotation, entities=entities), where, all_remarks, tuple(layers))


def _count_overlapping(mentions: Sequence[Mention]) -> int:
    """How many mentions begin before an earlier one ends."""
    count, last_end = 0, 0
    for mention in sorted(mentions, key=lambda m: (m.start, -m.end)):
        count += mention.start < last_end
        last_end = max(last_end, mention.end)
    return count


def make_span(text: str, start: int, end: int, where: str, stated_text: str | None = None) -> Mention:
    """Make a mention without a type.

    Args:
        text: The text of the sentence.
        start: Offset of the first character.
        end: Offset after the last character.
        where: File and line, for error messages.
        stated_text: The characters that the file states for the span; None where it states none.

    Returns:
        The mention.

    Raises:
        ZooError: For offsets outside of the text, an empty span, or characters other than `stated_text`.
    """
    if not 0 <= start < end <= len(text):
        expected = f"0 <= start < end <= {len(text)}, in characters of the text"
        raise ZooError(f"a span from {start} to {end}", expected, "correct the offsets", where)
    span = text[start:end]
    if stated_text is not None and stated_text != span:
        fix = "count characters, not bytes, from 0; the end is exclusive"
        raise ZooError(f'"{shorten(span)}" from {start} to {end}', f'"{shorten(stated_text)}"', fix, where)
    return Mention("", span, start, end)


def make_mention(type: object, text: str, start: int, end: int, where: str, stated_text: str | None = None) -> Mention:
    """Make the mention of a typed span.

    Args:
        type: The label; surrounding spaces are removed.
        text: The text that the offsets count in.
        start: Offset of the first character.
        end: Offset after the last character.
        where: File and line, for error messages.
        stated_text: The characters that the file states for the span; None where it states none.

    Returns:
        The mention with its type.

    Raises:
        ZooError: As for `make_span`, and for a blank type.
    """
    return replace(make_span(text, start, end, where, stated_text), type=checked_label(type, where))


def checked_label(label: object, where: str) -> str:
    """A label without surrounding spaces.

    Args:
        label: The label as the file has it.
        where: File and line, for the error message.

    Returns:
        The label.

    Raises:
        ZooError: For a label that is no text or blank.
    """
    if not isinstance(label, str) or not label.strip():
        raise ZooError(f"the label {label!r}", "a text", "name the type", where)
    return label.strip()


def join_tokens(tokens: Sequence[str]) -> tuple[str, list[int]]:
    """Join tokens by single spaces.

    Returns:
        The text, and the offset of each token: token i ends at starts[i] + len(tokens[i]).
    """
    starts, offset = [], 0
    for token in tokens:
        starts.append(offset)
        offset += len(token) + 1
    return " ".join(tokens), starts
