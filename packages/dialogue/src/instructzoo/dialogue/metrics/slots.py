"""Measures of answers with slots: F1 of pairs of slot and value, and how whole states are right.

slot F1              micro: pairs of all questions together; a pair that is answered twice and true once is an error
macro slot F1        plain mean over the slots that are true or answered, those with an F1 of 0 included
joint goal accuracy  fraction of turns whose whole state is right
slot accuracy        fraction of a turn's slots that have the right value, or rightly none; mean over turns. Most
                     slots of a state are empty, so that it is high for an answer without any slot too
invented values      fraction of answered values that neither the question's text nor its column `values` holds
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from instructzoo.core.score import mean_with_ci
from instructzoo.core.score.tables import Table, format_number
from instructzoo.core.score.tuple_f1 import F1, PRECISION, RECALL, count_tuples, macro_average, tuple_metrics
from instructzoo.core.score.types import MetricValue
from instructzoo.dialogue.data.row_fields import options_of, values_of
from instructzoo.dialogue.metrics.outcomes import Outcome, Pair, normalised

SLOT_F1, SLOT_PRECISION, SLOT_RECALL = "slot F1", "slot precision", "slot recall"
MACRO_SLOT_F1 = "macro slot F1"
JOINT_GOAL_ACCURACY, SLOT_ACCURACY = "joint goal accuracy", "slot accuracy"
INVENTED_VALUES = "invented values"

_NAMES = {F1: SLOT_F1, PRECISION: SLOT_PRECISION, RECALL: SLOT_RECALL}


def slot_metrics(outcomes: Sequence[Outcome], group: str) -> list[MetricValue]:
    """The measures of answers with slots; those of states only where all answers are states.

    Args:
        outcomes: The outcomes of questions that are answered with slots; at least one.
        group: The group that they are.

    Returns:
        The values with 95% intervals.
    """
    counts = count_tuples([o.true_pairs for o in outcomes], [o.pairs for o in outcomes])
    values = [replace(value, metric=_NAMES[value.metric]) for value in tuple_metrics(counts, group)]
    if by_slot := f1_by_slot(outcomes):
        values.append(replace(macro_average(by_slot, group, MACRO_SLOT_F1), n=len(outcomes)))
    if all(outcome.task.group == "state" for outcome in outcomes):
        values.append(mean_with_ci(JOINT_GOAL_ACCURACY, [float(o.right) for o in outcomes], group))
        values.append(mean_with_ci(SLOT_ACCURACY, [_slot_accuracy(o) for o in outcomes], group))
    if named := [outcome for outcome in outcomes if outcome.slots]:
        totals = [len(outcome.slots) for outcome in named]
        rates = [_invented(outcome) / total for outcome, total in zip(named, totals, strict=True)]
        values.append(mean_with_ci(INVENTED_VALUES, rates, group, weights=totals))
    return values


def f1_by_slot(outcomes: Sequence[Outcome]) -> list[MetricValue]:
    """F1 of every slot that is true or answered, each a group of its own, in alphabetical order.

    Args:
        outcomes: The outcomes of questions that are answered with slots.

    Returns:
        The values; n counts the questions that name the slot, or whose answer does.
    """
    by_slot: dict[str, list[tuple[list[Pair], list[Pair]]]] = {}
    for outcome in outcomes:
        for name in {name for name, _ in (*outcome.true_pairs, *outcome.pairs)}:
            true, said = ([pair for pair in pairs if pair[0] == name] for pairs in (outcome.true_pairs, outcome.pairs))
            by_slot.setdefault(name, []).append((true, said))
    return [
        tuple_metrics(count_tuples([true for true, _ in pairs], [said for _, said in pairs]), name)[0]
        for name, pairs in sorted(by_slot.items())
    ]


def slot_table(outcomes: Sequence[Outcome], caption: str = "") -> Table:
    """F1 of every slot that is true or answered.

    Args:
        outcomes: The outcomes of questions that are answered with slots.
        caption: What the table is of.

    Returns:
        The table, the slots in alphabetical order.
    """
    rows = tuple((value.group, f"{value.n:,}", format_number(F1, value.value)) for value in f1_by_slot(outcomes))
    return Table(("slot", "n", "F1, %"), rows, caption)


def _slot_accuracy(outcome: Outcome) -> float:
    """The fraction of slots, of those on offer, true or answered, whose values are right; 0 for no answer."""
    if not outcome.valid:
        return 0.0
    offered = {normalised(name) for name in options_of(outcome.row)}
    names = offered | {name for name, _ in (*outcome.true_pairs, *outcome.pairs)}
    wrong = {name for name, _ in {*outcome.true_pairs} ^ {*outcome.pairs}}
    return 1 - len(wrong) / len(names) if names else 1.0


def _invented(outcome: Outcome) -> int:
    """The number of answered values that neither the text of the question nor its column `values` holds."""
    text, allowed = str(outcome.row.get("input") or ""), values_of(outcome.row)
    return sum(slot.value not in text and slot.value not in allowed.get(slot.name, ()) for slot in outcome.slots)
