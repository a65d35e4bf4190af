"""Exact-match F1 on tuples by task, with the rates of unparseable outputs and of hallucinated spans.

strict               a tuple is a hit where all of its elements equal those of a gold tuple, character by character.
                     Micro F1 on multisets: a tuple that is predicted twice and gold once is one hit and one error.
lenient              the same, ignoring case and spacing (the paper lower-cases aspects and opinions).
abs-quad             the scorer of ABSA-QUAD, with its errors (published_scorers.py).
instructabsa-legacy  the scorer of InstructABSA, with its errors; only `zoo score` offers it.

An answer with a category that is not on offer (prompts/label_set.py) is unparseable, and is counted beside.

Groups: all rows; each task; each task of each published set ("asqp/rest16 asqp"); and "implicit": only tuples with an
implicit aspect or opinion, of the tasks that ask for these elements.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from instructzoo.absa import prompts
from instructzoo.absa.metrics import baselines, published_scorers
from instructzoo.absa.prompts import label_set
from instructzoo.absa.schema import CONFLICT, TASK_ELEMENTS, TASKS, Quad, check_task, from_json, project
from instructzoo.core.domain import PublishedResult
from instructzoo.core.errors import ZooError
from instructzoo.core.record import Invalid, Row
from instructzoo.core.score import MetricValue, Scores, mean_with_ci
from instructzoo.core.score.baselines import Baseline
from instructzoo.core.score.scorers import UNPARSEABLE, check_answers, rows_by_group
from instructzoo.core.score.tuple_f1 import F1, TupleCounts, count_tuples, tuple_metrics

SCORERS = ("strict", "lenient", published_scorers.ABS_QUAD)
LEGACY = (published_scorers.INSTRUCTABSA,)
BASELINES: dict[str, Baseline] = {"frequent tuple": baselines.frequent_tuple, "lexicon": baselines.lexicon}
HALLUCINATED = "hallucinated spans"
"""Name of the metric: the fraction of predicted spans that the text does not contain."""
OUT_OF_SCHEMA, UNREACHABLE = f"{label_set.OUT_OF_SCHEMA}s", "true tuples of labels that the training rows lack"
"""Names of two counts: answers with a category that is not on offer, and true tuples with one."""

_LISTED = "wizwand.com's list of results, which names neither shots nor page; not checked against the paper"
_README = "InstructABSA's repository at 741e3d86, notebook of results, by its own faulty scorer (instructabsa-legacy)"

PAPER = (
    PublishedResult(F1, "aste/14lap ae", 0.7693, "Varia et al., T5-base", _LISTED),
    PublishedResult(F1, "asqp/rest15 ae", 0.7403, "Varia et al., T5-base", _LISTED),
    PublishedResult(F1, "asqp/rest16 ae", 0.7941, "Varia et al., T5-base", _LISTED),
    PublishedResult(F1, "aste/14lap aesc", 0.6607, "Varia et al., T5-base", _LISTED),
    PublishedResult(F1, "asqp/rest15 aesc", 0.6706, "Varia et al., T5-base", _LISTED),
    PublishedResult(F1, "aste/14res aste", 0.4384, "Varia et al., T5-base", _LISTED),
    PublishedResult(F1, "asqp/rest15 aste", 0.5294, "Varia et al., T5-base", _LISTED),
    PublishedResult(F1, "semeval/2014-laptop ae", 0.9322, "InstructABSA-2, faulty scorer", _README),
    PublishedResult(F1, "semeval/2014-restaurant ae", 0.9298, "InstructABSA-2, faulty scorer", _README),
)

NOTES = {
    published_scorers.ABS_QUAD: (
        "A tuple that is said twice counts twice, and undecodable text is a tuple, as published."
    ),
    published_scorers.INSTRUCTABSA: (
        "This scorer is faulty: a part of a term counts as the term, and precision is not a share. Answering "
        '"e" to everything scores above .8.'
    ),
}


def score(rows: Sequence[Row], answers: Sequence[str], scorer: str) -> Scores:
    """Score raw model outputs.

    Args:
        rows: the rows that were asked.
        answers: the model's outputs, one per row in order.
        scorer: one of SCORERS or LEGACY.

    Returns:
        The scores, with F1 on all rows as the headline.

    Raises:
        ZooError: for an unknown scorer, a row without gold tuples, and another number of answers than rows.
    """
    parsed = _parse(rows, answers, scorer)
    counts = _count(parsed, scorer)
    values: list[MetricValue] = []
    for group, indices in _groups(rows).items():
        values += tuple_metrics(counts.select(indices), group)
    if scorer not in (published_scorers.ABS_QUAD, published_scorers.INSTRUCTABSA):
        values += _implicit_metrics(parsed, scorer)
    unparseable = [isinstance(prediction, str) for prediction in parsed.predictions]
    values.append(mean_with_ci(UNPARSEABLE, [float(flag) for flag in unparseable]))
    values += _hallucination_rate(parsed)
    totals = {
        "rows": len(rows),
        "right": sum(_correct(parsed, counts)),
        "tuples said": int(counts.predicted.sum()),
        "true tuples": int(counts.gold.sum()),
        UNPARSEABLE: sum(unparseable),
        HALLUCINATED: int(sum(_hallucinated_counts(parsed).values())),
        OUT_OF_SCHEMA: sum(parsed.out_of_schema),
        UNREACHABLE: sum(
            bool(label_set.unknown_category([quad], row))
            for row, quads in zip(rows, parsed.gold, strict=True)
            for quad in quads
        ),
    }
    return Scores(scorer, tuple(values), (F1, "all"), (NOTES[scorer],) if scorer in NOTES else (), totals)


def correct(rows: Sequence[Row], answers: Sequence[str], scorer: str) -> list[bool]:
    """Whether each answer has the gold tuples of its row and no others; an unparseable one never has.

    Arguments and errors are those of `score`.

    Returns:
        One value per row, in order.
    """
    parsed = _parse(rows, answers, scorer)
    return _correct(parsed, _count(parsed, scorer))


class _ParsedAnswers:
    """Rows and answers, parsed.

    predictions: for each row its tuples, or the output itself where it is unparseable; quads: the tuples alone;
    out_of_schema: whether it is unparseable because of a category that is not on offer.
    """

    def __init__(self, rows: Sequence[Row], answers: Sequence[str]) -> None:
        self.texts = [str(row["input"]) for row in rows]
        self.tasks = [prompts.task_of(row) for row in rows]
        self.gold = [gold_quads(row, number) for number, row in enumerate(rows, 1)]
        parsed = [(output or "", prompts.parse(output or "", row)) for output, row in zip(answers, rows, strict=True)]
        self.predictions: list[tuple[Quad, ...] | str] = [
            output if isinstance(answer, Invalid) else answer.quads for output, answer in parsed
        ]
        reasons = [answer.reason if isinstance(answer, Invalid) else "" for _, answer in parsed]
        self.out_of_schema = [reason.startswith(label_set.OUT_OF_SCHEMA) for reason in reasons]
        self.quads: list[tuple[Quad, ...]] = [() if isinstance(p, str) else p for p in self.predictions]


def gold_quads(row: Row, number: int = 0) -> tuple[Quad, ...]:
    """The gold tuples of a row: its column `gold`, else its `output`, parsed; reduced to the elements of its task.

    Args:
        row: the row.
        number: its number, for error messages.

    Returns:
        The gold tuples, in their order.

    Raises:
        ZooError: where the row has neither column, for an unknown task, and for tuples that lack a category or
            sentiment of the task.
    """
    where = f"row {number}"
    task = check_task(prompts.task_of(row), where)
    if row.get("gold"):
        quads = tuple(project(from_json(str(row["gold"]), where), task))
        for name in [element for element in ("category", "sentiment") if element in TASK_ELEMENTS[task]]:
            values = {getattr(quad, name) for quad in quads}
            if values & {None, "", CONFLICT}:
                found = f'a true tuple with the {name} "{CONFLICT}"' if CONFLICT in values else f"one without {name}"
                raise ZooError(found, f"a {name} that {task} can ask for", "correct or remove the row", where)
        return quads
    answer = prompts.parse(str(row.get("output") or ""), row)
    if isinstance(answer, Invalid):
        raise ZooError(f"no true tuples: {answer.reason}", "gold, or an output in the form", where=where)
    return answer.quads


def _parse(rows: Sequence[Row], answers: Sequence[str], scorer: str) -> _ParsedAnswers:
    check_answers(rows, answers, scorer, (*SCORERS, *LEGACY))
    return _ParsedAnswers(rows, answers)


def _count(parsed: _ParsedAnswers, scorer: str) -> TupleCounts:
    if scorer == published_scorers.ABS_QUAD:
        return published_scorers.abs_quad(parsed.gold, parsed.predictions, parsed.tasks)
    if scorer == published_scorers.INSTRUCTABSA:
        return published_scorers.instructabsa(parsed.gold, parsed.predictions, parsed.tasks)
    key = _COMPARISON_KEYS[scorer]
    return count_tuples(
        [list(map(key, quads)) for quads in parsed.gold], [list(map(key, quads)) for quads in parsed.quads]
    )


def _lenient_key(quad: Quad) -> Quad:
    elements = (quad.aspect, quad.category, quad.opinion, quad.sentiment)
    return Quad(*(None if element is None else " ".join(element.casefold().split()) for element in elements))


def _strict_key(quad: Quad) -> Quad:
    return quad


_COMPARISON_KEYS: dict[str, Callable[[Quad], Quad]] = {"strict": _strict_key, "lenient": _lenient_key}


def _correct(parsed: _ParsedAnswers, counts: TupleCounts) -> list[bool]:
    pairs = zip(counts.all_correct(), parsed.predictions, strict=True)
    return [is_right and not isinstance(prediction, str) for is_right, prediction in pairs]


def _groups(rows: Sequence[Row]) -> dict[str, list[int]]:
    """Row indices of every group: all, the tasks in the order of TASKS, then the tasks of published sets by name."""
    indices = rows_by_group(rows, _groups_of)
    tasks_first = [group for group in ("all", *TASKS) if group in indices]
    return {group: indices[group] for group in (*tasks_first, *sorted(set(indices) - set(tasks_first)))}


def _groups_of(row: Row) -> tuple[str, ...]:
    task, source = prompts.task_of(row), str(row.get("source") or "")
    return (task, f"{source} {task}") if "/" in source else (task,)


def _implicit_metrics(parsed: _ParsedAnswers, scorer: str) -> list[MetricValue]:
    """The metrics of tuples with an implicit element, over the rows where one is gold or predicted."""
    key = _COMPARISON_KEYS[scorer]
    pairs = []
    for gold, predicted, task in zip(parsed.gold, parsed.quads, parsed.tasks, strict=True):
        elements = [element for element in ("aspect", "opinion") if element in TASK_ELEMENTS[task]]
        pair = tuple(
            [key(quad) for quad in quads if any(getattr(quad, element) is None for element in elements)]
            for quads in (gold, predicted)
        )
        if any(pair):
            pairs.append(pair)
    if not pairs:
        return []
    return tuple_metrics(count_tuples([gold for gold, _ in pairs], [predicted for _, predicted in pairs]), "implicit")


def _hallucinated_counts(parsed: _ParsedAnswers) -> dict[int, int]:
    """The number of predicted spans that are not in the text, by row index, of rows with a predicted span."""
    counts = {}
    for index, (text, quads) in enumerate(zip(parsed.texts, parsed.quads, strict=True)):
        if spans := _spans(quads):
            counts[index] = sum(span not in text for span in spans)
    return counts


def _spans(quads: Sequence[Quad]) -> list[str]:
    return [span for quad in quads for span in (quad.aspect, quad.opinion) if span is not None]


def _hallucination_rate(parsed: _ParsedAnswers) -> list[MetricValue]:
    """The fraction of predicted spans that the text does not contain; nothing where no span was predicted."""
    hallucinated = _hallucinated_counts(parsed)
    if not hallucinated:
        return []
    span_counts = np.array([len(_spans(parsed.quads[index])) for index in hallucinated], dtype=np.float64)
    return [mean_with_ci(HALLUCINATED, np.array(list(hallucinated.values())) / span_counts, weights=span_counts)]
