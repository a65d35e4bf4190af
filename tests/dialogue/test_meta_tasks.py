"""Variations of questions with options, and the two meta-tasks."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random

import pytest

from instructzoo.core.errors import ZooError
from instructzoo.core.record import Row
from instructzoo.dialogue import prompts
from instructzoo.dialogue.data.field_format import split_fields
from instructzoo.dialogue.data.row_fields import options_of, written_options
from instructzoo.dialogue.prompts.instructions import INSTRUCTIONS, general
from instructzoo.dialogue.prompts.meta_tasks import (
    Variation,
    instruction_binary,
    instruction_selection,
    meta_rows,
    shuffled_options,
    varied,
    with_none_of_the_above,
)
from instructzoo.dialogue.prompts.rows import make_row
from instructzoo.dialogue.schema import Example
from instructzoo.dialogue.tasks import NONE_OF_THE_ABOVE, TASKS

INTENT = Example("intent_classification", (("RESPONSE", "Play some jazz"),), "play", ("book", "play", "pay", "call"))
ACT = Example("act_classification", (("RESPONSE", "Bye"),), "bye", ("bye", "inform", "thank"), references=("thank",))
VALUE = Example("slot_value_generation", (("RESPONSE", "At noon"),), "noon", names={"slot": "time"})
ALL = Variation(none_of_the_above=1, letters=1)
TRAINED = ("intent_classification", "act_classification", "slot_value_generation", "response_generation")


def row(example: Example, number: int = 0) -> Row:
    fields = tuple((token, f"{text} {number}") for token, text in example.fields)
    return make_row(replace(example, fields=fields, item=str(number)), "corpus", "source", "CC0-1.0")


def drawn(example: Example, n: int = 400) -> list[Example]:
    return [with_none_of_the_above(example, Random(seed)) for seed in range(n)]


def target(question: Row) -> str:
    return "".join(segment.text for segment in prompts.render(question) if segment.supervised)


def test_none_of_the_above_is_right_in_half_of_the_draws_and_never_beside_a_right_option() -> None:
    examples = drawn(INTENT)
    right = [example for example in examples if example.output == NONE_OF_THE_ABOVE]
    assert 160 < len(right) < 240
    assert all(set(example.options) == {"book", "pay", "call", NONE_OF_THE_ABOVE} for example in right)
    added = [example for example in examples if example.output == "play"]
    assert Counter(len(example.options) for example in added).keys() == {4, 5}, "beside, or in place of a wrong option"
    assert all({"play", NONE_OF_THE_ABOVE} <= set(example.options) for example in added)
    assert len({example.options.index(NONE_OF_THE_ABOVE) for example in examples}) == 5


def test_further_right_answers_go_with_the_right_one() -> None:
    for example in drawn(ACT, 60):
        if example.output == NONE_OF_THE_ABOVE:
            assert set(example.options) == {"inform", NONE_OF_THE_ABOVE}
            assert not example.references
        else:
            assert {"bye", "thank", NONE_OF_THE_ABOVE} <= set(example.options)


@pytest.mark.parametrize(
    "example",
    [
        VALUE,
        Example("eval_binary", (("RESPONSE", "Hm"),), "no", ("yes", "no")),
        replace(INTENT, options=(*INTENT.options, NONE_OF_THE_ABOVE)),
    ],
)
def test_questions_without_options_of_evaluation_or_with_none_of_the_above_stay_as_they_are(example: Example) -> None:
    assert {again.output for again in drawn(example, 20)} == {example.output}
    assert all(again == example for again in drawn(example, 20))


def test_options_are_shuffled_by_the_seed_of_the_row_and_nothing_is_lost() -> None:
    shuffled = [varied(INTENT, Variation(none_of_the_above=0, letters=0), seed) for seed in range(30)]
    assert len({example.options for example in shuffled}) > 5
    assert {tuple(sorted(example.options)) for example in shuffled} == {tuple(sorted(INTENT.options))}
    assert shuffled[3] == varied(INTENT, Variation(none_of_the_above=0, letters=0), 3)
    other = varied(replace(INTENT, fields=(("RESPONSE", "Play"),)), Variation(letters=0, none_of_the_above=0), 3)
    orders = {
        varied(replace(INTENT, fields=(("RESPONSE", str(n)),)), Variation(letters=0), 3).options for n in range(9)
    }
    assert len(orders) > 3 and other.output == "play", "the text decides with the seed"


def test_indices_of_turns_keep_their_order() -> None:
    example = Example("find_missing_utterance", (("CONTEXT", "0: a [ENDOFTURN] 1: b"),), "1", ("0", "1", "all correct"))
    assert shuffled_options(example, Random(1)).options == example.options


@pytest.mark.parametrize("seed", range(8))
def test_letter_and_text_agree_in_every_variation(seed: int) -> None:
    question = row(varied(INTENT, ALL, seed))
    letter = target(question)
    assert len(letter) == 1
    assert options_of(question)[written_options(question).index(letter)] == question["output"]
    assert prompts.parse(letter, question) == prompts.Answer(question["output"])


def test_more_than_26_options_have_no_letters() -> None:
    example = replace(INTENT, options=(*map(str, range(26)), "play"))
    assert varied(example, replace_settings(letters=1), 0).option_labels == ""


def replace_settings(**values: float) -> Variation:
    return Variation.model_validate({"none_of_the_above": 0, "letters": 0, **values})


def test_selection_offers_one_right_and_three_wrong_instructions_and_its_target_is_a_letter() -> None:
    places = Counter()
    for seed in range(60):
        question = instruction_selection(row(VALUE), TRAINED, Random(seed))
        options = options_of(question)
        right = {general(wording) for wording in INSTRUCTIONS["slot_value_generation"]}
        assert len(options) == 4 and len(right & set(options)) == 1
        assert question["output"] in right
        assert written_options(question) == ("A", "B", "C", "D")
        places[target(question)] += 1
        wordings = {general(w) for task in TRAINED for w in INSTRUCTIONS[task]}
        assert set(options) <= wordings, "instructions of held-out task types are not shown"
        assert split_fields(question["input"]) == [("RESPONSE", "At noon 0"), ("OUTPUT", "noon")]
    assert places.keys() == set("ABCD")


def test_binary_is_yes_for_an_own_instruction_and_no_for_another_ones_in_halves() -> None:
    answers = Counter()
    for seed in range(200):
        question = instruction_binary(row(INTENT), TRAINED, Random(seed))
        fields = dict(split_fields(question["input"]))
        own = fields["INSTRUCTION"] in {general(wording) for wording in INSTRUCTIONS["intent_classification"]}
        assert question["output"] == ("yes" if own else "no")
        assert options_of(question)["AB".index(target(question))] == question["output"]
        assert fields["OUTPUT"] == "play"
        answers[question["output"], target(question)] += 1
    assert len(answers) == 4 and min(answers.values()) > 30, "neither the answer nor the letter can be guessed"


def test_meta_rows_take_the_same_number_of_each_task_type_and_leave_none_of_the_above_out() -> None:
    rows = [row(example, n) for example in (INTENT, ACT, VALUE) for n in range(12)]
    rows += [row(with_none_of_the_above(INTENT, Random(n)), n) for n in range(12)]
    settings = Variation(instruction_selection=5, instruction_binary=20)
    made = meta_rows(rows, settings, 7)
    assert Counter(question["task"] for question in made) == {"instruction_selection": 15, "instruction_binary": 36}
    assert not any(NONE_OF_THE_ABOVE in question["input"] for question in made)
    assert made == meta_rows(rows, settings, 7) != meta_rows(rows, settings, 8)
    assert {(q["source"], q["licence"], q["dataset"]) for q in made} == {("source", "CC0-1.0", "corpus")}
    assert {question["item"] for question in made} <= {str(n) for n in range(12)}, "they stay in their split"
    assert not meta_rows([*rows, *made], Variation(instruction_selection=0, instruction_binary=0))
    assert {TASKS[q["task"]].group for q in meta_rows([*rows, *made], settings)} == {"meta"}


def test_one_task_type_has_no_meta_tasks() -> None:
    assert meta_rows([row(INTENT, n) for n in range(5)], Variation()) == []
    with pytest.raises(ZooError, match="instructions of intent_classification alone"):
        instruction_selection(row(INTENT), ["intent_classification"], Random(1))
