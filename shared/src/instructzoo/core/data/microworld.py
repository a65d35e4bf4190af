"""Rows of a microworld: a split is drawn until it is full, and a domain that has only a world needs no other source.

def generate(n, seed, split, settings=Settings()):
    rng = Random(f"{seed} {split}")
    return draw_split(n, split, lambda: _row(rng, settings))
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from instructzoo.core import recipe as recipes
from instructzoo.core.data.sources import NoSettings, RowCollector, check_sources, wanted_splits
from instructzoo.core.data.split import SPLITS, check_split, split_of
from instructzoo.core.recipe import Recipe
from instructzoo.core.record import Row

if TYPE_CHECKING:
    import datasets

PATIENCE = 10_000
"""Draws in a row without a new item after which a held-out split counts as exhausted."""


def draw_split(
    n: int,
    split: str,
    draw: Callable[[], Row],
    split_of: Callable[[str], str] = split_of,
    patience: int = PATIENCE,
) -> Iterator[Row]:
    """Draw rows until `n` of them belong to `split`.

    Validation and test hold each item at most once, so they end early where the world has too few; train may repeat
    items.

    Args:
        n: Number of rows to give.
        split: "train", "validation" or "test".
        draw: Gives the next random row, with its `item`. It is called in order, so that the first k rows are the same
            for any n.
        split_of: The split of an item.
        patience: Draws in a row without a new item after which the split counts as exhausted.

    Raises:
        ZooError: For an unknown split, at the call and not at the first row.
    """
    check_split(split)
    return _draw_split(n, split, draw, split_of, patience)


def _draw_split(
    n: int, split: str, draw: Callable[[], Row], split_of: Callable[[str], str], patience: int
) -> Iterator[Row]:
    seen_items: set[str] = set()
    draws_in_vain = 0
    while n > 0 and draws_in_vain < patience:
        row = draw()
        item = row["item"]
        draws_in_vain += 1
        if split_of(item) != split or item in seen_items:
            continue
        if split != "train":
            seen_items.add(item)
        yield row
        n, draws_in_vain = n - 1, 0


def world_rows(recipe: Recipe, world: Any, splits: Sequence[str] | set[str] = SPLITS) -> dict[str, Iterator[Row]]:
    """Rows of a domain's world by split, as many as data.sizes says, drawn by the settings of data.world.

    Args:
        recipe: Its seed, data.sizes and data.world are used.
        world: The domain's module `world`, with `Settings` and `generate`.
        splits: The splits to draw.

    Raises:
        ZooError: For settings of data.world that the world does not have.
    """
    settings = recipes.validate_settings(world.Settings, recipe.data.world, "data.world")
    sizes = recipe.data.sizes.model_dump()
    return {split: world.generate(sizes[split], recipe.seed, split, settings) for split in SPLITS if split in splits}


def from_world(recipe: Recipe, splits: Sequence[str], world: Any) -> datasets.DatasetDict:
    """`sources.build` of a domain whose only source is its world.

    Raises:
        ZooError: For another source in data.sources, and for settings that the world does not have.
    """
    check_sources(recipe, ("world",))
    recipes.validate_settings(NoSettings, recipe.data.options, "data.options")
    rows = RowCollector()
    for split, drawn in world_rows(recipe, world, wanted_splits(splits, SPLITS)).items():
        rows.add(split, drawn)
    return rows.dataset_dict()
