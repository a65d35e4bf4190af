"""The pix2pix demo as a person meets it: draw a scene, edit it, go on from it, compare guidances, send many."""

from __future__ import annotations

import json
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browsing import DESKTOP, PHONE, Browsed, phone, screen
from PIL import Image

from instructzoo.core import domain as domains
from instructzoo.core import infer, ui
from instructzoo.core.errors import ZooError
from instructzoo.core.recipe import Recipe
from instructzoo.core.record import Row
from instructzoo.core.ui import model_choice
from instructzoo.pix2pix import demo, images, world
from instructzoo.pix2pix.demo import edit_tab
from instructzoo.pix2pix.edit_request import EditSettings

pytestmark = pytest.mark.browser

RECIPE = Recipe.model_validate({"domain": "pix2pix", "model": {"backbone": "scripted"}})
ROWS = list(world.generate(12 * edit_tab.N_EXAMPLES, edit_tab.EXAMPLES_SEED, "test"))
TRUTH = {(row["image"], row["instruction"]): row["edited"] for row in ROWS}
SLOW = "wait for it"
"""What the scripted predictor takes its time with."""


@dataclass(frozen=True)
class Scripted:
    """It knows the true edits of some scenes, and mixes them in as guidance goes; other pictures become negatives."""

    sampling: EditSettings = field(default_factory=lambda: EditSettings(4.0, 1.5, 10, 0))
    resolution: int = 32
    recipe: Recipe = RECIPE
    scores: dict[str, Any] | None = None
    model: None = None
    notice: str = ""
    truth: dict[tuple[str, str], str] = field(default_factory=lambda: TRUTH)

    def sampled(self, **values: Any) -> Scripted:
        return replace(self, sampling=replace(self.sampling, **values))

    def answer(self, rows: Sequence[Row]) -> list[str]:
        return [self._one(row) for row in rows]

    def _one(self, row: Row) -> str:
        if len(row["instruction"]) > 200:
            raise ZooError("the instruction takes 99 tokens", "at most 16", "shorten it")
        if row["instruction"] == SLOW:
            time.sleep(0.2)
        before = images.read(row["image"]).astype(np.float32)
        known = self.truth.get((row["image"], row["instruction"]))
        after = images.read(known).astype(np.float32) if known else 255 - before
        share = min(1.0, self.sampling.guidance / (2 * self.sampling.image_guidance))
        noise = np.random.default_rng(self.sampling.seed).normal(0, 2, before.shape)
        return images.to_uri((before + share * (after - before) + noise).clip(0, 255).astype(np.uint8))


def opened(browser: Any, address: str, dark: bool = False) -> Browsed:
    return Browsed(browser, address, "#pix2pix-picture img", dark)


def edited(page: Browsed, instruction: str) -> None:
    page.type("#pix2pix-instruction textarea", instruction)
    page.click("#pix2pix-edit")


def put(page: Browsed, path: Path) -> None:
    """A picture in place of the one that is there."""
    page.click("#pix2pix-picture button[aria-label*=emove], #pix2pix-picture button[aria-label*=lear]")
    page.wait.until(lambda _: page.all("#pix2pix-picture input[type=file]"))[0].send_keys(str(path))


def serve(predictor: Any) -> Iterator[str]:
    blocks = demo.build(predictor)
    yield ui.launch(blocks, wait=False)
    blocks.close()


@pytest.fixture(scope="module")
def scripted() -> Iterator[str]:
    yield from serve(Scripted())


@pytest.fixture(scope="module")
def bundled() -> Iterator[str]:
    domain = domains.get("pix2pix")
    if not domain.has_bundled_model():
        pytest.skip("the package bundles no trained model yet: weights/")
    yield from serve(infer.load(domain, domain.bundled_model()))


def test_an_edit_is_shown_with_its_settings_and_can_be_saved(
    chromium: Any, scripted: str, picture: Callable[[str], Path], tmp_path: Path
) -> None:
    page = opened(chromium, scripted)
    page.click("#pix2pix-edit")
    page.until("#pix2pix-edit-info", ROWS[0]["instruction"])
    page.until("#pix2pix-edit-info", "text guidance 4, image guidance 1.5, 10 steps, seed 0")
    page.until("#pix2pix-difference", "of the pixels changed")
    assert page.find("#pix2pix-result img").get_attribute("alt") == f"the picture after: {ROWS[0]['instruction']}"
    picture("pix2pix-demo")
    saved = page.save("#pix2pix-save", tmp_path / "saved", "edited.png")
    with Image.open(saved) as file:
        assert file.size == (32, 32) and file.text["Instruction"] == ROWS[0]["instruction"]  # type: ignore[attr-defined]
    assert not page.complaints()


def test_small_pictures_are_shown_large_and_pixelated(chromium: Any, scripted: str) -> None:
    page = opened(chromium, scripted)
    shown = page.find("#pix2pix-picture img")
    page.wait.until(lambda _: shown.rect["width"] > 200)
    assert shown.value_of_css_property("image-rendering") == "pixelated"


def test_edits_can_be_chained_and_undone(chromium: Any, scripted: str, picture: Callable[[str], Path]) -> None:
    page = opened(chromium, scripted)
    page.click("#pix2pix-edit")
    page.until("#pix2pix-edit-info", ROWS[0]["instruction"])
    page.click("#pix2pix-go-on")
    page.until("#pix2pix-chain", f"1. {ROWS[0]['instruction']}")
    edited(page, "turn it round")
    page.until("#pix2pix-edit-info", "turn it round")
    page.click("#pix2pix-go-on")
    page.until("#pix2pix-chain", "2. turn it round")
    picture("pix2pix-chain")
    page.click("#pix2pix-chain button")
    page.wait.until(lambda _: "2. turn" not in page.find("#pix2pix-chain").text)
    assert not page.complaints()


def test_a_seed_can_be_chosen_from_the_strip_or_at_random(
    chromium: Any, scripted: str, picture: Callable[[str], Path]
) -> None:
    page = opened(chromium, scripted)
    page.click("#pix2pix-seeds")
    page.until("#pix2pix-strip", "seed 3")
    picture("pix2pix-seeds")
    for place in (3, 2):
        page.all("#pix2pix-strip button")[place].click()
        page.until("#pix2pix-edit-info", f"seed {place}")
    page.click("#pix2pix-settings button")
    page.click("#pix2pix-random")
    page.wait.until(lambda _: page.find("#pix2pix-seed input").get_attribute("value") not in ("0", "2"))
    assert not page.complaints()


@pytest.mark.parametrize(
    ("instruction", "line"),
    [
        ("", "There is no instruction"),
        ("?!", "There is no word in it."),
        ("a" * 300, "99 tokens"),
        ("<script>document.title = 1</script>", "<script>document.title = 1</script>"),
    ],
    ids=["blank", "no word", "long", "html"],
)
def test_bad_input_gets_a_message_and_html_does_not_run(
    chromium: Any, scripted: str, instruction: str, line: str
) -> None:
    page = opened(chromium, scripted)
    edited(page, instruction)
    page.until("#pix2pix-edit-info", line)
    assert chromium.title.startswith("instructzoo")
    assert not page.complaints()


@pytest.mark.parametrize(
    ("name", "line"),
    [("broken.png", "cannot be read as a picture"), ("long.png", "at most 4 times"), ("huge.png", "Made smaller")],
)
def test_an_unsuitable_picture_gets_a_message(
    chromium: Any, scripted: str, tmp_path: Path, name: str, line: str
) -> None:
    path = tmp_path / name
    if name == "broken.png":
        path.write_bytes(b"no picture at all")
    else:
        Image.new("RGB", (1600, 100) if name == "long.png" else (1600, 1200), "navy").save(path)
    page = opened(chromium, scripted)
    put(page, path)
    page.until("#pix2pix-edit-info", line)


def test_a_new_scene_can_be_drawn_and_edited(chromium: Any, scripted: str) -> None:
    page = opened(chromium, scripted)
    before = page.find("#pix2pix-picture img").get_attribute("src")
    result = page.find("#pix2pix-result img").get_attribute("src")
    page.click("#pix2pix-draw")
    page.wait.until(lambda _: page.find("#pix2pix-picture img").get_attribute("src") != before)
    page.wait.until(lambda _: page.find("#pix2pix-result img").get_attribute("src") != result)
    assert not page.complaints()


def test_guidance_scales_can_be_compared_in_a_grid(
    chromium: Any, scripted: str, picture: Callable[[str], Path]
) -> None:
    page = opened(chromium, scripted)
    page.tab("Compare")
    page.click("#pix2pix-grid-run")
    page.wait.until(lambda _: len(page.all("#pix2pix-grid img")) == 10)
    picture("pix2pix-grid")
    page.type("#pix2pix-grid-text-scales textarea, #pix2pix-grid-text-scales input", "1, many")
    page.click("#pix2pix-grid-run")
    page.until("#pix2pix-grid", "no row of numbers")
    assert not page.complaints()


def test_a_bad_row_of_a_batch_is_an_error_of_its_own_only(
    chromium: Any, scripted: str, picture: Callable[[str], Path], tmp_path: Path
) -> None:
    source = tmp_path / "rows.jsonl"
    rows = [json.dumps({"image": row["image"], "instruction": row["instruction"]}) for row in ROWS[:6]]
    source.write_text("\n".join([*rows, "{broken"]), encoding="utf-8")
    page = opened(chromium, scripted)
    page.tab("Many")
    page.send("#pix2pix-files", source)
    page.click("#pix2pix-many-run")
    shown = page.until("#pix2pix-summary", "6 edited")
    assert "1 not edited" in shown and "Malformed JSON" in shown
    picture("pix2pix-many")
    saved = page.save("#pix2pix-jsonl", tmp_path / "saved", "edits.jsonl")
    assert len(saved.read_text(encoding="utf-8").splitlines()) == 7
    with zipfile.ZipFile(page.save("#pix2pix-zip", tmp_path / "saved", "edits.zip")) as archive:
        assert len(archive.namelist()) == 7
    assert not page.complaints()


def test_a_running_batch_can_be_stopped(chromium: Any, scripted: str, tmp_path: Path) -> None:
    source = tmp_path / "rows.jsonl"
    source.write_text(f"{json.dumps({'image': ROWS[0]['image'], 'instruction': SLOW})}\n" * 200, encoding="utf-8")
    page = opened(chromium, scripted)
    page.tab("Many")
    page.send("#pix2pix-files", source)
    page.click("#pix2pix-many-run")
    page.until("#pix2pix-summary", "of 200 done")
    page.click("#pix2pix-stop")
    page.until("#pix2pix-summary", "Stopped; nothing is saved.")


def test_the_page_sends_no_request_to_another_machine(chromium: Any, scripted: str) -> None:
    page = opened(chromium, scripted)
    page.click("#pix2pix-edit")
    page.until("#pix2pix-edit-info", ROWS[0]["instruction"])
    assert not page.foreign()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_page_fits_a_phone_in_both_themes(
    chromium: Any, scripted: str, picture: Callable[[str], Path], dark: bool
) -> None:
    with phone(chromium):
        page = opened(chromium, scripted, dark)
        page.click("#pix2pix-edit")
        page.until("#pix2pix-difference", "of the pixels changed")
        picture(f"pix2pix-phone-{'dark' if dark else 'light'}")
        assert page.too_wide() <= 0
        page.tab("Compare")
        page.click("#pix2pix-grid-run")
        page.wait.until(lambda _: len(page.all("#pix2pix-grid img")) == 10)
        picture(f"pix2pix-phone-grid-{'dark' if dark else 'light'}")
        assert page.too_wide() <= 0


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_page_opens_with_a_picture_before_and_after_in_one_view(
    chromium: Any, bundled: str, picture: Callable[[str], Path], size: tuple[int, int]
) -> None:
    with screen(chromium, *size):
        page = opened(chromium, bundled)
        page.wait.until(lambda _: page.find("#pix2pix-picture img").rect["width"] > 100)
        picture(f"pix2pix-first-view-{size[0]}")
        assert not page.out_of_view(
            "#knows", "#pix2pix-instruction textarea", "#pix2pix-edit", "#pix2pix-picture img", "#pix2pix-result img"
        )
        before, after = (page.find(f"#pix2pix-{name} img").rect for name in ("picture", "result"))
        assert abs(before["y"] - after["y"]) < 5 and abs(before["width"] - after["width"]) < 5
        assert page.too_wide() <= 0
        assert not page.complaints()


def test_a_click_on_an_example_edits_it(chromium: Any, bundled: str) -> None:
    page = opened(chromium, bundled)
    example = page.find("#pix2pix-examples button")
    name = example.find_element("css selector", "img").get_attribute("alt")
    example.click()
    page.until("#pix2pix-edit-info", name)
    page.until("#pix2pix-difference", "of the pixels changed")
    assert page.find("#pix2pix-instruction textarea").get_attribute("value") == name
    assert not page.complaints()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_text_can_be_read_and_the_keyboard_is_followed(chromium: Any, bundled: str, dark: bool) -> None:
    page = opened(chromium, bundled, dark)
    page.click("#card button")
    page.until("#card", "95% interval")
    assert not page.faint_texts()
    page.type("#pix2pix-instruction textarea", "")
    assert not page.faint_texts()
    assert not page.unmarked_by_focus(12)


def test_a_slow_model_that_is_chosen_waits_for_the_button_with_its_own_settings(
    chromium: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos = RECIPE.model_copy(update={"data": RECIPE.data.model_copy(update={"sources": ("released",)})})
    editor = Scripted(EditSettings(7.5, 1.5, 100, 0), 512, photos)
    monkeypatch.setattr(model_choice, "ready_models", lambda domain: ["instruct-pix2pix"])
    monkeypatch.setattr(infer, "open_ready", lambda domain, name: editor)
    blocks = demo.build(Scripted())
    try:
        page = opened(chromium, ui.launch(blocks, wait=False))
        page.choose("#model", "instruct-pix2pix")
        page.until("#pix2pix-edit-info", "Press Edit.")
        page.click("#pix2pix-edit")
        page.until("#pix2pix-edit-info", "text guidance 7.5, image guidance 1.5, 100 steps, seed 0")
        assert not page.complaints()
    finally:
        blocks.close()


def test_what_a_file_may_be_is_said_beside_the_upload(chromium: Any, scripted: str) -> None:
    page = opened(chromium, scripted)
    page.until(".pix2pix-area-before", "at most 5 MB")


def test_the_bundled_model_and_what_to_know_of_it_are_shown(chromium: Any, bundled: str) -> None:
    page = opened(chromium, bundled)
    page.until("#pix2pix-difference", "of the pixels changed")
    page.click("#card button")
    page.until("#card", "95% interval")
    assert str(domains.get("pix2pix").folder()) not in page.find("#card").text
    assert not page.complaints()
