"""Both pictures of a pair get the same crop, texts about sides are never mirrored, and answers are not cropped."""

from __future__ import annotations

import numpy as np
import pytest

from instructzoo.core.errors import ZooError
from instructzoo.pix2pix.data import image_transforms
from instructzoo.pix2pix.images import Pixels


def coded(height: int, width: int) -> Pixels:
    """A picture whose red tells the column, and green the row, both from 0 to 255."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[..., 0] = np.linspace(0, 255, width).round()
    pixels[..., 1] = np.linspace(0, 255, height).round()[:, None]
    return pixels


def test_buckets_are_multiples_near_the_area_of_the_resolution() -> None:
    for resolution, multiple in ((32, 8), (256, 8), (256, 64), (512, 64), (500, 8)):
        sizes = image_transforms.buckets(resolution, multiple)
        assert image_transforms.nearest_bucket(100, 100, resolution, multiple, square=True) in sizes
        assert {(w, h) for h, w in sizes} == set(sizes)
        for height, width in sizes:
            assert height % multiple == width % multiple == 0
            assert 0.5 <= height / width <= 2
            assert 0.7 < height * width / resolution**2 < 1.35, (resolution, multiple, height, width)


def test_a_picture_gets_the_bucket_of_nearest_shape() -> None:
    assert image_transforms.nearest_bucket(32, 32, 32) == (32, 32)
    assert image_transforms.nearest_bucket(256, 256, 256) == (256, 256)
    height, width = image_transforms.nearest_bucket(480, 640, 256)
    assert abs(height / width - 480 / 640) < 0.03
    assert image_transforms.nearest_bucket(10, 1000, 256, 64) == min(
        image_transforms.buckets(256, 64), key=lambda size: size[0] / size[1]
    )
    assert image_transforms.nearest_bucket(480, 640, 256, square=True) == (256, 256)


def test_a_resolution_below_the_multiple_is_an_error() -> None:
    with pytest.raises(ZooError, match="resolution of 4; expected at least 8"):
        image_transforms.buckets(4, 8)


def test_both_pictures_of_a_pair_are_cropped_alike() -> None:
    before = coded(83, 131)
    after = before.copy()
    after[..., 2] = 200
    for offset, zoom in (((0, 0), 1.0), ((0.3, 0.8), 1.125), ((1, 1), 1.5), ((0.5, 0.5), 1.0)):
        one, other = image_transforms.resize_and_crop(before, after, (64, 64), offset, zoom)
        assert one.shape == other.shape == (64, 64, 3)
        assert np.array_equal(one[..., :2], other[..., :2])
        assert np.all(other[..., 2] == 200)


def test_a_crop_lies_where_its_offset_and_zoom_say() -> None:
    wide = coded(64, 128)
    for offset, first in ((0.0, 0), (0.5, 64), (1.0, 127)):
        crop, none = image_transforms.resize_and_crop(wide, None, (64, 64), (0.5, offset))
        assert none is None
        assert abs(int(crop[0, 0, 0]) - first) <= 3
        assert int(crop[0, -1, 0]) - int(crop[0, 0, 0]) == pytest.approx(127, abs=4)
        assert (int(crop[0, 0, 1]), int(crop[-1, 0, 1])) == (0, 255)
    zoomed, _ = image_transforms.resize_and_crop(coded(64, 64), None, (64, 64), (0, 0), zoom=2.0)
    assert zoomed[0, 0].tolist()[:2] == pytest.approx([0, 0], abs=2)
    assert zoomed[-1, -1].tolist()[:2] == pytest.approx([127, 127], abs=4)


def test_a_crop_keeps_the_aspect_ratio() -> None:
    """A step of one pixel in the crop is the same step of the picture along both axes."""
    crop, _ = image_transforms.resize_and_crop(coded(200, 300), None, (64, 64))
    right = (int(crop[32, -1, 0]) - int(crop[32, 0, 0])) / 255 * 300
    down = (int(crop[-1, 32, 1]) - int(crop[0, 32, 1])) / 255 * 200
    assert right == pytest.approx(down, rel=0.03)


def test_a_picture_of_the_right_size_is_unchanged() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (32, 40, 3)).astype(np.uint8)
    before, after = image_transforms.resize_and_crop(pixels, 255 - pixels, (32, 40), (0.1, 0.9))
    assert np.array_equal(before, pixels)
    assert np.array_equal(after, 255 - pixels)
    assert np.array_equal(image_transforms.resize(pixels, (32, 40)), pixels)


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (33, 1), (1, 40_000), (2, 3), (517, 93), (31, 77)])
def test_pictures_of_any_shape_are_framed_and_restored_to_their_size(shape: tuple[int, int]) -> None:
    pixels = coded(*shape)
    size = image_transforms.nearest_bucket(*shape, 64)
    before, after = image_transforms.resize_and_crop(pixels, pixels, size, (0.9, 0.1), 1.1)
    assert before.shape == after.shape == (*size, 3)
    assert np.array_equal(before, after)
    fitted, original = image_transforms.resize_whole(pixels, 64)
    assert original == shape
    assert all(side % 8 == 0 and side for side in fitted.shape[:2])
    assert fitted.shape[0] * fitted.shape[1] <= 1.6 * 64**2
    assert image_transforms.resize(fitted, original).shape == pixels.shape


def test_a_pair_of_two_sizes_or_a_zoom_below_one_is_an_error() -> None:
    with pytest.raises(ZooError, match="4 x 8 pixels, edited one of 8 x 4"):
        image_transforms.resize_and_crop(coded(4, 8), coded(8, 4), (8, 8))
    with pytest.raises(ZooError, match="a zoom of 1 or more"):
        image_transforms.resize_and_crop(coded(8, 8), coded(8, 8), (8, 8), zoom=0.5)


def test_an_answer_is_framed_and_restored_whole() -> None:
    pixels = coded(480, 640)
    fitted, size = image_transforms.resize_whole(pixels, 256, 8)
    assert fitted.shape[:2] == (224, 296) or abs(fitted.shape[0] / fitted.shape[1] - 0.75) < 0.02
    for corner in ((0, 0), (0, -1), (-1, 0), (-1, -1)):
        assert np.abs(fitted[corner].astype(int) - pixels[corner]).max() <= 2
    restored = image_transforms.resize(fitted, size)
    assert restored.shape == pixels.shape
    assert np.abs(restored.astype(int) - pixels).max() <= 3


def test_a_picture_at_the_resolution_is_not_resized() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (32, 32, 3)).astype(np.uint8)
    fitted, size = image_transforms.resize_whole(pixels, 32, 8)
    assert np.array_equal(fitted, pixels)
    assert size == (32, 32)


def test_both_pictures_of_a_pair_are_flipped() -> None:
    before, after = coded(5, 7), 255 - coded(5, 7)
    one, other = image_transforms.flip_pair(before, after)
    assert np.array_equal(one, before[:, ::-1])
    assert np.array_equal(other, after[:, ::-1])
    assert one.flags.c_contiguous


@pytest.mark.parametrize(
    "text",
    [
        "put a dog on the left",
        "the LEFT one",
        "the leftmost tree",
        "on the right-hand side",
        "move it rightwards",
        "the right colour",
        "top-left corner",
        "the topleft one",
        "the upper right",
        "turn it clockwise",
        "counter-clockwise, please",
        "anticlockwise",
        "rotate the wheel",
        "mirror it",
        "she looks in a mirrored wall",
        "flip the picture",
        "add some text",
        "change the letters",
        "handwritten notes",
        "a sign in the street",
        "make it say hello",
        "write hello on it",
        "the number 7",
        "a clock on the wall",
        "at five o'clock",
        "add “hello”",
        'add "hello"',
        "a photo of a poster",
        "ｌｅｆｔ",
    ],
)
def test_texts_about_sides_turns_or_writing_are_not_flippable(text: str) -> None:
    assert not image_transforms.is_flippable(text)
    assert not image_transforms.is_flippable("make it blue", "", text)


@pytest.mark.parametrize(
    "text",
    ["make it brighter", "leftovers on a plate", "an upright piano", "copyright", "make the red circle blue", ""],
)
def test_texts_without_sides_or_writing_are_flippable(text: str) -> None:
    assert image_transforms.is_flippable(text, "a lake by day")
