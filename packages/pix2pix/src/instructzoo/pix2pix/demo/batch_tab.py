"""The demo's third tab: many pictures or rows at once, with progress and the files to download."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from instructzoo.core import ui
from instructzoo.core.errors import ZooError
from instructzoo.core.ui.files import ResultFolders
from instructzoo.core.ui.highlighting import escape_text
from instructzoo.core.ui.model_choice import ModelBar
from instructzoo.pix2pix.demo import batch_editing, rendering
from instructzoo.pix2pix.edit_request import EditingPredictor, EditResult, EditSettings

HINT = (
    "Pictures or a .zip of them, edited by one instruction; or rows with the keys or columns image and instruction "
    "(.jsonl, .csv), beside the pictures that they name or with pictures as data URIs. "
    f"At most {batch_editing.MAX_EDITS} edits, and {ui.MAX_UPLOAD[:-2]} MB a file. "
    "Guidance, steps and seed are those of the first tab. The answer is a .zip of PNG "
    "files and a .jsonl file; what cannot be edited is named, and spoils no other."
)
NO_FILE = ui.note("Choose pictures or a file of rows first.")
STOPPED = ui.note("Stopped; nothing is saved.")

Progress = tuple[str, Path | None, Path | None]
"""HTML of the progress; at the end also the zip and the JSON Lines file."""


def build_tab(bar: ModelBar, folders: ResultFolders, settings: list[Any]) -> None:
    """Lay out the tab. settings: the first tab's input fields of s_T, s_I, steps and seed."""
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

    def answer(name: str, paths: list[str] | None, text: str, *values: Any) -> Iterator[tuple[str, Any, Any]]:
        try:
            predictor = bar.models.get(name)
        except ZooError as error:
            yield ui.note(str(error)), gr.skip(), gr.skip()
            return
        for html, *files in run_batch(predictor, paths or [], text, values, folders.new_folder()):
            yield html, *(gr.update(value=path and str(path), visible=path is not None) for path in files)

    running = run.click(
        answer, [bar.name, source, text, *settings], [summary, archive, lines], show_progress="hidden",
        api_visibility="private",
    )  # fmt: skip
    stop.click(lambda: STOPPED, None, summary, cancels=[running], api_visibility="private")


def run_batch(
    predictor: EditingPredictor, paths: Sequence[str], text: str, values: Sequence[Any], folder: Path
) -> Iterator[Progress]:
    """Edit a batch, yielding the progress and at the end the summary with its files; one line for invalid input."""
    if not paths:
        yield NO_FILE, None, None
        return
    result = None
    try:
        settings = EditSettings.from_inputs(*values)
        upload_folder = folder / "sent"
        upload_folder.mkdir()
        uploads = batch_editing.unpack([Path(path) for path in paths], upload_folder)
        total = batch_editing.count_edits(uploads)
        yield _progress_html(0, total), None, None
        for result in batch_editing.edit_all(
            predictor, batch_editing.read_requests(uploads, text), total, settings, folder
        ):
            yield _progress_html(result.n_done, total), None, None
    except ZooError as error:
        yield ui.note(str(error)), None, None
        return
    if result:
        yield _summary_html(result), result.archive, result.lines


def _progress_html(done: int, total: int) -> str:
    bar = f'<progress max="1" value="{done / total:.3f}" aria-label="fraction of the edits"></progress>'
    text = f"{done:,} of {total:,} done, {done / total:.0%}"
    return f'<div class="zoo-card pix2pix-under-way">{bar}<p class="zoo-hint">{text}</p></div>'


def _summary_html(result: batch_editing.BatchResult) -> str:
    badges = [ui.badge("right", f"✓ {result.n_edited:,} edited")] if result.n_edited else []
    if result.faults.count:
        badges.append(ui.badge("wrong", f"✗ {result.faults.count:,} not edited"))
    html = [f"<p>{' '.join(badges)}</p>"]
    lines: list[tuple[ui.Cell, ui.Cell]] = [(shortened(name), reason) for name, reason in result.faults.first]
    if n_more := result.faults.count - len(lines):
        lines.append(("", f"{n_more:,} more; each stands in the .jsonl file"))
    html += [ui.table(("", ""), lines)] if lines else []
    html.append(f'<div class="pix2pix-pairs">{"".join(map(_pair_html, result.previews))}</div>')
    return f'<div class="zoo-card">{"".join(html)}</div>'


def shortened(name: str) -> str:
    """The end of a long name, which tells more than its beginning."""
    return name if len(name) <= 40 else f"…{name[-39:]}"


def _pair_html(edit: EditResult) -> str:
    both = rendering.image_html(edit.before, "before") + rendering.image_html(edit.after, "after")
    caption = f"<figcaption>{escape_text(edit.instruction)}</figcaption>"
    return f'<figure class="pix2pix-figure"><div class="pair">{both}</div>{caption}</figure>'
