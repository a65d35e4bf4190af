"""InstructUIE's own scorer, with its flaws, so that published figures can be compared. Never report it alone.

What is known of it (its repository at 339ade6e; UniversalNER, footnote 4):
  - an answer is the set of its strings, cut at semicolons: offsets do not count, and a repeated string counts once
  - "None" is such a string: on every sentence without entities it is a hit, which pays off where these are many
  - strings are compared without case, and "location" is replaced by "located"
  - triggers alone (eet) are scored by the fraction of sentences whose whole answer is right, not by F1
  - means over data sets are macro means
Its special rule for pairs that are labelled as unrelated (NA) does not apply: the zoo's rows have no such pairs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from instructzoo.core.record import Row
from instructzoo.core.score import MetricValue, Scores, mean_with_ci
from instructzoo.core.score.tuple_f1 import F1, count_tuples, tuple_metrics
from instructzoo.uie import schema
from instructzoo.uie.data.row_fields import event_of
from instructzoo.uie.metrics.datasets import dataset_counts, dataset_metrics, pooled
from instructzoo.uie.prompts import answer_format

NAME = "instructuie-legacy"
ACCURACY = "accuracy"
NOTES = (
    '"None" counts as an entity here: always answering it scores far above 0. Read strict beside it.',
    "Strings are compared as sets, without places and without case.",
)

_EVENT = re.compile(r"\(([^()]*)\)")

StringsByGroup = dict[str, list[str]]


def score(rows: Sequence[Row], texts: Sequence[str]) -> Scores:
    """Score as the published scorer does, in the groups of `metrics.score`.

    Args:
        rows: The questions with their truth.
        texts: One raw output per row, in order.

    Returns:
        F1 over strings, and accuracy for eet.
    """
    gold = [strings(_gold_text(row), _task(row)) for row in rows]
    predicted = [strings(text or "", _task(row)) for row, text in zip(rows, texts, strict=True)]
    overall = count_tuples([_flatten(by_group) for by_group in gold], [_flatten(by_group) for by_group in predicted])
    metric_values = [*tuple_metrics(overall), *_group_metrics(rows, gold, predicted)]
    counts = {"rows": len(rows), "right": sum(a == b for a, b in zip(gold, predicted, strict=True))}
    counts["rows whose truth is the entity None"] = sum(
        _flatten(by_group)[:1] == [(next(iter(by_group)), "none")] for by_group in gold
    )
    return Scores(NAME, tuple(metric_values), (F1, "all"), NOTES, counts)


def correct(rows: Sequence[Row], texts: Sequence[str]) -> list[bool]:
    """Whether the set of strings of each output equals the true one.

    Args:
        rows: The questions with their truth.
        texts: One raw output per row, in order.

    Returns:
        One value per row, in order.
    """
    return [
        strings(_gold_text(row), _task(row)) == strings(text or "", _task(row))
        for row, text in zip(rows, texts, strict=True)
    ]


def strings(text: str, task: str) -> StringsByGroup:
    """An answer as its distinct strings by group, in the order of their first appearance.

    Args:
        text: A raw output, or a true answer as text.
        task: The task that was asked.

    Returns:
        The normalised strings under "ee trigger" and "ee argument" for ee, else under the task.
    """
    if task == "eet":
        return {"eet": [normalise(text)]}
    if task != "ee":
        pieces = text.split(",") if task == "es" else text.split(";")
        return {task: list(dict.fromkeys(map(normalise, pieces)))}
    if normalise(text) == "none":
        return {"ee trigger": ["none"], "ee argument": ["none"]}
    events = [match[1].split(",") for match in _EVENT.finditer(text)] or [[text]]
    triggers = dict.fromkeys(normalise(fields[0]) for fields in events)
    arguments = dict.fromkeys(
        f"{normalise(fields[0].partition(':')[0])}: {normalise(argument)}"
        for fields in events
        for argument in fields[1:]
    )
    return {"ee trigger": list(triggers), "ee argument": list(arguments)}


def normalise(text: str) -> str:
    """A string as it is compared: single spaces, lower case, "located" for "location"."""
    return " ".join(text.split()).lower().replace("location", "located")


def _gold_text(row: Row) -> str:
    """The true answer as text; a row that has only `gold` is written in the format of its task."""
    output, gold = str(row.get("output") or ""), row.get("gold")
    if output or not gold:
        return output or answer_format.NONE
    annotation = schema.project(schema.from_json(gold), _task(row), event=event_of(row))
    return answer_format.format_answer(annotation, _task(row))


def _task(row: Row) -> str:
    return str(row.get("task") or "ner")


def _flatten(by_group: StringsByGroup) -> list[tuple[str, str]]:
    return [(group, string) for group, group_strings in by_group.items() for string in group_strings]


def _group_metrics(
    rows: Sequence[Row], gold: Sequence[StringsByGroup], predicted: Sequence[StringsByGroup]
) -> Iterator[MetricValue]:
    """Metrics of every task, its macro mean over data sets, and of every data set."""
    for group, by_dataset in dataset_counts(rows, gold, predicted).items():
        names = [name for name in by_dataset if name]
        if group == "eet":
            yield mean_with_ci(ACCURACY, pooled(by_dataset).hits, group)
            yield from (mean_with_ci(ACCURACY, by_dataset[name].hits, f"{group} {name}") for name in names)
            continue
        yield from tuple_metrics(pooled(by_dataset), group)
        yield from dataset_metrics(by_dataset, group, names)
