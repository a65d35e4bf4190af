"""The arithmetic demo in a browser: type a question, read the answer and the check, paste a batch."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from browsing import DESKTOP, PHONE, Browsed, screen

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

WRONGLY_ANSWERED = "58 - 93"
"""The question that the scripted predictor gets wrong."""


@dataclass
class Scripted:
    """A predictor that answers every question right but one, so that the page's text depends on no model."""

    recipe: Recipe = field(default_factory=lambda: recipes.load("arithmetic/bundled"))
    scores: dict[str, Any] | None = None
    model: None = None
    notice: str = ""

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


class Page(Browsed):
    """The open demo of arithmetic."""

    def __init__(self, browser: Any, address: str, dark: bool = False) -> None:
        super().__init__(browser, address, "#question textarea, #question input", dark)

    def text(self, css: str) -> str:
        return str(self.find(css).text)

    def ask(self, question: str) -> None:
        self.type("#question textarea, #question input", question)
        self.click("#ask")


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
    if not domain.has_bundled_model():
        pytest.skip("the package bundles no trained model yet: weights/tiny")
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
    page.click("#card button")
    assert "95% interval" in page.until("#card", "exact match")


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_page_opens_with_an_answered_question_in_one_view_with_it(
    chromium: Any, bundled: str, picture: Callable[[str], Path], size: tuple[int, int]
) -> None:
    with screen(chromium, *size):
        page = Page(chromium, bundled)
        assert "Python says 4042 too" in page.text("#answer")
        assert page.find("#question textarea, #question input").get_attribute("value") == demo.EXAMPLES[0]
        assert not page.out_of_view("#question", "#ask", "#answer .zoo-card")
        assert page.too_wide() <= 0
        picture(f"arithmetic-demo-{size[0]}")
        assert not page.complaints()


def test_a_click_on_an_example_answers_it(chromium: Any, bundled: str) -> None:
    page = Page(chromium, bundled)
    page.click_text("#examples button", "8914 ÷ 7")
    page.until("#answer", "✓ Python says 1273 R 3 too")
    assert page.find("#question textarea, #question input").get_attribute("value") == "8914 ÷ 7"
    assert not page.complaints()


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


def test_another_model_answers_the_same_question_once_it_is_chosen(
    chromium: Any, scripted: str, picture: Callable[[str], Path]
) -> None:
    page = Page(chromium, scripted)
    page.ask(WRONGLY_ANSWERED)
    page.until("#answer", "✗ Python says -35")
    page.choose("#model", "tiny")
    page.until("#answer", "✓ Python says -35 too")
    assert "trained with" not in page.text("#knows")
    picture("arithmetic-switched")
    assert not page.complaints()


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
    page.click("#ask-all")
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
    assert not page.foreign()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_page_fits_a_phone_and_is_readable_in_both_themes(
    chromium: Any, scripted: str, picture: Callable[[str], Path], dark: bool
) -> None:
    with screen(chromium, *PHONE):
        page = Page(chromium, scripted, dark)
        page.ask("47 x 86")
        page.until("#answer", "✓ Python says 4042 too")
        picture(f"phone-{'dark' if dark else 'light'}")
        assert page.too_wide() <= 0
        assert not page.faint_texts()
