"""Finds where the spans of an answer occur in the text: an answer names spans, not offsets.

The n-th entity (or trigger) with the same span is the span's n-th occurrence, or the last one where there are fewer.
Heads and tails of relations and arguments, which may name one mention many times, are the first occurrence. An
occurrence begins and ends at a word boundary; where the text has none such, any occurrence counts. A span that the text
does not contain gets the offset -1: the model invented it.
"""

from __future__ import annotations

from dataclasses import replace

from instructzoo.uie.schema import UNKNOWN, Annotation, Event, Mention, Relation


def align_spans(annotation: Annotation, text: str) -> Annotation:
    """Give every mention of an answer its offsets in the text.

    Args:
        annotation: What an answer states; offsets that it has already are ignored.
        text: The text that was asked about.

    Returns:
        The annotation with `start` and `end` in characters of `text`, UNKNOWN for spans that it does not contain.
    """
    finder = SpanFinder(text)
    return Annotation(
        tuple(finder.align_next(m, "entity") for m in annotation.entities),
        tuple(Relation(r.type, finder.align_first(r.head), finder.align_first(r.tail)) for r in annotation.relations),
        tuple(
            Event(e.type, finder.align_next(e.trigger, "trigger"), tuple(finder.align_first(m) for m in e.arguments))
            for e in annotation.events
        ),
    )


class SpanFinder:
    """Looks up spans in one text; every distinct span is searched once from left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.last_starts: dict[tuple[str, str], int] = {}  # by (kind, span): the occurrence that was used last
        self.first_starts: dict[str, int] = {}
        self.exhausted: set[tuple[str, str]] = set()  # (kind, span) whose last occurrence was used
        self.within_words: set[str] = set()  # spans that occur nowhere between word boundaries

    def align_first(self, mention: Mention) -> Mention:
        """The mention at the first occurrence of its span."""
        return _at(mention, self._first_start(mention.text))

    def align_next(self, mention: Mention, kind: str) -> Mention:
        """The mention at the next occurrence of its span that no mention of this kind has used."""
        key = (kind, mention.text)
        if key not in self.last_starts:
            self.last_starts[key] = self._first_start(mention.text)
            if self.last_starts[key] == UNKNOWN:
                self.exhausted.add(key)
        elif key not in self.exhausted:
            start = self._next_start(mention.text, self.last_starts[key] + len(mention.text))
            if start == UNKNOWN:
                self.exhausted.add(key)  # so that further mentions of the span do not search again
            else:
                self.last_starts[key] = start
        return _at(mention, self.last_starts[key])

    def count(self, span: str) -> int:
        """How many occurrences the entities of an answer can find for one span."""
        n, start = 0, self._first_start(span)
        while start != UNKNOWN:
            n, start = n + 1, self._next_start(span, start + len(span))
        return n

    def _first_start(self, span: str) -> int:
        if span not in self.first_starts:
            start = find_whole_words(self.text, span, 0)
            if start == UNKNOWN and span:
                start = self.text.find(span)
                self.within_words.add(span)
            self.first_starts[span] = start
        return self.first_starts[span]

    def _next_start(self, span: str, start: int) -> int:
        if span in self.within_words:
            return self.text.find(span, start)
        return find_whole_words(self.text, span, start)


def find_whole_words(text: str, span: str, start: int) -> int:
    """The next offset from `start` on where `span` occurs between word boundaries; -1 where there is none.

    Args:
        text: The text that is searched.
        span: The words to find; "" is found nowhere.
        start: The offset in characters that the search begins at.

    Returns:
        The offset of the first character of the span.
    """
    offset = text.find(span, start) if span else UNKNOWN
    while offset != UNKNOWN and not (_is_word_boundary(text, offset) and _is_word_boundary(text, offset + len(span))):
        offset = text.find(span, offset + 1)
    return offset


def _is_word_boundary(text: str, offset: int) -> bool:
    """Whether a word begins or ends at the offset: not both neighbours are letters or digits."""
    return offset in (0, len(text)) or not (text[offset - 1].isalnum() and text[offset].isalnum())


def _at(mention: Mention, start: int) -> Mention:
    return replace(mention, start=start, end=start + len(mention.text) if start != UNKNOWN else UNKNOWN)
