"""The absa demo in a browser: pasted reviews, marks, chart and table; corrections; a whole file."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from browsing import DESKTOP, PHONE, Browsed, phone, screen

from instructzoo.absa import demo, prompts, sources
from instructzoo.absa.demo.correction_tab import FILE_NAME
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
"""A review that the scripted predictor answers slowly."""

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
    """A predictor with fixed answers, among them a hallucinated span and an unparseable output."""

    recipe: Recipe = field(default_factory=lambda: recipes.load("absa/bundled-base"))
    scores: dict[str, Any] | None = None
    model: None = None
    notice: str = ""
    labels: dict[str, list[str]] | None = None

    def answer(self, rows: Sequence[Row]) -> list[str]:
        if rows[0]["input"] == SLOW:
            time.sleep(0.5)
        answers = [TRUTH.get(row["input"], []) for row in rows]
        return [a if isinstance(a, str) else prompts.format_answer(a, "asqp") for a in answers]


def open_page(browser: Any, address: str, dark: bool = False) -> Browsed:
    return Browsed(browser, address, "#absa-reviews textarea", dark)


def submit(page: Browsed, reviews: str) -> None:
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
def bundled() -> Iterator[str]:
    domain = domains.get("absa")
    if not domain.has_bundled_model():
        pytest.skip("the package bundles no trained model yet: weights/tiny")
    yield from serve(Predictor.load(domain, domain.bundled_model()))


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_page_opens_with_an_answered_review_in_one_view_with_it(
    chromium: Any, bundled: str, picture: Callable[[str], Path], size: tuple[int, int]
) -> None:
    with screen(chromium, *size):
        page = open_page(chromium, bundled)
        marks = page.texts("#absa-answer mark")
        assert "pizza positive" in marks and "waiter negative" in marks, marks
        review, button, row = "#absa-reviews textarea", "#absa-ask", "#absa-answer table tr:last-child"
        assert not page.out_of_view(review, button, "#absa-answer .absa-review", row)
        assert page.too_wide() <= 0
        picture(f"absa-demo-{size[0]}")
        assert not page.complaints()


def test_a_click_on_an_example_answers_it(chromium: Any, bundled: str) -> None:
    page = open_page(chromium, bundled)
    page.click_text("#examples button", demo.MADE_UP_EXAMPLES[1])
    page.until("#absa-answer", "keyboard")
    assert page.find("#absa-reviews textarea").get_attribute("value") == demo.MADE_UP_EXAMPLES[1]
    page.click_text("#examples button", "at once")
    page.until("#absa-answer", f"in {len(demo.MADE_UP_EXAMPLES)} reviews")
    assert page.focus_by_keyboard("#absa-reviews textarea") == "solid 3px"
    page.tab("Correct")
    page.choose("#absa-review", demo.MADE_UP_EXAMPLES[2])
    assert not page.complaints()


def test_another_model_answers_the_same_review_once_it_is_chosen(
    chromium: Any, scripted: str, picture: Callable[[str], Path]
) -> None:
    page = open_page(chromium, scripted)
    submit(page, "The battery is dependable.")
    page.until("#absa-answer", "No opinion found.")
    page.choose("#model", "tiny")
    page.until("#knows", "made-up")
    page.until("#absa-answer", "1 positive")
    assert "battery positive" in page.texts("#absa-answer mark")
    page.click("#card button")
    page.until("#card", "from scratch")
    picture("absa-switched")
    assert not page.complaints()


def test_the_card_names_data_licence_and_scores_and_no_path(chromium: Any, bundled: str) -> None:
    page = open_page(chromium, bundled)
    page.click("#card button")
    shown = page.until("#card", "95% interval")
    assert "runs/" not in shown and "Not for" in shown, shown


def test_judgements_are_shown_as_marks_counts_bars_and_table(
    chromium: Any, scripted: str, picture: Callable[[str], Path]
) -> None:
    page = open_page(chromium, scripted)
    submit(page, "\n".join(TRUTH))
    shown = page.until("#absa-answer", "in 5 reviews")
    assert page.texts("#absa-answer mark") == [
        "pizza positive", "delicious opinion", "waiter negative", "rude opinion",
        "Overpriced negative opinion", "no opinion", "taste negative",
        "average opinion", "pizza neutral",
        "Lovely opinion", "wine positive",
    ]  # fmt: skip
    for expected in (
        "3 positive", "3 negative", "1 neutral", "2 phrases not in the text", "1 unreadable answer",
        "Judged without being named: restaurant, prices", "Not in the text: “beer”, “cold”",
    ):  # fmt: skip
        assert expected in " ".join(shown.split()), (expected, shown)
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
    page = open_page(chromium, scripted)
    submit(page, REVIEW)
    page.until("#absa-answer", "Opinions")
    table = page.save("#absa-csv", tmp_path / "saved", "judgements.csv")
    rows = list(csv.DictReader(table.open(encoding="utf-8-sig", newline="")))
    assert [(row["aspect"], row["sentiment"]) for row in rows] == [("pizza", "positive"), ("waiter", "negative")]
    objects = page.save("#absa-json", tmp_path / "saved", "judgements.json")
    (value,) = json.loads(objects.read_text(encoding="utf-8"))
    assert value["text"] == REVIEW and value["quads"][1]["opinion_at"] == [43, 47]


@pytest.mark.parametrize(
    ("pasted", "line"),
    [("   ", "Paste one review per line."), ("?!", "There is no word in it."),
     ("<script>document.title = 1</script>", "No opinion found.")],
    ids=["blank", "no word", "html"],
)  # fmt: skip
def test_bad_input_gets_a_message_and_html_does_not_run(chromium: Any, scripted: str, pasted: str, line: str) -> None:
    page = open_page(chromium, scripted)
    submit(page, pasted)
    page.until("#absa-answer", line)
    assert chromium.title.startswith("instructzoo")
    assert not page.complaints()


def edit_cell(page: Browsed, row: int, column: int, text: str) -> None:
    """Edit a cell of the table as a user does: double click, type the text, press Enter."""
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
    page = open_page(chromium, scripted)
    submit(page, f"Lovely wine.\n{REVIEW}")
    page.until("#absa-answer", "in 2 reviews")
    page.tab("Correct")
    page.choose("#absa-review", REVIEW)
    page.until("#absa-table", "delicious")
    edit_cell(page, 0, 3, "happy")
    page.click("#absa-keep")
    page.until("#absa-message", 'not saved row 1: no sentiment "happy"')
    edit_cell(page, 0, 3, "neutral")
    page.type("#absa-opinion textarea, #absa-opinion input", "rude")
    page.choose("#absa-category", "RESTAURANT#GENERAL")
    page.choose("#absa-sentiment", "negative")
    page.click("#absa-add")
    page.until("#absa-table", "RESTAURANT#GENERAL")
    page.click("#absa-keep")
    page.until("#absa-message", "✓ saved")
    page.until("#absa-saved", "1 text saved, 3 opinions")
    picture("absa-correct")
    path = page.save("#absa-download", tmp_path / "saved", FILE_NAME)
    ((_, row),) = list(sources.gold(path, "asqp") or ())
    assert row["input"] == REVIEW
    assert from_json(row["gold"]) == [
        Quad("pizza", "FOOD#QUALITY", "delicious", "neutral"),
        Quad("waiter", "SERVICE#GENERAL", "rude", "negative"),
        Quad(None, "RESTAURANT#GENERAL", "rude", "negative"),
    ]
    page.click("#absa-undo")
    page.until("#absa-saved", "Nothing is saved yet.")
    assert not page.complaints()


def test_a_bad_line_of_a_file_is_an_error_of_its_own_only(
    chromium: Any, scripted: str, picture: Callable[[str], Path], tmp_path: Path
) -> None:
    source = tmp_path / "reviews.jsonl"
    rows = [json.dumps({"text": REVIEW, "id": 7}), "{broken", *(json.dumps({"review": text}) for text in TRUTH)]
    source.write_text("\n".join(rows), encoding="utf-8")
    page = open_page(chromium, scripted)
    page.tab("A file")
    page.send("#absa-source", source)
    page.click("#absa-ask-all")
    shown = page.until("#absa-summary", "in 7 reviews")
    assert "1 not analysed" in shown and "line 2" in shown and "Malformed JSON" in shown
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
    page = open_page(chromium, scripted)
    page.tab("A file")
    page.send("#absa-source", source)
    page.click("#absa-ask-all")
    page.until("#absa-summary", "reviews analysed,")
    page.click("#absa-stop")
    page.until("#absa-summary", "Stopped; nothing is saved.")
    time.sleep(1.5)
    assert page.texts("#absa-summary") == ["Stopped; nothing is saved."]
    assert not [e for e in page.all("#absa-file-csv") if e.is_displayed()]


def test_the_page_sends_no_request_to_another_machine(chromium: Any, scripted: str) -> None:
    page = open_page(chromium, scripted)
    submit(page, REVIEW)
    page.until("#absa-answer", "Opinions")
    assert not page.foreign()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_page_fits_a_phone_and_marks_have_contrast_in_both_themes(
    chromium: Any, scripted: str, picture: Callable[[str], Path], dark: bool
) -> None:
    with phone(chromium):
        page = open_page(chromium, scripted, dark)
        submit(page, "\n".join(TRUTH))
        page.until("#absa-answer", "in 5 reviews")
        picture(f"absa-phone-{'dark' if dark else 'light'}")
        assert page.too_wide() <= 0
        card = page.find("#absa-answer .zoo-card").rect
        for bar in (e.rect for e in page.all("#absa-answer .absa-bars > *")):
            assert bar["x"] + bar["width"] <= card["x"] + card["width"]
        mark, label = "#absa-answer mark:not(.soft)", "#absa-answer mark:not(.soft) .zoo-label"
        for css in (mark, label):
            assert abs(page.light(css, "color") - page.light(css, "background-color")) > 90, css
        assert not page.faint_texts()
        page.tab("Correct")
        page.find("#absa-table")
        picture(f"absa-phone-correct-{'dark' if dark else 'light'}")
        assert page.too_wide() <= 0
