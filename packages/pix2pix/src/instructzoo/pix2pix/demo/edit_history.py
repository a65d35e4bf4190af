"""Edits one after another: a result becomes the next picture, and every earlier step can be resumed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr
import numpy as np

from instructzoo.pix2pix.demo import rendering
from instructzoo.pix2pix.demo.edit_request import EditResult
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
    strip = gr.Gallery(
        label="Step by step; click one to go back to it", columns=6, fit_columns=False, visible=False, format="png",
        allow_preview=False, interactive=False, buttons=[], height="auto", elem_id="pix2pix-chain",
        elem_classes=["pix2pix-strip"],
    )  # fmt: skip

    def continue_from(edited: EditResult | None, steps: list[HistoryStep]) -> tuple[Any, Any, list[HistoryStep], Any]:
        if edited is None:
            return gr.skip(), gr.skip(), steps, gr.skip()
        steps = append_edit(steps, edited)
        return edited.after, "", steps, gallery_update(steps)

    def go_back(event: gr.SelectData, steps: list[HistoryStep]) -> tuple[Any, list[HistoryStep], Any]:
        steps = steps[: event.index + 1]
        return steps[-1].pixels, steps, gallery_update(steps)

    continue_button.click(
        continue_from, [last, history], [picture, instruction, history, strip], api_visibility="private"
    )
    strip.select(go_back, history, [picture, history, strip], api_visibility="private")


def append_edit(steps: list[HistoryStep], edited: EditResult) -> list[HistoryStep]:
    """The history with an edit at its end; a new history if the edit began with another picture."""
    continues = steps and np.array_equal(steps[-1].pixels, edited.before)
    start = steps if continues else [HistoryStep(edited.before, FIRST)]
    return [*start, HistoryStep(edited.after, edited.instruction)][-MAX_STEPS:]


def gallery_update(steps: list[HistoryStep]) -> Any:
    """The strip with these steps, numbered."""
    pictures = [(rendering.enlarge(step.pixels), f"{index}. {step.instruction}") for index, step in enumerate(steps)]
    return gr.update(value=pictures, visible=bool(pictures))
