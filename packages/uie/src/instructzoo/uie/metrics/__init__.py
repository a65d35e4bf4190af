"""Micro F1 over what is extracted: typed spans, relations, triggers and arguments; by task and by data set.

    strict     a span counts with its offsets: the n-th mention of a string is its n-th occurrence (span_alignment.py)
    multiset   offsets are ignored: what is stated twice and true once is one hit and one error

A span must equal the true one character by character, and so must its type. A relation needs type, head and tail; a
trigger its event's type; an argument its event's type and its role. "None" is no tuple and hits nothing. An
unparseable answer states nothing and is counted. The measures are those of arXiv:2304.08085, without the flaws of its
scorer, which `zoo score --scorer instructuie-legacy` reproduces (instructuie_scorer.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from instructzoo.core.errors import ZooError
from instructzoo.core.record import Invalid, Row
from instructzoo.core.score import MetricValue, Scores, mean_with_ci
from instructzoo.core.score.baselines import Baseline
from instructzoo.core.score.scorers import UNPARSEABLE as UNPARSEABLE
from instructzoo.core.score.scorers import check_answers
from instructzoo.core.score.tuple_f1 import F1, count_tuples, tuple_metrics
from instructzoo.uie import prompts, schema
from instructzoo.uie.data.row_fields import event_of
from instructzoo.uie.metrics import baselines, instructuie_scorer
from instructzoo.uie.metrics.datasets import dataset_counts, dataset_metrics, pooled
from instructzoo.uie.metrics.published import PAPER as PAPER
from instructzoo.uie.prompts.span_alignment import align_spans
from instructzoo.uie.schema import UNKNOWN, Annotation, Mention

SCORERS = ("strict", "multiset")
LEGACY = ("instructuie-legacy",)
BASELINES: dict[str, Baseline] = {
    "most frequent tuple": baselines.most_frequent,
    "lexicon": baselines.lexicon,
}

ALL = "all"
HALLUCINATED, OUT_OF_SCHEMA = "hallucinated spans", "out-of-schema labels"
"""Metrics: fractions of all spans, and of all labels, in the outputs; UNPARSEABLE is a fraction of all outputs."""

EVENT_GROUPS = {"ee": ("ee trigger", "ee argument"), "eet": ("eet",), "eea": ("eea",)}
"""The groups of the event tasks; every other task is a group of its own."""

NOTES = (
    "An answer names spans, not places. Where the text holds a span several times, truth and answer are placed by one "
    "rule, occurrence by occurrence; the count of true spans placed elsewhere says how often the rule misses.",
    "Macro F1 is the plain mean over data sets; every other figure is micro.",
)

Tuples = dict[str, list[Hashable]]
"""What counts as a hit or an error, by group."""


@dataclass(frozen=True, slots=True)
class _RowResult:
    """The outcome of one row.

    Attributes:
        gold: The true tuples.
        predicted: The tuples of the answer.
        unparseable: Whether the answer does not follow the format.
        spans: How many spans the answer names.
        hallucinated: How many of these the text does not contain.
        labels: How many labels the answer names.
        out_of_schema: How many of these were not on offer.
        realigned: How many true spans the alignment rule places elsewhere than their annotation.
    """

    gold: Tuples
    predicted: Tuples
    unparseable: bool
    spans: int
    hallucinated: int
    labels: int
    out_of_schema: int
    realigned: int


def score(rows: Sequence[Row], answers: Sequence[str], scorer: str) -> Scores:
    """Score raw model outputs.

    Args:
        rows: The questions with their truth.
        answers: One raw output per row, in order.
        scorer: One of `SCORERS` or `LEGACY`.

    Returns:
        The metrics for the groups "all"; the task ("ner", "re", "ee trigger", "ee argument", ...); the task and its
        data set ("re conll04").

    Raises:
        ZooError: For an unknown scorer, a row without truth, or another number of answers than rows.
    """
    check_answers(rows, answers, scorer, (*SCORERS, *LEGACY))
    if scorer in LEGACY:
        return instructuie_scorer.score(rows, answers)
    results = _row_results(rows, answers, scorer)
    counts = count_tuples([_flatten(r.gold) for r in results], [_flatten(r.predicted) for r in results])
    metric_values = [*tuple_metrics(counts), *_group_metrics(rows, results), *_error_rates(results)]
    return Scores(scorer, tuple(metric_values), (F1, ALL), NOTES, _counts(results, answers))


def correct(rows: Sequence[Row], answers: Sequence[str], scorer: str) -> list[bool]:
    """Whether each answer names everything that is true and nothing else; arguments and errors as for `score`.

    Returns:
        One value per row, in order.
    """
    check_answers(rows, answers, scorer, (*SCORERS, *LEGACY))
    if scorer in LEGACY:
        return instructuie_scorer.correct(rows, answers)
    return [_is_correct(result) for result in _row_results(rows, answers, scorer)]


def _row_results(rows: Sequence[Row], answers: Sequence[str], scorer: str) -> list[_RowResult]:
    pairs = zip(rows, answers, strict=True)
    return [_row_result(row, text, scorer, number) for number, (row, text) in enumerate(pairs, 1)]


def _is_correct(result: _RowResult) -> bool:
    return not result.unparseable and Counter(_flatten(result.gold)) == Counter(_flatten(result.predicted))


def truth(row: Mapping[str, object], number: int = 0) -> Annotation:
    """What is true of a row.

    Args:
        row: A row; its `gold` is used, reduced to what its task asks for, or else what its `output` states.
        number: The row's number, for error messages.

    Returns:
        The true annotation.

    Raises:
        ZooError: Where the row has neither.
    """
    gold, where = row.get("gold"), f"row {number}"
    if isinstance(gold, str | Mapping) and gold:
        return schema.project(schema.from_json(gold, where), prompts.task_of(row), event=event_of(row))
    parsed = prompts.parse(str(row.get("output") or ""), row)
    if isinstance(parsed, Invalid):
        raise ZooError(f"no truth: {parsed.reason}", '"gold", or an "output" in the form of an answer', "", where)
    return parsed.annotation


def _row_result(row: Row, text: str | None, scorer: str, number: int) -> _RowResult:
    task = prompts.task_of(row)
    gold = truth(row, number)
    aligned = align_spans(gold, row.get("input") or "")
    parsed = prompts.parse(text or "", row)
    predicted = Annotation() if isinstance(parsed, Invalid) else parsed.annotation
    spans, labels = list(mentions(predicted)), list(labels_in(predicted, task))
    offered = _offered_labels(row)
    return _RowResult(
        gold=tuples(aligned, task, scorer == "strict"),
        predicted=tuples(predicted, task, scorer == "strict"),
        unparseable=isinstance(parsed, Invalid),
        spans=len(spans),
        hallucinated=sum(m.start == UNKNOWN for m in spans),
        labels=len(labels),
        out_of_schema=sum(label not in offered for label in labels) if offered else 0,
        realigned=sum(
            a.start not in (UNKNOWN, b.start) for a, b in zip(mentions(gold), mentions(aligned), strict=True)
        ),
    )


def _offered_labels(row: Mapping[str, object]) -> set[str]:
    """Labels of the question; none where a user's gold file does not name them."""
    if not row.get("options"):
        return set()
    labels = prompts.labels_of(row)
    return {*labels.types, *labels.roles}


def mentions(annotation: Annotation) -> Iterator[Mention]:
    """All spans: entities, heads and tails of relations, triggers and arguments."""
    yield from annotation.entities
    for relation in annotation.relations:
        yield from (relation.head, relation.tail)
    for event in annotation.events:
        if event.trigger.text:  # eea has none
            yield event.trigger
        yield from event.arguments


def labels_in(annotation: Annotation, task: str) -> Iterator[str]:
    """All labels that an answer to the task names.

    Args:
        annotation: The parsed or true answer.
        task: The task that was asked.

    Yields:
        The labels; a label that occurs several times comes several times.
    """
    if task not in ("es", "ep"):
        yield from (m.type for m in annotation.entities)
        yield from (r.type for r in annotation.relations)
    for event in annotation.events:
        if task != "eea":  # the question names the type
            yield event.type
        yield from (m.type for m in event.arguments)


def tuples(annotation: Annotation, task: str, with_offsets: bool) -> Tuples:
    """The tuples that are compared.

    Args:
        annotation: Truth or answer, with offsets.
        task: One of `schema.TASKS`.
        with_offsets: Whether a span is its start and its text, or its text alone.

    Returns:
        The tuples by group.
    """

    def key(mention: Mention) -> Hashable:
        return (mention.start, mention.text) if with_offsets else mention.text

    if task in schema.ENTITY_TASKS:
        return {task: [(m.type, key(m)) for m in annotation.entities]}
    if task in schema.RELATION_TASKS:
        return {task: [(r.type, key(r.head), key(r.tail)) for r in annotation.relations]}
    triggers: list[Hashable] = [(e.type, key(e.trigger)) for e in annotation.events]
    arguments: list[Hashable] = [(e.type, m.type, key(m)) for e in annotation.events for m in e.arguments]
    compared = {"ee": (triggers, arguments), "eet": (triggers,), "eea": (arguments,)}[task]
    return dict(zip(EVENT_GROUPS[task], compared, strict=True))


def _flatten(by_group: Tuples) -> list[Hashable]:
    return [(group, item) for group, items in by_group.items() for item in items]


def _group_metrics(rows: Sequence[Row], results: Sequence[_RowResult]) -> Iterator[MetricValue]:
    """Metrics of every task, its macro mean where it has several data sets, and of every data set."""
    counts = dataset_counts(rows, [r.gold for r in results], [r.predicted for r in results])
    for group in sorted(counts, key=group_order):
        by_dataset = counts[group]
        yield from tuple_metrics(pooled(by_dataset), group)
        only_world = list(by_dataset) == ["world"]  # its metrics would be the group's again
        names = [] if only_world else sorted(name for name in by_dataset if name)
        yield from dataset_metrics(by_dataset, group, names)


def group_order(group: str) -> int:
    """Sort key that puts groups in the order of the tasks."""
    names = [name for task in schema.TASKS for name in EVENT_GROUPS.get(task, (task,))]
    return names.index(group)


def _error_rates(results: Sequence[_RowResult]) -> Iterator[MetricValue]:
    """Fractions of outputs that cannot be parsed, of spans that the text lacks, of labels that were not offered."""
    yield mean_with_ci(UNPARSEABLE, [float(r.unparseable) for r in results])
    for metric, errors, totals in (
        (HALLUCINATED, [r.hallucinated for r in results], [r.spans for r in results]),
        (OUT_OF_SCHEMA, [r.out_of_schema for r in results], [r.labels for r in results]),
    ):
        rates = [(error / total, total) for error, total in zip(errors, totals, strict=True) if total]
        if rates:
            yield mean_with_ci(metric, [rate for rate, _ in rates], weights=[total for _, total in rates])


def _counts(results: Sequence[_RowResult], answers: Sequence[str]) -> dict[str, int]:
    return {
        "rows": len(results),
        "right": sum(map(_is_correct, results)),
        "rows without anything to find": sum(not _flatten(r.gold) for r in results),
        "invalid": sum(r.unparseable for r in results),
        "no text": sum(not (text or "").strip() for text in answers),
        "spans said": sum(r.spans for r in results),
        HALLUCINATED: sum(r.hallucinated for r in results),
        "labels said": sum(r.labels for r in results),
        OUT_OF_SCHEMA: sum(r.out_of_schema for r in results),
        "true spans placed elsewhere by the rule": sum(r.realigned for r in results),
    }
