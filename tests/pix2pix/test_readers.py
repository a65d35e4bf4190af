"""Pictures are inspected without decoding them; examples of one prompt or picture are one item."""

from __future__ import annotations

import base64
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from instructzoo.core.errors import ZooError
from instructzoo.pix2pix import images
from instructzoo.pix2pix.data import readers
from instructzoo.pix2pix.data.readers import SplitExamples
from instructzoo.pix2pix.data.readers.base import EditExample, Tally, inspect_picture, to_reference
from instructzoo.pix2pix.images import Pixels

RNG = np.random.default_rng(0)


def noise(height: int = 6, width: int = 9) -> Pixels:
    return RNG.integers(0, 256, (height, width, 3)).astype(np.uint8)


def uri(height: int = 6, width: int = 9) -> str:
    return images.to_uri(noise(height, width))


def edit(instruction: str, before: str, after: str, input: str = "", **values: str) -> EditExample:
    return EditExample("file:1", instruction, ((before, after),), input, **values)


def items(*edits: EditExample, part: str = "train") -> list[str]:
    (rows,) = readers.build_rows([SplitExamples(part, edits, Tally())])
    return [row["item"] for row in rows]


def save(path: Path, image: Image.Image, **options: object) -> str:
    image.save(path, **options)
    return str(path)


def odd_pictures(folder: Path) -> dict[str, tuple[str, tuple[int, int]]]:
    """References of pictures that editors and cameras write, with height and width as a viewer shows them."""
    rgb = Image.fromarray(noise())
    turned = Image.Exif()
    turned[0x0112] = 6
    layered = Image.fromarray(np.dstack([noise(), np.full((6, 9), 128, np.uint8)]))
    deep = Image.fromarray((np.arange(54, dtype=np.uint16) * 1200).reshape(6, 9))
    return {
        "rgba": (save(folder / "rgba.png", layered), (6, 9)),
        "16 bit": (save(folder / "deep.png", deep), (6, 9)),
        "gray": (save(folder / "gray.png", rgb.convert("L")), (6, 9)),
        "palette": (save(folder / "palette.png", rgb.convert("P")), (6, 9)),
        "cmyk": (save(folder / "cmyk.jpg", rgb.convert("CMYK")), (6, 9)),
        "exif": (save(folder / "exif.jpg", rgb, exif=turned), (9, 6)),
        "exif of png": (save(folder / "exif.png", rgb, exif=turned), (9, 6)),
        "webp": (save(folder / "picture.webp", rgb), (6, 9)),
        "gif": (save(folder / "picture.gif", rgb), (6, 9)),
        "one pixel": (save(folder / "pixel.png", rgb.crop((0, 0, 1, 1))), (1, 1)),
        "misnamed": (save(folder / "misnamed.jpg", rgb, format="PNG"), (6, 9)),
        "uri": (images.to_uri(noise()), (6, 9)),
    }


def test_inspecting_and_reading_a_picture_agree_on_its_size(tmp_path: Path) -> None:
    for name, (reference, size) in odd_pictures(tmp_path).items():
        seen = inspect_picture(reference, "here")
        assert (seen.height, seen.width) == size, name
        assert images.read(reference).shape == (*size, 3), name
        assert seen.digest, name


def test_sixteen_bits_are_scaled_and_transparency_becomes_white(tmp_path: Path) -> None:
    deep = Image.fromarray(np.array([[0, 32_896, 65_535]], np.uint16))
    assert images.read(save(tmp_path / "deep.png", deep))[0, :, 0].tolist() == [0, 128, 255]
    clear = Image.fromarray(np.array([[[255, 0, 0, 0], [255, 0, 0, 255]]], np.uint8))
    assert images.read(save(tmp_path / "clear.png", clear))[0].tolist() == [[255, 255, 255], [255, 0, 0]]


def test_a_file_and_its_data_uri_have_the_same_digest(tmp_path: Path) -> None:
    for height, width in ((5, 5), (150, 160)):  # below and above the bytes that are hashed whole
        path = tmp_path / f"{height}.png"
        path.write_bytes(images.encode(noise(height, width)))
        assert inspect_picture(str(path), "").digest == inspect_picture(to_reference(path.read_bytes(), ""), "").digest


def test_picture_bytes_are_unchanged_in_a_data_uri() -> None:
    for kind in ("png", "jpeg", "webp"):
        stream = io.BytesIO()
        Image.fromarray(noise()).save(stream, kind)
        reference = to_reference(stream.getvalue(), "here")
        head, _, body = reference.partition(",")
        assert head == f"data:image/{kind};base64"
        assert base64.b64decode(body) == stream.getvalue()
        assert images.read(reference).shape == (6, 9, 3)
    stream = io.BytesIO()
    Image.fromarray(noise()).save(stream, "TIFF")
    with pytest.raises(ZooError, match="row 3: a picture in the format TIFF; expected a PNG"):
        to_reference(stream.getvalue(), "row 3")
    with pytest.raises(ZooError, match="row 3: cannot read the picture"):
        to_reference(b"no picture", "row 3")


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "gif"])
def test_a_truncated_picture_is_an_error_with_its_location_on_inspection(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a-picture-of-a-lake.{suffix}"
    Image.fromarray(noise(40, 40)).save(path)
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(ZooError, match=rf"edits.csv:7, picture a-picture-of-a-lake.{suffix}: .*cannot read"):
        inspect_picture(str(path), "edits.csv:7")


def test_a_trailer_after_the_picture_is_accepted(tmp_path: Path) -> None:
    path = tmp_path / "phone.jpg"
    Image.fromarray(noise()).save(path)
    path.write_bytes(path.read_bytes() + b"\0" * 64)
    assert inspect_picture(str(path), "").height == 6


def test_a_missing_or_unreadable_picture_is_an_error_with_its_location(tmp_path: Path) -> None:
    with pytest.raises(ZooError, match=r"edits.csv:7, picture lake.png: no file"):
        inspect_picture(str(tmp_path / "lake.png"), "edits.csv:7")
    with pytest.raises(ZooError, match=r"edits.jsonl:2: .* is no base64"):
        inspect_picture("data:image/png;base64,x=x", "edits.jsonl:2")
    (tmp_path / "empty.png").write_bytes(b"")
    with pytest.raises(ZooError, match=r"edits.csv:7, picture empty.png: cannot read"):
        inspect_picture(str(tmp_path / "empty.png"), "edits.csv:7")


def test_a_picture_above_the_pixel_limit_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(tmp_path / "large.png", Image.fromarray(noise()))
    monkeypatch.setattr(images, "MAX_PIXELS", 50)
    with pytest.raises(ZooError, match="9 x 6 pixels; expected at most 50"):
        inspect_picture(path, "")


def test_edits_connected_by_a_picture_or_a_caption_share_one_item() -> None:
    a, b, c, d, e, f = (uri() for _ in range(6))
    chain = items(edit("one", a, b), edit("two", a, c), edit("three", c, d), edit("four", e, f))
    assert len(set(chain[:3])) == 1
    assert chain[3] != chain[0]
    captions = items(edit("one", a, b, "a lake"), edit("two", a, c, "a lake"), edit("one", d, e, "A  lake", kind="x"))
    assert len(set(captions)) == 1, "two edits of one picture, and two pictures of one prompt"
    assert captions[0].startswith("prompt ")
    assert len(set(items(edit("one", a, b, "a lake"), edit("one", c, d, "a wood")))) == 2


def test_items_do_not_depend_on_the_order_of_edits() -> None:
    edits = [edit(str(n), uri(), uri(), "a lake" if n % 2 else "") for n in range(6)]
    shared = edit("tie", edits[0].pairs[0][0], edits[3].pairs[0][1])
    assert sorted(items(*edits, shared)) == sorted(items(shared, *reversed(edits)))


def test_an_item_given_by_the_authors_is_kept() -> None:
    blank = uri()
    item_names = items(edit("a circle", blank, uri(), item="1"), edit("a square", blank, uri(), item="2"))
    assert item_names == ["1", "2"]


def test_training_pairs_of_one_prompt_become_variants_of_one_row() -> None:
    """Training takes one pair of a prompt a pass; rows of one text would be dropped as repeats of each other."""
    edits = [edit("make it night", uri(), uri(), "a lake") for _ in range(3)]
    tally = Tally()
    edits[2] = replace(edits[2], id="of its author")
    (rows,) = readers.build_rows([SplitExamples("train", [*edits, edits[1]], tally)])
    assert len(rows) == 1
    assert rows[0]["image"] == edits[0].pairs[0][0]
    assert rows[0]["variants"].count("data:image/png") == 4
    assert tally.counts[readers.GROUPED] == 2
    (kept,) = readers.build_rows([SplitExamples("test", edits, Tally())])
    assert len(kept) == len({row["id"] for row in kept}) == 3, "an evaluation part keeps its rows"
    assert {row["variants"] for row in kept} == {""}
    (apart,) = readers.build_rows(
        [SplitExamples("train", [edit("make it night", uri(), uri()) for _ in range(3)], Tally())]
    )
    assert len(apart) == 3, "without captions another picture is another prompt"


def test_equal_edits_have_equal_ids_and_others_differ() -> None:
    a, b = uri(), uri()
    (rows,) = readers.build_rows(
        [SplitExamples("test", [edit("one", a, b), edit("one", a, b), edit("one", b, a)], Tally())]
    )
    assert rows[0]["id"] == rows[1]["id"] != rows[2]["id"]


def test_a_pair_of_two_sizes_is_an_error_or_skipped_and_counted() -> None:
    pair = edit("make it night", uri(6, 9), uri(6, 8))
    with pytest.raises(ZooError, match="file:1: a picture of 9 x 6 pixels, the edited one of 8 x 6; expected two of"):
        readers.build_rows([SplitExamples("train", [pair], Tally())])
    tally = Tally(skip_errors=True)
    assert readers.build_rows([SplitExamples("train", [pair], tally)]) == [[]]
    assert tally.counts["pairs left out: the two pictures are not of one size"] == 1


def test_exif_orientation_is_applied_before_sizes_are_compared(tmp_path: Path) -> None:
    """A camera's picture lies on its side with a note to turn it; the edited one was saved upright."""
    turned = Image.Exif()
    turned[0x0112] = 8
    before = save(tmp_path / "before.jpg", Image.fromarray(noise(6, 9)), exif=turned)
    after = save(tmp_path / "after.png", Image.fromarray(noise(9, 6)))
    assert len(items(edit("make it night", before, after))) == 1


def test_a_damaged_pair_is_left_out_and_other_pairs_of_its_prompt_stay(tmp_path: Path) -> None:
    good, bad = (uri(), uri()), (str(tmp_path / "1_0.jpg"), uri())
    tally = Tally(skip_errors=True)
    (rows,) = readers.build_rows(
        [SplitExamples("train", [EditExample("p", "one", (bad, good)), EditExample("p", "two", (bad, bad))], tally)]
    )
    assert [(row["image"], row["variants"]) for row in rows] == [(good[0], "")]
    assert tally.counts[readers.UNREADABLE] == 1
    assert tally.counts["pairs left out: a picture is missing or damaged"] == 3


def test_pictures_that_differ_only_in_the_middle_have_two_digests(tmp_path: Path) -> None:
    """BMP has no check sum at its end."""
    digests = []
    for shade in (10, 200):
        pixels = np.zeros((256, 256, 3), np.uint8)
        pixels[100:156, 100:156] = shade
        Image.fromarray(pixels).save(tmp_path / f"{shade}.bmp")
        digests.append(inspect_picture(str(tmp_path / f"{shade}.bmp"), "row 1").digest)
    assert len(set(digests)) == 2
