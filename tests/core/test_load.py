"""`load` gives typed answers in Python: what it takes, what it gives, and what its help says."""

from __future__ import annotations

import pydoc
import warnings
from typing import Any

import pytest

from instructzoo.core import ZooError, load
from instructzoo.core import domain as domains
from instructzoo.core.answers.model import BLOCK_QUESTIONS, Model, typed_model
from instructzoo.core.infer import trained_labels
from instructzoo.core.recipe import Recipe
from instructzoo.core.testing import Scripted

REVIEW = "The pizza was delicious but the waiter was rude."


@pytest.fixture(scope="module")
def absa() -> Any:
    return load("absa", "tiny")


class Counting(Scripted):
    """Answers "nothing" and remembers how many rows it was asked at a time; some rows are refused."""

    def __init__(self, refused: str = "") -> None:
        super().__init__(domains.get("absa"))
        self.refused, self.calls = refused, list[int]()

    def answer(self, rows: list[Any]) -> list[str]:
        self.calls.append(len(rows))
        if self.refused and any(self.refused in row["input"] for row in rows):
            raise ZooError("the question takes 900 tokens", "at most 512", "shorten it")
        return ["nothing"] * len(rows)


def counting(refused: str = "") -> Any:
    return typed_model(domains.get("absa"))(Counting(refused))


def test_answers_are_typed_and_their_offsets_are_those_of_the_text(absa: Any) -> None:
    text, aspects = f"{REVIEW} I hate the keyboard!", ["pizza", "waiter", "keyboard"]
    answers = absa([text, "..."])
    assert [quad.quad.aspect for quad in answers[0].quads] == aspects
    assert [text[slice(*quad.aspect)] for quad in answers[0].quads] == aspects
    assert [text[row["aspect_start"] : row["aspect_end"]] for row in answers[0].to_rows()] == aspects
    assert answers[0].to_dict()["quads"][2]["aspect_at"] == (60, 68)
    assert answers[1].error == "There is no word in it."
    with pytest.raises(AttributeError):
        answers[0].text = "another"


def test_a_task_leaves_the_other_elements_empty(absa: Any) -> None:
    (answer,) = absa([REVIEW], task="aesc")
    assert [(row["aspect"], row["sentiment"]) for row in answer.to_rows()] == [
        ("pizza", "positive"),
        ("waiter", "negative"),
    ]
    assert {row["category"] for row in answer.to_rows()} == {row["opinion"] for row in answer.to_rows()} == {None}


def test_the_model_says_what_it_knows(absa: Any) -> None:
    assert "made-up world" in absa.knows


def test_a_default_that_is_not_the_best_one_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    from instructzoo.core import infer

    opened = load("arithmetic", "tiny").predictor
    monkeypatch.setattr(infer, "open_model", lambda *arguments: replace(opened, notice="tiny answers, small cannot."))
    with pytest.warns(UserWarning, match="small cannot"):
        load("arithmetic")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        monkeypatch.setattr(infer, "open_model", lambda *arguments: opened)
        load("arithmetic")


@pytest.mark.parametrize("name", domains.OFFICIAL_DOMAINS)
def test_help_names_every_option_and_the_kind_of_answer(name: str) -> None:
    module = domains.get(name).module("answers")
    shown = pydoc.plain(pydoc.render_doc(typed_model(domains.get(name))))
    assert f'load("{name}")' in shown
    for option, field in module.Options.model_fields.items():
        assert f"{option} = {field.default!r}: {field.description}" in shown
        assert f"{option}={field.default!r}" in shown, "the signature"
    assert 'load("absa")' in pydoc.plain(pydoc.render_doc(load))


def test_help_lists_the_values_of_an_option_that_has_few() -> None:
    assert "find; asqp: all (one of ae, aesc, tasd, aste, asqp)" in pydoc.render_doc(typed_model(domains.get("absa")))


def test_options_that_are_unknown_or_malformed_are_errors_with_advice() -> None:
    model = counting()
    with pytest.raises(ZooError, match='no option "tsak"; did you mean "task"'):
        model([REVIEW], tsak="ae")
    with pytest.raises(ZooError, match="task"):
        model([REVIEW], task="aspects")
    with pytest.raises(ZooError, match=r'write model\(\["..."\]\)'):
        model(REVIEW)
    with pytest.raises(ZooError, match='no domain "asba" is installed; did you mean "absa"'):
        load("asba")


def test_texts_are_answered_in_batches_of_bounded_size_and_order_is_kept() -> None:
    model = counting()
    texts = ["One. Two. Three."] * 300
    answers = model(texts)
    assert [answer.text for answer in answers] == texts
    assert sum(model.predictor.calls) == 900
    assert max(model.predictor.calls) <= BLOCK_QUESTIONS + 2


def test_a_text_that_cannot_be_answered_leaves_the_others_intact() -> None:
    model = counting(refused="long")
    answers = model(["Good.", "A long one.", "x" * 50_001, "Fine.", 7])
    assert [bool(answer.error) for answer in answers] == [False, True, True, False, True]
    assert "takes 900 tokens" in answers[1].error
    assert "at most 50,000 characters" in answers[2].error
    assert "found int" in answers[4].error
    assert not model(["x" * 50_001], max_characters=60_000)[0].error


def test_a_stream_is_read_as_it_is_answered() -> None:
    model, read = counting(), list[int]()

    def texts() -> Any:
        for number in range(1_000):
            read.append(number)
            yield "Good."

    next(model.stream(texts()))
    assert len(read) <= 128


def test_rows_of_the_domain_are_answered_too(absa: Any) -> None:
    row = {"instruction": "", "input": REVIEW, "task": "ae"}
    (answer,) = absa([row])
    assert {quad.quad.aspect for quad in answer.quads} <= {"pizza", "waiter"}
    assert answer.task == "ae"


def test_progress_is_shown_on_request(capsys: pytest.CaptureFixture[str]) -> None:
    model = counting()
    model(["Good."] * 3)
    assert capsys.readouterr().err == ""
    model(["Good."] * 3, progress=True)
    assert "3 of 3" in capsys.readouterr().err


def test_labels_of_the_model_hold_as_in_the_demo() -> None:
    model = counting()
    model.predictor.labels = {"categories": ["FOOD#QUALITY"], "domains": ["restaurant"]}
    asked = list[Any]()
    model.predictor.answer = lambda rows: (
        asked.extend(rows) or ["rooms is tiny means rooms in general is bad"] * len(rows)
    )
    (answer,) = model(["The rooms were tiny."])
    assert asked[0][trained_labels.TRAINED_LABELS] == model.predictor.labels
    assert "out-of-schema" in answer.unparseable[0]


def test_answers_of_a_model_with_another_prompt_dialect_are_read_by_it() -> None:
    model = counting()
    dialect = {"backbone": "scripted", "dialect": "instructabsa_ate"}
    model.predictor.recipe = Recipe.model_validate({"domain": "absa", "model": dialect})
    model.predictor.answer = lambda rows: ["pizza, waiter"] * len(rows)
    type(model.predictor).prompts = property(lambda self: self.domain.prompts(self.recipe.model.dialect))  # type: ignore[method-assign]
    (answer,) = model([REVIEW], task="ae")
    assert [quad.quad.aspect for quad in answer.quads] == ["pizza", "waiter"]


def test_model_is_the_class_that_help_describes() -> None:
    assert issubclass(typed_model(domains.get("absa")), Model)
