"""Accuracy of all answers, and the measures of each kind of answer, by task type and data set.

    accuracy                        answers that are right as a whole (outcomes.py); of all rows it is the headline
    micro, weighted, macro F1       task types with labels as options (labels.py)
    out-of-label answers            answers that are none of the options on offer, of questions with options
    slot F1, joint goal accuracy    answers with slots, and states (slots.py)
    BLEU, ROUGE, constraint hits    free text (texts.py)
    Spearman, Pearson               answers to eval_rating against human ratings (ratings.py)

Groups: task groups ("classification"), task types, and task types by data set ("snips intent_classification"), of which
what is out of scope is one of its own. An answer that cannot be parsed is wrong and counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from instructzoo.core.domain import PublishedResult
from instructzoo.core.record import Row
from instructzoo.core.score import MetricValue, Scores, mean_with_ci
from instructzoo.core.score.baselines import Baseline
from instructzoo.core.score.scorers import UNPARSEABLE, check_answers
from instructzoo.core.score.types import Table
from instructzoo.dialogue.metrics import baselines, instructdial_scorer
from instructzoo.dialogue.metrics.groups import indices_by_group
from instructzoo.dialogue.metrics.labels import OUT_OF_LABEL, confusion_table, label_metrics, label_table
from instructzoo.dialogue.metrics.outcomes import Outcome, outcomes_of
from instructzoo.dialogue.metrics.ratings import correlations
from instructzoo.dialogue.metrics.slots import slot_metrics, slot_table
from instructzoo.dialogue.metrics.texts import TextMeasures, measured, text_metrics

SCORERS = ("strict",)
LEGACY = (instructdial_scorer.NAME,)
BASELINES: dict[str, Baseline] = {
    "most frequent answer": baselines.most_frequent,
    "nearest question of the task": baselines.nearest,
    "last turn, empty state": baselines.last_turn,
}
PAPER: tuple[PublishedResult, ...] = ()

ACCURACY = "accuracy"
NOTES = (
    "Free text is right where it equals a reference; BLEU and ROUGE, in percent, say how near it comes.",
    "Macro F1 and macro slot F1 are plain means over labels and slots, those with an F1 of 0 included.",
)


def score(rows: Sequence[Row], answers: Sequence[str], scorer: str) -> Scores:
    """Score raw model outputs.

    Args:
        rows: The questions with their truth.
        answers: One raw output per row, in order.
        scorer: One of `SCORERS` or `LEGACY`.

    Returns:
        The metrics by group; accuracy of all rows is the headline.

    Raises:
        ZooError: For an unknown scorer, a malformed row or one without truth, or another number of answers than rows.
    """
    check_answers(rows, answers, scorer, (*SCORERS, *LEGACY))
    if scorer in LEGACY:
        return instructdial_scorer.score(rows, answers)
    outcomes = outcomes_of(rows, answers)
    measures = {index: measured(outcome) for index, outcome in enumerate(outcomes) if outcome.task.answer == "text"}
    values: list[MetricValue] = []
    tables: list[Table] = []
    for group, indices in indices_by_group(rows).items():
        selected = [outcomes[index] for index in indices]
        values.append(mean_with_ci(ACCURACY, [float(outcome.right) for outcome in selected], group))
        if group != "all":
            values += _group_metrics(selected, [measures[i] for i in indices if i in measures], group)
            tables += _tables(selected, group)
    values += _out_of_label(outcomes, "all")
    return Scores(scorer, tuple(values), (ACCURACY, "all"), NOTES, _counts(outcomes, answers), tuple(tables))


def correct(rows: Sequence[Row], answers: Sequence[str], scorer: str) -> list[bool]:
    """Whether each answer is right as a whole; arguments and errors as for `score`.

    Returns:
        One value per row, in order.
    """
    check_answers(rows, answers, scorer, (*SCORERS, *LEGACY))
    if scorer in LEGACY:
        return instructdial_scorer.correct(rows, answers)
    return [outcome.right for outcome in outcomes_of(rows, answers)]


def _group_metrics(outcomes: Sequence[Outcome], measures: Sequence[TextMeasures], group: str) -> Iterator[MetricValue]:
    """The measures of a group beside its accuracy, each over the questions that it is for."""
    tasks = {outcome.task for outcome in outcomes}
    yield from _out_of_label(outcomes, group)
    if all(group.endswith(task.name) and task.options in ("labels", "yes/no") for task in tasks):
        yield from label_metrics(outcomes, group)
    if with_slots := [outcome for outcome in outcomes if outcome.task.answer == "slots"]:
        yield from slot_metrics(with_slots, group)
    if measures:
        rouges = ("rouge1", "rouge2", "rougeL") if {task.name for task in tasks} == {"summarization"} else ("rougeL",)
        yield from text_metrics(measures, group, rouges)
    if {task.name for task in tasks} == {"eval_rating"}:
        pairs = [(o.number, o.true_number) for o in outcomes if o.number is not None and o.true_number is not None]
        yield from correlations([number for number, _ in pairs], [rating for _, rating in pairs], group)


def _tables(outcomes: Sequence[Outcome], group: str) -> Iterator[Table]:
    """By label, with the most frequent errors, or by slot: of a task type in one data set."""
    task, dataset = outcomes[0].task, str(outcomes[0].row.get("dataset") or "")
    of_world = dataset == "world" and group == task.name and all(o.row.get("dataset") == "world" for o in outcomes)
    if not of_world and group != f"{dataset} {task.name}":
        return
    if task.options == "labels":
        yield label_table(outcomes, f"{group}: by label")
        if not all(outcome.right for outcome in outcomes):
            yield confusion_table(outcomes, f"{group}: the most frequent errors")
    elif task.answer == "slots":
        yield slot_table(outcomes, f"{group}: by slot")


def _out_of_label(outcomes: Sequence[Outcome], group: str) -> Iterator[MetricValue]:
    with_options = [float(outcome.out_of_label) for outcome in outcomes if outcome.task.answer == "option"]
    if with_options:
        yield mean_with_ci(OUT_OF_LABEL, with_options, group)


def _counts(outcomes: Sequence[Outcome], answers: Sequence[str]) -> dict[str, int]:
    return {
        "rows": len(outcomes),
        "right": sum(outcome.right for outcome in outcomes),
        UNPARSEABLE: sum(not outcome.valid for outcome in outcomes),
        "no text": sum(not (text or "").strip() for text in answers),
        OUT_OF_LABEL: sum(outcome.out_of_label for outcome in outcomes),
    }
