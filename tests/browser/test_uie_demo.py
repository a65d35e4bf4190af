"""The uie demo as a person meets it: write labels, paste a text, see marks, graph and cards; send a file."""

from __future__ import annotations

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
        self.find("#text textarea")

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
            self.type(f"#{name} textarea", value)

    def settle(self, css: str) -> None:
        """Bring an element to the top of the window."""
        self.browser.execute_script("arguments[0].scrollIntoView()", self.find(css))

    def tab(self, name: str) -> None:
        tabs = self.wait.until(lambda _: self.all("button[role=tab]"))
        next(t for t in tabs if t.is_displayed() and t.text == name).click()

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
    page.find("#ask").click()
    page.until("#answer", "Port Halden")
    page.wait.until(lambda _: page.all("#answer svg"))
    assert page.texts("#answer .zoo-text > mark") == [
        "Mara Quill person",
        "Veldt Robotics company",
        "Port Halden city",
        "Veldt Robotics company",
        "bought purchase",
        "Orbis Labs company",
    ]
    assert page.texts("#answer svg .name") == ["works for", "lives in", "owns"]
    assert page.texts("#answer .uie-event h4") == ["purchase"]
    assert page.texts("#answer .uie-event dl")[0] == "buyer Veldt Robotics price 3 million dollars seller –"
    page.settle("#answer")
    picture("uie-answer")
    assert not page.complaints()
