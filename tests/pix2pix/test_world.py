"""The synthetic world: splits share no scene, phrases fit one shape, pictures are drawn exactly."""

from __future__ import annotations

import re
from collections import Counter
from itertools import combinations
from random import Random

import numpy as np
import pytest

from instructzoo.core.data.split import split_of
from instructzoo.core.errors import ZooError
from instructzoo.core.record import Row
from instructzoo.core.settings import validate_settings
from instructzoo.pix2pix import images, world
from instructzoo.pix2pix.world import edits, scenes, templates
from instructzoo.pix2pix.world.edits import KINDS, Edit
from instructzoo.pix2pix.world.scenes import CELLS, COLOURS, FORMS, GROUNDS, SIZES, Scene, Shape

RED, BLUE = Shape("red", "circle"), Shape("blue", "square", "small")
TWO = Scene("white", (RED, None, None, BLUE))


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return list(world.generate(3_000, 0, "train"))


@pytest.fixture(scope="module")
def held_out() -> list[Row]:
    return list(world.generate(1_000, 0, "test"))


def read_caption(text: str) -> Scene:
    """A caption read back by rules of its own."""
    if empty := re.fullmatch(r"an empty (\w+) ground", text):
        return Scene(empty[1], (None,) * 4)
    ground, count, told = re.fullmatch(r"a (\w+) ground with (\w+) shapes?: (.*)", text).groups()  # type: ignore[union-attr]
    cells: list[Shape | None] = [None] * 4
    for size, colour, form, cell in re.findall(r"a (\w+) (\w+) (\w+) at the (\w+ \w+)", told):
        cells[CELLS.index(cell)] = Shape(colour, form, size)
    assert sum(shape is not None for shape in cells) == ("no", "one", "two", "three", "four").index(count)
    return Scene(ground, tuple(cells))


def read_names(text: str, scene: Scene) -> list[list[int]]:
    """For every name of a present thing in an instruction, the cells that it fits."""
    drawn_rows = []
    sized = rf"(?:({'|'.join(SIZES)}) )?(?:({'|'.join(COLOURS)}) )?({'|'.join((*FORMS, 'shape'))})\b"
    for match in re.finditer(rf"\bthe (?:(top|bottom) (left|right) shape|{sized}(?: at the (\w+ \w+))?)", text):
        row, side, size, colour, form, place = match.groups()
        spot = f"{row} {side}" if row else place if form == "shape" and not (size or colour) else None
        fitting = [
            cell
            for cell, shape in scene.shapes()
            if (spot in (None, CELLS[cell]))
            and size in (None, shape.size)
            and colour in (None, shape.colour)
            and form in (None, "shape", shape.form)
        ]
        drawn_rows.append(fitting)
    return drawn_rows


def test_train_and_test_share_no_scene_and_no_picture(rows: list[Row], held_out: list[Row]) -> None:
    other_seed = world.generate(3_000, 5, "train", world.Settings(kinds=("add",), size=64))
    trained = {row["item"] for row in [*rows, *other_seed]}
    assert not trained & {row["item"] for row in held_out}
    pictures = {row["image"] for row in rows}
    assert not pictures & {row["image"] for row in held_out}


def test_the_train_and_test_splits_have_shares_of_88_and_8_percent() -> None:
    rng = Random(0)
    counts = Counter(split_of(scenes.caption(scenes.draw_scene(rng))) for _ in range(5_000))
    assert abs(counts["train"] / 5_000 - 0.88) < 0.02
    assert abs(counts["test"] / 5_000 - 0.08) < 0.02


def test_no_edit_of_the_test_split_is_repeated(held_out: list[Row]) -> None:
    assert len({(row["item"], row["output"]) for row in held_out}) == len(held_out)


def test_a_small_validation_split_ends_after_all_its_edits() -> None:
    narrow = world.Settings(kinds=("background", "remove"), shapes=1)
    drawn_rows = list(world.generate(10_000, 0, "validation", narrow))
    scenes_held = {row["item"] for row in drawn_rows}
    assert len(drawn_rows) == 4 * len(scenes_held)  # three other grounds, and one shape to remove


def test_a_larger_draw_starts_with_the_smaller_one() -> None:
    assert list(world.generate(5, 3, "train")) == list(world.generate(50, 3, "train"))[:5]


def test_an_unknown_split_is_an_error() -> None:
    with pytest.raises(ZooError, match='did you mean "test"'):
        world.generate(1, 0, "tets")


def test_weights_of_kinds_that_are_not_drawn_are_an_error() -> None:
    with pytest.raises(ZooError, match="weights names move"):
        validate_settings(world.Settings, {"kinds": ["add"], "weights": {"move": 2.0}}, "data.world")


def test_weights_change_the_shares_of_kinds() -> None:
    settings = world.Settings(kinds=("add", "remove"), weights={"add": 9.0})
    counts = Counter(row["kind"] for row in world.generate(500, 0, "train", settings))
    assert set(counts) == {"add", "remove"}
    assert counts["add"] > 420


def test_all_kinds_are_about_equally_frequent(rows: list[Row]) -> None:
    counts = Counter(row["kind"] for row in rows)
    assert set(counts) == set(KINDS)
    assert max(counts.values()) < 1.3 * min(counts.values())


def test_every_edit_changes_the_picture() -> None:
    rng = Random(1)
    for scene in [scenes.draw_scene(rng, 4) for _ in range(60)]:
        before = scenes.render(scene)
        for kind in KINDS:
            for edit in edits.possible_edits(scene, kind):
                assert (scenes.render(edit.apply(scene)) != before).any(), (scene, edit)


def test_after_every_edit_all_shapes_have_different_names() -> None:
    rng = Random(2)
    for scene in [scenes.draw_scene(rng, 4) for _ in range(60)]:
        for kind in KINDS:
            for after in (edit.apply(scene) for edit in edits.possible_edits(scene, kind)):
                assert len(after.colours_and_forms()) == len(list(after.shapes()))


def test_an_edit_that_does_not_fit_is_an_error_and_never_drawn() -> None:
    with pytest.raises(ZooError, match="nothing at the top right"):
        Edit("remove", 1).apply(TWO)
    with pytest.raises(ZooError, match="no free cell"):
        Edit("move", 0, 3, RED).apply(TWO)
    with pytest.raises(ZooError, match="a second red circle"):
        Edit("add", to=1, shape=Shape("red", "circle", "small")).apply(TWO)
    assert (
        edits.draw_edit(
            Random(0), Scene("white", (RED, BLUE, Shape("red", "square"), Shape("blue", "circle"))), ("add",)
        )
        is None
    )
    with pytest.raises(ZooError, match='did you mean "remove"'):
        edits.possible_edits(TWO, "remov")  # type: ignore[arg-type]


def test_the_edited_picture_equals_the_picture_edited_by_pixel_masks() -> None:
    """The truth by another way: pixels of the picture before are painted over, no scene is drawn anew."""
    rng = Random(3)
    for scene in [scenes.draw_scene(rng) for _ in range(40)]:
        for kind in KINDS:
            for edit in edits.possible_edits(scene, kind)[:12]:
                assert np.array_equal(painted(scene, edit), scenes.render(edit.apply(scene))), (scene, edit)


def painted(scene: Scene, edit: Edit) -> images.Pixels:
    """An edit as a painter makes it: by masks of pixels."""
    picture = scenes.render(scene)
    ground = np.array(GROUNDS[scene.ground], np.uint8)
    if edit.kind == "background":
        picture[(picture == ground).all(-1)] = GROUNDS[str(edit.ground)]
        return picture
    if edit.cell is not None:
        edited_shape = (picture == COLOURS[scene.shape_at(edit.cell).colour]).all(-1) & quarter(edit.cell)
        if edit.kind == "recolour" and edit.shape is not None:
            picture[edited_shape] = COLOURS[edit.shape.colour]
            return picture
        picture[edited_shape] = ground
    spot = edit.to if edit.to is not None else edit.cell
    if edit.shape is not None and spot is not None:
        alone = scenes.render(Scene(scene.ground, (None,) * 4).with_cell(spot, edit.shape))
        new = (alone != ground).any(-1)
        picture[new] = COLOURS[edit.shape.colour]
    return picture


def quarter(cell: int) -> np.ndarray:
    mask = np.zeros((32, 32), bool)
    mask[16 * (cell // 2) : 16 * (cell // 2) + 16, 16 * (cell % 2) : 16 * (cell % 2) + 16] = True
    return mask


def test_every_name_in_an_instruction_fits_exactly_one_shape(rows: list[Row]) -> None:
    named = 0
    for row in rows:
        scene = read_caption(row["input"])
        for fitting in read_names(row["instruction"], scene):
            assert len(fitting) == 1, (row["instruction"], row["input"])
            named += 1
        assert (row["kind"] in ("add", "background")) == (not read_names(row["instruction"], scene)), row["instruction"]
    assert named > 1_500


def test_the_named_shape_is_the_one_that_changes(rows: list[Row]) -> None:
    for row in rows:
        before, after = read_caption(row["input"]), read_caption(row["output"])
        for (cell,) in read_names(row["instruction"], before):
            assert before.cells[cell] != after.cells[cell], (row["instruction"], row["input"], row["output"])


def test_the_instruction_names_colour_form_and_place_of_what_is_new(rows: list[Row]) -> None:
    """Colour, form and place of what is new are words of the instruction."""
    for row in rows:
        before, after = read_caption(row["input"]), read_caption(row["output"])
        words = set(row["instruction"].split())
        if row["kind"] == "background":
            assert after.ground in words
        new = [(cell, shape) for cell, shape in after.shapes() if before.cells[cell] != shape]
        for cell, shape in new:
            if row["kind"] in ("add", "recolour"):
                assert shape.colour in words
            if row["kind"] in ("add", "replace"):
                assert shape.form in words
            if row["kind"] in ("add", "move"):
                assert CELLS[cell] in row["instruction"]
            if row["kind"] == "add" and shape.size == "small":
                assert "small" in words


def test_captions_describe_their_pictures_exactly(rows: list[Row]) -> None:
    for row in rows[:500]:
        for text, reference in ((row["input"], row["image"]), (row["output"], row["edited"])):
            assert np.array_equal(images.read(reference), scenes.render(read_caption(text)))


def test_different_scenes_have_different_captions_and_pictures() -> None:
    rng = Random(4)
    drawn = {scenes.draw_scene(rng, 4) for _ in range(2_000)}
    assert len({scenes.caption(scene) for scene in drawn}) == len(drawn)
    assert len({scenes.render(scene).tobytes() for scene in drawn}) == len(drawn)


def test_all_colours_of_the_palette_are_far_apart() -> None:
    colours = scenes.palette()
    assert len(colours) == len(COLOURS) + len(GROUNDS)
    for (a, first), (b, second) in combinations(colours.items(), 2):
        assert np.linalg.norm(np.subtract(first, second)) >= 90, (a, b)


@pytest.mark.parametrize("size", [32, 64])
def test_pictures_contain_only_colours_of_the_palette(size: int) -> None:
    rng = Random(5)
    known = {bytes(colour) for colour in scenes.palette().values()}
    for _ in range(30):
        picture = scenes.render(scenes.draw_scene(rng, 4), size)
        assert picture.shape == (size, size, 3)
        assert {bytes(pixel) for pixel in picture.reshape(-1, 3)} <= known


def test_a_size_that_is_no_multiple_of_32_is_an_error() -> None:
    with pytest.raises(ZooError, match="a multiple of 32"):
        scenes.render(TWO, 48)


def test_large_shapes_have_over_four_times_the_area_of_small_ones() -> None:
    for form in FORMS:
        areas = [
            (scenes.render(Scene("white", (Shape("red", form, s), None, None, None))) != 255).any(-1).sum()
            for s in SIZES
        ]
        assert areas[1] > 4 * areas[0]


def test_single_shape_scenes_have_364_distinct_patches() -> None:
    """A small autoencoder learns patches of 8x8 by heart: there are few of them, and each shape lies on their grid."""
    patches = set()
    for colour in COLOURS:
        for form in FORMS:
            for size in SIZES:
                for ground in GROUNDS:
                    for cell in range(4):
                        scene = Scene(ground, (None,) * 4).with_cell(cell, Shape(colour, form, size))
                        grid = scenes.render(scene).reshape(4, 8, 4, 8, 3).swapaxes(1, 2).reshape(16, -1)
                        patches |= {patch.tobytes() for patch in grid}
    assert len(patches) == 364


def test_instructions_are_short_and_use_fewer_than_90_words(rows: list[Row]) -> None:
    words = Counter(word for row in rows for word in row["instruction"].split())
    assert len(words) < 90
    assert max(len(row["instruction"].split()) for row in rows) <= 16
    assert all(row["instruction"] == row["instruction"].lower() for row in rows)
    assert not [row["instruction"] for row in rows if re.search(r"\ba [aeiou]", row["instruction"])]


def test_every_kind_has_at_least_eight_wordings() -> None:
    assert set(templates.INSTRUCTION_TEMPLATES) >= set(KINDS) - {"resize"}
    assert all(len(set(texts)) >= 8 for texts in templates.INSTRUCTION_TEMPLATES.values())


def test_no_instruction_means_two_edits_of_one_scene() -> None:
    """No instruction, in any wording, leaves open which edit of a scene it means."""
    scene = Scene("white", (RED, BLUE, Shape("red", "triangle", "small"), None))
    meant: dict[str, Scene] = {}
    for kind in KINDS:
        for edit in edits.possible_edits(scene, kind):
            for seed in range(25):
                instruction = templates.write_instruction(Random(seed), scene, edit)
                assert meant.setdefault(instruction, edit.apply(scene)) == edit.apply(scene), instruction
