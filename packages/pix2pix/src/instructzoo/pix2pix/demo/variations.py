"""The same edit with several seeds, in a strip to choose from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import gradio as gr

from instructzoo.core import ui
from instructzoo.core.errors import ZooError
from instructzoo.core.ui.model_choice import ModelBar
from instructzoo.pix2pix.demo import rendering, thumbnails
from instructzoo.pix2pix.edit_request import (
    EditingPredictor,
    EditResult,
    EditSettings,
    check_instruction,
    edit_picture,
    open_picture,
    with_seeds,
)

COUNT = 4
"""Edits with different seeds, side by side."""


def build_strip() -> gr.HTML:
    """The strip, which is empty at first."""
    return thumbnails.strip_component("pix2pix-strip")


def connect(
    bar: ModelBar,
    strip: gr.HTML,
    button: gr.Button,
    inputs: list[Any],
    results: list[Any],
    updates: Callable[[str, EditResult], tuple[Any, ...]],
) -> None:
    """Make the button fill the strip; a click on one of its pictures shows that edit and takes its seed.

    Args:
        bar: The models.
        strip: From `build_strip`.
        button: The button.
        inputs: The name of the model, the picture, the instruction, and the fields of s_T, s_I, steps and seed.
        results: The elements that show an edit.
        updates: Their values for HTML about an edit, and the edit.
    """
    edits_state = gr.State([])

    def edit_all(name: str, *inputs: Any) -> Iterator[tuple[str, list[EditResult], str]]:
        try:
            predictor = bar.models.get(name)
        except ZooError as error:
            yield ui.note(str(error)), [], ""
            return
        for html, edits in edit_with_seeds(predictor, *inputs):
            yield html, edits, strip_html(edits)

    def select(edits: list[EditResult], event: gr.EventData) -> tuple[Any, ...]:
        selected = edits[thumbnails.clicked_index(event, len(edits))]
        return *updates(rendering.edit_html(selected), selected), selected.settings.seed

    button.click(
        edit_all, inputs, [results[0], edits_state, strip], preprocess=False, show_progress="hidden",
        api_visibility="private",
    )  # fmt: skip
    strip.click(select, edits_state, [*results, inputs[-1]], api_visibility="private")


def edit_with_seeds(
    predictor: EditingPredictor, payload: dict[str, Any] | None, text: str, *values: Any
) -> Iterator[tuple[str, list[EditResult]]]:
    """HTML and the edits so far, for the same edit with several seeds."""
    edits = list[EditResult]()
    try:
        settings = EditSettings.from_inputs(*values)
        pixels, _ = open_picture((payload or {}).get("path"))
        text = check_instruction(text)
        for settings_with_seed in with_seeds(settings, COUNT):
            edits.append(edit_picture(predictor, pixels, text, settings_with_seed))
            yield ui.note(f"{len(edits)} of {COUNT} variations: {text}"), list(edits)
    except ZooError as error:
        yield ui.note(str(error)), []


def strip_html(edits: Sequence[EditResult]) -> str:
    """HTML of the strip of edits, each with its seed."""
    pictures = [(edit.after, f"seed {edit.settings.seed}: {rendering.describe_change(edit)}") for edit in edits]
    return thumbnails.strip_html("Variations; click one to use it", pictures)
