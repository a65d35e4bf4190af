"""The uie demo as a person meets it: write labels, paste a text, see marks, graph and cards; send a file."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from instructzoo.core import app as apps
from instructzoo.core import recipe as recipes
from instructzoo.core import ui
from instructzoo.core.infer import Predictor
from instructzoo.core.recipe import Recipe
from instructzoo.core.record import Row
from instructzoo.uie import answers, demo, prompts, schema
from instructzoo.uie.schema import Annotation, Event, Mention, Relation

pytestmark = pytest.mark.browser

SECONDS = 60
TEXT = "Mara Quill of Veldt Robotics moved to Port Halden. Veldt Robotics bought Orbis Labs for 3 million dollars."
LIE = "Zed"
"""What the scripted predictor makes up where nothing holds it."""


def mention(type: str, text: str) -> Mention:
    return Mention(type, text, TEXT.find(text), TEXT.find(text) + len(text))


TRUTH = {
    "Mara Quill of Veldt Robotics moved to Port Halden.": Annotation(
        (mention("person", "Mara Quill"), mention("company", "Veldt Robotics"), mention("city", "Port Halden")),
        (
            Relation("works for", mention("", "Mara Quill"), mention("", "Veldt Robotics")),
            Relation("lives in", mention("", "Mara Quill"), mention("", "Port Halden")),
        ),
    ),
    "Veldt Robotics bought Orbis Labs for 3 million dollars.": Annotation(
        (Mention("company", "Veldt Robotics", 0, 14), Mention("company", "Orbis Labs", 22, 32)),
        (Relation("owns", Mention("", "Veldt Robotics", 0, 14), Mention("", "Orbis Labs", 22, 32)),),
        (
            Event(
                "purchase",
                Mention("", "bought", 15, 21),
                (Mention("buyer", "Veldt Robotics", 0, 14), Mention("price", "3 million dollars", 37, 54)),
            ),
        ),
    ),
}


@dataclass(frozen=True)
class Scripted:
    """A predictor that knows the truth of two sentences, and lies where nothing holds it to the text."""

    recipe: Recipe = field(default_factory=lambda: recipes.load("uie/tiny"))
    scores: dict[str, Any] | None = None
    constrained: bool = True

    def held(self, constrained: bool) -> Scripted:
        return replace(self, constrained=constrained)

    def answer(self, rows: Sequence[Row]) -> list[str]:
        return [self._one(row) for row in rows]

    def _one(self, row: Row) -> str:
        if not self.constrained and row["task"] == "ner":
            return f"person: {LIE}"
        found = schema.project(TRUTH.get(row["input"], Annotation()), row["task"], prompts.labels_of(row))
        return answers.write(found, row["task"])


class Page:
    """The open demo; elements are waited for, since every answer is a round trip."""

    def __init__(self, browser: Any, address: str, dark: bool = False) -> None:
        from selenium.webdriver.support.ui import WebDriverWait

        self.browser = browser
        self.wait = WebDriverWait(browser, SECONDS)
        browser.get_log("browser")
        browser.get_log("performance")
        browser.get(f"{address}?__theme={'dark' if dark else 'light'}")
        self.find("#uie-text textarea")

    def find(self, css: str) -> Any:
        return self.wait.until(lambda _: next((e for e in self.all(css) if e.is_displayed()), None))

    def all(self, css: str) -> list[Any]:
        from selenium.webdriver.common.by import By

        return list(self.browser.find_elements(By.CSS_SELECTOR, css))

    def texts(self, css: str) -> list[str]:
        return [" ".join(e.text.split()) for e in self.all(css)]

    def until(self, css: str, wanted: str) -> str:
        """The element's text once it holds `wanted`; fails with what it holds instead."""
        from selenium.common.exceptions import StaleElementReferenceException, TimeoutException

        self.wait._ignored_exceptions = (StaleElementReferenceException,)
        try:
            self.wait.until(lambda _: wanted in self.find(css).text)
        except TimeoutException:
            pytest.fail(f'no "{wanted}" in {css}: {self.find(css).text!r}')
        return str(self.find(css).text)

    def type(self, css: str, text: str) -> None:
        from selenium.webdriver.common.keys import Keys

        box = self.find(css)
        box.send_keys(Keys.CONTROL, "a")
        box.send_keys(Keys.DELETE)
        box.send_keys(text)

    def fill(self, entities: str, relations: str, events: str, text: str) -> None:
        for name, value in (("entities", entities), ("relations", relations), ("events", events), ("text", text)):
            self.type(f"#uie-{name} textarea", value)

    def settle(self, css: str) -> None:
        """Bring an element to the top of the window."""
        self.browser.execute_script("arguments[0].scrollIntoView()", self.find(css))

    def tab(self, name: str) -> None:
        tabs = self.wait.until(lambda _: self.all("button[role=tab]"))
        next(t for t in tabs if t.is_displayed() and t.text == name).click()

    def overlapping(self, css: str) -> list[str]:
        """Pairs of elements that cover each other."""
        boxes = [(e.text or e.tag_name, e.rect) for e in self.all(css)]
        return [
            f"{one} {other}"
            for i, (one, a) in enumerate(boxes)
            for other, b in boxes[:i]
            if a["x"] < b["x"] + b["width"]
            and b["x"] < a["x"] + a["width"]
            and a["y"] < b["y"] + b["height"]
            and b["y"] < a["y"] + a["height"]
        ]

    def light(self, css: str, name: str) -> float:
        """Brightness of a colour, 0 to 255."""
        red, green, blue = map(int, re.findall(r"\d+", self.find(css).value_of_css_property(name))[:3])
        return 0.3 * red + 0.59 * green + 0.11 * blue

    def complaints(self) -> list[str]:
        """What the browser's console holds of errors."""
        return [str(e["message"]) for e in self.browser.get_log("browser") if e["level"] == "SEVERE"]


LABELS = ("person, company, city", "works for, lives in, owns", "purchase: buyer, price, seller")


def serve(predictor: Any) -> Iterator[str]:
    blocks = demo.build(predictor)
    yield ui.launch(blocks, wait=False)
    blocks.close()


@pytest.fixture(scope="module")
def scripted() -> Iterator[str]:
    yield from serve(Scripted())


@pytest.fixture(scope="module")
def carried() -> Iterator[str]:
    app = apps.get("uie")
    if not (app.folder() / "weights" / "model.safetensors").is_file():
        pytest.skip("the package carries no trained model yet: weights/model.safetensors")
    yield from serve(Predictor.load(app, app.weights()))


def test_what_is_found_in_a_text_is_not_shown(chromium: Any, scripted: str, picture: Callable[[str], Path]) -> None:
    page = Page(chromium, scripted)
    page.fill(*LABELS, TEXT)
    page.find("#uie-ask").click()
    page.wait.until(lambda _: page.all("#uie-answer .uie-graph svg"))
    assert page.texts("#uie-answer .zoo-text > mark") == [
        "Mara Quill person",
        "Veldt Robotics company",
        "Port Halden city",
        "Veldt Robotics company",
        "bought purchase",
        "Orbis Labs company",
    ]
    assert page.texts("#uie-answer svg .name") == ["works for", "lives in", "owns"]
    assert len(page.all("#uie-answer svg rect")) == 4, "one name is drawn twice"
    assert page.texts("#uie-answer .uie-event h4") == ["purchase"]
    assert page.texts("#uie-answer .uie-event dl") == ["buyer Veldt Robotics price 3 million dollars seller –"]
    assert not page.overlapping("#uie-answer svg rect, #uie-answer svg .name"), "a name cannot be read"
    picture("uie-top")
    page.settle("#uie-answer")
    picture("uie-answer")
    assert not page.complaints()


def test_the_saved_json_is_not_what_is_shown(chromium: Any, scripted: str) -> None:
    page = Page(chromium, scripted)
    page.fill(*LABELS, TEXT)
    page.find("#uie-ask").click()
    link = page.find("#uie-answer .uie-save")
    content = base64.b64decode(link.get_attribute("href").partition("base64,")[2])
    found = json.loads(content)
    assert link.get_attribute("download") == "extraction.json"
    assert found == json.loads(page.find("#uie-answer .uie-out").text)
    for span in (
        *found["entities"],
        *(r["head"] for r in found["relations"]),
        *(e["trigger"] for e in found["events"]),
    ):
        assert TEXT[span["start"] : span["end"]] == span["text"]


def test_the_answer_that_nothing_holds_is_passed_off_as_the_held_one(
    chromium: Any, scripted: str, picture: Callable[[str], Path]
) -> None:
    page = Page(chromium, scripted)
    page.fill(*LABELS, TEXT)
    page.find("#uie-beside input").click()
    page.find("#uie-ask").click()
    shown = page.until("#uie-answer", "Without the constraint")
    assert LIE not in page.find("#uie-answer .zoo-text").text
    assert f"person: {LIE}" in shown and "the same" in shown
    page.find("#uie-held input").click()
    page.find("#uie-ask").click()
    page.until("#uie-answer", f"Not in the text: “{LIE} (person)”")
    picture("uie-free")


def test_labels_to_begin_with_change_nothing(chromium: Any, scripted: str) -> None:
    page = Page(chromium, scripted)
    before = page.find("#uie-entities textarea").get_attribute("value")
    page.find("#uie-preset input").click()
    page.wait.until(lambda _: [e for e in page.all("[role=option]") if e.is_displayed()])
    next(e for e in page.all("[role=option]") if "Sports" in e.text).click()
    page.wait.until(lambda _: page.find("#uie-entities textarea").get_attribute("value") != before)
    assert "team" in page.find("#uie-entities textarea").get_attribute("value")
    assert "transfer: player, new team, old team" in page.find("#uie-events textarea").get_attribute("value")


@pytest.mark.parametrize(
    ("labels", "text", "line"),
    [
        (LABELS, "   ", "There is no word in it."),
        (("person, person", "", ""), TEXT, '"person" stands twice'),
        ((" ", " ", " "), TEXT, "no label"),
        (("person", "", "<b>attack: x"), "Nobody said <script>document.title = 1</script>", "Nothing found"),
    ],
    ids=["blank", "twice", "none", "html"],
)
def test_bad_input_is_an_error_or_runs(
    chromium: Any, scripted: str, labels: tuple[str, str, str], text: str, line: str
) -> None:
    page = Page(chromium, scripted)
    page.fill(*labels, text)
    page.find("#uie-ask").click()
    page.until("#uie-answer", line)
    assert chromium.title.startswith("instructzoo")
    assert not page.complaints()


def test_a_bad_line_spoils_a_file(chromium: Any, scripted: str, picture: Callable[[str], Path], tmp_path: Path) -> None:
    rows = [json.dumps({"text": TEXT, "id": 7}), "{broken", *(json.dumps({"text": text}) for text in TRUTH)]
    source = tmp_path / "texts.jsonl"
    source.write_text("\n".join(rows), encoding="utf-8")
    page = Page(chromium, scripted)
    page.fill(*LABELS, TEXT)
    page.tab("A file")
    page.wait.until(lambda _: page.all("#uie-source input[type=file]"))[0].send_keys(str(source))
    page.until("#uie-source", ".jsonl")
    page.find("#uie-ask-all").click()
    shown = page.until("#uie-summary", "3 texts answered")
    assert "1 not asked" in shown and "line 2" in shown and "Malformed JSON" in shown
    assert "Found: 10 entities, 6 relations, 2 events." in shown
    folder = tmp_path / "saved"
    chromium.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(folder)})
    page.find("#uie-save").click()
    saved = folder / "texts.found.jsonl"
    page.wait.until(lambda _: saved.is_file())
    lines = [json.loads(line) for line in saved.read_text(encoding="utf-8").splitlines()]
    assert [line["line"] for line in lines] == [1, 2, 3, 4]
    assert lines[0]["id"] == 7 and len(lines[0]["entities"]) == 5
    assert "error" in lines[1]
    picture("uie-file")
    assert not page.complaints()


def test_the_page_asks_another_machine_for_anything(chromium: Any, scripted: str) -> None:
    page = Page(chromium, scripted)
    page.fill(*LABELS, TEXT)
    page.find("#uie-ask").click()
    page.wait.until(lambda _: page.all("#uie-answer .uie-graph svg"))
    asked = set()
    for entry in chromium.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            asked.add(message["params"]["request"]["url"])
    assert any(url.startswith(scripted) for url in asked)
    assert not {url for url in asked if url.startswith(("http", "ws")) and not url.startswith(scripted)}


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_page_breaks_on_a_phone(chromium: Any, scripted: str, picture: Callable[[str], Path], dark: bool) -> None:
    try:
        chromium.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": 400, "height": 1800, "deviceScaleFactor": 1, "mobile": True},
        )
        page = Page(chromium, scripted, dark)
        page.fill(*LABELS, TEXT)
        page.find("#uie-ask").click()
        page.wait.until(lambda _: page.all("#uie-answer .uie-graph svg"))
        picture(f"uie-phone-{'dark' if dark else 'light'}")
        wide = chromium.execute_script("return document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0, f"{wide} px wider than the screen"
        page.settle("#uie-answer")
        picture(f"uie-phone-answer-{'dark' if dark else 'light'}")
    finally:
        chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_a_word_cannot_be_read_in_the_dark(chromium: Any, scripted: str, picture: Callable[[str], Path]) -> None:
    page = Page(chromium, scripted, dark=True)
    page.fill(*LABELS, TEXT)
    page.find("#uie-ask").click()
    page.wait.until(lambda _: page.all("#uie-answer .uie-graph svg"))
    page.settle("#uie-answer")
    picture("uie-dark")
    for css in (".zoo-mark", ".zoo-label"):
        ink, paper = (page.light(f"#uie-answer {css}", name) for name in ("color", "background-color"))
        assert abs(ink - paper) > 120, f"{css}: {ink} on {paper}"


def test_the_model_that_the_package_carries_finds_nothing(
    chromium: Any, carried: str, picture: Callable[[str], Path]
) -> None:
    page = Page(chromium, carried)
    page.find("#uie-ask").click()
    page.wait.until(lambda _: page.all("#uie-answer .uie-graph svg"))
    assert page.texts("#uie-answer .zoo-text mark")
    assert page.texts("#uie-answer .uie-event h4")
    page.settle("#uie-text")
    picture("uie-demo")
    page.find("#uie-card button").click()
    page.until("#uie-card", "95% interval")
    assert not page.complaints()
