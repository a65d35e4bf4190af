"""Baselines without a model: always the most frequent tuple, and a lexicon of everything that training rows annotate.

Both learn from the truth of all training rows, whatever their task, and name only labels that a question offers. They
are `baseline(train, test) -> one raw text per test row`, which the parser reads like a model's output.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from instructzoo.core.record import Row
from instructzoo.core.score import term_lookup
from instructzoo.core.score.term_lookup import most_frequent_label, training_rows
from instructzoo.uie import prompts, schema
from instructzoo.uie.prompts import answer_format
from instructzoo.uie.schema import Annotation, Event, Labels, Mention, Relation

LabelCounts = dict[Any, Counter[str]]
"""How often each string (or pair of strings) has each label."""


def most_frequent(train: Sequence[Row], test: Sequence[Row]) -> list[str]:
    """For each task, the most frequent tuple of the training rows among those that the question offers, or None.

    Args:
        train: The training rows.
        test: The rows to answer.

    Returns:
        One answer per test row, in order.
    """
    statistics = TrainingStatistics.of(train)
    return [_answer(row, lambda row, labels: _most_frequent_tuple(row, labels, statistics)) for row in test]


def lexicon(train: Sequence[Row], test: Sequence[Row]) -> list[str]:
    """Every string that training rows annotate, wherever the text has it, longest first, with its most frequent label.

    Relations and arguments are named where the text has both strings of one that was seen.

    Args:
        train: The training rows.
        test: The rows to answer.

    Returns:
        One answer per test row, in order.
    """
    statistics = TrainingStatistics.of(train)
    return [_answer(row, lambda row, labels: _look_up(row, labels, statistics)) for row in test]


@dataclass
class TrainingStatistics:
    """How often training rows annotate what.

    Attributes:
        entities: Types by string.
        triggers: Event types by string.
        tails: Relation types by head, then tail.
        arguments: Roles by event type, then string.
        pairs: Relation types by (head, tail).
        totals: Types of all entities ("entity") and of all relations ("relation").
        max_words: Words of the longest string.
        most_frequent: Answers of `most_frequent_key`, which many rows share.
    """

    entities: LabelCounts = field(default_factory=lambda: defaultdict(Counter))
    triggers: LabelCounts = field(default_factory=lambda: defaultdict(Counter))
    tails: dict[str, LabelCounts] = field(default_factory=lambda: defaultdict(lambda: defaultdict(Counter)))
    arguments: dict[str, LabelCounts] = field(default_factory=lambda: defaultdict(lambda: defaultdict(Counter)))
    pairs: LabelCounts = field(default_factory=lambda: defaultdict(Counter))
    totals: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    max_words: int = 0
    most_frequent: dict[tuple[str, tuple[str, ...]], tuple[tuple[Any, str], ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, train: Sequence[Row]) -> TrainingStatistics:
        """Count over all training rows. Raises ZooError where there are none."""
        statistics = cls()
        for row in training_rows(train):
            gold = schema.from_json(row["gold"], str(row.get("id") or "a training row"))
            statistics.add(prompts.task_of(row), gold)
        arguments = (text for by_text in statistics.arguments.values() for text in by_text)
        sides = (text for pair in statistics.pairs for text in pair)
        texts = {*statistics.entities, *statistics.triggers, *arguments, *sides}
        statistics.max_words = max((len(term_lookup.words(text)) for text in texts), default=0)
        return statistics

    def add(self, task: str, gold: Annotation) -> None:
        """Count the truth of one row.

        Args:
            task: The row's task.
            gold: The true answer.
        """
        if task not in ("es", "ep"):  # they name no label
            for mention in gold.entities:
                self.entities[mention.text][mention.type] += 1
                self.totals["entity"][mention.type] += 1
            for relation in gold.relations:
                pair = (relation.head.text, relation.tail.text)
                self.tails[pair[0]][pair[1]][relation.type] += 1
                self.pairs[pair][relation.type] += 1
                self.totals["relation"][relation.type] += 1
        for event in gold.events:
            if task != "eea":
                self.triggers[event.trigger.text][event.type] += 1
            for argument in event.arguments:
                self.arguments[event.type][argument.text][argument.type] += 1

    def most_frequent_key(self, kind: str, counts: LabelCounts, offered: Sequence[str]) -> tuple[tuple[Any, str], ...]:
        """The most frequent (key, label) whose label is offered, the first among equals; () where there is none."""
        cache_key = (kind, tuple(sorted(offered)))
        if cache_key not in self.most_frequent:
            triples = ((n, key, label) for key, labels in counts.items() for label, n in labels.items())
            best = max((t for t in triples if t[2] in offered), key=lambda triple: triple[0], default=None)
            self.most_frequent[cache_key] = ((best[1], best[2]),) if best else ()
        return self.most_frequent[cache_key]


def _answer(row: Row, predict: Callable[[Row, Labels], Annotation]) -> str:
    """The answer to a question in the format of its task."""
    task, labels = prompts.task_of(row), prompts.labels_of(row)
    annotation = predict(row, labels)
    if task == "eea":
        return answer_format.format_answer(annotation, task)  # `predict` has looked at the offered roles already
    projected = schema.project(annotation, task, labels if task not in ("es", "ep") else None)
    return answer_format.format_answer(projected, task)


def _most_frequent_tuple(row: Row, labels: Labels, statistics: TrainingStatistics) -> Annotation:
    task = prompts.task_of(row)
    if task in ("et", "epr"):
        return _label_given(row, labels, statistics)
    if task in schema.ENTITY_TASKS:
        entities = statistics.most_frequent_key("entity", statistics.entities, labels.types)
        return Annotation(entities=tuple(Mention(type, text) for text, type in entities))
    if task in schema.RELATION_TASKS:
        pairs = statistics.most_frequent_key("relation", statistics.pairs, labels.types)
        return Annotation(relations=tuple(_relation(type, *pair) for pair, type in pairs))
    if task == "eea":
        type = prompts.given_of(row)
        return Annotation(events=(_event(type, "", _most_frequent_argument(type, labels.types, statistics)),))
    triggers = statistics.most_frequent_key("trigger", statistics.triggers, labels.types)
    events = (_event(type, text, _most_frequent_argument(type, labels.roles, statistics)) for text, type in triggers)
    return Annotation(events=tuple(events))


def _most_frequent_argument(event: str, roles: Sequence[str], statistics: TrainingStatistics) -> list[tuple[str, str]]:
    counts = statistics.arguments.get(event, {})
    return [(role, text) for text, role in statistics.most_frequent_key(f"argument of {event}", counts, roles)]


def _label_given(row: Row, labels: Labels, statistics: TrainingStatistics) -> Annotation:
    """The most frequent label of each span or pair that the question gives, or else of all entities or relations."""
    given, task = prompts.given_of(row), prompts.task_of(row)
    totals = statistics.totals["entity" if task == "et" else "relation"]
    default = most_frequent_label(totals, labels.types) or labels.types[0]
    counts = statistics.entities if task == "et" else statistics.pairs
    labelled = [(key, most_frequent_label(counts.get(key, Counter()), labels.types) or default) for key in given]
    if task == "et":
        return Annotation(entities=tuple(Mention(label, text) for text, label in labelled))
    return Annotation(relations=tuple(_relation(label, *pair) for pair, label in labelled))


def _look_up(row: Row, labels: Labels, statistics: TrainingStatistics) -> Annotation:
    task, text = prompts.task_of(row), str(row.get("input") or "")
    if task in ("et", "epr"):
        return _label_given(row, labels, statistics)
    if task in schema.ENTITY_TASKS:
        return Annotation(entities=tuple(_tag(text, statistics.entities, labels.types, statistics.max_words)))
    phrases = _phrases(text, statistics.max_words)
    if task in schema.RELATION_TASKS:
        heads = (phrase for phrase in phrases if phrase in statistics.tails)
        pairs = [(head, tail) for head in heads for tail in statistics.tails[head] if tail in phrases]
        typed = ((pair, most_frequent_label(statistics.tails[pair[0]][pair[1]], labels.types)) for pair in pairs)
        return Annotation(relations=tuple(_relation(type, *pair) for pair, type in typed if type))
    if task == "eea":
        type = prompts.given_of(row)
        return Annotation(events=(_event(type, "", _seen_arguments(phrases, type, labels.types, statistics)),))
    triggers = _tag(text, statistics.triggers, labels.types, statistics.max_words)
    return Annotation(
        events=tuple(
            _event(m.type, m.text, _seen_arguments(phrases, m.type, labels.roles, statistics)) for m in triggers
        )
    )


def _seen_arguments(
    phrases: Iterable[str], event: str, roles: Sequence[str], statistics: TrainingStatistics
) -> list[tuple[str, str]]:
    """(role, span) of every argument that events of this type have in training and that the text contains."""
    counts = statistics.arguments.get(event, {})
    labelled = ((most_frequent_label(counts[phrase], roles), phrase) for phrase in phrases if phrase in counts)
    return [(role, phrase) for role, phrase in labelled if role]


def _phrases(text: str, max_words: int) -> dict[str, None]:
    """All substrings of a text that begin and end at words, of at most `max_words` words, in their order."""
    return {text[start:end]: None for start, end in sorted(term_lookup.ngram_spans(text, max_words))}


def _tag(text: str, counts: LabelCounts, offered: Sequence[str], max_words: int) -> Iterator[Mention]:
    """Known strings from left to right, the longest at each word, without overlap."""

    def label_of(span: str) -> str:
        return most_frequent_label(counts[span], offered) if span in counts else ""

    for start, end in term_lookup.longest_matches(text, max_words, lambda span: bool(label_of(span))):
        span = text[start:end]
        yield Mention(label_of(span), span, start, end)


def _relation(type: str, head: str, tail: str) -> Relation:
    return Relation(type, Mention("", head), Mention("", tail))


def _event(type: str, trigger: str, arguments: Sequence[tuple[str, str]]) -> Event:
    return Event(type, Mention("", trigger), tuple(Mention(role, text) for role, text in arguments))
