"""Typed answers on dialogues: intents, slots, states, responses, files of dialogues, and bad input."""

from __future__ import annotations

import io
import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from fuzzing import ODD_VALUES, fuzzed, reads_or_refuses
from hypothesis import strategies as st

from instructzoo.core import ZooError, api, infer, models
from instructzoo.core import domain as domains
from instructzoo.core import recipe as recipes
from instructzoo.core.answers.model import typed_model
from instructzoo.core.commands import predict as predict_command
from instructzoo.core.infer import Predictor
from instructzoo.core.testing import Scripted
from instructzoo.dialogue import answers
from instructzoo.dialogue.data.dialogue_input import CAPS, MAX_TURNS
from instructzoo.dialogue.schema import Slot

MESSAGE = "Sevens and wake me at seven"
TABLE = ["A table for two", "In which city?", "In Oslo", "I have found one."]
ANSWERS = {
    "intent_classification": "set alarm",
    "slot_filling": "time: seven",
    "slot_value_generation": "Oslo",
    "belief_state_generation": "people: two; city: Oslo; area: any",
    "act_classification": "offer",
    "find_missing_utterance": "1",
    "response_generation": "Done.",
    "persona_grounded_generation": "I ski.",
    "summarization": "A table is booked.",
    "eval_binary": "yes",
}


class Knowing(Scripted):
    """Answers by task type, and remembers the questions."""

    def __init__(self) -> None:
        super().__init__(domains.get("dialogue"), dict(ANSWERS))
        self.questions = list[Any]()

    def answer(self, rows: list[Any]) -> list[str]:
        self.questions += rows
        return [self.answers[row["task"]] for row in rows]


@pytest.fixture
def model() -> Any:
    return typed_model(domains.get("dialogue"))(Knowing())


def test_a_message_has_one_of_the_intents_and_slots_with_offsets(model: Any) -> None:
    (found,) = model([MESSAGE], labels=["set alarm", "play music"], slots=["time"])
    assert (found.label, found.slots) == ("set alarm", (Slot("time", "seven", 22, 27),))
    assert found.to_rows() == [
        {
            "text": MESSAGE, "label": "set alarm", "slot": "time", "value": "seven", "start": 22, "end": 27,
            "written": "", "note": "",
        }
    ]  # fmt: skip
    assert [question["options"] for question in model.predictor.questions] == [["set alarm", "play music"], ["time"]]
    assert json.dumps(found.to_dict())


def test_a_dialogue_is_asked_about_its_last_user_turn_or_its_last_turn(model: Any) -> None:
    context = "[CONTEXT] A table for two [ENDOFTURN] In which city?"
    by_role = [{"role": role, "text": text} for role, text in zip(("user", "assistant") * 2, TABLE, strict=True)]
    for dialogue in (TABLE, by_role, {"turns": TABLE, "id": 7}):
        (found,) = model([dialogue], labels="set alarm, book table")
        assert found.text == "In Oslo"
        assert model.predictor.questions[-1]["input"] == f"{context} [RESPONSE] In Oslo"
    model([TABLE], task="act_classification", labels=["offer", "request"])
    assert model.predictor.questions[-1]["input"].endswith("In Oslo [RESPONSE] I have found one.")
    model([TABLE], task="summarization")
    assert model.predictor.questions[-1]["input"].endswith("In Oslo [ENDOFTURN] I have found one.")


def test_the_state_is_that_after_the_last_user_turn_and_may_have_values_that_nobody_said(model: Any) -> None:
    slots = {"people": [], "city": [], "area": ["any"]}
    (found,) = model([TABLE], task="belief_state_generation", slots=slots)
    assert model.predictor.questions[-1]["input"].endswith("[ENDOFTURN] In Oslo")
    assert [(slot.name, slot.value, slot.start) for slot in found.slots] == [
        ("people", "two", -1), ("city", "Oslo", -1), ("area", "any", -1)]  # fmt: skip
    assert not found.notes and found.to_rows()[0]["start"] is None
    (found,) = model([TABLE], task="belief_state_generation", slots=["people", "city"])
    assert found.notes == ('"area" is not among the slots',)


def test_task_types_with_other_fields_names_and_turns_as_options_are_asked(model: Any) -> None:
    (found,) = model([{"turns": ["Hi"], "persona": "I ski."}], task="persona_grounded_generation")
    assert (found.written, model.predictor.questions[-1]["input"]) == ("I ski.", "[PERSONA] I ski. [CONTEXT] Hi")
    (found,) = model([TABLE[:3]], task="slot_value_generation", names={"slot": "city"})
    assert found.slots == (Slot("city", "Oslo", 3, 7),)
    (found,) = model([TABLE], task="find_missing_utterance")
    assert model.predictor.questions[-1]["options"] == ["0", "1", "2", "3", "all correct"]
    assert "[CONTEXT] 0: A table for two [ENDOFTURN] 1: In which city?" in model.predictor.questions[-1]["input"]
    assert found.label == "1"
    assert model([TABLE], task="eval_binary")[0].label == "yes"
    assert model(["Hello"])[0].written == "Done."


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"task": "intent_classification"}, 'no labels for the task intent_classification; .* "play music"'),
        ({"task": "belief_state_generation"}, "no slots for the task"),
        ({"task": "slot_present"}, r'no slot for the task slot_present; .* names=\{"slot"'),
        ({"task": "intents"}, 'the task "intents"'),
        ({"task": "instruction_binary"}, "not about a dialogue"),
        ({"labels": []}, "labels: an empty list"),
        ({"labels": ""}, "labels: an empty list"),
        ({"slots": []}, "slots: an empty list"),
        ({"labels": ["a", "a"]}, 'the option "a" twice'),
        ({"labels": ["a||||b"]}, 'without "||||"'),
        ({"labels": [" "]}, "an empty option"),
        ({"slots": 5}, "slots = 5"),
    ],
)
def test_options_that_make_no_sense_are_errors_before_the_model_is_asked(
    model: Any, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ZooError, match=message.replace("||||", r"\|\|\|\|")):
        model([TABLE], **options)
    assert not model.predictor.questions


@pytest.mark.parametrize(
    ("dialogue", "reason"),
    [
        ([], "a dialogue without turns"),
        (["Hello", "Hi"] * 5_000, f"10,000 turns; expected at most {MAX_TURNS:,}"),
        (["Hello " * 100] * 1_000, "characters"),
        ([{"role": "waiter", "text": "Hi"}], 'turn 1: the role "waiter"'),
        ([{"role": "user", "text": "Hi"}] * 2, "turns 1 and 2 are both of the user"),
        ([{"role": "system", "text": "Hi"}], "no turn of the user"),
        (["Hello", ""], "turn 2: There is no word in it"),
        (["Hello", None], "turn 2: found NoneType"),
        (["Hello", "[RESPONSE] Bye", "Hi"], r'contains "[RESPONSE]"'),
        ({"turns": "Hello"}, "found str; expected a message, or turns"),
        (7, "found int"),
    ],
)
def test_a_bad_dialogue_has_an_error_and_the_others_their_answers(model: Any, dialogue: Any, reason: str) -> None:
    good, bad, last = model([MESSAGE, dialogue, TABLE], labels=["set alarm", "book table"])
    assert (good.label, good.error, last.label, last.error) == ("set alarm", "", "set alarm", "")
    assert reason in bad.error and not bad.label
    assert bad.to_dict()["error"] == bad.error


def test_speakers_with_names_are_taken_by_tasks_that_are_not_about_a_user(model: Any) -> None:
    chat = [{"speaker": name, "text": "See you"} for name in ("Ann", "Bo", "Bo")]
    (found,) = model([chat], task="summarization")
    assert found.written == "A table is booked."
    assert "no turn of the user" in model([chat], labels=["meet"])[0].error


@fuzzed(
    st.recursive(
        st.sampled_from(ODD_VALUES),
        lambda values: st.one_of(
            st.lists(values, max_size=4),
            st.fixed_dictionaries({"turns": values}, optional={"persona": values, "id": values}),
            st.fixed_dictionaries({"text": values}, optional={"role": st.sampled_from(("user", "system")) | values}),
        ),
    ),
    examples=100,
)
def test_any_value_is_a_dialogue_or_refused(value: Any) -> None:
    is_own_row = isinstance(value, dict) and "turns" not in value
    for options in ({"labels": ["a", "b"]}, {"task": "summarization"}, {"task": "persona_grounded_generation"}):
        if not is_own_row:
            reads_or_refuses(partial(answers.rows, value, answers.Options(**options)))


def test_turns_that_are_not_read_are_said(model: Any) -> None:
    (found,) = model([["Yes", "No"] * 20], labels=["set alarm"])
    assert found.notes[0].startswith(f"{38 - CAPS.turns} of 40 turns were not read")
    assert model.predictor.questions[-1]["input"].count("[ENDOFTURN]") == CAPS.turns - 1
    (found,) = model([["word " * CAPS.dialogue_words, "No"]], task="summarization")
    assert found.notes[0].startswith("1 of 2 turns")
    assert not model([TABLE], labels=["set alarm"])[0].notes


def test_what_is_not_on_offer_or_not_in_the_turn_is_said(model: Any) -> None:
    model.predictor.answers |= {"intent_classification": "sing", "slot_filling": "time: eight; day: seven"}
    (found,) = model([MESSAGE], labels=["set alarm"], slots=["time"])
    assert found.notes == (
        '"sing" is not among the labels', '"eight" is not in the text', '"day" is not among the slots')  # fmt: skip
    model.predictor.answers["slot_filling"] = "time: seven; time: me"
    assert model([MESSAGE], slots=["time"])[0].notes == ('"time" has 2 values',)
    model.predictor.answers["slot_filling"] = "time: seven; time: seven; time: seven"
    (found,) = model([MESSAGE], slots=["time"])
    assert (len(found.slots), found.notes) == (1, ("2 repetitions of slots were left out",))
    model.predictor.answers["slot_filling"] = "seven"
    assert "in the wrong format" in model([MESSAGE], slots=["time"])[0].notes[0]


def test_a_persona_task_without_persona_says_what_is_missing(model: Any) -> None:
    (found,) = model([TABLE], task="persona_grounded_generation")
    assert '"persona": "..."' in found.error


def test_a_row_of_the_domain_is_its_own_question(model: Any) -> None:
    row = {"instruction": "", "input": "[CONTEXT] [RESPONSE] Hi", "output": "", "options": ["set alarm", "greet"]}
    (found,) = model([row | {"task": "intent_classification"}])
    assert (found.label, found.error) == ("set alarm", "")


def test_probabilities_of_labels_add_up_to_one_and_the_likeliest_label_is_the_answer() -> None:
    domain, recipe = domains.get("dialogue"), recipes.load("dialogue/tiny", ["model.backbone=scratch:llama-2x64"])
    words = [MESSAGE, *TABLE, "set alarm", "play music", "book a table", *map(str, range(300))]
    bundle = models.load(recipe.model, 0, lambda: words)
    model = typed_model(domain)(Predictor(domain, recipe, bundle, Path()))
    labels = ["set alarm", "play music", "book a table"]
    for options in ({"labels": labels}, {"labels": labels, "slots": ["time"]}):
        found = model.option_probabilities([MESSAGE, TABLE], **options)
        assert [list(of_input) for of_input in found] == [labels] * 2
        assert all(sum(of_input.values()) == pytest.approx(1) for of_input in found)
    answered = [answer.label for answer in model([MESSAGE, TABLE], labels=labels)]
    assert answered == [max(of_input, key=lambda label: of_input[label]) for of_input in found]
    assert model.option_probabilities([TABLE], task="summarization") == [{}]
    with pytest.raises(ZooError, match="a dialogue without turns"):
        model.option_probabilities([[]], labels=labels)


@pytest.fixture
def predict(monkeypatch: pytest.MonkeyPatch, model: Any) -> Any:
    monkeypatch.setattr(predict_command.model_option, "for_answers", lambda *_, **__: "tiny")
    monkeypatch.setattr(predict_command.model_option, "about", lambda *_: {})
    monkeypatch.setattr(infer, "open_chosen", lambda domain, chosen: model.predictor)
    monkeypatch.setattr(predict_command, "identity", lambda predictor: "scripted")
    return lambda source, output, **options: api.predict(
        "dialogue", str(source), str(output), quiet=True, options=options
    )


def test_dialogues_of_a_file_are_answered_with_their_other_fields(predict: Any, tmp_path: Path) -> None:
    source, output = tmp_path / "dialogues.jsonl", tmp_path / "answers.jsonl"
    dialogues = [{"turns": TABLE, "id": 7}, {"turns": ["Hi", ""], "id": 8}, {"turns": [MESSAGE], "id": 9}]
    source.write_text("".join(json.dumps(dialogue) + "\n" for dialogue in dialogues))
    assert predict(source, output, labels="set alarm, book table")["failed"] == 1
    lines = [json.loads(line) for line in output.read_text().splitlines()]
    assert [(line["line"], line["id"], line["label"]) for line in lines] == [
        (1, 7, "set alarm"), (2, 8, ""), (3, 9, "set alarm")]  # fmt: skip
    assert "turn 2" in lines[1]["error"]
    table = tmp_path / "answers.csv"
    predict(source, table, task="belief_state_generation", labels="people,city,area")
    assert table.read_text().splitlines()[1].startswith("1,7,In Oslo,,people,two,")


def test_dialogues_and_messages_of_standard_input_are_answered(
    predict: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [{"turns": TABLE, "id": 7}, {"text": MESSAGE, "id": 8}]
    stdin = io.TextIOWrapper(io.BytesIO("".join(json.dumps(line) + "\n" for line in lines).encode()))
    monkeypatch.setattr("sys.stdin", stdin)
    assert predict("-", "-", labels="set alarm, book table")["answered"] == 2
    answered = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["id"], line["text"], line["label"]) for line in answered] == [
        (7, "In Oslo", "set alarm"), (8, MESSAGE, "set alarm")]  # fmt: skip


def test_messages_of_a_table_are_answered_by_labels_in_one_text(predict: Any, model: Any, tmp_path: Path) -> None:
    source, output = tmp_path / "messages.csv", tmp_path / "answers.csv"
    source.write_text(f"id,text\n7,{MESSAGE}\n")
    predict(source, output, labels="set alarm, play music")
    assert output.read_text().splitlines()[1].startswith(f"2,7,{MESSAGE},set alarm,")
    assert model.predictor.questions[0]["options"] == ["set alarm", "play music"]
