"""Metrics of edits: changed and kept pixels, and the baselines."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from instructzoo.core.errors import ZooError
from instructzoo.core.record import Row
from instructzoo.pix2pix import images, metrics, world
from instructzoo.pix2pix.metrics import EDIT, ERROR, EXACT, KEPT
from instructzoo.pix2pix.world import scenes
from instructzoo.pix2pix.world.edits import KINDS
from instructzoo.pix2pix.world.scenes import Scene, Shape

BEFORE = scenes.render(Scene("white", (Shape("red", "circle"), None, None, None)))
AFTER = scenes.render(Scene("white", (Shape("blue", "circle"), None, None, None)))


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return list(world.generate(500, 0, "test"))


@pytest.fixture(scope="module")
def train() -> list[Row]:
    return list(world.generate(1_000, 0, "train"))


def row_of(before: images.Pixels, after: images.Pixels, kind: str = "recolour") -> Row:
    pictures = {"image": images.to_uri(before), "edited": images.to_uri(after)}
    return {"instruction": "make the circle blue", "input": "", "output": "", "kind": kind, **pictures}


def value(rows: list[Row], answers: list[str], metric: str) -> float:
    metric_value = metrics.score(rows, answers, "strict").get(metric)
    assert metric_value is not None
    return metric_value.value


@pytest.mark.parametrize("scorer", metrics.SCORERS)
def test_gold_pictures_score_perfectly(rows: list[Row], scorer: str) -> None:
    scores = metrics.score(rows, [row["edited"] for row in rows], scorer)
    for figure in scores.metric_values:
        assert figure.value == (0 if figure.metric == ERROR else 1), figure
    assert scores.counts == {
        "rows": 500,
        "right": 500,
        metrics.NO_PICTURE: 0,
        metrics.WRONG_SIZE: 0,
        metrics.NO_CHANGE: 0,
    }
    assert {figure.group for figure in scores.metric_values} == {"all", *KINDS}


def test_five_hundred_edits_are_scored_within_1_5_seconds(rows: list[Row]) -> None:
    answers = [row["edited"] for row in rows]
    begun = time.process_time()
    metrics.score(rows, answers, "strict")
    assert time.process_time() - begun < 1.5


def values(rows: list[Row], answers: list[str], scorer: str = "strict") -> dict[tuple[str, str], float]:
    return {(f.metric, f.group): f.value for f in metrics.score(rows, answers, scorer).metric_values}


def test_the_copy_baseline_has_zero_edit_success_and_keeps_all_pixels(rows: list[Row], train: list[Row]) -> None:
    answers = metrics.copy_input(train, rows)
    measured = values(rows, answers, "lenient")
    assert [measured[metric, "all"] for metric in (EDIT, EXACT, KEPT, ERROR)] == [0, 0, 1, 0]
    assert not any(metrics.correct(rows, answers, "strict"))


def test_the_constant_baseline_recolours_adds_and_moves_nothing(rows: list[Row], train: list[Row]) -> None:
    answers = metrics.constant_colour(train, rows)
    assert len(set(answers)) == 1
    measured = values(rows, answers)
    for kind in ("recolour", "add", "move"):
        assert measured[EDIT, kind] == 0, kind
    alone = values(rows, answers, "lenient")
    assert 0 < alone[EDIT, "remove"] < 0.5  # it does take the shape away, and all else too
    assert measured[EDIT, "remove"] < alone[EDIT, "remove"]
    assert measured[EXACT, "move"] == 0
    assert measured[KEPT, "all"] < 0.3


def test_the_nearest_baseline_answers_with_pictures_of_training_rows(rows: list[Row], train: list[Row]) -> None:
    answers = metrics.nearest_row(train, rows[:50])
    known = {row["edited"] for row in train}
    assert set(answers) <= known
    assert metrics.nearest_row([*train, rows[7]], rows[7:8]) == [rows[7]["edited"]]


def test_baselines_answer_in_the_size_of_the_input_picture(train: list[Row], tmp_path: Path) -> None:
    large = next(world.generate(1, 0, "test", world.Settings(size=64)))
    images_there = tmp_path / "before.png"
    images_there.write_bytes(images.encode(images.read(large["image"])))
    test_rows = [{**large, "image": str(images_there)}]
    for name, baseline in metrics.BASELINES.items():
        (answer,) = baseline(train, test_rows)
        assert images.read(answer).shape == (64, 64, 3), name


@pytest.mark.parametrize("shape", [(16, 16), (64, 64), (32, 31)])
def test_an_answer_of_another_size_is_wrong_and_counted(shape: tuple[int, int]) -> None:
    answer = images.to_uri(np.full((*shape, 3), scenes.COLOURS["blue"], np.uint8))
    scores = metrics.score([row_of(BEFORE, AFTER)], [answer], "strict")
    assert scores.headline_value().value == 0
    assert scores.counts[metrics.WRONG_SIZE] == 1
    assert (value([row_of(BEFORE, AFTER)], [answer], KEPT), value([row_of(BEFORE, AFTER)], [answer], ERROR)) == (0, 1)


@pytest.mark.parametrize("text", ["", "None", "make it blue", "data:image/png;base64,AAAA", "/etc/hosts"])
def test_an_answer_without_a_picture_is_wrong_and_counted(text: str) -> None:
    scores = metrics.score([row_of(BEFORE, AFTER)] * 2, [text, images.to_uri(AFTER)], "strict")
    assert scores.headline_value().value == 0.5
    assert scores.counts[metrics.NO_PICTURE] == 1
    assert metrics.correct([row_of(BEFORE, AFTER)], [text], "lenient") == [False]


def spoilt(share: float) -> str:
    """The truth with so many of the pixels that should change left as they were."""
    picture = AFTER.copy()
    places = np.argwhere((BEFORE != AFTER).any(-1))
    for y, x in places[: round(share * len(places))]:
        picture[y, x] = BEFORE[y, x]
    return images.to_uri(picture)


def test_an_edit_may_miss_8_but_not_12_percent_of_its_pixels() -> None:
    rows = [row_of(BEFORE, AFTER)]
    assert metrics.correct(rows, [spoilt(0.08)], "strict") == [True]
    assert metrics.correct(rows, [spoilt(0.12)], "strict") == [False]
    assert metrics.correct(rows, [spoilt(0.12)], "lenient") == [False]


def test_damage_outside_the_edit_is_wrong_in_strict_and_lowers_kept_pixels() -> None:
    picture = AFTER.copy()
    picture[16:] = scenes.COLOURS["green"]
    rows, answers = [row_of(BEFORE, AFTER)], [images.to_uri(picture)]
    assert value(rows, answers, EDIT) == 0
    assert metrics.correct(rows, answers, "lenient") == [True]
    assert value(rows, answers, EXACT) == 0
    stay = ~(BEFORE != AFTER).any(-1)
    assert value(rows, answers, KEPT) == pytest.approx(1 - 16 * 32 / stay.sum())
    gap = np.abs(np.subtract(scenes.COLOURS["green"], 255)).mean() / 255
    assert value(rows, answers, ERROR) == pytest.approx(gap * 16 * 32 / stay.sum())


def test_slight_noise_is_still_an_exact_match() -> None:
    noise = np.random.default_rng(0).integers(-40, 41, AFTER.shape)
    noisy = (AFTER + noise).clip(0, 255).astype(np.uint8)
    rows, answers = [row_of(BEFORE, AFTER)], [images.to_uri(noisy)]
    assert value(rows, answers, EXACT) == 1
    assert 0.02 < value(rows, answers, ERROR) < 0.08


def photo(seed: int) -> images.Pixels:
    small = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8)
    return np.array(Image.fromarray(small).resize((80, 60)))


def test_photos_are_scored_without_the_palette() -> None:
    before = photo(0)
    after = before.copy()
    after[:30, :40] = photo(1)[:30, :40]
    rows = [row_of(before, after, "")]
    jpeg = images.to_uri(after, "jpeg")
    assert metrics.correct(rows, [jpeg], "strict") == [True]
    assert metrics.correct(rows, [images.to_uri(before)], "strict") == [False]
    shifted = (after.astype(int) + 40).clip(0, 255).astype(np.uint8)
    assert metrics.correct(rows, [images.to_uri(shifted)], "strict") == [False]
    assert {figure.group for figure in metrics.score(rows, [jpeg], "strict").metric_values} == {"all"}


def test_jpeg_compression_is_not_a_required_change() -> None:
    before = photo(2)
    after = images.read(images.to_uri(before, "jpeg"))
    assert (before != after).any()
    assert not metrics.should_change(before, after).any()


def test_a_row_without_change_is_right_only_if_unchanged() -> None:
    rows = [row_of(BEFORE, BEFORE)]
    assert metrics.correct(rows, [images.to_uri(BEFORE)], "lenient") == [True]
    assert metrics.correct(rows, [images.to_uri(AFTER)], "lenient") == [False]
    assert metrics.correct(rows, ["nothing"], "lenient") == [False]
    assert metrics.score(rows, [""], "strict").counts[metrics.NO_CHANGE] == 1


def test_a_picture_that_changes_wholly_has_no_kept_pixels_value() -> None:
    black, white = np.zeros((32, 32, 3), np.uint8), np.full((32, 32, 3), 255, np.uint8)
    scores = metrics.score([row_of(white, black, "background")], [images.to_uri(black)], "strict")
    assert scores.headline_value().value == 1
    assert scores.get(KEPT) is None


def test_rows_without_gold_and_invalid_calls_are_errors() -> None:
    row = row_of(BEFORE, AFTER)
    with pytest.raises(ZooError, match="row 2: no edited"):
        metrics.score([row, {**row, "edited": ""}], [row["edited"]] * 2, "strict")
    with pytest.raises(ZooError, match="row 1: pictures of 32 x 32 and 80 x 60 pixels"):
        metrics.score([row_of(BEFORE, photo(0))], [row["edited"]], "strict")
    with pytest.raises(ZooError, match="1 answers for 2 rows"):
        metrics.score([row, row], [row["edited"]], "strict")
    with pytest.raises(ZooError, match='did you mean "strict"'):
        metrics.score([row], [row["edited"]], "strikt")
    with pytest.raises(ZooError, match="no training rows"):
        metrics.constant_colour([], [row])
