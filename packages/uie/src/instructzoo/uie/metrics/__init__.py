"""Micro F1 over what is found: spans with their types, relations, triggers and arguments; by task and data set.

    strict     a span counts with its place: the n-th mention of a string is its n-th occurrence (places.py)
    multiset   places are left aside: what is said twice and true once is one hit and one error

A span must be the true one character by character, its type the true one; a relation needs type, head and tail; a
trigger its event's type; an argument its event's type and role. "None" is no tuple: it hits nothing. An answer without
the form says nothing and is counted. The measures are those of arXiv:2304.08085, without the faults of its
scorer, which `zoo score --scorer instructuie-legacy` computes (legacy.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from instructzoo.core.errors import ZooError, suggest
from instructzoo.core.record import Invalid, Row
from instructzoo.core.score import MetricValue, Scores, mean_with_ci
from instructzoo.core.score.baselines import Baseline
from instructzoo.core.score.tuple_f1 import F1, Overlap, macro, overlap, tuple_metrics
from instructzoo.uie import prompts, schema
from instructzoo.uie.data.row_fields import event_of
from instructzoo.uie.metrics import baselines, instructuie_scorer
from instructzoo.uie.metrics.published import PAPER as PAPER
from instructzoo.uie.prompts.span_alignment import locate
from instructzoo.uie.schema import UNKNOWN, Annotation, Mention

SCORERS = ("strict", "multiset")
LEGACY = ("instructuie-legacy",)
BASELINES: dict[str, Baseline] = {
    "most frequent tuple": baselines.most_frequent,
    "lexicon": baselines.lexicon,
}

ALL = "all"
INVALID, MADE_UP, NOT_OFFERED = "answers without form", "spans not in the text", "labels not offered"
KINDS = {"ee": ("ee trigger", "ee argument"), "eet": ("eet",), "eea": ("eea",)}
"""The groups of the event tasks; every other task is its own group."""

NOTES = (
    "An answer names spans, not places. Where the text holds a span several times, truth and answer are placed by one "
    "rule, occurrence by occurrence; the count of true spans placed elsewhere says how often the rule misses.",
    "Macro F1 is the plain mean over data sets; every other figure is micro.",
)

Tuples = dict[str, list[Hashable]]


@dataclass(frozen=True, slots=True)
class _Judged:
    """Truth and answer of one row as tuples by group, and what is amiss with the answer."""

    gold: Tuples
    said: Tuples
    invalid: bool
    spans: int
    made_up: int
    labels: int
    not_offered: int
    moved: int


def score(rows: Sequence[Row], answers: Sequence[str], scorer: str) -> Scores:
    """Figures of raw model texts against rows, one text per row in order.

    Groups: "all"; the task ("ner", "re", "ee trigger", "ee argument", ...); the task and its data set ("re conll04").
    Raises ZooError for an unknown scorer, a row without truth, or another number of answers than rows.
    """
    _check(rows, answers, scorer)
    if scorer in LEGACY:
        return instructuie_scorer.score(rows, answers)
    judged = [_judge(row, text, scorer, n) for n, (row, text) in enumerate(zip(rows, answers, strict=True), 1)]
    counts = overlap([_flat(one.gold) for one in judged], [_flat(one.said) for one in judged])
    figures = [*tuple_metrics(counts), *_groups(rows, judged), *_rates(judged)]
    return Scores(scorer, tuple(figures), (F1, ALL), NOTES, _counts(judged, answers))


def correct(rows: Sequence[Row], answers: Sequence[str], scorer: str) -> list[bool]:
    """Whether each answer names all that is true and nothing else; errors as in `score`."""
    _check(rows, answers, scorer)
    if scorer in LEGACY:
        return instructuie_scorer.correct(rows, answers)
    judged = (_judge(row, text, scorer, n) for n, (row, text) in enumerate(zip(rows, answers, strict=True), 1))
    return [_right(one) for one in judged]


def _right(one: _Judged) -> bool:
    return not one.invalid and Counter(_flat(one.gold)) == Counter(_flat(one.said))


def _check(rows: Sequence[Row], answers: Sequence[str], scorer: str) -> None:
    known = (*SCORERS, *LEGACY)
    if scorer not in known:
        raise ZooError(f'no scorer "{scorer}"', suggest(scorer, known), where="evaluate.scorer")
    if len(rows) != len(answers):
        raise ZooError(f"{len(answers)} answers for {len(rows)} rows", "one answer per row, in order")


def truth(row: Mapping[str, object], number: int = 0) -> Annotation:
    """What is true of a row: its `gold` as far as its task asks, else what its `output` says.

    Raises ZooError where neither says anything.
    """
    gold, where = row.get("gold"), f"row {number}"
    if isinstance(gold, str | Mapping) and gold:
        return schema.project(schema.from_json(gold, where), prompts.task_of(row), event=event_of(row))
    said = prompts.parse(str(row.get("output") or ""), row)
    if isinstance(said, Invalid):
        raise ZooError(f"no truth: {said.reason}", '"gold", or an "output" in the form of an answer', "", where)
    return said.annotation


def _judge(row: Row, text: str | None, scorer: str, number: int) -> _Judged:
    task = prompts.task_of(row)
    true = truth(row, number)
    placed = locate(true, row.get("input") or "")
    parsed = prompts.parse(text or "", row)
    said = Annotation() if isinstance(parsed, Invalid) else parsed.annotation
    spans, found = list(mentions(said)), list(labels(said, task))
    offered = _offered(row)
    return _Judged(
        gold=tuples(placed, task, scorer == "strict"),
        said=tuples(said, task, scorer == "strict"),
        invalid=isinstance(parsed, Invalid),
        spans=len(spans),
        made_up=sum(m.start == UNKNOWN for m in spans),
        labels=len(found),
        not_offered=sum(label not in offered for label in found) if offered else 0,
        moved=sum(a.start not in (UNKNOWN, b.start) for a, b in zip(mentions(true), mentions(placed), strict=True)),
    )


def _offered(row: Mapping[str, object]) -> set[str]:
    """Labels of the question; none where a user's file of truths does not name them."""
    if not row.get("options"):
        return set()
    found = prompts.labels_of(row)
    return {*found.types, *found.roles}


def mentions(annotation: Annotation) -> Iterator[Mention]:
    """All spans: entities, both sides of relations, triggers and arguments."""
    yield from annotation.entities
    for relation in annotation.relations:
        yield from (relation.head, relation.tail)
    for event in annotation.events:
        if event.trigger.text:  # eea has none
            yield event.trigger
        yield from event.arguments


def labels(annotation: Annotation, task: str) -> Iterator[str]:
    """All labels that an answer to the task says."""
    if task not in ("es", "ep"):
        yield from (m.type for m in annotation.entities)
        yield from (r.type for r in annotation.relations)
    for event in annotation.events:
        if task != "eea":  # the question names the type
            yield event.type
        yield from (m.type for m in event.arguments)


def tuples(annotation: Annotation, task: str, placed: bool) -> Tuples:
    """What counts, by group. placed: a span is its first character and its text, else its text alone."""

    def key(mention: Mention) -> Hashable:
        return (mention.start, mention.text) if placed else mention.text

    if task in schema.ENTITY_TASKS:
        return {task: [(m.type, key(m)) for m in annotation.entities]}
    if task in schema.RELATION_TASKS:
        return {task: [(r.type, key(r.head), key(r.tail)) for r in annotation.relations]}
    triggers: list[Hashable] = [(e.type, key(e.trigger)) for e in annotation.events]
    arguments: list[Hashable] = [(e.type, m.type, key(m)) for e in annotation.events for m in e.arguments]
    found = {"ee": (triggers, arguments), "eet": (triggers,), "eea": (arguments,)}[task]
    return dict(zip(KINDS[task], found, strict=True))


def _flat(by_group: Tuples) -> list[Hashable]:
    return [(group, one) for group, found in by_group.items() for one in found]


def _groups(rows: Sequence[Row], judged: Sequence[_Judged]) -> Iterator[MetricValue]:
    """Figures of every task, its macro mean where it has several data sets, and of every data set."""
    places: dict[str, dict[str, list[int]]] = {}
    for place, (row, one) in enumerate(zip(rows, judged, strict=True)):
        for group in one.gold:
            places.setdefault(group, {}).setdefault(str(row.get("dataset") or ""), []).append(place)
    for group in sorted(places, key=group_order):
        sets = places[group]
        counts = {name: _of(judged, group, picked) for name, picked in sets.items()}
        yield from tuple_metrics(Overlap(*map(np.concatenate, zip(*counts.values(), strict=True))), group)
        named = {name: found for name, found in counts.items() if name and (len(counts) > 1 or name != "world")}
        single = {name: tuple_metrics(found, f"{group} {name}") for name, found in named.items()}
        if len(single) > 1:
            yield macro([figures[0] for figures in single.values()], group)
        for name in sorted(single):
            yield from single[name]


def _of(judged: Sequence[_Judged], group: str, picked: Sequence[int]) -> Overlap:
    return overlap([judged[i].gold[group] for i in picked], [judged[i].said.get(group, []) for i in picked])


def group_order(group: str) -> int:
    """Groups in the order of the tasks."""
    names = [name for task in schema.TASKS for name in KINDS.get(task, (task,))]
    return names.index(group)


def _rates(judged: Sequence[_Judged]) -> Iterator[MetricValue]:
    """Shares of answers without the form, of spans that the text does not hold, of labels that were not offered."""
    yield mean_with_ci(INVALID, [float(one.invalid) for one in judged])
    for metric, wrong, of in (
        (MADE_UP, [one.made_up for one in judged], [one.spans for one in judged]),
        (NOT_OFFERED, [one.not_offered for one in judged], [one.labels for one in judged]),
    ):
        held = [(w / n, n) for w, n in zip(wrong, of, strict=True) if n]
        if held:
            yield mean_with_ci(metric, [share for share, _ in held], weights=[n for _, n in held])


def _counts(judged: Sequence[_Judged], answers: Sequence[str]) -> dict[str, int]:
    return {
        "rows": len(judged),
        "right": sum(map(_right, judged)),
        "rows without anything to find": sum(not _flat(one.gold) for one in judged),
        "invalid": sum(one.invalid for one in judged),
        "no text": sum(not (text or "").strip() for text in answers),
        "spans said": sum(one.spans for one in judged),
        MADE_UP: sum(one.made_up for one in judged),
        "labels said": sum(one.labels for one in judged),
        NOT_OFFERED: sum(one.not_offered for one in judged),
        "true spans placed elsewhere by the rule": sum(one.moved for one in judged),
    }
