"""Where rows come from.

    world    rows of the microworld, as many as data.sizes says, drawn by data.world

Real corpora are added to this list, with their licences; their readers stand in data/.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from instructzoo.core.data.microworld import from_world
from instructzoo.core.data.sources import NoSettings as Settings
from instructzoo.core.data.sources import no_published_format as gold
from instructzoo.core.data.split import SPLITS
from instructzoo.core.recipe import Recipe
from instructzoo.dialogue import world

if TYPE_CHECKING:
    import datasets

__all__ = ["Settings", "build", "gold"]


def build(recipe: Recipe, splits: Sequence[str] = SPLITS) -> datasets.DatasetDict:
    """The raw rows of recipe.data.sources by split."""
    return from_world(recipe, splits, world)
