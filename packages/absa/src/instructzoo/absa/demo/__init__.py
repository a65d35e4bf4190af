"""The demo: paste reviews and see what they judge and how, correct what is wrong and keep it, or send a whole file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from instructzoo.absa.demo import correction_tab, file_extraction, rendering
from instructzoo.absa.extraction import Answers, Judged, judge
from instructzoo.core import ui
from instructzoo.core.errors import ZooError
from instructzoo.core.ui.files import SUFFIXES, Shelf
from instructzoo.core.ui.highlighting import unaskable

TITLE = "Aspects and sentiment"
SUMMARY = (
    "A small language model takes reviews of restaurants and laptops apart: what is judged, in which respect, in which "
    "words, and how it came off."
)
MAX_REVIEW, MAX_PASTED = 5_000, 50_000
"""Characters of one pasted review, and of all of them."""

EXAMPLES = (
    "The pizza was delicious but the waiter was rude.",
    "The battery is dependable. I hate the keyboard!",
    "The margarita was mostly ice, nobody said hello.",
)
SHOWN = "\n".join(EXAMPLES)
EMPTY = ui.note("The marked reviews, the chart and the table appear here.")
STOPPED = ui.note("Stopped; nothing is saved.")
FILE_HINT = (
    f"One review a line (.txt), a table with a column text (.csv, .tsv), or a JSON object a line with a key text "
    f"(.jsonl); at most {file_extraction.MAX_TEXT:,} characters a review and {ui.MAX_UPLOAD[:-2]} MB a file. "
    "The answer is a .csv and a .jsonl file; a line that cannot be read is named and spoils no other."
)


def build(predictor: Any) -> gr.Blocks:
    """The page: pasted reviews, the correction of judgements, a file, the model's card. Bad input gets one line."""
    shelf = Shelf()  # removed when the page is
    with ui.page(f"instructzoo · {TITLE}") as page:
        gr.HTML(ui.head(TITLE, SUMMARY) + rendering.STYLE)
        judged = gr.State([])
        with gr.Tab("Reviews"):
            answered = _reviews_tab(predictor, shelf, judged)
        with gr.Tab("Correct"):
            correction_tab.tab(predictor, shelf, judged, answered)
        with gr.Tab("A file"):
            _file_tab(predictor, shelf)
        with gr.Accordion("About this model", open=False, elem_id="absa-card"):
            gr.HTML(ui.card(predictor.recipe, predictor.scores, limits()))
    return page


def _reviews_tab(predictor: Any, shelf: Shelf, judged: gr.State) -> Any:
    """The first tab; returns the event that follows an answer."""
    box = gr.Textbox(
        SHOWN,
        label=f"One review a line, at most {ui.MAX_LINES}",
        placeholder=EXAMPLES[0],
        lines=4,
        max_lines=14,
        elem_id="absa-reviews",
        autofocus=True,
    )
    ask = gr.Button("Find judgements", variant="primary", elem_id="absa-ask")
    shown = gr.HTML(EMPTY, elem_id="absa-answer")
    table, objects = downloads("absa-csv", "absa-json", "Save as CSV", "Save as JSON")

    def answer(text: str) -> tuple[str, list[Judged], Any, Any]:
        html, found = many(predictor, text)
        files = file_extraction.save(found, shelf.fresh()) if found else (None, None)
        return html, found, *map(offered, files)

    return ask.click(answer, box, [shown, judged, table, objects], api_visibility="private")


def downloads(first: str, second: str, *labels: str) -> list[gr.DownloadButton]:
    """Two buttons side by side that appear when there is something to save."""
    with gr.Row():
        return [
            gr.DownloadButton(name, visible=False, size="md", elem_id=id)
            for id, name in zip((first, second), labels, strict=True)
        ]


def offered(path: Path | None) -> Any:
    """A download button with a file, or hidden."""
    return gr.update(value=path and str(path), visible=path is not None)


def _file_tab(predictor: Any, shelf: Shelf) -> None:
    gr.HTML(f'<p class="zoo-hint">{FILE_HINT}</p>')
    source = gr.File(label="Reviews", file_types=list(SUFFIXES), elem_id="absa-source", height=120)
    with gr.Row():
        run = gr.Button("Find judgements in all", variant="primary", scale=4, elem_id="absa-ask-all")
        stop = gr.Button("Stop", scale=1, min_width=100, elem_id="absa-stop")
    summary = gr.HTML(elem_id="absa-summary", min_height=60)
    table, objects = downloads("absa-file-csv", "absa-file-jsonl", "Save as CSV", "Save as JSON Lines")

    def answer(path: str | None) -> Iterator[tuple[str, Any, Any]]:
        for html, *files in whole_file(predictor, path, shelf.fresh()):
            yield html, *map(offered, files)

    running = run.click(answer, source, [summary, table, objects], show_progress="hidden", api_visibility="private")
    stop.click(lambda: STOPPED, None, summary, cancels=[running], api_visibility="private")


def many(predictor: Answers, text: str) -> tuple[str, list[Judged]]:
    """HTML of pasted reviews, and what was found; never an exception for what a person may paste."""
    lines = [line.strip() for line in (text or "").splitlines() if line.strip()]
    if fault := refused(lines):
        return ui.note(fault), []
    try:
        judged = judge(predictor, lines, MAX_REVIEW)
    except ZooError as error:
        return ui.note(f"These cannot be answered: {error}"), []
    return rendering.result(judged), judged


def refused(lines: Sequence[str]) -> str:
    """Why a pasted batch is not asked at all, in one friendly sentence; empty where it is."""
    if not lines:
        return "Paste one review a line."
    if len(lines) > ui.MAX_LINES:
        return f"{len(lines):,} lines; this page takes {ui.MAX_LINES} at a time. Send more as a file."
    if (size := sum(map(len, lines))) > MAX_PASTED:
        return f"{size:,} characters; this page takes {MAX_PASTED:,} at a time. Send more as a file."
    return unaskable(lines[0], MAX_REVIEW) if len(lines) == 1 else ""


def whole_file(predictor: Answers, path: str | None, folder: Path) -> Iterator[tuple[str, Path | None, Path | None]]:
    """HTML of how far a file of reviews is, at last of what became of it with the CSV and JSON Lines in `folder`."""
    if not path:
        yield ui.note("Choose a file of reviews first."), None, None
        return
    outcome = None
    try:
        for outcome in file_extraction.judge_file(predictor, Path(path), folder):
            yield _under_way(outcome), None, None
    except ZooError as error:
        yield ui.note(f"This file cannot be answered: {error}"), None, None
        return
    if outcome:
        yield _summary(outcome), outcome.table, outcome.objects


def _under_way(outcome: file_extraction.Outcome) -> str:
    text = f"{outcome.totals.reviews:,} reviews judged, {outcome.done:.0%} of the file"
    bar = f'<progress max="1" value="{outcome.done:.3f}" aria-label="share of the file"></progress>'
    return f'<div class="zoo-card absa-under-way">{bar}<p>{text}</p></div>'


def _summary(outcome: file_extraction.Outcome) -> str:
    totals = outcome.totals
    parts = [rendering.counted(totals)]
    if totals.categories:
        parts.append(rendering.part("Sentiment by category", rendering.bars(totals.categories)))
    if outcome.faults:
        more = totals.faulty - len(outcome.faults)
        lines = [(f"line\N{NO-BREAK SPACE}{number}", why) for number, why in outcome.faults]
        lines += [("", f"{more:,} more; each stands in both files with its number")] if more else []
        parts.append(rendering.part("Not asked", ui.table(("", ""), lines)))
    return f'<div class="zoo-card">{"".join(parts)}</div>'


def limits() -> list[tuple[str, str]]:
    """Lines of the card: what the model is for, and what it is not."""
    return [
        ("Asked", "sentence by sentence, for aspect, category, opinion and sentiment at once (ASQP)"),
        ("Limits", "English reviews of restaurants and laptops; a small model misses much in real ones"),
        ("Not for", "judging the people who wrote or are named in a text, or decisions without a reader"),
    ]
