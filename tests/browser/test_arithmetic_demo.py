"""The arithmetic demo in a browser: type a question, read the answer and the check, paste a batch."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from instructzoo.arithmetic import checker, demo
from instructzoo.arithmetic.problem import Problem
from instructzoo.arithmetic.world.synthesis import scratchpads
from instructzoo.core import domain as domains
from instructzoo.core import recipe as recipes
from instructzoo.core import ui
from instructzoo.core.infer import Predictor
from instructzoo.core.recipe import Recipe
from instructzoo.core.record import Row

pytestmark = pytest.mark.browser

SECONDS = 60
WRONGLY_ANSWERED = "58 - 93"
"""The question that the scripted predictor gets wrong."""


@dataclass
class Scripted:
    """A predictor that answers every question right but one, so that the page's text depends on no model."""

    recipe: Recipe = field(default_factory=lambda: recipes.load("arithmetic/bundled"))
    scores: dict[str, Any] | None = None

    def answer(self, rows: Sequence[Row]) -> list[str]:
        return [self._answer_question(row["instruction"]) for row in rows]

    def _answer_question(self, question: str) -> str:
        problem = checker.parse_question(question)
        if not isinstance(problem, Problem):
            return "32"
        operation, left, right = problem
        if operation == "multiply":
            return scratchpads.multiplication(left, right, left * right)
        if operation == "divide" and right:
            return scratchpads.division(left, right, *divmod(left, right))
        answer = problem.answer
        return f"{problem.expression} = {int(answer) + 1 if problem.expression == WRONGLY_ANSWERED else answer}"


class Page:
    """The open demo; elements are waited for, since every answer is a round trip."""

    def __init__(self, browser: Any, address: str) -> None:
        from selenium.webdriver.support.ui import WebDriverWait

        self.browser = browser
        self.wait = WebDriverWait(browser, SECONDS)
        browser.get_log("performance")
        browser.get(address)
        self.find("#question textarea, #question input")

    def find(self, css: str) -> Any:
        from selenium.webdriver.common.by import By

        return self.wait.until(
            lambda b: next((e for e in b.find_elements(By.CSS_SELECTOR, css) if e.is_displayed()), None)
        )

    def text(self, css: str) -> str:
        return str(self.find(css).text)

    def until(self, css: str, expected: str) -> str:
        """The element's text once it holds `expected`; fails with what it holds instead."""
        from selenium.common.exceptions import StaleElementReferenceException, TimeoutException

        self.wait._ignored_exceptions = (StaleElementReferenceException,)
        try:
            self.wait.until(lambda _: expected in self.text(css))
        except TimeoutException:
            pytest.fail(f'no "{expected}" in {css}: {self.text(css)!r}')
        return self.text(css)

    def type(self, css: str, text: str) -> None:
        from selenium.webdriver.common.keys import Keys

        box = self.find(css)
        box.send_keys(Keys.CONTROL, "a")
        box.send_keys(Keys.DELETE)
        box.send_keys(text)

    def ask(self, question: str) -> None:
        self.type("#question textarea, #question input", question)
        self.find("#ask").click()

    def tab(self, name: str) -> None:
        from selenium.webdriver.common.by import By

        tabs = self.wait.until(lambda b: b.find_elements(By.CSS_SELECTOR, "button[role=tab]"))
        next(t for t in tabs if t.is_displayed() and t.text == name).click()

    def unfold(self) -> None:
        self.find("#card button").click()


def serve(predictor: Any) -> Iterator[str]:
    blocks = demo.build(predictor)
    yield ui.launch(blocks, wait=False)
    blocks.close()


@pytest.fixture(scope="module")
def scripted() -> Iterator[str]:
    yield from serve(Scripted())


@pytest.fixture(scope="module")
def bundled() -> Iterator[str]:
    domain = domains.get("arithmetic")
    if not (domain.folder() / "weights" / "model.safetensors").is_file():
        pytest.skip("the package bundles no trained model yet: weights/model.safetensors")
    yield from serve(Predictor.load(domain, domain.bundled_model()))


def test_the_bundled_model_answers_typed_problems_right(
    chromium: Any, bundled: str, picture: Callable[[str], Path]
) -> None:
    page = Page(chromium, bundled)
    page.ask("What is 345 + 678?")
    page.until("#answer", "✓ Python says 1023 too")
    assert page.text("#answer .zoo-big") == "1023"
    page.ask("47 × 86")
    page.until("#answer", "✓ Python says 4042 too")
    page.ask("8914 ÷ 7")
    shown = page.until("#answer", "✓ Python says 1273 R 3 too")
    assert "Therefore, 8914 / 7 = 1273 R 3" in shown
    picture("demo")
    page.unfold()
    assert "95% interval" in page.until("#card", "exact match")


def test_a_typed_problem_shows_answer_steps_question_and_check(
    chromium: Any, scripted: str, picture: Callable[[str], Path]
) -> None:
    page = Page(chromium, scripted)
    page.ask("What is 8914 ÷ 7?")
    shown = page.until("#answer", "✓ Python says 1273 R 3 too")
    assert page.text("#answer .zoo-big") == "1273 R 3"
    assert "8914 - 7 * 1000 = 8914 - 7000 = 1914" in shown
    assert "What is 8914 / 7?" in shown, "the page hides what the model was asked"
    assert picture("answer").stat().st_size > 10_000


def test_a_wrong_answer_is_marked_wrong(chromium: Any, scripted: str, picture: Callable[[str], Path]) -> None:
    page = Page(chromium, scripted)
    page.ask(WRONGLY_ANSWERED)
    shown = page.until("#answer", "✗ Python says -35")
    assert "✓" not in shown and "1 step does not follow" in shown
    assert page.text("#answer .zoo-big") == "-34"
    picture("wrong")


@pytest.mark.parametrize(
    ("typed", "line"),
    [("hello", 'There is no number in "hello".'), ("   ", "There is nothing to answer yet.")],
    ids=["word", "blank"],
)
def test_a_question_without_a_number_gets_a_message(chromium: Any, scripted: str, typed: str, line: str) -> None:
    page = Page(chromium, scripted)
    page.ask(typed)
    page.until("#answer", line)


def test_a_question_beyond_the_trained_digits_gets_a_notice(chromium: Any, scripted: str) -> None:
    page = Page(chromium, scripted)
    page.ask("123456789 + 1")
    page.until("#answer", "The model was not trained for 9D+1D, but for sums to 5D+5D.")


def test_a_bad_line_of_a_batch_is_an_error_of_its_own_only(
    chromium: Any, scripted: str, picture: Callable[[str], Path]
) -> None:
    page = Page(chromium, scripted)
    page.tab("Many questions")
    page.type("#lines textarea", f"345 + 678\n{WRONGLY_ANSWERED}\nhello\n47 x 86\n2 ^ 5\n")
    page.find("#ask-all").click()
    shown = page.until("#table", "of 5 lines")
    for text in (
        "✓ 2 right",
        "✗ 1 wrong",
        "1 not checked",
        "1 not asked",
        "Python says 4042 too",
        "✗ Python says -35",
    ):
        assert text in shown, shown
    assert re.search(r"hello\s+Not asked\. There is no number", shown), shown
    picture("batch")


def test_the_page_sends_no_request_to_another_machine(chromium: Any, scripted: str) -> None:
    page = Page(chromium, scripted)
    page.ask("7 + 8")
    page.until("#answer", "✓ Python says 15 too")
    urls = set()
    for entry in chromium.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            urls.add(message["params"]["request"]["url"])
    own_urls = {url for url in urls if url.startswith(scripted)}
    assert own_urls
    assert not {url for url in urls - own_urls if url.startswith(("http", "ws"))}


def test_the_page_fits_a_phone(chromium: Any, scripted: str, picture: Callable[[str], Path]) -> None:
    try:
        chromium.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True},
        )
        page = Page(chromium, scripted)
        page.ask("47 x 86")
        page.until("#answer", "✓ Python says 4042 too")
        picture("phone")
        overflow = chromium.execute_script("return document.documentElement.scrollWidth - window.innerWidth")
        assert overflow <= 0, f"{overflow} px wider than the screen"
    finally:
        chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
