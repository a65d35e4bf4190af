"""The demo: enter labels and a text, see entities, relations and events marked and drawn; or process a whole file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr

from instructzoo.core import ui
from instructzoo.core.answers.text_files import SUFFIXES, invalid_text_reason
from instructzoo.core.errors import ZooError
from instructzoo.core.recipe import Recipe
from instructzoo.core.ui.files import ResultFolders
from instructzoo.core.ui.questions import model_card
from instructzoo.uie.demo import file_extraction, rendering
from instructzoo.uie.demo.css import STYLE
from instructzoo.uie.demo.presets import Preset, presets, trained_labels
from instructzoo.uie.extraction import Schema, extract, read_schema

TITLE = "Information extraction"
SUMMARY = (
    "Name the entity types, relations and events that you look for. A small language model finds them in your text "
    "and shows where they are."
)
MAX_TEXT = 5_000
"""Characters of one text on the page: longer texts take minutes and should be sent as a file."""

EMPTY = ui.note("The marked text, the graph and the events appear here.")
STOPPED = ui.note("Stopped; nothing is saved.")
NO_FILE = ui.note("Counts and errors appear here.")
CONSTRAIN = "Allow only these labels and words of the text"
CONSTRAIN_HINT = "without this, the model may write anything"
COMPARE = "Also show what the model writes without this constraint"
FILE_HINT = (
    "One text per line (.txt), a table with a column text (.csv, .tsv), or an object per line with a key text "
    f"(.jsonl); at most {file_extraction.MAX_TEXT:,} characters per text. The result is a .jsonl file. "
    "A line that cannot be read is reported and does not affect the others."
)


@dataclass
class Models:
    """A predictor with and without constrained decoding; each is made once, since building its vocabulary takes time.

    Attributes:
        predictor: The predictor as it was loaded.
        by_constraint: The predictors made so far.
    """

    predictor: Any
    by_constraint: dict[bool, Any] = field(default_factory=dict)

    def get(self, constrained: bool) -> Any:
        """The predictor with or without constrained decoding."""
        if constrained not in self.by_constraint:
            self.by_constraint[constrained] = self.predictor.with_constraints(constrained)
        return self.by_constraint[constrained]


def build(predictor: Any) -> gr.Blocks:
    """Build the page: the labels, a tab for one text, a tab for a file of texts, the model's card.

    Args:
        predictor: An instructzoo.core.infer.Predictor of this domain.

    Returns:
        The page. Invalid input gets one line of explanation on it, never an exception.
    """
    models, label_presets = Models(predictor), presets()
    with ui.page(f"instructzoo · {TITLE}") as page:
        gr.HTML(ui.head(TITLE, SUMMARY) + STYLE)
        label_boxes, constrained = _label_boxes(label_presets)
        with gr.Tab("One text"):
            _text_tab(models, label_presets, label_boxes, constrained)
        with gr.Tab("A file"):
            _file_tab(models, label_boxes, constrained)
        model_card(predictor, limits(predictor.recipe))
    return page


def _label_boxes(label_presets: dict[str, Preset]) -> tuple[list[gr.Textbox], gr.Checkbox]:
    """The boxes for labels, the presets that fill them, and the switch of constrained decoding."""
    first = next(iter(label_presets))
    with gr.Row(equal_height=True):
        with gr.Column(min_width=260):
            preset = gr.Dropdown(list(label_presets), value=first, label="Labels to begin with", elem_id="uie-preset")
        with gr.Column(min_width=260):
            constrained = gr.Checkbox(True, label=CONSTRAIN, info=CONSTRAIN_HINT, elem_id="uie-constrained")
    with gr.Row(equal_height=True):
        boxes = [
            _text_box(value, label, placeholder, f"uie-{name}")
            for name, label, placeholder, value in (
                ("entities", "Entity types", "person, city", label_presets[first].entities),
                ("relations", "Relations", "lives in, works for", label_presets[first].relations),
                ("events", "Events, one per line, with roles", "attack: attacker, victim", label_presets[first].events),
            )
        ]
    preset.change(lambda name: list(label_presets[name][:3]), preset, boxes, api_visibility="private")
    return boxes, constrained


def _text_box(value: str, label: str, placeholder: str, elem_id: str, lines: int = 2) -> gr.Textbox:
    return gr.Textbox(
        value, label=label, placeholder=placeholder, lines=lines, max_lines=12, min_width=240, elem_id=elem_id,
        elem_classes="uie-box",
    )  # fmt: skip


def _text_tab(
    models: Models, label_presets: dict[str, Preset], label_boxes: list[gr.Textbox], constrained: gr.Checkbox
) -> None:
    example = next(iter(label_presets.values())).example
    text = _text_box(example, "Text", "Paste a text", "uie-text", lines=3)
    with gr.Row():
        with gr.Column(min_width=280):
            compare = gr.Checkbox(False, label=COMPARE, container=False, elem_id="uie-compare")
        button = gr.Button("Find", variant="primary", scale=0, min_width=160, elem_id="uie-ask")
    answer = gr.HTML(EMPTY, elem_id="uie-answer")
    inputs = [text, *label_boxes, constrained, compare]
    button.click(partial(answer_text, models), inputs, answer, api_visibility="private")
    gr.Examples([[preset.example] for preset in label_presets.values()], [text], label="Examples")


def _file_tab(models: Models, label_boxes: list[gr.Textbox], constrained: gr.Checkbox) -> None:
    gr.HTML(f'<p class="zoo-hint">{FILE_HINT}</p>')
    source = gr.File(label="Texts", file_types=list(SUFFIXES), elem_id="uie-source", height=130)
    with gr.Row():
        run_button = gr.Button("Find in all", variant="primary", scale=4, elem_id="uie-ask-all")
        stop_button = gr.Button("Stop", scale=1, min_width=100, elem_id="uie-stop")
    summary = gr.HTML(NO_FILE, elem_id="uie-summary", min_height=80)
    download = gr.DownloadButton("Save the results", visible=False, elem_id="uie-save")
    folders = ResultFolders()

    def answer(
        path: str | None, entities: str, relations: str, events: str, constrain: bool
    ) -> Iterator[tuple[str, Any]]:
        labels = (entities, relations, events)
        for html, result in answer_file(models, path, labels, constrain, folders.new_folder()):
            yield html, gr.update(value=result and str(result), visible=result is not None)

    inputs, outputs = [source, *label_boxes, constrained], [summary, download]
    running = run_button.click(answer, inputs, outputs, show_progress="hidden", api_visibility="private")
    stop_button.click(lambda: STOPPED, None, summary, cancels=[running], api_visibility="private")


def answer_text(
    models: Models,
    text: str,
    entities: str,
    relations: str,
    events: str,
    constrain: bool = True,
    compare: bool = False,
) -> str:
    """Extract from one text.

    Args:
        models: The predictors.
        text: The text, as a person typed it.
        entities: Entity types, as a person typed them (`extraction.read_schema`).
        relations: Relation types, likewise.
        events: Event types with roles, likewise.
        constrain: Whether decoding is constrained to the labels and to words of the text.
        compare: Whether to show also what the model writes without the constraint.

    Returns:
        HTML of the result, or of a line that says what is wrong with the input.
    """
    text = (text or "").strip()
    if reason := invalid_text_reason(text, MAX_TEXT):
        return ui.note(f"{reason} {'A file takes longer texts.' if len(text) > MAX_TEXT else 'Paste a text.'}")
    try:
        schema = read_schema(entities, relations, events)
        extraction = extract(models.get(constrain), text, schema)
        unconstrained = extract(models.get(False), text, schema) if compare and constrain else None
    except ZooError as error:
        return ui.note(f"This cannot be answered: {error}")
    hint = untrained_labels_hint(schema, models.predictor.recipe)
    return rendering.extraction_html(extraction, schema, unconstrained, hint)


def untrained_labels_hint(schema: Schema, recipe: Recipe) -> str:
    """A line that names the labels that were not seen in training; "" where there are none, or where it is unknown."""
    trained = trained_labels(recipe)
    roles = (role for event_roles in schema.events.values() for role in event_roles)
    labels = dict.fromkeys((*schema.entities, *schema.relations, *schema.events, *roles))
    untrained = [label for label in labels if label not in trained]
    return f"The model was not trained on: {', '.join(untrained)}." if trained and untrained else ""


def limits(recipe: Recipe) -> list[tuple[str, str]]:
    """Lines of the card: how the model is used, and what it was not trained for."""
    trained = trained_labels(recipe)
    return [
        ("Use", "sentence by sentence, for entities, relations and events each; nothing is found across sentences"),
        ("Labels", ", ".join(trained) if trained else f"those of {', '.join(recipe.data.sources)}"),
        ("Limits", "other labels and other kinds of text are answered badly"),
    ]


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
