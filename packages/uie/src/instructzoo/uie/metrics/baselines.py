"""What needs no model: always the most frequent tuple, and a lexicon of what the training rows name.

Both learn from the truth of all training rows, whatever they ask, and say only what a question offers. They are
`baseline(train, test) -> one raw text per test row`, read by the parser like a model's.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from instructzoo.core.errors import ZooError
from instructzoo.core.record import Row
from instructzoo.uie import prompts, schema
from instructzoo.uie.prompts import answer_format
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
    return [_written(row, lambda row, labels: _looked_up(row, labels, seen)) for row in test]


@dataclass
class _Seen:
    """What training rows name: labels by string; of relations by head, then tail; of arguments by event, then string.

    flat: relations by both sides; totals: labels of all entities and of all relations; longest: words of the longest
    string; usual: answers of `best`, which many rows share.
    """

    types: Counts = field(default_factory=lambda: defaultdict(Counter))
    triggers: Counts = field(default_factory=lambda: defaultdict(Counter))
    pairs: dict[str, Counts] = field(default_factory=lambda: defaultdict(lambda: defaultdict(Counter)))
    roles: dict[str, Counts] = field(default_factory=lambda: defaultdict(lambda: defaultdict(Counter)))
    flat: Counts = field(default_factory=lambda: defaultdict(Counter))
    totals: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    longest: int = 0
    usual: dict[tuple[str, tuple[str, ...]], tuple[tuple[Any, str], ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, train: Sequence[Row]) -> _Seen:
        if not len(train):
            raise ZooError("no training rows", "at least one", "baselines learn from the training part")
        seen = cls()
        for row in train:
            seen.add(prompts.task_of(row), schema.from_json(row["gold"], str(row.get("id") or "a training row")))
        arguments = (said for found in seen.roles.values() for said in found)
        strings = {*seen.types, *seen.triggers, *arguments, *(text for pair in seen.flat for text in pair)}
        seen.longest = max((len(_WORD.findall(text)) for text in strings), default=0)
        return seen

    def add(self, task: str, gold: Annotation) -> None:
        if task not in ("es", "ep"):  # they name no label
            for mention in gold.entities:
                self.types[mention.text][mention.type] += 1
                self.totals["entity"][mention.type] += 1
            for relation in gold.relations:
                pair = (relation.head.text, relation.tail.text)
                self.pairs[pair[0]][pair[1]][relation.type] += 1
                self.flat[pair][relation.type] += 1
                self.totals["relation"][relation.type] += 1
        for event in gold.events:
            if task != "eea":
                self.triggers[event.trigger.text][event.type] += 1
            for argument in event.arguments:
                self.roles[event.type][argument.text][argument.type] += 1

    def best(self, kind: str, counts: Counts, offered: Sequence[str]) -> tuple[tuple[Any, str], ...]:
        """The most frequent key with a label that is offered, the first among equals; nothing where there is none."""
        key = (kind, tuple(sorted(offered)))
        if key not in self.usual:
            pairs = ((times, said, label) for said, labels in counts.items() for label, times in labels.items())
            most = max((found for found in pairs if found[2] in offered), key=lambda found: found[0], default=None)
            self.usual[key] = ((most[1], most[2]),) if most else ()
        return self.usual[key]


def _written(row: Row, find: Callable[[Row, Labels], Annotation]) -> str:
    """The answer to a question in its own form."""
    task, labels = prompts.task_of(row), prompts.labels_of(row)
    found = find(row, labels)
    if task == "eea":
        return answer_format.write(found, task)  # the roles that are offered were looked at already
    return answer_format.write(schema.project(found, task, labels if task not in ("es", "ep") else None), task)


def _commonest(row: Row, labels: Labels, seen: _Seen) -> Annotation:
    task = prompts.task_of(row)
    if task in ("et", "epr"):
        return _given(row, labels, seen)
    if task in schema.ENTITY_TASKS:
        named = seen.best("entity", seen.types, labels.types)
        return Annotation(entities=tuple(Mention(type, text) for text, type in named))
    if task in schema.RELATION_TASKS:
        pairs = seen.best("relation", seen.flat, labels.types)
        return Annotation(relations=tuple(_relation(type, *pair) for pair, type in pairs))
    if task == "eea":
        type = prompts.given_of(row)
        return Annotation(events=(_event(type, "", _commonest_argument(type, labels.types, seen)),))
    named = seen.best("trigger", seen.triggers, labels.types)
    events = (_event(type, said, _commonest_argument(type, labels.roles, seen)) for said, type in named)
    return Annotation(events=tuple(events))


def _commonest_argument(event: str, roles: Sequence[str], seen: _Seen) -> list[tuple[str, str]]:
    return [(role, said) for said, role in seen.best(f"argument of {event}", seen.roles.get(event, {}), roles)]


def _given(row: Row, labels: Labels, seen: _Seen) -> Annotation:
    """The usual label of each span or pair that the question gives, else the label that is usual for all."""
    given, task = prompts.given_of(row), prompts.task_of(row)
    usual = _usual(seen.totals["entity" if task == "et" else "relation"], labels.types) or labels.types[0]
    counts = seen.types if task == "et" else seen.flat
    named = [(one, _usual(counts.get(one), labels.types) or usual) for one in given]
    if task == "et":
        return Annotation(entities=tuple(Mention(label, text) for text, label in named))
    return Annotation(relations=tuple(_relation(label, *pair) for pair, label in named))


def _usual(counts: Counter[str] | None, offered: Sequence[str]) -> str:
    """The most frequent label that is offered; "" where there is none."""
    fitting = {label: n for label, n in (counts or {}).items() if label in offered}
    return max(fitting, key=lambda label: fitting[label], default="")


def _looked_up(row: Row, labels: Labels, seen: _Seen) -> Annotation:
    task, text = prompts.task_of(row), str(row.get("input") or "")
    if task in ("et", "epr"):
        return _given(row, labels, seen)
    if task in schema.ENTITY_TASKS:
        return Annotation(entities=tuple(_found(text, seen.types, labels.types, seen.longest)))
    held = _strings(text, seen.longest)
    if task in schema.RELATION_TASKS:
        pairs = [(head, tail) for head in held if head in seen.pairs for tail in seen.pairs[head] if tail in held]
        named = ((pair, _usual(seen.pairs[pair[0]][pair[1]], labels.types)) for pair in pairs)
        return Annotation(relations=tuple(_relation(type, *pair) for pair, type in named if type))
    if task == "eea":
        type = prompts.given_of(row)
        return Annotation(events=(_event(type, "", _arguments(held, type, labels.types, seen)),))
    triggers = _found(text, seen.triggers, labels.types, seen.longest)
    return Annotation(
        events=tuple(_event(m.type, m.text, _arguments(held, m.type, labels.roles, seen)) for m in triggers)
    )


def _arguments(held: Iterable[str], event: str, roles: Sequence[str], seen: _Seen) -> list[tuple[str, str]]:
    """(role, span) of every argument that an event of this type had in training and the text holds."""
    known = seen.roles.get(event, {})
    return [(role, said) for said in held if said in known and (role := _usual(known[said], roles))]


def _strings(text: str, longest: int) -> dict[str, None]:
    """All pieces of a text that begin and end at words, of at most `longest` words, in their order."""
    words = [match.span() for match in _WORD.finditer(text)]
    return {
        text[words[i][0] : words[j - 1][1]]: None
        for i in range(len(words))
        for j in range(i + 1, min(i + longest, len(words)) + 1)
    }


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
