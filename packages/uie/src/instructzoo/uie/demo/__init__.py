"""The demo: enter labels and a text, see entities, relations and events marked and drawn; or process a whole file."""

from __future__ import annotations

from typing import Any

import gradio as gr

from instructzoo.core import ui
from instructzoo.core.recipe import Recipe
from instructzoo.core.ui.model_choice import ModelChoice, about_box, model_bar
from instructzoo.uie.demo import file_tab, text_tab
from instructzoo.uie.demo.css import STYLE
from instructzoo.uie.demo.predictors import ModelsByName
from instructzoo.uie.demo.presets import trained_labels

TITLE = "Information extraction"
SUMMARY = "Write your own labels: the model marks them in your text, with relations and events."
GROUP_NAMES = {
    "all": "all tasks",
    "ner": "entities",
    "re": "relations",
    "ee trigger": "events",
    "ee argument": "who and what an event involves",
    "es": "entities without their types",
    "et": "types of given entities",
}
"""What the table of scores calls the tasks."""


def build(predictor: Any) -> gr.Blocks:
    """Build the page: a tab for one text with its labels, a tab for a file of texts, what to know of the model.

    Args:
        predictor: An instructzoo.core.infer.Predictor of this domain.

    Returns:
        The page. Invalid input gets one line of explanation on it, never an exception.
    """
    with ui.page(f"instructzoo · {TITLE}") as page:
        gr.HTML(ui.head(TITLE, SUMMARY) + STYLE)
        bar = model_bar(ModelChoice(predictor))
        models = ModelsByName(bar.models)
        with gr.Tab("One text"):
            label_boxes, constrained = text_tab.build_tab(bar, models)
        with gr.Tab("A file"):
            file_tab.build_tab(bar, models, label_boxes, constrained)
        about_box(bar, lambda chosen: limits(chosen.recipe), GROUP_NAMES)
    return page


def limits(recipe: Recipe) -> list[tuple[str, str]]:
    """Lines of the card: how the model is used, and what it was not trained for."""
    trained = trained_labels(recipe)
    use = ("Use", "sentence by sentence, for entities, relations and events each; nothing is found across sentences")
    if trained:
        return [
            use,
            ("Labels", ", ".join(trained)),
            ("Limits", "other labels and other kinds of text are answered badly"),
        ]
    return [
        use,
        ("Labels", "your own; those that resemble the labels of its training data are found best"),
        ("Limits", "English; some mentions are missed and some are wrong: check what matters"),
    ]
