"""Edits one after another: a result becomes the next picture, and every earlier step can be resumed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr
import numpy as np

from instructzoo.pix2pix.demo import thumbnails
from instructzoo.pix2pix.edit_request import EditResult
from instructzoo.pix2pix.images import Pixels

MAX_STEPS = 12
"""Pictures of a history; the earliest are dropped."""
FIRST = "the picture"


@dataclass(frozen=True, eq=False)
class HistoryStep:
    """A picture of the history, and the instruction that made it."""

    pixels: Pixels
    instruction: str


def build_history(last: gr.State, picture: gr.Image, instruction: gr.Textbox, continue_button: gr.Button) -> None:
    """Lay out the strip of steps.

    Args:
        last: State with the edit that is shown.
        picture: The picture to edit; it is set to the chosen step.
        instruction: Emptied when the user continues.
        continue_button: Continues from the edit that is shown.
    """
    history = gr.State([])
    strip = thumbnails.strip_component("pix2pix-chain")

    def continue_from(edited: EditResult | None, steps: list[HistoryStep]) -> tuple[Any, Any, list[HistoryStep], Any]:
        if edited is None:
            return gr.skip(), gr.skip(), steps, gr.skip()
        steps = append_edit(steps, edited)
        return edited.after, "", steps, strip_html(steps)

    def go_back(steps: list[HistoryStep], event: gr.EventData) -> tuple[Any, list[HistoryStep], Any]:
        steps = steps[: thumbnails.clicked_index(event, len(steps)) + 1]
        return steps[-1].pixels, steps, strip_html(steps)

    continue_button.click(
        continue_from, [last, history], [picture, instruction, history, strip], api_visibility="private"
    )
    strip.click(go_back, history, [picture, history, strip], api_visibility="private")


def append_edit(steps: list[HistoryStep], edited: EditResult) -> list[HistoryStep]:
    """The history with an edit at its end; a new history if the edit began with another picture."""
    continues = steps and np.array_equal(steps[-1].pixels, edited.before)
    start = steps if continues else [HistoryStep(edited.before, FIRST)]
    return [*start, HistoryStep(edited.after, edited.instruction)][-MAX_STEPS:]


def strip_html(steps: list[HistoryStep]) -> str:
    """HTML of the strip of steps, numbered."""
    pictures = [(step.pixels, f"{index}. {step.instruction}") for index, step in enumerate(steps)]
    return thumbnails.strip_html("Steps so far; click one to go back to it", pictures)
