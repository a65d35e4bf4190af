"""Resizes, crops and mirrors pictures: the picture before and the picture after always get the same transform.

    size = nearest_bucket(480, 640, resolution=256)                 # (224, 296): the bucket of this aspect ratio
    before, after = resize_and_crop(before, after, size, offset=(0.2, 0.8))  # a random offset in training, else centred
    pixels, original = resize_whole(picture, resolution=256)        # for an answer: nothing is cut off
    answer = resize(pixels, original)

Training enlarges by a random factor and crops, as the authors' code can (edit_dataset.py of
github.com/timothybrooks/instruct-pix2pix). That code first resizes to a square; here the aspect ratio is kept.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache
from itertools import product
from typing import overload

import numpy as np
from PIL import Image

from instructzoo.core.errors import ZooError
from instructzoo.pix2pix.data.safe_words import is_made_of_safe_words
from instructzoo.pix2pix.images import Pixels

Size = tuple[int, int]
"""Height and width in pixels."""

MAX_ASPECT_RATIO = 2.0
"""The largest ratio of a bucket's longer to its shorter side."""


@lru_cache
def buckets(resolution: int, multiple: int = 8) -> tuple[Size, ...]:
    """The picture sizes that training uses.

    Args:
        resolution: Every size has about resolution² pixels.
        multiple: All sides are multiples of this.

    Returns:
        (height, width) between 1:2 and 2:1, sorted.

    Raises:
        ZooError: The resolution is below `multiple`.
    """
    square = _square(resolution, multiple)
    sizes = {square}
    for side in range(multiple, 2 * resolution + 1, multiple):
        other_side = max(1, round(resolution**2 / side / multiple)) * multiple
        if side / MAX_ASPECT_RATIO <= other_side <= side * MAX_ASPECT_RATIO:
            sizes |= {(side, other_side), (other_side, side)}
    return tuple(sorted(sizes))


def nearest_bucket(height: int, width: int, resolution: int, multiple: int = 8, square: bool = False) -> Size:
    """The bucket that loses least of a picture.

    Args:
        height: The picture's height in pixels.
        width: Its width.
        resolution: As of `buckets`.
        multiple: As of `buckets`.
        square: Take the one square size, whatever the picture's aspect ratio.

    Returns:
        Height and width in pixels.

    Raises:
        ZooError: As for `buckets`.
    """
    if square:
        return _square(resolution, multiple)
    ratio = math.log(height / width)

    def cost(size: Size) -> tuple[float, int]:
        return round(abs(math.log(size[0] / size[1]) - ratio), 9), abs(size[0] * size[1] - resolution**2)

    return min(buckets(resolution, multiple), key=cost)


def _square(resolution: int, multiple: int) -> Size:
    if resolution < multiple:
        raise ZooError(f"a resolution of {resolution}", f"at least {multiple}, of which sides are multiples")
    side = round(resolution / multiple) * multiple
    return side, side


@overload
def resize_and_crop(
    before: Pixels, after: Pixels, size: Size, offset: tuple[float, float] = ..., zoom: float = ...
) -> tuple[Pixels, Pixels]: ...


@overload
def resize_and_crop(
    before: Pixels, after: None, size: Size, offset: tuple[float, float] = ..., zoom: float = ...
) -> tuple[Pixels, None]: ...


def resize_and_crop(
    before: Pixels,
    after: Pixels | None,
    size: Size,
    offset: tuple[float, float] = (0.5, 0.5),
    zoom: float = 1.0,
) -> tuple[Pixels, Pixels | None]:
    """Resize both pictures (bicubic, aspect ratio kept) until they cover a size, then crop them to it.

    Args:
        before: [h, w, 3].
        after: Of the same size, or None.
        size: Height and width of the result.
        offset: Vertical and horizontal position of the crop, from 0 (top, left) to 1 (bottom, right).
        zoom: How much larger than necessary the pictures are made before the crop, at least 1.

    Returns:
        Both pictures as [*size, 3].

    Raises:
        ZooError: The two pictures have different sizes, or offset or zoom is out of range.
    """
    height, width = before.shape[:2]
    if after is not None and after.shape != before.shape:
        found = f"a picture of {height} x {width} pixels, edited one of {after.shape[0]} x {after.shape[1]}"
        raise ZooError(found, "two of one size", "make them fit each other")
    if zoom < 1 or not all(0 <= part <= 1 for part in offset):
        raise ZooError(f"zoom {zoom:g}, offset {offset}", "a zoom of 1 or more, an offset between 0 and 1")
    scale = max(size[0] / height, size[1] / width) * zoom
    tall, wide = min(height, size[0] / scale), min(width, size[1] / scale)
    top, left = offset[0] * (height - tall), offset[1] * (width - wide)
    box = (left, top, min(width, left + wide), min(height, top + tall))
    return _resize_box(before, size, box), None if after is None else _resize_box(after, size, box)


def flip_pair(before: Pixels, after: Pixels) -> tuple[Pixels, Pixels]:
    """Both pictures [h, w, 3] mirrored left to right.

    Args:
        before: The picture before, uint8.
        after: The picture after, uint8.

    Returns:
        Copies of both.
    """
    return np.ascontiguousarray(before[:, ::-1]), np.ascontiguousarray(after[:, ::-1])


def is_flippable(*texts: str) -> bool:
    """Whether a mirrored pair surely still shows what its texts say.

    Args:
        texts: The instruction and the captions of a pair.

    Returns:
        True only where every word of every text is one of data/safe_words.py, none of which names a side, a turn,
        writing or a number, in any language. A text with an unknown word may name one.
    """
    return all(is_made_of_safe_words(text) for text in texts)


def resize_whole(picture: Pixels, resolution: int, multiple: int = 8) -> tuple[Pixels, Size]:
    """Resize a picture to about resolution² pixels with nothing cut off.

    Args:
        picture: [h, w, 3].
        resolution: The root of the number of pixels.
        multiple: Both sides become multiples of this, chosen to keep the aspect ratio as well as possible.

    Returns:
        The resized picture, and the original height and width for `resize`.
    """
    height, width = picture.shape[:2]
    area = _square(resolution, multiple)[0] ** 2
    ideal = math.sqrt(area * height / width), math.sqrt(area * width / height)
    ratio = math.log(height / width)

    def cost(size: Size) -> tuple[float, int]:
        return round(abs(math.log(size[0] / size[1]) - ratio), 9), abs(size[0] * size[1] - area)

    heights, widths = (list(_nearby_multiples(side, multiple, area // multiple)) for side in ideal)
    return resize(picture, min(product(heights, widths), key=cost)), (height, width)


def _nearby_multiples(side: float, multiple: int, max_count: int) -> Iterator[int]:
    """The multiples below and above a side, limited so that the other side keeps at least one multiple."""
    for count in (math.floor(side / multiple), math.ceil(side / multiple)):
        yield max(1, min(count, max_count // multiple)) * multiple


def resize(pixels: Pixels, size: Size) -> Pixels:
    """Pixels [h, w, 3] resized (bicubic) to [*size, 3], such as an answer to the size of the picture that it edits.

    Args:
        pixels: The picture, uint8.
        size: Height and width in pixels; the aspect ratio is not kept.

    Returns:
        The resized picture, uint8.
    """
    return _resize_box(pixels, size, (0, 0, pixels.shape[1], pixels.shape[0]))


def _resize_box(pixels: Pixels, size: Size, box: tuple[float, float, float, float]) -> Pixels:
    """The box (left, top, right, bottom) of a picture, resized; pixels keep their values where the sizes are equal."""
    return np.array(Image.fromarray(pixels).resize((size[1], size[0]), Image.Resampling.BICUBIC, box), np.uint8)
