"""Where the spans of an answer stand in the text. An answer names spans, not places; this is the rule that finds them.

The n-th entity (or trigger) with the same span takes its n-th occurrence, the last one where there are fewer. Sides of
relations and arguments, which may name one mention many times, take the first. An occurrence begins and ends at the
edge of a word; where there is none such, any counts. A span that the text does not hold has the place -1: the model
made it up.
"""

from __future__ import annotations

from dataclasses import replace

from instructzoo.uie.schema import UNKNOWN, Annotation, Event, Mention, Relation


def locate(annotation: Annotation, text: str) -> Annotation:
    """The annotation with places in `text`."""
    finder = Finder(text)
    return Annotation(
        tuple(finder.next(m, "entity") for m in annotation.entities),
        tuple(Relation(r.type, finder.first(r.head), finder.first(r.tail)) for r in annotation.relations),
        tuple(
            Event(e.type, finder.next(e.trigger, "trigger"), tuple(finder.first(m) for m in e.arguments))
            for e in annotation.events
        ),
    )


class Finder:
    """Looks spans up in one text; every distinct span is searched once from left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.last: dict[tuple[str, str], int] = {}
        self.firsts: dict[str, int] = {}
        self.ended: set[tuple[str, str]] = set()
        self.loose: set[str] = set()  # spans that stand nowhere with the edges of words around

    def first(self, mention: Mention) -> Mention:
        return _at(mention, self._first(mention.text))

    def next(self, mention: Mention, kind: str) -> Mention:
        key = (kind, mention.text)
        if key not in self.last:
            self.last[key] = self._first(mention.text)
            if self.last[key] == UNKNOWN:
                self.ended.add(key)
        elif key not in self.ended:
            later = self._later(mention.text, self.last[key] + len(mention.text))
            if later == UNKNOWN:
                self.ended.add(key)  # not to be searched again for every further one
            else:
                self.last[key] = later
        return _at(mention, self.last[key])

    def count(self, span: str) -> int:
        """How many places the entities of an answer can find for one span."""
        found, start = 0, self._first(span)
        while start != UNKNOWN:
            found, start = found + 1, self._later(span, start + len(span))
        return found

    def _first(self, span: str) -> int:
        if span not in self.firsts:
            start = occurrence(self.text, span, 0)
            if start == UNKNOWN and span:
                start = self.text.find(span)
                self.loose.add(span)
            self.firsts[span] = start
        return self.firsts[span]

    def _later(self, span: str, start: int) -> int:
        return self.text.find(span, start) if span in self.loose else occurrence(self.text, span, start)


def occurrence(text: str, span: str, start: int) -> int:
    """Where `span` next stands in `text` with the edges of words around it; -1 where it does not."""
    place = text.find(span, start) if span else UNKNOWN
    while place != UNKNOWN and not (_edge(text, place) and _edge(text, place + len(span))):
        place = text.find(span, place + 1)
    return place


def _edge(text: str, place: int) -> bool:
    """Whether a word ends or begins here: not both neighbours are letters or digits."""
    return place in (0, len(text)) or not (text[place - 1].isalnum() and text[place].isalnum())


def _at(mention: Mention, start: int) -> Mention:
    return replace(mention, start=start, end=start + len(mention.text) if start != UNKNOWN else UNKNOWN)
