"""Scenes of the synthetic world: up to four coloured shapes on a coloured ground, drawn exactly.

    a white ground with two shapes: a large red circle at the top left, a small blue square at the bottom right

A scene is a grid of two by two cells, each empty or with one shape. No two shapes of a scene have the same colour and
form, so "the red circle" is unambiguous. Pictures contain only the pure colours of the palette, without antialiasing.

A cell is half as high and half as wide as the picture. A large shape is 7/8 of the cell's height and centred in it; a
small one is 3/8 of it and centred in the quarter of the cell that is at the picture's corner. At 32 pixels a small
shape therefore lies within one patch of 8x8 pixels, and all pictures are made of few distinct patches.
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
"""Colours of shapes."""

GROUNDS: dict[str, RGB] = {
    "white": (255, 255, 255),
    "black": (0, 0, 0),
    "grey": (128, 128, 128),
    "pink": (255, 150, 190),
}
"""Colours of the background. Any two colours of the palette are at least 90 apart in RGB."""

FORMS = ("circle", "square", "triangle")
SIZES = ("small", "large")
CELLS = ("top left", "top right", "bottom left", "bottom right")
MAX_SHAPES = len(CELLS)
NUMBER_WORDS = ("no", "one", "two", "three", "four")
MIN_SIZE = 32
"""Pixels of the smallest picture's side; sizes are multiples of it."""


class Shape(NamedTuple):
    """One shape of a scene, such as ("red", "circle", "large")."""

    colour: str
    form: str
    size: str = "large"

    def colour_and_form(self) -> tuple[str, str]:
        """What identifies a shape: no two shapes of a scene share it."""
        return self.colour, self.form

    def __str__(self) -> str:
        return f"{self.size} {self.colour} {self.form}"


@dataclass(frozen=True)
class Scene:
    """What a picture shows. cells: the shape in each cell in the order of CELLS, or None."""

    ground: str
    cells: tuple[Shape | None, ...]

    def shapes(self) -> Iterator[tuple[int, Shape]]:
        """(cell, shape) of all shapes, in the order of the cells."""
        return ((cell, shape) for cell, shape in enumerate(self.cells) if shape is not None)

    def shape_at(self, cell: int) -> Shape:
        """The shape in a cell. Raises ZooError for an empty one."""
        shape = self.cells[cell]
        if shape is None:
            raise ZooError(f"nothing at the {CELLS[cell]}", "a shape there", "name another cell")
        return shape

    def free_cells(self) -> list[int]:
        """Indices of the empty cells."""
        return [cell for cell, shape in enumerate(self.cells) if shape is None]

    def colours_and_forms(self) -> set[tuple[str, str]]:
        """The (colour, form) of all shapes."""
        return {shape.colour_and_form() for _, shape in self.shapes()}

    def with_cell(self, cell: int, shape: Shape | None) -> Scene:
        """The same scene with another content of one cell."""
        return Scene(self.ground, (*self.cells[:cell], shape, *self.cells[cell + 1 :]))


def draw_scene(rng: Random, max_shapes: int = 3) -> Scene:
    """A scene with 1 to `most` shapes, every number equally likely."""
    cells: list[Shape | None] = [None] * MAX_SHAPES
    taken = set[tuple[str, str]]()
    for cell in rng.sample(range(MAX_SHAPES), rng.randint(1, max_shapes)):
        shape = _draw_shape(rng)
        while shape.colour_and_form() in taken:
            shape = _draw_shape(rng)
        taken.add(shape.colour_and_form())
        cells[cell] = shape
    return Scene(rng.choice(tuple(GROUNDS)), tuple(cells))


def _draw_shape(rng: Random) -> Shape:
    return Shape(rng.choice(tuple(COLOURS)), rng.choice(FORMS), rng.choice(SIZES))


def caption(scene: Scene) -> str:
    """The scene in words; different scenes have different captions."""
    phrases = [f"a {shape} at the {CELLS[cell]}" for cell, shape in scene.shapes()]
    if not phrases:
        return f"an empty {scene.ground} ground"
    count = f"{NUMBER_WORDS[len(phrases)]} shape{'s' if len(phrases) > 1 else ''}"
    return f"a {scene.ground} ground with {count}: {', '.join(phrases)}"


def render(scene: Scene, size: int = MIN_SIZE) -> Pixels:
    """Draw a scene.

    Args:
        scene: What to draw.
        size: Height and width in pixels, a multiple of 32.

    Returns:
        uint8 [size, size, 3].

    Raises:
        ZooError: The size is not a multiple of 32.
    """
    if size < MIN_SIZE or size % MIN_SIZE:
        raise ZooError(f"a picture of {size} pixels", f"a multiple of {MIN_SIZE}", where="data.world.size")
    picture = np.full((size, size, 3), GROUNDS[scene.ground], np.uint8)
    cell_size = size // 2
    for cell, shape in scene.shapes():
        shape_mask = mask(shape.form, cell_size * (7 if shape.size == "large" else 3) // 8)
        box = cell_size if shape.size == "large" else cell_size // 2
        margin = (box - len(shape_mask)) // 2
        top, left = (margin if row_or_column == 0 else size - box + margin for row_or_column in divmod(cell, 2))
        picture[top : top + len(shape_mask), left : left + len(shape_mask)][shape_mask] = COLOURS[shape.colour]
    return picture


@lru_cache(maxsize=64)
def mask(form: str, n: int) -> npt.NDArray[np.bool_]:
    """The pixels that a shape covers in a square of n x n pixels, n even: bool [n, n]."""
    rows, columns = np.mgrid[0:n, 0:n]
    from_middle_y, from_middle_x = 2 * rows + 1 - n, 2 * columns + 1 - n  # twice the distance from the centre
    if form == "circle":
        return np.asarray(from_middle_y**2 + from_middle_x**2 <= n**2 - 4)
    if form == "triangle":
        return np.asarray(np.abs(from_middle_x) <= rows + 1)
    return np.ones((n, n), np.bool_)


def palette() -> dict[str, RGB]:
    """All colours that a picture of this world can contain, by name."""
    return {**COLOURS, **GROUNDS}
