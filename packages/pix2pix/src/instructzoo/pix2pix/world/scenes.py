"""Scenes of the microworld: up to four coloured shapes on a coloured ground, drawn exactly.

    a white ground with two shapes: a large red circle at the top left, a small blue square at the bottom right

A scene is a grid of two by two cells, each empty or with one shape. No two shapes of a scene share colour and form, so
that "the red circle" names one thing. Pictures hold pure colours of the palette and no shades between them.

A cell is half of the picture, high and wide. A large shape is 7/8 as high as its cell and lies in the middle of it; a
small one is 3/8 as high and lies in the middle of that quarter of its cell which is the corner of the picture. At 32
pixels a small shape so lies inside of one patch of 8x8 pixels, and the many pictures are made of few patches.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from instructzoo.core.errors import ZooError
from instructzoo.pix2pix.images import Pixels

RGB = tuple[int, int, int]

COLOURS: dict[str, RGB] = {
    "red": (215, 20, 30),
    "green": (30, 160, 60),
    "blue": (40, 70, 220),
    "yellow": (250, 225, 40),
    "purple": (150, 50, 190),
    "orange": (245, 115, 15),
}
"""Of shapes."""

GROUNDS: dict[str, RGB] = {
    "white": (255, 255, 255),
    "black": (0, 0, 0),
    "grey": (128, 128, 128),
    "pink": (255, 150, 190),
}
"""Of what lies behind them. Any two colours of the palette are at least 90 apart in RGB."""

FORMS = ("circle", "square", "triangle")
SIZES = ("small", "large")
CELLS = ("top left", "top right", "bottom left", "bottom right")
MOST = len(CELLS)
NUMBERS = ("no", "one", "two", "three", "four")
UNIT = 32
"""Pixels of the smallest picture; sizes are multiples of it."""


class Shape(NamedTuple):
    """One thing of a scene: red, circle, large."""

    colour: str
    form: str
    size: str = "large"

    def kind(self) -> tuple[str, str]:
        """What no two shapes of a scene share."""
        return self.colour, self.form

    def __str__(self) -> str:
        return f"{self.size} {self.colour} {self.form}"


@dataclass(frozen=True)
class Scene:
    """What a picture shows. cells: the shape of each place in the order of CELLS, None where there is none."""

    ground: str
    cells: tuple[Shape | None, ...]

    def shapes(self) -> Iterator[tuple[int, Shape]]:
        """(cell, shape) of what is there, in the order of cells."""
        return ((cell, shape) for cell, shape in enumerate(self.cells) if shape is not None)

    def at(self, cell: int) -> Shape:
        """The shape in a cell. Raises ZooError for an empty one."""
        shape = self.cells[cell]
        if shape is None:
            raise ZooError(f"nothing at the {CELLS[cell]}", "a shape there", "name another cell")
        return shape

    def free(self) -> list[int]:
        """The empty cells."""
        return [cell for cell, shape in enumerate(self.cells) if shape is None]

    def kinds(self) -> set[tuple[str, str]]:
        """The (colour, form) that are taken."""
        return {shape.kind() for _, shape in self.shapes()}

    def put(self, cell: int, shape: Shape | None) -> Scene:
        """The same scene with another content of one cell."""
        return Scene(self.ground, (*self.cells[:cell], shape, *self.cells[cell + 1 :]))


def draw(rng: Random, most: int = 3) -> Scene:
    """A scene with 1 to `most` shapes, every number equally likely."""
    cells: list[Shape | None] = [None] * MOST
    taken = set[tuple[str, str]]()
    for cell in rng.sample(range(MOST), rng.randint(1, most)):
        shape = _shape(rng)
        while shape.kind() in taken:
            shape = _shape(rng)
        taken.add(shape.kind())
        cells[cell] = shape
    return Scene(rng.choice(tuple(GROUNDS)), tuple(cells))


def _shape(rng: Random) -> Shape:
    return Shape(rng.choice(tuple(COLOURS)), rng.choice(FORMS), rng.choice(SIZES))


def caption(scene: Scene) -> str:
    """The scene in words; different scenes have different captions."""
    said = [f"a {shape} at the {CELLS[cell]}" for cell, shape in scene.shapes()]
    if not said:
        return f"an empty {scene.ground} ground"
    counted = f"{NUMBERS[len(said)]} shape{'s' if len(said) > 1 else ''}"
    return f"a {scene.ground} ground with {counted}: {', '.join(said)}"


def render(scene: Scene, size: int = UNIT) -> Pixels:
    """The picture of a scene, uint8 [size, size, 3]. Raises ZooError for a size that is no multiple of 32."""
    if size < UNIT or size % UNIT:
        raise ZooError(f"a picture of {size} pixels", f"a multiple of {UNIT}", where="data.world.size")
    picture = np.full((size, size, 3), GROUNDS[scene.ground], np.uint8)
    half = size // 2
    for cell, shape in scene.shapes():
        form = mask(shape.form, half * (7 if shape.size == "large" else 3) // 8)
        room = half if shape.size == "large" else half // 2
        margin = (room - len(form)) // 2
        top, left = (margin if at == 0 else size - room + margin for at in divmod(cell, 2))
        picture[top : top + len(form), left : left + len(form)][form] = COLOURS[shape.colour]
    return picture


@lru_cache(maxsize=64)
def mask(form: str, n: int) -> npt.NDArray[np.bool_]:
    """Which pixels of a square of n x n pixels, n even, a shape covers: bool [n, n]."""
    rows, columns = np.mgrid[0:n, 0:n]
    down, across = 2 * rows + 1 - n, 2 * columns + 1 - n  # twice the distance from the middle
    if form == "circle":
        return np.asarray(down**2 + across**2 <= n**2 - 4)
    if form == "triangle":
        return np.asarray(np.abs(across) <= rows + 1)
    return np.ones((n, n), np.bool_)


def palette() -> dict[str, RGB]:
    """All colours that a picture of this world can hold, by name."""
    return {**COLOURS, **GROUNDS}
