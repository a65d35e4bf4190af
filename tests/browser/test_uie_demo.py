"""The demo in a browser: enter labels, paste a text, see marks, graph and cards; send a file."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from browsing import DESKTOP, PHONE, Browsed, phone, screen

from instructzoo.core import domain as domains
from instructzoo.core import infer, ui
from instructzoo.core import recipe as recipes
from instructzoo.core.infer import Predictor
from instructzoo.core.recipe import Recipe
from instructzoo.core.record import Row
from instructzoo.core.ui import model_choice
from instructzoo.uie import demo, prompts, schema
from instructzoo.uie.prompts import answer_format
from instructzoo.uie.schema import Annotation, Event, Mention, Relation

pytestmark = pytest.mark.browser

TEXT = "Mara Quill of Veldt Robotics moved to Port Halden. Veldt Robotics bought Orbis Labs for 3 million dollars."
INVENTED = "Zed"
"""What the scripted predictor invents without constrained decoding."""


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
    """A predictor that knows the truth of two sentences, and invents an entity without constrained decoding."""

    recipe: Recipe = field(default_factory=lambda: recipes.load("uie/bundled-base"))
    scores: dict[str, Any] | None = None
    model: None = None
    notice: str = ""
    constrained: bool = True

    def with_constraints(self, constrained: bool) -> Scripted:
        return replace(self, constrained=constrained)

    def answer(self, rows: Sequence[Row]) -> list[str]:
        return [self._answer(row) for row in rows]

    def _answer(self, row: Row) -> str:
        if not self.constrained and row["task"] == "ner":
            return f"person: {INVENTED}"
        annotation = schema.project(TRUTH.get(row["input"], Annotation()), row["task"], prompts.labels_of(row))
        return answer_format.format_answer(annotation, row["task"])


class Page(Browsed):
    def __init__(self, browser: Any, address: str, dark: bool = False) -> None:
        super().__init__(browser, address, "#uie-text textarea", dark)

    def ask(self, entities: str, relations: str, events: str, text: str) -> None:
        for name, value in (("entities", entities), ("relations", relations), ("events", events), ("text", text)):
            self.type(f"#uie-{name} textarea", value)
        self.click("#uie-ask")

    def drawn(self) -> None:
        self.wait.until(lambda _: self.all("#uie-answer .uie-graph svg"))

    def settle(self, css: str) -> None:
        """Bring an element to the top of the window."""
        self.browser.execute_script("arguments[0].scrollIntoView()", self.find(css))

    def overlapping(self, css: str) -> list[str]:
        """Pairs of elements that cover each other."""
        boxes = [(e.text or e.tag_name, e.rect) for e in self.all(css)]
        return [
            f"{name} {earlier}"
            for i, (name, a) in enumerate(boxes)
            for earlier, b in boxes[:i]
            if a["x"] < b["x"] + b["width"]
            and b["x"] < a["x"] + a["width"]
            and a["y"] < b["y"] + b["height"]
            and b["y"] < a["y"] + a["height"]
        ]


LABELS = ("person, company, city", "works for, lives in, owns", "purchase: buyer, price, seller")


def serve(predictor: Any) -> Iterator[str]:
    blocks = demo.build(predictor)
    yield ui.launch(blocks, wait=False)
    blocks.close()


@pytest.fixture(scope="module")
def scripted() -> Iterator[str]:
    yield from serve(Scripted())


class Slow(Scripted):
    """It takes its time, so that there is something to stop."""

    def answer(self, rows: Sequence[Row]) -> list[str]:
        time.sleep(0.2)
        return super().answer(rows)


@pytest.fixture(scope="module")
def slow() -> Iterator[str]:
    yield from serve(Slow())


@pytest.fixture(scope="module")
def bundled() -> Iterator[str]:
    domain = domains.get("uie")
    if not domain.has_bundled_model():
        pytest.skip("the package carries no trained model yet: weights/tiny")
    yield from serve(Predictor.load(domain, domain.bundled_model()))


def test_extractions_are_shown_as_marks_graph_and_event_cards(
    chromium: Any, scripted: str, picture: Callable[[str], Path]
) -> None:
    page = Page(chromium, scripted)
    page.ask(*LABELS, TEXT)
    page.drawn()
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


def test_the_saved_json_equals_the_shown_one_and_has_exact_offsets(chromium: Any, scripted: str) -> None:
    page = Page(chromium, scripted)
    page.ask(*LABELS, TEXT)
    page.click("#uie-answer .uie-json summary")
    link = page.find("#uie-answer .uie-save")
    content = base64.b64decode(link.get_attribute("href").partition("base64,")[2])
    saved = json.loads(content)
    assert link.get_attribute("download") == "extraction.json"
    assert saved == json.loads(page.find("#uie-answer .uie-out").text)
    sides = [relation[side] for relation in saved["relations"] for side in ("head", "tail")]
    for span in (*saved["entities"], *sides, *(event["trigger"] for event in saved["events"])):
        assert TEXT[span["start"] : span["end"]] == span["text"]


def test_unconstrained_answers_are_shown_apart_and_inventions_reported(
    chromium: Any, scripted: str, picture: Callable[[str], Path]
) -> None:
    page = Page(chromium, scripted)
    page.click("#uie-compare input")
    page.ask(*LABELS, TEXT)
    answer = page.until("#uie-answer", "Without the rule")
    assert INVENTED not in page.find("#uie-answer .zoo-text").text
    assert f"person: {INVENTED}" in answer and "the same" in answer
    page.click("#uie-constrained input")
    page.click("#uie-ask")
    page.until("#uie-answer", f"Not in the text: “{INVENTED} (person)”")
    picture("uie-free")


def test_a_click_on_an_example_fills_in_its_text_and_labels_and_answers(chromium: Any, bundled: str) -> None:
    page = Page(chromium, bundled)
    before = page.find("#uie-answer .zoo-text").text
    page.click_text("#examples button", "Sports")
    page.wait.until(lambda _: page.find("#uie-answer .zoo-text").text != before)
    assert "team" in page.find("#uie-entities textarea").get_attribute("value")
    assert "transfer: player, new team, old team" in page.find("#uie-events textarea").get_attribute("value")
    assert "Pesdey Rovers team" in page.texts("#uie-answer mark")
    assert not page.complaints()


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_page_opens_with_a_text_and_its_answer_in_one_view(
    chromium: Any, bundled: str, picture: Callable[[str], Path], size: tuple[int, int]
) -> None:
    with screen(chromium, *size):
        page = Page(chromium, bundled)
        assert page.texts("#uie-answer mark")
        picture(f"uie-first-view-{size[0]}")
        assert not page.out_of_view("#uie-text textarea", "#uie-entities textarea", "#uie-ask", "#uie-answer .zoo-text")
        assert page.too_wide() <= 0
        assert not page.complaints()


def test_another_model_answers_an_example_of_its_kind(
    chromium: Any, monkeypatch: pytest.MonkeyPatch, picture: Callable[[str], Path]
) -> None:
    real_texts = Scripted(recipe=recipes.load("uie/tiny", ["data.sources=[conll04]", "data.path=."]))
    monkeypatch.setattr(model_choice, "ready_models", lambda domain: ["small"])
    monkeypatch.setattr(infer, "open_ready", lambda domain, name: real_texts)
    blocks = demo.build(Scripted())
    try:
        page = Page(chromium, ui.launch(blocks, wait=False))
        assert page.texts("#examples button")[0] == "Companies"
        page.choose("#model", "small")
        page.until("#uie-answer", "Tim Cook")
        assert page.find("#uie-entities textarea").get_attribute("value") == "person, company, city"
        assert "News" in page.texts("#examples button")
        picture("uie-two-models")
        assert not page.complaints()
    finally:
        blocks.close()


def test_own_labels_are_answered_by_the_enter_key(chromium: Any, scripted: str) -> None:
    page = Page(chromium, scripted)
    page.type("#uie-text textarea", TEXT)
    page.type("#uie-entities textarea", "city\n")
    page.wait.until(lambda _: page.texts("#uie-answer .zoo-text > mark") == ["Port Halden city"])


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
def test_bad_input_gets_a_message_and_html_does_not_run(
    chromium: Any, scripted: str, labels: tuple[str, str, str], text: str, line: str
) -> None:
    page = Page(chromium, scripted)
    page.ask(*labels, text)
    page.until("#uie-answer", line)
    assert chromium.title.startswith("instructzoo")
    assert not page.complaints()


def test_a_bad_line_of_a_file_is_an_error_of_its_own_only(
    chromium: Any, scripted: str, picture: Callable[[str], Path], tmp_path: Path
) -> None:
    rows = [json.dumps({"text": TEXT, "id": 7}), "{broken", *(json.dumps({"text": text}) for text in TRUTH)]
    source = tmp_path / "texts.jsonl"
    source.write_text("\n".join(rows), encoding="utf-8")
    page = Page(chromium, scripted)
    page.ask(*LABELS, TEXT)
    page.tab("A file")
    page.send("#uie-source", source)
    page.click("#uie-ask-all")
    summary = page.until("#uie-summary", "3 texts answered")
    assert "1 not answered" in summary and "line 2" in summary and "Malformed JSON" in summary
    assert "Found: 10 entities, 6 relations, 2 events." in summary
    saved = page.save("#uie-save", tmp_path / "saved", "texts.found.jsonl")
    lines = [json.loads(line) for line in saved.read_text(encoding="utf-8").splitlines()]
    assert [line["line"] for line in lines] == [1, 2, 3, 4]
    assert lines[0]["id"] == 7 and len(lines[0]["entities"]) == 5
    assert "error" in lines[1]
    picture("uie-file")
    assert not page.complaints()


def test_the_page_sends_no_request_to_another_machine(chromium: Any, scripted: str) -> None:
    page = Page(chromium, scripted)
    page.ask(*LABELS, TEXT)
    page.drawn()
    assert not page.foreign()


def test_a_running_file_shows_progress_and_can_be_stopped(
    chromium: Any, slow: str, picture: Callable[[str], Path], tmp_path: Path
) -> None:
    source = tmp_path / "many.txt"
    source.write_text(f"{TEXT}\n" * 2000, encoding="utf-8")
    page = Page(chromium, slow)
    page.ask(*LABELS, TEXT)
    page.tab("A file")
    page.send("#uie-source", source)
    page.click("#uie-ask-all")
    page.until("#uie-summary", "2% of the file")
    picture("uie-progress")
    page.click("#uie-stop")
    page.until("#uie-summary", "Stopped; nothing is saved.")
    page.tab("One text")
    page.ask(*LABELS, TEXT)
    page.drawn()
    assert not page.complaints()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_page_fits_a_phone_in_both_themes(
    chromium: Any, scripted: str, picture: Callable[[str], Path], dark: bool
) -> None:
    with phone(chromium):
        page = Page(chromium, scripted, dark)
        page.ask(*LABELS, TEXT)
        page.drawn()
        picture(f"uie-phone-{'dark' if dark else 'light'}")
        assert page.too_wide() <= 0
        page.settle("#uie-answer")
        picture(f"uie-phone-answer-{'dark' if dark else 'light'}")


def test_marks_and_labels_have_contrast_in_the_dark_theme(
    chromium: Any, scripted: str, picture: Callable[[str], Path]
) -> None:
    page = Page(chromium, scripted, dark=True)
    page.ask(*LABELS, TEXT)
    page.drawn()
    page.settle("#uie-answer")
    picture("uie-dark")
    for css in (".zoo-mark", ".zoo-label"):
        ink, paper = (page.light(f"#uie-answer {css}", name) for name in ("color", "background-color"))
        assert abs(ink - paper) > 120, f"{css}: {ink} on {paper}"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_text_can_be_read_and_the_keyboard_is_followed(chromium: Any, bundled: str, dark: bool) -> None:
    page = Page(chromium, bundled, dark)
    assert not page.unmarked_by_focus(17)
    for summary in page.all("#uie-answer summary"):
        summary.click()
    page.click("#card button")
    page.until("#card", "95% interval")
    page.type("#uie-relations textarea", "")
    assert not page.faint_texts()


def test_the_bundled_model_finds_entities_and_events(
    chromium: Any, bundled: str, picture: Callable[[str], Path]
) -> None:
    page = Page(chromium, bundled)
    page.drawn()
    assert page.texts("#uie-answer .zoo-text mark")
    assert page.texts("#uie-answer .uie-event h4")
    page.settle("#uie-text")
    picture("uie-demo")
    page.click("#card button")
    page.until("#card", "95% interval")
    assert not page.complaints()


@pytest.mark.slow
@pytest.mark.usefixtures("fetched_bases")
def test_the_model_of_real_texts_opens_with_its_first_example_answered_rightly(
    chromium: Any, picture: Callable[[str], Path]
) -> None:
    blocks = demo.build(infer.open_model(domains.get("uie"), "small"))
    try:
        with screen(chromium, *DESKTOP):
            page = Page(chromium, ui.launch(blocks, wait=False))
            picture("uie-small")
            assert page.texts("#uie-answer mark") == ["Tim Cook person", "Apple company", "Paris city"]
            assert not page.complaints()
    finally:
        blocks.close()
