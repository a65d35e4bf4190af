"""Edits of scenes, each an exact function from the scene before to the scene after.

    recolour     the red circle becomes blue
    remove       the red circle goes
    add          a shape comes into a free cell
    move         the red circle goes into a free cell
    replace      the red circle becomes a square, or a blue square, of its size
    background   the ground takes another colour
    resize       a small shape grows, a large one shrinks

An edit always changes the picture, and no two shapes of the resulting scene have the same colour and form.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from random import Random
from typing import Literal, get_args

from instructzoo.core.errors import ZooError, suggest
from instructzoo.pix2pix.world.scenes import COLOURS, FORMS, GROUNDS, SIZES, Scene, Shape

Kind = Literal["recolour", "remove", "add", "move", "replace", "background", "resize"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True)
class Edit:
    """One change of a scene; fields that its kind does not use are None.

    Attributes:
        kind: One of KINDS.
        cell: Index of the cell whose shape changes.
        to: Index of the cell that a shape moves to or is added in.
        shape: The shape afterwards, or the added shape.
        ground: The new background colour.
    """

    kind: Kind
    cell: int | None = None
    to: int | None = None
    shape: Shape | None = None
    ground: str | None = None

    def apply(self, scene: Scene) -> Scene:
        """The scene after the edit. Raises ZooError where the edit does not fit the scene."""
        if self.ground is not None:
            return replace(scene, ground=self.ground)
        after = scene
        if self.cell is not None:
            scene.shape_at(self.cell)
            after = after.with_cell(self.cell, None)
        target = self.cell if self.to is None else self.to
        if target is None or after.cells[target] is not None:
            raise ZooError(f"{self} has no free cell to go to", "an edit of this scene", "draw it for the scene")
        if self.shape is not None and self.shape.colour_and_form() in after.colours_and_forms():
            raise ZooError(f"a second {self.shape.colour} {self.shape.form}", "one of a kind", "draw another edit")
        return after.with_cell(target, self.shape)


def draw_edit(
    rng: Random, scene: Scene, kinds: Sequence[Kind] = KINDS, weights: Mapping[Kind, float] | None = None
) -> Edit | None:
    """A random edit of a scene: a kind by weight (1 if not given), then one of its edits, all equally likely.

    None if the scene has no edit of that kind, such as `add` where no cell is free.
    """
    kind = rng.choices(kinds, [(weights or {}).get(kind, 1.0) for kind in kinds])[0]
    edits = possible_edits(scene, kind)
    return rng.choice(edits) if edits else None


def possible_edits(scene: Scene, kind: Kind) -> list[Edit]:
    """All edits of a kind that a scene allows. Raises ZooError for an unknown kind."""
    if kind == "background":
        return [Edit(kind, ground=ground) for ground in GROUNDS if ground != scene.ground]
    used = scene.colours_and_forms()
    if kind == "add":
        shapes = [Shape(*attributes) for attributes in product(COLOURS, FORMS, SIZES) if attributes[:2] not in used]
        return [Edit(kind, to=cell, shape=shape) for cell in scene.free_cells() for shape in shapes]
    if kind == "move":
        return [Edit(kind, cell, to, shape) for cell, shape in scene.shapes() for to in scene.free_cells()]
    if kind == "remove":
        return [Edit(kind, cell) for cell, _ in scene.shapes()]
    if kind not in KINDS:
        raise ZooError(f'no edit "{kind}"', suggest(kind, KINDS), where="data.world.kinds")
    changes = ((cell, shape, changed) for cell, shape in scene.shapes() for changed in _changed_shapes(shape, kind))
    return [
        Edit(kind, cell, shape=new)
        for cell, shape, new in changes
        if new.colour_and_form() not in used - {shape.colour_and_form()}
    ]


def _changed_shapes(shape: Shape, kind: Kind) -> list[Shape]:
    """The shapes that a shape can become in place by an edit of this kind."""
    if kind == "resize":
        return [shape._replace(size=size) for size in SIZES if size != shape.size]
    if kind == "recolour":
        return [shape._replace(colour=colour) for colour in COLOURS if colour != shape.colour]
    forms = [form for form in FORMS if form != shape.form]
    return [Shape(colour, form, shape.size) for form in forms for colour in COLOURS]
