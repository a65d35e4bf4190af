"""Whatever a file holds, its reader gives rows, a count, or a ZooError that names the file; and prints nothing."""

from __future__ import annotations

import contextlib
import io
import json
import random
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from instructzoo.core import ZooError
from instructzoo.core.recipe import Recipe
from instructzoo.pix2pix import images, sources
from instructzoo.pix2pix.data.readers.base import BAD_EXIF, DAMAGED

FORMATS = ("png", "jpeg", "webp", "gif", "bmp")
BAD_EXIF_DATA = b"Exif\0\0II*\0\xff\xff\xff\xff"


def recipe(name: str, path: Path, **options: Any) -> Recipe:
    model = {"backbone": "scratch:unet-1x32", "tokenizer": "bpe"}
    data = {"sources": [name], "path": str(path), "options": options}
    return Recipe.model_validate({"domain": "pix2pix", "name": "t", "data": data, "model": model})


def encoded(number: int, kind: str = "png", **options: Any) -> bytes:
    pixels = np.random.default_rng(number).integers(0, 256, (24, 20, 3)).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, kind, **options)
    return stream.getvalue()


def spoiled(content: bytes) -> bytes:
    """The same length and the same end, other bytes in the middle."""
    middle = len(content) // 2
    return (
        content[: middle - 8] + bytes(255 - byte for byte in content[middle - 8 : middle + 8]) + content[middle + 8 :]
    )


def pair_folder(folder: Path, contents: list[bytes], suffix: str = "png") -> Path:
    """Pairs of pictures: the given ones before, whole ones after."""
    for side in ("before", "after"):
        (folder / side).mkdir(parents=True)
    for number, content in enumerate(contents):
        (folder / "before" / f"{number}.{suffix}").write_bytes(content)
        (folder / "after" / f"{number}.png").write_bytes(encoded(100 + number))
        (folder / "after" / f"{number}.txt").write_text(f"make it darker {number}")
    return folder


@pytest.mark.parametrize("harm", [spoiled, lambda content: content[: len(content) // 2] + content[-12:]])
def test_a_picture_that_is_damaged_in_its_middle_is_an_error_or_left_out_and_counted(
    tmp_path: Path, harm: Callable[[bytes], bytes]
) -> None:
    folder = pair_folder(tmp_path, [encoded(0), harm(encoded(1)), encoded(2)])
    with pytest.raises(ZooError, match=r"1.txt, picture 1.png: cannot read"):
        sources.build(recipe("pairs", folder))
    built = sources.build(recipe("pairs", folder, skip_damaged=True))["train"]
    assert len(built) == 2
    assert f"1 {DAMAGED}" in built.info.description


def test_picture_bytes_in_parquet_that_are_damaged_in_their_middle_are_an_error_or_left_out(tmp_path: Path) -> None:
    before = [encoded(0), spoiled(encoded(1)), encoded(2)]
    texts = [f"make it darker {number}" for number in range(3)]
    columns = {"original_image": before, "edited_image": [encoded(10 + n) for n in range(3)], "edit_prompt": texts}
    pq.write_table(pa.table(columns), tmp_path / "train.parquet")
    with pytest.raises(ZooError, match=r"train.parquet, row 2: cannot read"):
        sources.build(recipe("hub", tmp_path))
    built = sources.build(recipe("hub", tmp_path, skip_damaged=True))["train"]
    assert len(built) == 2
    assert f"1 {DAMAGED}" in built.info.description


@pytest.mark.parametrize("kind", FORMATS)
def test_any_bytes_in_place_of_a_picture_are_pixels_or_an_error_and_print_nothing(kind: str, tmp_path: Path) -> None:
    rng = random.Random(kind)
    whole, path = encoded(7, kind), tmp_path / f"p.{kind}"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(150):
            content = bytearray(whole[: rng.choice((len(whole), rng.randrange(len(whole))))])
            for _ in range(rng.randrange(4) if content else 0):
                content[rng.randrange(len(content))] = rng.randrange(256)
            path.write_bytes(content)
            with contextlib.suppress(ZooError):
                assert images.read(str(path)).shape[2] == 3
            with contextlib.suppress(ZooError):
                assert images.read(
                    images.DATA_URI_PREFIX + f"{kind};base64,{images.base64.b64encode(content).decode()}"
                ).size


@pytest.mark.parametrize(
    "reference", ["~nobody/a.png", "a\0b.png", "x" * 5000, ".", "/", "\ud800.png", "data:image/png;base64,é"]
)
def test_any_path_in_place_of_a_picture_is_an_error_with_its_line(tmp_path: Path, reference: str) -> None:
    line = {"instruction": "make it night", "image": reference, "edited": reference}
    (tmp_path / "rows.jsonl").write_text(json.dumps(line) + "\n")
    with pytest.raises(ZooError, match=r"rows.jsonl:1"):
        sources.build(recipe("table", tmp_path / "rows.jsonl"))


def test_damaged_exif_data_is_counted_and_nothing_is_printed(tmp_path: Path) -> None:
    folder = pair_folder(tmp_path, [encoded(0, "jpeg", exif=BAD_EXIF_DATA), encoded(1, "jpeg")], "jpg")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        built = sources.build(recipe("pairs", folder))["train"]
    assert len(built) == 2
    assert f"1 {BAD_EXIF}" in built.info.description


def test_a_palette_with_transparency_and_a_very_large_picture_print_nothing(tmp_path: Path) -> None:
    palette = Image.open(io.BytesIO(encoded(3))).quantize(8)
    palette.save(tmp_path / "palette.png", transparency=bytes([0, 128] + [255] * 6))
    Image.new("1", (10_000, 9_500)).save(tmp_path / "large.png")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert images.read(str(tmp_path / "palette.png")).shape == (24, 20, 3)
        with pytest.raises(ZooError, match="10000 x 9500 pixels; expected at most 50,000,000"):
            images.read(str(tmp_path / "large.png"))


METADATA = (
    ("original_image", "edited_image", "edit_prompt"),
    ("file_name", "edited_image", "edit_prompt"),
    ("original_file_name", "edited_file_name", "edit_prompt"),
    ("image", "edited", "instruction"),
)


@pytest.mark.parametrize("names", METADATA)
@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_the_columns_of_diffusers_examples_are_read(tmp_path: Path, names: tuple[str, ...], form: str) -> None:
    write_metadata(tmp_path, names, form)
    built = sources.build(recipe("table", tmp_path))["train"]
    assert [row["instruction"] for row in built] == ["make it darker 0", "make it darker 1"]
    assert built[0]["image"] == str(tmp_path / "a" / "0.png")


def test_columns_of_a_table_are_named_by_settings(tmp_path: Path) -> None:
    write_metadata(tmp_path, ("vorher", "nachher", "anweisung"), "csv")
    with pytest.raises(ZooError, match=r'metadata.csv:2: column "vorher"'):
        sources.build(recipe("table", tmp_path))
    options = {"image_column": "vorher", "edited_column": "nachher", "instruction_column": "anweisung"}
    assert len(sources.build(recipe("table", tmp_path, **options))["train"]) == 2


def test_two_columns_of_one_meaning_are_an_error(tmp_path: Path) -> None:
    write_metadata(tmp_path, ("original_image", "edited_image", "edit_prompt"), "jsonl", {"file_name": "a/1.png"})
    with pytest.raises(ZooError, match=r'metadata.jsonl:1: column "file_name"'):
        sources.build(recipe("table", tmp_path))


def write_metadata(folder: Path, names: tuple[str, ...], form: str, more: dict[str, str] | None = None) -> None:
    for number in range(2):
        for side in "ab":
            (folder / side).mkdir(exist_ok=True)
            (folder / side / f"{number}.png").write_bytes(encoded(number + (side == "b") * 10))
    lines = [(f"a/{n}.png", f"b/{n}.png", f"make it darker {n}") for n in range(2)]
    if form == "csv":
        text = "\n".join(",".join(line) for line in [names, *lines])
    else:
        text = "\n".join(json.dumps(dict(zip(names, line, strict=True)) | (more or {})) for line in lines)
    (folder / f"metadata.{form}").write_text(text + "\n")


def test_own_data_is_an_error_that_tells_what_own_data_may_be(tmp_path: Path) -> None:
    with pytest.raises(ZooError, match=r"data.sources: .*pairs: .*before/lake.png.*table: .*photos: "):
        sources.build(recipe("own", tmp_path))


def test_any_text_in_place_of_a_reader_s_files_is_rows_or_an_error_that_names_the_folder(tmp_path: Path) -> None:
    rng = random.Random(0)
    forms = {
        "pairs": ("instructions.csv", "file,instruction\n0.png,make it night\n"),
        "table": ("rows.jsonl", '{"instruction": "a", "image": "before/0.png", "edited": "after/0.png"}\n'),
        "released": ("0/prompt.json", '{"caption": "a", "edit": "b", "output": "c"}'),
    }
    for name, (file, text) in forms.items():
        folder = pair_folder(tmp_path / name, [encoded(0)])
        (folder / "0").mkdir()
        for side in (0, 1):
            (folder / "0" / f"1_{side}.png").write_bytes(encoded(side))
        for attempt in range(60):
            content = bytearray(text.encode())
            for _ in range(rng.randrange(1, 4)):
                place = rng.randrange(len(content) + 1)
                content[place : place + rng.randrange(4)] = rng.choice(
                    (b"\0", b"\xff", b"[", b"{}", b"null", b'"', b",", b"\n", b"1e999", b"\xed\xa0\x80", b"\\ud800")
                )
            (folder / file).write_bytes(content)
            try:
                sources.build(recipe(name, folder))
            except ZooError as error:
                assert name in str(error), (attempt, content)


@pytest.mark.parametrize(
    ("prompt", "seeds", "expected"),
    [
        (b'{"edit": "b\\ud800"}', None, r"prompt.json: malformed JSON"),
        (b'{"edit": "a", "edit": "b"}', None, r"prompt.json: malformed JSON"),
        (b"\xff\xfe", None, r"prompt.json: malformed JSON"),
        (b'{"edit": "a"', None, r"prompt.json:1: malformed JSON"),
        (b"[" * 100_000, None, r"prompt.json: malformed JSON"),
        (b'{"edit": "a"}', b'[["0", ["../1"]]]', r"seeds.json, entry 1: found"),
        (b'{"edit": "a"}', b'[["0", [{}]]]', r"seeds.json, entry 1: found"),
        (b'{"edit": "a"}', b'[["' + b"x" * 5000 + b'", ["1"]]]', r"seeds.json, entry 1: no xxx"),
        (b'{"edit": "a"}', b'[["../0", ["1"]]]', r"seeds.json, entry 1: found"),
        (b'{"edit": "a"}', b'[["\\u0000", ["1"]]]', r"seeds.json, entry 1: no"),
    ],
)
def test_malformed_files_of_a_released_set_are_errors_with_their_place(
    tmp_path: Path, prompt: bytes, seeds: bytes | None, expected: str
) -> None:
    (tmp_path / "0").mkdir()
    for side in (0, 1):
        (tmp_path / "0" / f"1_{side}.png").write_bytes(encoded(side))
    (tmp_path / "0" / "prompt.json").write_bytes(prompt)
    if seeds is not None:
        (tmp_path / "seeds.json").write_bytes(seeds)
    with pytest.raises(ZooError, match=expected):
        sources.build(recipe("released", tmp_path))


@pytest.mark.parametrize("content", [b"make \xff", b"make \xed\xa0\x80", b"", b" \n"])
def test_an_instruction_file_that_is_no_text_is_an_error_with_its_name(tmp_path: Path, content: bytes) -> None:
    folder = pair_folder(tmp_path, [encoded(0)])
    (folder / "after" / "0.txt").write_bytes(content)
    with pytest.raises(ZooError, match=r"0\.txt"):
        sources.build(recipe("pairs", folder))


@pytest.mark.parametrize("name", [".", "/", "..", "x" * 5000, "a/b/c.png", "*"])
def test_a_line_about_no_picture_is_an_error_with_its_place(tmp_path: Path, name: str) -> None:
    folder = pair_folder(tmp_path, [encoded(0)])
    (folder / "instructions.csv").write_text(f"file,instruction\n{name},make it night\n")
    with pytest.raises(ZooError, match=r"instructions.csv:2"):
        sources.build(recipe("pairs", folder))
