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
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Protocol

from instructzoo.core.domain import Domain
from instructzoo.core.errors import ZooError
from instructzoo.core.recipe import Recipe
from instructzoo.core.record import Row
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

    def answer(self, rows: Sequence[Row]) -> list[str]:
        """The model's texts, in the order of the rows."""
        ...


class ModelChoice:
    """The predictors of a page: the one that it starts with, and others, each opened when it is first chosen.

    Args:
        predictor: The predictor that the page starts with.
        others: Names of further models that are ready.
        open_model: Opens one of them by its name. It may raise ZooError.
    """

    def __init__(
        self, predictor: Any, others: Sequence[str] = (), open_model: Callable[[str], Any] | None = None
    ) -> None:
        self.start = OWN
        self.names = [self.start, *others]
        self._opened, self._open_model, self._lock = {self.start: predictor}, open_model, threading.Lock()

    def get(self, name: str) -> Any:
        """The predictor of a model, which stays open.

        Args:
            name: One of `names`.

        Raises:
            ZooError: There is no such model, or it cannot be opened.
        """
        with self._lock:
            if name not in self._opened:
                if self._open_model is None or name not in self.names:
                    raise ZooError(f'no model "{name[:40]}"', f"one of {', '.join(self.names)}")
                self._opened[name] = self._open_model(name)
            return self._opened[name]

    def knows(self, name: str) -> str:
        """HTML of the line on what a model knows, or on why it cannot be opened."""
        try:
            recipe = self.get(name).recipe
        except ZooError as error:
            return note(f"{name} cannot be opened: {error}")
        return f'<p class="zoo-knows">{escape(f"A model of the recipe {recipe.domain}/{recipe.name}.")}</p>'


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


def about_box(bar: ModelBar, limits: Callable[[Any], Sequence[tuple[str, str]]]) -> None:
    """Put the folded card of the chosen model into the page that is being built.

    Args:
        bar: The dropdown of the page.
        limits: Lines of the card for a predictor: what the model is for, and what it is not.
    """
    import gradio as gr

    def about(name: str) -> str:
        try:
            predictor = bar.models.get(name)
        except ZooError as error:
            return note(str(error))
        return card(predictor.recipe, predictor.scores, limits(predictor))

    with gr.Accordion("About this model", open=False, elem_id="card"):
        shown = gr.HTML(about(bar.models.start))
    bar.switched.then(about, bar.name, shown, api_visibility="private")
