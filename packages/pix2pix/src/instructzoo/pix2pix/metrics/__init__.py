"""Metrics of image editing: whether the edit was made and whether the rest of the picture was left alone.

edit success             fraction of answers in which at least 90% of the pixels that should change are right, and 90%
                         of those that should stay
exact image              fraction of answers in which, in addition, at least 98% of all pixels are right
kept pixels              fraction of right pixels among those that should stay; mean over rows
unchanged-region error   mean absolute difference from the true picture over the pixels that should stay, as a fraction
                         of the full range

The pixels that should change are those in which the true picture differs from the picture before. In pictures of the
synthetic world, whose pixels all have colours of its palette, that is any difference, and a pixel is right where the
nearest palette colour is the true one. In other pictures it is a difference of more than 25 of 255 in some channel,
and a pixel is right within 25 in every channel. A row whose true picture is the picture before asks for no change; its
edit counts as made where the whole picture stays.

strict     as above
lenient    edit success whatever happens to the pixels that should stay

An answer without a picture, or with one of another size than the true picture, is wrong: nothing kept, an error of 1.
Values are reported for all rows and for each kind of edit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from instructzoo.core.domain import PublishedResult
from instructzoo.core.errors import ZooError
from instructzoo.core.record import Invalid, Row
from instructzoo.core.score import MetricValue, Scores, baselines, mean_with_ci
from instructzoo.core.score.baselines import Baseline
from instructzoo.core.score.scorers import check_answers, rows_by_group
from instructzoo.pix2pix import images, prompts
from instructzoo.pix2pix.images import Pixels
from instructzoo.pix2pix.world import scenes
from instructzoo.pix2pix.world.edits import KINDS

SCORERS = ("strict", "lenient")
LEGACY: tuple[str, ...] = ()
METRICS = (EDIT, EXACT, KEPT, ERROR) = ("edit success", "exact image", "kept pixels", "unchanged-region error")
NO_PICTURE, WRONG_SIZE, NO_CHANGE = "no picture", "another size than the truth", "rows that ask for no change"

MIN_CORRECT = 0.9
"""Fraction of the pixels that should change, and of those that should stay, that must be right."""

MIN_CORRECT_EXACT = 0.98
"""Fraction of all pixels that must be right in an exact image."""

TOLERANCE = 25
"""Of 255, in every channel: how far a right pixel may be from the true one in pictures without a palette."""

# The paper reports its results as curves of image similarity over directional similarity (arXiv:2211.09800), not as
# numbers: clip_metrics has these metrics and guidance_sweep draws the curves.
PAPER: tuple[PublishedResult, ...] = ()

Mask = npt.NDArray[np.bool_]

_PALETTE = np.array(list(scenes.palette().values()), np.int64)  # [c, 3]
_CHANNEL_WEIGHTS = (1 << 16, 1 << 8, 1)  # a pixel times these is its colour as one number
_PALETTE_CODES = np.sort(_PALETTE @ _CHANNEL_WEIGHTS)


class EditScore(NamedTuple):
    """How one answer compares with the true picture.

    Attributes:
        changed: Fraction of right pixels among those that should change (among all that stay if none should change).
        overall: Fraction of right pixels among all.
        kept: Fraction of right pixels among those that should stay; None if all should change.
        error: Mean absolute difference over those that should stay, in 0..1; None if all should change.
        no_change: Whether the row asks for no change.
        problem: Why there is no picture to compare, NO_PICTURE or WRONG_SIZE; "" if there is one.
    """

    changed: float
    overall: float
    kept: float | None
    error: float | None
    no_change: bool = False
    problem: str = ""

    def is_edited(self, scorer: str) -> bool:
        """Whether the edit was made."""
        rest_kept = scorer == "lenient" or self.kept is None or self.kept >= MIN_CORRECT
        return not self.problem and rest_kept and self.changed >= (1.0 if self.no_change else MIN_CORRECT)

    def is_exact(self) -> bool:
        """Whether the edit was made and the whole picture is the true one."""
        return self.is_edited("strict") and self.overall >= MIN_CORRECT_EXACT


def score(rows: Sequence[Row], answers: Sequence[str], scorer: str) -> Scores:
    """Score raw answers.

    Args:
        rows: The rows that were edited, with `image` and `edited`.
        answers: Data URIs of the edited pictures, one per row in order.
        scorer: "strict" or "lenient".

    Returns:
        The four metrics for all rows and for each kind of edit, and counts of wrong answers by reason.

    Raises:
        ZooError: The scorer is unknown, a row lacks a picture or has two of different sizes, or there are not as many
            answers as rows.
    """
    edit_scores = _score_all(rows, answers, scorer)
    metric_values: list[MetricValue] = []
    for group, indices in _rows_by_kind(rows).items():
        group_scores = [edit_scores[index] for index in indices]
        metric_values.append(
            mean_with_ci(EDIT, [float(edit_score.is_edited(scorer)) for edit_score in group_scores], group)
        )
        metric_values.append(mean_with_ci(EXACT, [float(edit_score.is_exact()) for edit_score in group_scores], group))
        for metric, values in (
            (KEPT, [edit_score.kept for edit_score in group_scores]),
            (ERROR, [edit_score.error for edit_score in group_scores]),
        ):
            if defined := [value for value in values if value is not None]:
                metric_values.append(mean_with_ci(metric, defined, group))
    problems = Counter(edit_score.problem for edit_score in edit_scores)
    counts = {
        "rows": len(rows),
        "right": sum(edit_score.is_edited(scorer) for edit_score in edit_scores),
        NO_PICTURE: problems[NO_PICTURE],
        WRONG_SIZE: problems[WRONG_SIZE],
        NO_CHANGE: sum(edit_score.no_change for edit_score in edit_scores),
    }
    return Scores(scorer, tuple(metric_values), (EDIT, "all"), (), counts)


def correct(rows: Sequence[Row], answers: Sequence[str], scorer: str) -> list[bool]:
    """Whether each answer makes the edit; arguments and errors as of `score`."""
    return [edit_score.is_edited(scorer) for edit_score in _score_all(rows, answers, scorer)]


def compare(before: Pixels, truth: Pixels, answer: Pixels) -> EditScore:
    """Compare one answer with the true picture.

    Args:
        before: The picture before, uint8 [h, w, 3].
        truth: The true picture after the edit, of the same size.
        answer: The model's picture; one of another size is wrong.
    """
    should_differ, true_colours = _find_change(before, truth)
    should_stay = ~should_differ
    if answer.shape != truth.shape:
        return _wrong_answer(WRONG_SIZE, should_differ)
    difference = np.abs(answer.astype(np.int16) - truth)  # [h, w, 3]
    is_right = (difference <= TOLERANCE).all(-1) if true_colours is None else _nearest_colours(answer) == true_colours
    no_change = not should_differ.any()
    return EditScore(
        changed=float(is_right[should_stay if no_change else should_differ].mean()),
        overall=float(is_right.mean()),
        kept=float(is_right[should_stay].mean()) if should_stay.any() else None,
        error=float(difference[should_stay].mean() / 255) if should_stay.any() else None,
        no_change=no_change,
    )


def should_change(before: Pixels, truth: Pixels) -> Mask:
    """The pixels that an edit has to change, bool [h, w]."""
    return _find_change(before, truth)[0]


def _find_change(before: Pixels, truth: Pixels) -> tuple[Mask, npt.NDArray[np.int64] | None]:
    """The pixels that should change, and the palette indices of the true colours, None for other pictures."""
    if _is_palette_picture(before) and _is_palette_picture(truth):
        return (before != truth).any(-1), _nearest_colours(truth)
    return (np.abs(before.astype(np.int16) - truth) > TOLERANCE).any(-1), None


def _is_palette_picture(picture: Pixels) -> bool:
    codes = np.unique(picture.astype(np.int64) @ _CHANNEL_WEIGHTS)
    return len(codes) <= len(_PALETTE_CODES) and bool(np.isin(codes, _PALETTE_CODES).all())


def _nearest_colours(picture: Pixels) -> npt.NDArray[np.int64]:
    """The palette index of the colour nearest to each pixel, [h, w]."""
    # The squared distance without the pixel's own square, which is the same for every colour; [h, w, c].
    distances = (_PALETTE**2).sum(-1) - 2 * picture.astype(np.float64) @ _PALETTE.T.astype(np.float64)
    return np.asarray(distances.argmin(-1), np.int64)


def _wrong_answer(problem: str, should_differ: Mask) -> EditScore:
    some_stay = not should_differ.all()
    kept, error = (0.0, 1.0) if some_stay else (None, None)
    return EditScore(0.0, 0.0, kept, error, not should_differ.any(), problem)


def _score_all(rows: Sequence[Row], answers: Sequence[str], scorer: str) -> list[EditScore]:
    check_answers(rows, answers, scorer, SCORERS)
    return [_score_one(row, text, number) for number, (row, text) in enumerate(zip(rows, answers, strict=True), 1)]


def _score_one(row: Row, text: str, number: int) -> EditScore:
    before, truth = read_pair(row, f"row {number}")
    answer = prompts.parse(text or "", row)
    if isinstance(answer, Invalid):
        return _wrong_answer(NO_PICTURE, should_change(before, truth))
    return compare(before, truth, answer.pixels)


def read_pair(row: Mapping[str, Any], where: str = "") -> tuple[Pixels, Pixels]:
    """The pictures before and after of a row. Raises ZooError for a missing one, and for two sizes."""
    for column in ("image", "edited"):
        if not row.get(column):
            raise ZooError(f"no {column}", "a picture before and after", "score rows whose truth is known", where)
    before, truth = _read_cached(str(row["image"]), where), _read_cached(str(row["edited"]), where)
    if before.shape != truth.shape:
        sizes = " and ".join(f"{picture.shape[1]} x {picture.shape[0]}" for picture in (before, truth))
        raise ZooError(f"pictures of {sizes} pixels", "two of one size", "resize them alike", where)
    return before, truth


def _read_cached(reference: str, where: str) -> Pixels:
    """A picture; a small data URI is decoded once for all systems that are scored on its row."""
    if len(reference) < 4_000 and reference.startswith("data:"):
        return _decode(reference)
    return images.read(reference, where)


@lru_cache(maxsize=4_096)
def _decode(reference: str) -> Pixels:
    pixels = images.read(reference)
    pixels.setflags(write=False)
    return pixels


def _rows_by_kind(rows: Sequence[Row]) -> dict[str, list[int]]:
    """Indices of the rows of every group: all, then the kinds of the synthetic world, then other kinds by name."""
    indices = rows_by_group(rows, _kind)
    groups = ["all", *KINDS, *sorted(indices.keys() - {"all", *KINDS})]
    return {group: indices[group] for group in groups if group in indices}


def _kind(row: Row) -> tuple[str, ...]:
    kind = str(row.get("kind") or "")
    return () if kind in ("", "all") else (kind,)


def copy_input(train: Sequence[Row], test: Sequence[Row]) -> list[str]:
    """Baseline: the picture before, unchanged."""
    return [_to_uri(str(row["image"])) for row in test]


def constant_colour(train: Sequence[Row], test: Sequence[Row]) -> list[str]:
    """Baseline: the most frequent colour of the edited pictures in training, over the whole picture."""
    _require_rows(train)
    counts: Counter[int] = Counter()
    for row in _colour_rows(train):
        picture = _read_cached(str(row["edited"]), "")
        codes, times = np.unique(picture.astype(np.int64) @ _CHANNEL_WEIGHTS, return_counts=True)
        counts.update(dict(zip(codes.tolist(), times.tolist(), strict=True)))
    colour = counts.most_common(1)[0][0].to_bytes(3, "big")
    sizes = [_read_cached(str(row["image"]), "").shape for row in test]
    uri_by_size = {size: images.to_uri(np.full(size, tuple(colour), np.uint8)) for size in set(sizes)}
    return [uri_by_size[size] for size in sizes]


def nearest_row(train: Sequence[Row], test: Sequence[Row]) -> list[str]:
    """Baseline: the edited picture of the training row with the most similar texts (core/score/baselines), resized."""
    _require_rows(train)
    text_rows = [{"instruction": r["instruction"], "input": r["input"], "output": str(i)} for i, r in enumerate(train)]
    references = [str(train[int(index)]["edited"]) for index in baselines.nearest(text_rows, test)]
    return [_resize_like(reference, str(row["image"])) for reference, row in zip(references, test, strict=True)]


BASELINES: dict[str, Baseline] = {"copy": copy_input, "constant": constant_colour, "nearest": nearest_row}
"""These replace the core's baselines, which answer with texts."""

_MAX_COLOUR_ROWS = 2_000  # training rows whose colours are counted


def _require_rows(train: Sequence[Row]) -> None:
    if not len(train):
        raise ZooError("no training rows", "at least one", "baselines learn from the training split")


def _colour_rows(train: Sequence[Row]) -> Iterable[Row]:
    return (train[index] for index in range(min(_MAX_COLOUR_ROWS, len(train))))


def _to_uri(reference: str) -> str:
    return reference if reference.startswith("data:") else images.to_uri(images.read(reference))


def _resize_like(reference: str, other_reference: str) -> str:
    """The data URI of a picture, resized to the size of another one."""
    picture, (height, width, _) = _read_cached(reference, ""), _read_cached(other_reference, "").shape
    if picture.shape[:2] == (height, width):
        return _to_uri(reference)
    return images.to_uri(np.asarray(Image.fromarray(picture).resize((width, height)), np.uint8))
