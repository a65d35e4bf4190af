"""The demo's second tab: a file of texts, its progress, and the file of results."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from instructzoo.core import ui
from instructzoo.core.answers.text_files import SUFFIXES
from instructzoo.core.errors import ZooError
from instructzoo.core.ui.files import ResultFolders
from instructzoo.core.ui.model_choice import ModelBar
from instructzoo.uie.demo import file_extraction
from instructzoo.uie.demo.predictors import Models, ModelsByName
from instructzoo.uie.extraction import read_schema

STOPPED = ui.note("Stopped; nothing is saved.")
NO_FILE = ui.note("Counts and errors appear here.")
FILE_HINT = (
    "One text per line (.txt), a table with a column text (.csv, .tsv), or an object per line with a key text "
    f"(.jsonl); at most {ui.MAX_UPLOAD[:-2]} MB, and {file_extraction.MAX_TEXT:,} characters per text. The labels are "
    "those of the first tab. The result is a .jsonl file. A line that cannot be read is reported and does not affect "
    "the others."
)


def build_tab(bar: ModelBar, models: ModelsByName, label_boxes: list[gr.Textbox], constrained: gr.Checkbox) -> None:
    gr.HTML(f'<p class="zoo-hint">{FILE_HINT}</p>')
    source = gr.File(label="Texts", file_types=list(SUFFIXES), elem_id="uie-source", height=130)
    with gr.Row():
        run_button = gr.Button("Find in all", variant="primary", scale=4, elem_id="uie-ask-all")
        stop_button = gr.Button("Stop", scale=1, min_width=100, elem_id="uie-stop")
    summary = gr.HTML(NO_FILE, elem_id="uie-summary", min_height=80)
    download = gr.DownloadButton("Save the results", visible=False, elem_id="uie-save")
    folders = ResultFolders()

    def answer(
        name: str, path: str | None, entities: str, relations: str, events: str, constrain: bool
    ) -> Iterator[tuple[str, Any]]:
        labels = (entities, relations, events)
        for html, result in answer_file(models.get(name), path, labels, constrain, folders.new_folder()):
            yield html, gr.update(value=result and str(result), visible=result is not None)

    inputs, outputs = [bar.name, source, *label_boxes, constrained], [summary, download]
    running = run_button.click(answer, inputs, outputs, show_progress="hidden", api_visibility="private")
    stop_button.click(lambda: STOPPED, None, summary, cancels=[running], api_visibility="private")


def answer_file(
    models: Models, path: str | None, labels: tuple[str, str, str], constrain: bool, folder: Path
) -> Iterator[tuple[str, Path | None]]:
    """Extract from a file of texts.

    Args:
        models: The predictors.
        path: The file; None where none was chosen.
        labels: Entity types, relation types and events, as a person typed them.
        constrain: Whether decoding is constrained.
        folder: Where the file of results is written.

    Yields:
        (HTML of the progress, None) after every block, and at last (HTML of the summary, the file of results), or a
        line that says what is wrong and None.
    """
    if not path:
        yield ui.note("Choose a file of texts first."), None
        return
    target = folder / f"{Path(path).stem[:60]}.found.jsonl"
    progress = file_extraction.Progress()
    try:
        schema = read_schema(*labels)
        yield _progress_html(progress), None
        for progress in file_extraction.extract_file(models.get(constrain), Path(path), target, schema):
            yield _progress_html(progress), None
    except ZooError as error:
        target.unlink(missing_ok=True)
        yield ui.note(f"This cannot be answered: {error}"), None
    else:
        yield _summary_html(progress), target


def _progress_html(progress: file_extraction.Progress) -> str:
    bar = f'<progress max="1" value="{progress.fraction:.3f}" aria-label="fraction of the file"></progress>'
    text = f"{progress.texts:,} texts answered, {progress.fraction:.0%} of the file"
    return f'<div class="zoo-card uie-under-way">{bar}<p class="zoo-hint">{text}</p></div>'


def _summary_html(progress: file_extraction.Progress) -> str:
    badges = [ui.badge("right", f"✓ {progress.texts:,} text{'' if progress.texts == 1 else 's'} answered")]
    if progress.faults.count:
        badges.append(ui.badge("wrong", f"✗ {progress.faults.count:,} not answered"))
    counts = ", ".join(f"{count:,} {kind}" for kind, count in progress.counts.items())
    html = f'<p>{" ".join(badges)}</p><p class="zoo-hint">Found: {counts}.</p>'
    lines: list[tuple[ui.Cell, ui.Cell]] = [((name, "mono"), reason) for name, reason in progress.faults.first]
    if more := progress.faults.count - len(lines):
        lines.append(("", f"{more:,} more; the file of results has each with its line number"))
    return f'<div class="zoo-card">{html}{ui.table(("", ""), lines) if lines else ""}</div>'
