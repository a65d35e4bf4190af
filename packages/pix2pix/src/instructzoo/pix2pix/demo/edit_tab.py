"""The demo's first tab: a picture, an instruction, and the edit beside it; other seeds, and the steps so far."""

from __future__ import annotations

import time
from typing import Any

import gradio as gr

from instructzoo.core import ui
from instructzoo.core.errors import ZooError
from instructzoo.core.ui.files import ResultFolders
from instructzoo.core.ui.model_choice import ModelBar
from instructzoo.pix2pix import images
from instructzoo.pix2pix.demo import edit_history, rendering, thumbnails, variations
from instructzoo.pix2pix.edit_request import (
    GUIDANCE,
    IMAGE_GUIDANCE,
    MAX_SIDE,
    MIN_SIDE,
    STEPS,
    EditingPredictor,
    EditResult,
    EditSettings,
    check_instruction,
    edit_picture,
    open_picture,
    random_seed,
    world_rows,
)
from instructzoo.pix2pix.images import Pixels

N_EXAMPLES, EXAMPLES_SEED = 4, 151
"""Number of example scenes, and the seed that they are drawn with: one whose first scene is easy to read."""
FILE_LIMITS = (
    f"Or upload yours: PNG, JPEG, WebP, BMP or GIF, at most {ui.MAX_UPLOAD[:-2]} MB, each side at least {MIN_SIDE} "
    f"pixels. Over {MAX_SIDE:,} it is made smaller."
)
NOT_EDITED = ui.note("Press Edit. With this model that takes seconds on a GPU, and minutes without one.")
SMALL_CLASS = ["pix2pix-crisp"]


def build_tab(bar: ModelBar, folders: ResultFolders) -> tuple[gr.Image, gr.Textbox, list[Any]]:
    """Lay out the tab; returns the picture, the instruction, and the input fields of s_T, s_I, steps and seed."""
    predictor = bar.models.get(bar.models.start)
    pixels, text = draw_scene(predictor, EXAMPLES_SEED)
    defaults = EditSettings.from_sampling(predictor.sampling)
    with gr.Row(elem_id="pix2pix-edit-page"):  # its style places the areas; before and after are always side by side
        with gr.Column(elem_classes="pix2pix-area-instruction"):
            instruction = gr.Textbox(
                text, label="What to change", placeholder="make the red circle blue", max_lines=4,
                elem_id="pix2pix-instruction",
            )  # fmt: skip
        with gr.Column(elem_classes="pix2pix-area-buttons"):
            edit_button = gr.Button("Edit", variant="primary", size="md", min_width=120, elem_id="pix2pix-edit")
            variations_button = gr.Button(
                f"Try {variations.COUNT} variations", size="md", min_width=120, elem_id="pix2pix-seeds"
            )
        with gr.Column(elem_classes="pix2pix-area-before"):
            picture = _build_picture(pixels)
        results, continue_button = _build_results(opening(predictor, pixels, text, defaults), folders)
        with gr.Column(elem_classes="pix2pix-area-below"):
            strip = variations.build_strip()
            edit_history.build_history(results[1], picture, instruction, continue_button)
        with gr.Column(elem_classes="pix2pix-area-examples"):
            examples, pairs = _build_examples(predictor)
            draw_button = gr.Button("Draw another scene", size="sm", elem_id="pix2pix-draw")
    settings = _build_settings(defaults)
    inputs = [bar.name, picture, instruction, *settings]

    def edit(name: str, *inputs: Any) -> tuple[Any, ...]:
        return result_updates(*edit_with_model(bar, name, *inputs), folders)

    def select(event: gr.EventData) -> tuple[Any, str]:
        return pairs[thumbnails.clicked_index(event, len(pairs))]

    edited = {"fn": edit, "inputs": inputs, "outputs": results, "preprocess": False, "api_visibility": "private"}
    for event in (edit_button.click, instruction.submit):
        event(**edited)
    examples.click(select, None, [picture, instruction], api_visibility="private").then(**edited)
    draw_button.click(
        lambda: draw_scene(predictor, random_seed()), None, [picture, instruction], api_visibility="private"
    ).then(**edited)
    _connect_switch(bar, inputs, results, folders)
    variations.connect(
        bar, strip, variations_button, inputs, results, lambda html, edit: result_updates(html, edit, folders)
    )
    picture.change(
        picture_updates, picture, [picture, results[0]], preprocess=False, show_progress="hidden",
        api_visibility="private",
    )  # fmt: skip
    picture.upload(lambda: (None, rendering.NOTHING_YET, ""), None, results[1:4], api_visibility="private")
    return picture, instruction, settings


def _connect_switch(bar: ModelBar, inputs: list[Any], results: list[Any], folders: ResultFolders) -> None:
    """With another model its own settings are shown, and the edit is made again if that takes no minutes."""

    def own_settings(name: str) -> list[Any]:
        try:
            settings = EditSettings.from_sampling(bar.models.get(name).sampling)
        except ZooError:  # the edit that follows says why
            return [gr.skip()] * 4
        return [settings.guidance, settings.image_guidance, settings.steps, settings.seed]

    def edit_if_quick(name: str, *inputs: Any) -> tuple[Any, ...]:
        try:
            quick = is_quick(bar.models.get(name))
        except ZooError as error:
            return result_updates(ui.note(str(error)), None, folders)
        return result_updates(*(edit_with_model(bar, name, *inputs) if quick else (NOT_EDITED, None)), folders)

    switched = bar.switched.then(own_settings, bar.name, inputs[3:], api_visibility="private")
    switched.then(edit_if_quick, inputs, results, preprocess=False, api_visibility="private")


def _build_picture(pixels: Pixels) -> gr.Image:
    """The picture to edit, with what a file may be."""
    gr.HTML('<p class="pix2pix-part">Before</p>')
    picture = gr.Image(
        pixels, label="The picture to edit", show_label=False, type="filepath", image_mode=None, format="png",
        sources=["upload", "clipboard"], buttons=["fullscreen"], elem_id="pix2pix-picture", elem_classes=SMALL_CLASS,
    )  # fmt: skip
    gr.HTML(f'<p class="pix2pix-under">{FILE_LIMITS}</p>')
    return picture


def _build_results(shown: tuple[str, EditResult | None], folders: ResultFolders) -> tuple[list[Any], gr.Button]:
    """The elements that show an edit, in the order of `result_updates`, and the button that goes on from it."""
    html, edited, after, difference, path = result_updates(*shown, folders)
    with gr.Column(elem_classes="pix2pix-area-after"):
        gr.HTML('<p class="pix2pix-part">After</p>')
        result = gr.HTML(after, elem_id="pix2pix-result")
        with gr.Row(elem_classes="pix2pix-actions"):
            continue_button = gr.Button("Edit this further", size="sm", min_width=60, elem_id="pix2pix-go-on")
            save = gr.DownloadButton("Save as PNG", value=path, size="sm", min_width=60, elem_id="pix2pix-save")
    with gr.Column(elem_classes="pix2pix-area-info"):
        summary = gr.HTML(html, elem_id="pix2pix-edit-info")
    with gr.Column(elem_classes="pix2pix-area-difference"):
        changed = gr.HTML(difference, elem_id="pix2pix-difference")
    return [summary, gr.State(edited), result, changed, save], continue_button


def _build_settings(settings: EditSettings) -> list[Any]:
    """The input fields of s_T, s_I, steps and seed, folded: an edit needs none of them."""
    with gr.Accordion("Settings", open=False, elem_id="pix2pix-settings"), gr.Row(equal_height=True):
        boxes = [
            gr.Slider(
                low, high, value, step=step, label=name, info=about, buttons=[], min_width=180, elem_id=f"pix2pix-{id}"
            )
            for name, value, (low, high), step, about, id in (
                ("Text guidance", settings.guidance, GUIDANCE, 0.1, "follow the words", "guidance"),
                ("Image guidance", settings.image_guidance, IMAGE_GUIDANCE, 0.1, "keep the picture", "image-guidance"),
                ("Steps", settings.steps, STEPS, 1, "finer, slower", "steps"),
            )
        ]
        with gr.Column(min_width=180):
            seed = gr.Number(
                settings.seed, label="Seed", info="another number, another variation", precision=0,
                elem_id="pix2pix-seed",
            )  # fmt: skip
            random_button = gr.Button("Random seed", size="sm", elem_id="pix2pix-random")
    random_button.click(random_seed, None, seed, api_visibility="private")
    return [*boxes, seed]


def _build_examples(predictor: Any) -> tuple[gr.HTML, list[tuple[Pixels, str]]]:
    """Example scenes with instructions, of different kinds where possible: their strip, and they themselves."""
    by_kind = {row["kind"]: row for row in reversed(world_rows(predictor, EXAMPLES_SEED, 12 * N_EXAMPLES))}
    pairs = [(images.read(row["image"]), row["instruction"]) for row in list(by_kind.values())[:N_EXAMPLES]]
    html = thumbnails.strip_html("Click an example to edit it", pairs)
    return thumbnails.strip_component("pix2pix-examples", html), pairs


def opening(
    predictor: EditingPredictor, pixels: Pixels, text: str, settings: EditSettings
) -> tuple[str, EditResult | None]:
    """HTML about the edit that the page opens with, and the edit; none by a large model, which takes too long."""
    if not is_quick(predictor):
        return NOT_EDITED, None
    try:
        edited = edit_picture(predictor, pixels, text, settings)
    except ZooError as error:  # the page opens all the same
        return ui.note(str(error)), None
    return rendering.edit_html(edited), edited


def is_quick(predictor: EditingPredictor) -> bool:
    """Whether an edit takes a fraction of a second on a CPU: that of a model of small drawn scenes does."""
    return predictor.recipe.data.sources == ("world",)


def edit_with_model(bar: ModelBar, name: str, *inputs: Any) -> tuple[str, EditResult | None]:
    """As `edit_once`, by the model of this name; one that cannot be opened becomes a message too."""
    try:
        predictor = bar.models.get(name)
    except ZooError as error:
        return ui.note(str(error)), None
    return edit_once(predictor, *inputs)


def edit_once(
    predictor: EditingPredictor, payload: dict[str, Any] | None, text: str, *values: Any
) -> tuple[str, EditResult | None]:
    """HTML about one edit, and the edit; user errors become a message and None."""
    start = time.monotonic()
    try:
        settings = EditSettings.from_inputs(*values)
        pixels, note = open_picture((payload or {}).get("path"))
        edited = edit_picture(predictor, pixels, check_instruction(text), settings)
    except ZooError as error:
        return ui.note(str(error)), None
    notes = (note, resolution_note(edited, predictor.resolution))
    return rendering.edit_html(edited, notes, time.monotonic() - start), edited


def result_updates(html: str, edited: EditResult | None, folders: ResultFolders) -> tuple[Any, ...]:
    """What the page shows of an edit: summary, the edit itself, the picture after, the difference, and the file."""
    if edited is None:
        return html, None, rendering.NOTHING_YET, "", None
    path = rendering.save_png(edited, folders.new_folder() / "edited.png")
    return html, edited, rendering.after_html(edited), rendering.difference_html(edited), str(path)


def resolution_note(edited: EditResult, resolution: int) -> str:
    """A warning that fine detail is lost, if the model works with far fewer pixels than the picture has."""
    if min(edited.before.shape[:2]) < 2 * resolution:
        return ""
    return f"The model works with about {resolution} × {resolution} pixels, so fine detail is lost."


def draw_scene(predictor: EditingPredictor, seed: int) -> tuple[Any, str]:
    """A scene of the synthetic world, and an instruction that fits it."""
    (row,) = world_rows(predictor, seed)
    return images.read(row["image"]), row["instruction"]


def picture_updates(payload: dict[str, Any] | None) -> tuple[Any, Any]:
    """How a new picture is shown (small ones without blur), and a note about it."""
    if not payload:
        return gr.skip(), gr.skip()
    try:
        pixels, note = open_picture(payload.get("path"))
    except ZooError as error:
        return gr.skip(), ui.note(str(error))
    css_classes = SMALL_CLASS if rendering.is_small(pixels) else []
    return gr.update(elem_classes=css_classes), ui.note(note) if note else gr.skip()
