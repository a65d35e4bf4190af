"""Edits of scenes, each an exact function from the scene before to the scene after.

    recolour     the red circle becomes blue
    remove       the red circle goes
    add          a shape comes into a free cell
    move         the red circle goes into a free cell
    replace      the red circle becomes a square, or a blue square, of its size
    background   the ground takes another colour
    resize       a small shape grows, a large one shrinks

An edit changes the picture, and leaves a scene in which again no two shapes share colour and form.
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
    """One change. cell: the shape that changes; to: the cell that a shape goes to; shape: what it then is, or what is
    added; ground: the new one. What a kind does not need is None."""

    kind: Kind
    cell: int | None = None
    to: int | None = None
    shape: Shape | None = None
    ground: str | None = None

    def apply(self, scene: Scene) -> Scene:
        """The scene after. Raises ZooError where the edit does not fit the scene."""
        if self.ground is not None:
            return replace(scene, ground=self.ground)
        after = scene
        if self.cell is not None:
            scene.at(self.cell)
            after = after.put(self.cell, None)
        spot = self.cell if self.to is None else self.to
        if spot is None or after.cells[spot] is not None:
            raise ZooError(f"{self} has no free cell to go to", "an edit of this scene", "draw it for the scene")
        if self.shape is not None and self.shape.kind() in after.kinds():
            raise ZooError(f"a second {self.shape.colour} {self.shape.form}", "one of a kind", "draw another edit")
        return after.put(spot, self.shape)


def draw(
    rng: Random, scene: Scene, kinds: Sequence[Kind] = KINDS, weights: Mapping[Kind, float] | None = None
) -> Edit | None:
    """An edit of a scene: a kind by weight (1 where none is given), then one of its edits, all equally likely.

    None where the scene has no edit of that kind, such as `add` where no cell is free.
    """
    kind = rng.choices(kinds, [(weights or {}).get(kind, 1.0) for kind in kinds])[0]
    edits = every(scene, kind)
    return rng.choice(edits) if edits else None


def every(scene: Scene, kind: Kind) -> list[Edit]:
    """All edits of a kind that a scene allows. Raises ZooError for an unknown kind."""
    if kind == "background":
        return [Edit(kind, ground=ground) for ground in GROUNDS if ground != scene.ground]
    taken = scene.kinds()
    if kind == "add":
        shapes = [Shape(*parts) for parts in product(COLOURS, FORMS, SIZES) if parts[:2] not in taken]
        return [Edit(kind, to=cell, shape=shape) for cell in scene.free() for shape in shapes]
    if kind == "move":
        return [Edit(kind, cell, to, shape) for cell, shape in scene.shapes() for to in scene.free()]
    if kind == "remove":
        return [Edit(kind, cell) for cell, _ in scene.shapes()]
    if kind not in KINDS:
        raise ZooError(f'no edit "{kind}"', suggest(kind, KINDS), where="data.world.kinds")
    found = ((cell, shape, new) for cell, shape in scene.shapes() for new in _changed(shape, kind))
    return [Edit(kind, cell, shape=new) for cell, shape, new in found if new.kind() not in taken - {shape.kind()}]


def _changed(shape: Shape, kind: Kind) -> list[Shape]:
    """What a shape can become in its place."""
    if kind == "resize":
        return [shape._replace(size=size) for size in SIZES if size != shape.size]
    if kind == "recolour":
        return [shape._replace(colour=colour) for colour in COLOURS if colour != shape.colour]
    forms = [form for form in FORMS if form != shape.form]
    return [Shape(colour, form, shape.size) for form in forms for colour in COLOURS]
