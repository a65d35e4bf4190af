"""What can be found in a text: mentions, relations, events; and the nine tasks that ask for parts of it.

    Annotation(entities=(Mention("person", "Ann", 0, 3), Mention("city", "Oslo", 13, 17)),
               relations=(Relation("lives in", Mention("", "Ann", 0, 3), Mention("", "Oslo", 13, 17)),))

Offsets count characters (code points) of the text, `end` exclusive; -1 where the place is not known. A task sees only
its projection: `project(annotation, "re")` has relations whose two sides carry no type.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from instructzoo.core.errors import ZooError

TASKS = ("ner", "re", "ee", "es", "et", "ep", "epr", "eet", "eea")
"""The three tasks and the six auxiliary ones of the paper: named entities, relations, events; entity spans, entity
typing, entity pairs, relations of given pairs, event triggers, event arguments."""

ENTITY_TASKS, RELATION_TASKS, EVENT_TASKS = ("ner", "es", "et"), ("re", "ep", "epr"), ("ee", "eet", "eea")
UNKNOWN = -1


@dataclass(frozen=True, slots=True)
class Mention:
    """A piece of the text. type: its label; of an argument its role; "" where none is asked (a side, a trigger)."""

    type: str
    text: str
    start: int = UNKNOWN
    end: int = UNKNOWN


@dataclass(frozen=True, slots=True)
class Relation:
    type: str
    head: Mention
    tail: Mention


@dataclass(frozen=True, slots=True)
class Event:
    type: str
    trigger: Mention
    arguments: tuple[Mention, ...] = ()


@dataclass(frozen=True, slots=True)
class Annotation:
    entities: tuple[Mention, ...] = ()
    relations: tuple[Relation, ...] = ()
    events: tuple[Event, ...] = ()


@dataclass(frozen=True, slots=True)
class Labels:
    """The labels that a question offers. types: of entities, relations or events, or roles for eea; roles: for ee."""

    types: tuple[str, ...]
    roles: tuple[str, ...] = ()


def project(annotation: Annotation, task: str, labels: Labels | None = None, event: str = "") -> Annotation:
    """The part of an annotation that a task asks for, in the order of the text; what `labels` does not offer is left.

    eea keeps one event for each type, without a trigger: the question names the type only, and with `event` no other is
    left. Equal answers that no place
    tells apart (two labels of a span in es, two relations of a pair in ep, an argument of two events in eea) are one.
    """
    if task in ENTITY_TASKS:
        kept = (m for m in annotation.entities if labels is None or m.type in labels.types)
        if task == "es":
            return Annotation(entities=tuple(dict.fromkeys(replace(m, type="") for m in _sorted(kept))))
        return Annotation(entities=tuple(_sorted(kept)))
    if task in RELATION_TASKS:
        kept_relations = [r for r in annotation.relations if labels is None or r.type in labels.types]
        bare = (
            Relation("" if task == "ep" else r.type, replace(r.head, type=""), replace(r.tail, type=""))
            for r in sorted(kept_relations, key=lambda r: (*_place(r.head), *_place(r.tail)))
        )
        return Annotation(relations=tuple(dict.fromkeys(bare)))
    events = [e for e in annotation.events if task != "eea" or event in ("", e.type)]
    return Annotation(events=_events(events, task, labels))


def _events(events: Sequence[Event], task: str, labels: Labels | None) -> tuple[Event, ...]:
    ordered = sorted(events, key=lambda e: _place(e.trigger))
    if task == "eea":
        merged: dict[str, list[Mention]] = {}
        for event in ordered:
            merged.setdefault(event.type, []).extend(event.arguments)
        roles = labels.types if labels else None
        found = (Event(type, Mention("", ""), _arguments(dict.fromkeys(m), roles)) for type, m in merged.items())
        return tuple(event for event in found if event.arguments)
    kept = (e for e in ordered if labels is None or e.type in labels.types)
    asked: tuple[str, ...] | None = () if task == "eet" else labels.roles if labels else None
    return tuple(Event(e.type, replace(e.trigger, type=""), _arguments(e.arguments, asked)) for e in kept)


def _arguments(arguments: Iterable[Mention], roles: tuple[str, ...] | None) -> tuple[Mention, ...]:
    return tuple(_sorted(m for m in arguments if roles is None or m.type in roles))


def _sorted(mentions: Iterable[Mention]) -> list[Mention]:
    return sorted(mentions, key=_place)


def _place(mention: Mention) -> tuple[int, int]:
    """Order in the text: by start, the longer first; what has no place keeps its order."""
    return (mention.start, -mention.end)


def count(annotation: Annotation) -> int:
    """How many entities, relations, events and arguments an annotation holds."""
    arguments = sum(len(event.arguments) for event in annotation.events)
    return len(annotation.entities) + len(annotation.relations) + len(annotation.events) + arguments


def to_json(annotation: Annotation) -> str:
    """One line of JSON; parts that are empty are left out: {"entities": [["person", "Ann", 0, 3]]}."""
    made: dict[str, Any] = {}
    if annotation.entities:
        made["entities"] = [_flat(m) for m in annotation.entities]
    if annotation.relations:
        made["relations"] = [
            {"type": r.type, "head": _flat(r.head), "tail": _flat(r.tail)} for r in annotation.relations
        ]
    if annotation.events:
        made["events"] = [
            {"type": e.type, "trigger": _flat(e.trigger), "arguments": [_flat(m) for m in e.arguments]}
            for e in annotation.events
        ]
    return json.dumps(made, ensure_ascii=False)


def from_json(text: str | Mapping[str, Any], where: str = "") -> Annotation:
    """What `to_json` wrote, or the same as an object. Raises ZooError naming `where` for anything else."""
    try:
        found = json.loads(text) if isinstance(text, str) else text
        if unknown := set(found) - {"entities", "relations", "events"}:
            raise KeyError(*unknown)
        return Annotation(
            tuple(_mention(m) for m in found.get("entities", ())),
            tuple(
                Relation(str(r["type"]), _mention(r["head"]), _mention(r["tail"])) for r in found.get("relations", ())
            ),
            tuple(
                Event(str(e["type"]), _mention(e["trigger"]), tuple(_mention(m) for m in e.get("arguments", ())))
                for e in found.get("events", ())
            ),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        expected = '{"entities": [[type, text, start, end]], "relations": [...], "events": [...]}'
        raise ZooError(f"no annotation: {type(error).__name__} {error}", expected, "mend the row", where) from error


def _flat(mention: Mention) -> list[str | int]:
    return [mention.type, mention.text, mention.start, mention.end]


def _mention(values: Sequence[Any]) -> Mention:
    type, text, start, end = values
    if not (isinstance(type, str) and isinstance(text, str) and isinstance(start, int) and isinstance(end, int)):
        raise TypeError(f"{values!r} is no [type, text, start, end]")
    return Mention(type, text, start, end)
