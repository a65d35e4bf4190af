"""The synthetic world of image editing: coloured shapes, an instruction, and exactly the picture that it asks for.

    make the red circle blue
        before   a white ground with one shape: a large red circle at the top left
        after    a white ground with one shape: a large blue circle at the top left

All splits have the same colours, forms, templates and kinds of edits, but different scenes: the scene before an edit
belongs to train, validation or test by a hash of its caption, whatever the seed, the edit and the picture size. A
held-out scene is a new combination of known shapes. The test split measures whether a model makes the requested edit
in a picture that it has never been asked to edit, and keeps the rest. The scene after an edit may belong to another
split.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from random import Random
from typing import Annotated, Literal

from pydantic import Field, model_validator

from instructzoo.core import recipe
from instructzoo.core.data.split import check_split, split_of
from instructzoo.core.record import Row, row_id
from instructzoo.pix2pix import images
from instructzoo.pix2pix.world import edits, scenes, templates
from instructzoo.pix2pix.world.edits import KINDS, Edit, Kind
from instructzoo.pix2pix.world.scenes import MAX_SHAPES, Scene

SOURCE, LICENCE = "world", "Apache-2.0"
MAX_DRAWS = 10_000
"""Draws without a new edit of a kind after which a held-out split has no more of it."""


class Settings(recipe.Settings):
    """What is drawn. The defaults are the whole world.

    Easier: {kinds: [recolour, remove, background], shapes: 1}; pictures of 64x64 pixels: {size: 64}.
    """

    size: Literal[32, 64] = Field(32, description="height and width of the pictures, in pixels")
    kinds: tuple[Kind, ...] = Field(KINDS, min_length=1, description="kinds of edits; each row has one")
    weights: dict[Kind, Annotated[float, Field(ge=1e-9, le=1e9)]] = Field(
        default={}, description="relative frequency of each kind; 1 if not given"
    )
    shapes: int = Field(
        3, ge=1, le=MAX_SHAPES, description="most shapes in the picture before; every number is equally likely"
    )

    @model_validator(mode="after")
    def _weighs_what_is_drawn(self) -> Settings:
        if idle := set(self.weights) - set(self.kinds):
            raise ValueError(f"weights names {', '.join(sorted(idle))}; expected kinds that are drawn")
        return self


def generate(n: int, seed: int, split: str, settings: Settings = Settings()) -> Iterator[Row]:  # noqa: B008 - frozen
    """Draw rows of the synthetic world.

    Args:
        n: Number of rows.
        seed: Equal arguments give equal rows, and the first k rows are the same for any n.
        split: "train", "validation" or "test".
        settings: What is drawn.

    Yields:
        Rows. Validation and test contain each edit of a scene once: they drop a kind that has no more edits, and end
        early when no kind has any.

    Raises:
        ZooError: The split is unknown.
    """
    check_split(split)
    return _generate(n, seed, split, settings)


def _generate(n: int, seed: int, split: str, settings: Settings) -> Iterator[Row]:
    rng = Random(f"{seed} {split}")
    kinds, seen = list(settings.kinds), set[tuple[Scene, Edit]]()
    while n > 0 and kinds:
        kind = rng.choices(kinds, [settings.weights.get(kind, 1.0) for kind in kinds])[0]
        scene_and_edit = _draw_unseen(rng, kind, split, settings.shapes, seen)
        if scene_and_edit is None:
            kinds.remove(kind)
            continue
        if split != "train":
            seen.add(scene_and_edit)
        yield make_row(rng, *scene_and_edit, settings.size)
        n -= 1


def _draw_unseen(
    rng: Random, kind: Kind, split: str, max_shapes: int, seen: set[tuple[Scene, Edit]]
) -> tuple[Scene, Edit] | None:
    """A scene of the split with an edit of this kind that is not in `seen`; None after MAX_DRAWS attempts."""
    for _ in range(MAX_DRAWS):
        scene = scenes.draw_scene(rng, max_shapes)
        if split_of(scenes.caption(scene)) != split:
            continue
        edit = edits.draw_edit(rng, scene, (kind,))
        if edit is not None and (scene, edit) not in seen:
            return scene, edit
    return None


def make_row(rng: Random, scene: Scene, edit: Edit, size: int) -> Row:
    """The row of an edit with a random instruction. size: height and width of its pictures in pixels."""
    scene_after = edit.apply(scene)
    instruction = templates.write_instruction(rng, scene, edit)
    caption_before, caption_after = scenes.caption(scene), scenes.caption(scene_after)
    return {
        "id": row_id(instruction, caption_before, caption_after),
        "instruction": instruction,
        "input": caption_before,
        "output": caption_after,
        "source": SOURCE,
        "licence": LICENCE,
        "item": caption_before,
        "image": _picture(scene, size),
        "edited": _picture(scene_after, size),
        "kind": edit.kind,
    }


@lru_cache(maxsize=10_000)
def _picture(scene: Scene, size: int) -> str:
    return images.to_uri(scenes.render(scene, size))
