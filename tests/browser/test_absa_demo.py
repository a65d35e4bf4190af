"""The absa demo as a person meets it: paste reviews, see marks, chart and table; correct a judgement; send a file."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from browsing import Browsed, phone

from instructzoo.absa import demo, prompts, sources
from instructzoo.absa.demo.correction_tab import NAME
from instructzoo.absa.schema import Quad, from_json
from instructzoo.core import domain as domains
from instructzoo.core import recipe as recipes
from instructzoo.core import ui
from instructzoo.core.infer import Predictor
from instructzoo.core.recipe import Recipe
from instructzoo.core.record import Row

pytestmark = pytest.mark.browser

REVIEW = "The pizza was delicious but the waiter was rude."
SLOW = "We waited for ages."
"""What the scripted predictor takes its time with."""

TRUTH: dict[str, list[Quad] | str] = {
    REVIEW: [
        Quad("pizza", "FOOD#QUALITY", "delicious", "positive"),
        Quad("waiter", "SERVICE#GENERAL", "rude", "negative"),
    ],
    "Overpriced, and no taste at all.": [
        Quad(None, "RESTAURANT#PRICES", "Overpriced", "negative"),
        Quad("taste", "FOOD#QUALITY", "no", "negative"),
    ],
    "The pizza is an average pizza.": [Quad("pizza", "FOOD#QUALITY", "average", "neutral")],
    "Lovely wine.": [
        Quad("wine", "DRINKS#QUALITY", "Lovely", "positive"),
        Quad("beer", "DRINKS#QUALITY", "cold", "positive"),
    ],
    "Nice music.": "music was nice",
}


@dataclass
class Scripted:
    """A predictor that knows the truth, makes up a span, and once writes no answer: no model's luck in the tests."""

    recipe: Recipe = field(default_factory=lambda: recipes.load("absa/bundled-base"))
    scores: dict[str, Any] | None = None

    def answer(self, rows: Sequence[Row]) -> list[str]:
        if rows[0]["input"] == SLOW:
            time.sleep(0.5)
        found = [TRUTH.get(row["input"], []) for row in rows]
        return [one if isinstance(one, str) else prompts.answer(one, "asqp") for one in found]


def opened(browser: Any, address: str, dark: bool = False) -> Browsed:
    return Browsed(browser, address, "#absa-reviews textarea", dark)


def asked(page: Browsed, reviews: str) -> None:
    page.type("#absa-reviews textarea", reviews)
    page.click("#absa-ask")


def serve(predictor: Any) -> Iterator[str]:
    blocks = demo.build(predictor)
    yield ui.launch(blocks, wait=False)
    blocks.close()


@pytest.fixture(scope="module")
def scripted() -> Iterator[str]:
    yield from serve(Scripted())


@pytest.fixture(scope="module")
def carried() -> Iterator[str]:
    domain = domains.get("absa")
    if not (domain.folder() / "weights" / "model.safetensors").is_file():
        pytest.skip("the package carries no trained model yet: weights/model.safetensors")
    yield from serve(Predictor.load(domain, domain.bundled_model()))


def test_the_bundled_model_marks_a_review(chromium: Any, carried: str, picture: Callable[[str], Path]) -> None:
    page = opened(chromium, carried)
    page.click("#absa-ask")
    page.until("#absa-answer", "Judgements")
    found = page.texts("#absa-answer mark")
    assert "pizza positive" in found and "waiter negative" in found, found
    picture("absa-demo")
    page.click("#absa-card button")
    page.until("#absa-card", "95% interval")
    assert not page.complaints()


def test_judgements_are_shown_as_marks_counts_bars_and_table(
    chromium: Any, scripted: str, picture: Callable[[str], Path]
) -> None:
    page = opened(chromium, scripted)
    asked(page, "\n".join(TRUTH))
    shown = page.until("#absa-answer", "in 5 reviews")
    assert page.texts("#absa-answer mark") == [
        "pizza positive", "delicious opinion", "waiter negative", "rude opinion",
        "Overpriced negative opinion", "no opinion", "taste negative",
        "average opinion", "pizza neutral",
        "Lovely opinion", "wine positive",
    ]  # fmt: skip
    for wanted in (
        "3 positive", "3 negative", "1 neutral", "2 spans not in the text", "1 answer without format",
        "Judged without being named: restaurant, prices", "Not in the text: “beer”, “cold”",
    ):  # fmt: skip
        assert wanted in " ".join(shown.split()), (wanted, shown)
    assert page.texts("#absa-answer .absa-bars .count") == [
        "1 positive, 1 negative, 1 neutral", "2 positive", "1 negative", "1 negative",
    ]  # fmt: skip
    widths = [e.rect["width"] for e in page.all("#absa-answer .absa-bar i")]
    assert len(widths) == 6 and max(widths) < 2.2 * min(widths)
    assert len(page.all("#absa-answer table tr")) == 1 + 7
    chromium.execute_script("window.scrollTo(0, 250)")
    picture("absa-answer")
    assert not page.complaints()


def test_judgements_can_be_saved_as_csv_and_json(chromium: Any, scripted: str, tmp_path: Path) -> None:
    page = opened(chromium, scripted)
    asked(page, REVIEW)
    page.until("#absa-answer", "Judgements")
    table = page.save("#absa-csv", tmp_path / "saved", "judgements.csv")
    rows = list(csv.DictReader(table.open(encoding="utf-8-sig", newline="")))
    assert [(row["aspect"], row["sentiment"]) for row in rows] == [("pizza", "positive"), ("waiter", "negative")]
    objects = page.save("#absa-json", tmp_path / "saved", "judgements.json")
    (value,) = json.loads(objects.read_text(encoding="utf-8"))
    assert value["text"] == REVIEW and value["quads"][1]["opinion_at"] == [43, 47]


@pytest.mark.parametrize(
    ("pasted", "line"),
    [("   ", "Paste one review a line."), ("?!", "There is no word in it."),
     ("<script>document.title = 1</script>", "No judgement found.")],
    ids=["blank", "no word", "html"],
)  # fmt: skip
def test_bad_input_gets_a_message_and_html_does_not_run(chromium: Any, scripted: str, pasted: str, line: str) -> None:
    page = opened(chromium, scripted)
    asked(page, pasted)
    page.until("#absa-answer", line)
    assert chromium.title.startswith("instructzoo")
    assert not page.complaints()


def edited(page: Browsed, row: int, column: int, text: str) -> None:
    """Write into a cell of the table, as a person does: a double click, the text, Enter."""
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    css = f"#absa-table [data-row='{row}'][data-col='{column}']"
    ActionChains(page.browser).double_click(page.find(css)).perform()
    box = page.find(f"{css} textarea, {css} input")
    box.send_keys(Keys.CONTROL, "a")
    box.send_keys(text, Keys.ENTER)
    page.until(css, text)


def test_a_corrected_review_is_saved_as_a_training_row(
    chromium: Any, scripted: str, picture: Callable[[str], Path], tmp_path: Path
) -> None:
    page = opened(chromium, scripted)
    asked(page, f"Lovely wine.\n{REVIEW}")
    page.until("#absa-answer", "in 2 reviews")
    page.tab("Correct")
    page.choose("#absa-take", REVIEW)
    page.until("#absa-table", "delicious")
    edited(page, 0, 3, "happy")
    page.click("#absa-keep")
    page.until("#absa-told", 'not kept row 1: no sentiment "happy"')
    edited(page, 0, 3, "neutral")
    page.type("#absa-opinion textarea, #absa-opinion input", "rude")
    page.choose("#absa-category", "RESTAURANT#GENERAL")
    page.choose("#absa-mood", "negative")
    page.click("#absa-add")
    page.until("#absa-table", "RESTAURANT#GENERAL")
    page.click("#absa-keep")
    page.until("#absa-told", "✓ kept")
    page.until("#absa-kept", "1 text kept, 3 judgements")
    picture("absa-correct")
    path = page.save("#absa-save", tmp_path / "saved", NAME)
    ((_, row),) = list(sources.gold(path, "asqp") or ())
    assert row["input"] == REVIEW
    assert from_json(row["gold"]) == [
        Quad("pizza", "FOOD#QUALITY", "delicious", "neutral"),
        Quad("waiter", "SERVICE#GENERAL", "rude", "negative"),
        Quad(None, "RESTAURANT#GENERAL", "rude", "negative"),
    ]
    page.click("#absa-back")
    page.until("#absa-kept", "Nothing is kept yet.")
    assert not page.complaints()


def test_a_bad_line_of_a_file_is_an_error_of_its_own_only(
    chromium: Any, scripted: str, picture: Callable[[str], Path], tmp_path: Path
) -> None:
    source = tmp_path / "reviews.jsonl"
    rows = [json.dumps({"text": REVIEW, "id": 7}), "{broken", *(json.dumps({"review": text}) for text in TRUTH)]
    source.write_text("\n".join(rows), encoding="utf-8")
    page = opened(chromium, scripted)
    page.tab("A file")
    page.send("#absa-source", source)
    page.click("#absa-ask-all")
    shown = page.until("#absa-summary", "in 7 reviews")
    assert "1 not asked" in shown and "line 2" in shown and "Malformed JSON" in shown
    picture("absa-file")
    saved = page.save("#absa-file-jsonl", tmp_path / "saved", "reviews.judged.jsonl")
    lines = [json.loads(line) for line in saved.read_text(encoding="utf-8").splitlines()]
    assert [line["line"] for line in lines] == [1, 2, 3, 4, 5, 6, 7]
    assert lines[0]["id"] == 7 and len(lines[0]["quads"]) == 2 and "error" in lines[1]
    table = page.save("#absa-file-csv", tmp_path / "saved", "reviews.judged.csv")
    assert len(list(csv.DictReader(table.open(encoding="utf-8-sig", newline="")))) == 2 + 1 + 8
    assert not page.complaints()


def test_a_running_file_shows_progress_and_can_be_stopped(chromium: Any, scripted: str, tmp_path: Path) -> None:
    source = tmp_path / "long.txt"
    source.write_text(f"{SLOW}\n" * 4_000, encoding="utf-8")
    page = opened(chromium, scripted)
    page.tab("A file")
    page.send("#absa-source", source)
    page.click("#absa-ask-all")
    page.until("#absa-summary", "reviews judged,")
    page.click("#absa-stop")
    page.until("#absa-summary", "Stopped; nothing is saved.")
    time.sleep(1.5)
    assert page.texts("#absa-summary") == ["Stopped; nothing is saved."]
    assert not [e for e in page.all("#absa-file-csv") if e.is_displayed()]


def test_the_page_sends_no_request_to_another_machine(chromium: Any, scripted: str) -> None:
    page = opened(chromium, scripted)
    asked(page, REVIEW)
    page.until("#absa-answer", "Judgements")
    assert not page.foreign()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_page_fits_a_phone_and_marks_have_contrast_in_both_themes(
    chromium: Any, scripted: str, picture: Callable[[str], Path], dark: bool
) -> None:
    with phone(chromium):
        page = opened(chromium, scripted, dark)
        asked(page, "\n".join(TRUTH))
        page.until("#absa-answer", "in 5 reviews")
        picture(f"absa-phone-{'dark' if dark else 'light'}")
        assert page.too_wide() <= 0
        card = page.find("#absa-answer .zoo-card").rect
        for bar in (e.rect for e in page.all("#absa-answer .absa-bars > *")):
            assert bar["x"] + bar["width"] <= card["x"] + card["width"]
        mark, label = "#absa-answer mark:not(.soft)", "#absa-answer mark:not(.soft) .zoo-label"
        for css in (mark, label):
            assert abs(page.light(css, "color") - page.light(css, "background-color")) > 90, css
        page.tab("Correct")
        page.find("#absa-table")
        picture(f"absa-phone-correct-{'dark' if dark else 'light'}")
        assert page.too_wide() <= 0
