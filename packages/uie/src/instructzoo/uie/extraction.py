"""Extraction with labels of the user's choice: builds the questions on a text and combines the answers.

    schema = read_schema("person, city", "lives in", "attack: attacker, victim")
    extract(predictor, "Ann lives in Oslo.", schema).annotation

The model is asked sentence by sentence, as in training, once for each task of the schema. Nothing that the model writes
is dropped silently: answers that cannot be parsed, spans that the text lacks and labels outside the schema are
reported.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from instructzoo.core.data.readers import shorten
from instructzoo.core.data.sentence_split import sentences
from instructzoo.core.errors import ZooError
from instructzoo.core.infer.own_format import in_own_format
from instructzoo.core.record import Invalid, Row
from instructzoo.uie import prompts
from instructzoo.uie.prompts.templates import INSTRUCTIONS
from instructzoo.uie.schema import UNKNOWN, Annotation, Event, Mention, Relation

MAX_LABELS, MAX_LABEL_LENGTH = 40, 60
"""Labels of one kind, and characters of one label."""
MAX_NAMED, MAX_SHOWN = 5, 40
"""Spans or labels that a note names, and characters of each that it shows."""
NOT_IN_TEXT, NOT_OFFERED = "not in the text", "not among your labels"
WRONG_ROLE, REPEATED = "not a role that you gave this event", "repeated more often than the text has it"

TASK_FIELDS = {"ner": "entities", "re": "relations", "ee": "events"}
"""The tasks that a schema can ask for, each with its field of `Schema`."""


class Predictor(Protocol):
    """The part of instructzoo.core.infer.Predictor that extraction uses."""

    def answer(self, rows: Sequence[Row]) -> list[str]:
        """One raw output per row, in order."""
        ...


@dataclass(frozen=True)
class Schema:
    """The labels that the user looks for.

    Attributes:
        entities: Entity types.
        relations: Relation types.
        events: The roles of each event type.
    """

    entities: tuple[str, ...] = ()
    relations: tuple[str, ...] = ()
    events: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def options(self, task: str) -> Any:
        """The column `options` of a question; empty where the schema has no label for the task."""
        if task == "ee":
            roles = dict.fromkeys(role for roles in self.events.values() for role in roles)
            return {"events": list(self.events), "roles": list(roles)} if self.events else None
        return list(self.entities if task == "ner" else self.relations)


@dataclass(frozen=True)
class Reply:
    """The model's answer to one question.

    Attributes:
        task: The task of the question.
        sentence: The sentence that it asks about.
        output: What the model wrote.
        parsed: What it means, with offsets in the sentence; Invalid where it cannot be parsed.
    """

    task: str
    sentence: str
    output: str
    parsed: Annotation | Invalid


@dataclass(frozen=True)
class Extraction:
    """The result for one text.

    Attributes:
        text: The text.
        annotation: Everything that was extracted, with offsets in the text.
        replies: The model's answers, in order.
        notes: What is wrong with them, a sentence each.
    """

    text: str
    annotation: Annotation
    replies: tuple[Reply, ...]
    notes: tuple[str, ...]


def read_schema(entities: str, relations: str, events: str) -> Schema:
    """Read a schema as a person writes it.

    Args:
        entities: Entity types, separated by commas, semicolons or line feeds.
        relations: Relation types, separated likewise.
        events: One event type per line, with its roles: "type: role, role".

    Returns:
        The schema.

    Raises:
        ZooError: For a malformed label, a label that occurs twice, too many labels, and where there is none at all.
    """
    roles_by_event: dict[str, tuple[str, ...]] = {}
    for line in filter(None, map(str.strip, (events or "").splitlines())):
        type, _, roles = line.partition(":")
        (name, *more) = _split_labels(type, "event type") or ("",)
        if more or not name:
            raise ZooError(
                f'"{shorten(line, MAX_SHOWN)}" as an event', "one a line: type: role, role", "correct the event types"
            )
        if name in roles_by_event:
            raise ZooError(f'the event type "{name}" stands twice', "each once", "remove one")
        roles_by_event[name] = _split_labels(roles, f'role of "{name}"')
    if len(roles_by_event) > MAX_LABELS:
        raise ZooError(f"{len(roles_by_event)} event types", f"at most {MAX_LABELS}", "leave some out")
    schema = Schema(_split_labels(entities, "entity type"), _split_labels(relations, "relation type"), roles_by_event)
    if not (schema.entities or schema.relations or schema.events):
        raise ZooError("no label", "an entity, relation or event type", "write one, such as person")
    return schema


def _split_labels(text: str, kind: str) -> tuple[str, ...]:
    """The labels in a text. kind: what they are, for error messages."""
    labels = [" ".join(piece.split()) for piece in re.split(r"[,;\n]", text or "")]
    labels = [label for label in labels if label]
    for label, n in Counter(labels).items():
        if n > 1:
            raise ZooError(f'the {kind} "{shorten(label, MAX_SHOWN)}" stands twice', "each once", "remove one")
        if len(label) > MAX_LABEL_LENGTH:
            raise ZooError(f"a {kind} of {len(label)} characters", f"at most {MAX_LABEL_LENGTH}", "shorten it")
        if not label.isprintable() or not any(c.isalnum() for c in label):
            raise ZooError(f'the {kind} "{ascii(label)[1:-1]}"', "words that can be read", "correct it")
    if len(labels) > MAX_LABELS:
        raise ZooError(f"{len(labels)} labels as {kind}", f"at most {MAX_LABELS}", "leave some out")
    return tuple(labels)


def build_questions(sentence: str, schema: Schema) -> list[Row]:
    """One question for each task that the schema has labels for, with the default instruction."""
    return [
        {
            "instruction": INSTRUCTIONS[task][0],
            "input": sentence,
            "output": "",
            "task": task,
            "options": json.dumps(options, ensure_ascii=False),
            "given": "",
        }
        for task in TASK_FIELDS
        if (options := schema.options(task))
    ]


def extract(predictor: Predictor, text: str, schema: Schema) -> Extraction:
    """Extract everything that the schema names from a text.

    Args:
        predictor: The model.
        text: The text, of any number of sentences.
        schema: The labels to look for.

    Returns:
        The annotation of the text, with the model's answers and notes on what is wrong with them.

    Raises:
        ZooError: For a sentence that is too long for the model.
    """
    questions = [(start, row) for start, sentence in sentences(text) for row in build_questions(sentence, schema)]
    rows = [row for _, row in questions]
    outputs = in_own_format(predictor, rows, predictor.answer(rows)) if rows else []
    return combine_answers(text, schema, questions, outputs)


def combine_answers(
    text: str, schema: Schema, questions: Sequence[tuple[int, Row]], outputs: Sequence[str]
) -> Extraction:
    """Combine the answers to the questions on the sentences of a text.

    Args:
        text: The text.
        schema: The labels that were offered.
        questions: (offset of the sentence in the text, question), in order.
        outputs: The model's output for each question.

    Returns:
        The annotation of the text, with the answers and notes on what is wrong with them.
    """
    replies = list[Reply]()
    entities, relations, events = list[Mention](), list[Relation](), list[Event]()
    for (start, row), output in zip(questions, outputs, strict=True):
        answer = prompts.parse(output, row)
        parsed = answer if isinstance(answer, Invalid) else answer.annotation
        replies.append(Reply(row["task"], row["input"], output, parsed))
        if not isinstance(parsed, Invalid):
            shifted = _shift(parsed, start)
            entities += shifted.entities
            relations += shifted.relations
            events += shifted.events
    annotation = Annotation(_without_duplicates(entities), tuple(dict.fromkeys(relations)), tuple(events))
    return Extraction(text, annotation, tuple(replies), tuple(_notes(replies, schema)))


def _shift(annotation: Annotation, start: int) -> Annotation:
    """The annotation of a sentence with offsets in the text, where the sentence begins at `start`."""

    def shift(mention: Mention) -> Mention:
        if mention.start == UNKNOWN:
            return mention
        return replace(mention, start=mention.start + start, end=mention.end + start)

    return Annotation(
        tuple(map(shift, annotation.entities)),
        tuple(Relation(r.type, shift(r.head), shift(r.tail)) for r in annotation.relations),
        tuple(Event(e.type, shift(e.trigger), tuple(map(shift, e.arguments))) for e in annotation.events),
    )


def _without_duplicates(mentions: Sequence[Mention]) -> tuple[Mention, ...]:
    """Equal mentions with the same offsets become one; those that the text lacks are all kept, at the end."""
    located = dict.fromkeys(m for m in mentions if m.start != UNKNOWN)
    return (*located, *(m for m in mentions if m.start == UNKNOWN))


def _notes(replies: Sequence[Reply], schema: Schema) -> Iterator[str]:
    """One sentence for each kind of error, naming the first spans or labels that have it."""
    invalid = [f"{r.task}: {r.parsed.reason}" for r in replies if isinstance(r.parsed, Invalid)]
    if invalid:
        yield f"{len(invalid)} answer{'s' if invalid[1:] else ''} in the wrong format ({invalid[0]})"
    errors = {kind: Counter[str]() for kind in (NOT_IN_TEXT, NOT_OFFERED, WRONG_ROLE, REPEATED)}
    for reply in replies:
        parsed = reply.parsed
        if not isinstance(parsed, Invalid):
            entity_counts = Counter(parsed.entities)
            errors[REPEATED].update(f"{m.text} ({m.type})" for m, n in entity_counts.items() if n > 1)
            invented = (m for m in _mentions(parsed) if m.start == UNKNOWN)
            errors[NOT_IN_TEXT].update(f"{m.text} ({m.type})" if m.type else m.text for m in invented)
            errors[NOT_OFFERED].update(_labels_not_offered(parsed, reply.task, schema))
            errors[WRONG_ROLE].update(
                f"{a.type} of {e.type}"
                for e in parsed.events
                for a in e.arguments
                if _is_role_of_other_event(e, a, schema)
            )
    for kind, names in errors.items():
        if names:
            named = ", ".join(f"“{shorten(name, MAX_SHOWN)}”" for name in list(names)[:MAX_NAMED])
            yield f"{kind}: {named}" + (f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else "")


def _mentions(annotation: Annotation) -> Iterator[Mention]:
    yield from annotation.entities
    for relation in annotation.relations:
        yield from (relation.head, relation.tail)
    for event in annotation.events:
        yield from (event.trigger, *event.arguments)


def _labels_not_offered(annotation: Annotation, task: str, schema: Schema) -> Iterator[str]:
    options = schema.options(task)
    types, roles = (options["events"], options["roles"]) if task == "ee" else (options, [])
    yield from (m.type for m in annotation.entities if m.type not in types)
    yield from (r.type for r in annotation.relations if r.type not in types)
    yield from (e.type for e in annotation.events if e.type not in types)
    yield from (a.type for e in annotation.events for a in e.arguments if a.type not in roles)


def _is_role_of_other_event(event: Event, argument: Mention, schema: Schema) -> bool:
    """Whether the role belongs to other events only: the model is offered the roles of all events at once."""
    return argument.type in schema.options("ee")["roles"] and argument.type not in schema.events.get(event.type, ())
