"""How pictures become model input: one size, one crop and one flip for the picture before and the picture after.

    size = nearest(480, 640, resolution=256)                        # (224, 296): the bucket of this aspect ratio
    before, after = fit(before, after, size, offset=(0.2, 0.8))     # a random offset in training, the centre else
    pixels, original = whole(picture, resolution=256)               # for an answer: nothing is cut off
    answer = back(pixels, original)

Training resizes by a chance zoom and crops there, as the authors' code can (edit_dataset.py of
github.com/timothybrooks/instruct-pix2pix). That code resizes to a square first; here the aspect ratio is kept.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import product
from typing import overload

import numpy as np
from PIL import Image

from instructzoo.core.errors import ZooError
from instructzoo.pix2pix.images import Pixels

Size = tuple[int, int]
"""Height and width in pixels."""

WIDEST = 2.0
"""The largest ratio of a bucket's longer to its shorter side."""

_STEMS = (
    "left(?:most|wards?|hand(?:ed)?)?|right(?:most|wards?|hand(?:ed)?)?",  # sides; "the right colour" is one too
    "(?:counter|anti)?-?clockwise|rotat(?:e[sd]?|ing|ions?)|tilt(?:s|ed|ing)?|lean(?:s|ed|ing)?|slant(?:s|ed|ing)?",
    "mirror(?:s|ed|ing)?|flip(?:s|ped|ping)?|revers(?:e[sd]?|ing)|east(?:ern|wards?)?|west(?:ern|wards?)?",
    "texts?|letter(?:s|ed|ing)?|words?|wording|write|writes|writing|writings|written|wrote|handwrit(?:ing|ten)",
    "read(?:s|ing)?|says?|saying|spell(?:s|ed|ing)?|alphabets?|fonts?|typograph(?:y|ic)|captions?|titles?|subtitles?",
    "headlines?|slogans?|quot(?:es?|ed|ing|ations?)|labels?|labelled|labeled|logos?|signs?|signage|signposts?",
    "billboards?|posters?|newspapers?|books?|maps?|barcodes?|calendars?|keyboards?",
    "numbers?|numbered|numerals?|digits?|clocks?|clock-?faces?|watch(?:es)?|dials?",
)
_ONE_SIDED = re.compile(
    rf"(?<![a-z])(?:(?:top|bottom|upper|lower|mid|far)-?)?(?:{'|'.join(_STEMS)})(?![a-z])|[\"“”«»]", re.IGNORECASE
)


@lru_cache
def buckets(resolution: int, multiple: int = 8) -> tuple[Size, ...]:
    """The sizes of about resolution² pixels, between 1:2 and 2:1, whose sides are multiples of `multiple`; sorted.

    Raises ZooError for a resolution below `multiple`.
    """
    square = _square(resolution, multiple)
    found = {square}
    for side in range(multiple, 2 * resolution + 1, multiple):
        other = max(1, round(resolution**2 / side / multiple)) * multiple
        if side / WIDEST <= other <= side * WIDEST:
            found |= {(side, other), (other, side)}
    return tuple(sorted(found))


def nearest(height: int, width: int, resolution: int, multiple: int = 8, square: bool = False) -> Size:
    """The bucket that a picture is cut least for; square: the one square size, whatever the picture's ratio."""
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
def fit(
    before: Pixels, after: Pixels, size: Size, offset: tuple[float, float] = ..., zoom: float = ...
) -> tuple[Pixels, Pixels]: ...


@overload
def fit(
    before: Pixels, after: None, size: Size, offset: tuple[float, float] = ..., zoom: float = ...
) -> tuple[Pixels, None]: ...


def fit(
    before: Pixels,
    after: Pixels | None,
    size: Size,
    offset: tuple[float, float] = (0.5, 0.5),
    zoom: float = 1.0,
) -> tuple[Pixels, Pixels | None]:
    """Both pictures [h, w, 3] as [*size, 3]: resized (bicubic, aspect ratio kept) until they cover it, then cropped.

    offset: where the crop lies in what is too much, (0, 0) at the top left and (1, 1) at the bottom right; zoom: how
    much larger than needed they are made. Raises ZooError for two pictures of different sizes.
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
    return _resized(before, size, box), None if after is None else _resized(after, size, box)


def flip(before: Pixels, after: Pixels) -> tuple[Pixels, Pixels]:
    """Both pictures [h, w, 3] mirrored, left to right."""
    return np.ascontiguousarray(before[:, ::-1]), np.ascontiguousarray(after[:, ::-1])


def flippable(*texts: str) -> bool:
    """Whether a mirrored pair still shows what its texts say: no word of sides, turning, writing, numbers or clocks.

    A word that may mean a side counts as one ("the right colour"), and so does a quotation mark.
    """
    return not any(_ONE_SIDED.search(unicodedata.normalize("NFKC", text)) for text in texts)


def whole(picture: Pixels, resolution: int, multiple: int = 8) -> tuple[Pixels, Size]:
    """A picture [h, w, 3] resized to about resolution² pixels with nothing cut off, and the size to bring it back to.

    Its sides become multiples of `multiple`, chosen to keep the aspect ratio as well as they can.
    """
    height, width = picture.shape[:2]
    area = _square(resolution, multiple)[0] ** 2
    ideal = math.sqrt(area * height / width), math.sqrt(area * width / height)
    ratio = math.log(height / width)

    def cost(size: Size) -> tuple[float, int]:
        return round(abs(math.log(size[0] / size[1]) - ratio), 9), abs(size[0] * size[1] - area)

    tall, wide = (list(_around(side, multiple, area // multiple)) for side in ideal)
    return back(picture, min(product(tall, wide), key=cost)), (height, width)


def _around(side: float, multiple: int, most: int) -> Iterator[int]:
    """The multiples below and above a side, within what leaves the other side one multiple."""
    for count in (math.floor(side / multiple), math.ceil(side / multiple)):
        yield max(1, min(count, most // multiple)) * multiple


def back(pixels: Pixels, size: Size) -> Pixels:
    """Pixels [h, w, 3] resized (bicubic) to [*size, 3]: an answer in the size of the picture that it edits."""
    return _resized(pixels, size, (0, 0, pixels.shape[1], pixels.shape[0]))


def _resized(pixels: Pixels, size: Size, box: tuple[float, float, float, float]) -> Pixels:
    """The box (left, top, right, bottom) of a picture, resized. Pixels keep their values where the sizes are equal."""
    return np.array(Image.fromarray(pixels).resize((size[1], size[0]), Image.Resampling.BICUBIC, box), np.uint8)
