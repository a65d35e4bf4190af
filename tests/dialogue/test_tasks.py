"""The table of task types, their instructions, and rows made of examples."""

from __future__ import annotations

import json
from string import Formatter

import pytest

from instructzoo.core.errors import ZooError
from instructzoo.core.infer.grammar import permits
from instructzoo.core.record import Row
from instructzoo.dialogue import prompts
from instructzoo.dialogue.data.field_format import FIELD_TOKENS, join_fields, join_turns, split_fields, split_turns
from instructzoo.dialogue.data.row_fields import names_of, options_of, written_options
from instructzoo.dialogue.prompts.instructions import INSTRUCTIONS, filled, general
from instructzoo.dialogue.prompts.rows import make_row
from instructzoo.dialogue.schema import Example
from instructzoo.dialogue.tasks import INSTRUCTDIAL, NOT_PRESENT, TASKS, YES_NO

MESSAGE = (("CONTEXT", "Hello [ENDOFTURN] What can I do?"), ("RESPONSE", "A table in Oslo for two"))


def row(example: Example, seed: int = 0) -> Row:
    return make_row(example, "made up", "made up", "Apache-2.0", seed)


def target(question: Row) -> str:
    return "".join(segment.text for segment in prompts.render(question) if segment.supervised)


def prompt(question: Row) -> str:
    return "".join(segment.text for segment in prompts.render(question) if not segment.supervised)


def test_the_table_has_the_48_task_types_of_instructdial_its_meta_tasks_and_two_of_the_zoo() -> None:
    assert len(INSTRUCTDIAL) == 48
    others = {task.name for task in TASKS.values()} - set(INSTRUCTDIAL)
    assert others == {"slot_filling", "utterance_generation", "instruction_selection", "instruction_binary"}
    assert {token for task in TASKS.values() for token in task.fields} <= set(FIELD_TOKENS)


def test_options_and_form_of_the_answer_agree() -> None:
    for task in TASKS.values():
        assert (task.answer == "option") == (task.options in ("labels", "yes/no", "turns", "candidates")), task.name
        assert (task.answer == "slots") == (task.options == "slots"), task.name
        assert not task.option_labels or task.answer == "option", task.name


@pytest.mark.parametrize("name", TASKS)
def test_each_task_type_has_three_wordings_of_its_own_that_name_what_the_table_says(name: str) -> None:
    wordings = INSTRUCTIONS[name]
    assert len(set(wordings)) == len(wordings) >= 3
    for wording in wordings:
        assert {placeholder for _, placeholder, _, _ in Formatter().parse(wording) if placeholder} == set(
            TASKS[name].names
        )
        assert "{" not in filled(wording, name, dict.fromkeys(TASKS[name].names, "x")) + general(wording)
        assert not wording.endswith((" ", "\n"))


def test_no_wording_belongs_to_two_task_types() -> None:
    wordings = [wording for texts in INSTRUCTIONS.values() for wording in texts]
    assert len(wordings) == len(set(wordings))
    assert INSTRUCTIONS.keys() == TASKS.keys()


def test_the_seed_and_the_question_decide_the_wording() -> None:
    example = Example("intent_classification", MESSAGE, "book", ("book", "play"))
    assert row(example, 1) == row(example, 1)
    assert len({row(example, seed)["instruction"] for seed in range(40)}) == len(INSTRUCTIONS["intent_classification"])


def test_an_instruction_names_what_the_question_is_about() -> None:
    example = Example("slot_value_generation", MESSAGE, "two", names={"slot": "number of {guests}"})
    question = row(example)
    assert "number of {guests}" in question["instruction"]
    assert names_of(question) == {"slot": "number of {guests}"}
    assert "number of {guests}" in prompt({**question, "instruction": ""})
    with pytest.raises(ZooError, match="no slot for the instruction of slot_value_generation"):
        row(Example("slot_value_generation", MESSAGE, "two"))


@pytest.mark.parametrize("labels", ["letters", "numbers"])
def test_letter_and_text_of_an_answer_agree(labels: str) -> None:
    example = Example("act_classification", MESSAGE, "inform", ("greet", "inform", "request"), option_labels=labels)  # type: ignore[arg-type]
    question = row(example)
    assert question["output"] == "inform"
    written = target(question)
    assert written == {"letters": "B", "numbers": "1"}[labels]
    assert f"{written}: inform" in prompt(question)
    assert prompts.parse(written, question) == prompts.Answer("inform")
    grammar = prompts.constraint(question)
    assert grammar is not None and permits(grammar, written) and not permits(grammar, "inform")


def test_more_options_than_letters_are_refused() -> None:
    options = tuple(map(str, range(27)))
    question = row(Example("intent_classification", MESSAGE, "0", options, option_labels="letters"))
    with pytest.raises(ZooError, match="27 options with letters"):
        written_options(question)


def test_the_value_of_one_slot_is_a_span_of_the_response_or_absent() -> None:
    question = row(Example("slot_value_generation", MESSAGE, "Oslo", names={"slot": "city"}))
    grammar = prompts.constraint(question)
    assert grammar is not None
    assert permits(grammar, "Oslo") and permits(grammar, NOT_PRESENT)
    assert not permits(grammar, "Hello"), "the word stands in the context"


def test_yes_and_no_are_on_offer_where_the_row_names_no_options() -> None:
    assert options_of({"task": "deal_present", "input": "[CONTEXT] Deal"}) == YES_NO


def test_turns_and_fields_are_read_back_as_they_were_written() -> None:
    turns = ["Hello", "[NAME] said: a||||b", "0"]
    text = join_fields((("PERSONA", "I like jazz."), ("CONTEXT", join_turns(turns)), ("RESPONSE", "")))
    assert [token for token, _ in split_fields(text)] == ["PERSONA", "CONTEXT", "RESPONSE"]
    assert split_turns(split_fields(text)[1][1]) == turns
    assert split_turns(join_turns(["a", "b"], numbered=True)) == ["0: a", "1: b"]
    assert split_turns("") == []


@pytest.mark.parametrize("token", ["[CONTEXT]", "[OPTIONS]", "[QUESTION]", "[ENDOFDIALOGUE]"])
def test_a_token_of_the_format_in_a_text_is_an_error_that_names_the_place(token: str) -> None:
    with pytest.raises(ZooError, match=r"turn 2 contains"):
        join_turns(["Hello", f"Write {token} here"])
    with pytest.raises(ZooError, match=r"the text of \[RESPONSE\] contains"):
        join_fields((("RESPONSE", f"Write {token} here"),))


def test_the_end_of_a_turn_inside_a_turn_is_an_error() -> None:
    with pytest.raises(ZooError, match=r"turn 1 contains"):
        join_turns(["Hello [ENDOFTURN] Bye"])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"task": "intents"}, "intent_classification|the task"),
        ({"options": ()}, "one of the options"),
        ({"output": "pay"}, "one of the options"),
        ({"options": ("book", "a||||b")}, "the option"),
        ({"options": ("book", " ")}, "an empty option"),
        ({"options": ("book", "book")}, "twice"),
        ({"fields": (("GRAPH", "x"),)}, r"the field \[GRAPH\] in intent_classification"),
    ],
)
def test_malformed_examples_are_refused(change: dict[str, object], reason: str) -> None:
    fields = {"task": "intent_classification", "fields": MESSAGE, "output": "book", "options": ("book", "play")}
    with pytest.raises(ZooError, match=reason):
        row(Example(**{**fields, **change}))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"options": []}, "without options"),
        ({"options": "[]"}, "without options"),
        ({"options": ["a||||b", "c"]}, "the option"),
        ({"options": "[1"}, "is no JSON"),
        ({"task": "chat"}, "the task"),
        ({"input": "Play jazz"}, "has no field token"),
        ({"input": "[OPTIONS] a||||b"}, "has no field token"),
        ({"input": "[RESPONSE] Play [OPTIONS] a||||b"}, r"the text of \[RESPONSE\] contains"),
        ({"input": "[CONTEXT] Hi [RESPONSE] Play [CONTEXT]"}, r"the text of \[RESPONSE\] contains"),
        ({"option_labels": "roman"}, "option_labels"),
        ({"task": "slot_present", "names": {}}, "no slot"),
        ({"task": "slot_present", "names": [1]}, "names"),
    ],
)
def test_malformed_rows_of_a_user_are_refused(change: dict[str, object], reason: str) -> None:
    question = {"instruction": "", "input": "[RESPONSE] Play jazz", "output": "", "options": json.dumps(["a", "b"])}
    with pytest.raises(ZooError, match=reason):
        prompts.render({**question, **change})
