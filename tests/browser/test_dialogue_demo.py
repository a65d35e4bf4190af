"""The demo of dialogue in the browser: chat, any task, own intents, on a desktop and a phone, in both themes."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import DESKTOP, PHONE, Browsed, screen
from keyword_model import KeywordModel

from instructzoo.core import domain as domains
from instructzoo.core import infer, ui
from instructzoo.core.ui import model_choice
from instructzoo.dialogue import demo

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def scripted() -> Iterator[str]:
    blocks = demo.build(KeywordModel())
    yield ui.launch(blocks, wait=False)
    blocks.close()


class Page(Browsed):
    def __init__(self, browser: Any, address: str, dark: bool = False) -> None:
        super().__init__(browser, address, "#message textarea", dark)

    def say(self, message: str) -> None:
        """Send a message, and wait until it is answered with an act."""
        before = len(self.all("#chat li"))
        self.type("#message textarea", message)
        self.click("#send")
        self.wait.until(lambda _: len(self.all("#chat li.system .dlg-facts div")) == before // 2 + 1)

    @property
    def state(self) -> str:
        """The state after the last turn of the user."""
        return [text for text in self.texts("#chat .dlg-facts div") if text.startswith("State")][-1]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_each_tab_opens_with_its_question_and_answer_in_one_view_that_can_be_read(
    chromium: Any, scripted: str, picture: Callable[[str], Path], size: tuple[int, int], dark: bool
) -> None:
    tabs = {
        "Chat": ("#chat .dlg-turn", "#message textarea", "#send"),
        "Any task": ("#dialogue textarea", "#task input", "#task-answer"),
        "Intents": ("#own-intents textarea", "#own-messages textarea", "#own-results"),
        "Generate": ("#new-intent textarea", "#new-examples textarea", "#generate"),
    }
    with screen(chromium, *size):
        page = Page(chromium, scripted, dark)
        for name, selectors in tabs.items():
            page.tab(name)
            page.find(selectors[0])
            picture(f"dialogue-{name}-{size[0]}-{'dark' if dark else 'light'}")
            assert not page.out_of_view(*selectors)
            assert page.too_wide() <= 0
            assert not page.faint_texts()
        assert not page.foreign()
        assert not page.complaints()


def test_a_chat_goes_on_with_its_state_and_another_visitor_has_another_chat(chromium: Any, scripted: str) -> None:
    page = Page(chromium, scripted)
    first, opening = chromium.current_window_handle, page.state
    assert opening == "State room attic device fan"
    page.say("thai food at half past seven in lagos <b>please</b>")
    assert page.state == "State food thai city lagos time half past seven room attic device fan"
    chromium.switch_to.new_window("tab")
    try:
        other = Page(chromium, scripted)
        assert other.state == opening
        other.click("#restart")
        other.until("#chat", "Say something")
        other.say("a table in oslo")
        assert other.state == "State city oslo"
    finally:
        chromium.close()
        chromium.switch_to.window(first)
    page.say("for four")
    assert page.state == "State food thai city lagos people four time half past seven room attic device fan"
    page.type("#message textarea", "...\n")
    page.until("#chat-note", "no word")
    page.click_text("#examples button", "play some soul")
    page.until("#chat", "play some soul")
    page.wait.until(lambda _: len(page.all("#chat li")) == 2)
    assert not page.unmarked_by_focus(12)
    assert not page.complaints()


def test_any_task_shows_the_boxes_that_it_needs_and_answers(chromium: Any, scripted: str) -> None:
    page = Page(chromium, scripted)
    page.tab("Any task")
    page.click_text("#examples button", "Summary")
    page.until("#task-answer", "The user wants a table.")
    page.choose("#task", "persona grounded generation")
    page.until("#text-0", "Persona")
    page.click("#answer-task")
    page.until("#task-answer", "persona")
    page.type("#text-0 textarea", "i ski")
    page.click("#answer-task")
    page.until("#task-answer", "none")
    assert not page.complaints()


def test_own_intents_are_tried_on_a_file_and_saved(chromium: Any, scripted: str, tmp_path: Path) -> None:
    source = tmp_path / "messages.csv"
    source.write_text("id,text\n1,please book it\n2,\n3,cancel <b>it</b>\n")
    page = Page(chromium, scripted)
    page.tab("Intents")
    page.type("#own-intents textarea", "book room, cancel room")
    page.send("#own-file", source)
    page.click("#sort")
    page.until("#own-results", "1 book room; 1 cancel room; 1 not answered")
    saved = page.save("#save", tmp_path / "saved", "intents.csv")
    lines = list(csv.reader(saved.read_text(encoding="utf-8").splitlines()))
    assert lines[1:] == [["please book it", "book room", ""], lines[2], ["cancel <b>it</b>", "cancel room", ""]]
    assert not page.complaints()


def test_another_model_opens_its_own_example(chromium: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    everyday = KeywordModel(["data.sources=[snips]", "data.path=."])
    monkeypatch.setattr(model_choice, "ready_models", lambda domain: ["small"])
    monkeypatch.setattr(infer, "open_ready", lambda domain, name: everyday)
    blocks = demo.build(KeywordModel())
    try:
        page = Page(chromium, ui.launch(blocks, wait=False))
        page.choose("#model", "small")
        page.until("#chat", "cheap Italian restaurant")
        assert "find a restaurant" in page.find("#chat-intents textarea").get_attribute("value")
        assert not page.complaints()
    finally:
        blocks.close()


def test_the_bundled_model_answers_its_first_example(chromium: Any, picture: Callable[[str], Path]) -> None:
    domain = domains.get("dialogue")
    if not domain.has_bundled_model():
        pytest.skip("the package carries no trained model yet: weights/tiny")
    blocks = demo.build(infer.open_model(domain, "tiny"))
    try:
        page = Page(chromium, ui.launch(blocks, wait=False))
        assert page.texts("#chat mark") == ["fan device", "attic room"]
        assert "Intent turn on device" in page.texts("#chat .dlg-facts div")
        picture("dialogue-demo")
        page.click("#card button")
        page.until("#card", "95% interval")
    finally:
        blocks.close()
