"""The demo's second tab: predicted quadruples are corrected in a table, checked against the text, and saved as rows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from instructzoo.absa.demo import correction, rendering
from instructzoo.absa.demo.correction import CATEGORIES, MAX_TEXT
from instructzoo.absa.extraction import LabelledPredictor, ReviewAnalysis, analyse, locate
from instructzoo.absa.schema import DOMAINS, ELEMENTS, SENTIMENTS, from_json
from instructzoo.core import ui
from instructzoo.core.answers.text_files import invalid_text_reason
from instructzoo.core.errors import ZooError
from instructzoo.core.ui.files import ResultFolders
from instructzoo.core.ui.model_choice import ModelBar

FILE_NAME = "absa-rows.jsonl"
HINT = (
    "Choose a review of the last result, or write a text and ask the model. Click a cell to correct it; empty all "
    "cells of a row to leave it out. Leave the aspect or the opinion empty where no word of the text names it."
)
TRAIN_HINT = f"Train on the saved rows: zoo train absa/small data.sources=[own] data.path={FILE_NAME}"
NOTHING_SAVED = ui.note("Nothing is saved yet.")


def build_tab(bar: ModelBar, result_folders: ResultFolders, analyses: gr.State, analysed: Sequence[Any]) -> None:
    """Lay out the tab.

    Args:
        bar: the dropdown of the page, with its models.
        result_folders: where the downloads are written.
        analyses: the last result of the first tab.
        analysed: the events that follow a new one.
    """
    saved_lines = gr.State([])
    gr.HTML(f'<p class="zoo-hint">{HINT}</p>')
    choices = review_choices(analyses.value)
    review = gr.Dropdown(
        choices, value=None, label="From the last result", visible=bool(choices), elem_id="absa-review"
    )
    text = gr.Textbox(label=f"Text, at most {MAX_TEXT:,} characters", lines=2, max_lines=8, elem_id="absa-text")
    with gr.Row(equal_height=True):
        domain = gr.Dropdown(
            list(DOMAINS), value=DOMAINS[0], label="Kind of review", elem_id="absa-domain", min_width=140
        )
        ask_button = gr.Button("Ask the model", elem_id="absa-ask-one", min_width=140)
    custom = gr.Checkbox(False, label="Allow my own categories", container=False, elem_id="absa-own")
    table = gr.Dataframe(
        headers=list(ELEMENTS), type="array", column_count=len(ELEMENTS), interactive=True, wrap=True,
        elem_id="absa-table", label="Opinions", show_label=False, buttons=[], value=[[""] * len(ELEMENTS)],
    )  # fmt: skip
    _new_row_form(domain, table)
    save_button = gr.Button("Check and save", variant="primary", elem_id="absa-keep")
    message = gr.HTML(elem_id="absa-message")
    saved_list = gr.HTML(NOTHING_SAVED, elem_id="absa-saved")
    with gr.Row():
        download = gr.DownloadButton("Download the saved rows", visible=False, size="md", elem_id="absa-download")
        undo_button = gr.Button("Remove the last one", visible=False, size="md", elem_id="absa-undo")
    gr.HTML(f'<p class="zoo-hint"><code>{TRAIN_HINT}</code></p>')

    def predict(text: str, model: str) -> tuple[correction.Table, str]:
        return predict_table(bar.models.get(model), text)

    def save(text: str, table: Sequence[Sequence[Any]], domain: str, custom: bool, lines: list[str]) -> tuple[Any, ...]:
        html, lines = save_correction(text, table, domain, custom, lines)
        return html, *_saved_updates(lines, result_folders)

    saved_outputs = [saved_lines, saved_list, download, undo_button]
    for event in analysed:
        event.then(update_review_choices, analyses, review, api_visibility="private")
    review.input(load_review, [review, analyses], [text, table, message], api_visibility="private")
    ask_button.click(predict, [text, bar.name], [table, message], api_visibility="private")
    save_button.click(
        save, [text, table, domain, custom, saved_lines], [message, *saved_outputs], api_visibility="private"
    )
    undo_button.click(
        lambda lines: ("", *_saved_updates(lines[:-1], result_folders)),
        saved_lines,
        [message, *saved_outputs],
        api_visibility="private",
    )


def _saved_updates(lines: list[str], result_folders: ResultFolders) -> tuple[list[str], str, Any, Any]:
    """The saved lines, their list as HTML, and the updates of the two buttons under it."""
    path = write_lines(lines, result_folders.new_folder()) if lines else None
    download = gr.update(value=path and str(path), visible=bool(path))
    return lines, render_saved(lines), download, gr.update(visible=bool(path))


def _new_row_form(domain: gr.Dropdown, table: gr.Dataframe) -> None:
    """A form that adds a row to the table, with the names of the labels to choose from."""
    with gr.Row(equal_height=True, elem_id="absa-adding"):
        aspect = gr.Textbox(label="Aspect", placeholder="not named", max_lines=1, min_width=130, elem_id="absa-aspect")
        category = gr.Dropdown(
            list(CATEGORIES[DOMAINS[0]]), value=None, label="Category", allow_custom_value=True, min_width=210,
            scale=2, elem_id="absa-category",
        )  # fmt: skip
        opinion = gr.Textbox(
            label="Opinion", placeholder="not named", max_lines=1, min_width=130, elem_id="absa-opinion"
        )
        sentiment = gr.Dropdown(
            list(SENTIMENTS), value=SENTIMENTS[0], label="Sentiment", min_width=120, elem_id="absa-sentiment"
        )
        add_button = gr.Button("Add a row", min_width=110, elem_id="absa-add")
    fields = [aspect, category, opinion, sentiment]
    add_button.click(add_row, [table, *fields], [table, aspect, opinion], api_visibility="private")
    domain.change(
        lambda name: gr.update(choices=list(CATEGORIES[name]), value=None), domain, category, api_visibility="private"
    )


def review_choices(analyses: Sequence[ReviewAnalysis]) -> list[tuple[str, int]]:
    """The analysed reviews of the last result, as a dropdown shows them."""
    return [(f"{i + 1}: {analysis.text[:80]}", i) for i, analysis in enumerate(analyses) if not analysis.error]


def update_review_choices(analyses: Sequence[ReviewAnalysis]) -> Any:
    """Update of the dropdown after a new result."""
    choices = review_choices(analyses)
    return gr.update(choices=choices, value=None, visible=bool(choices))


def load_review(index: int | None, analyses: Sequence[ReviewAnalysis]) -> tuple[str, correction.Table, str]:
    """Text, table and message for a review of the last result."""
    if index is None or not 0 <= index < len(analyses):
        return "", _at_least_one_row([]), ""
    analysis = analyses[index]
    return analysis.text, _at_least_one_row(correction.to_table(analysis)), _render_card(analysis)


def predict_table(predictor: LabelledPredictor, text: str) -> tuple[correction.Table, str]:
    """Table and message for the model's quadruples of a text; invalid input gives a message, never an exception."""
    text = (text or "").strip()
    if reason := invalid_text_reason(text, MAX_TEXT):
        return _at_least_one_row([]), ui.note(reason)
    try:
        (analysis,) = analyse(predictor, [text], MAX_TEXT)
    except ZooError as error:
        return _at_least_one_row([]), ui.note(f"This cannot be analysed: {error}")
    return _at_least_one_row(correction.to_table(analysis)), _render_card(analysis)


def _render_card(analysis: ReviewAnalysis) -> str:
    return f'<div class="zoo-card">{rendering.render_review(analysis)}</div>'


def _at_least_one_row(table: correction.Table) -> correction.Table:
    """The table, with one empty row where it has none: without a row there is no cell to click."""
    return table or [[""] * len(ELEMENTS)]


def add_row(
    table: Sequence[Sequence[Any]], aspect: str, category: str | None, opinion: str, sentiment: str | None
) -> tuple[list[list[Any]], str, str]:
    """The table without its empty rows and with a new one; and "" for the two text boxes of the form."""
    rows = [list(row) for row in table if any(isinstance(cell, str) and cell.strip() for cell in row)]
    return [*rows, [aspect or "", category or "", opinion or "", sentiment or ""]], "", ""


def save_correction(
    text: str, table: Sequence[Sequence[Any]], domain: str, custom_categories: bool, lines: list[str]
) -> tuple[str, list[str]]:
    """Check a corrected text and add it to the saved lines.

    Returns:
        A message as HTML, and the saved lines, which are unchanged where the correction is invalid.
    """
    try:
        text = (text or "").strip()
        quads = correction.read_table(text, table, domain, custom_categories)
        lines, replaced = correction.add_line(lines, correction.to_json_line(text, quads, domain))
    except ZooError as error:
        return f'<div class="zoo-card">{ui.badge("wrong", "✗ not saved")} {escape(str(error))}</div>', lines
    marked = rendering.render_review(ReviewAnalysis(text, tuple(locate(quad, text) for quad in quads)))
    badge = ui.badge("right", "✓ saved, in place of the earlier one" if replaced else "✓ saved")
    return f'<div class="zoo-card">{badge}{marked}</div>', lines


def render_saved(lines: Sequence[str]) -> str:
    """HTML of the saved texts with their opinions."""
    if not lines:
        return NOTHING_SAVED
    records = [json.loads(line) for line in lines]
    opinions = sum(len(record["quads"]) for record in records)
    title = f"{_count(len(lines), 'text')} saved, {_count(opinions, 'opinion')}"
    rows = [(str(number), record["text"], _short(record["quads"])) for number, record in enumerate(records, 1)]
    return f'<div class="zoo-card">{rendering.section(title, ui.table(("", "text", "opinions"), rows))}</div>'


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _short(objects: list[dict[str, Any]]) -> str:
    quads = from_json(json.dumps(objects))
    return "; ".join(f"{quad.aspect or '(not named)'}: {quad.sentiment}" for quad in quads) or "none"


def write_lines(lines: Sequence[str], folder: Path) -> Path:
    """Write the saved lines as a file of own data."""
    path = folder / FILE_NAME
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path
