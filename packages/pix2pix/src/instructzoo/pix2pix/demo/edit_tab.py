"""The demo's first tab: one picture, what to change in it, the edit beside it, other seeds, one step after another."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

import gradio as gr

from instructzoo.core import ui
from instructzoo.core.errors import ZooError
from instructzoo.core.ui.files import Shelf
from instructzoo.pix2pix import images
from instructzoo.pix2pix.demo import edit_history, rendering
from instructzoo.pix2pix.demo.edit_request import (
    GUIDANCE,
    IMAGE_GUIDANCE,
    STEPS,
    Chosen,
    Edited,
    Editor,
    any_seed,
    edit,
    instructed,
    opened,
    scene,
    variants,
)
from instructzoo.pix2pix.images import Pixels

STRIP = 4
"""Edits with seeds of their own, side by side."""
EXAMPLES, EXAMPLES_SEED = 4, 151
"""Scenes that are offered, and the seed that they are drawn with: one whose first scene is easy to read."""
EMPTY = ui.note("The edited picture appears here, with what changed and the settings that made it.")
SMALL_CLASS, STRIP_CLASS = ["pix2pix-crisp"], ["pix2pix-strip"]


def tab(predictor: Any, shelf: Shelf) -> tuple[gr.Image, gr.Textbox, list[Any]]:
    """Lay out the tab; returns the picture, the instruction, and the boxes of s_T, s_I, steps and seed."""
    with gr.Row():
        with gr.Column(min_width=280, scale=2):
            picture, draw = _picture(predictor)
        with gr.Column(min_width=280, scale=3):
            instruction = gr.Textbox(
                _first(predictor)[1], label="What to change", placeholder="make the red circle blue", max_lines=4,
                elem_id="pix2pix-instruction",
            )  # fmt: skip
            with gr.Row():
                ask = gr.Button("Edit", variant="primary", scale=2, min_width=120, elem_id="pix2pix-edit")
                four = gr.Button(f"{STRIP} seeds", min_width=110, elem_id="pix2pix-seeds")
            _examples(predictor, picture, instruction)
    settings = _settings(Chosen.of(predictor.sampling))
    asked, results = [picture, instruction, *settings], _results(picture, instruction)
    for event in (ask.click, instruction.submit):
        event(
            lambda *asked: presented(*one(predictor, *asked), shelf), asked, results, preprocess=False,
            api_visibility="private",
        )  # fmt: skip
    _seeds(predictor, shelf, four, asked, results)
    draw.click(lambda: drawn(predictor, any_seed()), None, [picture, instruction], api_visibility="private")
    picture.change(
        looked_at, picture, [picture, results[0]], preprocess=False, show_progress="hidden", api_visibility="private"
    )
    return picture, instruction, settings


def _picture(predictor: Any) -> tuple[gr.Image, gr.Button]:
    """The picture to be edited, and the button that draws another."""
    picture = gr.Image(
        _first(predictor)[0], label="Picture", show_label=False, type="filepath", image_mode=None, format="png",
        sources=["upload", "clipboard"], height=320, buttons=["fullscreen"], elem_id="pix2pix-picture",
        elem_classes=SMALL_CLASS,
    )  # fmt: skip
    return picture, gr.Button("Draw another scene", size="md", elem_id="pix2pix-draw")


def _first(predictor: Any) -> tuple[Pixels, str]:
    """What stands on the page when it opens."""
    return drawn(predictor, EXAMPLES_SEED)


def _results(picture: gr.Image, instruction: gr.Textbox) -> list[Any]:
    """What shows an edit, in the order of `presented`; and the steps so far, which it can be gone on from."""
    last, told = gr.State(None), gr.HTML(EMPTY, elem_id="pix2pix-told")
    with gr.Row(visible=False) as row:
        with gr.Column(min_width=260, scale=3):
            slider = gr.ImageSlider(
                label="Before and after", show_label=False, format="png", type="numpy", interactive=False,
                buttons=["fullscreen"], max_height=420, elem_id="pix2pix-result",
            )  # fmt: skip
            gr.HTML('<p class="pix2pix-under">Left of the line before, right of it after</p>')
        with gr.Column(min_width=260, scale=3):
            difference = gr.HTML(elem_id="pix2pix-difference")
        with gr.Column(min_width=190, scale=2):
            go = gr.Button("Go on from this", size="md", elem_id="pix2pix-go-on")
            save = gr.DownloadButton("Save as PNG", size="md", elem_id="pix2pix-save")
    edit_history.lay_out(last, picture, instruction, go)
    return [told, last, row, slider, difference, save]


def _seeds(predictor: Any, shelf: Shelf, button: gr.Button, asked: list[Any], results: list[Any]) -> None:
    """The strip of edits with several seeds; a click shows one of them and takes its seed."""
    made = gr.State([])
    strip = gr.Gallery(
        label="Other seeds; click one to take it", columns=STRIP, visible=False, format="png", allow_preview=False,
        interactive=False, buttons=[], height="auto", elem_id="pix2pix-strip", elem_classes=STRIP_CLASS,
    )  # fmt: skip

    def several(*asked: Any) -> Iterator[tuple[str, list[Edited], Any]]:
        for html, edits in seeds(predictor, *asked):
            yield html, edits, thumbnails(edits)

    def take(event: gr.SelectData, edits: list[Edited]) -> tuple[Any, ...]:
        taken = edits[event.index]
        return *presented(rendering.told(taken), taken, shelf), taken.chosen.seed

    button.click(
        several, asked, [results[0], made, strip], preprocess=False, show_progress="hidden", api_visibility="private"
    )
    strip.select(take, made, [*results, asked[-1]], api_visibility="private")


def _settings(chosen: Chosen) -> list[Any]:
    """The boxes of s_T, s_I, steps and seed."""
    with gr.Row(equal_height=True, elem_id="pix2pix-settings"):
        boxes = [
            gr.Slider(
                low, high, value, step=step, label=name, info=about, buttons=[], min_width=180, elem_id=f"pix2pix-{id}"
            )
            for name, value, (low, high), step, about, id in (
                ("Text guidance", chosen.guidance, GUIDANCE, 0.1, "follow the words", "guidance"),
                ("Image guidance", chosen.image_guidance, IMAGE_GUIDANCE, 0.1, "keep the picture", "image-guidance"),
                ("Steps", chosen.steps, STEPS, 1, "finer, slower", "steps"),
            )
        ]
        with gr.Column(min_width=180):
            seed = gr.Number(chosen.seed, label="Seed", precision=0, elem_id="pix2pix-seed")
            chance = gr.Button("Random seed", size="sm", elem_id="pix2pix-random")
    chance.click(any_seed, None, seed, api_visibility="private")
    return [*boxes, seed]


def _examples(predictor: Any, picture: gr.Image, instruction: gr.Textbox) -> None:
    """Scenes of the microworld, each with an instruction of another kind as far as there are some."""
    by_kind = {row["kind"]: row for row in reversed(scene(predictor, EXAMPLES_SEED, 12 * EXAMPLES))}
    pairs = [(images.read(row["image"]), row["instruction"]) for row in list(by_kind.values())[:EXAMPLES]]
    shown = gr.Gallery(
        [(rendering.enlarged(pixels), text) for pixels, text in pairs], label="Examples; click one to take it",
        columns=EXAMPLES, format="png", allow_preview=False, interactive=False, buttons=[], height="auto",
        elem_id="pix2pix-examples", elem_classes=STRIP_CLASS,
    )  # fmt: skip

    def take(event: gr.SelectData) -> tuple[Any, str]:
        return pairs[event.index]

    shown.select(take, None, [picture, instruction], api_visibility="private")


def one(predictor: Editor, payload: dict[str, Any] | None, text: str, *values: Any) -> tuple[str, Edited | None]:
    """HTML about one edit, and the edit; never an exception for what a person may bring."""
    start = time.monotonic()
    try:
        chosen = Chosen.read(*values)
        pixels, note = opened((payload or {}).get("path"))
        edited = edit(predictor, pixels, instructed(text), chosen)
    except ZooError as error:
        return ui.note(str(error)), None
    notes = (note, coarse(edited, predictor.resolution))
    return rendering.told(edited, notes, time.monotonic() - start), edited


def presented(html: str, edited: Edited | None, shelf: Shelf) -> tuple[Any, ...]:
    """What the page shows of an edit: the text, the edit itself, its part of the page, slider, map and file."""
    if edited is None:
        return html, None, gr.update(visible=False), None, "", None
    path = rendering.save(edited, shelf.fresh() / "edited.png")
    return html, edited, gr.update(visible=True), rendering.pair(edited), rendering.map_of(edited), str(path)


def coarse(edited: Edited, resolution: int) -> str:
    """That fine detail is lost, where the model works with far fewer pixels than the picture has."""
    if min(edited.before.shape[:2]) < 2 * resolution:
        return ""
    return f"The model works with about {resolution} × {resolution} pixels, so fine detail is lost."


def seeds(
    predictor: Editor, payload: dict[str, Any] | None, text: str, *values: Any
) -> Iterator[tuple[str, list[Edited]]]:
    """HTML, and the same edit with several seeds, as they come."""
    made = list[Edited]()
    try:
        chosen = Chosen.read(*values)
        pixels, _ = opened((payload or {}).get("path"))
        text = instructed(text)
        for each in variants(chosen, STRIP):
            made.append(edit(predictor, pixels, text, each))
            yield ui.note(f"{len(made)} of {STRIP} seeds edited: {text}"), list(made)
    except ZooError as error:
        yield ui.note(str(error)), []


def thumbnails(edits: Sequence[Edited]) -> Any:
    """The strip of edits, each with its seed; hidden where there is none."""
    pictures = [(rendering.enlarged(one.after), f"seed {one.chosen.seed}: {rendering.share(one)}") for one in edits]
    return gr.update(value=pictures, visible=bool(pictures))


def drawn(predictor: Editor, seed: int) -> tuple[Any, str]:
    """A scene of the microworld, and an instruction that fits it."""
    (found,) = scene(predictor, seed)
    return images.read(found["image"]), found["instruction"]


def looked_at(payload: dict[str, Any] | None) -> tuple[Any, Any]:
    """How a new picture is shown (small ones without blur), and what is to be said of it."""
    if not payload:
        return gr.skip(), gr.skip()
    try:
        pixels, note = opened(payload.get("path"))
    except ZooError as error:
        return gr.skip(), ui.note(str(error))
    kinds = SMALL_CLASS if rendering.small(pixels) else []
    return gr.update(elem_classes=kinds), ui.note(note) if note else gr.skip()
