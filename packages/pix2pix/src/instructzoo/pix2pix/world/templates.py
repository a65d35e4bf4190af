"""Instructions for edits: a random template, with a phrase that refers to exactly one shape of the scene.

    the red circle · the circle · the red shape · the small shape · the shape at the top left · the top left shape

Instructions are in lower case and at most 16 words long. A form named without a colour keeps the colour ("turn the red
circle into a square"), and a replacement has the size of the shape that it replaces. An added shape is large unless
the instruction says small.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from random import Random

from instructzoo.pix2pix.world.edits import Edit
from instructzoo.pix2pix.world.scenes import CELLS, Scene, Shape

PLAIN_NAME_SHARE = 0.5
"""Fraction of instructions that refer to a shape by colour and form; the others use any phrase that fits it alone."""

BIGGER, SMALLER = "resize, bigger", "resize, smaller"

INSTRUCTION_TEMPLATES: dict[str, tuple[str, ...]] = {
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


def write_instruction(rng: Random, scene: Scene, edit: Edit) -> str:
    """A random instruction for an edit of this scene."""
    instruction = rng.choice(INSTRUCTION_TEMPLATES[_template_key(edit)]).format(
        it=_draw_name(rng, scene, edit.cell) if edit.cell is not None else "",
        new=_new_shape_phrase(rng, scene, edit),
        place=CELLS[edit.to] if edit.to is not None else "",
        colour=edit.ground or (edit.shape.colour if edit.shape else ""),
    )
    return instruction.replace(" a orange", " an orange")


def referring_phrases(scene: Scene, cell: int) -> list[str]:
    """All phrases that fit the shape in this cell and no other shape of the scene."""
    shape, other_shapes = scene.shape_at(cell), [other for other_cell, other in scene.shapes() if other_cell != cell]
    phrases = [
        " ".join(filter(None, ("the", *parts)))
        for parts in _name_parts(shape)
        if not any(_matches(parts, o) for o in other_shapes)
    ]
    return [*phrases, f"the shape at the {CELLS[cell]}", f"the {CELLS[cell]} shape"]


def _name_parts(shape: Shape) -> Iterator[tuple[str, str, str]]:
    """(size, colour, noun) of all descriptions of a shape; size and colour may be empty."""
    return product(("", shape.size), ("", shape.colour), (shape.form, "shape"))


def _matches(parts: tuple[str, str, str], shape: Shape) -> bool:
    """Whether a description of `_name_parts` fits a shape."""
    size, colour, form = parts
    return size in ("", shape.size) and colour in ("", shape.colour) and form in ("shape", shape.form)


def _draw_name(rng: Random, scene: Scene, cell: int) -> str:
    """A random phrase for the shape in this cell."""
    shape = scene.shape_at(cell)
    return (
        f"the {shape.colour} {shape.form}"
        if rng.random() < PLAIN_NAME_SHARE
        else rng.choice(referring_phrases(scene, cell))
    )


def _new_shape_phrase(rng: Random, scene: Scene, edit: Edit) -> str:
    """A phrase for the new shape: all that is not the default for an added one, what differs for a replacement."""
    if edit.shape is None:
        return ""
    colour, form, size = edit.shape
    if edit.kind == "add":
        size_words = [size] if size == "small" or rng.random() < 1 / 3 else []
        return " ".join(["a", *size_words, colour, form])
    keeps_colour = edit.cell is not None and scene.shape_at(edit.cell).colour == colour
    return f"a {form}" if keeps_colour and rng.random() < PLAIN_NAME_SHARE else f"a {colour} {form}"


def _template_key(edit: Edit) -> str:
    """The key of INSTRUCTION_TEMPLATES for an edit."""
    if edit.kind == "resize" and edit.shape is not None:
        return BIGGER if edit.shape.size == "large" else SMALLER
    return edit.kind
