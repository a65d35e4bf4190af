"""The demo's third tab: many pictures or rows at once, with how far it is, and the files to keep."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from instructzoo.core import ui
from instructzoo.core.errors import ZooError
from instructzoo.core.ui.files import Shelf
from instructzoo.core.ui.highlighting import shown
from instructzoo.pix2pix.demo import batch_editing, rendering
from instructzoo.pix2pix.demo.edit_request import Chosen, Edited, Editor

HINT = (
    "Pictures or a .zip of them, edited by one instruction; or rows with the keys or columns image and instruction "
    "(.jsonl, .csv), beside the pictures that they name or with pictures as data URIs. "
    f"At most {batch_editing.MOST} edits, and {ui.MAX_UPLOAD[:-2]} MB a file. "
    "Guidance, steps and seed are those of the first tab. The answer is a .zip of PNG "
    "files and a .jsonl file; what cannot be edited is named, and spoils no other."
)
NO_FILE = ui.note("Choose pictures or a file of rows first.")
STOPPED = ui.note("Stopped; nothing is saved.")

Progress = tuple[str, Path | None, Path | None]
"""HTML of how far it is; at last the zip and the JSON lines."""


def tab(predictor: Any, shelf: Shelf, settings: list[Any]) -> None:
    """Lay out the tab. settings: the first tab's boxes of s_T, s_I, steps and seed."""
    gr.HTML(f'<p class="zoo-hint">{HINT}</p>')
    source = gr.File(
        label="Pictures or rows", file_count="multiple", file_types=list(batch_editing.SUFFIXES),
        elem_id="pix2pix-files", height=150,
    )  # fmt: skip
    text = gr.Textbox(
        label="What to change", placeholder="make the red circle blue", max_lines=4, elem_id="pix2pix-many-text",
        info="of pictures, and of rows without an instruction",
    )  # fmt: skip
    with gr.Row():
        run = gr.Button("Edit all", variant="primary", scale=4, elem_id="pix2pix-many-run")
        stop = gr.Button("Stop", scale=1, min_width=100, elem_id="pix2pix-stop")
    summary = gr.HTML(elem_id="pix2pix-summary", min_height=60)
    with gr.Row():
        archive = gr.DownloadButton("Save the pictures (zip)", visible=False, size="md", elem_id="pix2pix-zip")
        lines = gr.DownloadButton("Save as JSON Lines", visible=False, size="md", elem_id="pix2pix-jsonl")

    def answer(paths: list[str] | None, text: str, *values: Any) -> Iterator[tuple[str, Any, Any]]:
        for html, *files in edited(predictor, paths or [], text, values, shelf.fresh()):
            yield html, *(gr.update(value=path and str(path), visible=path is not None) for path in files)

    running = run.click(
        answer, [source, text, *settings], [summary, archive, lines], show_progress="hidden", api_visibility="private"
    )
    stop.click(lambda: STOPPED, None, summary, cancels=[running], api_visibility="private")


def edited(
    predictor: Editor, paths: Sequence[str], text: str, values: Sequence[Any], folder: Path
) -> Iterator[Progress]:
    """How far a batch is, at last what became of it with its files in `folder`; one line for what cannot be asked."""
    if not paths:
        yield NO_FILE, None, None
        return
    outcome = None
    try:
        chosen = Chosen.read(*values)
        inside = folder / "sent"
        inside.mkdir()
        sent = batch_editing.unpacked([Path(path) for path in paths], inside)
        total = batch_editing.count(sent)
        yield _under_way(0, total), None, None
        for outcome in batch_editing.edit_all(predictor, batch_editing.asked(sent, text), total, chosen, folder):
            yield _under_way(outcome.edited + outcome.faulty, total), None, None
    except ZooError as error:
        yield ui.note(str(error)), None, None
        return
    if outcome:
        yield _summary(outcome), outcome.archive, outcome.lines


def _under_way(done: int, total: int) -> str:
    bar = f'<progress max="1" value="{done / total:.3f}" aria-label="share of the edits"></progress>'
    text = f"{done:,} of {total:,} done, {done / total:.0%}"
    return f'<div class="zoo-card pix2pix-under-way">{bar}<p class="zoo-hint">{text}</p></div>'


def _summary(outcome: batch_editing.Outcome) -> str:
    parts = [ui.badge("right", f"✓ {outcome.edited:,} edited")] if outcome.edited else []
    if outcome.faulty:
        parts.append(ui.badge("wrong", f"✗ {outcome.faulty:,} not edited"))
    html = [f"<p>{' '.join(parts)}</p>"]
    lines: list[tuple[ui.Cell, ui.Cell]] = [(shortened(name), why) for name, why in outcome.faults]
    if more := outcome.faulty - len(lines):
        lines.append(("", f"{more:,} more; each stands in the .jsonl file"))
    html += [ui.table(("", ""), lines)] if lines else []
    html.append(f'<div class="pix2pix-pairs">{"".join(map(_pair, outcome.shown))}</div>')
    return f'<div class="zoo-card">{"".join(html)}</div>'


def shortened(name: str) -> str:
    """The end of a long name: it tells more than the beginning."""
    return name if len(name) <= 40 else f"…{name[-39:]}"


def _pair(edited: Edited) -> str:
    both = rendering.image(edited.before, "before") + rendering.image(edited.after, "after")
    caption = f"<figcaption>{shown(edited.instruction)}</figcaption>"
    return f'<figure class="pix2pix-figure"><div class="pair">{both}</div>{caption}</figure>'
