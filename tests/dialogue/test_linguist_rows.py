"""Rows that train a generator: made of annotated utterances on request, without the intents that it must not know."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from instructzoo.core import ZooError
from instructzoo.core import recipe as recipes
from instructzoo.core.data import write_jsonl
from instructzoo.dialogue import sources
from instructzoo.dialogue.data.field_format import split_fields
from instructzoo.dialogue.prompts.linguist_format import untag
from instructzoo.dialogue.schema import Slot, Turn
from instructzoo.dialogue.synthesis.generation import utterance_line, with_places

CITIES = ("Oslo", "Rome", "Lima", "Cairo", "Quito", "Paris", "Delhi", "Tunis", "Kyiv", "Bern", "Riga", "Accra")
FORMS = {"GetWeather": "is it warm in {}", "find_train": "a train to {} please", "PlayMusic": "play {}"}


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    lines = []
    for intent, form in FORMS.items():
        for city in CITIES:
            slots = () if intent == "PlayMusic" else (Slot("city_name", city),)
            lines.append(utterance_line(with_places(Turn("user", form.format(city), intent, slots=slots))))
    write_jsonl(tmp_path / "train.jsonl", [*lines, {"text": "hello there", "intent": "greet"}])
    write_jsonl(tmp_path / "test.jsonl", [line | {"text": line["text"] + " now"} for line in lines[::6]])
    return tmp_path


def rows(corpus: Path, **options: Any) -> dict[str, list[dict[str, Any]]]:
    overrides = ["data.sources=[own]", f"data.path={corpus}", "data.validation=0.2"]
    overrides += [f"data.options.{name}={value}" for name, value in options.items()]
    built = sources.build(recipes.load("dialogue/tiny", overrides))
    return {split: table.to_list() for split, table in built.items()}


def test_a_question_asks_for_the_utterance_by_others_of_its_intent(corpus: Path) -> None:
    built = rows(corpus, tasks="[utterance_generation]")
    training = {row["item"] for row in built["train"]}
    assert len(built["train"]) + len(built["validation"]) == 36
    for row in (row for split in built.values() for row in split):
        fields = dict(split_fields(row["input"]))
        assert fields["INTENT"] in ("get weather", "find train", "play music")
        labels = () if fields["INTENT"] == "play music" else ("city_name",)
        assert fields["LABELS"] in (("1 = city name", "1 = ?") if labels else ("",))
        examples = [untag(line, labels) for line in fields["EXAMPLES"].splitlines()]
        assert all(isinstance(example, Turn) for example in examples)
        texts = {example.text.casefold() for example in examples if isinstance(example, Turn)}
        assert texts <= training, "an example is a test utterance"
        answer = untag(row["output"], labels)
        assert isinstance(answer, Turn)
        assert answer.text.casefold() not in texts


def test_such_questions_are_made_on_request_only(corpus: Path) -> None:
    assert "utterance_generation" not in {row["task"] for row in rows(corpus)["train"]}


def test_intents_that_are_left_out_stand_in_test_alone(corpus: Path) -> None:
    built = rows(corpus, tasks="[intent_classification]", without_intents="[GetWeather]")
    intents = {split: {row["output"] for row in found} for split, found in built.items()}
    assert "get weather" in intents["test"]
    assert "get weather" not in intents["train"] | intents["validation"]
    generation = rows(corpus, tasks="[utterance_generation]", without_intents="[GetWeather]")
    assert "get weather" not in str(generation)


def test_leaving_out_an_unknown_intent_is_an_error(corpus: Path) -> None:
    with pytest.raises(ZooError, match="GetWeather"):
        rows(corpus, without_intents="[GetWeahter]")
