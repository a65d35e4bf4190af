"""The scorer of answers that are right or wrong as a whole, and the checks that every scorer begins with.

_metric = ExactMatch({"strict": prompts.parse}, is_correct, groups)
score, correct = _metric.score, _metric.correct
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from instructzoo.core.errors import ZooError, suggest
from instructzoo.core.record import Invalid, Row
from instructzoo.core.score.intervals import mean_with_ci
from instructzoo.core.score.types import Scores

EXACT_MATCH = "exact match"
"""Name of the metric: the fraction of answers that are right."""

UNPARSEABLE = "unparseable outputs"
"""Name of the count of texts that give no answer."""

Parser = Callable[[str, Row], Any]
"""`parse(text, row)`: the answer that a text gives, or `Invalid`."""


def check_answers(rows: Sequence[Row], answers: Sequence[str], scorer: str, scorers: Iterable[str]) -> None:
    """Check the scorer's name and the number of answers before anything is scored.

    Args:
        rows: The rows to score.
        answers: The model's raw texts.
        scorer: The name of the requested scorer.
        scorers: The names of the scorers that the domain has.

    Raises:
        ZooError: For a scorer that is none of `scorers`, and for another number of answers than rows.
    """
    scorers = tuple(scorers)
    if scorer not in scorers:
        raise ZooError(f'no scorer "{scorer}"', suggest(scorer, scorers), where="evaluate.scorer")
    if len(rows) != len(answers):
        raise ZooError(f"{len(answers)} answers for {len(rows)} rows", "one answer per row, in order")


def rows_by_group(rows: Sequence[Row], groups: Callable[[Row], Iterable[str]]) -> dict[str, list[int]]:
    """Indices of the rows of every group: "all" first, then the groups in the order in which they appear.

    Args:
        rows: The scored rows.
        groups: The groups of one row, "all" aside.

    Returns:
        Indices into `rows` by group, each list in ascending order.
    """
    indices: dict[str, list[int]] = {"all": list(range(len(rows)))}
    for index, row in enumerate(rows):
        for group in groups(row):
            indices.setdefault(group, []).append(index)
    return indices


def no_groups(row: Row) -> tuple[str, ...]:
    """The groups of a row in a domain that reports all rows together."""
    return ()


@dataclass(frozen=True)
class ExactMatch:
    """A scorer by exact match, from what a domain says of one answer.

    Args:
        parsers: For each variant of the scorer the parser that reads answers for it, "strict" first.
        is_correct: Whether a parsed answer to a row is right.
        groups: The groups that a row is reported in, besides all rows.
    """

    parsers: Mapping[str, Parser]
    is_correct: Callable[[Row, Any], bool]
    groups: Callable[[Row], Iterable[str]] = no_groups

    def score(self, rows: Sequence[Row], answers: Sequence[str], scorer: str) -> Scores:
        """The fraction of right answers with n and 95% interval, of all rows and of every group.

        Args:
            rows: The rows that were asked.
            answers: The model's raw texts, one per row in order.
            scorer: The variant, a key of `parsers`.

        Returns:
            The scores; exact match on all rows is the headline, and the counts include unparseable answers.

        Raises:
            ZooError: For an unknown scorer, or another number of answers than rows.
        """
        parsed = self._parsed(rows, answers, scorer)
        hits = [float(self._is_hit(row, answer)) for row, answer in zip(rows, parsed, strict=True)]
        values = [
            mean_with_ci(EXACT_MATCH, [hits[index] for index in indices], group)
            for group, indices in rows_by_group(rows, self.groups).items()
        ]
        counts = {
            "rows": len(rows),
            "right": int(sum(hits)),
            UNPARSEABLE: sum(isinstance(answer, Invalid) for answer in parsed),
        }
        return Scores(scorer, tuple(values), (EXACT_MATCH, "all"), (), counts)

    def correct(self, rows: Sequence[Row], answers: Sequence[str], scorer: str) -> list[bool]:
        """Whether each answer is right; arguments and errors as of `score`.

        Returns:
            One value per row, in order; an answer that cannot be parsed is wrong.
        """
        parsed = self._parsed(rows, answers, scorer)
        return [self._is_hit(row, answer) for row, answer in zip(rows, parsed, strict=True)]

    def _parsed(self, rows: Sequence[Row], answers: Sequence[str], scorer: str) -> list[Any]:
        check_answers(rows, answers, scorer, self.parsers)
        parse = self.parsers[scorer]
        return [parse(text or "", row) for text, row in zip(answers, rows, strict=True)]

    def _is_hit(self, row: Row, answer: Any) -> bool:
        return not isinstance(answer, Invalid) and self.is_correct(row, answer)
