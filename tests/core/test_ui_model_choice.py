"""The choice of a demo's model: which are offered, when they are opened, and what the page says of them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import gradio as gr
import pytest

from instructzoo.core import domain as domains
from instructzoo.core import infer, ui
from instructzoo.core import recipe as recipes
from instructzoo.core.domain import Domain
from instructzoo.core.errors import ZooError
from instructzoo.core.models import downloads
from instructzoo.core.recipe import Recipe
from instructzoo.core.record import Row
from instructzoo.core.shelf import ShelfModel, TrainingData
from instructzoo.core.ui import model_choice
from instructzoo.core.ui.model_choice import ModelChoice, about_box, model_bar
from instructzoo.core.ui.questions import question_page

TINY = ShelfModel("tiny", "tiny", "from scratch", "Knows its made-up world only.", (), "Apache-2.0")
REAL = TrainingData("rest16", "CC-BY-4.0"), TrainingData("hotels", "none", research_only=True)
SMALL = ShelfModel("small", "small", "smollm2-135m", "Knows reviews that people wrote.", REAL, "Apache-2.0")


@dataclass
class Named:
    """A predictor that answers everything with the name of its model."""

    model: ShelfModel | None = TINY
    notice: str = ""
    recipe: Recipe = field(default_factory=lambda: recipes.load("arithmetic/bundled"))
    scores: dict[str, Any] | None = None

    @property
    def domain(self) -> Domain:
        return domains.get("arithmetic")

    def answer(self, rows: list[Row]) -> list[str]:
        return [self.model.name if self.model else "own"] * len(rows)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """tiny and small are ready; the names of the models that have been opened since."""
    names = list[str]()

    def open_ready(domain: Domain, name: str) -> Named:
        names.append(name)
        return Named({"tiny": TINY, "small": SMALL}[name])

    monkeypatch.setattr(model_choice, "ready_models", lambda domain: ["tiny", "small"])
    monkeypatch.setattr(infer, "open_ready", open_ready)
    return names


def page(models: ModelChoice) -> tuple[Any, Any, list[str]]:
    """The page of a choice, its dropdown, and the HTML on it."""
    with ui.page("A page") as blocks:
        bar = model_bar(models)
        about_box(bar, lambda predictor: [("Not for", "homework")])
    shown = [str(block.value) for block in blocks.blocks.values() if isinstance(block, gr.HTML)]
    blocks.close()
    return blocks, bar.name, shown


def test_another_model_is_opened_when_it_is_chosen_and_only_once(opened: list[str]) -> None:
    models = ModelChoice(Named())
    assert models.names == ["tiny", "small"] and not opened
    assert models.get("small").answer([{}]) == ["small"]
    assert models.get("small") is models.get("small") and opened == ["small"]
    assert models.get("tiny").answer([{}]) == ["tiny"] and opened == ["small"]


def test_a_run_is_offered_beside_the_ready_models(opened: list[str]) -> None:
    models = ModelChoice(Named(model=None))
    assert models.names == [model_choice.OWN, "tiny", "small"]
    assert "trained with the recipe arithmetic/bundled" in models.knows(model_choice.OWN)


def test_a_name_that_is_not_offered_opens_nothing(opened: list[str]) -> None:
    models = ModelChoice(Named())
    for name in ("owner/name", "/etc", ""):
        with pytest.raises(ZooError, match="one of tiny, small"):
            models.get(name)
    assert not opened


def test_the_dropdown_is_shown_only_where_there_is_a_choice(opened: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    _, dropdown, _ = page(ModelChoice(Named()))
    assert dropdown.visible and [value for _, value in dropdown.choices] == ["tiny", "small"]
    monkeypatch.setattr(model_choice, "ready_models", lambda domain: ["tiny"])
    _, dropdown, _ = page(ModelChoice(Named()))
    assert not dropdown.visible and dropdown.value == "tiny"


def test_a_model_whose_base_is_not_here_is_not_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "at_hand", lambda *given: False)
    assert "tiny" in model_choice.ready_models(domains.get("absa"))
    assert "small" not in model_choice.ready_models(domains.get("absa"))


def test_the_page_says_what_the_model_knows_or_why_it_answers(opened: list[str]) -> None:
    assert any("Knows its made-up world only." in text for text in page(ModelChoice(Named()))[2])
    notice = "tiny answers, not small: its base is not here. <b>"
    shown = page(ModelChoice(Named(notice=notice)))[2]
    assert any("tiny answers, not small: its base is not here. &lt;b&gt;" in text for text in shown)


def test_the_about_box_names_data_with_licences_and_what_the_model_is_not_for(opened: list[str]) -> None:
    (about,) = [text for text in page(ModelChoice(Named(SMALL)))[2] if "Not for" in text]
    for expected in ("rest16 (CC-BY-4.0)", "hotels (none, research only)", "smollm2-135m", "Apache-2.0", "homework"):
        assert expected in about, expected


def test_a_model_that_cannot_be_opened_is_said_on_the_page(opened: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(domain: Domain, name: str) -> Any:
        raise ZooError("a damaged file", "another one")

    monkeypatch.setattr(infer, "open_ready", fail)
    assert "small cannot be opened: a damaged file" in ModelChoice(Named()).knows("small")


def test_no_path_of_another_machine_is_shown() -> None:
    for base in ("runs/absa/bundled-base/first/model", "/home/anna/models/x", "./x", "C:\\models\\x", "runs/x"):
        recipe = Recipe.model_validate({"domain": "absa", "model": {"backbone": base}})
        assert base not in ui.card(recipe, {"backbone": base, "systems": SYSTEMS}), base
    recipe = Recipe.model_validate({"domain": "absa", "model": {"backbone": "owner/name"}})
    assert "owner/name" in ui.card(recipe, None)


def test_the_table_of_scores_begins_with_everyday_texts(opened: list[str]) -> None:
    everyday = {"systems": {"model": SYSTEMS["model"] | {"figures": [VALUE | {"value": 0.8, "n": 40}]}}}
    recipe = recipes.load("arithmetic/tiny")
    shown = ui.card(recipe, {"systems": SYSTEMS}, (), SMALL, {"all": "all four"}, everyday)
    cells = re.findall(r">([^<>]+)</t[dh]>", shown)
    assert cells.index("everyday texts, written as a test") < cells.index("80.0%") < cells.index("all four")


VALUE = {"metric": "F1", "value": 0.5, "low": 0.4, "high": 0.6, "n": 20, "group": "all"}
SYSTEMS = {"model": {"scorer": "strict", "figures": [VALUE], "headline": ["F1", "all"], "notes": [], "counts": {}}}


def test_a_question_page_opens_with_its_first_example_answered(opened: list[str]) -> None:
    blocks = question_page(Named(), lambda predictor, text: f"{predictor.answer([{}])[0]} says {text}", ["1 + 1", "2"])
    blocks.close()
    shown = [block.value for block in blocks.blocks.values() if isinstance(block, gr.HTML | gr.Textbox)]
    assert "tiny says 1 + 1" in shown and "1 + 1" in shown
