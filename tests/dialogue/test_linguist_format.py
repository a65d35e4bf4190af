"""Utterances with slots in brackets, the five blocks of a prompt, and leave-one-out questions."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instructzoo.core.errors import ZooError
from instructzoo.core.record import Invalid
from instructzoo.dialogue import prompts
from instructzoo.dialogue.data import readers
from instructzoo.dialogue.data.field_format import split_fields
from instructzoo.dialogue.data.leave_one_out import IntentExamples, PromptRules, by_intent, question
from instructzoo.dialogue.prompts.linguist_format import Request, Wish, name_in_words, tag, untag
from instructzoo.dialogue.prompts.rows import make_row
from instructzoo.dialogue.schema import Example, Slot, Turn

LABELS = ("city", "sky", "time")


def utterance(*pieces: str | tuple[str, str], intent: str = "GetWeather") -> Turn:
    """An utterance of plain words and (slot, words), as they follow each other."""
    text, slots = "", []
    for piece in pieces:
        name, words = piece if isinstance(piece, tuple) else ("", piece)
        slots += [Slot(name, words, len(text), len(text) + len(words))] if name else []
        text += words
    return Turn("user", text, intent, slots=tuple(slots))


SNOW = utterance("will there be ", ("sky", "snow"), " in ", ("city", "New York"), "?")
WARM = utterance("is it warm ", ("time", "today"))
RAIN = utterance(("sky", "rain"), " in ", ("city", "Oslo"), " ", ("time", "on Sunday"))

words = st.text(st.characters(exclude_characters="\n", exclude_categories=("Cs",)), max_size=12)
values = words.map(str.strip).filter(bool)
pieces = st.lists(st.one_of(words, st.tuples(st.sampled_from(LABELS), values)), max_size=6)


@given(pieces)
def test_every_tagged_utterance_is_read_back_as_it_was(drawn: list[str | tuple[str, str]]) -> None:
    written = utterance(*drawn)
    assert untag(tag(written, LABELS), LABELS, "GetWeather") == written


@given(st.text("[]\\ 1ab\n", max_size=20))
def test_any_text_of_a_model_is_read_or_refused_with_a_reason(text: str) -> None:
    read = untag(text, LABELS)
    if isinstance(read, Invalid):
        assert read.reason
    else:
        assert all(read.text[slot.start : slot.end] == slot.value for slot in read.slots or ())


def test_slots_stand_in_brackets_with_their_numbers() -> None:
    assert tag(SNOW, LABELS) == "will there be [2 snow ] in [1 New York ]?"
    assert tag(utterance("a [b] \\c"), LABELS) == "a \\[b\\] \\\\c"


@pytest.mark.parametrize("text", ["in [1 Oslo]", "in [1 Oslo ]", "in [1  Oslo  ]"])
def test_spaces_around_the_words_of_a_slot_do_not_matter(text: str) -> None:
    assert untag(text, LABELS, "GetWeather") == utterance("in ", ("city", "Oslo"))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("in [1 Oslo", "brackets that do not match"),
        ("in Oslo ]", "brackets that do not match"),
        ("in [Oslo ]", "brackets that do not match"),
        ("in [4 Oslo ]", "a number without a label"),
        ("in [0 Oslo ]", "a number without a label"),
        ("in [1 ]", "a slot without words"),
        ("in [1 [2 Oslo ] ]", "a slot inside another one"),
    ],
)
def test_a_malformed_utterance_is_invalid_with_its_reason(text: str, reason: str) -> None:
    assert untag(text, LABELS) == Invalid(reason)


@pytest.mark.parametrize(
    "slot", [Slot("city", "Oslo", 0, 4), Slot("city", "in", -1, -1), Slot("land", "in", 0, 2), Slot("city", "n ", 1, 3)]
)
def test_a_slot_without_its_place_or_number_is_an_error(slot: Slot) -> None:
    with pytest.raises(ZooError):
        tag(Turn("user", "in Oslo", slots=(slot,)), LABELS)


def test_a_request_shows_the_five_blocks() -> None:
    request = Request(
        "get weather", LABELS, (Wish("sky", "snow"), Wish("city")), (WARM, RAIN), "German", frozenset({"time"})
    )
    assert request.fields() == (
        ("LANGUAGE", "German"),
        ("INTENT", "get weather"),
        ("INCLUDE", "[2 snow ] [1 * ]"),
        ("LABELS", "1 = city; 2 = sky; 3 = ?"),
        ("EXAMPLES", "is it warm [3 today ]\n[2 rain ] in [1 Oslo ] [3 on Sunday ]"),
    )


@pytest.mark.parametrize(
    "request_of",
    [
        lambda: Request("a", LABELS, (Wish("land"),)),
        lambda: Request("a", ("city", "city")),
        lambda: Request("a", ("a; 2 = b",)),
        lambda: Request("a", LABELS, examples=(WARM,) * 11),
        lambda: Request("a", LABELS, (Wish("city", "Oslo "),)),
    ],
)
def test_a_request_that_no_prompt_could_say_is_an_error(request_of: object) -> None:
    assert callable(request_of)
    with pytest.raises(ZooError):
        request_of()


def questions_on(utterances: list[Turn], rules: PromptRules = PromptRules(), seed: int = 0) -> list[Example]:  # noqa: B008
    examples, rng = IntentExamples.of(utterances), Random(seed)
    return [question(turn, examples, rng, rules) for turn in utterances]


def test_the_answer_of_a_question_never_stands_among_its_examples() -> None:
    many = [utterance("is it ", ("sky", f"sky{n}"), " in ", ("city", f"city{n}")) for n in range(15)]
    for turn, one in zip([*many, many[0]], questions_on([*many, many[0]]), strict=True):
        fields = dict(one.fields)
        assert len(fields["EXAMPLES"].splitlines()) == 10
        assert one.output not in fields["EXAMPLES"].splitlines()
        assert untag(one.output, ["city", "sky"], "GetWeather") == turn or untag(
            one.output, ["sky", "city"], "GetWeather"
        ) == turn  # fmt: skip


def test_numbers_names_and_wishes_vary_by_prompt_and_repeat_by_seed() -> None:
    many = [utterance(("sky", f"s{n}"), " ", ("city", f"c{n}"), " ", ("time", f"t{n}")) for n in range(60)]
    questions = questions_on(many)
    labels = {dict(one.fields)["LABELS"] for one in questions}
    assert {"?" in text for text in labels} == {True, False}
    assert len({text for text in labels if "?" not in text}) == 6
    includes = [dict(one.fields)["INCLUDE"] for one in questions]
    assert any("* ]" in text for text in includes)
    assert any(re.search(r"[sct]\d+ ]", text) for text in includes)
    assert questions == questions_on(many)
    assert questions != questions_on(many, seed=1)


def test_rules_of_one_share_decide_what_the_prompt_gives() -> None:
    (first, _) = questions_on([SNOW, RAIN], PromptRules(given=1, unasked=0, unnamed=0))
    assert {"snow", "York"} <= set(dict(first.fields)["INCLUDE"].split())
    (first, _) = questions_on([SNOW, RAIN], PromptRules(unasked=1, unnamed=1))
    assert (dict(first.fields)["INCLUDE"], dict(first.fields)["LABELS"]) == ("", "1 = ?; 2 = ?; 3 = ?")


def test_a_question_is_a_row_whose_fields_are_read_back() -> None:
    (one, _) = questions_on([SNOW, RAIN])
    row = make_row(one, "mine", "own", "own data")
    assert split_fields(row["input"]) == list(one.fields)
    assert prompts.parse(row["output"], row) == prompts.Answer(one.output)


def test_only_utterances_of_one_line_with_placed_slots_are_examples() -> None:
    unplaced = Turn("user", "in Rome", "GetWeather", slots=(Slot("city", "Rome"),))
    lines, bare = utterance("in\nRome"), Turn("user", "hello", "GetWeather")
    assert by_intent([SNOW, unplaced, lines, bare, Turn("user", "hi", "", slots=())]) == {
        "GetWeather": IntentExamples((SNOW,), ("city", "sky"))
    }


@pytest.mark.parametrize("name", ["GetWeather", "get_weather", "get weather", "getWeather"])
def test_the_name_of_an_intent_is_spoken_in_words(name: str) -> None:
    assert name_in_words(name) == "get weather"


@pytest.mark.realdata
def test_every_utterance_of_snips_is_read_back_from_its_tags(realdata: Path) -> None:
    turns = [dialogue.turns[0] for dialogue in readers.read_file(realdata / "intent_slot" / "snips" / "dev")]
    assert len(turns) == 700
    for intent, examples in by_intent(turns).items():
        for turn in examples.utterances:
            assert untag(tag(turn, examples.slots), examples.slots, intent) == turn
