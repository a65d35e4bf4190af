"""Photo operations do exactly what their instructions say, and the same for the same seed."""

from __future__ import annotations

import numpy as np
import pytest

from instructzoo.pix2pix.data import image_transforms, photo_operations
from instructzoo.pix2pix.data.photo_operations import COLOURS, OPERATIONS, OperationName
from instructzoo.pix2pix.images import Pixels

ALL = tuple(OPERATIONS)


@pytest.fixture(scope="module")
def photo() -> Pixels:
    rng = np.random.default_rng(0)
    return image_transforms.resize(rng.integers(0, 256, (6, 9, 3)).astype(np.uint8), (47, 70))


def apply(name: OperationName, pixels: Pixels, colour: str = "blue") -> Pixels:
    return OPERATIONS[name].apply(pixels, colour)


def test_operations_keep_the_size_the_dtype_and_the_original_photo(photo: Pixels) -> None:
    for shape in ((47, 70), (1, 1), (1, 5), (33, 2)):
        pixels = image_transforms.resize(photo, shape)
        kept = pixels.copy()
        for name in ALL:
            changed = apply(name, pixels)
            assert changed.shape == pixels.shape, name
            assert changed.dtype == np.uint8, name
            assert np.array_equal(pixels, kept), name


def test_operations_do_what_their_names_say(photo: Pixels) -> None:
    assert np.array_equal(apply("brighten", photo), np.rint(photo * 1.5).clip(0, 255))
    assert np.array_equal(apply("darken", photo), np.rint(photo * 0.6))
    assert apply("contrast", photo).std() > photo.std()
    gray = apply("grayscale", photo)
    assert np.array_equal(gray[..., 0], gray[..., 1]) and np.array_equal(gray[..., 1], gray[..., 2])
    assert np.array_equal(apply("invert", apply("invert", photo)), photo)
    assert np.array_equal(apply("flip-horizontal", photo), image_transforms.flip_pair(photo, photo)[0])
    assert np.array_equal(apply("turn", photo), apply("flip-vertical", apply("flip-horizontal", photo)))
    edges = [np.abs(np.diff(pixels.astype(int), axis=1)).mean() for pixels in (photo, apply("blur", photo))]
    assert edges[1] < edges[0]
    inside = photo[12:36, 18:53]
    assert np.abs(apply("crop", photo).mean((0, 1)) - inside.mean((0, 1))).max() < 4


def test_a_tint_mixes_in_half_of_its_named_colour(photo: Pixels) -> None:
    white = np.full((2, 2, 3), 255, np.uint8)
    for colour, values in COLOURS.items():
        tinted = apply("tint", white, colour)
        assert np.array_equal(tinted[0, 0], np.rint((255 + np.array(values)) / 2)), colour


def test_every_wording_belongs_to_one_operation() -> None:
    wordings = [(name, text) for name, operation in OPERATIONS.items() for text in operation.wordings]
    assert len({text for _, text in wordings}) == len(wordings)
    assert all(len(operation.wordings) >= 3 for operation in OPERATIONS.values())
    assert [name for name, text in wordings if "{" in text] == ["tint"] * len(OPERATIONS["tint"].wordings)


def test_edits_are_reproducible_by_seed_and_differ_between_seeds(photo: Pixels) -> None:
    def drawn_edits(key: str) -> list[tuple[str, str]]:
        return [(edit.kind, edit.instruction) for edit in photo_operations.draw_edits(photo, 4, key, ALL)]

    assert drawn_edits("0 a") == drawn_edits("0 a")
    assert len({name for name, _ in drawn_edits("0 a")}) == 4
    assert len({tuple(drawn_edits(f"{seed} a")) for seed in range(5)}) > 1


def test_edits_that_change_nothing_are_not_drawn(photo: Pixels) -> None:
    names: tuple[OperationName, ...] = ("grayscale", "flip-horizontal", "flip-vertical", "turn", "blur", "darken")
    flat = np.full((8, 8, 3), 100, np.uint8)
    assert [edit.kind for edit in photo_operations.draw_edits(flat, 6, "0", names)] == ["darken"]
    edits = list(photo_operations.draw_edits(photo, 6, "0", names))
    assert {edit.kind for edit in edits} == set(names)
    assert all(not np.array_equal(edit.pixels, photo) for edit in edits)


def test_wordings_of_a_horizontal_flip_are_not_flippable() -> None:
    assert not any(image_transforms.is_flippable(text) for text in OPERATIONS["flip-horizontal"].wordings)
