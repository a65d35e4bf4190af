"""Edits whose result is known: photos become training pairs by operations that are exact in numpy and Pillow.

    for edit in draw_edits(pixels, count=4, key="0 photo.jpg", names=tuple(OPERATIONS)):
        edit.instruction, edit.kind, edit.pixels       # "make it darker", "darken", uint8 [h, w, 3]

The pairs teach a model what such instructions mean on the user's own photos; no operation changes a photo's content.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from instructzoo.pix2pix.data import image_transforms
from instructzoo.pix2pix.images import Pixels

OperationName = Literal[
    "brighten",
    "darken",
    "contrast",
    "grayscale",
    "invert",
    "tint",
    "blur",
    "crop",
    "flip-horizontal",
    "flip-vertical",
    "turn",
]

COLOURS = {
    "red": (230, 40, 40),
    "orange": (240, 140, 30),
    "yellow": (240, 220, 50),
    "green": (50, 180, 70),
    "blue": (50, 90, 230),
    "purple": (150, 60, 200),
}
"""Red, green and blue of a tint."""

BRIGHTER, DARKER, CONTRAST, TINT, INSIDE = 1.5, 0.6, 1.6, 0.5, 0.5
"""Factors of brightness and contrast, the weight of a tint, and the fraction of each side that a crop keeps."""

BLUR = 0.02
"""Standard deviation of a blur, as a fraction of the shorter side."""


@dataclass(frozen=True)
class Operation:
    """An edit of known result.

    Attributes:
        wordings: Instructions for it, which may contain {colour}.
        apply: Maps (pixels [h, w, 3], colour) to pixels of the same size.
    """

    wordings: tuple[str, ...]
    apply: Callable[[Pixels, str], Pixels]


@dataclass(frozen=True, eq=False)
class EditedPhoto:
    """An edited picture and its instruction. pixels: uint8 [h, w, 3], as large as the photo."""

    kind: OperationName
    instruction: str
    pixels: Pixels


def draw_edits(pixels: Pixels, count: int, key: str, names: Sequence[OperationName]) -> Iterator[EditedPhoto]:
    """Apply different random operations to one picture.

    Args:
        pixels: uint8 [h, w, 3].
        count: Number of edits at most.
        key: Seed; equal keys give equal edits.
        names: Operations to draw from. One that changes nothing, such as gray of a gray photo, is skipped for the next.

    Yields:
        The edits.
    """
    rng = Random(key)
    drawn = 0
    for name in rng.sample(list(names), len(names)):
        operation, colour = OPERATIONS[name], rng.choice(list(COLOURS))
        instruction = rng.choice(operation.wordings).format(colour=colour)
        if drawn == count:
            return
        after = operation.apply(pixels, colour)
        if not np.array_equal(after, pixels):
            drawn += 1
            yield EditedPhoto(name, instruction, after)


def _rounded(values: npt.NDArray[np.floating[Any]]) -> Pixels:
    return np.rint(values).clip(0, 255).astype(np.uint8)


def _luma(pixels: Pixels) -> npt.NDArray[np.float64]:
    """Brightness as the eye weights the channels (ITU-R BT.601), [h, w, 1] in 0..255."""
    luma: npt.NDArray[np.float64] = pixels @ np.array([0.299, 0.587, 0.114])
    return luma[..., None]


def _scaled(factor: float) -> Callable[[Pixels, str], Pixels]:
    return lambda pixels, _: _rounded(pixels * factor)


def _contrast(pixels: Pixels, _: str) -> Pixels:
    mean = float(_luma(pixels).mean())
    return _rounded((pixels - mean) * CONTRAST + mean)


def _gray(pixels: Pixels, _: str) -> Pixels:
    return _rounded(np.repeat(_luma(pixels), 3, axis=2))


def _tint(pixels: Pixels, colour: str) -> Pixels:
    """A mix of the picture and its brightness in the colour."""
    coloured = _luma(pixels) / 255 * np.array(COLOURS[colour])
    return _rounded((1 - TINT) * pixels + TINT * coloured)


def _blur(pixels: Pixels, _: str) -> Pixels:
    radius = max(1.0, BLUR * min(pixels.shape[:2]))
    return np.array(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(radius)), np.uint8)


def _crop(pixels: Pixels, _: str) -> Pixels:
    """The centre, resized to the size of the whole picture."""
    height, width = pixels.shape[:2]
    crop_height, crop_width = max(1, round(height * INSIDE)), max(1, round(width * INSIDE))
    top, left = (height - crop_height) // 2, (width - crop_width) // 2
    return image_transforms.resize(
        np.ascontiguousarray(pixels[top : top + crop_height, left : left + crop_width]), (height, width)
    )


OPERATIONS: dict[OperationName, Operation] = {
    "brighten": Operation(
        ("make it brighter", "brighten the picture", "turn up the light", "let there be more light in this photo"),
        _scaled(BRIGHTER),
    ),
    "darken": Operation(
        ("make it darker", "darken the picture", "turn down the light", "dim the whole photo"), _scaled(DARKER)
    ),
    "contrast": Operation(
        ("raise the contrast", "give it more contrast", "make lights lighter and darks darker"), _contrast
    ),
    "grayscale": Operation(
        ("make it black and white", "take out all colour", "turn it into a grayscale photo", "remove the colours"),
        _gray,
    ),
    "invert": Operation(
        ("invert the colours", "make a negative of it", "turn every colour into its opposite"),
        lambda pixels, _: 255 - pixels,
    ),
    "tint": Operation(
        (
            "give it a {colour} tint",
            "tint the picture {colour}",
            "put a {colour} filter over it",
            "shift the colours towards {colour}",
        ),
        _tint,
    ),
    "blur": Operation(("blur it", "make the picture blurry", "put it out of focus", "soften all edges"), _blur),
    "crop": Operation(
        ("zoom in on the centre", "crop to the middle", "show only the middle, enlarged", "cut away the borders"), _crop
    ),
    "flip-horizontal": Operation(
        ("mirror it left to right", "flip it horizontally", "swap left and right"),
        lambda pixels, _: np.ascontiguousarray(pixels[:, ::-1]),
    ),
    "flip-vertical": Operation(
        ("mirror it top to bottom", "flip it vertically", "swap top and bottom"),
        lambda pixels, _: np.ascontiguousarray(pixels[::-1]),
    ),
    "turn": Operation(
        ("rotate it by 180 degrees", "turn it by half a turn", "give it half a rotation"),
        lambda pixels, _: np.ascontiguousarray(pixels[::-1, ::-1]),
    ),
}
