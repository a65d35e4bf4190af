"""The demo without a browser: requests, displays, error messages and saved files."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from html import unescape
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest
from PIL import Image

from instructzoo.core.errors import ZooError
from instructzoo.core.recipe import Recipe
from instructzoo.core.record import Row
from instructzoo.core.ui.files import ResultFolders
from instructzoo.pix2pix import demo, edit_request, images, world
from instructzoo.pix2pix.demo import (
    batch_editing,
    batch_tab,
    edit_history,
    edit_tab,
    guidance_tab,
    rendering,
    thumbnails,
    variations,
)
from instructzoo.pix2pix.edit_request import EditResult, EditSettings
from instructzoo.pix2pix.images import Pixels

BAD = "<img src=x onerror=alert(1)>"
USUAL = (4.0, 1.5, 10, 0)
RECIPE = Recipe.model_validate({"domain": "pix2pix", "model": {"backbone": "scripted"}})


@dataclass(frozen=True)
class Scripted:
    """A predictor that returns negatives, the brighter the higher the seed; says nothing to "hush", refuses "no"."""

    sampling: EditSettings = field(default_factory=lambda: EditSettings(*USUAL))
    resolution: int = 32
    recipe: Recipe = RECIPE
    scores: dict[str, Any] | None = None
    model: None = None
    notice: str = ""
    requests: list[tuple[str, EditSettings]] = field(default_factory=list)
    blocks: list[int] = field(default_factory=list)

    def sampled(self, **values: Any) -> Scripted:
        return replace(self, sampling=replace(self.sampling, **values))

    def answer(self, rows: Sequence[Row]) -> list[str]:
        if any(row["instruction"] == "no" for row in rows):
            raise ZooError("the instruction takes 99 tokens", "at most 16", "shorten it")
        self.blocks.append(len(rows))
        self.requests.extend((row["instruction"], self.sampling) for row in rows)
        return ["" if row["instruction"] == "hush" else self._edit(row) for row in rows]

    def _edit(self, row: Row) -> str:
        before = images.read(row["image"])
        negative = 255 - before.astype(np.int64) + self.sampling.seed
        return row["image"] if row["instruction"] == "keep" else images.to_uri(negative.clip(0, 255).astype(np.uint8))


def plain(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def put(folder: Path, name: str, size: tuple[int, int] = (32, 32), mode: str = "RGB", **how: Any) -> dict[str, Any]:
    """A picture as the page sends it."""
    Image.new(mode, size, how.pop("colour", "navy")).save(folder / name, **how)
    return {"path": str(folder / name), "url": "http://elsewhere/x.png", "orig_name": name}


def edit_result(before: Pixels, after: Pixels) -> EditResult:
    return EditResult(before, after, "make it red", EditSettings(*USUAL))


def grey(value: int, size: tuple[int, int] = (32, 32)) -> Pixels:
    return np.full((size[1], size[0], 3), value, np.uint8)


# requests


def test_demo_rows_have_the_form_of_training_rows() -> None:
    (trained,) = world.generate(1, 0, "test")
    row = edit_request.make_row(images.read(trained["image"]), trained["instruction"])
    assert set(row) == set(trained) and all(isinstance(value, str) for value in row.values())
    assert (row["image"], row["instruction"]) == (trained["image"], trained["instruction"])


def test_an_edit_uses_the_settings_that_are_shown(tmp_path: Path) -> None:
    predictor = Scripted()
    html, edited = edit_tab.edit_once(predictor, put(tmp_path, "a.png"), " make  it\nred ", 7.5, 1.2, 20, 3)
    assert predictor.requests == [("make it red", EditSettings(7.5, 1.2, 20, 3))]
    assert "text guidance 7.5, image guidance 1.2, 20 steps, seed 3" in plain(html)
    assert edited is not None and (edited.after == (255, 255, 130)).all()


def test_model_settings_are_clamped_to_the_ranges_of_the_page() -> None:
    assert EditSettings.from_sampling(EditSettings(*USUAL)) == EditSettings(*USUAL)
    assert EditSettings.from_sampling(EditSettings(0.0, 50.0, 1000, 2**40)) == EditSettings(1.0, 3.0, 100, 2**31 - 1)


def test_transparency_becomes_white_and_exif_orientation_is_applied(tmp_path: Path) -> None:
    clear, _ = edit_request.open_picture(put(tmp_path, "a.png", mode="RGBA", colour=(0, 0, 0, 0))["path"])
    assert (clear == 255).all()
    turned = Image.Exif()
    turned[274] = 6
    pixels, _ = edit_request.open_picture(put(tmp_path, "b.jpg", (40, 20), exif=turned)["path"])
    assert pixels.shape == (40, 20, 3)


def test_a_large_picture_is_shrunk_with_a_notice(tmp_path: Path) -> None:
    predictor = Scripted()
    html, edited = edit_tab.edit_once(predictor, put(tmp_path, "a.png", (3000, 1500)), "make it red", *USUAL)
    assert edited is not None and edited.before.shape == (512, 1024, 3)
    assert "Made smaller: 3,000 × 1,500 pixels to 1,024 × 512." in plain(html)
    assert "The model works with about 32 × 32 pixels, so fine detail is lost." in plain(html)


@pytest.mark.parametrize(
    ("size", "line"),
    [((600, 100), "one side may be at most 4 times the other"), ((4, 4), "it needs at least 8 on each side")],
)
def test_an_unsupported_picture_shape_never_reaches_the_model(tmp_path: Path, size: tuple[int, int], line: str) -> None:
    predictor = Scripted()
    html, edited = edit_tab.edit_once(predictor, put(tmp_path, "a.png", size), "make it red", *USUAL)
    assert line in plain(html) and edited is None and not predictor.requests


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", edit_request.NO_INSTRUCTION), (" \n", edit_request.NO_INSTRUCTION), (None, edit_request.NO_INSTRUCTION),
        ("?!", "There is no word in it."), ("a" * 500, "A text has at most 400 characters here, this one has 500."),
        ("half \ud800", "It holds half of a character pair (U+D800)."),
        ("no", "the instruction takes 99 tokens; expected at most 16; shorten it"),
        ("hush", "The model gave no picture: no picture."),
    ],
)  # fmt: skip
def test_an_invalid_instruction_gets_a_message_and_no_edit(tmp_path: Path, text: Any, line: str) -> None:
    html, edited = edit_tab.edit_once(Scripted(), put(tmp_path, "a.png"), text, *USUAL)
    assert plain(html) == line and edited is None


def test_a_missing_or_unreadable_picture_gets_a_message_without_its_path(tmp_path: Path) -> None:
    for payload in (None, {}, {"path": None}):
        assert plain(edit_tab.edit_once(Scripted(), payload, "make it red", *USUAL)[0]) == edit_request.NO_PICTURE
    (tmp_path / "secret-name.png").write_bytes(b"text")
    html = edit_tab.edit_once(Scripted(), {"path": str(tmp_path / "secret-name.png")}, "make it red", *USUAL)[0]
    assert "This file cannot be read as a picture" in html and str(tmp_path) not in html


@pytest.mark.parametrize(
    ("place", "value", "line"),
    [
        (0, 99.0, "The text guidance is 99; it should be a number from 1 to 10."),
        (1, "2", "The image guidance is none; it should be a number from 1 to 3."),
        (2, 7.5, "The number of steps is 7.5; it should be a whole number from 5 to 100."),
        (3, None, "The seed is none; it should be a whole number from 0 to 2,147,483,647."),
        (3, -1, "The seed is -1; it should be a whole number from 0 to 2,147,483,647."),
        (3, float("nan"), "The seed is nan; it should be a whole number from 0 to 2,147,483,647."),
        (0, True, "The text guidance is none; it should be a number from 1 to 10."),
    ],
)  # fmt: skip
def test_a_setting_out_of_range_gets_a_message_and_no_edit(tmp_path: Path, place: int, value: Any, line: str) -> None:
    values: list[Any] = list(USUAL)
    values[place] = value
    html, edited = edit_tab.edit_once(Scripted(), put(tmp_path, "a.png"), "make it red", *values)
    assert plain(html) == line and edited is None


def test_a_drawn_scene_comes_with_its_instruction() -> None:
    pixels, instruction = edit_tab.draw_scene(Scripted(), 5)
    (row,) = world.generate(1, 5, "test")
    assert instruction == row["instruction"] and (pixels == images.read(row["image"])).all()


# what is shown


def test_a_small_picture_is_enlarged_without_blur() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (32, 24, 3), np.uint8)
    large = rendering.enlarge(pixels)
    assert large.shape == (512, 384, 3) and (large[::16, ::16] == pixels).all() and len(np.unique(large[:16, :16])) <= 3
    assert rendering.enlarge(grey(1, (300, 200))).shape == (200, 300, 3)


def test_the_difference_marks_changed_pixels_only_and_ignores_noise() -> None:
    before, after = grey(200), grey(201)
    after[4, 7] = (200, 120, 200)
    edited = edit_result(before, after)
    assert rendering.changed_fraction(edited) == 1 / 1024
    red = np.argwhere(np.ptp(rendering.difference_map(edited).astype(int), axis=2) > 0)
    assert red.tolist() == [[4, 7]]


def test_an_edit_that_changes_nothing_is_reported(tmp_path: Path) -> None:
    html, edited = edit_tab.edit_once(Scripted(), put(tmp_path, "a.png"), "keep", *USUAL)
    assert "Nothing changed" in plain(html) and edited is not None
    assert "What changed In red: 0% of the pixels changed" in plain(rendering.difference_html(edited))


def test_the_picture_before_is_compared_at_the_size_of_the_one_after() -> None:
    for after in (grey(9, (32, 32)), grey(9, (64, 20)), grey(9, (640, 480))):
        assert rendering.difference_map(edit_result(grey(1, (640, 480)), after)).shape == after.shape
    assert edit_request.match_size(grey(1), grey(2)).max() == 1


def test_small_pictures_are_embedded_losslessly_and_large_ones_shrunk() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    html = rendering.image_html(pixels, "x")
    assert 'class="crisp"' in html and (images.read(re.findall(r'src="([^"]+)"', html)[0]) == pixels).all()
    large = rendering.image_html(grey(3, (900, 600)), "x")
    assert "crisp" not in large and images.read(re.findall(r'src="([^"]+)"', large)[0]).shape == (171, 256, 3)


def test_html_in_instructions_and_rows_is_escaped(tmp_path: Path) -> None:
    text = f"make it {BAD}"
    html, edited = edit_tab.edit_once(Scripted(), put(tmp_path, "a.png"), text, *USUAL)
    assert edited is not None
    batches = [html for html, *_ in sent(tmp_path, [put(tmp_path, "b.png")["path"]], text)]
    (tmp_path / "rows.jsonl").write_text(json.dumps({"image": BAD, "instruction": BAD}))
    batches += [html for html, *_ in sent(tmp_path, [str(tmp_path / "rows.jsonl")], text)]
    seeds = [html for html, _ in variations.edit_with_seeds(Scripted(), put(tmp_path, "a.png"), text, *USUAL)]
    grids = list(guidance_tab.edit_grid(Scripted(), put(tmp_path, "a.png"), text, "1", BAD, 10, 0))
    grids += list(guidance_tab.edit_grid(Scripted(), put(tmp_path, "a.png"), text, "1", "1", 10, 0))
    for each in (html, rendering.difference_html(edited), *batches, *seeds, *grids):
        assert "<img src=x" not in each
    assert "&lt;img" in html


def test_four_successive_seeds_are_shown(tmp_path: Path) -> None:
    *_, (html, edits) = variations.edit_with_seeds(
        Scripted(), put(tmp_path, "a.png"), "make it red", 4.0, 1.5, 10, 2**31 - 3
    )
    assert [result.settings.seed for result in edits] == [2**31 - 3, 2**31 - 2, 0, 1]
    assert "4 of 4 variations" in html
    names = re.findall(r'alt="([^"]+)"', variations.strip_html(edits))
    assert len(names) == 4 and names[2].startswith("seed 0: ")
    assert variations.strip_html([]) == ""
    ((html, edits),) = variations.edit_with_seeds(Scripted(), None, "make it red", *USUAL)
    assert plain(html) == edit_request.NO_PICTURE and not edits


def test_each_new_picture_gets_its_own_display_style_and_note(tmp_path: Path) -> None:
    shown, note = edit_tab.picture_updates(put(tmp_path, "a.png"))
    assert shown["elem_classes"] == ["pix2pix-crisp"] and "value" not in shown
    shown, note = edit_tab.picture_updates(put(tmp_path, "b.png", (2000, 1000)))
    assert shown["elem_classes"] == [] and "Made smaller" in note
    (tmp_path / "c.png").write_bytes(b"no")
    assert "cannot be read" in edit_tab.picture_updates({"path": str(tmp_path / "c.png")})[1]
    edit_tab.picture_updates(None)


def test_a_chain_continues_only_from_its_last_picture() -> None:
    first = edit_result(grey(1), grey(2))
    links = edit_history.append_edit([], first)
    links = edit_history.append_edit(links, edit_result(grey(2), grey(3)))
    assert [int(link.pixels[0, 0, 0]) for link in links] == [1, 2, 3]
    assert [link.instruction for link in links] == [edit_history.FIRST, "make it red", "make it red"]
    other_start = edit_history.append_edit(links, edit_result(grey(7), grey(8)))
    assert [int(link.pixels[0, 0, 0]) for link in other_start] == [7, 8]
    for value in range(3, 40):
        links = edit_history.append_edit(links, edit_result(grey(value), grey(value + 1)))
    assert len(links) == edit_history.MAX_STEPS
    assert re.findall(r'alt="([^"]+)"', edit_history.strip_html(links))[1] == "1. make it red"


@pytest.mark.parametrize("data", [{"index": 2}, {"index": -1}, {"index": "0"}, {}, None])
def test_a_click_on_a_picture_that_is_not_there_is_an_error(data: Any) -> None:
    assert thumbnails.clicked_index(gr.EventData(None, {"index": 1}), 2) == 1
    with pytest.raises(ZooError):
        thumbnails.clicked_index(gr.EventData(None, data), 2)


def test_thumbnails_are_buttons_with_the_names_of_their_pictures() -> None:
    html = thumbnails.strip_html("Steps", [(grey(1), f"1. make it {BAD}"), (grey(2), "2. make it red")])
    assert html.count("<button") == 2 and 'alt="2. make it red"' in html and "<img src=x" not in html


# guidances


def test_grid_pictures_are_made_with_the_guidance_scales_of_their_headers(tmp_path: Path) -> None:
    predictor = Scripted()
    *_, html = guidance_tab.edit_grid(predictor, put(tmp_path, "a.png"), "make it red", "1, 7.5", "1;1.5;2", 10, 3)
    assert [(c.guidance, c.image_guidance) for _, c in predictor.requests] == [
        (1, 1), (7.5, 1), (1, 1.5), (7.5, 1.5), (1, 2), (7.5, 2),
    ]  # fmt: skip
    assert {c.seed for _, c in predictor.requests} == {3} and html.count("<img") == 7
    assert re.findall(r"guidance ([\d.]+)", plain(html)) == ["1", "7.5", "1", "1.5", "2"]


@pytest.mark.parametrize(
    ("texts", "holds", "line"),
    [
        ("", "1", "Write 1 to 4 values of the text guidance"),
        ("1,2,3,4,5", "1", "Write 1 to 4 values of the text guidance"),
        ("1", "many", "The image guidance is no row of numbers"),
        ("1", "9", "The image guidance is 9; it should be a number from 1 to 3."),
        ("nan", "1", "The text guidance is nan"),
    ],
)
def test_invalid_guidance_scales_never_reach_the_model(tmp_path: Path, texts: str, holds: str, line: str) -> None:
    predictor = Scripted()
    (html,) = guidance_tab.edit_grid(predictor, put(tmp_path, "a.png"), "make it red", texts, holds, 10, 0)
    assert line in plain(html) and not predictor.requests


def test_suggested_guidance_scales_stay_in_range() -> None:
    assert guidance_tab.default_values(7.5, edit_request.GUIDANCE) == [1, 7.5, 10]
    assert guidance_tab.default_values(1.0, edit_request.IMAGE_GUIDANCE) == [1, 2]


# what is kept


def test_a_saved_picture_is_lossless_and_records_its_settings(tmp_path: Path) -> None:
    after = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    edited = replace(edit_result(grey(1), after), instruction="färbe “it” red")
    path = rendering.save_png(edited, tmp_path / "edited.png")
    assert (images.read(str(path)) == after).all()
    with Image.open(path) as file:
        metadata = dict(file.text)  # type: ignore[attr-defined]
    assert metadata["Instruction"] == "färbe “it” red" and json.loads(metadata["Settings"])["seed"] == 0
    assert "edited by a model" in metadata["Software"]


def test_an_error_clears_the_last_result() -> None:
    assert edit_tab.result_updates("no", None, ResultFolders())[1:] == (None, rendering.NOTHING_YET, "", None)
    shown = edit_tab.result_updates("yes", edit_result(grey(1), grey(2)), ResultFolders())
    assert "the picture after: make it red" in shown[2] and shown[4].endswith("edited.png")


# many


def sent(folder: Path, paths: Sequence[str], text: str = "make it red") -> Iterator[batch_tab.Progress]:
    target = folder / f"out-{len(list(folder.iterdir()))}"
    target.mkdir()
    return batch_tab.run_batch(Scripted(), paths, text, USUAL, target)


def test_a_bad_picture_of_a_batch_is_an_error_of_its_own_only(tmp_path: Path) -> None:
    (tmp_path / "b.png").write_bytes(b"none")
    paths = [put(tmp_path, "a.png")["path"], str(tmp_path / "b.png"), put(tmp_path, "c.jpg", (40, 40))["path"]]
    *_, (html, archive, lines) = sent(tmp_path, paths)
    assert archive and lines and "2 edited" in html and "1 not edited" in html and "b.png" in html
    results = [json.loads(line) for line in lines.read_text().splitlines()]
    assert [result["number"] for result in results] == [1, 2, 3] and "cannot be read" in results[1]["error"]
    assert results[2]["edited"] == "0003-c.png" and results[2]["guidance"] == 4.0
    with zipfile.ZipFile(archive) as file:
        assert file.namelist() == ["0001-a.png", "0003-c.png", "edits.jsonl"]
        assert file.read("edits.jsonl") == lines.read_bytes()
        assert Image.open(io.BytesIO(file.read("0003-c.png"))).size == (40, 40)


def test_a_refused_edit_of_a_batch_is_an_error_of_its_own_only(tmp_path: Path) -> None:
    uri = images.to_uri(grey(3))
    rows = [{"image": uri, "instruction": text} for text in ("red", "no", "hush", "")] + [{"image": uri}]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows) + '[1]\n{"image": 3}\n')
    *_, (_, _, lines) = sent(tmp_path, [str(tmp_path / "rows.jsonl")], "blue")
    assert lines
    results = [json.loads(line) for line in lines.read_text().splitlines()]
    assert [result["instruction"] for result in results if "edited" in result] == ["red", "blue", "blue"]
    faults = [result["error"] for result in results if "error" in result]
    for wanted, fault in zip(("99 tokens", "no picture", "no object", "both as text"), faults, strict=True):
        assert wanted in fault


def test_rows_cannot_open_files_of_this_machine(tmp_path: Path) -> None:
    secret = put(tmp_path, "secret.png")["path"]
    for name, content in (
        ("a.jsonl", json.dumps({"image": secret, "instruction": "make it red"})),
        ("a.csv", f"image,instruction\n{secret},make it red\n"),
    ):
        (tmp_path / name).write_text(content)
        *_, (html, _, _) = sent(tmp_path, [str(tmp_path / name)])
        assert "No picture is called" in html and "edited</span>" in html and "✓" not in html


def test_rows_in_a_zip_are_matched_to_its_pictures_by_name(tmp_path: Path) -> None:
    put(tmp_path, "a.png")
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.write(tmp_path / "a.png", "one/a.png")
        archive.write(tmp_path / "a.png", "two/a.png")
        archive.write(tmp_path / "a.png", "../../c.png")
        archive.writestr("__MACOSX/._a.png", "x")
        archive.writestr("rows.csv", "image,instruction\none/a.png,red\na.png,green\nc.png,blue\nnone.png,red\n")
    *_, (_, archive_path, lines) = sent(tmp_path, [str(tmp_path / "all.zip")])
    assert lines and archive_path
    results = [json.loads(line) for line in lines.read_text().splitlines()]
    assert [result.get("edited") for result in results] == ["0001-a.png", None, "0003-c.png", None]
    assert "Several pictures are called" in results[1]["error"] and "No picture is called" in results[3]["error"]
    assert not (tmp_path.parent / "c.png").exists()


def test_a_batch_is_edited_in_blocks_and_offered_once_complete(tmp_path: Path) -> None:
    paths = [put(tmp_path, f"{number}.png")["path"] for number in range(20)]
    predictor, target = Scripted(), tmp_path / "out"
    target.mkdir()
    updates = list(batch_tab.run_batch(predictor, paths, "make it red", USUAL, target))
    assert predictor.blocks == [8, 8, 4]
    assert [archive for _, archive, _ in updates[:-1]] == [None] * 4, "a file is offered before it is complete"
    assert "16 of 20 done, 80%" in updates[2][0] and updates[-1][0].count('class="pair"') == batch_editing.MAX_PREVIEWS


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("a.pdf", b"x", '"a.pdf" is none of'),
        ("a.zip", b"no zip", '"a.zip" cannot be unpacked'),
        ("a.jsonl", b"\n", "There is no picture and no row"),
        ("a.csv", b"", "There is no picture and no row"),
        ("a.jsonl", b"{}\n" * 201, "201 edits; this page does 200 at a time."),
    ],
)
def test_an_unusable_batch_gets_a_message(tmp_path: Path, name: str, content: bytes, line: str) -> None:
    (tmp_path / name).write_bytes(content)
    ((html, archive, lines),) = sent(tmp_path, [str(tmp_path / name)])
    assert line in plain(html) and archive is lines is None
    assert list(sent(tmp_path, [])) == [(batch_tab.NO_FILE, None, None)]


def test_a_zip_member_above_20_mb_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.png", bytes(batch_editing.MAX_BYTES + 1))
    ((html, *_),) = sent(tmp_path, [str(tmp_path / "a.zip")])
    assert '"a.png" has more than 20 MB.' in plain(html)


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    paths = [put(tmp_path, "a.png")["path"], put(tmp_path / "x", "a.png")["path"]]
    ((html, *_),) = sent(tmp_path, paths)
    assert plain(html) == 'Two files are called "a.png"; rename one.'


# the page


def test_the_card_states_the_limits_of_the_training_data() -> None:
    limits = dict(demo.limits(RECIPE, 32))
    assert (
        "recolour" in limits["Edits"]
        and "32 × 32" in limits["Edits"]
        and "photographs come back spoilt" in limits["Limits"]
    )
    few = RECIPE.model_copy(update={"data": RECIPE.data.model_copy(update={"world": {"kinds": ["remove"]}})})
    assert dict(demo.limits(few, 32))["Edits"].startswith("remove; ")
    other = RECIPE.model_copy(update={"data": RECIPE.data.model_copy(update={"sources": ("released",)})})
    assert "shapes" not in dict(demo.limits(other, 256))["Edits"]


def test_the_page_opens_on_an_edit_of_its_first_example() -> None:
    predictor = Scripted()
    pixels, instruction = edit_tab.draw_scene(predictor, edit_tab.EXAMPLES_SEED)
    html, edited = edit_tab.opening(predictor, pixels, instruction, EditSettings(*USUAL))
    assert instruction in plain(html) and edited is not None and (edited.before == pixels).all()
    photos = RECIPE.model_copy(update={"data": RECIPE.data.model_copy(update={"sources": ("released",)})})
    slow = Scripted(recipe=photos)
    assert edit_tab.opening(slow, pixels, instruction, EditSettings(*USUAL)) == (edit_tab.NOT_EDITED, None)
    assert not slow.requests, "minutes pass on a CPU before the page opens"
    refused, nothing = edit_tab.opening(predictor, pixels, "no", EditSettings(*USUAL))
    assert "99 tokens" in plain(refused) and nothing is None, "a model that refuses the example opens no page"


def test_the_page_builds_and_its_api_is_private() -> None:
    page = demo.build(Scripted())
    assert {event.api_visibility for event in page.fns.values()} == {"private"}
