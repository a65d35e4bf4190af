"""The demo without a browser: the chat, any task type, own intents, files, and bad input."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
from keyword_model import KeywordModel

from instructzoo.core import ZooError
from instructzoo.core.ui.files import ResultFolders
from instructzoo.core.ui.model_choice import ModelBar, ModelChoice
from instructzoo.dialogue.data import readers
from instructzoo.dialogue.demo import chat_tab, generate_tab, intents_tab, task_tab
from instructzoo.dialogue.demo.chat import NO_RESPONSE, Labels, exchange
from instructzoo.dialogue.demo.presets import EVERYDAY, MADE_UP, presets_of_model, refitted
from instructzoo.dialogue.schema import Slot
from instructzoo.dialogue.tasks import TASKS

LABELS = ("book restaurant, thanks", "people, city, time", "request, book")


@pytest.fixture
def model() -> KeywordModel:
    return KeywordModel()


@pytest.fixture
def bar(model: KeywordModel) -> Any:
    return ModelBar(ModelChoice(model), None, None)


def test_each_message_is_annotated_and_answered_with_an_act(model: KeywordModel) -> None:
    labels = Labels(("book restaurant", "thanks"), ("people", "city"), ("request", "book"))
    steps = list(exchange(model, (), "a restaurant for three", labels))
    assert [len(step) for step in steps] == [1, 2, 2]
    said, answered = steps[-1]
    assert (said.label, said.slots, said.state) == (
        "book restaurant", (Slot("people", "three", 17, 22),), (Slot("people", "three"),))  # fmt: skip
    assert (answered.role, answered.text, answered.label) == ("system", "in which city?", "book")
    *_, conversation = exchange(model, steps[-1], "in lagos", labels)
    assert [turn.text for turn in conversation[:3:2]] == ["a restaurant for three", "in lagos"]
    assert {slot.name: slot.value for slot in conversation[2].state} == {"people": "three", "city": "lagos"}
    *_, plain = exchange(model, (), "hello", Labels())
    assert [(turn.label, turn.slots, turn.notes) for turn in plain] == [("", (), ())] * 2


def test_a_response_without_a_word_does_not_end_the_chat(model: KeywordModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "_answer", lambda row: "...")
    *_, conversation = exchange(model, (), "hello", Labels(acts=("request",)))
    assert conversation[1].text == NO_RESPONSE
    *_, conversation = exchange(model, conversation, "hello?", Labels())
    assert len(conversation) == 4


def test_chats_of_two_visitors_do_not_mix(bar: Any) -> None:
    first = chat_tab.respond(bar, bar.models.start, (), "a table in oslo", *LABELS)
    second = chat_tab.respond(bar, bar.models.start, (), "a table in lagos", *LABELS)
    for _ in range(3):
        (one, other) = (next(first), next(second))
    assert "oslo" in one[0] and "lagos" not in one[0]
    assert "lagos" in other[0] and "oslo" not in other[0]
    assert [turn.text for turn in one[1][:1] + other[1][:1]] == ["a table in oslo", "a table in lagos"]


@pytest.mark.parametrize(
    ("message", "labels", "line"),
    [
        ("  ", LABELS, "no word"),
        ("x" * 1000, LABELS, "at most 400 characters"),
        ("hello", ("a, a", "", ""), "twice"),
        ("hello", ("a||||b", "", ""), "||||"),
        ("[CONTEXT] hello", LABELS, "[CONTEXT]"),
    ],
)
def test_a_message_that_cannot_be_answered_stays_in_its_box(
    bar: Any, message: str, labels: tuple[str, str, str], line: str
) -> None:
    *_, (html, conversation, kept, note) = chat_tab.respond(bar, bar.models.start, (), message, *labels)
    assert line in note and line not in html
    assert (conversation, kept) == ((), message.strip())


def test_html_of_messages_labels_and_answers_is_escaped(bar: Any, model: KeywordModel) -> None:
    *_, (html, *_) = chat_tab.respond(bar, bar.models.start, (), "<b>hello</b>", "<i>x</i>, hello", "", "")
    assert "<b>hello" not in html and "&lt;b&gt;" in html
    html = task_tab.answer_task(bar, bar.models.start, "intent_classification", "User: <u>a</u>", "<i>x</i>, y")
    assert "<i>" not in html and "<u>" not in html


def test_every_task_type_of_the_page_is_asked_with_its_boxes(bar: Any) -> None:
    for _, name in task_tab.CHOICES:
        hint, labels, *texts = task_tab.boxes_of(name)
        assert hint and len(texts) == task_tab.MOST_TEXTS
        needed = task_tab.texts_of(TASKS[name])
        assert [box["visible"] for box in texts] == [True] * len(needed) + [False] * (len(texts) - len(needed))
        options = "city, food" if labels["visible"] else ""
        html = task_tab.answer_task(bar, bar.models.start, name, "Hello\nHi\nA table\nWhere?", options, *["word"] * 5)
        assert "cannot be answered" not in html, (name, html)


@pytest.mark.parametrize(
    ("text", "turns"),
    [
        ("User: Hi\nSystem: Hello", [("user", "Hi"), ("system", "Hello")]),
        ("user : Hi\n\nthere\nASSISTANT:Hello", [("user", "Hi there"), ("assistant", "Hello")]),
        ("Hi\nHello\nBye", [("user", "Hi"), ("system", "Hello"), ("user", "Bye")]),
    ],
)
def test_a_dialogue_is_read_as_a_person_types_it(text: str, turns: list[tuple[str, str]]) -> None:
    assert [(turn["role"], turn["text"]) for turn in task_tab.read_turns(text)] == turns


def test_a_dialogue_that_cannot_be_read_says_why(bar: Any) -> None:
    for text, reason in (("", "no dialogue"), ("Hi\nUser: Hello", "before the first turn"), ("a" * 20_000, "at most")):
        with pytest.raises(ZooError, match=reason):
            task_tab.read_turns(text)
    html = task_tab.answer_task(bar, bar.models.start, "summarization", "User: Hi\nUser: Hello", "")
    assert "turns 1 and 2 are both of the user" in html


def sort(bar: Any, intents: str, messages: str = "", path: Path | None = None) -> tuple[str, Any]:
    folders = ResultFolders()
    *_, (html, button) = intents_tab.sort_messages(
        bar, folders, bar.models.start, intents, messages, path and str(path)
    )
    path = Path(button["value"]) if button.get("value") else None
    saved = list(csv.reader(path.read_text(encoding="utf-8").splitlines())) if path else None
    return html, saved


def test_own_intents_are_found_in_messages_and_saved(bar: Any) -> None:
    html, saved = sort(bar, "book room, cancel room", "please book it\n\ncancel, please\n=HYPERLINK(1) book")
    assert "2 book room; 1 cancel room" in html
    assert saved == [
        ["message", "intent", "error"],
        ["please book it", "book room", ""],
        ["cancel, please", "cancel room", ""],
        ["'=HYPERLINK(1) book", "book room", ""],
    ]


def test_a_bad_line_of_a_file_is_an_error_of_its_own_only(bar: Any, tmp_path: Path) -> None:
    source = tmp_path / "messages.jsonl"
    source.write_text('{"text": "book it"}\n{broken\n{"text": "..."}\n' + '{"text": "cancel it"}\n' * 120)
    html, saved = sort(bar, "book room, cancel room", "not read", source)
    assert saved is not None and len(saved) == 124
    assert "Malformed JSON" in saved[2][2] and "no word" in saved[3][2]
    assert "2 not answered" in html and "The first 100 are shown" in html


@pytest.mark.parametrize(
    ("intents", "messages", "line"),
    [
        ("", "hello", "no intents"),
        ("a, a", "hello", "twice"),
        ("a, b", " ", "no message"),
        ("a, b", "hello\n" * 300, "send them as a file"),
    ],
)
def test_intents_and_messages_that_cannot_be_used_get_a_line(bar: Any, intents: str, messages: str, line: str) -> None:
    html, saved = sort(bar, intents, messages)
    assert line in html and saved is None


def test_presets_are_those_of_the_model_and_typed_texts_stay(bar: Any) -> None:
    assert presets_of_model(bar.models, bar.models.start) is MADE_UP
    assert presets_of_model(bar.models, "no such model") is EVERYDAY
    texts = (MADE_UP.tracked.intents, "my slot", MADE_UP.tracked.acts)
    assert refitted(texts, EVERYDAY.tracked, lambda presets: presets.tracked) == (
        EVERYDAY.tracked.intents, "my slot", EVERYDAY.tracked.acts)  # fmt: skip


def generate(bar: Any, **given: Any) -> tuple[str, list[Path]]:
    values = {"intent": "ask for a seat", "examples": "a seat in [room: hall a]", "values": "room: attic, b 2"} | given
    html, *saved = generate_tab.generate(
        bar, FOLDERS, bar.models.start, values["intent"], values["examples"], values["values"], 5,
        values.get("how", generate_tab.SWAP),
    )  # fmt: skip
    return html, [Path(file["value"]) for file in saved if file["value"]]


FOLDERS = ResultFolders()


def test_new_utterances_are_saved_in_formats_that_are_read_as_own_data(bar: Any) -> None:
    html, (table, lines) = generate(bar)
    assert "2 utterances." in html and "attic" in html
    for path in (table, lines):
        turns = [dialogue.turns[0] for dialogue in readers.read_file(path, "own")]
        assert sorted(turn.text for turn in turns) == ["a seat in attic", "a seat in b 2"]
        assert {turn.intent for turn in turns} == {"ask for a seat"}
        for turn in turns:
            ((slot,),) = (turn.slots,)
            assert turn.text[slot.start : slot.end] == slot.value


def test_a_model_that_was_trained_to_write_is_asked_and_what_it_gets_wrong_is_counted() -> None:
    model = KeywordModel(["data.sources=[snips]", "data.path=.", "data.options.tasks=[utterance_generation]"])
    bar = ModelBar(ModelChoice(model), None, None)
    html, saved = generate(bar, how=generate_tab.MODEL_WRITES)
    assert "0 utterances. Rejected:" in html and not saved
    model.answer = lambda rows: [f"keep seat {n} in [1 attic ]" for n, _ in enumerate(rows)]  # type: ignore[method-assign]
    html, saved = generate(bar, how=generate_tab.MODEL_WRITES, values="")
    assert "keep seat" in html and "Rejected: " in html and saved


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"intent": " "}, "no name of the intent"),
        ({"examples": ""}, "0 examples"),
        ({"examples": "a seat in [hall"}, "correct the brackets"),
        ({"examples": "a seat in [hall]"}, "such as [city: oslo]"),
        ({"values": "attic"}, "a slot and its words"),
    ],
)
def test_examples_that_cannot_be_read_get_a_line(bar: Any, given: dict[str, str], line: str) -> None:
    html, saved = generate(bar, **given)
    assert line in html and not saved
