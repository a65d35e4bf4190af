"""Rows that InstructDial has rendered become questions of the zoo."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from instructzoo.core.errors import ZooError
from instructzoo.dialogue.data.readers import instructdial
from instructzoo.dialogue.data.readers.instructdial import RenderedQuestion


def row(input: str, output: str, **values: Any) -> dict[str, Any]:
    prompt = f"Instruction: Say what the speaker wants\nInput: {input}"
    return {"task": "intent_classification", "dataset": "made-up", "prompt": prompt, "output": output, **values}


def read(folder: Path, *rows: dict[str, Any], left_out: Counter[str] | None = None) -> list[RenderedQuestion]:
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(values) + "\n" for values in rows))
    return list(instructdial.read_examples(path, left_out))


FIELDS = "[CONTEXT] Good morning [ENDOFTURN] Hello! [ENDOFTURN] [RESPONSE] Wake me at seven [ENDOFDIALOGUE]"
MARKED = f"{FIELDS} [OPTIONS] A: play music||||B: set alarm [QUESTION] The best option is"


def test_fields_options_and_question_are_told_apart(tmp_path: Path) -> None:
    text = f"{FIELDS} . The intents are: [OPTIONS] play music||||set alarm [QUESTION] . What is it?"
    (question,) = read(tmp_path, row(text, "set alarm", split="train"))
    assert question.example.fields == (("CONTEXT", "Good morning [ENDOFTURN] Hello!"), ("RESPONSE", "Wake me at seven"))
    assert question.example.options == ("play music", "set alarm")
    assert question.example.output == "set alarm"
    assert question.instruction == "Say what the speaker wants. What is it?"
    assert (question.dataset, question.split) == ("made-up", "train")
    assert question.where == f"{tmp_path}/rows.jsonl:1"


def test_options_may_stand_behind_the_question(tmp_path: Path) -> None:
    (question,) = read(tmp_path, row("[CONTEXT] Deal [QUESTION] Do they agree? [OPTIONS] yes||||no", "yes"))
    assert question.example.options == ("yes", "no")
    assert question.instruction == "Say what the speaker wants. Do they agree?"


@pytest.mark.parametrize("output", ["B", "set alarm", "B: set alarm"])
def test_letter_and_text_of_a_target_agree(tmp_path: Path, output: str) -> None:
    (question,) = read(tmp_path, row(MARKED, output, all_outputs=["B", "set alarm", "A"]))
    assert question.example.options == ("play music", "set alarm")
    assert question.example.output == "set alarm"
    assert question.example.references == ("play music",)


def test_what_a_model_answered_is_no_target(tmp_path: Path) -> None:
    answered = row(MARKED, "A", all_outputs=["B"], metric_score=[{"USR-MLM": -3.1}])
    (question,) = read(tmp_path, answered)
    assert (question.example.output, question.example.references) == ("set alarm", ())
    left_out: Counter[str] = Counter()
    assert not read(tmp_path, answered | {"all_outputs": []}, left_out=left_out)
    assert left_out == {instructdial.NO_TARGET: 1}


def test_numbers_that_are_options_stay(tmp_path: Path) -> None:
    (question,) = read(tmp_path, row("[CONTEXT] a [ENDOFDIALOGUE] [OPTIONS] 1||||none||||0 [QUESTION] Which?", "0"))
    assert (question.example.options, question.example.output) == (("1", "none", "0"), "0")


def test_none_of_the_above_rows_belong_to_their_task_and_keep_no_other_answer(tmp_path: Path) -> None:
    text = "[CONTEXT] Deal [QUESTION] Do they agree? [OPTIONS] none of the above||||no"
    values = row(text, "none of the above", task="deal_present-poluteoptions", all_outputs=["yes"])
    (question,) = read(tmp_path, values)
    assert (question.example.task, question.example.output) == ("deal_present", "none of the above")
    assert question.example.references == ()


def test_free_text_keeps_its_words_and_its_other_references(tmp_path: Path) -> None:
    values = row("[CONTEXT] a [QUESTION] Reply", "Yes,  of course", all_outputs=["Yes,  of course", "Sure"])
    (question,) = read(tmp_path, values)
    assert (question.example.output, question.example.references) == ("Yes,  of course", ("Sure",))


def test_questions_on_one_dialogue_share_their_item(tmp_path: Path) -> None:
    persona = row(f"[PERSONA] I like jazz {FIELDS} [QUESTION] Reply", "Hm")
    first, second = read(tmp_path, row(MARKED, "A"), persona)
    assert first.example.item == second.example.item


def test_rows_without_a_target_among_the_options_are_left_out_and_counted(tmp_path: Path) -> None:
    left_out: Counter[str] = Counter()
    twice = f"{FIELDS} [OPTIONS] a||||a [QUESTION] Which?"
    rows = [row(MARKED, "null"), row(MARKED, "C"), row(MARKED, "A"), row(twice, "a"), row(MARKED, "")]
    assert [q.example.output for q in read(tmp_path, *rows, left_out=left_out)] == ["play music"]
    assert left_out == {instructdial.NO_TARGET: 2, instructdial.OTHER_TARGET: 1, instructdial.SAME_OPTIONS: 1}


def test_a_task_file_gives_its_instances_with_all_definitions_in_turn(tmp_path: Path) -> None:
    path = tmp_path / "taskfile.json"
    instance = {"input": "[CONTEXT] a [ENDOFDIALOGUE] [QUESTION] Ask", "output": "Why?", "dataset": "made-up"}
    task = {"id": "question_generation", "Definitions": ["One.", "Two."], "Instances": [instance] * 3}
    path.write_text(json.dumps(task, indent=1))
    questions = list(instructdial.read_examples(path))
    assert [question.instruction for question in questions] == ["One. Ask", "Two. Ask", "One. Ask"]
    assert {question.example.task for question in questions} == {"question_generation"}
    assert questions[1].where == f"{path}, instance 2"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (row("no field", "x"), "rows.jsonl:2: .*does not begin with a field"),
        (row(MARKED, "A") | {"prompt": "Input: x"}, 'rows.jsonl:2: "Input: x"; expected "Instruction'),
        (row(MARKED, "A", task=None), 'rows.jsonl:2: .*"task"'),
        (row(MARKED, "A", all_outputs="A"), "rows.jsonl:2: .*all_outputs"),
        ({"Instances": [{"output": "x"}], "Definitions": []}, 'rows.jsonl:2, instance 1: .*"input"'),
    ],
)
def test_a_malformed_row_is_an_error_with_its_line(tmp_path: Path, values: dict[str, Any], message: str) -> None:
    with pytest.raises(ZooError, match=message):
        read(tmp_path, row(MARKED, "A"), values)


@pytest.mark.realdata
def test_all_rendered_rows_are_read_but_one_without_a_target(realdata: Path) -> None:
    left_out: Counter[str] = Counter()
    folder = realdata / "dialogue" / "instructdial"
    questions = list(instructdial.read_examples(folder / "sample_text2text.jsonl", left_out))
    assert len(questions) == 999 and left_out == {instructdial.NO_TARGET: 1}
    assert all(not q.example.options or q.example.output in q.example.options for q in questions)
    assert len({question.example.task for question in questions}) == 36
    assert len(list(instructdial.read_examples(folder / "taskfile_question_generation.json"))) == 200
