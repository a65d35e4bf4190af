"""The third tab: intents that the user names, tried at once on messages or on a file of them."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr

from instructzoo.core import ui
from instructzoo.core.answers.blocks import blocks
from instructzoo.core.answers.model import answer_inputs, check_options
from instructzoo.core.answers.text_files import SUFFIXES, read_texts, spreadsheet_cell
from instructzoo.core.errors import ZooError
from instructzoo.core.ui.files import ResultFolders
from instructzoo.core.ui.model_choice import ModelBar
from instructzoo.dialogue import answers
from instructzoo.dialogue.answers import Answer
from instructzoo.dialogue.demo.chat_tab import box, names_in
from instructzoo.dialogue.demo.presets import presets_of_model, refitted
from instructzoo.dialogue.demo.rendering import intents_html

BLOCK = 16
"""Messages that are answered at once; after each block the page is updated."""
MAX_SHOWN = 100
"""Messages that the page shows; the file has all."""
MAX_MESSAGE = 1_000
"""Characters of one message at most."""
FILE_HINT = (
    f"Or a file of at most {ui.MAX_UPLOAD[:-2]} MB: one message a line (.txt), a column text (.csv, .tsv) or a key "
    "text (.jsonl)."
)
STOPPED = ui.note("Stopped; nothing is saved.")

Update = tuple[str, Any]
"""HTML of the results, and the state of the download button."""


def build_tab(bar: ModelBar) -> None:
    """Intents and messages with the table of results, which opens with that to the example of the model."""
    presets, folders = presets_of_model(bar.models, bar.models.start), ResultFolders()
    run = partial(sort_messages, bar, folders)
    *_, (html, button) = run(bar.models.start, presets.intents, presets.messages, None)
    with gr.Row(elem_classes="dlg-page dlg-questions"):
        with gr.Column(elem_classes="dlg-main"):
            intents = box("own-intents", presets.intents, "Your intents, with commas between", "book a room, ...", 2)
            messages = box("own-messages", presets.messages, "Messages, one a line", "I need a room for two", 4)
            with gr.Row():
                start = gr.Button("Find the intents", variant="primary", scale=4, elem_id="sort")
                stop = gr.Button("Stop", scale=1, min_width=80, elem_id="stop")
        with gr.Column(elem_classes="dlg-side"):
            shown = gr.HTML(html, elem_id="own-results", elem_classes="dlg-results")
            save = gr.DownloadButton("Save as CSV", button.get("value"), visible=button["visible"], elem_id="save")
        with gr.Column(elem_classes="dlg-below"):
            gr.HTML(f'<p class="zoo-hint">{FILE_HINT}</p>', elem_classes="dlg-hint")
            source = gr.File(label="A file of messages", file_types=list(SUFFIXES), elem_id="own-file", height=110)
    inputs, outputs = [bar.name, intents, messages, source], [shown, save]
    running = [
        event(run, inputs, outputs, show_progress="hidden", api_visibility="private")
        for event in (start.click, intents.submit)
    ]
    stop.click(lambda: STOPPED, None, shown, cancels=running, api_visibility="private")

    def fit(name: str, *texts: str) -> tuple[str, ...]:
        wanted = presets_of_model(bar.models, name)
        return refitted(texts, (wanted.intents, wanted.messages), lambda p: (p.intents, p.messages))

    fitted = bar.switched.then(fit, inputs[:3], inputs[1:3], api_visibility="private")
    fitted.then(run, inputs, outputs, show_progress="hidden", api_visibility="private")


def sort_messages(
    bar: ModelBar, folders: ResultFolders, name: str, intents: str, messages: str, path: str | None
) -> Iterator[Update]:
    """Find the intents of messages.

    Args:
        bar: The dropdown of models.
        folders: Where files of results are written.
        name: The model.
        intents: The intents, as a person typed them.
        messages: Messages, one a line; not read where there is a file.
        path: A file of messages, or None.

    Yields:
        The results so far after every block, at last with the file; or one line on what is wrong.
    """
    hidden = gr.update(visible=False)
    try:
        if not names_in(intents):
            raise ZooError("no intents", "at least two", "write some, such as book a room, cancel a room")
        options = check_options(answers, {"labels": names_in(intents), "max_characters": MAX_MESSAGE})
        predictor, done = bar.models.get(name), list[tuple[str, Answer]]()
        for block in blocks(_messages(messages, path), BLOCK):
            texts = [text for text, error in block if not error]
            found = iter(answer_inputs(answers, predictor, texts, options))
            done += [(text, Answer(text, error=error) if error else next(found)) for text, error in block]
            yield intents_html(done[:MAX_SHOWN], f"{len(done):,} messages answered so far"), hidden
    except ZooError as error:
        yield ui.note(f"This cannot be answered: {error}"), hidden
        return
    saved = write_table(folders.new_folder() / "intents.csv", done)
    yield intents_html(done[:MAX_SHOWN], summary_of(done)), gr.update(value=str(saved), visible=True)


def _messages(typed: str, path: str | None) -> Iterator[tuple[str, str]]:
    """Each message with the reason why it cannot be read, or ""."""
    if path:
        yield from ((line.text or f"line {line.number}", line.error) for line in read_texts(Path(path), MAX_MESSAGE))
        return
    lines = [line.strip() for line in (typed or "").splitlines() if line.strip()]
    if not lines:
        raise ZooError("no message", "one a line", "write some, or choose a file")
    if len(lines) > ui.MAX_LINES:
        raise ZooError(f"{len(lines):,} messages", f"at most {ui.MAX_LINES} here", "send them as a file")
    yield from ((line, "") for line in lines)


def summary_of(done: Sequence[tuple[str, Answer]]) -> str:
    """A sentence on how many messages have each intent, how many have none, and how many are not shown."""
    failed = sum(bool(answer.error) for _, answer in done)
    counts: dict[str, int] = {}
    for _, answer in done:
        if answer.label:
            counts[answer.label] = counts.get(answer.label, 0) + 1
    ordered = sorted(counts.items(), key=lambda pair: -pair[1])
    text = "; ".join(f"{count:,} {label}" for label, count in ordered) or "No message was answered"
    text += f"; {failed:,} not answered" if failed else ""
    return text + (f". The first {MAX_SHOWN} are shown, the file has all." if len(done) > MAX_SHOWN else "")


def write_table(path: Path, done: Sequence[tuple[str, Answer]]) -> Path:
    """Write messages with their intents as CSV in which no spreadsheet runs a formula; returns the path."""
    with path.open("w", newline="", encoding="utf-8", errors="replace") as file:
        writer = csv.writer(file)
        writer.writerow(("message", "intent", "error"))
        for text, answer in done:
            writer.writerow((spreadsheet_cell(text), spreadsheet_cell(answer.label), answer.error))
    return path
