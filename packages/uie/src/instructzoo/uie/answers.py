"""Entities, relations and events of texts, with labels of the caller's choice and character offsets.

    model = load("uie")
    (found,) = model(["Ann lives in Oslo."], labels=["person", "city"])
    found.entities           Mention(type="person", text="Ann", start=0, end=3), ...
    model(texts, task="re", labels=["lives in", "works for"])                       relations
    model(texts, task="ee", labels={"attack": ["attacker", "victim"]})              events, each with its roles
    found.to_rows()          a line of a table for each entity, relation, and argument of an event
    found.to_dict()          the whole answer as a JSON object, as `sources: [own]` reads and trains on

A text of any length is read sentence by sentence. Offsets count characters of the text, the end is exclusive; they are
-1 (empty in tables) where the text does not contain what the model wrote. `notes` says what is wrong with an answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field, model_validator

from instructzoo.core.answers import questions
from instructzoo.core.answers.questions import Cell, Question, located_sentences, text_of
from instructzoo.core.errors import ZooError
from instructzoo.core.record import Invalid
from instructzoo.uie import prompts
from instructzoo.uie.extraction import TASK_FIELDS, Extraction, Schema, build_questions, combine_answers, read_schema
from instructzoo.uie.schema import UNKNOWN, Event, Mention, Relation

Input = str | Mapping[str, Any]
Labels = str | tuple[str, ...] | dict[str, tuple[str, ...]]

ENTITY_TYPES = ("person", "organization", "location")
"""What is looked for where the caller names no labels."""


class Options(questions.Options):
    """The options of a call."""

    task: Literal["ner", "re", "ee"] = Field("ner", description="entities (ner), relations (re) or events (ee)")
    labels: Labels = Field(
        ENTITY_TYPES,
        description='what to look for: a list, or for events {"type": ["role", ...]}; as one text "a, b", for events '
        '"type: role, role; type: role"',
    )

    @model_validator(mode="after")
    def _are_readable(self) -> Options:
        self.schema_of_labels()
        return self

    def schema_of_labels(self) -> Schema:
        """The labels as a schema of the task.

        Raises:
            ZooError: There is none, one stands twice, or one is malformed.
        """
        if self.task != "ner" and self.labels == ENTITY_TYPES:
            example = 'labels=["works for"]' if self.task == "re" else 'labels={"attack": ["attacker", "victim"]}'
            raise ZooError(f"no labels for the task {self.task}", "what to look for", f"such as {example}", "labels")
        texts = dict.fromkeys(TASK_FIELDS, "")
        texts[self.task] = _as_text(self.labels, self.task)
        return read_schema(texts["ner"], texts["re"], texts["ee"])


def _as_text(labels: Labels, task: str) -> str:
    """Labels as a person types them: separated by commas, events one a line."""
    if isinstance(labels, Mapping):
        if task != "ee":
            raise ZooError("labels with roles", "a list of labels", "roles belong to the task ee", "labels")
        return "\n".join(f"{type}: {', '.join(roles)}" for type, roles in labels.items())
    if isinstance(labels, str):
        return labels.replace(";", "\n") if task == "ee" else labels
    return "\n".join(labels)


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found in one text.

    Attributes:
        text: The text.
        entities: Entities, in the order of the text.
        relations: Relations, each with head and tail.
        events: Events, each with trigger and arguments, which are typed by their roles.
        notes: What is wrong with the model's answers, a sentence each.
        error: Why the text was not answered, or "".
    """

    text: str
    entities: tuple[Mention, ...] = ()
    relations: tuple[Relation, ...] = ()
    events: tuple[Event, ...] = ()
    notes: tuple[str, ...] = ()
    error: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The answer as an object in the format that `sources: [own]` reads and trains on.

        Where there are any, `unplaced` has what the text does not contain, and `notes` says what is wrong.
        """
        unplaced = list[dict[str, Any]]()
        record: dict[str, Any] = {"text": self.text, "entities": [], "relations": [], "events": []}
        for m in self.entities:
            (record["entities"] if _in_text(m) else unplaced).append({"type": m.type, **_span(m)})
        for r in self.relations:
            relation = {"type": r.type, "head": _span(r.head), "tail": _span(r.tail)}
            (record["relations"] if _in_text(r.head, r.tail) else unplaced).append(relation)
        for e in self.events:
            kept = [a for a in e.arguments if _in_text(a) or not _in_text(e.trigger)]
            arguments = [{"role": a.type, **_span(a)} for a in kept]
            event = {"type": e.type, "trigger": _span(e.trigger), "arguments": arguments}
            (record["events"] if _in_text(e.trigger) else unplaced).append(event)
            unplaced += [{"event": e.type, "role": a.type, **_span(a)} for a in e.arguments if a not in kept]
        record |= {"unplaced": unplaced} if unplaced else {}
        record |= {"notes": list(self.notes)} if self.notes else {}
        return record | ({"error": self.error} if self.error else {})

    def to_rows(self) -> list[dict[str, Cell]]:
        """A line of a table for each entity, relation and argument of an event; one line where nothing was found.

        A relation has its head in `span` and its tail in `other`, an event its trigger in `span` and an argument in
        `other`. `note` says what is wrong with the answers to the text.
        """
        note = "; ".join(self.notes)
        lines = [_row("entity", m.type, m) for m in self.entities]
        lines += [_row("relation", r.type, r.head, "", r.tail) for r in self.relations]
        for e in self.events:
            lines += [_row("event", e.type, e.trigger, a.type, a) for a in e.arguments] or [
                _row("event", e.type, e.trigger)
            ]
        return [line | {"note": note} for line in lines or [_row("", "", Mention("", ""))]]


def _row(kind: str, type: str, mention: Mention, role: str = "", other: Mention | None = None) -> dict[str, Cell]:
    return {
        "kind": kind, "type": type, **_cells("", mention), "role": role, **_cells("other_", other or Mention("", "")),
    }  # fmt: skip


def _cells(prefix: str, mention: Mention) -> dict[str, Cell]:
    start, end = (mention.start, mention.end) if _in_text(mention) else (None, None)
    return {prefix.rstrip("_") or "span": mention.text, f"{prefix}start": start, f"{prefix}end": end}


def _in_text(*mentions: Mention) -> bool:
    return all(m.start != UNKNOWN for m in mentions)


def _span(mention: Mention) -> dict[str, Any]:
    return {"text": mention.text} | ({"start": mention.start, "end": mention.end} if _in_text(mention) else {})


def rows(input: Input, options: Options, where: str = "") -> list[Question]:
    """The questions on a text, one for each sentence; a row of the domain is its own question."""
    if isinstance(input, Mapping):
        return [Question(0, dict(input))]
    schema = options.schema_of_labels()
    located = located_sentences(input, options.max_characters)
    return [Question(start, row) for start, sentence in located for row in build_questions(sentence, schema)]


def answer(input: Input, questions: Sequence[Question], outputs: Sequence[str], options: Options) -> Answer:
    """What the model found in a text."""
    if isinstance(input, str):
        return of_extraction(combine_answers(input, options.schema_of_labels(), questions, outputs))
    (output,) = outputs
    parsed, text = prompts.parse(output, questions[0].row), text_of(input)
    if isinstance(parsed, Invalid):
        return Answer(text, notes=(f"an answer in the wrong format ({parsed.reason})",))
    found = parsed.annotation
    return Answer(text, found.entities, found.relations, found.events)


def of_extraction(extraction: Extraction) -> Answer:
    """The typed answer of an extraction."""
    found = extraction.annotation
    return Answer(extraction.text, found.entities, found.relations, found.events, extraction.notes)


def failed(input: Input, reason: str, options: Options) -> Answer:
    """The answer for a text that cannot be answered."""
    return Answer(text_of(input), error=reason)
