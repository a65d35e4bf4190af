"""Exact match and digit match by operation and digits, the grid of Goat's table (arXiv:2305.14201).

    exact match   fraction of answers equal to the true one, character by character, in canonical form ("139 R 18")
    digit match   1 - CER, the character error rate: the fraction of characters of the true answers that the model got
                  right; a text without a number gets none

`prompts.parse` takes the answer from the model's text: the strict scorer accepts only the form that the world writes,
the lenient one whatever a reader would understand. A text without an answer is wrong and counted as invalid.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from instructzoo.arithmetic import prompts
from instructzoo.arithmetic.problem import COMMUTATIVE, OPERATIONS
from instructzoo.core.domain import PublishedResult
from instructzoo.core.errors import ZooError
from instructzoo.core.record import Invalid, Row
from instructzoo.core.score import MetricValue, Scores, character_errors, exact_match, mean_with_ci
from instructzoo.core.score.baselines import Baseline
from instructzoo.core.score.scorers import check_answers, rows_by_group

SCORERS = ("strict", "lenient")
LEGACY: tuple[str, ...] = ()
BASELINES: dict[str, Baseline] = {}
"""None beside the baselines that the core runs for every domain."""

METRICS = (EXACT, DIGITS) = ("exact match", "digit match")
SOURCE = "arXiv:2305.14201, table of results"

NOTES = (
    "Columns 1D to 5D are problems whose longer operand has so many digits; the paper takes BIG-bench's tasks of that "
    "name, whose files were not at hand, so these columns are look-alikes.",
    "Digit match is 1 - CER with the edits of one answer cut at the length of the true one; the count says how often.",
)

_DIGIT_PAIR = re.compile(r"([0-9]{1,4})D([-+*/])([0-9]{1,4})D")
_LAST_COLUMN = 5
"""The paper's first columns are 1D to 5D."""

# column, Goat-7B exact match, Goat-7B digit match, GPT-4 exact match (None: not published); all in percent
_TABLE: dict[str, tuple[tuple[str, float, float, float | None], ...]] = {
    "add": (
        ("1D", 100, 100, None),
        ("2D", 100, 100, None),
        ("3D", 99.4, 99.8, 99.6),
        ("4D", 98.3, 99.5, 98.8),
        ("5D", 98.1, 99.4, 94.1),
        ("8D+8D", 97.8, 99.4, 92.1),
        ("16D+8D", 97.1, 99.6, 9.4),
        ("16D+16D", 97.6, 99.7, 94.1),
    ),
    "subtract": (
        ("1D", 100, 100, None),
        ("2D", 100, 100, None),
        ("3D", 99.7, 99.9, 99.2),
        ("4D", 98.6, 99.6, 98.9),
        ("5D", 98.4, 99.5, 92.4),
        ("8D-8D", 96.8, 99.3, 70.5),
        ("16D-8D", 95.8, 99.2, 10.6),
        ("16D-16D", 96.3, 99.3, 59.6),
    ),
    "multiply": (
        ("1D", 100, 100, None),
        ("2D", 100, 100, 99.4),
        ("3D", 97.8, 99.4, 30.3),
        ("4D", 96.9, 99.2, 5.3),
        ("5D", 96.7, 99.3, 0),
        ("16D*1D", 99.7, 99.9, 61.5),
        ("8D*4D", 88.1, 97.8, 0),
        ("6D*6D", 96.8, 99.5, 0),
    ),
    "divide": (
        ("1D", 100, 100, None),
        ("2D", 100, 100, None),
        ("3D", 99.5, 99.7, 94.5),
        ("4D", 99.0, 99.5, 90.9),
        ("5D", 96.5, 98.1, 53.4),
        ("16D/1D", 99.0, 99.7, 54.0),
        ("6D/3D", 94.1, 96.1, 6.4),
        ("12D/6D", 89.3, 93.5, 0),
    ),
}


def _published_results() -> tuple[PublishedResult, ...]:
    results = []
    for operation, columns in _TABLE.items():
        for column, goat_exact, goat_digit, gpt4_exact in columns:
            group = f"{operation} {column}"
            results.append(PublishedResult(EXACT, group, goat_exact / 100, "Goat-7B", SOURCE))
            results.append(PublishedResult(DIGITS, group, goat_digit / 100, "Goat-7B", SOURCE))
            if gpt4_exact is not None:
                results.append(PublishedResult(EXACT, group, gpt4_exact / 100, "GPT-4", SOURCE))
    return tuple(results)


PAPER = _published_results()


def score(rows: Sequence[Row], answers: Sequence[str], scorer: str) -> Scores:
    """Exact match and digit match of raw model texts, over all rows and for every group.

    The groups of a row: its operation ("add"), its digit pair ("add 3D+2D", larger operand first where order does not
    matter), and the paper's columns "add 1D" to "add 5D" by the longer operand's digits.

    Args:
        rows: The rows that were asked; each has its true answer in `answer` or in `output`.
        answers: The model's raw texts, one per row in order.
        scorer: One of SCORERS.

    Returns:
        Both metrics with n and 95% interval for every group, and counts.

    Raises:
        ZooError: The scorer is unknown, a row has no true answer, or there are more or fewer answers than rows.
    """
    true_answers, given_answers = _canonical(rows, answers, scorer)
    hits, edits = exact_match(true_answers, given_answers), character_errors(true_answers, given_answers)
    match_fractions = edits.match_fractions()
    values: list[MetricValue] = []
    rows_of = rows_by_group(rows, groups)
    for group in sorted(rows_of, key=_table_order):
        indices = rows_of[group]
        values.append(mean_with_ci(EXACT, hits[indices], group))
        values.append(mean_with_ci(DIGITS, match_fractions[indices], group, edits.lengths[indices]))
    counts = {
        "rows": len(rows),
        "right": int(hits.sum()),
        "invalid": sum(answer is None for answer in given_answers),
        "no text": sum(not (text or "").strip() for text in answers),
        "edits cut at the answer's length": edits.clipped_count(),
        "rows without operation and digits": sum(not groups(row) for row in rows),
    }
    return Scores(scorer, tuple(values), (EXACT, "all"), NOTES, counts)


def correct(rows: Sequence[Row], answers: Sequence[str], scorer: str) -> list[bool]:
    """Whether each answer is an exact match; arguments and errors as for `score`."""
    true_answers, given_answers = _canonical(rows, answers, scorer)
    return [bool(hit) for hit in exact_match(true_answers, given_answers)]


def true_answer(row: Mapping[str, Any], row_number: int = 0) -> str:
    """The true answer in canonical form: the row's `answer`, else what its `output` says.

    Raises:
        ZooError: The row has neither; the message names the row number.
    """
    text = str(row.get("answer") or row.get("output") or "")
    for lenient in (False, True):  # published rows may write "4 R 0" or a bare "is undefined"
        answer = prompts.parse(text, row, lenient=lenient)
        if not isinstance(answer, Invalid):
            return answer.value
    raise ZooError(f'no true answer in "{text[:40]}"', 'a number, "Q R r" or "undefined"', where=f"row {row_number}")


def groups(row: Mapping[str, Any]) -> tuple[str, ...]:
    """The groups that a row is reported in, besides all rows; none where it lacks its operation or digits.

    Example:
        >>> groups({"operation": "add", "digits": "2D+3D"})
        ('add', 'add 3D+2D', 'add 3D')
    """
    operation, match = row.get("operation"), _DIGIT_PAIR.fullmatch(str(row.get("digits") or ""))
    if operation not in OPERATIONS or not match:
        return ()
    left, sign, right = int(match[1]), match[2], int(match[3])
    if operation in COMMUTATIVE:
        left, right = max(left, right), min(left, right)
    names = (operation, f"{operation} {left}D{sign}{right}D")
    longer = max(left, right)
    return (*names, f"{operation} {longer}D") if longer <= _LAST_COLUMN else names


def _canonical(rows: Sequence[Row], answers: Sequence[str], scorer: str) -> tuple[list[str], list[str | None]]:
    """The true answers and the given ones, None where a text gives none."""
    check_answers(rows, answers, scorer, SCORERS)
    lenient = scorer == "lenient"
    parsed = [prompts.parse(text or "", row, lenient=lenient) for text, row in zip(answers, rows, strict=True)]
    given = [None if isinstance(answer, Invalid) else answer.value for answer in parsed]
    return [true_answer(row, number) for number, row in enumerate(rows, 1)], given


def _table_order(group: str) -> tuple[int, ...]:
    """Sort key of groups: all, the operations, the paper's columns, then the digit pairs by size."""
    operation, _, digits = group.partition(" ")
    if operation not in OPERATIONS:
        return (0,)
    sizes = [int(size) for size in re.findall(r"\d+", digits)]
    return (1 + min(len(sizes), 2), OPERATIONS.index(operation), *sizes)
