"""The model that a demo answers with: a dropdown of those that are ready, and a line on what the chosen one knows.

models = ModelChoice(predictor)
with ui.page(title):
    bar = model_bar(models)
    button.click(lambda text, name: answer(models.get(name), text), [text, bar.name], answer_box)
    bar.switched.then(...)             # answer again, with the other model
    about_box(bar, limits)
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from types import MappingProxyType
from typing import Any, Protocol

from instructzoo.core import domain as domains
from instructzoo.core import runs
from instructzoo.core.domain import Domain
from instructzoo.core.errors import ZooError
from instructzoo.core.recipe import Recipe
from instructzoo.core.record import Row
from instructzoo.core.shelf import ShelfModel
from instructzoo.core.ui.about import card
from instructzoo.core.ui.html import note

OWN = "your model"
"""Name of a model that is in no table of models: a run or a folder."""


class AnswersRows(Protocol):
    """What a demo needs of a predictor; instructzoo.core.infer.Predictor is one."""

    @property
    def domain(self) -> Domain: ...

    @property
    def recipe(self) -> Recipe: ...

    @property
    def scores(self) -> dict[str, Any] | None: ...

    @property
    def model(self) -> ShelfModel | None:
        """Its row in the domain's table of models; None for a run or a folder."""
        ...

    @property
    def notice(self) -> str:
        """Why it answers in place of the domain's default; empty where it does not."""
        ...

    def answer(self, rows: Sequence[Row]) -> list[str]:
        """The model's texts, in the order of the rows."""
        ...


class ModelChoice:
    """The predictors of a page: the one that it starts with, and the other models of the domain that are ready.

    Each other one is opened when it is first chosen, and stays open.

    Args:
        predictor: The predictor that the page starts with.

    Attributes:
        start: The name of its model.
        names: The names of all models to choose from, that one first.
    """

    def __init__(self, predictor: AnswersRows) -> None:
        self.domain = domains.get(predictor.recipe.domain)
        self.start = predictor.model.name if predictor.model else OWN
        self.names = [self.start, *(name for name in ready_models(self.domain) if name != self.start)]
        self._opened: dict[str, Any] = {self.start: predictor}
        self._lock = threading.Lock()

    def get(self, name: str) -> Any:
        """The predictor of a model.

        Args:
            name: One of `names`.

        Raises:
            ZooError: There is no such model, or it cannot be opened.
        """
        with self._lock:
            if name not in self._opened:
                if name not in self.names:
                    raise ZooError(f'no model "{name[:40]}"', f"one of {', '.join(self.names)}")
                from instructzoo.core import infer

                self._opened[name] = infer.open_ready(self.domain, name)
            return self._opened[name]

    def knows(self, name: str) -> str:
        """HTML of the line on what a model knows, and why it answers in place of another; or why it cannot be opened.

        Args:
            name: One of `names`.
        """
        try:
            predictor = self.get(name)
        except ZooError as error:
            return note(f"{name} cannot be opened: {error}")
        if predictor.notice:
            return f'<p class="zoo-notice">{escape(predictor.notice)}</p>'
        recipe, model = predictor.recipe, predictor.model
        knows = model.knows if model else f"A model of yours, trained with the recipe {recipe.domain}/{recipe.name}."
        return f'<p class="zoo-knows">{escape(knows)}</p>'


def everyday_scores(domain: Domain, model: ShelfModel | None) -> dict[str, Any] | None:
    """The scores of a bundled model on everyday texts, which stand beside its weights; None where there are none.

    Args:
        domain: The domain of the model.
        model: Its row in the domain's table; None for a run or a folder.
    """
    if model is None or not (model.bundled and domain.has_bundled_model(model.name)):
        return None
    path = domain.bundled_model(model.name) / "everyday.json"
    return runs.read_json(path) if path.is_file() else None


def ready_models(domain: Domain) -> list[str]:
    """The names of the models of a domain that can be opened without a download.

    Args:
        domain: The domain.
    """
    from instructzoo.core.models import model_choice

    return [model.name for model in domain.shelf().values() if model_choice.missing(model) is None]


@dataclass(frozen=True)
class ModelBar:
    """The dropdown of a page.

    Attributes:
        models: The predictors behind it.
        name: The component whose value is the name of the chosen model: an input of every handler that answers.
        switched: The event of another choice, after which the model is open.
    """

    models: ModelChoice
    name: Any
    switched: Any


def model_bar(models: ModelChoice) -> ModelBar:
    """Put the dropdown and the line on what the chosen model knows into the page that is being built.

    Args:
        models: The predictors; with a single one the dropdown is hidden.
    """
    import gradio as gr

    with gr.Row(elem_classes="zoo-models", equal_height=True):
        name = gr.Dropdown(
            [(f"Model: {name}", name) for name in models.names],
            value=models.start,
            label="Model that answers",
            container=False,
            filterable=False,
            scale=0,
            min_width=190,
            visible=len(models.names) > 1,
            elem_id="model",
        )
        knows = gr.HTML(models.knows(models.start), elem_id="knows")
    return ModelBar(models, name, name.input(models.knows, name, knows, api_visibility="private"))


def about_box(
    bar: ModelBar,
    limits: Callable[[Any], Sequence[tuple[str, str]]],
    group_names: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Put the folded card of the chosen model into the page that is being built.

    Args:
        bar: The dropdown of the page.
        limits: Lines of the card for a predictor: what the model is for, and what it is not.
        group_names: What the table of scores calls a group of examples, by the group; others keep their names.
    """
    import gradio as gr

    def about(name: str) -> str:
        try:
            predictor = bar.models.get(name)
        except ZooError as error:
            return note(str(error))
        return card(
            predictor.recipe,
            predictor.scores,
            limits(predictor),
            predictor.model,
            group_names,
            everyday_scores(bar.models.domain, predictor.model),
        )

    with gr.Accordion("About this model", open=False, elem_id="card"):
        shown = gr.HTML(about(bar.models.start))
    bar.switched.then(about, bar.name, shown, api_visibility="private")
