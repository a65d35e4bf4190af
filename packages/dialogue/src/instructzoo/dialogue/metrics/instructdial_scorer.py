"""InstructDial's own scoring, with its flaws, so that published figures can be compared. Never report it alone.

What is known of it (prakharguptaz/Instructdial at d14dcc18):
  - a state is the set of its strings, cut at commas: a value with a comma falls apart, and slots and values are
    compared as they are spelled
  - where several labels are right, an answer is accepted if it is a part of any of them: "in" for "inform"
  - labels of 30 characters or more are left out of the figures
Free text has the same BLEU and ROUGE as in `strict`. An answer in letters counts as the option that it names.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from instructzoo.core.record import Row
from instructzoo.core.score import MetricValue, Scores, mean_with_ci
from instructzoo.dialogue.metrics.groups import indices_by_group
from instructzoo.dialogue.metrics.labels import label_metrics
from instructzoo.dialogue.metrics.outcomes import Outcome, outcomes_of
from instructzoo.dialogue.metrics.slots import JOINT_GOAL_ACCURACY

NAME = "instructdial-legacy"
ACCURACY = "accuracy"
LONGEST_LABEL = 29
LEFT_OUT = "rows left out, their label being 30 characters or longer"
NOTES = (
    "A part of a right label counts as right where several labels are right. Read strict beside it.",
    "Labels of 30 characters or more are left out; the counts say how many.",
    "States are sets of strings cut at commas and semicolons.",
)


def score(rows: Sequence[Row], answers: Sequence[str]) -> Scores:
    """Score as the published code does, in the groups of `metrics.score`.

    Args:
        rows: The questions with their truth.
        answers: One raw text per row, in order.

    Returns:
        Accuracy of all groups; weighted and micro F1 of task types with labels; joint goal accuracy of states.
    """
    outcomes = outcomes_of(rows, answers)
    hits = correct(rows, answers)
    kept = [index for index, outcome in enumerate(outcomes) if not _is_left_out(outcome)]
    values: list[MetricValue] = []
    for group, indices in indices_by_group(rows).items():
        chosen = [index for index in indices if not _is_left_out(outcomes[index])]
        if not chosen:
            continue
        scores = [float(hits[index]) for index in chosen]
        values.append(mean_with_ci(ACCURACY, scores, group))
        tasks = {outcomes[index].task for index in chosen}
        if all(task.group == "state" for task in tasks):
            values.append(mean_with_ci(JOINT_GOAL_ACCURACY, scores, group))
        if all(group.endswith(task.name) and task.options in ("labels", "yes/no") for task in tasks):
            values += label_metrics([outcomes[index] for index in chosen], group)[:2]
    counts = {"rows": len(rows), "right": sum(hits[index] for index in kept), LEFT_OUT: len(rows) - len(kept)}
    return Scores(NAME, tuple(values), (ACCURACY, "all"), NOTES, counts)


def correct(rows: Sequence[Row], answers: Sequence[str]) -> list[bool]:
    """Whether each answer is right by InstructDial's rules.

    Args:
        rows: The questions with their truth.
        answers: One raw text per row, in order.

    Returns:
        One value per row, in order; rows whose label is too long are judged too.
    """
    outcomes = outcomes_of(rows, answers)
    return [_is_right(outcome, text or "") for outcome, text in zip(outcomes, answers, strict=True)]


def _is_left_out(outcome: Outcome) -> bool:
    return outcome.task.answer == "option" and len(outcome.accepted[0]) > LONGEST_LABEL


def _is_right(outcome: Outcome, text: str) -> bool:
    if outcome.task.group == "state":
        return _strings(text) == _strings(str(outcome.row.get("output") or ""))
    if outcome.task.answer == "option" and len(outcome.accepted) > 1:
        return bool(outcome.text) and any(outcome.text in label for label in outcome.accepted)
    return outcome.right


def _strings(state: str) -> set[str]:
    return {part.strip() for part in re.split("[,;]", state)}
