"""The demo's first tab: a picture, an instruction, the edit beside it, other seeds, and the steps so far."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

import gradio as gr

from instructzoo.core import ui
from instructzoo.core.errors import ZooError
from instructzoo.core.ui.files import ResultFolders
from instructzoo.pix2pix import images
from instructzoo.pix2pix.demo import edit_history, rendering
from instructzoo.pix2pix.demo.edit_request import (
    GUIDANCE,
    IMAGE_GUIDANCE,
    STEPS,
    EditingPredictor,
    EditResult,
    EditSettings,
    check_instruction,
    edit_picture,
    open_picture,
    random_seed,
    with_seeds,
    world_rows,
)
from instructzoo.pix2pix.images import Pixels

N_SEEDS = 4
"""Edits with different seeds, side by side."""
N_EXAMPLES, EXAMPLES_SEED = 4, 151
"""Number of example scenes, and the seed that they are drawn with: one whose first scene is easy to read."""
EMPTY = ui.note("The edited picture appears here, with what changed and the settings that made it.")
SMALL_CLASS, STRIP_CLASS = ["pix2pix-crisp"], ["pix2pix-strip"]


def build_tab(predictor: Any, folders: ResultFolders) -> tuple[gr.Image, gr.Textbox, list[Any]]:
    """Lay out the tab; returns the picture, the instruction, and the input fields of s_T, s_I, steps and seed."""
    with gr.Row():
        with gr.Column(min_width=280, scale=2):
            picture, draw_button = _build_picture(predictor)
        with gr.Column(min_width=280, scale=3):
            instruction = gr.Textbox(
                _first_scene(predictor)[1], label="What to change", placeholder="make the red circle blue", max_lines=4,
                elem_id="pix2pix-instruction",
            )  # fmt: skip
            with gr.Row():
                edit_button = gr.Button("Edit", variant="primary", scale=2, min_width=120, elem_id="pix2pix-edit")
                seeds_button = gr.Button(f"{N_SEEDS} seeds", min_width=110, elem_id="pix2pix-seeds")
            _build_examples(predictor, picture, instruction)
    settings = _build_settings(EditSettings.from_sampling(predictor.sampling))
    inputs, results = [picture, instruction, *settings], _build_results(picture, instruction)
    for event in (edit_button.click, instruction.submit):
        event(
            lambda *inputs: result_updates(*edit_once(predictor, *inputs), folders), inputs, results, preprocess=False,
            api_visibility="private",
        )  # fmt: skip
    _build_seeds(predictor, folders, seeds_button, inputs, results)
    draw_button.click(
        lambda: draw_scene(predictor, random_seed()), None, [picture, instruction], api_visibility="private"
    )
    picture.change(
        picture_updates,
        picture,
        [picture, results[0]],
        preprocess=False,
        show_progress="hidden",
        api_visibility="private",
    )
    return picture, instruction, settings


def _build_picture(predictor: Any) -> tuple[gr.Image, gr.Button]:
    """The picture to edit, and the button that draws another scene."""
    picture = gr.Image(
        _first_scene(predictor)[0], label="Picture", show_label=False, type="filepath", image_mode=None, format="png",
        sources=["upload", "clipboard"], height=320, buttons=["fullscreen"], elem_id="pix2pix-picture",
        elem_classes=SMALL_CLASS,
    )  # fmt: skip
    return picture, gr.Button("Draw another scene", size="md", elem_id="pix2pix-draw")


def _first_scene(predictor: Any) -> tuple[Pixels, str]:
    """The picture and instruction that the page opens with."""
    return draw_scene(predictor, EXAMPLES_SEED)


def _build_results(picture: gr.Image, instruction: gr.Textbox) -> list[Any]:
    """The elements that show an edit, in the order of `result_updates`, and the history below."""
    last_edit, summary = gr.State(None), gr.HTML(EMPTY, elem_id="pix2pix-edit-info")
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
            continue_button = gr.Button("Go on from this", size="md", elem_id="pix2pix-go-on")
            save = gr.DownloadButton("Save as PNG", size="md", elem_id="pix2pix-save")
    edit_history.build_history(last_edit, picture, instruction, continue_button)
    return [summary, last_edit, row, slider, difference, save]


def _build_seeds(
    predictor: Any, folders: ResultFolders, button: gr.Button, inputs: list[Any], results: list[Any]
) -> None:
    """The strip of edits with several seeds; a click shows one of them and uses its seed."""
    edits_state = gr.State([])
    strip = gr.Gallery(
        label="Other seeds; click one to use it", columns=N_SEEDS, visible=False, format="png", allow_preview=False,
        interactive=False, buttons=[], height="auto", elem_id="pix2pix-strip", elem_classes=STRIP_CLASS,
    )  # fmt: skip

    def edit_all(*inputs: Any) -> Iterator[tuple[str, list[EditResult], Any]]:
        for html, edits in edit_with_seeds(predictor, *inputs):
            yield html, edits, seed_gallery(edits)

    def select(event: gr.SelectData, edits: list[EditResult]) -> tuple[Any, ...]:
        selected = edits[event.index]
        return *result_updates(rendering.edit_html(selected), selected, folders), selected.settings.seed

    button.click(
        edit_all,
        inputs,
        [results[0], edits_state, strip],
        preprocess=False,
        show_progress="hidden",
        api_visibility="private",
    )
    strip.select(select, edits_state, [*results, inputs[-1]], api_visibility="private")


def _build_settings(settings: EditSettings) -> list[Any]:
    """The input fields of s_T, s_I, steps and seed."""
    with gr.Row(equal_height=True, elem_id="pix2pix-settings"):
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
            seed = gr.Number(settings.seed, label="Seed", precision=0, elem_id="pix2pix-seed")
            random_button = gr.Button("Random seed", size="sm", elem_id="pix2pix-random")
    random_button.click(random_seed, None, seed, api_visibility="private")
    return [*boxes, seed]


def _build_examples(predictor: Any, picture: gr.Image, instruction: gr.Textbox) -> None:
    """Example scenes, with instructions of different kinds where possible."""
    by_kind = {row["kind"]: row for row in reversed(world_rows(predictor, EXAMPLES_SEED, 12 * N_EXAMPLES))}
    pairs = [(images.read(row["image"]), row["instruction"]) for row in list(by_kind.values())[:N_EXAMPLES]]
    gallery = gr.Gallery(
        [(rendering.enlarge(pixels), text) for pixels, text in pairs], label="Examples; click one to use it",
        columns=N_EXAMPLES, format="png", allow_preview=False, interactive=False, buttons=[], height="auto",
        elem_id="pix2pix-examples", elem_classes=STRIP_CLASS,
    )  # fmt: skip

    def select(event: gr.SelectData) -> tuple[Any, str]:
        return pairs[event.index]

    gallery.select(select, None, [picture, instruction], api_visibility="private")


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
    """What the page shows of an edit: summary, the edit itself, its visibility, slider, difference and file."""
    if edited is None:
        return html, None, gr.update(visible=False), None, "", None
    path = rendering.save_png(edited, folders.new_folder() / "edited.png")
    return (
        html,
        edited,
        gr.update(visible=True),
        rendering.slider_pictures(edited),
        rendering.difference_html(edited),
        str(path),
    )


def resolution_note(edited: EditResult, resolution: int) -> str:
    """A warning that fine detail is lost, if the model works with far fewer pixels than the picture has."""
    if min(edited.before.shape[:2]) < 2 * resolution:
        return ""
    return f"The model works with about {resolution} × {resolution} pixels, so fine detail is lost."


def edit_with_seeds(
    predictor: EditingPredictor, payload: dict[str, Any] | None, text: str, *values: Any
) -> Iterator[tuple[str, list[EditResult]]]:
    """HTML and the edits so far, for the same edit with several seeds."""
    edits = list[EditResult]()
    try:
        settings = EditSettings.from_inputs(*values)
        pixels, _ = open_picture((payload or {}).get("path"))
        text = check_instruction(text)
        for settings_with_seed in with_seeds(settings, N_SEEDS):
            edits.append(edit_picture(predictor, pixels, text, settings_with_seed))
            yield ui.note(f"{len(edits)} of {N_SEEDS} seeds edited: {text}"), list(edits)
    except ZooError as error:
        yield ui.note(str(error)), []


def seed_gallery(edits: Sequence[EditResult]) -> Any:
    """The strip of edits, each with its seed; hidden if there is none."""
    pictures = [
        (rendering.enlarge(edit.after), f"seed {edit.settings.seed}: {rendering.describe_change(edit)}")
        for edit in edits
    ]
    return gr.update(value=pictures, visible=bool(pictures))


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
