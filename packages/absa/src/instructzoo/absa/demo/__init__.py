"""The demo page: opinions in pasted reviews, their correction into training rows, and the analysis of a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from instructzoo.absa import domain
from instructzoo.absa.demo import correction_tab, file_extraction, rendering
from instructzoo.absa.extraction import LabelledPredictor, ReviewAnalysis, analyse
from instructzoo.core import ui
from instructzoo.core.answers.text_files import SUFFIXES, invalid_text_reason
from instructzoo.core.errors import ZooError
from instructzoo.core.infer.trained_labels import Labels
from instructzoo.core.ui.examples import clickable_examples
from instructzoo.core.ui.files import ResultFolders
from instructzoo.core.ui.model_choice import ModelBar, ModelChoice, about_box, model_bar

SUMMARY = "Paste reviews: the model marks what they praise or criticise, and in which words."
MAX_REVIEW, MAX_PASTED = 5_000, 50_000
"""Maximum length of one pasted review, and of all of them, in characters."""

EXAMPLES = (
    "The pizza was delicious but the waiter was rude.",
    "The battery life is great, but the keyboard feels cheap.",
    "The soup was cold and the service was slow.",
)
"""Reviews to click on, one by one and all together; the page opens with the first one answered."""
MADE_UP_EXAMPLES = (
    EXAMPLES[0],
    "The battery is dependable. I hate the keyboard!",
    "The margarita was mostly ice, nobody said hello.",
)
"""Those of a model that knows only the made-up reviews."""
GROUP_NAMES = {
    "ae": "aspects",
    "aesc": "aspects and sentiments",
    "tasd": "aspects, categories and sentiments",
    "aste": "aspects, opinions and sentiments",
    "asqp": "all four of them",
    "implicit": "aspects or opinions that no word names",
}
"""What the table of scores calls the tasks."""
STOPPED = ui.note("Stopped; nothing is saved.")
FILE_HINT = (
    f"A file of at most {ui.MAX_UPLOAD[:-2]} MB, with at most {file_extraction.MAX_TEXT:,} characters per review: one "
    "review per line (.txt), a table with a column text (.csv, .tsv), or one JSON object per line with a key text "
    "(.jsonl). You get a .csv and a .jsonl file back. A line that cannot be read is reported; the others are answered."
)


def build(predictor: Any) -> gr.Blocks:
    """Build the page.

    Args:
        predictor: the model, a LabelledPredictor.
    """
    result_folders = ResultFolders()  # removed together with the page
    examples = MADE_UP_EXAMPLES if predictor.model and predictor.model.kind == "tiny" else EXAMPLES
    first_answer = analyse_pasted(predictor, examples[0])
    with ui.page(f"instructzoo · {domain.title}") as page:
        gr.HTML(ui.head(domain.title, SUMMARY) + rendering.STYLE)
        bar = model_bar(ModelChoice(predictor))
        analyses = gr.State(first_answer[1])
        with gr.Tab("Reviews"):
            analysed = _reviews_tab(bar, result_folders, examples, analyses, first_answer)
        with gr.Tab("Correct"):
            correction_tab.build_tab(bar, result_folders, analyses, analysed)
        with gr.Tab("A file"):
            _file_tab(bar, result_folders)
        about_box(bar, lambda chosen: model_limits(chosen.labels), GROUP_NAMES)
    return page


def _reviews_tab(
    bar: ModelBar,
    result_folders: ResultFolders,
    examples: Sequence[str],
    analyses: gr.State,
    first_answer: tuple[str, list[ReviewAnalysis]],
) -> list[Any]:
    """The first tab, with the first example and its answer; returns the events that follow a further result."""

    def files(results: Sequence[ReviewAnalysis]) -> Sequence[Path | None]:
        return file_extraction.save_analyses(results, result_folders.new_folder()) if results else (None, None)

    def answer(text: str, model: str) -> tuple[str, list[ReviewAnalysis], Any, Any]:
        try:
            html, results = analyse_pasted(bar.models.get(model), text)
        except ZooError as error:  # the model cannot be opened
            html, results = ui.note(str(error)), []
        return html, results, *map(download_update, files(results))

    with gr.Row(elem_classes="zoo-split"):
        with gr.Column(scale=2, min_width=300, elem_classes="zoo-input"):
            reviews = gr.Textbox(
                examples[0],
                label=f"Reviews, one per line (at most {ui.MAX_LINES})",
                placeholder="Paste reviews here",
                lines=3,
                max_lines=12,
                elem_id="absa-reviews",
                autofocus=True,
            )
            button = gr.Button("Find opinions", variant="primary", elem_id="absa-ask")
            below = gr.Column(elem_classes="zoo-last")
        with gr.Column(scale=3, min_width=300):
            result = gr.HTML(first_answer[0], elem_id="absa-answer")
            buttons = download_buttons("absa-csv", "absa-json", "Save as CSV", "Save as JSON", files(first_answer[1]))
    inputs, outputs = [reviews, bar.name], [result, analyses, *buttons]
    with below:
        rows = [[text] for text in (*examples, "\n".join(examples))]
        labels = [*examples, f"All {len(examples)} reviews at once"]
        clicked = clickable_examples(rows, [reviews], answer, inputs, outputs, labels)
    answered = button.click(answer, inputs, outputs, api_visibility="private")
    switched = bar.switched.then(answer, inputs, outputs, api_visibility="private")
    return [answered, clicked, switched]


def download_buttons(
    first_id: str, second_id: str, first_label: str, second_label: str, files: Sequence[Path | None] = (None, None)
) -> list[gr.DownloadButton]:
    """Two download buttons side by side, hidden where there is no file yet; `download_update` shows them."""
    with gr.Row():
        return [
            gr.DownloadButton(label, value=path and str(path), visible=bool(path), size="md", elem_id=element_id)
            for element_id, label, path in zip((first_id, second_id), (first_label, second_label), files, strict=True)
        ]


def download_update(path: Path | None) -> Any:
    """Update of a download button: visible with a file, hidden without."""
    return gr.update(value=path and str(path), visible=path is not None)


def _file_tab(bar: ModelBar, result_folders: ResultFolders) -> None:
    gr.HTML(f'<p class="zoo-hint">{FILE_HINT}</p>')
    source = gr.File(label="Reviews", file_types=list(SUFFIXES), elem_id="absa-source", height=120)
    with gr.Row():
        start = gr.Button("Find opinions in all", variant="primary", scale=4, elem_id="absa-ask-all")
        stop = gr.Button("Stop", scale=1, min_width=100, elem_id="absa-stop")
    summary = gr.HTML(elem_id="absa-summary", min_height=60)
    table, objects = download_buttons("absa-file-csv", "absa-file-jsonl", "Save as CSV", "Save as JSON Lines")

    def answer(path: str | None, model: str) -> Iterator[tuple[str, Any, Any]]:
        for html, *files in analyse_uploaded(bar.models.get(model), path, result_folders.new_folder()):
            yield html, *map(download_update, files)

    running = start.click(
        answer, [source, bar.name], [summary, table, objects], show_progress="hidden", api_visibility="private"
    )
    stop.click(lambda: STOPPED, None, summary, cancels=[running], api_visibility="private")


def analyse_pasted(predictor: LabelledPredictor, text: str) -> tuple[str, list[ReviewAnalysis]]:
    """Analyse pasted reviews, one per line.

    Returns:
        The HTML of the result and the analyses. Invalid input gives a message and no analyses, never an exception.
    """
    lines = [line.strip() for line in (text or "").splitlines() if line.strip()]
    if reason := invalid_input_reason(lines):
        return ui.note(reason), []
    try:
        analyses = analyse(predictor, lines, MAX_REVIEW)
    except ZooError as error:
        return ui.note(f"These cannot be analysed: {error}"), []
    return rendering.render_analyses(analyses), analyses


def invalid_input_reason(lines: Sequence[str]) -> str:
    """Why pasted reviews are not analysed at all, as a sentence; "" where they are."""
    if not lines:
        return "Paste one review per line."
    if len(lines) > ui.MAX_LINES:
        return f"{len(lines):,} lines; this page takes {ui.MAX_LINES} at a time. Send more as a file."
    if (size := sum(map(len, lines))) > MAX_PASTED:
        return f"{size:,} characters; this page takes {MAX_PASTED:,} at a time. Send more as a file."
    return invalid_text_reason(lines[0], MAX_REVIEW) if len(lines) == 1 else ""


def analyse_uploaded(
    predictor: LabelledPredictor, path: str | None, folder: Path
) -> Iterator[tuple[str, Path | None, Path | None]]:
    """Analyse an uploaded file of reviews.

    Yields:
        HTML of the progress, at last of the summary together with the CSV and the JSON Lines file in `folder`.
    """
    if not path:
        yield ui.note("Choose a file of reviews first."), None, None
        return
    progress = None
    try:
        for progress in file_extraction.analyse_file(predictor, Path(path), folder):
            yield _render_progress(progress), None, None
    except ZooError as error:
        yield ui.note(f"This file cannot be analysed: {error}"), None, None
        return
    if progress:
        yield _render_summary(progress), progress.table, progress.objects


def _render_progress(progress: file_extraction.FileProgress) -> str:
    text = f"{progress.counts.reviews:,} reviews analysed, {progress.done:.0%} of the file"
    bar = f'<progress max="1" value="{progress.done:.3f}" aria-label="fraction of the file"></progress>'
    return f'<div class="zoo-card absa-progress">{bar}<p>{text}</p></div>'


def _render_summary(progress: file_extraction.FileProgress) -> str:
    counts, faults = progress.counts, progress.faults
    sections = [rendering.render_counts(counts)]
    if counts.sentiments_by_category:
        bars = rendering.render_bars(counts.sentiments_by_category)
        sections.append(rendering.section("Sentiment by category", bars))
    if faults.first:
        lines = [(f"line\N{NO-BREAK SPACE}{number}", reason) for number, reason in faults.first]
        more = faults.count - len(faults.first)
        lines += [("", f"{more:,} more; both files have each of them with its number")] if more else []
        sections.append(rendering.section("Not analysed", ui.table(("", ""), lines)))
    return f'<div class="zoo-card">{"".join(sections)}</div>'


def model_limits(labels: Labels | None = None) -> list[tuple[str, str]]:
    """Lines of the model card: what the model is for, and what it is not for.

    Args:
        labels: the labels of the model's training rows.
    """
    known = [("Categories", rendering.readable_categories(labels["categories"]))] if labels else []
    return [
        ("Finds", "what is judged (aspect), its category, the judging words (opinion) and the sentiment"),
        ("Limits", "English reviews; every sentence is read by itself"),
        ("Not for", "judging the people who wrote or are named in a text, or decisions without a human reader"),
        *known,
    ]
