"""What needs no model: always the most frequent tuple, and a lexicon of what the training rows name.

Both learn from the truth of all training rows, whatever they ask, and say only what a question offers. They are
`baseline(train, test) -> one raw text per test row`, read by the parser like a model's.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from instructzoo.core.errors import ZooError
from instructzoo.core.record import Row
from instructzoo.uie import answers, prompts, schema
from instructzoo.uie.schema import Annotation, Event, Labels, Mention, Relation

_WORD = re.compile(r"\w+|[^\w\s]")

Counts = dict[Any, Counter[str]]


def most_frequent(train: Sequence[Row], test: Sequence[Row]) -> list[str]:
    """For each task the most frequent tuple of the training rows among those that the question offers, else None."""
    seen = _Seen.of(train)
    return [_written(row, lambda row, labels: _commonest(row, labels, seen)) for row in test]


def lexicon(train: Sequence[Row], test: Sequence[Row]) -> list[str]:
    """Every string that the training rows name, wherever the text holds it, longest first, with its usual label.

    Relations and arguments are named where the text holds both strings of one that was seen.
    """
    seen = _Seen.of(train)
    longest = {kind: _longest(known) for kind, known in (("entity", seen.types), ("trigger", seen.triggers))}
    return [_written(row, lambda row, labels: _looked_up(row, labels, seen, longest)) for row in test]


@dataclass
class _Seen:
    """What training rows name: labels by string, relations by their pair, arguments by event type and role."""

    types: Counts = field(default_factory=lambda: defaultdict(Counter))
    pairs: Counts = field(default_factory=lambda: defaultdict(Counter))
    triggers: Counts = field(default_factory=lambda: defaultdict(Counter))
    roles: Counts = field(default_factory=lambda: defaultdict(Counter))

    @classmethod
    def of(cls, train: Sequence[Row]) -> _Seen:
        if not len(train):
            raise ZooError("no training rows", "at least one", "baselines learn from the training part")
        seen = cls()
        for row in train:
            task, gold = prompts.task_of(row), schema.from_json(row["gold"], str(row.get("id") or "a training row"))
            if task not in ("es", "ep"):  # they name no label
                for mention in gold.entities:
                    seen.types[mention.text][mention.type] += 1
                for relation in gold.relations:
                    seen.pairs[relation.head.text, relation.tail.text][relation.type] += 1
            for event in gold.events:
                if task != "eea":
                    seen.triggers[event.trigger.text][event.type] += 1
                for argument in event.arguments:
                    seen.roles[event.type, argument.text][argument.type] += 1
        return seen


def _written(row: Row, find: Any) -> str:
    """The answer to a question in its own form."""
    task, labels = prompts.task_of(row), prompts.labels_of(row)
    found: Annotation = find(row, labels)
    if task == "eea":
        return answers.write(found, task)  # the roles that are offered were looked at already
    return answers.write(schema.project(found, task, labels if task not in ("es", "ep") else None), task)


def _commonest(row: Row, labels: Labels, seen: _Seen) -> Annotation:
    task = prompts.task_of(row)
    if task in ("et", "epr"):
        return _given(row, labels, seen)
    if task in schema.ENTITY_TASKS:
        return Annotation(entities=tuple(Mention(type, text) for text, type in _best(seen.types, labels.types)))
    if task in schema.RELATION_TASKS:
        pairs = _best(seen.pairs, labels.types)
        return Annotation(relations=tuple(_relation(type, *pair) for pair, type in pairs))
    if task == "eea":
        type = prompts.given_of(row)
        said = {text: roles for (event, text), roles in seen.roles.items() if event == type}
        return Annotation(events=tuple(_event(type, "", [(role, text)]) for text, role in _best(said, labels.types)))
    events = []
    for trigger, type in _best(seen.triggers, labels.types):
        said = {text: roles for (event, text), roles in seen.roles.items() if event == type}
        events.append(_event(type, trigger, [(role, text) for text, role in _best(said, labels.roles)]))
    return Annotation(events=tuple(events))


def _best(counts: Counts, offered: Sequence[str]) -> Iterator[tuple[Any, str]]:
    """The most frequent key with a label that is offered, the first among equals; nothing where there is none."""
    most = (0, None, "")
    for key, labels in counts.items():
        for label, times in labels.items():
            if times > most[0] and label in offered:
                most = (times, key, label)
    if most[0]:
        yield most[1], most[2]


def _given(row: Row, labels: Labels, seen: _Seen) -> Annotation:
    """The usual label of each span or pair that the question gives, else the label that is usual for all."""
    task = prompts.task_of(row)
    known = seen.types if task == "et" else seen.pairs
    total = Counter[str]()
    for counts in known.values():
        total.update({label: n for label, n in counts.items() if label in labels.types})
    usual = max(total, key=lambda label: total[label], default=labels.types[0])
    given = prompts.given_of(row)
    named = [(one, _usual(known.get(one), labels.types) or usual) for one in given]
    if task == "et":
        return Annotation(entities=tuple(Mention(label, text) for text, label in named))
    return Annotation(relations=tuple(_relation(label, *pair) for pair, label in named))


def _usual(counts: Counter[str] | None, offered: Sequence[str]) -> str:
    """The most frequent label that is offered; "" where there is none."""
    fitting = {label: n for label, n in (counts or {}).items() if label in offered}
    return max(fitting, key=lambda label: fitting[label], default="")


def _looked_up(row: Row, labels: Labels, seen: _Seen, longest: dict[str, int]) -> Annotation:
    task, text = prompts.task_of(row), str(row.get("input") or "")
    if task in ("et", "epr"):
        return _given(row, labels, seen)
    if task in schema.ENTITY_TASKS:
        return Annotation(entities=tuple(_found(text, seen.types, labels.types, longest["entity"])))
    if task in schema.RELATION_TASKS:
        pairs = ((pair, _usual(counts, labels.types)) for pair, counts in seen.pairs.items() if _holds(text, pair))
        return Annotation(relations=tuple(_relation(type, *pair) for pair, type in pairs if type))
    if task == "eea":
        type = prompts.given_of(row)
        return Annotation(events=(_event(type, "", _arguments(text, type, labels.types, seen)),))
    triggers = _found(text, seen.triggers, labels.types, longest["trigger"])
    return Annotation(
        events=tuple(_event(m.type, m.text, _arguments(text, m.type, labels.roles, seen)) for m in triggers)
    )


def _arguments(text: str, event: str, roles: Sequence[str], seen: _Seen) -> list[tuple[str, str]]:
    """(role, span) of every argument that an event of this type had in training and the text holds."""
    held = ((said, counts) for (type, said), counts in seen.roles.items() if type == event and _holds(text, (said,)))
    return [(role, said) for said, counts in held if (role := _usual(counts, roles))]


def _holds(text: str, spans: Iterable[str]) -> bool:
    return all(span in text for span in spans)


def _longest(known: Counts) -> int:
    """Words of the longest string that is known."""
    return max((len(_WORD.findall(text)) for text in known), default=0)


def _found(text: str, known: Counts, offered: Sequence[str], longest: int) -> Iterator[Mention]:
    """Known strings from left to right, the longest at each place, none inside of another."""
    words = [match.span() for match in _WORD.finditer(text)]
    place = 0
    while place < len(words):
        for end in range(min(place + longest, len(words)), place, -1):
            span = text[words[place][0] : words[end - 1][1]]
            if span in known and (label := _usual(known[span], offered)):
                yield Mention(label, span, words[place][0], words[end - 1][1])
                place = end - 1
                break
        place += 1


def _relation(type: str, head: str, tail: str) -> Relation:
    return Relation(type, Mention("", head), Mention("", tail))


def _event(type: str, trigger: str, arguments: Sequence[tuple[str, str]]) -> Event:
    return Event(type, Mention("", trigger), tuple(Mention(role, text) for role, text in arguments))
