"""PHEE (Sun et al., EMNLP 2022): events of drug safety, one sentence a line of JSON.

    {"context": "Rash after penicillin.", "annotations": [{"events": [
        {"event_type": "Adverse_event", "Trigger": {"text": [["after"]], "start": [[5]]},
         "Effect": {"text": [["Rash"]], "start": [[0]]},
         "Treatment": {"text": [["penicillin"]], "start": [[11]],
                       "Drug": {"text": [["penicillin"]], "start": [[11]]}}}]}]}

A role within a role becomes an argument of its own, named Outer.Inner ("Treatment.Drug"). A combination of drugs, which
the file has inside a treatment, becomes an event of its own, with its own trigger. A judgement of the annotators
("value": true) is no span: it is left out and counted, while its cue is an argument.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from instructzoo.core.data.json_objects import objects
from instructzoo.core.data.line_files import malformed
from instructzoo.core.errors import ZooError
from instructzoo.uie.data.readers.base import (
    DISCONTINUOUS,
    DUPLICATE,
    Sentence,
    checked_label,
    make_sentence,
    make_span,
)
from instructzoo.uie.schema import Annotation, Event, Mention

FORM = '{"context": "...", "annotations": [{"events": [...]}]}'
SPAN_FORM = '{"text": [["piece"]], "start": [[0]]}'
JUDGEMENT = "judgements beside a cue (negated, speculated, severity), which no question asks for"

_EVENT_KEYS = ("event_id", "event_type", "Trigger")
_SPAN_KEYS = ("text", "start", "entity_id", "value")


def read_phee(path: Path) -> Iterator[Sentence]:
    """Sentences of PHEE. Raises ZooError with file:line for malformed objects."""
    for where, values in objects(path):
        text, annotations = values.get("context"), values.get("annotations")
        if not isinstance(text, str) or not isinstance(annotations, list):
            raise malformed(str(dict(values)), FORM, where)
        reader = _EventReader(text, where)
        for annotation in annotations:
            if not isinstance(annotation, dict) or not isinstance(annotation.get("events"), list):
                raise malformed(annotation, FORM, where)
            for event in annotation["events"]:
                try:
                    reader.add_event(event)
                except RecursionError as error:
                    raise malformed("roles within roles without end", FORM, where) from error
        yield make_sentence(text, Annotation(events=tuple(reader.events)), where, reader.remarks)


class _EventReader:
    """Collects the events of one sentence."""

    def __init__(self, text: str, where: str) -> None:
        self.text, self.where = text, where
        self.events: list[Event] = []
        self.remarks: list[str] = []

    def add_event(self, values: Any) -> None:
        """Read an event and those within its arguments."""
        if not isinstance(values, dict) or "Trigger" not in values:
            raise malformed(values, '{"event_type": "...", "Trigger": {...}}', self.where)
        type = checked_label(values.get("event_type"), self.where)
        triggers = self._spans(values["Trigger"])
        if len(triggers) != 1:
            raise ZooError(f"{len(triggers)} triggers of one event", "one", "correct the line", self.where)
        index = len(self.events)
        self.events.append(Event(type, triggers[0]))  # before the events within it
        prefix = f"{type}." if type == "Combination" else ""
        roles = [(role, nested) for role, nested in values.items() if role not in _EVENT_KEYS]
        mentions = [mention for role, nested in roles for mention in self._arguments(prefix + role, nested)]
        arguments = tuple(dict.fromkeys(mentions))
        self.remarks += [DUPLICATE] * (len(mentions) - len(arguments))
        self.events[index] = replace(self.events[index], arguments=arguments)

    def _arguments(self, name: str, values: Any) -> Iterator[Mention]:
        """The arguments of a role and of the roles within it."""
        yield from (replace(span, type=name) for span in self._spans(values))
        self.remarks += [JUDGEMENT] * ("value" in values)
        for role, nested in values.items():
            if role in _SPAN_KEYS:
                continue
            if role == "Combination" and isinstance(nested, list):
                for event in nested:
                    self.add_event(event)
            else:
                yield from self._arguments(f"{name}.{role}", nested)

    def _spans(self, values: Any) -> list[Mention]:
        """The spans of a role; each is a list of pieces."""
        if not isinstance(values, dict):
            raise malformed(values, SPAN_FORM, self.where)
        texts, starts = values.get("text"), values.get("start")
        if not isinstance(texts, list) or not isinstance(starts, list) or len(texts) != len(starts):
            raise malformed(values, SPAN_FORM, self.where)
        return [self._span(pieces, offsets) for pieces, offsets in zip(texts, starts, strict=True)]

    def _span(self, pieces: Any, starts: Any) -> Mention:
        """The span from its first to its last piece."""
        listed = isinstance(pieces, list) and isinstance(starts, list) and 0 < len(pieces) == len(starts)
        if not listed or not all(isinstance(p, str) for p in pieces) or not all(type(s) is int for s in starts):
            raise malformed([pieces, starts], SPAN_FORM, self.where)
        spans = [
            make_span(self.text, start, start + len(piece), self.where, piece)
            for piece, start in zip(pieces, starts, strict=True)
        ]
        if len(spans) == 1:
            return spans[0]
        self.remarks.append(DISCONTINUOUS)
        return make_span(self.text, min(m.start for m in spans), max(m.end for m in spans), self.where)
