"""A person's own labels and text -> questions for the model, and its answers -> one annotation of the whole text.

schema = read_schema("person, city", "lives in", "attack: attacker, victim")
extract(predictor, "Ann lives in Oslo.", schema).annotation

A text is asked sentence by sentence, since that is what the model was trained on, once for each task of the schema.
Nothing that the model writes is left out: what has no form, no place in the text or no label of the schema is counted.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from instructzoo.core.data.readers import cut
from instructzoo.core.data.sentence_split import sentences
from instructzoo.core.errors import ZooError
from instructzoo.core.record import Invalid, Row
from instructzoo.uie import prompts
from instructzoo.uie.prompts.templates import WORDINGS
from instructzoo.uie.schema import UNKNOWN, Annotation, Event, Mention, Relation

MAX_LABELS, MAX_LABEL = 40, 60
"""Labels of one kind, and characters of one label."""
NAMED, LONGEST = 5, 40
"""Spans or labels that a note names, and characters that are shown of one."""
ODD, AGAIN = "not a role that you gave this event", "said more often than it stands there"

ASKED = {"ner": "entities", "re": "relations", "ee": "events"}
"""The tasks of a schema, and the part of it that each asks for."""


class Answers(Protocol):
    """What is needed of a predictor (instructzoo.core.infer.Predictor is one)."""

    def answer(self, rows: Sequence[Row]) -> list[str]: ...


@dataclass(frozen=True)
class Schema:
    """What is looked for. events: the roles of each event type."""

    entities: tuple[str, ...] = ()
    relations: tuple[str, ...] = ()
    events: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def options(self, task: str) -> Any:
        """The column `options` of a question; empty where the task is not asked."""
        if task == "ee":
            roles = dict.fromkeys(role for roles in self.events.values() for role in roles)
            return {"events": list(self.events), "roles": list(roles)} if self.events else None
        return list(self.entities if task == "ner" else self.relations)


@dataclass(frozen=True)
class Reply:
    """What the model wrote on one task of one sentence, and what it means, places counted in the sentence."""

    task: str
    sentence: str
    written: str
    meant: Annotation | Invalid


@dataclass(frozen=True)
class Extraction:
    """The annotation of a whole text, what the model wrote, and what is amiss, a sentence each."""

    text: str
    annotation: Annotation
    replies: tuple[Reply, ...]
    notes: tuple[str, ...]


def read_schema(entities: str, relations: str, events: str) -> Schema:
    """The schema as a person writes it: labels between commas or on lines; an event a line, "type: role, role".

    Raises ZooError for what is no label, for one that stands twice, for too many, and where there is none at all.
    """
    found: dict[str, tuple[str, ...]] = {}
    for line in filter(None, map(str.strip, (events or "").splitlines())):
        type, _, roles = line.partition(":")
        (name, *more) = _labels(type, "event type") or ("",)
        if more or not name:
            raise ZooError(
                f'"{cut(line, LONGEST)}" as an event', "one a line: type: role, role", "mend the event types"
            )
        if name in found:
            raise ZooError(f'the event type "{name}" stands twice', "each once", "remove one")
        found[name] = _labels(roles, f'role of "{name}"')
    if len(found) > MAX_LABELS:
        raise ZooError(f"{len(found)} event types", f"at most {MAX_LABELS}", "leave some out")
    schema = Schema(_labels(entities, "entity type"), _labels(relations, "relation type"), found)
    if not (schema.entities or schema.relations or schema.events):
        raise ZooError("no label", "an entity, relation or event type", "write one, such as person")
    return schema


def _labels(text: str, kind: str) -> tuple[str, ...]:
    labels = [" ".join(part.split()) for part in re.split(r"[,;\n]", text or "")]
    labels = [label for label in labels if label]
    for label, times in Counter(labels).items():
        if times > 1:
            raise ZooError(f'the {kind} "{cut(label, LONGEST)}" stands twice', "each once", "remove one")
        if len(label) > MAX_LABEL:
            raise ZooError(f"a {kind} of {len(label)} characters", f"at most {MAX_LABEL}", "shorten it")
        if not label.isprintable() or not any(c.isalnum() for c in label):
            raise ZooError(f'the {kind} "{ascii(label)[1:-1]}"', "words that can be read", "mend it")
    if len(labels) > MAX_LABELS:
        raise ZooError(f"{len(labels)} labels as {kind}", f"at most {MAX_LABELS}", "leave some out")
    return tuple(labels)


def questions(sentence: str, schema: Schema) -> list[Row]:
    """One row for each task of the schema, in the wording that the house uses first."""
    return [
        {
            "instruction": WORDINGS[task][0],
            "input": sentence,
            "output": "",
            "task": task,
            "options": json.dumps(options, ensure_ascii=False),
            "given": "",
        }
        for task in ASKED
        if (options := schema.options(task))
    ]


def extract(predictor: Answers, text: str, schema: Schema) -> Extraction:
    """Everything that the model finds in a text. Raises ZooError for a sentence that is too long for it."""
    pieces = list(sentences(text))
    rows = [(start, row) for start, sentence in pieces for row in questions(sentence, schema)]
    written = predictor.answer([row for _, row in rows]) if rows else []
    return gather(text, schema, [(start, row, said) for (start, row), said in zip(rows, written, strict=True)])


def gather(text: str, schema: Schema, said: Sequence[tuple[int, Row, str]]) -> Extraction:
    """The answers to the questions on a text's sentences, each with the place where its sentence begins, as one."""
    replies = list[Reply]()
    entities, relations, events = list[Mention](), list[Relation](), list[Event]()
    for start, row, written in said:
        meant = prompts.parse(written, row)
        found = meant if isinstance(meant, Invalid) else meant.annotation
        replies.append(Reply(row["task"], row["input"], written, found))
        if not isinstance(found, Invalid):
            moved = _moved(found, start)
            entities += moved.entities
            relations += moved.relations
            events += moved.events
    whole = Annotation(_once(entities), tuple(dict.fromkeys(relations)), tuple(events))
    return Extraction(text, whole, tuple(replies), tuple(_notes(replies, schema)))


def _moved(found: Annotation, start: int) -> Annotation:
    """The annotation of a sentence, with places in the text that it stands in."""

    def move(mention: Mention) -> Mention:
        if mention.start == UNKNOWN:
            return mention
        return replace(mention, start=mention.start + start, end=mention.end + start)

    return Annotation(
        tuple(map(move, found.entities)),
        tuple(Relation(r.type, move(r.head), move(r.tail)) for r in found.relations),
        tuple(Event(e.type, move(e.trigger), tuple(map(move, e.arguments))) for e in found.events),
    )


def _once(mentions: Sequence[Mention]) -> tuple[Mention, ...]:
    """Equal mentions of one place are one; those without a place may be several."""
    seen = dict.fromkeys(m for m in mentions if m.start != UNKNOWN)
    return (*seen, *(m for m in mentions if m.start == UNKNOWN))


def _notes(replies: Sequence[Reply], schema: Schema) -> Iterator[str]:
    invalid = [f"{r.task}: {r.meant.reason}" for r in replies if isinstance(r.meant, Invalid)]
    if invalid:
        yield f"{len(invalid)} answer{'s' if invalid[1:] else ''} without the form of an answer ({invalid[0]})"
    kinds = ("not in the text", "not among your labels", ODD, AGAIN)
    amiss = {kind: Counter[str]() for kind in kinds}
    for reply in replies:
        if not isinstance(reply.meant, Invalid):
            said = Counter(reply.meant.entities)
            amiss[AGAIN].update(f"{m.text} ({m.type})" for m, times in said.items() if times > 1)
            made_up = (m for m in _mentions(reply.meant) if m.start == UNKNOWN)
            amiss["not in the text"].update(f"{m.text} ({m.type})" if m.type else m.text for m in made_up)
            amiss["not among your labels"].update(_strangers(reply.meant, reply.task, schema))
            amiss[ODD].update(
                f"{a.type} of {e.type}" for e in reply.meant.events for a in e.arguments if _odd(e, a, schema)
            )
    for what, found in amiss.items():
        if found:
            names = ", ".join(f"“{cut(name, LONGEST)}”" for name in list(found)[:NAMED])
            yield f"{what}: {names}" + (f" and {len(found) - NAMED} more" if len(found) > NAMED else "")


def _mentions(found: Annotation) -> Iterator[Mention]:
    yield from found.entities
    for relation in found.relations:
        yield from (relation.head, relation.tail)
    for event in found.events:
        yield from (event.trigger, *event.arguments)


def _strangers(found: Annotation, task: str, schema: Schema) -> Iterator[str]:
    """Labels that the model was not offered."""
    options = schema.options(task)
    types, roles = (options["events"], options["roles"]) if task == "ee" else (options, [])
    yield from (m.type for m in found.entities if m.type not in types)
    yield from (r.type for r in found.relations if r.type not in types)
    yield from (e.type for e in found.events if e.type not in types)
    yield from (a.type for e in found.events for a in e.arguments if a.type not in roles)


def _odd(event: Event, argument: Mention, schema: Schema) -> bool:
    """Whether a role that was offered belongs to other events only: the model is offered all roles at once."""
    return argument.type in schema.options("ee")["roles"] and argument.type not in schema.events.get(event.type, ())
