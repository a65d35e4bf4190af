"""The demo's second tab: one edit at several text and image guidances, and what the two trade against each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import gradio as gr

from instructzoo.core import ui
from instructzoo.core.errors import ZooError
from instructzoo.pix2pix.demo import rendering
from instructzoo.pix2pix.demo.edit_request import (
    GUIDANCE,
    IMAGE_GUIDANCE,
    Chosen,
    Edited,
    Editor,
    edit,
    instructed,
    number,
    opened,
)

MOST = 4
"""Values of one guidance."""
HINT = (
    "The picture and the instruction of the first tab, edited at every pair of guidances with the same noise. More "
    "text guidance follows the words further; more image guidance keeps more of the picture."
)
EMPTY = ui.note("The grid of edits appears here.")
STOPPED = ui.note("Stopped.")


def tab(predictor: Any, picture: gr.Image, instruction: gr.Textbox, rest: list[Any]) -> None:
    """Lay out the tab. rest: the boxes of the first tab for the number of steps and the seed."""
    chosen = Chosen.of(predictor.sampling)
    gr.HTML(f'<p class="zoo-hint">{HINT}</p>')
    with gr.Row(equal_height=True):
        texts = gr.Textbox(
            _listed(chosen.guidance, GUIDANCE), label="Text guidance", max_lines=1, min_width=160,
            elem_id="pix2pix-grid-texts",
        )  # fmt: skip
        holds = gr.Textbox(
            _listed(chosen.image_guidance, IMAGE_GUIDANCE), label="Image guidance", max_lines=1, min_width=160,
            elem_id="pix2pix-grid-holds",
        )  # fmt: skip
    with gr.Row():
        run = gr.Button("Edit at all of them", variant="primary", scale=4, elem_id="pix2pix-grid-run")
        stop = gr.Button("Stop", scale=1, min_width=100, elem_id="pix2pix-grid-stop")
    shown = gr.HTML(EMPTY, elem_id="pix2pix-grid")

    def answer(payload: Any, text: str, *values: Any) -> Iterator[str]:
        yield from swept(predictor, payload, text, *values)

    running = run.click(
        answer, [picture, instruction, texts, holds, *rest], shown, preprocess=False, show_progress="hidden",
        api_visibility="private",
    )  # fmt: skip
    stop.click(lambda: STOPPED, None, shown, cancels=[running], api_visibility="private")


def swept(
    predictor: Editor, payload: dict[str, Any] | None, text: str, texts: str, holds: str, steps: Any, seed: Any
) -> Iterator[str]:
    """HTML of the grid, again after every edit; never an exception for what a person may type."""
    try:
        columns, rows = read(texts, "text guidance", GUIDANCE), read(holds, "image guidance", IMAGE_GUIDANCE)
        pixels, _ = opened((payload or {}).get("path"))
        base = Chosen.read(columns[0], rows[0], steps, seed)
        text = instructed(text)
        cells = list[Edited]()
        yield rendering.grid(pixels, text, columns, rows, cells)
        for hold in rows:
            for guidance in columns:
                chosen = replace(base, guidance=guidance, image_guidance=hold)
                cells.append(edit(predictor, pixels, text, chosen))
                yield rendering.grid(pixels, text, columns, rows, cells)
    except ZooError as error:
        yield ui.note(str(error))


def read(text: str, name: str, limits: tuple[float, float]) -> list[float]:
    """The numbers of a line such as "1, 2.5, 7". Raises ZooError for none, too many, and one that is no number."""
    words = [word for word in (text or "").replace(";", ",").split(",") if word.strip()]
    if not 1 <= len(words) <= MOST:
        raise ZooError(f"Write 1 to {MOST} values of the {name}, such as {_listed(limits[0] * 2, limits)}.")
    try:
        values = [float(word) for word in words]
    except ValueError as error:
        raise ZooError(f"The {name} is no row of numbers; write such as {_listed(limits[0] * 2, limits)}.") from error
    return [number(value, name, limits) for value in dict.fromkeys(values)]


def spread(value: float, limits: tuple[float, float]) -> list[float]:
    """No guidance, a usual one, and twice as much."""
    return sorted({limits[0], value, min(2 * value, limits[1])})


def _listed(value: float, limits: tuple[float, float]) -> str:
    return ", ".join(f"{one:g}" for one in spread(value, limits))
