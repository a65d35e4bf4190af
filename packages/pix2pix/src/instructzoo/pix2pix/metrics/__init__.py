"""Whether an edit was made, and whether the rest of the picture was left alone; for all rows and for each kind.

edit success             share of answers in which at least 90% of the pixels that should change are right, and 90% of
                         those that should stay
exact image              share of them in which beside that at least 98% of all pixels are right
kept pixels              share of the pixels that should stay which are right; mean over rows
unchanged-region error   mean absolute difference from the truth over the pixels that should stay, of the full range

What should change is where the truth differs from the picture before. In pictures of the microworld, whose pixels are
all of its palette, that is any difference, and a pixel is right where the nearest colour of the palette is the true
one. In others it is a difference of more than 25 of 255 in some channel, and a pixel is right within 25 in every
channel. A row whose truth is the picture before asks for no change: its edit is made where all of the picture stays.

strict     as above
lenient    whatever happens to the pixels that should stay

An answer without a picture, or with one of another size than the truth, is wrong: nothing kept, an error of 1.
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
from instructzoo.core.errors import ZooError, suggest
from instructzoo.core.record import Invalid, Row
from instructzoo.core.score import MetricValue, Scores, baselines, mean_with_ci
from instructzoo.core.score.baselines import Baseline
from instructzoo.pix2pix import images, prompts
from instructzoo.pix2pix.images import Pixels
from instructzoo.pix2pix.world import scenes
from instructzoo.pix2pix.world.edits import KINDS

SCORERS = ("strict", "lenient")
LEGACY: tuple[str, ...] = ()
METRICS = (EDIT, EXACT, KEPT, ERROR) = ("edit success", "exact image", "kept pixels", "unchanged-region error")
INVALID, RESIZED, IDLE = "no picture", "another size than the truth", "rows that ask for no change"

ENOUGH = 0.9
"""Share of the pixels that should change, and of those that should stay, which must be right."""

WHOLE = 0.98
"""Share of all pixels that must be right in an exact image."""

TOLERANCE = 25
"""Of 255, in every channel: how far a right pixel may be from the truth where there is no palette."""

_README = "the README of timothybrooks/instruct-pix2pix"
PAPER = (
    PublishedResult("editing examples (number)", "CLIP-filtered set", 313_010, "InstructPix2Pix", _README),
    PublishedResult("editing examples (number)", "randomly sampled set", 451_990, "InstructPix2Pix", _README),
)
"""Sizes of the released sets. The paper's results are curves over image guidance (similarity.py) and have no table."""

Mask = npt.NDArray[np.bool_]

_COLOURS = np.array(list(scenes.palette().values()), np.int64)  # [c, 3]
_CODES = np.sort(_COLOURS @ (1 << 16, 1 << 8, 1))


class Judged(NamedTuple):
    """One answer. changed: share of right pixels among those that should change; whole: among all; kept and error: over
    those that should stay, None where none should; fault: why there is no picture to judge, "" where there is."""

    changed: float
    whole: float
    kept: float | None
    error: float | None
    idle: bool = False
    fault: str = ""

    def edited(self, scorer: str) -> bool:
        """Whether the edit was made."""
        stayed = scorer == "lenient" or self.kept is None or self.kept >= ENOUGH
        return not self.fault and stayed and self.changed >= (1.0 if self.idle else ENOUGH)

    def exact(self) -> bool:
        """Whether it was made and the picture is the truth throughout."""
        return self.edited("strict") and self.whole >= WHOLE


def score(rows: Sequence[Row], answers: Sequence[str], scorer: str) -> Scores:
    """Figures of raw answers (data URIs of pictures) against rows, one per row in order.

    Groups: all, and each kind of edit. Raises ZooError for an unknown scorer, a row without its two pictures or with
    two of different size, or another number of answers than rows.
    """
    judged = _judged(rows, answers, scorer)
    figures: list[MetricValue] = []
    for group, picked in _groups(rows, judged).items():
        figures.append(mean_with_ci(EDIT, [float(one.edited(scorer)) for one in picked], group))
        figures.append(mean_with_ci(EXACT, [float(one.exact()) for one in picked], group))
        for metric, values in ((KEPT, [one.kept for one in picked]), (ERROR, [one.error for one in picked])):
            if known := [value for value in values if value is not None]:
                figures.append(mean_with_ci(metric, known, group))
    faults = Counter(one.fault for one in judged)
    counts = {
        "rows": len(rows),
        "right": sum(one.edited(scorer) for one in judged),
        INVALID: faults[INVALID],
        RESIZED: faults[RESIZED],
        IDLE: sum(one.idle for one in judged),
    }
    return Scores(scorer, tuple(figures), (EDIT, "all"), (), counts)


def correct(rows: Sequence[Row], answers: Sequence[str], scorer: str) -> list[bool]:
    """Whether each answer makes the edit; errors as in `score`."""
    return [one.edited(scorer) for one in _judged(rows, answers, scorer)]


def judge(before: Pixels, truth: Pixels, answer: Pixels) -> Judged:
    """One answer against the truth. Both pictures of the row are of one size; an answer of another is wrong."""
    change, colours = _change(before, truth)
    stay = ~change
    if answer.shape != truth.shape:
        return _wrong(RESIZED, change)
    gap = np.abs(answer.astype(np.int16) - truth)  # [h, w, 3]
    right = (gap <= TOLERANCE).all(-1) if colours is None else _nearest(answer) == colours
    idle = not change.any()
    return Judged(
        changed=float(right[stay if idle else change].mean()),
        whole=float(right.mean()),
        kept=float(right[stay].mean()) if stay.any() else None,
        error=float(gap[stay].mean() / 255) if stay.any() else None,
        idle=idle,
    )


def should_change(before: Pixels, truth: Pixels) -> Mask:
    """Which pixels an edit has to change, bool [h, w]."""
    return _change(before, truth)[0]


def _change(before: Pixels, truth: Pixels) -> tuple[Mask, npt.NDArray[np.int64] | None]:
    """What should change, and the true colours' places in the palette, None where the pictures are not of it."""
    if _of_palette(before) and _of_palette(truth):
        return (before != truth).any(-1), _nearest(truth)
    return (np.abs(before.astype(np.int16) - truth) > TOLERANCE).any(-1), None


def _of_palette(picture: Pixels) -> bool:
    codes = np.unique(picture.astype(np.int64) @ (1 << 16, 1 << 8, 1))
    return len(codes) <= len(_CODES) and bool(np.isin(codes, _CODES).all())


def _nearest(picture: Pixels) -> npt.NDArray[np.int64]:
    """The place in the palette of the colour nearest to each pixel, [h, w]."""
    far = (_COLOURS**2).sum(-1) - 2 * picture.astype(np.float64) @ _COLOURS.T.astype(np.float64)  # [h, w, c]
    return np.asarray(far.argmin(-1), np.int64)


def _wrong(fault: str, change: Mask) -> Judged:
    rest = not change.all()
    return Judged(0.0, 0.0, 0.0 if rest else None, 1.0 if rest else None, not change.any(), fault)


def _judged(rows: Sequence[Row], answers: Sequence[str], scorer: str) -> list[Judged]:
    if scorer not in SCORERS:
        raise ZooError(f'no scorer "{scorer}"', suggest(scorer, SCORERS), where="evaluate.scorer")
    if len(rows) != len(answers):
        raise ZooError(f"{len(answers)} answers for {len(rows)} rows", "one answer per row, in order")
    return [_one(row, text, number) for number, (row, text) in enumerate(zip(rows, answers, strict=True), 1)]


def _one(row: Row, text: str, number: int) -> Judged:
    before, truth = pair(row, f"row {number}")
    answer = prompts.parse(text or "", row)
    if isinstance(answer, Invalid):
        return _wrong(INVALID, should_change(before, truth))
    return judge(before, truth, answer.pixels)


def pair(row: Mapping[str, Any], where: str = "") -> tuple[Pixels, Pixels]:
    """The pictures before and after of a row. Raises ZooError for one that is missing, or for two sizes."""
    for column in ("image", "edited"):
        if not row.get(column):
            raise ZooError(f"no {column}", "a picture before and after", "score rows whose truth is known", where)
    before, truth = _read(str(row["image"]), where), _read(str(row["edited"]), where)
    if before.shape != truth.shape:
        sizes = " and ".join(f"{one.shape[1]} x {one.shape[0]}" for one in (before, truth))
        raise ZooError(f"pictures of {sizes} pixels", "two of one size", "resize them alike", where)
    return before, truth


def _read(reference: str, where: str) -> Pixels:
    """A picture; a small one that a row holds itself is decoded once for all systems that are scored on the row."""
    return (
        _decoded(reference)
        if len(reference) < 4_000 and reference.startswith("data:")
        else images.read(reference, where)
    )


@lru_cache(maxsize=4_096)
def _decoded(reference: str) -> Pixels:
    pixels = images.read(reference)
    pixels.setflags(write=False)
    return pixels


def _groups(rows: Sequence[Row], judged: Sequence[Judged]) -> dict[str, list[Judged]]:
    """Answers of every group: all, the kinds of the microworld, then others by name."""
    found: dict[str, list[Judged]] = {"all": list(judged), **{kind: [] for kind in KINDS}}
    kinds = [str(row.get("kind") or "") for row in rows]
    for kind in sorted(set(kinds) - {"", *found}):
        found[kind] = []
    for kind, one in zip(kinds, judged, strict=True):
        if kind not in ("", "all"):
            found[kind].append(one)
    return {group: picked for group, picked in found.items() if picked or group == "all"}


def copy(train: Sequence[Row], test: Sequence[Row]) -> list[str]:
    """The picture before, unchanged."""
    return [_as_uri(str(row["image"])) for row in test]


def constant(train: Sequence[Row], test: Sequence[Row]) -> list[str]:
    """Ground and nothing else: the most frequent colour of the edited pictures in training, over all of the picture."""
    _need(train)
    counts: Counter[int] = Counter()
    for row in _first(train):
        codes, times = np.unique(
            _read(str(row["edited"]), "").astype(np.int64) @ (1 << 16, 1 << 8, 1), return_counts=True
        )
        counts.update(dict(zip(codes.tolist(), times.tolist(), strict=True)))
    colour = counts.most_common(1)[0][0].to_bytes(3, "big")
    sizes = [_read(str(row["image"]), "").shape for row in test]
    drawn = {size: images.to_uri(np.full(size, tuple(colour), np.uint8)) for size in set(sizes)}
    return [drawn[size] for size in sizes]


def nearest(train: Sequence[Row], test: Sequence[Row]) -> list[str]:
    """The edited picture of the training row whose instruction and caption are most similar (core/score/baselines),
    brought to the size of the picture before."""
    _need(train)
    lean = [{"instruction": r["instruction"], "input": r["input"], "output": str(i)} for i, r in enumerate(train)]
    found = [str(train[int(place)]["edited"]) for place in baselines.nearest(lean, test)]
    return [_sized(reference, str(row["image"])) for reference, row in zip(found, test, strict=True)]


BASELINES: dict[str, Baseline] = {"copy": copy, "constant": constant, "nearest": nearest}
"""In place of the core's, which answer with texts."""

_LOOKED_AT = 2_000  # training rows whose colours are counted


def _need(train: Sequence[Row]) -> None:
    if not len(train):
        raise ZooError("no training rows", "at least one", "baselines learn from the training part")


def _first(train: Sequence[Row]) -> Iterable[Row]:
    return (train[place] for place in range(min(_LOOKED_AT, len(train))))


def _as_uri(reference: str) -> str:
    return reference if reference.startswith("data:") else images.to_uri(images.read(reference))


def _sized(reference: str, like: str) -> str:
    picture, (height, width, _) = _read(reference, ""), _read(like, "").shape
    if picture.shape[:2] == (height, width):
        return _as_uri(reference)
    return images.to_uri(np.asarray(Image.fromarray(picture).resize((width, height)), np.uint8))
