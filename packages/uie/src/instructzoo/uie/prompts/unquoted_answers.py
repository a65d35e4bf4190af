"""Reads answers in a format that has no quotes, with the text beside them: InstructUIE's (dialects/instructuie.py).

    person: Ann; work: Men; Women; city: Oslo        "Men; Women" is one span where the text contains it

A ";" or a "," separates two elements of an answer, unless what stands on one side of it is none: "Women" is no
"label: span", and the text contains "Men; Women". Where both sides are elements, such as the spans of a list, they are
taken as two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from instructzoo.uie.data.row_fields import event_of, labels_of
from instructzoo.uie.prompts import answer_format
from instructzoo.uie.schema import Annotation, Event, Mention, Relation

MOST_JOINED = 16
"""Pieces between separators that are tried as one element: a bound, so that reading stays linear."""

Element = TypeVar("Element")
Read = Callable[[str], tuple[Element, bool] | None]
"""Reads an element from a piece of an answer; also whether all its labels are on offer and its spans in the text."""


class UnquotedAnswerReader:
    """Reads answers to one row. Its methods raise ValueError where a text does not follow the format.

    Args:
        row: The question.
    """

    def __init__(self, row: Mapping[str, Any]) -> None:
        labels = labels_of(row)
        self.sentence, self.event = str(row.get("input") or ""), event_of(row)
        self.types = sorted(labels.types, key=len, reverse=True)
        self.roles = frozenset(labels.roles if row.get("task") == "ee" else labels.types)

    def annotation(self, text: str, task: str) -> Annotation:
        """What an answer states, without offsets.

        Args:
            text: The answer, which is not "None".
            task: One of `schema.TASKS`.
        """
        if task in ("ner", "et"):
            return Annotation(entities=tuple(Mention(*pair) for pair in _elements(text, ";", self.labelled)))
        if task == "es":
            return Annotation(entities=tuple(Mention("", span) for span in _elements(text, ",", self.span)))
        if task in ("re", "epr"):
            return Annotation(relations=tuple(_elements(text, ";", self.relation)))
        if task == "ep":
            pairs = _elements(text, ";", self.pair)
            return Annotation(relations=tuple(Relation("", Mention("", h), Mention("", t)) for h, t in pairs))
        if task == "eet":
            triggers = _elements(text, ";", self.labelled)
            return Annotation(events=tuple(Event(type, Mention("", trigger)) for type, trigger in triggers))
        if task == "eea":
            arguments = tuple(_elements(text, ";", self.argument))
            return Annotation(events=(Event(self.event, Mention("", ""), arguments),))
        return Annotation(events=tuple(map(self.read_event, _split_events(text))))

    def read_event(self, text: str) -> Event:
        """`type: trigger, argument: role, ...`, without its parentheses."""
        pieces = text.split(",")
        (type, trigger), size = _next_element(pieces, 0, ",", self.labelled)
        rest = ",".join(pieces[size:]).strip()
        arguments = _elements(rest, ",", self.argument) if rest not in ("", answer_format.NONE) else []
        return Event(type, Mention("", trigger), tuple(arguments))

    def span(self, text: str) -> tuple[str, bool] | None:
        return (text, text in self.sentence) if text else None

    def labelled(self, text: str) -> tuple[tuple[str, str], bool] | None:
        """`label: span`. A label on offer may hold a colon."""
        for label in self.types:
            if text.startswith(f"{label}:") and (span := text[len(label) + 1 :].strip()):
                return (label, span), span in self.sentence
        label, colon, span = (part.strip() for part in text.partition(":"))
        return ((label, span), False) if label and colon and span else None

    def argument(self, text: str) -> tuple[Mention, bool] | None:
        """`argument: role`."""
        span, colon, role = (part.strip() for part in text.rpartition(":"))
        if not (span and colon and role):
            return None
        return Mention(role, span), role in self.roles and span in self.sentence

    def pair(self, text: str) -> tuple[tuple[str, str], bool] | None:
        """`head, tail`, cut at the first comma that leaves two spans of the text, else at the first one."""
        cuts = [i for i, character in enumerate(text) if character == ","][:MOST_JOINED]
        pairs = [(text[:cut].strip(), text[cut + 1 :].strip()) for cut in cuts]
        pairs = [pair for pair in pairs if all(pair)]
        if not pairs:
            return None
        found = next((pair for pair in pairs if all(span in self.sentence for span in pair)), None)
        return found or pairs[0], found is not None

    def relation(self, text: str) -> tuple[Relation, bool] | None:
        """`relation: head, tail`."""
        labelled = self.labelled(text)
        pair = self.pair(labelled[0][1]) if labelled else None
        if not labelled or not pair:
            return None
        (head, tail), in_text = pair
        return Relation(labelled[0][0], Mention("", head), Mention("", tail)), in_text


def _elements(text: str, separator: str, read: Read[Element]) -> list[Element]:
    """The elements between separators: of the pieces from each place on, the fewest that read as one of the text.

    Raises:
        ValueError: A piece reads as no element.
    """
    pieces = text.split(separator)
    while pieces and not pieces[-1].strip():  # a separator at the end
        pieces.pop()
    elements, start = list[Element](), 0
    while start < len(pieces):
        element, size = _next_element(pieces, start, separator, read)
        elements.append(element)
        start += size
    return elements


def _next_element(pieces: Sequence[str], start: int, separator: str, read: Read[Element]) -> tuple[Element, int]:
    """The element that begins at a piece, and of how many pieces it is: of one where none is in the text as a whole."""
    for size in range(1, min(MOST_JOINED, len(pieces) - start) + 1):
        element = read(separator.join(pieces[start : start + size]).strip())
        end = start + size
        if element and element[1] and (end == len(pieces) or read(pieces[end].strip())):
            return element[0], size
    element = read(pieces[start].strip())
    if not element:
        raise ValueError(f'no element of the answer: "{pieces[start].strip()[:40]}"')
    return element[0], 1


def _split_events(text: str) -> Iterator[str]:
    """The events of an answer, without their parentheses; a parenthesis within one belongs to a span."""
    rest = text
    while rest.strip():
        rest = rest.strip().removeprefix(",").strip()
        if not rest.startswith("("):
            raise ValueError(f'no "(" at "{rest[:40]}"')
        end = _event_end(rest)
        if end < 0:
            raise ValueError(f'an event that does not end: "{rest[:40]}"')
        yield rest[1:end]
        rest = rest[end + 1 :]


def _event_end(text: str) -> int:
    """The index of the parenthesis that closes the event at the start: the first before the end or before ", ("."""
    end = text.find(")")
    while end >= 0:
        after = text[end + 1 :].strip()
        if not after or (after.startswith(",") and after[1:].lstrip().startswith("(")):
            return end
        end = text.find(")", end + 1)
    return -1
