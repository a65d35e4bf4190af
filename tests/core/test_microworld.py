"""Splits of a microworld, drawing until a split is full, and the sources of a domain that has only a world."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from random import Random
from types import SimpleNamespace

import pytest

from instructzoo.core import recipe as recipes
from instructzoo.core.data.microworld import draw_split, from_world, world_rows
from instructzoo.core.data.sources import RowCollector, no_published_format, reads_one_source, wanted_splits
from instructzoo.core.data.split import SPLITS, hash_percentile, split_of
from instructzoo.core.errors import ZooError
from instructzoo.core.recipe import Recipe
from instructzoo.core.record import Record, Row


class Settings(recipes.Settings):
    items: int = 500


def generate(n: int, seed: int, split: str, settings: Settings = Settings()) -> Iterator[Row]:  # noqa: B008 - frozen
    rng = Random(f"{seed} {split}")

    def draw() -> Row:
        number = rng.randrange(settings.items)
        return Record(f"Say {number}.", "", str(number), "world", "MIT", item=str(number)).row()

    return draw_split(n, split, draw, patience=2_000)


WORLD = SimpleNamespace(Settings=Settings, generate=generate)


def recipe(**data: object) -> Recipe:
    sizes = {"train": 30, "validation": 4, "test": 6}
    model = {"backbone": "scratch:llama-1x32", "tokenizer": "bpe"}
    return Recipe.model_validate({"domain": "numbers", "model": model, "data": {"sizes": sizes} | data})


def test_the_same_arguments_give_the_same_rows_and_a_shorter_draw_is_their_beginning() -> None:
    rows = list(generate(40, 3, "train"))
    assert rows == list(generate(40, 3, "train"))
    assert rows[:7] == list(generate(7, 3, "train"))
    assert rows != list(generate(40, 4, "train"))


def test_every_row_belongs_to_the_split_that_was_drawn() -> None:
    for split in SPLITS:
        assert {split_of(row["item"]) for row in generate(15, 0, split)} == {split}


def test_a_held_out_split_holds_each_item_once_and_ends_where_the_world_is_exhausted() -> None:
    items = [row["item"] for row in generate(10_000, 0, "test")]
    assert len(items) == len(set(items))
    assert set(items) == {str(number) for number in range(500) if split_of(str(number)) == "test"}
    repeated = Counter(row["item"] for row in generate(2_000, 0, "train"))
    assert max(repeated.values()) > 1


def test_an_unknown_split_is_refused_before_the_first_row() -> None:
    with pytest.raises(ZooError, match='no split "dev"; known: test, train, validation'):
        generate(1, 0, "dev")


@pytest.mark.parametrize("percentile", [None, hash_percentile])
def test_held_out_splits_have_their_percent_of_the_items(percentile: object) -> None:
    more = {} if percentile is None else {"percentile": percentile}
    counts = Counter(split_of(f"item {n}", {"validation": 10, "test": 20}, **more) for n in range(20_000))  # type: ignore[arg-type]
    assert counts["validation"] == pytest.approx(2_000, rel=0.1)
    assert counts["test"] == pytest.approx(4_000, rel=0.1)


def test_splits_of_items_never_change() -> None:
    """A test item of an older release would else be a training item of a newer one."""
    assert [split_of(item) for item in ("one", "two", "three", "four", "five")] == ["train"] * 5
    test_items = [number for number in range(100) if split_of(str(number)) == "test"]
    assert test_items == [0, 3, 4, 9, 13, 26, 28, 39, 41, 58, 72]


def test_a_domain_with_only_a_world_builds_all_splits_from_it() -> None:
    rows = from_world(recipe(world={"items": 300}), SPLITS, WORLD)
    assert {split: len(table) for split, table in rows.items()} == {"train": 30, "validation": 4, "test": 6}
    assert from_world(recipe(), ("test",), WORLD).keys() == {"test"}
    assert rows["test"][0]["item"] == next(iter(generate(1, 0, "test", Settings(items=300))))["item"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"sources": ["own"]}, 'data.sources: no source "own"'),
        ({"world": {"itms": 3}}, 'did you mean "items"'),
        ({"options": {"tasks": ["own"]}}, 'data.options: unknown setting "tasks"'),
    ],
)
def test_a_source_or_setting_that_the_world_lacks_is_an_error(data: dict[str, object], message: str) -> None:
    with pytest.raises(ZooError, match=message):
        from_world(recipe(**data), SPLITS, WORLD)


def test_only_held_out_splits_can_be_made_alone() -> None:
    assert wanted_splits(("test",), SPLITS) == {"test"}
    assert wanted_splits(("train", "test"), SPLITS) == set(SPLITS)
    assert wanted_splits(("test",), ("train", "validation")) == set(SPLITS)  # it is cut out of train
    assert reads_one_source(recipe(sources=["world", "own"]))
    assert not reads_one_source(recipe(sources=["asqp", "own"]))


def test_rows_of_sources_stand_one_after_the_other_with_their_notes() -> None:
    rows = RowCollector()
    assert not rows
    for seed in (1, 2):
        rows.add("test", generate(3, seed, "test"), [f"seed {seed}"])
    table = rows.dataset_dict()["test"]
    assert table["item"][:] == [row["item"] for seed in (1, 2) for row in generate(3, seed, "test")]
    assert table.info.description == "seed 1\nseed 2"


def test_a_domain_without_published_formats_has_no_tasks_to_name(tmp_path: object) -> None:
    assert no_published_format(tmp_path) is None  # type: ignore[arg-type, func-returns-value]
    with pytest.raises(ZooError, match='--task: the task "ner"'):
        no_published_format(tmp_path, "ner")  # type: ignore[arg-type]


def test_world_rows_are_drawn_for_the_wanted_splits_only() -> None:
    assert world_rows(recipe(), WORLD, {"validation"}).keys() == {"validation"}
