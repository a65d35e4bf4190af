"""From annotated sentences to training rows: which tasks a data set supports, and which labels a question offers."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from instructzoo.core.record import Row
from instructzoo.uie import prompts, schema
from instructzoo.uie.data import label_names, label_variation, readers
from instructzoo.uie.data.natural_spacing import natural_spacing
from instructzoo.uie.data.readers.base import Sentence
from instructzoo.uie.schema import Annotation, Event, Labels, Mention, Relation

NATURALLY_SPACED = 0.6
"""Probability that a varied row writes its text without the spaces of a tokeniser, as users write."""

VARIED = ("ner", "re")
"""The tasks that get varied rows: their labels are the user's own."""


@dataclass(frozen=True)
class LabelInventory:
    """All labels of one data set.

    Attributes:
        entities: Entity types as the files write them, each with its words.
        relations: The same for relation types.
        events: The same for event types.
        roles: The same for roles of arguments.
        roles_by_event: For each event type, in words, its roles, in words.
    """

    entities: Mapping[str, str]
    relations: Mapping[str, str]
    events: Mapping[str, str]
    roles: Mapping[str, str]
    roles_by_event: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, sentences: Iterable[Sentence], where: str) -> LabelInventory:
        """Collect the labels of the sentences, in alphabetical order.

        Args:
            sentences: All sentences of the data set.
            where: Named in error messages.

        Returns:
            The labels of the data set, each with its name in words.

        Raises:
            ZooError: For two labels that become the same words.
        """
        entities, relations = set[str](), set[str]()
        events: dict[str, set[str]] = {}
        for sentence in sentences:
            entities.update(m.type for m in sentence.annotation.entities)
            relations.update(r.type for r in sentence.annotation.relations)
            for event in sentence.annotation.events:
                events.setdefault(event.type, set()).update(m.type for m in event.arguments)
        in_words = label_names.labels_in_words
        role_words = in_words(sorted({role for roles in events.values() for role in roles}), where)
        event_words = in_words(sorted(events), where)
        roles_by_event = {
            event_words[type]: tuple(sorted(role_words[role] for role in roles)) for type, roles in events.items()
        }
        entity_words, relation_words = in_words(sorted(entities), where), in_words(sorted(relations), where)
        return cls(entity_words, relation_words, event_words, role_words, roles_by_event)

    def in_words(self, annotation: Annotation) -> Annotation:
        """The annotation with its labels in words."""
        return Annotation(
            tuple(replace(m, type=self.entities[m.type]) for m in annotation.entities),
            tuple(Relation(self.relations[r.type], r.head, r.tail) for r in annotation.relations),
            tuple(
                Event(self.events[e.type], e.trigger, tuple(replace(m, type=self.roles[m.type]) for m in e.arguments))
                for e in annotation.events
            ),
        )

    def supports(self, task: str) -> bool:
        """Whether the data set has any label that the task asks for."""
        if task in schema.EVENT_TASKS:
            return bool(self.roles if task == "eea" else self.events)
        return bool(self.entities if task in schema.ENTITY_TASKS else self.relations)

    def labels_for(self, task: str, event: str = "") -> Labels:
        """All labels that a question of the task can offer. event: the event type that a question of eea names."""
        if task == "eea":
            return Labels(self.roles_by_event[event])
        if task in schema.EVENT_TASKS:
            types = tuple(self.events.values())
            return Labels(types, tuple(self.roles.values()) if task == "ee" else ())
        return Labels(tuple((self.entities if task in schema.ENTITY_TASKS else self.relations).values()))


def supported_tasks(format: str, inventory: LabelInventory) -> tuple[str, ...]:
    """The tasks that a data set in this format can be used for, its main one first.

    Args:
        format: The name of a reader's format.
        inventory: The labels of the data set.

    Returns:
        The tasks that both the format and the labels allow.
    """
    return tuple(task for task in readers.SUPPORTED_TASKS[format] if inventory.supports(task))


@dataclass(frozen=True)
class ExampleBuilder:
    """Builds the rows of one data set.

    Attributes:
        inventory: All labels of the data set.
        dataset: The value of the column `dataset`.
        source: The value of the column `source`.
        licence: The value of the column `licence`.
        seed: Decides the wording, the order of the labels and which labels are offered.
        negatives: How many labels that the sentence lacks are offered with its own; None offers all labels.
    """

    inventory: LabelInventory
    dataset: str
    source: str
    licence: str
    seed: int
    negatives: int | None = None

    def rows(self, sentence: Sentence, task: str) -> Iterator[Row]:
        """The rows of one task for a sentence.

        Args:
            sentence: The sentence, its labels as the files write them.
            task: One of `schema.TASKS`.

        Yields:
            One row; for eea one for each event type with arguments; none where et or epr would have nothing to give, or
            where the text is not annotated for the task.
        """
        if layer_of(task) not in sentence.layers:
            return
        annotation = self.inventory.in_words(sentence.annotation)
        if (task == "et" and not annotation.entities) or (task == "epr" and not annotation.relations):
            return
        event_types: Sequence[str] = ("",)
        if task == "eea":
            event_types = tuple(dict.fromkeys(e.type for e in annotation.events if e.arguments))
        for event_type in event_types:
            yield prompts.make_row(
                sentence.text,
                annotation,
                task,
                self._offered_labels(annotation, task, event_type, sentence.text),
                self.dataset,
                self.seed,
                source=self.source,
                licence=self.licence,
                event=event_type,
                item=item_of(sentence.text),
            )

    def varied_row(self, sentence: Sentence, task: str, number: int) -> Iterator[Row]:
        """A row with a sample of labels, more general and finer ones too, under other names; often naturally spaced.

        Args:
            sentence: The sentence, its labels as the files write them.
            task: One of VARIED.
            number: Tells the varied rows of one sentence apart.

        Yields:
            One row; none where the text is not annotated for the task.
        """
        if layer_of(task) not in sentence.layers:
            return
        rng = random.Random(f"{self.seed}\nvary\n{number}\n{task}\n{sentence.text}")
        annotation, types = self.inventory.in_words(sentence.annotation), self.inventory.labels_for(task).types
        varied, labels = label_variation.vary(annotation, types, task, rng)
        text = sentence.text
        if rng.random() < NATURALLY_SPACED:
            text, varied = natural_spacing(text, varied)
        yield prompts.make_row(
            text,
            varied,
            task,
            labels,
            self.dataset,
            self.seed + number + 1,  # another wording
            source=self.source,
            licence=self.licence,
            item=item_of(sentence.text),
        )

    def _offered_labels(self, annotation: Annotation, task: str, event: str, text: str) -> Labels:
        """All labels of the data set, or the sentence's own with a sample of the others."""
        all_labels = self.inventory.labels_for(task, event)
        if self.negatives is None:
            return all_labels
        rng = random.Random(f"{self.seed}\noffer\n{task}\n{event}\n{text}")
        gold_types, gold_roles = _gold_labels(annotation, task, event)
        return Labels(self._sample(all_labels.types, gold_types, rng), self._sample(all_labels.roles, gold_roles, rng))

    def _sample(self, labels: Sequence[str], gold: set[str], rng: random.Random) -> tuple[str, ...]:
        """The gold labels and a sample of the others; at least one label where `labels` has any."""
        others = [label for label in labels if label not in gold]
        n = max(self.negatives or 0, 0 if gold else 1)
        return (*(label for label in labels if label in gold), *rng.sample(others, min(n, len(others))))


def layer_of(task: str) -> str:
    """What must be annotated in a text that the task asks about: "entities", "relations" or "events"."""
    return "entities" if task in schema.ENTITY_TASKS else "relations" if task in schema.RELATION_TASKS else "events"


def _gold_labels(annotation: Annotation, task: str, event: str) -> tuple[set[str], set[str]]:
    """Types and roles that occur in the true answer to a question."""
    if task in schema.ENTITY_TASKS:
        return {m.type for m in annotation.entities}, set()
    if task in schema.RELATION_TASKS:
        return {r.type for r in annotation.relations}, set()
    if task == "eea":
        return _roles(e for e in annotation.events if e.type == event), set()
    return {e.type for e in annotation.events}, _roles(annotation.events)


def _roles(events: Iterable[Event]) -> set[str]:
    arguments: Iterator[Mention] = (m for event in events for m in event.arguments)
    return {m.type for m in arguments}


def item_of(text: str) -> str:
    """The key of a sentence, without case and spacing: rows with one key go to one split."""
    return " ".join(text.casefold().split())
