"""Instructions for edits: a wording by chance, with the thing to change named so that it fits one shape alone.

    the red circle · the circle · the red shape · the small shape · the shape at the top left · the top left shape

All is in lower case and at most 16 words long. A form named without a colour keeps the colour ("turn the red circle
into a square"), and what takes a shape's place has its size; a shape to add is large unless it is said to be small.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from random import Random

from instructzoo.pix2pix.world.edits import Edit
from instructzoo.pix2pix.world.scenes import CELLS, Scene, Shape

PLAIN = 0.5
"""Share of instructions that name a shape by colour and form; the others take any name that fits."""

BIGGER, SMALLER = "resize, bigger", "resize, smaller"

WORDINGS: dict[str, tuple[str, ...]] = {
    "recolour": (
        "make {it} {colour}",
        "turn {it} {colour}",
        "paint {it} {colour}",
        "colour {it} {colour}",
        "change the colour of {it} to {colour}",
        "change {it} to {colour}",
        "let {it} be {colour}",
        "{it} should be {colour}",
        "give {it} a {colour} colour",
    ),
    "remove": (
        "remove {it}",
        "delete {it}",
        "take {it} away",
        "take away {it}",
        "erase {it}",
        "get rid of {it}",
        "{it} should be gone",
        "make {it} disappear",
        "clear {it} away",
    ),
    "add": (
        "add {new} at the {place}",
        "put {new} at the {place}",
        "draw {new} in the {place} corner",
        "place {new} at the {place}",
        "there should be {new} at the {place}",
        "at the {place} add {new}",
        "put {new} into the {place} corner",
        "in the {place} corner draw {new}",
        "let there be {new} at the {place}",
    ),
    "move": (
        "move {it} to the {place}",
        "put {it} at the {place}",
        "shift {it} to the {place}",
        "bring {it} to the {place} corner",
        "take {it} to the {place}",
        "{it} should be at the {place}",
        "move {it} into the {place} corner",
        "place {it} at the {place}",
        "{it} belongs in the {place} corner",
    ),
    "replace": (
        "replace {it} with {new}",
        "turn {it} into {new}",
        "change {it} into {new}",
        "make {it} {new}",
        "swap {it} for {new}",
        "put {new} in place of {it}",
        "{it} should be {new}",
        "draw {new} where {it} is",
        "exchange {it} for {new}",
    ),
    "background": (
        "make the background {colour}",
        "turn the background {colour}",
        "paint the background {colour}",
        "colour the background {colour}",
        "change the background to {colour}",
        "change the colour of the background to {colour}",
        "the background should be {colour}",
        "put everything on a {colour} background",
        "give the picture a {colour} background",
    ),
    BIGGER: (
        "make {it} bigger",
        "make {it} large",
        "make {it} larger",
        "{it} should be bigger",
        "let {it} grow",
        "change the size of {it} to large",
        "enlarge {it}",
        "turn {it} into a large one",
        "{it} should be large",
    ),
    SMALLER: (
        "make {it} smaller",
        "make {it} small",
        "shrink {it}",
        "{it} should be smaller",
        "let {it} shrink",
        "change the size of {it} to small",
        "reduce {it}",
        "turn {it} into a small one",
        "{it} should be small",
    ),
}


def write(rng: Random, scene: Scene, edit: Edit) -> str:
    """An instruction for an edit of this scene."""
    said = rng.choice(WORDINGS[_said(edit)]).format(
        it=_name(rng, scene, edit.cell) if edit.cell is not None else "",
        new=_new(rng, scene, edit),
        place=CELLS[edit.to] if edit.to is not None else "",
        colour=edit.ground or (edit.shape.colour if edit.shape else ""),
    )
    return said.replace(" a orange", " an orange")


def names(scene: Scene, cell: int) -> list[str]:
    """All names that fit the shape in this cell and no other of the scene."""
    shape, others = scene.at(cell), [other for spot, other in scene.shapes() if spot != cell]
    named = [
        " ".join(filter(None, ("the", *parts))) for parts in _parts(shape) if not any(_fits(parts, o) for o in others)
    ]
    return [*named, f"the shape at the {CELLS[cell]}", f"the {CELLS[cell]} shape"]


def _parts(shape: Shape) -> Iterator[tuple[str, str, str]]:
    return product(("", shape.size), ("", shape.colour), (shape.form, "shape"))


def _fits(parts: tuple[str, str, str], shape: Shape) -> bool:
    size, colour, form = parts
    return size in ("", shape.size) and colour in ("", shape.colour) and form in ("shape", shape.form)


def _name(rng: Random, scene: Scene, cell: int) -> str:
    shape = scene.at(cell)
    return f"the {shape.colour} {shape.form}" if rng.random() < PLAIN else rng.choice(names(scene, cell))


def _new(rng: Random, scene: Scene, edit: Edit) -> str:
    """What comes: of an added shape all that is not taken for granted, of one that is put in a place what differs."""
    if edit.shape is None:
        return ""
    colour, form, size = edit.shape
    if edit.kind == "add":
        said = [size] if size == "small" or rng.random() < 1 / 3 else []
        return " ".join(["a", *said, colour, form])
    same = edit.cell is not None and scene.at(edit.cell).colour == colour
    return f"a {form}" if same and rng.random() < PLAIN else f"a {colour} {form}"


def _said(edit: Edit) -> str:
    if edit.kind == "resize" and edit.shape is not None:
        return BIGGER if edit.shape.size == "large" else SMALLER
    return edit.kind
