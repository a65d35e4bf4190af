"""What a person brings to the page -> a question for the model, and its answer -> an edited picture.

    pixels, note = opened(path)                     the picture, and what was done to it
    edited = edit(predictor, pixels, "make the red circle blue", Chosen(7.5, 1.5, 20, 0))
    edited.after                                    uint8 [h, w, 3]

Whatever cannot be asked raises ZooError with one sentence that the page shows as it is.
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
from instructzoo.core.errors import ZooError
from instructzoo.core.recipe import Recipe
from instructzoo.core.record import Invalid, Row, row_id
from instructzoo.core.ui.highlighting import unaskable
from instructzoo.pix2pix import images, prompts, world
from instructzoo.pix2pix.images import Pixels

MIN_SIDE, MAX_SIDE = 8, 1024
"""Pixels. A picture with a shorter side is refused, one with a longer side is made smaller first."""
MAX_ASPECT = 4.0
"""Longer side over the shorter; the models see squares or nearly squares."""

GUIDANCE, IMAGE_GUIDANCE = (1.0, 10.0), (1.0, 3.0)
"""s_T and s_I of the paper (section 3.2.1); 1 is no guidance."""
STEPS, SEEDS = (5, 100), (0, 2**31 - 1)
"""The demo of the paper takes 100 steps."""

NO_PICTURE = "There is no picture yet: upload one, or draw a scene."
NO_INSTRUCTION = "There is no instruction: without one the picture would only come back as it is."


class Sampling(Protocol):
    """How a predictor samples: denoising steps, s_T, s_I, and the seed of the noise."""

    @property
    def steps(self) -> int: ...
    @property
    def guidance(self) -> float: ...
    @property
    def image_guidance(self) -> float: ...
    @property
    def seed(self) -> int: ...


class Editor(Protocol):
    """What the demo needs of a predictor. resolution: pixels of a side that the model was trained at."""

    @property
    def recipe(self) -> Recipe: ...
    @property
    def scores(self) -> dict[str, Any] | None: ...
    @property
    def sampling(self) -> Sampling: ...
    @property
    def resolution(self) -> int: ...
    def sampled(
        self, *, steps: int = ..., guidance: float = ..., image_guidance: float = ..., seed: int = ...
    ) -> Editor: ...
    def answer(self, rows: Sequence[Row]) -> list[str]: ...


@dataclass(frozen=True)
class Chosen:
    """The settings of one edit: s_T, s_I, denoising steps, seed of the noise."""

    guidance: float
    image_guidance: float
    steps: int
    seed: int

    @classmethod
    def of(cls, sampling: Sampling) -> Chosen:
        """What a predictor does by itself, held to the ranges of the page."""
        return cls(
            _within(sampling.guidance, GUIDANCE),
            _within(sampling.image_guidance, IMAGE_GUIDANCE),
            int(_within(sampling.steps, STEPS)),
            int(_within(sampling.seed, SEEDS)),
        )

    @classmethod
    def read(cls, guidance: Any, image_guidance: Any, steps: Any, seed: Any) -> Chosen:
        """What stands in the page's boxes. Raises ZooError for no number, and for one out of its range."""
        return cls(
            number(guidance, "text guidance", GUIDANCE),
            number(image_guidance, "image guidance", IMAGE_GUIDANCE),
            int(number(steps, "number of steps", STEPS, whole=True)),
            int(number(seed, "seed", SEEDS, whole=True)),
        )

    def held(self, predictor: Editor) -> Editor:
        """The predictor with these settings."""
        return predictor.sampled(
            steps=self.steps, guidance=self.guidance, image_guidance=self.image_guidance, seed=self.seed
        )

    def told(self) -> str:
        weights = f"text guidance {self.guidance:g}, image guidance {self.image_guidance:g}"
        return f"{weights}, {self.steps} steps, seed {self.seed}"


@dataclass(frozen=True, eq=False)
class Edited:
    """One edit: the picture as it was asked about, and as it came back, at whatever size the model gave it."""

    before: Pixels
    after: Pixels
    instruction: str
    chosen: Chosen


def number(value: Any, name: str, limits: tuple[float, float], whole: bool = False) -> float:
    """A number of the page. Raises ZooError for none, and for one outside of the limits."""
    low, high = limits
    kind = "a whole number" if whole else "a number"
    real = isinstance(value, int | float) and not isinstance(value, bool)
    if not real or not low <= value <= high or (whole and value != int(value)):
        found = f"{value:g}" if real else "none"
        raise ZooError(f"The {name} is {found}; it should be {kind} from {low:g} to {high:,.0f}.")
    return float(value)


def opened(path: str | Path | None) -> tuple[Pixels, str]:
    """The picture of a file, at most MAX_SIDE pixels a side, and what was done to it ("" for nothing).

    Raises ZooError where there is none, where it cannot be read, and for a shape that no model takes.
    """
    if not path:
        raise ZooError(NO_PICTURE)
    try:
        pixels = images.read(str(path))
    except ZooError as error:
        limit = f"{images.KINDS} of at most {images.MAX_PIXELS:,} pixels"
        raise ZooError(f"This file cannot be read as a picture; it should be {limit}.") from error
    return fitted(pixels)


def fitted(pixels: Pixels) -> tuple[Pixels, str]:
    """A picture made small enough, and a note about it. Raises ZooError for one too small or too narrow."""
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
    small = Image.fromarray(pixels)
    small.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
    return np.array(small), f"Made smaller: {size} to {small.width:,} × {small.height:,}."


def instructed(text: str | None) -> str:
    """An instruction that can be asked. Raises ZooError for an empty one, and for one that is far too long."""
    text = " ".join((text or "").split())
    if not text:
        raise ZooError(NO_INSTRUCTION)
    if fault := unaskable(text, ui.MAX_CHARACTERS):
        raise ZooError(fault)
    return text


def row(pixels: Pixels, instruction: str) -> Row:
    """The question in the form of the domain's rows, as training and evaluation ask it."""
    empty = dict.fromkeys(("input", "output", "source", "licence", "item", "edited", "kind"), "")
    reference = images.to_uri(pixels)
    return {"id": row_id(instruction, reference, ""), **empty, "instruction": instruction, "image": reference}


def pictures(predictor: Editor, rows: Sequence[Row]) -> list[Pixels | Invalid]:
    """The model's pictures for rows, in their order; Invalid for an answer that is none."""
    answers = zip(predictor.answer(rows), rows, strict=True)
    return [said if isinstance(said := prompts.parse(text, one), Invalid) else said.pixels for text, one in answers]


def edit(predictor: Editor, pixels: Pixels, instruction: str, chosen: Chosen) -> Edited:
    """One edit. Raises ZooError for what the model cannot be asked, and for an answer that is no picture."""
    (after,) = pictures(chosen.held(predictor), [row(pixels, instruction)])
    if isinstance(after, Invalid):
        raise ZooError(f"The model gave no picture: {after.reason}.")
    return Edited(pixels, after, instruction, chosen)


def variants(chosen: Chosen, number: int) -> list[Chosen]:
    """The same settings with `number` seeds, the chosen one first."""
    return [replace(chosen, seed=(chosen.seed + step) % SEEDS[1]) for step in range(number)]


def scene(predictor: Editor, seed: int, number: int = 1) -> list[Row]:
    """Held-out rows of the microworld as the model was trained on: pictures with an instruction that fits each."""
    settings = world.Settings(**predictor.recipe.data.world)
    return list(world.generate(number, seed, "test", settings))


def any_seed() -> int:
    return random.randrange(SEEDS[1])


def alongside(before: Pixels, after: Pixels) -> Pixels:
    """The picture before at the size of the one after, cut around its middle where their shapes differ."""
    if before.shape == after.shape:
        return before
    size = (after.shape[1], after.shape[0])
    return np.array(ImageOps.fit(Image.fromarray(before), size, Image.Resampling.BOX))


def _within(value: float, limits: tuple[float, float]) -> float:
    return min(max(value, limits[0]), limits[1])
