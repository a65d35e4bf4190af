"""PHEE (Sun et al., EMNLP 2022): events of drug safety, one sentence a line of JSON.

    {"context": "Rash after penicillin.", "annotations": [{"events": [
        {"event_type": "Adverse_event", "Trigger": {"text": [["after"]], "start": [[5]]},
         "Effect": {"text": [["Rash"]], "start": [[0]]},
         "Treatment": {"text": [["penicillin"]], "start": [[11]],
                       "Drug": {"text": [["penicillin"]], "start": [[11]]}}}]}]}

A role within a role becomes an argument of its own, named Outer.Inner ("Treatment.Drug"). A combination of drugs, which
the file holds inside a treatment, becomes an event of its own, with its own trigger. What the annotators concluded
("value": true) is no span and is counted; its cue is an argument.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from instructzoo.core.data.line_files import malformed
from instructzoo.core.errors import ZooError
from instructzoo.uie.data.readers.base import DISCONTINUOUS, TWICE, Sentence, label, sentence, span
from instructzoo.uie.data.readers.json_formats import objects
from instructzoo.uie.schema import Annotation, Event, Mention

FORM = '{"context": "...", "annotations": [{"events": [...]}]}'
SPAN_FORM = '{"text": [["piece"]], "start": [[0]]}'
VALUE = "judgements beside a cue (negated, speculated, severity), which no question asks for"

_OWN = ("event_id", "event_type", "Trigger")
_SPAN = ("text", "start", "entity_id", "value")


def phee(path: Path) -> Iterator[Sentence]:
    """Sentences of PHEE. Raises ZooError with file:line for what has not the form."""
    for where, values in objects(path):
        text, annotations = values.get("context"), values.get("annotations")
        if not isinstance(text, str) or not isinstance(annotations, list):
            raise malformed(str(dict(values)), FORM, where)
        reader = _Reader(text, where)
        for annotation in annotations:
            if not isinstance(annotation, dict) or not isinstance(annotation.get("events"), list):
                raise malformed(annotation, FORM, where)
            for event in annotation["events"]:
                reader.event(event)
        yield sentence(text, Annotation(events=tuple(reader.events)), where, reader.remarks)


class _Reader:
    """Walks through the events of one sentence."""

    def __init__(self, text: str, where: str) -> None:
        self.text, self.where = text, where
        self.events: list[Event] = []
        self.remarks: list[str] = []

    def event(self, values: Any) -> None:
        if not isinstance(values, dict) or "Trigger" not in values:
            raise malformed(values, '{"event_type": "...", "Trigger": {...}}', self.where)
        type = label(values.get("event_type"), self.where)
        triggers = self.spans(values["Trigger"])
        if len(triggers) != 1:
            raise ZooError(f"{len(triggers)} triggers of one event", "one", "mend the line", self.where)
        place = len(self.events)
        self.events.append(Event(type, triggers[0]))  # before those that stand inside of it
        prefix = f"{type}." if type == "Combination" else ""
        found = [one for role, inner in values.items() if role not in _OWN for one in self.role(prefix + role, inner)]
        arguments = tuple(dict.fromkeys(found))
        self.remarks += [TWICE] * (len(found) - len(arguments))
        self.events[place] = replace(self.events[place], arguments=arguments)

    def role(self, name: str, values: Any) -> Iterator[Mention]:
        """The arguments of a role and of the roles inside of it."""
        if not isinstance(values, dict):
            raise malformed(values, SPAN_FORM, self.where)
        yield from (replace(one, type=name) for one in self.spans(values))
        self.remarks += [VALUE] * ("value" in values)
        for inner, more in values.items():
            if inner in _SPAN:
                continue
            if inner == "Combination" and isinstance(more, list):
                for event in more:
                    self.event(event)
            else:
                yield from self.role(f"{name}.{inner}", more)

    def spans(self, values: Mapping[str, Any]) -> list[Mention]:
        """The spans of a role; each is a list of pieces."""
        texts, starts = values.get("text"), values.get("start")
        if not isinstance(texts, list) or not isinstance(starts, list) or len(texts) != len(starts):
            raise malformed(dict(values), SPAN_FORM, self.where)
        return [self.span(pieces, places) for pieces, places in zip(texts, starts, strict=True)]

    def span(self, pieces: Any, places: Any) -> Mention:
        listed = isinstance(pieces, list) and isinstance(places, list) and 0 < len(pieces) == len(places)
        if not listed or not all(isinstance(p, str) for p in pieces) or not all(type(p) is int for p in places):
            raise malformed([pieces, places], SPAN_FORM, self.where)
        found = [
            span(self.text, start, start + len(piece), self.where, piece)
            for piece, start in zip(pieces, places, strict=True)
        ]
        if len(found) == 1:
            return found[0]
        self.remarks.append(DISCONTINUOUS)
        return span(self.text, min(m.start for m in found), max(m.end for m in found), self.where)
