"""The demo's second tab: judgements in a table, corrected, checked against the text, kept, saved for training."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from instructzoo.absa.demo import correction, rendering
from instructzoo.absa.demo.correction import CATEGORIES, MAX_TEXT
from instructzoo.absa.extraction import Answers, Judged, judge, place
from instructzoo.absa.schema import DOMAINS, PARTS, SENTIMENTS, from_json
from instructzoo.core import ui
from instructzoo.core.errors import ZooError
from instructzoo.core.ui.files import Shelf
from instructzoo.core.ui.highlighting import unaskable

NAME = "absa-rows.jsonl"
HINT = (
    "Take over a review of the last answer, or write a text and ask the model. Click a cell to correct it; empty all "
    "cells of a row to leave it out. An empty aspect or opinion is implicit: no word of the text names it."
)
TRAIN = f"Kept rows train again: zoo train absa/small data.sources=[own] data.path={NAME}"
NONE = ui.note("Nothing is kept yet.")


def tab(predictor: Any, shelf: Shelf, judged: gr.State, answered: Any) -> None:
    """Lay out the tab. judged: the last answer of the first tab; answered: the event that follows it."""
    kept = gr.State([])
    gr.HTML(f'<p class="zoo-hint">{HINT}</p>')
    taken = gr.Dropdown([], label="From the last answer", visible=False, elem_id="absa-take")
    text = gr.Textbox(label=f"Text, at most {MAX_TEXT:,} characters", lines=2, max_lines=8, elem_id="absa-text")
    with gr.Row(equal_height=True):
        domain = gr.Dropdown(list(DOMAINS), value=DOMAINS[0], label="Domain", elem_id="absa-domain", min_width=140)
        own = gr.Checkbox(False, label="Categories of my own", container=False, elem_id="absa-own", min_width=180)
        ask = gr.Button("Ask the model", elem_id="absa-ask-one", min_width=140)
    table = gr.Dataframe(
        headers=list(PARTS), type="array", column_count=len(PARTS), interactive=True, wrap=True, elem_id="absa-table",
        label="Judgements", show_label=False, buttons=[], value=[[""] * len(PARTS)],
    )  # fmt: skip
    _adding(domain, table)
    keep = gr.Button("Check and keep", variant="primary", elem_id="absa-keep")
    told = gr.HTML(elem_id="absa-told")
    shown = gr.HTML(NONE, elem_id="absa-kept")
    with gr.Row():
        save = gr.DownloadButton("Save the kept rows", visible=False, size="md", elem_id="absa-save")
        back = gr.Button("Drop the last one", visible=False, size="md", elem_id="absa-back")
    gr.HTML(f'<p class="zoo-hint"><code>{TRAIN}</code></p>')

    def keep_one(
        text: str, table: Sequence[Sequence[Any]], domain: str, own: bool, lines: list[str]
    ) -> tuple[Any, ...]:
        html, lines = kept_one(text, table, domain, own, lines)
        return html, *_offer(lines, shelf)

    outputs = [kept, shown, save, back]
    answered.then(choices, judged, taken, api_visibility="private")
    taken.input(take, [taken, judged], [text, table, told], api_visibility="private")
    ask.click(lambda text: asked(predictor, text), text, [table, told], api_visibility="private")
    keep.click(keep_one, [text, table, domain, own, kept], [told, *outputs], api_visibility="private")
    back.click(lambda lines: ("", *_offer(lines[:-1], shelf)), kept, [told, *outputs], api_visibility="private")


def _offer(lines: list[str], shelf: Shelf) -> tuple[list[str], str, Any, Any]:
    """The kept lines, how they are listed, and the two buttons under them."""
    path = saved(lines, shelf.fresh()) if lines else None
    return lines, listed(lines), gr.update(value=path and str(path), visible=bool(path)), gr.update(visible=bool(path))


def _adding(domain: gr.Dropdown, table: gr.Dataframe) -> None:
    """A line of choices that becomes a row of the table: nobody has to know the names of the labels."""
    with gr.Row(equal_height=True, elem_id="absa-adding"):
        aspect = gr.Textbox(label="Aspect", placeholder="implicit", max_lines=1, min_width=130, elem_id="absa-aspect")
        category = gr.Dropdown(
            list(CATEGORIES[DOMAINS[0]]), value=None, label="Category", allow_custom_value=True, min_width=210,
            scale=2, elem_id="absa-category",
        )  # fmt: skip
        opinion = gr.Textbox(
            label="Opinion", placeholder="implicit", max_lines=1, min_width=130, elem_id="absa-opinion"
        )
        mood = gr.Dropdown(list(SENTIMENTS), value=SENTIMENTS[0], label="Sentiment", min_width=120, elem_id="absa-mood")
        add = gr.Button("Add a row", min_width=110, elem_id="absa-add")
    boxes = [aspect, category, opinion, mood]
    add.click(added, [table, *boxes], [table, aspect, opinion], api_visibility="private")
    domain.change(
        lambda name: gr.update(choices=list(CATEGORIES[name]), value=None), domain, category, api_visibility="private"
    )


def choices(judged: Sequence[Judged]) -> Any:
    """The reviews of the last answer, to choose from."""
    names = [(f"{number}: {one.text[:80]}", number - 1) for number, one in enumerate(judged, 1) if not one.fault]
    return gr.update(choices=names, value=None, visible=bool(names))


def take(number: int | None, judged: Sequence[Judged]) -> tuple[str, correction.Table, str]:
    """The text and the judgements of a review of the last answer."""
    if number is None or not 0 <= number < len(judged):
        return "", _filled([]), ""
    return judged[number].text, _filled(correction.table_of(judged[number])), _told(judged[number])


def asked(predictor: Answers, text: str) -> tuple[correction.Table, str]:
    """The model's judgements on a text, and what is amiss; never an exception for what a person may type."""
    text = (text or "").strip()
    if fault := unaskable(text, MAX_TEXT):
        return _filled([]), ui.note(fault)
    try:
        (judged,) = judge(predictor, [text], MAX_TEXT)
    except ZooError as error:
        return _filled([]), ui.note(f"This cannot be answered: {error}")
    return _filled(correction.table_of(judged)), _told(judged)


def _told(judged: Judged) -> str:
    return f'<div class="zoo-card">{rendering.review(judged)}</div>'


def _filled(table: correction.Table) -> correction.Table:
    """A table has one row at least, or there is no cell to click."""
    return table or [[""] * len(PARTS)]


def added(
    table: Sequence[Sequence[Any]], aspect: str, category: str | None, opinion: str, mood: str | None
) -> tuple[list[list[Any]], str, str]:
    """The table with one more row in place of its empty ones, and emptied boxes."""
    rows = [list(row) for row in table if any(isinstance(cell, str) and cell.strip() for cell in row)]
    return [*rows, [aspect or "", category or "", opinion or "", mood or ""]], "", ""


def kept_one(
    text: str, table: Sequence[Sequence[Any]], domain: str, own: bool, lines: list[str]
) -> tuple[str, list[str]]:
    """What is to be said of a corrected text, and the kept lines: with it where it is right, else as they were."""
    try:
        text = (text or "").strip()
        quads = correction.read_table(text, table, domain, own)
        lines, again = correction.keep(lines, correction.kept_line(text, quads, domain))
    except ZooError as error:
        return f'<div class="zoo-card">{ui.badge("wrong", "✗ not kept")} {escape(str(error))}</div>', lines
    marked = rendering.review(Judged(text, tuple(place(quad, text) for quad in quads)))
    word = "✓ kept, in place of the earlier one" if again else "✓ kept"
    return f'<div class="zoo-card">{ui.badge("right", word)}{marked}</div>', lines


def listed(lines: Sequence[str]) -> str:
    """HTML of what is kept: every text with its number of judgements."""
    if not lines:
        return NONE
    values = [json.loads(line) for line in lines]
    number = sum(len(value["quads"]) for value in values)
    head = f"{len(lines)} text{'' if len(lines) == 1 else 's'} kept, {number} judgement{'' if number == 1 else 's'}"
    rows = [(str(n), value["text"], _short(value["quads"])) for n, value in enumerate(values, 1)]
    return f'<div class="zoo-card">{rendering.part(head, ui.table(("", "text", "judgements"), rows))}</div>'


def _short(values: list[dict[str, Any]]) -> str:
    quads = from_json(json.dumps(values))
    return "; ".join(f"{q.aspect or '(implicit)'}: {q.sentiment}" for q in quads) or "none"


def saved(lines: Sequence[str], folder: Path) -> Path:
    """The kept rows as a file that `own` reads."""
    path = folder / NAME
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path
