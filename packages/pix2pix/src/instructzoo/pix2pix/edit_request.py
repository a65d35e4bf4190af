"""Checks what a user enters, asks the model, and returns the edited picture.

    pixels, note = open_picture(path)               the picture, and what was done to it
    edited = edit_picture(predictor, pixels, "make the red circle blue", EditSettings(7.5, 1.5, 20, 0))
    edited.after                                    uint8 [h, w, 3]

Invalid input raises a ZooError with one sentence, which the page shows as it is.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from PIL import Image, ImageOps

from instructzoo.core import ui
from instructzoo.core.answers.text_files import invalid_text_reason
from instructzoo.core.errors import ZooError
from instructzoo.core.recipe import Recipe
from instructzoo.core.record import Invalid, Row, row_id
from instructzoo.pix2pix import images, prompts, world
from instructzoo.pix2pix.images import Pixels

MIN_SIDE, MAX_SIDE = 8, 1024
"""Pixels. A picture with a shorter side is refused, one with a longer side is shrunk first."""
MAX_ASPECT = 4.0
"""Longest side over the shorter; models see squares or nearly squares."""

GUIDANCE, IMAGE_GUIDANCE = (1.0, 10.0), (1.0, 3.0)
"""Ranges of s_T and s_I of the paper (section 3.2.1); 1 is no guidance."""
STEPS, SEEDS = (5, 100), (0, 2**31 - 1)
"""Ranges of the number of denoising steps (the paper's demo takes 100) and of the seed."""

NO_PICTURE = "There is no picture yet: upload one, or draw a scene."
NO_INSTRUCTION = "There is no instruction: without one the picture would only come back as it is."


class SamplingSettings(Protocol):
    """How a predictor samples: denoising steps, s_T, s_I, and the seed of the noise."""

    @property
    def steps(self) -> int: ...
    @property
    def guidance(self) -> float: ...
    @property
    def image_guidance(self) -> float: ...
    @property
    def seed(self) -> int: ...


class EditingPredictor(Protocol):
    """What the demo needs of a predictor. resolution: side in pixels of its training pictures."""

    @property
    def recipe(self) -> Recipe: ...
    @property
    def scores(self) -> dict[str, Any] | None: ...
    @property
    def sampling(self) -> SamplingSettings: ...
    @property
    def resolution(self) -> int: ...
    def sampled(
        self, *, steps: int = ..., guidance: float = ..., image_guidance: float = ..., seed: int = ...
    ) -> EditingPredictor: ...
    def answer(self, rows: Sequence[Row]) -> list[str]: ...


@dataclass(frozen=True)
class EditSettings:
    """The settings of one edit: s_T, s_I, denoising steps, and the seed of the noise."""

    guidance: float
    image_guidance: float
    steps: int
    seed: int

    @classmethod
    def from_sampling(cls, sampling: SamplingSettings) -> EditSettings:
        """A predictor's own settings, clamped to the ranges of the page."""
        return cls(
            _clamp(sampling.guidance, GUIDANCE),
            _clamp(sampling.image_guidance, IMAGE_GUIDANCE),
            int(_clamp(sampling.steps, STEPS)),
            int(_clamp(sampling.seed, SEEDS)),
        )

    @classmethod
    def from_inputs(cls, guidance: Any, image_guidance: Any, steps: Any, seed: Any) -> EditSettings:
        """The values of the page's input fields. Raises ZooError for one that is no number or out of range."""
        return cls(
            check_number(guidance, "text guidance", GUIDANCE),
            check_number(image_guidance, "image guidance", IMAGE_GUIDANCE),
            int(check_number(steps, "number of steps", STEPS, integer=True)),
            int(check_number(seed, "seed", SEEDS, integer=True)),
        )

    def apply_to(self, predictor: EditingPredictor) -> EditingPredictor:
        """The predictor with these settings."""
        return predictor.sampled(
            steps=self.steps, guidance=self.guidance, image_guidance=self.image_guidance, seed=self.seed
        )

    def describe(self) -> str:
        """The settings in words."""
        weights = f"text guidance {self.guidance:g}, image guidance {self.image_guidance:g}"
        return f"{weights}, {self.steps} steps, seed {self.seed}"


@dataclass(frozen=True, eq=False)
class EditResult:
    """One edit: the picture before, and the picture that the model returned, of any size."""

    before: Pixels
    after: Pixels
    instruction: str
    settings: EditSettings


def check_number(value: Any, name: str, limits: tuple[float, float], integer: bool = False) -> float:
    """A number that the user entered.

    Args:
        value: What the input field returned.
        name: What the message calls it.
        limits: Smallest and largest valid number.
        integer: Whether it must be an integer.

    Raises:
        ZooError: It is no such number.
    """
    low, high = limits
    kind = "a whole number" if integer else "a number"
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not low <= value <= high or (integer and value != int(value)):
        given = f"{value:g}" if is_number else "none"
        raise ZooError(f"The {name} is {given}; it should be {kind} from {low:g} to {high:,.0f}.")
    return float(value)


def open_picture(path: str | Path | None) -> tuple[Pixels, str]:
    """Read an uploaded picture.

    Args:
        path: A file or a data URI; None if there is none.

    Returns:
        uint8 [h, w, 3] with at most MAX_SIDE pixels a side, and a note about what was done to it, or "".

    Raises:
        ZooError: There is no picture, it cannot be read, or it is too small or too narrow.
    """
    if not path:
        raise ZooError(NO_PICTURE)
    try:
        pixels = images.read(str(path))
    except ZooError as error:
        limit = f"{images.EXPECTED_FORMATS} of at most {images.MAX_PIXELS:,} pixels"
        raise ZooError(f"This file cannot be read as a picture; it should be {limit}.") from error
    return fit_picture(pixels)


def fit_picture(pixels: Pixels) -> tuple[Pixels, str]:
    """A picture shrunk to at most MAX_SIDE, and a note about it; errors as of `open_picture`."""
    height, width = pixels.shape[:2]
    size = f"{width:,} × {height:,} pixels"
    if min(width, height) < MIN_SIDE:
        raise ZooError(f"This picture has {size}; it needs at least {MIN_SIDE} on each side.")
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise ZooError(
            f"This picture has {size}; one side may be at most {MAX_ASPECT:g} times the other. Cut it first."
        )
    if max(width, height) <= MAX_SIDE:
        return pixels, ""
    thumbnail = Image.fromarray(pixels)
    thumbnail.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
    return np.array(thumbnail), f"Made smaller: {size} to {thumbnail.width:,} × {thumbnail.height:,}."


def check_instruction(text: str | None) -> str:
    """An instruction with single spaces. Raises ZooError for an empty, unreadable or overlong one."""
    text = " ".join((text or "").split())
    if not text:
        raise ZooError(NO_INSTRUCTION)
    if reason := invalid_text_reason(text, ui.MAX_CHARACTERS):
        raise ZooError(reason)
    return text


def make_row(pixels: Pixels, instruction: str) -> Row:
    """A row of the domain, as training and evaluation ask the model."""
    other_columns = dict.fromkeys(("input", "output", "source", "licence", "item", "edited", "kind"), "")
    reference = images.to_uri(pixels)
    return {"id": row_id(instruction, reference, ""), **other_columns, "instruction": instruction, "image": reference}


def edit_rows(predictor: EditingPredictor, rows: Sequence[Row]) -> list[Pixels | Invalid]:
    """The model's pictures in the order of the rows; Invalid for an answer without one."""
    answers = zip(predictor.answer(rows), rows, strict=True)
    return [
        parsed if isinstance(parsed := prompts.parse(answer, row), Invalid) else parsed.pixels
        for answer, row in answers
    ]


def edit_picture(predictor: EditingPredictor, pixels: Pixels, instruction: str, settings: EditSettings) -> EditResult:
    """Edit one picture. Raises ZooError for an invalid request, and for an answer without a picture."""
    (after,) = edit_rows(settings.apply_to(predictor), [make_row(pixels, instruction)])
    if isinstance(after, Invalid):
        raise ZooError(f"The model gave no picture: {after.reason}.")
    return EditResult(pixels, after, instruction, settings)


def with_seeds(settings: EditSettings, number: int) -> list[EditSettings]:
    """The same settings with `number` successive seeds, the given one first."""
    return [replace(settings, seed=(settings.seed + step) % SEEDS[1]) for step in range(number)]


def world_rows(predictor: EditingPredictor, seed: int, count: int = 1) -> list[Row]:
    """Held-out rows of the synthetic world that the model was trained on: pictures with a fitting instruction."""
    settings = world.Settings(**predictor.recipe.data.world)
    return list(world.generate(count, seed, "test", settings))


def random_seed() -> int:
    return random.randrange(SEEDS[1])


def match_size(before: Pixels, after: Pixels) -> Pixels:
    """The picture before at the size of the one after, center-cropped if their shapes differ."""
    if before.shape == after.shape:
        return before
    size = (after.shape[1], after.shape[0])
    return np.array(ImageOps.fit(Image.fromarray(before), size, Image.Resampling.BOX))


def _clamp(value: float, limits: tuple[float, float]) -> float:
    return min(max(value, limits[0]), limits[1])
