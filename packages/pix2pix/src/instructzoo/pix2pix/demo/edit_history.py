"""Edits one after another: a result becomes the next picture, and every earlier one can be taken up again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr
import numpy as np

from instructzoo.pix2pix.demo import rendering
from instructzoo.pix2pix.demo.edit_request import Edited
from instructzoo.pix2pix.images import Pixels

MOST = 12
"""Pictures of a chain; the earliest go."""
FIRST = "the picture"


@dataclass(frozen=True, eq=False)
class Link:
    """A picture of a chain, and the words that made it."""

    pixels: Pixels
    said: str


def lay_out(last: gr.State, picture: gr.Image, instruction: gr.Textbox, go: gr.Button) -> None:
    """The strip of a chain. last: the edit that is shown; go: the button that goes on from it."""
    chain = gr.State([])
    strip = gr.Gallery(
        label="Step by step; click one to go back to it", columns=6, fit_columns=False, visible=False, format="png",
        allow_preview=False, interactive=False, buttons=[], height="auto", elem_id="pix2pix-chain",
        elem_classes=["pix2pix-strip"],
    )  # fmt: skip

    def on(edited: Edited | None, links: list[Link]) -> tuple[Any, Any, list[Link], Any]:
        if edited is None:
            return gr.skip(), gr.skip(), links, gr.skip()
        links = longer(links, edited)
        return edited.after, "", links, shown(links)

    def back(event: gr.SelectData, links: list[Link]) -> tuple[Any, list[Link], Any]:
        links = links[: event.index + 1]
        return links[-1].pixels, links, shown(links)

    go.click(on, [last, chain], [picture, instruction, chain, strip], api_visibility="private")
    strip.select(back, chain, [picture, chain, strip], api_visibility="private")


def longer(links: list[Link], edited: Edited) -> list[Link]:
    """The chain with an edit at its end; a new chain where the edit began with another picture."""
    goes_on = links and np.array_equal(links[-1].pixels, edited.before)
    start = links if goes_on else [Link(edited.before, FIRST)]
    return [*start, Link(edited.after, edited.instruction)][-MOST:]


def shown(links: list[Link]) -> Any:
    """The strip with these pictures, numbered."""
    pictures = [(rendering.enlarged(link.pixels), f"{place}. {link.said}") for place, link in enumerate(links)]
    return gr.update(value=pictures, visible=bool(pictures))
