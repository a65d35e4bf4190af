"""The demo: a chat with intent, slots, state and act beside each turn; any task type; own intents; new utterances."""

from __future__ import annotations

from typing import Any

import gradio as gr

from instructzoo.core import ui
from instructzoo.core.recipe import Recipe
from instructzoo.core.ui.model_choice import ModelChoice, about_box, model_bar
from instructzoo.dialogue.demo import chat_tab, generate_tab, intents_tab, task_tab
from instructzoo.dialogue.demo.css import STYLE

TITLE = "Dialogue"
SUMMARY = "Chat, and see what the model understands of each turn: name your own intents, slots and tasks."
GROUP_NAMES = {
    "all": "all tasks",
    "classification": "one label of several",
    "slots": "values of slots",
    "state": "states of dialogues",
    "selection": "one turn or answer of several",
    "evaluation": "how good a response is",
    "generation": "free text, right to the letter",
    "meta": "questions about instructions",
}
"""What the table of scores calls the groups of task types."""


def build(predictor: Any) -> gr.Blocks:
    """Build the page: tabs for a chat, any task type, own intents and new utterances, and what to know of the model.

    Args:
        predictor: An instructzoo.core.infer.Predictor of this domain.

    Returns:
        The page. Invalid input gets one line of explanation on it, never an exception.
    """
    with ui.page(f"instructzoo · {TITLE}") as page:
        gr.HTML(ui.head(TITLE, SUMMARY) + STYLE)
        bar = model_bar(ModelChoice(predictor))
        with gr.Tab("Chat"):
            chat_tab.build_tab(bar)
        with gr.Tab("Any task"):
            task_tab.build_tab(bar)
        with gr.Tab("Intents"):
            intents_tab.build_tab(bar)
        with gr.Tab("Generate"):
            generate_tab.build_tab(bar)
        about_box(bar, lambda chosen: limits(chosen.recipe), GROUP_NAMES)
    return page


def limits(recipe: Recipe) -> list[tuple[str, str]]:
    """Lines of the card: how the model is used, and what it was not trained for."""
    use = ("Use", "answers are held to the labels that you name, and values of slots to words of the dialogue")
    if set(recipe.data.sources) == {"world"}:
        return [
            use,
            ("Limits", "bookings, weather, music and smart homes as a program writes them; all else is guessed"),
        ]
    return [
        use,
        ("Labels", "your own, in plain words: a label is understood by its name alone"),
        ("Limits", "English; responses are short and may be wrong: no facts are looked up, and nothing is booked"),
    ]
