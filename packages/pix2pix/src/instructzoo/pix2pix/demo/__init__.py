"""The demo: edit a picture by an instruction, compare guidance scales, or edit many pictures at once."""

from __future__ import annotations

from typing import Any

import gradio as gr

from instructzoo.core import ui
from instructzoo.core.recipe import Recipe
from instructzoo.core.ui.files import ResultFolders
from instructzoo.core.ui.model_choice import ModelChoice, about_box, model_bar
from instructzoo.pix2pix import world
from instructzoo.pix2pix.demo import batch_tab, edit_tab, guidance_tab, rendering

TITLE = "Image editing"
SUMMARY = "Say in words what to change in a picture. The model changes that and keeps the rest."


def build(predictor: Any) -> gr.Blocks:
    """The page: one picture, guidance scales, many pictures, and the model card."""
    folders = ResultFolders()  # removed with the page
    with ui.page(f"instructzoo · {TITLE}") as page:
        gr.HTML(ui.head(TITLE, SUMMARY) + rendering.STYLE)
        bar = model_bar(ModelChoice(predictor))
        with gr.Tab("One picture"):
            picture, instruction, settings = edit_tab.build_tab(bar, folders)
        with gr.Tab("Compare"):
            guidance_tab.build_tab(bar, picture, instruction, settings[2:])
        with gr.Tab("Many"):
            batch_tab.build_tab(bar, folders, settings)
        about_box(bar, lambda chosen: limits(chosen.recipe, chosen.resolution), {"all": "all kinds of edits"})
    return page


def limits(recipe: Recipe, resolution: int) -> list[tuple[str, str]]:
    """Lines of the model card: what the model was trained to do, and what it is not for."""
    size = f"pictures of about {resolution} × {resolution} pixels"
    if recipe.data.sources == ("world",):
        kinds = ", ".join(world.Settings(**recipe.data.world).kinds)
        trained = f"{kinds}; {size} of coloured shapes"
        limit = "nothing but such scenes, in English: photographs come back spoilt, and new words are not understood"
    else:
        trained, limit = f"edits as in its training data; {size}", "edits unlike its training data often fail"
    return [
        ("Edits", trained),
        ("Limits", f"{limit}; check what else changed"),
        (
            "Not for",
            "pictures of people without their consent, forged evidence, or passing an edit off as a photograph",
        ),
    ]
