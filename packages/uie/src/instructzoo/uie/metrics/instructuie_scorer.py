"""InstructUIE's own scorer, with its faults, so that published figures can be read. Never a score to report alone.

What is known of it (its repository at 339ade6e; UniversalNER, footnote 4):
  - an answer is the set of its strings, cut at semicolons: places do not count, and what stands twice stands once
  - "None" is such a string: on every sentence without entities it is a hit, which pays off where these are many
  - strings are compared without case, and "location" reads "located"
  - triggers alone (eet) are scored by the share of sentences whose whole answer is the true one, not by F1
  - means over data sets are macro means
Its special rule for pairs that are named as unrelated (NA) has no case here: the house's rows name no such pairs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np

from instructzoo.core.record import Row
from instructzoo.core.score import MetricValue, Scores, mean_with_ci
from instructzoo.core.score.tuple_f1 import F1, Overlap, macro, overlap, tuple_metrics
from instructzoo.uie import schema
from instructzoo.uie.data.row_fields import event_of
from instructzoo.uie.prompts import answer_format

NAME = "instructuie-legacy"
ACCURACY = "accuracy"
NOTES = (
    '"None" counts as an entity here: always answering it scores far above 0. Read strict beside it.',
    "Strings are compared as sets, without places and without case.",
)

_EVENT = re.compile(r"\(([^()]*)\)")


def score(rows: Sequence[Row], texts: Sequence[str]) -> Scores:
    """Figures as the published scorer counts, in the groups of metrics.py."""
    gold = [strings(_true(row), _task(row)) for row in rows]
    said = [strings(text or "", _task(row)) for row, text in zip(rows, texts, strict=True)]
    everything = overlap([_flat(one) for one in gold], [_flat(one) for one in said])
    figures = [*tuple_metrics(everything), *_groups(rows, gold, said)]
    counts = {"rows": len(rows), "right": sum(a == b for a, b in zip(gold, said, strict=True))}
    counts["rows whose truth is the entity None"] = sum(_flat(one)[:1] == [(next(iter(one)), "none")] for one in gold)
    return Scores(NAME, tuple(figures), (F1, "all"), NOTES, counts)


def correct(rows: Sequence[Row], texts: Sequence[str]) -> list[bool]:
    """Whether the sets of strings are equal."""
    return [
        strings(_true(row), _task(row)) == strings(text or "", _task(row))
        for row, text in zip(rows, texts, strict=True)
    ]


def strings(text: str, task: str) -> dict[str, list[str]]:
    """An answer as its distinct strings by group, in the order of their first appearance."""
    if task == "eet":
        return {"eet": [normal(text)]}
    if task != "ee":
        cut = text.split(",") if task == "es" else text.split(";")
        return {task: list(dict.fromkeys(map(normal, cut)))}
    if normal(text) == "none":
        return {"ee trigger": ["none"], "ee argument": ["none"]}
    events = [match[1].split(",") for match in _EVENT.finditer(text)] or [[text]]
    triggers = dict.fromkeys(normal(parts[0]) for parts in events)
    arguments = dict.fromkeys(
        f"{normal(parts[0].partition(':')[0])}: {normal(part)}" for parts in events for part in parts[1:]
    )
    return {"ee trigger": list(triggers), "ee argument": list(arguments)}


def normal(text: str) -> str:
    return " ".join(text.split()).lower().replace("location", "located")


def _true(row: Row) -> str:
    """The true answer as text: a row that has only `gold` is written out."""
    output, gold = str(row.get("output") or ""), row.get("gold")
    if output or not gold:
        return output or answer_format.NONE
    return answer_format.write(schema.project(schema.from_json(gold), _task(row), event=event_of(row)), _task(row))


def _task(row: Row) -> str:
    return str(row.get("task") or "ner")


def _flat(by_group: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(group, one) for group, found in by_group.items() for one in found]


def _groups(
    rows: Sequence[Row], gold: Sequence[dict[str, list[str]]], said: Sequence[dict[str, list[str]]]
) -> Iterator[MetricValue]:
    places: dict[str, dict[str, list[int]]] = {}
    for place, (row, one) in enumerate(zip(rows, gold, strict=True)):
        for group in one:
            places.setdefault(group, {}).setdefault(str(row.get("dataset") or ""), []).append(place)
    for group, sets in places.items():
        counts = {name: overlap([gold[i][group] for i in p], [said[i][group] for i in p]) for name, p in sets.items()}
        if group == "eet":
            hits = {name: found.hits for name, found in counts.items()}
            yield mean_with_ci(ACCURACY, np.concatenate(list(hits.values())), group)
            yield from (mean_with_ci(ACCURACY, found, f"{group} {name}") for name, found in hits.items() if name)
            continue
        yield from tuple_metrics(Overlap(*map(np.concatenate, zip(*counts.values(), strict=True))), group)
        single = {name: tuple_metrics(found, f"{group} {name}") for name, found in counts.items() if name}
        if len(single) > 1:
            yield macro([figures[0] for figures in single.values()], group)
        for figures in single.values():
            yield from figures
