"""Exact match of the answers, for all rows, by task type and by group of task types."""

from __future__ import annotations

from instructzoo.core.domain import PublishedResult
from instructzoo.core.record import Row
from instructzoo.core.score.baselines import Baseline
from instructzoo.core.score.scorers import ExactMatch
from instructzoo.dialogue import prompts
from instructzoo.dialogue.data.row_fields import task_of

SCORERS = ("strict",)
LEGACY: tuple[str, ...] = ()
BASELINES: dict[str, Baseline] = {}
PAPER: tuple[PublishedResult, ...] = ()


def is_correct(row: Row, answer: prompts.Answer) -> bool:
    """Whether a parsed answer is the true one."""
    return answer.text == row["output"]


def groups(row: Row) -> tuple[str, ...]:
    """The groups that a row is reported in, besides all rows."""
    return (task_of(row).group, row["task"])


_metric = ExactMatch({"strict": prompts.parse}, is_correct, groups)
score, correct = _metric.score, _metric.correct
