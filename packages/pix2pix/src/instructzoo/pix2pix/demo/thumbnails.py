"""A strip of small pictures with their names, each a button: seen, read aloud, and reached by keyboard alike."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import gradio as gr

from instructzoo.core.errors import ZooError
from instructzoo.pix2pix.demo.rendering import image_html
from instructzoo.pix2pix.images import Pixels

_REPORT_CLICK = """element.addEventListener("click", event => {
  const button = event.target.closest("button[data-index]");
  if (button) trigger("click", {index: Number(button.dataset.index)});
})"""


def strip_component(elem_id: str, html: str = "") -> gr.HTML:
    """The component that shows strips of `strip_html`; `clicked_index` says which of its pictures was clicked."""
    return gr.HTML(html, elem_id=elem_id, js_on_load=_REPORT_CLICK, apply_default_css=False)


def strip_html(title: str, pictures: Sequence[tuple[Pixels, str]]) -> str:
    """HTML of a strip.

    Args:
        title: What stands above it.
        pictures: Pictures with their names.

    Returns:
        The HTML; "" without a picture.
    """
    buttons = "".join(_button_html(index, pixels, name) for index, (pixels, name) in enumerate(pictures))
    heading = f'<p class="pix2pix-part">{escape(title)}</p>'
    return f'{heading}<div class="pix2pix-strip">{buttons}</div>' if pictures else ""


def _button_html(index: int, pixels: Pixels, name: str) -> str:
    label = f'<span aria-hidden="true">{escape(name)}</span>'  # the picture's own name is read aloud
    return f'<button type="button" data-index="{index}">{image_html(pixels, name, 192)}{label}</button>'


def clicked_index(event: gr.EventData, n_pictures: int) -> int:
    """Which picture was clicked, in 0..n_pictures-1. Raises ZooError for a number that no picture has."""
    data: Any = event._data
    index = data.get("index") if isinstance(data, dict) else None
    if not isinstance(index, int) or not 0 <= index < n_pictures:
        raise ZooError(f"picture {index}", f"one of {n_pictures}", "click one of those that are shown")
    return index
