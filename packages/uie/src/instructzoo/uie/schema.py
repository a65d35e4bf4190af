"""Annotations of a text (mentions, relations, events) and the nine tasks, each of which asks for a part of one.

    Annotation(entities=(Mention("person", "Ann", 0, 3), Mention("city", "Oslo", 13, 17)),
               relations=(Relation("lives in", Mention("", "Ann", 0, 3), Mention("", "Oslo", 13, 17)),))

Offsets count characters (code points) of the text, `end` is exclusive; both are -1 where the position is unknown. A
task sees only its projection: `project(annotation, "re")` has relations whose heads and tails carry no type.
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
"""Start and end of a mention whose position in the text is unknown, or that the text does not contain."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A span of the text.

    Attributes:
        type: The label of an entity, or the role of an argument; "" for triggers and for heads and tails of relations.
        text: The characters of the span.
        start: Offset of the first character, or UNKNOWN.
        end: Offset after the last character, or UNKNOWN.
    """

    type: str
    text: str
    start: int = UNKNOWN
    end: int = UNKNOWN


@dataclass(frozen=True, slots=True)
class Relation:
    """A typed relation from `head` to `tail`."""

    type: str
    head: Mention
    tail: Mention


@dataclass(frozen=True, slots=True)
class Event:
    """An event: its type, the word that expresses it, and its arguments, each typed by its role."""

    type: str
    trigger: Mention
    arguments: tuple[Mention, ...] = ()


@dataclass(frozen=True, slots=True)
class Annotation:
    """Everything that is annotated in one text, or that an answer states."""

    entities: tuple[Mention, ...] = ()
    relations: tuple[Relation, ...] = ()
    events: tuple[Event, ...] = ()


@dataclass(frozen=True, slots=True)
class Labels:
    """The labels that a question offers.

    Attributes:
        types: Types of entities, relations or events; for the task eea, roles.
        roles: Roles of arguments, for the task ee only.
    """

    types: tuple[str, ...]
    roles: tuple[str, ...] = ()


def project(annotation: Annotation, task: str, labels: Labels | None = None, event: str = "") -> Annotation:
    """Reduce an annotation to what a task asks for, in the order of the text.

    For eea the events of one type are merged into one without a trigger, since the question names the type only.
    Equal answers that no position tells apart (two labels of a span in es, two relations of a pair in ep, an argument
    of two events in eea) become one.

    Args:
        annotation: All that is annotated in the text.
        task: One of `TASKS`.
        labels: The labels that the question offers; anything with another label is left out. None keeps all labels.
        event: For eea, the type of event that the question names; "" keeps the events of all types.

    Returns:
        The projected annotation, with "" for every type that the task does not ask for.
    """
    if task in ENTITY_TASKS:
        entities = (m for m in annotation.entities if labels is None or m.type in labels.types)
        if task == "es":
            return Annotation(entities=tuple(dict.fromkeys(replace(m, type="") for m in _in_text_order(entities))))
        return Annotation(entities=tuple(_in_text_order(entities)))
    if task in RELATION_TASKS:
        relations = [r for r in annotation.relations if labels is None or r.type in labels.types]
        untyped = (
            Relation("" if task == "ep" else r.type, replace(r.head, type=""), replace(r.tail, type=""))
            for r in sorted(relations, key=lambda r: (*_position(r.head), *_position(r.tail)))
        )
        return Annotation(relations=tuple(dict.fromkeys(untyped)))
    events = [e for e in annotation.events if task != "eea" or event in ("", e.type)]
    return Annotation(events=_project_events(events, task, labels))


def _project_events(events: Sequence[Event], task: str, labels: Labels | None) -> tuple[Event, ...]:
    """`project` for the tasks of events."""
    ordered = sorted(events, key=lambda e: _position(e.trigger))
    if task == "eea":
        arguments_by_type: dict[str, list[Mention]] = {}
        for event in ordered:
            arguments_by_type.setdefault(event.type, []).extend(event.arguments)
        roles = labels.types if labels else None
        merged = (
            Event(type, Mention("", ""), _select_arguments(dict.fromkeys(arguments), roles))
            for type, arguments in arguments_by_type.items()
        )
        return tuple(event for event in merged if event.arguments)
    offered = (e for e in ordered if labels is None or e.type in labels.types)
    offered_roles: tuple[str, ...] | None = () if task == "eet" else labels.roles if labels else None
    return tuple(
        Event(e.type, replace(e.trigger, type=""), _select_arguments(e.arguments, offered_roles)) for e in offered
    )


def _select_arguments(arguments: Iterable[Mention], roles: tuple[str, ...] | None) -> tuple[Mention, ...]:
    """The arguments with one of these roles (None: all), in the order of the text."""
    return tuple(_in_text_order(m for m in arguments if roles is None or m.type in roles))


def _in_text_order(mentions: Iterable[Mention]) -> list[Mention]:
    return sorted(mentions, key=_position)


def _position(mention: Mention) -> tuple[int, int]:
    """Sort key: by start, the longer span first. Mentions of unknown position keep their order."""
    return (mention.start, -mention.end)


def count(annotation: Annotation) -> int:
    """How many entities, relations, events and arguments an annotation has in all."""
    arguments = sum(len(event.arguments) for event in annotation.events)
    return len(annotation.entities) + len(annotation.relations) + len(annotation.events) + arguments


def to_json(annotation: Annotation) -> str:
    """One line of JSON; empty lists are left out: {"entities": [["person", "Ann", 0, 3]]}."""
    values: dict[str, Any] = {}
    if annotation.entities:
        values["entities"] = [_to_list(m) for m in annotation.entities]
    if annotation.relations:
        values["relations"] = [
            {"type": r.type, "head": _to_list(r.head), "tail": _to_list(r.tail)} for r in annotation.relations
        ]
    if annotation.events:
        values["events"] = [
            {"type": e.type, "trigger": _to_list(e.trigger), "arguments": [_to_list(m) for m in e.arguments]}
            for e in annotation.events
        ]
    return json.dumps(values, ensure_ascii=False)


def from_json(text: str | Mapping[str, Any], where: str = "") -> Annotation:
    """Read what `to_json` writes.

    Args:
        text: The JSON text, or the object that it stands for.
        where: Named in error messages, such as "row 7".

    Returns:
        The annotation.

    Raises:
        ZooError: For anything that is not an annotation in this format.
    """
    try:
        values = json.loads(text) if isinstance(text, str) else text
        if unknown := set(values) - {"entities", "relations", "events"}:
            raise KeyError(*unknown)
        return Annotation(
            tuple(_from_list(m) for m in values.get("entities", ())),
            tuple(
                Relation(str(r["type"]), _from_list(r["head"]), _from_list(r["tail"]))
                for r in values.get("relations", ())
            ),
            tuple(
                Event(str(e["type"]), _from_list(e["trigger"]), tuple(_from_list(m) for m in e.get("arguments", ())))
                for e in values.get("events", ())
            ),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        expected = '{"entities": [[type, text, start, end]], "relations": [...], "events": [...]}'
        raise ZooError(f"no annotation: {type(error).__name__} {error}", expected, "correct the row", where) from error


def _to_list(mention: Mention) -> list[str | int]:
    return [mention.type, mention.text, mention.start, mention.end]


def _from_list(values: Sequence[Any]) -> Mention:
    type, text, start, end = values
    if not (isinstance(type, str) and isinstance(text, str) and isinstance(start, int) and isinstance(end, int)):
        raise TypeError(f"{values!r} is no [type, text, start, end]")
    return Mention(type, text, start, end)
