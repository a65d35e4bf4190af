"""The microworld of image editing: coloured shapes, an instruction, and the picture that it asks for, exactly.

    make the red circle blue
        before   a white ground with one shape: a large red circle at the top left
        after    a white ground with one shape: a large blue circle at the top left

Colours, forms, wordings and edits are those of every split; scenes are not: a scene before an edit belongs to train,
validation or test by a hash of its caption, whatever the seed, the edit and the size. A held-out scene is a new
combination of known shapes. It measures whether a model edits what it is told in a picture that it has never been asked
to edit, and keeps the rest of it. The scene after an edit may be one of another split.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from functools import lru_cache
from random import Random
from typing import Annotated, Literal

from pydantic import Field, model_validator

from instructzoo.core import recipe
from instructzoo.core.errors import ZooError, suggest
from instructzoo.core.record import Row, row_id
from instructzoo.pix2pix import images
from instructzoo.pix2pix.world import edits, scenes, templates
from instructzoo.pix2pix.world.edits import KINDS, Edit, Kind
from instructzoo.pix2pix.world.scenes import MOST, Scene

SOURCE, LICENCE = "world", "Apache-2.0"
SPLITS = ("train", "validation", "test")
HELD_OUT = {"validation": range(4), "test": range(4, 12)}
"""Which of 100 buckets of scenes a held-out split has; train has the others."""

PATIENCE = 10_000
"""Draws without a new edit of a kind after which a held-out split has no more of it."""


class Settings(recipe.Settings):
    """What is drawn. The defaults are the whole world.

    Easy: {kinds: [recolour, remove, background], shapes: 1}; pictures of 64x64: {size: 64}.
    """

    size: Literal[32, 64] = Field(32, description="height and width of the pictures, in pixels")
    kinds: tuple[Kind, ...] = Field(KINDS, min_length=1, description="kinds of edits; one a row")
    weights: dict[Kind, Annotated[float, Field(ge=1e-9, le=1e9)]] = Field(
        default={}, description="weight of a kind's share of the rows; 1 where none is given"
    )
    shapes: int = Field(3, ge=1, le=MOST, description="most shapes of a picture before; every number is equally likely")

    @model_validator(mode="after")
    def _weighs_what_is_drawn(self) -> Settings:
        if idle := set(self.weights) - set(self.kinds):
            raise ValueError(f"weights names {', '.join(sorted(idle))}; expected kinds that are drawn")
        return self


def generate(n: int, seed: int, split: str, settings: Settings = Settings()) -> Iterator[Row]:  # noqa: B008 - frozen
    """n rows of a split (train, validation or test), equal for equal arguments; the first k are the same for any n.

    validation and test hold each edit of a scene once, and end early where the settings span too few; a kind that has
    no more of them is left out from there on. Raises ZooError for an unknown split.
    """
    if split not in SPLITS:
        raise ZooError(f'no split "{split}"', suggest(split, SPLITS))
    return _generate(n, seed, split, settings)


def _generate(n: int, seed: int, split: str, settings: Settings) -> Iterator[Row]:
    rng = Random(f"{seed} {split}")
    kinds, seen = list(settings.kinds), set[tuple[Scene, Edit]]()
    while n > 0 and kinds:
        kind = rng.choices(kinds, [settings.weights.get(kind, 1.0) for kind in kinds])[0]
        drawn = _fresh(rng, kind, split, settings.shapes, seen)
        if drawn is None:
            kinds.remove(kind)
            continue
        if split != "train":
            seen.add(drawn)
        yield write(rng, *drawn, settings.size)
        n -= 1


def _fresh(rng: Random, kind: Kind, split: str, most: int, seen: set[tuple[Scene, Edit]]) -> tuple[Scene, Edit] | None:
    """A scene of the split with an edit of this kind that was not seen; None where patience ends."""
    for _ in range(PATIENCE):
        scene = scenes.draw(rng, most)
        if split_of(scenes.caption(scene)) != split:
            continue
        edit = edits.draw(rng, scene, (kind,))
        if edit is not None and (scene, edit) not in seen:
            return scene, edit
    return None


def write(rng: Random, scene: Scene, edit: Edit, size: int) -> Row:
    """The row of an edit, in a wording by chance. size: of its pictures, in pixels."""
    after = edit.apply(scene)
    instruction = templates.write(rng, scene, edit)
    before, then = scenes.caption(scene), scenes.caption(after)
    return {
        "id": row_id(instruction, before, then),
        "instruction": instruction,
        "input": before,
        "output": then,
        "source": SOURCE,
        "licence": LICENCE,
        "item": before,
        "image": _picture(scene, size),
        "edited": _picture(after, size),
        "kind": edit.kind,
    }


@lru_cache(maxsize=10_000)
def _picture(scene: Scene, size: int) -> str:
    return images.to_uri(scenes.render(scene, size))


def split_of(item: str) -> str:
    """The split that a scene belongs to, by a hash of its caption."""
    bucket = zlib.crc32(item.encode()) % 100
    return next((split for split, buckets in HELD_OUT.items() if bucket in buckets), "train")
