"""Generated and translated utterances: requests, checks, and the command `zoo synth`."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from instructzoo.core import ZooError, api
from instructzoo.core.data import write_jsonl
from instructzoo.core.record import Invalid, Row
from instructzoo.dialogue.data import readers
from instructzoo.dialogue.data.leave_one_out import PromptRules
from instructzoo.dialogue.prompts.linguist_format import Request, Wish
from instructzoo.dialogue.schema import Slot, Turn
from instructzoo.dialogue.synthesis import filters
from instructzoo.dialogue.synthesis.filters import Checks
from instructzoo.dialogue.synthesis.generation import generate_utterances, teacher_answers, utterance_line, with_places
from instructzoo.dialogue.synthesis.requests import request_for, slot_values
from instructzoo.dialogue.synthesis.tagger import TaggerSettings, train_tagger
from instructzoo.dialogue.synthesis.translation import LOST, UNCHANGED, translate_utterances

CITIES = ("Oslo", "Rome", "Lima", "Cairo")
EXAMPLES = [
    with_places(Turn("user", f"is it {sky} in {city}", "GetWeather", slots=(Slot("sky", sky), Slot("city", city))))
    for sky, city in zip(("warm", "cold", "dry", "wet"), CITIES, strict=True)
]
PLACED = Request("GetWeather", ("city", "sky"), (Wish("sky", "snow"), Wish("city")), tuple(EXAMPLES[:2]))


def reason(answer: str, checks: Checks, request: Request = PLACED) -> str:
    read = checks.read(answer, request)
    return read.reason if isinstance(read, Invalid) else ""


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("will there be [2 snow ] in [1 Rome ]", ""),
        ("will there be [2 snow ] in [1 Rome ] and in [1 Oslo ]", ""),
        ("will there be [2 snow ] in [1 Rome", "brackets that do not match"),
        ("will there be [3 snow ] in [1 Rome ]", "a number without a label"),
        ("will there be [2 snow ] in [1 Rome ]\nand here", filters.LINES),
        ("will there be [2 Snow ] in [1 Rome ]", filters.MISSING),
        ("will there be [2 snow ] in Rome", filters.MISSING),
        ("will there be [2 snow ] in [1 * ]", filters.UNNAMED_WORDS),
        ("?! ...", filters.NO_WORDS),
        ("", filters.NO_WORDS),
        ("Will it [2 snow ] in [1 Paris ]!", filters.KNOWN),
        ("wird es am Wochenende in [1 Rome ] auch [2 snow ] geben", filters.LANGUAGE),
    ],
)
def test_each_check_rejects_with_its_reason(answer: str, expected: str) -> None:
    assert reason(answer, Checks(["will it snow in Paris"])) == expected


def test_a_copy_of_an_example_is_rejected_whatever_its_case_and_marks() -> None:
    request = Request("GetWeather", ("city", "sky"), (), tuple(EXAMPLES))
    assert reason("Is it [2 warm ] in [1 oslo ]?", Checks(), request) == filters.EXAMPLE


def test_an_utterance_is_kept_once() -> None:
    checks = Checks()
    assert reason("will there be [2 snow ] in [1 Rome ]", checks) == ""
    assert reason("Will there be [2 snow ] in [1 Rome ]?", checks) == filters.DUPLICATE


def test_words_for_two_slots_of_one_name_are_both_looked_for() -> None:
    request = Request("GetWeather", ("city", "sky"), (Wish("city"), Wish("city", "Rome")))
    assert reason("from [1 Rome ] to [1 Oslo ]", Checks(), request) == ""
    assert reason("back to [1 Rome ] please", Checks(), request) == filters.MISSING


def test_titles_in_another_language_are_no_other_language() -> None:
    request = Request("PlayMusic", ("title",), (), (), "English")
    answer = "please play the song [1 über sieben Brücken musst du gehen ] for me now"
    assert reason(answer, Checks(), request) == ""
    german = Request("PlayMusic", ("title",), (), (), "German")
    assert reason(answer, Checks(), german) == filters.LANGUAGE
    assert reason(answer, Checks(check_language=False), german) == ""


def test_an_unknown_language_is_an_error_that_names_a_similar_one() -> None:
    with pytest.raises(ZooError, match="German"):
        filters.language_code("Germann")


def test_with_a_tagger_utterances_that_it_misunderstands_are_rejected() -> None:
    music = [Turn("user", f"play some {word} music", "PlayMusic", slots=()) for word in ("jazz", "loud", "old", "folk")]
    tagger = train_tagger([*EXAMPLES, *music], TaggerSettings(updates=40, width=16, hidden=16, buckets=512))
    request = Request("GetWeather", ("city", "sky"))
    assert reason("is it [2 hot ] in [1 Quito ]", Checks(tagger=tagger), request) == ""
    assert reason("play some [2 hot ] music", Checks(tagger=tagger), request) == filters.OTHER_INTENT


def test_requests_vary_by_number_and_give_words_of_the_slots() -> None:
    values = slot_values(EXAMPLES) | {"day": ["Monday"]}
    requests = [request_for(EXAMPLES, values, PromptRules(examples=2), "English", number) for number in range(60)]
    assert requests == [request_for(EXAMPLES, values, PromptRules(examples=2), "English", n) for n in range(60)]
    assert {len(request.examples) for request in requests} == {2}
    assert {wish.slot for request in requests for wish in request.wishes} == {"city", "sky", "day"}
    given = {wish.value for request in requests for wish in request.wishes if wish.slot == "city"}
    assert given == {*CITIES, "*"}
    assert len({request.labels for request in requests}) == 6
    with pytest.raises(ZooError, match="no examples"):
        request_for([], {}, PromptRules(), "English", 0)


def test_values_without_places_are_looked_up_and_must_stand_once() -> None:
    assert with_places(Turn("user", "to Rome", slots=(Slot("city", "Rome"),))).slots == (Slot("city", "Rome", 3, 7),)
    for text in ("to Oslo", "from Rome to Rome"):
        with pytest.raises(ZooError, match='the value of "city" once'):
            with_places(Turn("user", text, slots=(Slot("city", "Rome"),)))


def obedient(prompt: str, number: int) -> str:
    """What a good model writes: all wishes, with own words for *."""
    wishes = re.search(r"\[INCLUDE\](.*?)\[LABELS\]", prompt)
    assert wishes
    return f"tell me number {number} about " + wishes[1].strip().replace("*", f"thing{number}")


class Teacher:
    """Answers by a function of the prompt and of the number of answers so far."""

    identity = "scripted"

    def __init__(self, says: Callable[[str, int], str] = obedient) -> None:
        self.says, self.prompts = says, list[str]()

    def answer(self, prompts: Sequence[str]) -> list[str]:
        answers = []
        for prompt in prompts:
            answers.append(self.says(prompt, len(self.prompts)))
            self.prompts.append(prompt)
        return answers


def test_utterances_are_generated_by_a_predictor_and_by_a_teacher_alike() -> None:
    rows: list[Row] = []

    def answer(asked: Sequence[Row], /) -> list[str]:
        rows.extend(asked)
        return [obedient(row["input"], len(rows) + n) for n, row in enumerate(asked)]

    generated = generate_utterances(answer, "GetWeather", EXAMPLES, {"city": ["Quito"]}, 30)
    assert (len(generated.utterances), generated.requests, generated.rejected) == (30, 30, {})
    assert {row["task"] for row in rows} == {"utterance_generation"}
    assert all(turn.intent == "GetWeather" and turn.slots for turn in generated.utterances)
    assert all(turn.text[s.start : s.end] == s.value for turn in generated.utterances for s in turn.slots or ())
    assert "Quito" in {s.value for turn in generated.utterances for s in turn.slots or ()}

    teacher = Teacher()
    assert len(generate_utterances(teacher_answers(teacher), "GetWeather", EXAMPLES, {}, 3).utterances) == 3
    assert all(prompt.startswith("You write training data") and "[EXAMPLES]" in prompt for prompt in teacher.prompts)


def test_rejected_answers_are_counted_and_asked_anew_until_the_limit() -> None:
    generated = generate_utterances(teacher_answers(Teacher(lambda p, n: "no")), "GetWeather", EXAMPLES, {}, 4)
    assert (generated.utterances, generated.requests) == ([], 12)
    assert generated.rejected.total() == 12
    half = Teacher(lambda prompt, n: obedient(prompt, n) if n % 2 else "[")
    generated = generate_utterances(teacher_answers(half), "GetWeather", EXAMPLES, {}, 5)
    assert (len(generated.utterances), generated.rejected["brackets that do not match"]) == (5, generated.requests - 5)


def translated(answer: str) -> tuple[list[Turn], dict[str, int]]:
    original = [with_places(Turn("user", "is it warm in Oslo", "GetWeather", slots=EXAMPLES[0].slots))]
    results = translate_utterances(Teacher(lambda prompt, n: answer), original, "German")
    return results.utterances, dict(results.rejected)


def test_a_translation_keeps_intent_and_slots_in_their_new_places() -> None:
    utterances, rejected = translated("Ist es in [2 Oslo ] heute eigentlich [1 warm ]?")
    assert rejected == {}
    slots = (Slot("city", "Oslo", 10, 14), Slot("sky", "warm", 32, 36))
    assert utterances == [Turn("user", "Ist es in Oslo heute eigentlich warm?", "GetWeather", slots=slots)]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("Ist es in [2 Oslo ] warm?", LOST),
        ("Ist es in [2 Oslo ] [1 heiß ]?", LOST),
        ("Ist es in [2 Oslo ] und [2 Oslo ] [1 warm ]?", LOST),
        ("is it [1 warm ] in [2 Oslo ]", UNCHANGED),
        ("est-ce qu'il fait vraiment très [1 warm ] aujourd'hui à [2 Oslo ]", filters.LANGUAGE),
        ("Ist es in [2 Oslo [1 warm ]?", "a slot inside another one"),
    ],
)
def test_a_translation_that_is_wrong_is_rejected_with_its_reason(answer: str, reason: str) -> None:
    assert translated(answer) == ([], {reason: 1})


def write_examples(folder: Path) -> Path:
    music = [Turn("user", f"play {word}", "PlayMusic", slots=()) for word in ("jazz", "folk")]
    path = folder / "mine.jsonl"
    write_jsonl(path, map(utterance_line, [*EXAMPLES, *music]))
    return path


def synthesise(folder: Path, teacher: Any, *settings: str) -> dict[str, Any]:
    folder.mkdir(exist_ok=True)
    return api.synth("dialogue", str(folder / "out"), teacher, [f"examples={write_examples(folder)}", *settings], True)


def test_what_is_written_is_own_data_with_places_of_slots(tmp_path: Path) -> None:
    result = synthesise(tmp_path, Teacher(), "n=5", "check_language=false")
    assert result["kept"] == {"GetWeather": 5, "PlayMusic": 5}
    turns = [turn for dialogue in readers.read_file(tmp_path / "out" / "train.jsonl") for turn in dialogue.turns]
    assert [turn.intent for turn in turns] == ["GetWeather"] * 5 + ["PlayMusic"] * 5
    assert all(turn.text[s.start : s.end] == s.value for turn in turns for s in turn.slots or ())


def test_an_interrupted_call_repeats_no_request_and_ends_with_the_same_file(tmp_path: Path) -> None:
    settings = ("n=6", "teacher.batch=1", "intents=[GetWeather]")

    def says(prompt: str, n: int) -> str:
        return obedient(prompt, n) if n % 3 else "no"

    def dying(prompt: str, n: int) -> str:
        if n == 5:
            raise KeyboardInterrupt
        return says(prompt, n)

    whole, cut = Teacher(says), Teacher(dying)
    synthesise(tmp_path / "whole", whole, *settings)
    with pytest.raises(KeyboardInterrupt):
        synthesise(tmp_path / "cut", cut, *settings)
    assert not (tmp_path / "cut" / "out" / "train.jsonl").exists()
    cut.says = says
    result = synthesise(tmp_path / "cut", cut, *settings)
    assert result["found"] == 5
    assert cut.prompts == whole.prompts
    files = [(tmp_path / name / "out" / "train.jsonl").read_text(encoding="utf-8") for name in ("cut", "whole")]
    assert files[0] == files[1]


def test_too_few_utterances_are_said(tmp_path: Path) -> None:
    result = synthesise(tmp_path, Teacher(lambda prompt, n: "no"), "n=2", "intents=[GetWeather]", "requests=1")
    assert result["kept"] == {"GetWeather": 0}
    assert sum(result["rejected"].values()) == result["asked"] == 2
    assert result["notes"][0] == "fewer than 2 passed for GetWeather 0"


def test_the_command_translates(tmp_path: Path) -> None:
    teacher = Teacher(lambda prompt, n: "heute ist es in Wirklichkeit " + " ".join(re.findall(r"\[\d .*? \]", prompt)))
    result = synthesise(tmp_path, teacher, "task=translate", "language=German", "intents=[GetWeather]")
    assert result["kept"] == {"GetWeather": 4}
    assert all("into German" in prompt for prompt in teacher.prompts)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("intents=[GetWeahter]", "GetWeather"),
        ("language=Klingon", "language"),
        ("values={ctiy: [Rome]}", "city"),
        ("n=0", "n"),
    ],
)
def test_a_wrong_setting_is_an_error_before_any_request(tmp_path: Path, setting: str, message: str) -> None:
    teacher = Teacher()
    with pytest.raises(ZooError, match=message):
        synthesise(tmp_path, teacher, setting)
    assert teacher.prompts == []
