"""The prompt format of InstructDial's checkpoints: its grammar, and questions and answers in it."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from instructzoo.core import recipe as recipes
from instructzoo.core.errors import ZooError
from instructzoo.core.infer.grammar import permits
from instructzoo.core.record import Invalid, Row
from instructzoo.dialogue import prompts, sources, world
from instructzoo.dialogue.prompts.dialects import instructdial
from instructzoo.dialogue.prompts.instructions import INSTRUCTIONS
from instructzoo.dialogue.prompts.rendered_prompts import read_input, read_prompt
from instructzoo.dialogue.prompts.rows import make_row
from instructzoo.dialogue.schema import Example
from instructzoo.dialogue.tasks import TASKS

FIELDS = (("CONTEXT", "Hello [ENDOFTURN] What can I do?"), ("RESPONSE", "A table in Oslo for two"))


def row(task: str, output: str, **values: Any) -> Row:
    fields = tuple((token, text) for token, text in FIELDS if token in TASKS[task].fields)
    return make_row(Example(task, fields, output, **values), "made up", "made up", "Apache-2.0")


def rendered(question: Row) -> tuple[str, str]:
    prompt, target = instructdial.render(question)
    assert (prompt.supervised, target.supervised) == (False, True)
    return prompt.text, target.text


# --- the grammar


@pytest.mark.parametrize(
    ("tail", "lead", "options", "labels", "question"),
    [
        ("[ENDOFDIALOGUE] . All: [OPTIONS] a||||b c [QUESTION] . Which?", ". All:", "a|b c", "", ". Which?"),
        ("[ENDOFDIALOGUE] [QUESTION] Is it so?  [OPTIONS]  yes||||no", "", "yes|no", "", "Is it so?"),
        ("[ENDOFDIALOGUE].  [OPTIONS] 0: a||||1: b: c [QUESTION]The best is ", ".", "a|b: c", "numbers", "The best is"),
        ("[ENDOFDIALOGUE] [OPTIONS] A: a||||B: b [QUESTION] Which?", "", "a|b", "letters", "Which?"),
        ("[ENDOFDIALOGUE] [OPTIONS] B: a||||A: b [QUESTION] Which?", "", "B: a|A: b", "", "Which?"),
        ("[ENDOFTURN] [QUESTION] The response is", "", "", "", "The response is"),
        ("[QUESTION] Choose: [OPTIONS] A: x||||B: y [QUESSTION] The letter:", "", "x|y", "letters", "The letter:"),
        ("", "", "", "", ""),
    ],
)  # fmt: skip
def test_the_irregular_forms_of_the_grammar_are_read(
    tail: str, lead: str, options: str, labels: str, question: str
) -> None:
    text = f"Instruction: Choose one \nInput: [PERSONA] I [SEP] we [CONTEXT] [RESPONSE] [NAME] is here {tail}"
    prompt = read_prompt(text)
    assert prompt.instruction == "Choose one"
    assert [token for token, _ in prompt.fields] == ["PERSONA", "CONTEXT", "RESPONSE"]
    assert dict(prompt.fields)["PERSONA"] == "I [SEP] we"
    assert dict(prompt.fields)["RESPONSE"].removesuffix(" [ENDOFTURN]") == "[NAME] is here"
    assert (prompt.lead, prompt.question, prompt.option_labels) == (lead, question, labels)
    assert "|".join(prompt.options) == options
    assert read_prompt(prompt.text()) == prompt


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[CONTEXT] Hello", 'expected "Instruction'),
        ("Instruction: x\nHello", 'expected "Instruction'),
        ("Instruction: x\nInput: Hello [CONTEXT] you", "does not begin with a field"),
        ("Instruction: x\nInput: [QUESTION] Who?", "does not begin with a field"),
        ("Instruction: x\nInput: [CONTEXT] [CONTEXT]", r"\[CONTEXT\] twice"),
        ("Instruction: x\nInput: [CONTEXT] a [ENDOFDIALOGUE] [RESPONSE] b", r"\[RESPONSE\] behind \[ENDOFDIALOGUE\]"),
        ("Instruction: x\nInput: [CONTEXT] a [OPTIONS] b [OPTIONS] c", r"\[OPTIONS\] twice"),
    ],
)
def test_what_is_no_prompt_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ZooError, match=reason):
        read_prompt(text)


@pytest.mark.realdata
def test_all_thousand_rows_of_instructdial_are_read_and_written_again(realdata: Path) -> None:
    """Written again, each has the same tokens in the same order with the same texts; only spaces around them differ."""
    seen: Counter[str] = Counter()
    for line in (realdata / "dialogue" / "instructdial" / "sample_text2text.jsonl").read_text().splitlines():
        values = json.loads(line)
        prompt = read_prompt(values["prompt"])
        assert tight(prompt.text()) == tight(values["prompt"])
        assert read_input(values["input"]) == prompt.parts
        labels, tokens = prompt.option_labels, [token for token, _ in prompt.parts]
        seen["all"] += 1
        seen["options"] += bool(prompt.options)
        seen["numbers"] += labels == "numbers"
        seen["question first"] += "OPTIONS" in tokens and tokens.index("QUESTION") < tokens.index("OPTIONS")
        seen["no end of the dialogue"] += "ENDOFDIALOGUE" not in tokens
        seen["lead"] += bool(prompt.lead)
        if prompt.options:
            answer = prompt.options[int(values["output"])] if labels else values["output"]
            seen["answer on offer"] += answer in prompt.options
        assert {token for token, _ in prompt.fields} <= set(TASKS[values["task"].split("-")[0]].fields)
    assert seen == {
        "all": 1000, "options": 379, "answer on offer": 379, "numbers": 29, "question first": 137,
        "no end of the dialogue": 30, "lead": 213,
    }  # fmt: skip


def tight(prompt: str) -> str:
    """A prompt with one space around tokens, and none before the line break."""
    return re.sub(r"\s*(\[[A-Z ]+\])\s*", r" \1 ", re.sub(r"\s*\nInput:", "\nInput:", prompt)).strip()


# --- the dialect


def test_a_question_is_written_in_the_tokens_of_instructdial() -> None:
    question = row("intent_classification", "play music", options=("get weather", "play music"))
    assert rendered(question) == (
        f"Instruction: {question['instruction']}\nInput: [CONTEXT] Hello [ENDOFTURN] What can I do? [RESPONSE] A table "
        "in Oslo for two [ENDOFDIALOGUE] Choose one of these: [OPTIONS] get weather||||play music [QUESTION] The right "
        "option is",
        "play music",
    )


@pytest.mark.parametrize(
    ("task", "written"), [("act_classification", "1"), ("dialfact_classification", "B"), ("nli_classification", "pay")]
)
def test_options_have_the_labels_that_instructdial_gives_them_whatever_the_row_says(task: str, written: str) -> None:
    question = row(task, "pay", options=("call", "pay"), option_labels="letters")
    prompt, target = rendered(question)
    assert target == written
    assert read_prompt(prompt).options == ("call", "pay")
    assert {instructdial.parse(text, question) for text in (target, "pay")} == {prompts.Answer("pay")}
    assert task == "nli_classification" or instructdial.parse(f"{written}: pay", question) == prompts.Answer("pay")
    assert prompts.parse(instructdial.rewrite(target, question), question) == prompts.Answer("pay")


def test_options_that_look_like_labels_are_not_taken_for_them() -> None:
    for labels in ("", "letters", "numbers"):
        question = row("act_classification", "0", options=("B", "0", "A"), option_labels=labels)
        assert rendered(question)[1] == "1"
        for written, words in (("0", "B"), ("1", "0"), ("2", "A"), ("A", "A"), ("none", "none")):
            assert prompts.parse(instructdial.rewrite(written, question), question) == prompts.Answer(words), labels


def test_turns_are_numbered_in_instructdials_words() -> None:
    fields = (("CONTEXT", "0: Hello [ENDOFTURN] 1: At 10: Bye"),)
    question = make_row(Example("find_missing_utterance", fields, "1", ("0", "1", "all correct")), "a", "b", "MIT")
    assert "[CONTEXT] Index 0 : Hello [ENDOFTURN] Index 1 : At 10: Bye [ENDOFDIALOGUE]" in rendered(question)[0]


def test_the_question_names_what_it_is_about() -> None:
    question = row("slot_value_generation", "two", names={"slot": "guests"})
    assert rendered(question)[0].endswith("[ENDOFDIALOGUE] [QUESTION] slot: guests. The value is")
    assert "guests" in rendered({**question, "instruction": ""})[0].splitlines()[0]


def test_fields_are_those_that_instructdial_has() -> None:
    rating = row("eval_rating", "4", names={"criterion": "interest", "low": "1", "high": "5"})
    prompt = read_prompt(rendered(rating)[0])
    assert [token for token, _ in prompt.fields] == ["CONTEXT"]
    assert prompt.question == ("criterion: interest. low: 1. high: 5. Rate this response: A table in Oslo for two")
    for task, tokens in (("intent_classification", ["RESPONSE"]), ("emotion_tagging", ["CONTEXT", "RESPONSE"])):
        empty = (("CONTEXT", ""), FIELDS[1])
        question = make_row(Example(task, empty, "a", ("a", "b")), "made up", "made up", "Apache-2.0")
        assert [token for token, _ in read_prompt(rendered(question)[0]).fields] == tokens


def test_states_are_pairs_with_commas_and_values_may_have_commas_too() -> None:
    options = ("area", "food, or drink", "time")
    question = row("belief_state_generation", 'area: the centre, near it; time: "a; b"', options=options)
    target = rendered(question)[1]
    assert target == "area : the centre, near it , time : a; b"
    assert instructdial.rewrite(target, question) == question["output"]
    assert instructdial.rewrite("none", question) == "none"
    assert instructdial.rewrite("hotel-parking : yes , hotel-type : guest house", question) == (
        "hotel-parking: yes; hotel-type: guest house"
    )
    assert instructdial.rewrite("centre", question) == ""
    assert isinstance(instructdial.parse("area :  , time : 9", question), Invalid)


@pytest.mark.parametrize("text", ["", "  "])
def test_silence_is_no_answer(text: str) -> None:
    assert isinstance(instructdial.parse(text, row("deal_present", "yes", options=("yes", "no"))), Invalid)


def test_what_the_dialect_writes_it_reads_back_in_rows_of_the_world() -> None:
    for question in world.generate(200, 3, "train"):
        prompt, target = rendered(question)
        own = prompts.parse("".join(s.text for s in prompts.render(question) if s.supervised), question)
        again = prompts.parse(instructdial.rewrite(target, question), question)
        assert not isinstance(own, Invalid)
        assert again == own, (target, question)
        assert read_prompt(prompt).instruction == question["instruction"]


def test_every_task_type_can_be_asked_in_the_dialect() -> None:
    for task in TASKS.values():
        names = dict.fromkeys(task.names, "x")
        options = ["a", "b"] if task.options != "none" else []
        question = {"task": task.name, "instruction": "", "input": "[CONTEXT] Hi", "names": names, "options": options}
        prompt = read_prompt(rendered(question)[0])
        assert prompt.instruction == INSTRUCTIONS[task.name][0].format(**names)
        assert prompt.question and (prompt.option_labels == task.option_labels or not options)


@pytest.mark.realdata
@pytest.mark.slow
def test_answers_of_real_rows_fit_their_grammar_and_are_read_back_from_both_prompt_formats(realdata: Path) -> None:
    overrides = [f"data.path={realdata}", "data.sources=[snips, dstc8, woz2, instructdial]", "data.options={}"]
    limits = ["data.options.per_dataset=40", "data.options.per_test=5", "data.options.development=train"]
    rows = sources.build(recipes.load("dialogue/paper", [*overrides, *limits]))["train"]
    assert len(set(rows["task"])) > 35
    for question in rows:
        target = "".join(segment.text for segment in prompts.render(question) if segment.supervised)
        grammar, own = prompts.constraint(question), prompts.parse(target, question)
        assert grammar is None or permits(grammar, target), question
        assert not isinstance(own, Invalid)
        assert prompts.parse(instructdial.rewrite(rendered(question)[1], question), question) == own, question
