"""How numbers that judge responses agree with human ratings: Spearman and Pearson, each with its 95% interval.

Two kinds of numbers: the answers to eval_rating, and P(yes), the probability of "yes" beside that of "no" as the answer
to eval_binary, as InstructDial evaluates dialogues (arXiv:2205.12673; there of the first token, here of the answer):

    model = zoo.load("dialogue")
    correlate_yes(model.predictor, rows)     # rows of eval_rating, whose output is what people said of a response
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from instructzoo.core.errors import ZooError
from instructzoo.core.record import Row
from instructzoo.core.score.intervals import Z
from instructzoo.core.score.types import MetricValue
from instructzoo.dialogue.data.row_fields import names_of, task_of

if TYPE_CHECKING:
    from instructzoo.core.infer.predictor import Predictor

SPEARMAN, PEARSON = "Spearman (rho)", "Pearson (r)"
FEWEST = 4
"""Ratings that a correlation needs at least, for its interval to exist."""


def correlations(numbers: Sequence[float], ratings: Sequence[float], group: str) -> list[MetricValue]:
    """Spearman's and Pearson's correlation.

    Args:
        numbers: A number for each response.
        ratings: The human rating of each, in the same order.
        group: The group that the values are for.

    Returns:
        Both values, in -1..1, with intervals by Fisher's transformation (for Spearman's after Bonett and Wright, 2000);
        none where there are fewer than FEWEST ratings, or where all numbers or all ratings are equal.
    """
    from scipy import stats

    n = len(ratings)
    if n < FEWEST or len(set(numbers)) < 2 or len(set(ratings)) < 2:
        return []
    rho = float(stats.spearmanr(numbers, ratings).statistic)
    r = float(stats.pearsonr(numbers, ratings).statistic)
    spread = Z / math.sqrt(n - 3)
    return [
        _with_interval(SPEARMAN, rho, spread * math.sqrt(1 + rho * rho / 2), n, group),
        _with_interval(PEARSON, r, spread, n, group),
    ]


def _with_interval(metric: str, value: float, spread: float, n: int, group: str) -> MetricValue:
    value = max(-1.0, min(1.0, value))
    if abs(value) >= 1:
        return MetricValue(metric, value, value, value, n, group)
    center = math.atanh(value)
    return MetricValue(metric, value, math.tanh(center - spread), math.tanh(center + spread), n, group)


def yes_probabilities(predictor: Predictor, rows: Sequence[Row]) -> list[float]:
    """P(yes) / (P(yes) + P(no)) for each question.

    Args:
        predictor: The model.
        rows: Questions that are answered with yes or no.

    Returns:
        The probabilities, in order.

    Raises:
        ZooError: A question is malformed or longer than the model can read.
    """
    from instructzoo.core.infer.choice_scoring import log_likelihoods

    encoder, probabilities = predictor.encoder(), []
    for row in rows:
        yes, no = log_likelihoods(predictor.loaded, encoder.prompt(row), ("yes", "no"), stop=encoder.stop)
        probabilities.append(1 / (1 + math.exp(min(700.0, no - yes))))
    return probabilities


def correlate_yes(predictor: Predictor, rows: Sequence[Row]) -> list[MetricValue]:
    """How P(yes), asked whether a response is good, agrees with human ratings.

    Args:
        predictor: The model.
        rows: Rows of eval_rating, whose output is the rating.

    Returns:
        Spearman and Pearson for all rows, and for each data set and criterion ("own fluency").

    Raises:
        ZooError: A row is of another task type or its rating is no number; as `yes_probabilities` does.
    """
    ratings = [_rating(row, f"row {number}") for number, row in enumerate(rows, 1)]
    questions = [{**row, "task": "eval_binary", "instruction": "", "names": "", "output": ""} for row in rows]
    numbers = yes_probabilities(predictor, questions)
    groups: dict[str, list[int]] = {"all": list(range(len(rows)))}
    for index, row in enumerate(rows):
        name = f"{row.get('dataset') or ''} {names_of(row).get('criterion', '')}".strip()
        groups.setdefault(name or "all", []).append(index) if name else None
    return [
        value
        for group, indices in groups.items()
        for value in correlations([numbers[i] for i in indices], [ratings[i] for i in indices], group)
    ]


def _rating(row: Row, where: str) -> float:
    if task_of(row).name != "eval_rating":
        raise ZooError(f"a question of {task_of(row).name}", "eval_rating", "give rows with human ratings", where)
    try:
        return float(row.get("output") or "")
    except ValueError as error:
        raise ZooError(f'the rating "{row.get("output")}"', "a number", "correct it", where) from error
