"""Annotated sentences -> rows: which questions a set can be asked, with which labels on offer."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from instructzoo.core.record import Row
from instructzoo.uie import prompts, schema
from instructzoo.uie.data import label_names, readers
from instructzoo.uie.data.readers.base import Sentence
from instructzoo.uie.schema import Annotation, Event, Labels, Mention, Relation


@dataclass(frozen=True)
class Inventory:
    """The labels of one data set in words, by what the files write. by_event: roles of each event type, in words."""

    entities: Mapping[str, str]
    relations: Mapping[str, str]
    events: Mapping[str, str]
    roles: Mapping[str, str]
    by_event: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, sentences: Iterable[Sentence], where: str) -> Inventory:
        """All labels of the sentences, in order of the alphabet. Raises ZooError for two that read the same."""
        entities, relations = set[str](), set[str]()
        events: dict[str, set[str]] = {}
        for sentence in sentences:
            entities.update(m.type for m in sentence.annotation.entities)
            relations.update(r.type for r in sentence.annotation.relations)
            for event in sentence.annotation.events:
                events.setdefault(event.type, set()).update(m.type for m in event.arguments)
        roles = label_names.words(sorted({role for found in events.values() for role in found}), where)
        types = label_names.words(sorted(events), where)
        by_event = {types[type]: tuple(sorted(roles[role] for role in found)) for type, found in events.items()}
        plain = [label_names.words(sorted(found), where) for found in (entities, relations)]
        return cls(plain[0], plain[1], types, roles, by_event)

    def in_words(self, found: Annotation) -> Annotation:
        """The annotation with its labels in words."""
        return Annotation(
            tuple(replace(m, type=self.entities[m.type]) for m in found.entities),
            tuple(Relation(self.relations[r.type], r.head, r.tail) for r in found.relations),
            tuple(
                Event(self.events[e.type], e.trigger, tuple(replace(m, type=self.roles[m.type]) for m in e.arguments))
                for e in found.events
            ),
        )

    def answers(self, task: str) -> bool:
        """Whether the set has anything that the task asks for."""
        if task in schema.EVENT_TASKS:
            return bool(self.roles if task == "eea" else self.events)
        return bool(self.entities if task in schema.ENTITY_TASKS else self.relations)

    def offer(self, task: str, event: str = "") -> Labels:
        """All labels that a question of the task can offer. event: the type that an eea question names."""
        if task == "eea":
            return Labels(self.by_event[event])
        if task in schema.EVENT_TASKS:
            types = tuple(self.events.values())
            return Labels(types, tuple(self.roles.values()) if task == "ee" else ())
        return Labels(tuple((self.entities if task in schema.ENTITY_TASKS else self.relations).values()))


def tasks(format: str, inventory: Inventory) -> tuple[str, ...]:
    """The tasks that a set in this format can be asked, its main one first."""
    return tuple(task for task in readers.ANSWERS[format] if inventory.answers(task))


@dataclass(frozen=True)
class Asker:
    """Makes the rows of one data set. negatives: labels on offer beside the sentence's own, by seed; none: all."""

    inventory: Inventory
    dataset: str
    source: str
    licence: str
    seed: int
    negatives: int | None = None

    def rows(self, sentence: Sentence, task: str) -> Iterator[Row]:
        """The questions of a task to a sentence: one; for eea one for each event type; none where nothing is given."""
        found = self.inventory.in_words(sentence.annotation)
        if (task == "et" and not found.entities) or (task == "epr" and not found.relations):
            return
        events: Sequence[str] = ("",)
        if task == "eea":
            events = tuple(dict.fromkeys(e.type for e in found.events if e.arguments))
        for event in events:
            yield prompts.write(
                sentence.text,
                found,
                task,
                self._offer(found, task, event, sentence.text),
                self.dataset,
                self.seed,
                source=self.source,
                licence=self.licence,
                event=event,
                item=item(sentence.text),
            )

    def _offer(self, found: Annotation, task: str, event: str, text: str) -> Labels:
        offered = self.inventory.offer(task, event)
        if self.negatives is None:
            return offered
        rng = random.Random(f"{self.seed}\noffer\n{task}\n{event}\n{text}")
        types, roles = _labels(found, task, event)
        return Labels(*(self._some(all, own, rng) for all, own in ((offered.types, types), (offered.roles, roles))))

    def _some(self, every: Sequence[str], own: set[str], rng: random.Random) -> tuple[str, ...]:
        """The sentence's own labels and some others, at least one in all where there is one."""
        others = [label for label in every if label not in own]
        wanted = max(self.negatives or 0, 0 if own else 1)
        return (*(label for label in every if label in own), *rng.sample(others, min(wanted, len(others))))


def _labels(found: Annotation, task: str, event: str) -> tuple[set[str], set[str]]:
    """Types and roles that the answer to a question has."""
    if task in schema.ENTITY_TASKS:
        return {m.type for m in found.entities}, set()
    if task in schema.RELATION_TASKS:
        return {r.type for r in found.relations}, set()
    if task == "eea":
        return _roles(e for e in found.events if e.type == event), set()
    return {e.type for e in found.events}, _roles(found.events)


def _roles(events: Iterable[Event]) -> set[str]:
    arguments: Iterator[Mention] = (m for event in events for m in event.arguments)
    return {m.type for m in arguments}


def item(text: str) -> str:
    """A sentence without case and spacing: all its questions are one item."""
    return " ".join(text.casefold().split())
