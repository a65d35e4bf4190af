"""Exact match and digit match, by operation and digits: the grid of Goat's table (arXiv:2305.14201).

    exact match   share of answers that equal the true one, character by character, in canonical form ("139 R 18")
    digit match   1 - CER: characters of the true answers that came through; answers without a number get none

The answer is taken from the model's text by the rule of `prompts`: strict as the world writes it, lenient as any
reader would understand it. A text in which the parser finds no answer is wrong, and counted as invalid.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from instructzoo.arithmetic import prompts
from instructzoo.arithmetic.world.digit_pairs import OPERATIONS
from instructzoo.core.domain import PublishedResult
from instructzoo.core.errors import ZooError, suggest
from instructzoo.core.record import Invalid, Row
from instructzoo.core.score import MetricValue, Scores, character_errors, exact_match, mean_with_ci
from instructzoo.core.score.baselines import Baseline

SCORERS = ("strict", "lenient")
LEGACY: tuple[str, ...] = ()
BASELINES: dict[str, Baseline] = {}
"""The core's baselines will do."""
METRICS = (EXACT, DIGITS) = ("exact match", "digit match")
SOURCE = "arXiv:2305.14201, table of results"

_DIGITS = re.compile(r"([0-9]{1,4})D([-+*/])([0-9]{1,4})D")
_COLUMNS = 5  # the paper's columns 1D to 5D
_COMMUTE = ("add", "multiply")

# (column, Goat-7B exact, Goat-7B digit, GPT-4 exact where the facts have it), in percent
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


def _paper() -> tuple[PublishedResult, ...]:
    figures = []
    for operation, columns in _TABLE.items():
        for column, exact, digit, gpt4 in columns:
            group = f"{operation} {column}"
            figures.append(PublishedResult(EXACT, group, exact / 100, "Goat-7B", SOURCE))
            figures.append(PublishedResult(DIGITS, group, digit / 100, "Goat-7B", SOURCE))
            if gpt4 is not None:
                figures.append(PublishedResult(EXACT, group, gpt4 / 100, "GPT-4", SOURCE))
    return tuple(figures)


PAPER = _paper()


def score(rows: Sequence[Row], answers: Sequence[str], scorer: str) -> Scores:
    """Figures of raw model texts against rows, one text per row in order, for all rows and for every group.

    Groups: the operation ("add"); its exact digits ("add 3D+2D", larger operand first where order does not matter);
    and the paper's columns "add 1D" to "add 5D", by the longer operand's digits. Raises ZooError for an unknown
    scorer, a row without a true answer, or another number of answers than rows.
    """
    true, said = _canonical(rows, answers, scorer)
    hits, errors = exact_match(true, said), character_errors(true, said)
    matches = errors.matches()

    figures: list[MetricValue] = []
    places = _places(rows)
    for group, picked in places.items():
        figures.append(mean_with_ci(EXACT, hits[picked], group))
        figures.append(mean_with_ci(DIGITS, matches[picked], group, errors.lengths[picked]))
    counts = {
        "rows": len(rows),
        "right": int(hits.sum()),
        "invalid": sum(answer is None for answer in said),
        "no text": sum(not (text or "").strip() for text in answers),
        "edits cut at the answer's length": errors.clipped(),
        "rows without operation and digits": sum(not groups(row) for row in rows),
    }
    return Scores(scorer, tuple(figures), (EXACT, "all"), NOTES, counts)


def correct(rows: Sequence[Row], answers: Sequence[str], scorer: str) -> list[bool]:
    """Whether each answer is an exact match; errors as in `score`."""
    true, said = _canonical(rows, answers, scorer)
    return [bool(hit) for hit in exact_match(true, said)]


NOTES = (
    "Columns 1D to 5D are problems whose longer operand has so many digits; the paper takes BIG-bench's tasks of that "
    "name, whose files were not at hand, so these columns are look-alikes.",
    "Digit match is 1 - CER with the edits of one answer cut at the length of the true one; the count says how often.",
)


def _canonical(rows: Sequence[Row], answers: Sequence[str], scorer: str) -> tuple[list[str], list[str | None]]:
    """The true answers and the given ones, None where the parser finds none."""
    if scorer not in SCORERS:
        raise ZooError(f'no scorer "{scorer}"', suggest(scorer, SCORERS), where="evaluate.scorer")
    if len(rows) != len(answers):
        raise ZooError(f"{len(answers)} answers for {len(rows)} rows", "one answer per row, in order")
    lenient = scorer == "lenient"
    parsed = [prompts.parse(text or "", row, lenient=lenient) for text, row in zip(answers, rows, strict=True)]
    said = [None if isinstance(answer, Invalid) else answer.value for answer in parsed]
    return [truth(row, number) for number, row in enumerate(rows, 1)], said


def truth(row: Mapping[str, Any], number: int = 0) -> str:
    """The true answer in canonical form: the row's `answer`, else what its `output` says; ZooError for neither."""
    text = str(row.get("answer") or row.get("output") or "")
    for lenient in (False, True):  # published rows may write "4 R 0" or a bare "is undefined"
        answer = prompts.parse(text, row, lenient=lenient)
        if not isinstance(answer, Invalid):
            return answer.value
    raise ZooError(f'no true answer in "{text[:40]}"', 'a number, "Q R r" or "undefined"', where=f"row {number}")


def groups(row: Mapping[str, Any]) -> tuple[str, ...]:
    """The groups of a row, "all" aside; none where the row does not say its operation and digits."""
    operation, match = row.get("operation"), _DIGITS.fullmatch(str(row.get("digits") or ""))
    if operation not in OPERATIONS or not match:
        return ()
    left, sign, right = int(match[1]), match[2], int(match[3])
    if operation in _COMMUTE:
        left, right = max(left, right), min(left, right)
    named = (operation, f"{operation} {left}D{sign}{right}D")
    longer = max(left, right)
    return (*named, f"{operation} {longer}D") if longer <= _COLUMNS else named


def _places(rows: Sequence[Row]) -> dict[str, np.ndarray]:
    """Row numbers of every group: all, the operations, the paper's columns, then the digit pairs by size."""
    found: dict[str, list[int]] = {"all": list(range(len(rows)))}
    for place, row in enumerate(rows):
        for group in groups(row):
            found.setdefault(group, []).append(place)
    return {group: np.array(found[group]) for group in sorted(found, key=_order)}


def _order(group: str) -> tuple[int, ...]:
    operation, _, digits = group.partition(" ")
    if operation not in OPERATIONS:
        return (0,)
    sizes = [int(size) for size in re.findall(r"\d+", digits)]
    return (1 + min(len(sizes), 2), OPERATIONS.index(operation), *sizes)
