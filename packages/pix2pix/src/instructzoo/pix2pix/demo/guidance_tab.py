"""The demo's second tab: one edit at several text and image guidance scales."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import gradio as gr

from instructzoo.core import ui
from instructzoo.core.errors import ZooError
from instructzoo.core.ui.model_choice import ModelBar
from instructzoo.pix2pix.demo import rendering
from instructzoo.pix2pix.edit_request import (
    GUIDANCE,
    IMAGE_GUIDANCE,
    EditingPredictor,
    EditResult,
    EditSettings,
    check_instruction,
    check_number,
    edit_picture,
    open_picture,
)

MAX_VALUES = 4
"""Most values of one scale."""
HINT = (
    "The picture and the instruction of the first tab, edited at every pair of guidances with the same noise. More "
    "text guidance follows the words further; more image guidance keeps more of the picture."
)
EMPTY = ui.note("The grid of edits appears here.")
STOPPED = ui.note("Stopped.")


def build_tab(bar: ModelBar, picture: gr.Image, instruction: gr.Textbox, steps_and_seed: list[Any]) -> None:
    """Lay out the tab. steps_and_seed: the first tab's input fields of them."""
    settings = EditSettings.from_sampling(bar.models.get(bar.models.start).sampling)
    gr.HTML(f'<p class="zoo-hint">{HINT}</p>')
    with gr.Row(equal_height=True):
        text_scales = gr.Textbox(
            _format_values(settings.guidance, GUIDANCE), label="Text guidance", max_lines=1, min_width=160,
            elem_id="pix2pix-grid-text-scales",
        )  # fmt: skip
        image_scales = gr.Textbox(
            _format_values(settings.image_guidance, IMAGE_GUIDANCE), label="Image guidance", max_lines=1, min_width=160,
            elem_id="pix2pix-grid-image-scales",
        )  # fmt: skip
    with gr.Row():
        run = gr.Button("Edit at all of them", variant="primary", scale=4, elem_id="pix2pix-grid-run")
        stop = gr.Button("Stop", scale=1, min_width=100, elem_id="pix2pix-grid-stop")
    grid = gr.HTML(EMPTY, elem_id="pix2pix-grid")

    def answer(name: str, payload: Any, text: str, *values: Any) -> Iterator[str]:
        try:
            predictor = bar.models.get(name)
        except ZooError as error:
            yield ui.note(str(error))
            return
        yield from edit_grid(predictor, payload, text, *values)

    running = run.click(
        answer,
        [bar.name, picture, instruction, text_scales, image_scales, *steps_and_seed],
        grid,
        preprocess=False,
        show_progress="hidden",
        api_visibility="private",
    )
    stop.click(lambda: STOPPED, None, grid, cancels=[running], api_visibility="private")


def edit_grid(
    predictor: EditingPredictor,
    payload: dict[str, Any] | None,
    text: str,
    text_scales: str,
    image_scales: str,
    steps: Any,
    seed: Any,
) -> Iterator[str]:
    """HTML of the grid, again after every edit; user errors become a message."""
    try:
        columns, rows = (
            parse_values(text_scales, "text guidance", GUIDANCE),
            parse_values(image_scales, "image guidance", IMAGE_GUIDANCE),
        )
        pixels, _ = open_picture((payload or {}).get("path"))
        base = EditSettings.from_inputs(columns[0], rows[0], steps, seed)
        text = check_instruction(text)
        cells = list[EditResult]()
        yield rendering.grid_html(pixels, text, columns, rows, cells)
        for image_guidance in rows:
            for text_guidance in columns:
                settings = replace(base, guidance=text_guidance, image_guidance=image_guidance)
                cells.append(edit_picture(predictor, pixels, text, settings))
                yield rendering.grid_html(pixels, text, columns, rows, cells)
    except ZooError as error:
        yield ui.note(str(error))


def parse_values(text: str, name: str, limits: tuple[float, float]) -> list[float]:
    """The numbers of a line such as "1, 2.5, 7". Raises ZooError for none, too many, and for other text."""
    words = [word for word in (text or "").replace(";", ",").split(",") if word.strip()]
    if not 1 <= len(words) <= MAX_VALUES:
        raise ZooError(
            f"Write 1 to {MAX_VALUES} values of the {name}, such as {_format_values(limits[0] * 2, limits)}."
        )
    try:
        values = [float(word) for word in words]
    except ValueError as error:
        raise ZooError(
            f"The {name} is no row of numbers; write such as {_format_values(limits[0] * 2, limits)}."
        ) from error
    return [check_number(value, name, limits) for value in dict.fromkeys(values)]


def default_values(value: float, limits: tuple[float, float]) -> list[float]:
    """No guidance, the usual value, and twice as much."""
    return sorted({limits[0], value, min(2 * value, limits[1])})


def _format_values(value: float, limits: tuple[float, float]) -> str:
    return ", ".join(f"{number:g}" for number in default_values(value, limits))
