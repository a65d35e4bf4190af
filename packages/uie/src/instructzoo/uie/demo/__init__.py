"""The demo: name what you look for, paste a text, see it marked, as a graph and as cards; or send a whole file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr

from instructzoo.core import ui
from instructzoo.core.errors import ZooError
from instructzoo.core.recipe import Recipe
from instructzoo.core.ui import files
from instructzoo.core.ui.highlighting import unaskable
from instructzoo.uie.demo import file_extraction, rendering
from instructzoo.uie.demo.css import STYLE
from instructzoo.uie.demo.presets import Preset, presets, trained_labels
from instructzoo.uie.extraction import Schema, extract, read_schema

TITLE = "Information extraction"
SUMMARY = (
    "Name the entity types, relations and events that you look for. A small language model finds them in your text "
    "and shows where they stand."
)
MAX_TEXT = 5_000
"""Characters of one text on the page: longer ones take minutes, and belong into a file."""

EMPTY = ui.note("The marked text, the graph and the events appear here.")
STOPPED = ui.note("Stopped; nothing is saved.")
NO_FILE = ui.note("Counts and faults appear here.")
HOLD, HOLD_HINT = "Hold the model to the labels", "and to words of the text; without, it may write anything"
BESIDE = "Show beside it what the model writes when nothing holds it"
FILE_HINT = (
    "One text a line (.txt), a table with a column text (.csv, .tsv), or an object a line with a key text (.jsonl); "
    f"at most {file_extraction.MAX_TEXT:,} characters a text. The answer is a .jsonl file. "
    "A line that cannot be read is named, and spoils no other."
)


@dataclass
class Models:
    """A predictor, free and held to the schema: each is made once, since it spells its vocabulary when first asked."""

    predictor: Any
    made: dict[bool, Any] = field(default_factory=dict)

    def get(self, held: bool) -> Any:
        if held not in self.made:
            self.made[held] = self.predictor.with_constraints(held)
        return self.made[held]


def build(predictor: Any) -> gr.Blocks:
    """The page: what to look for, one text, a file of texts, the model's card. Bad input gets one line."""
    models, known = Models(predictor), presets()
    with ui.page(f"instructzoo · {TITLE}") as page:
        gr.HTML(ui.head(TITLE, SUMMARY) + STYLE)
        labels, held = _schema(known)
        with gr.Tab("One text"):
            _text_tab(models, known, labels, held)
        with gr.Tab("A file"):
            _file_tab(models, labels, held)
        with gr.Accordion("About this model", open=False, elem_id="uie-card"):
            gr.HTML(ui.card(predictor.recipe, predictor.scores, limits(predictor.recipe)))
    return page


def _schema(known: dict[str, Preset]) -> tuple[list[gr.Textbox], gr.Checkbox]:
    """The editor of labels, the presets that fill it, and whether answers are held to it."""
    first = next(iter(known))
    with gr.Row(equal_height=True):
        with gr.Column(min_width=260):
            preset = gr.Dropdown(list(known), value=first, label="Labels to begin with", elem_id="uie-preset")
        with gr.Column(min_width=260):
            held = gr.Checkbox(True, label=HOLD, info=HOLD_HINT, elem_id="uie-held")
    with gr.Row(equal_height=True):
        boxes = [
            _box(value, label, holder, f"uie-{name}")
            for name, label, holder, value in (
                ("entities", "Entity types", "person, city", known[first].entities),
                ("relations", "Relations", "lives in, works for", known[first].relations),
                ("events", "Events, one a line, with roles", "attack: attacker, victim", known[first].events),
            )
        ]
    preset.change(lambda name: list(known[name][:3]), preset, boxes, api_visibility="private")
    return boxes, held


def _box(value: str, label: str, holder: str, name: str, lines: int = 2) -> gr.Textbox:
    return gr.Textbox(
        value, label=label, placeholder=holder, lines=lines, max_lines=12, min_width=240, elem_id=name,
        elem_classes="uie-box",
    )  # fmt: skip


def _text_tab(models: Models, known: dict[str, Preset], labels: list[gr.Textbox], held: gr.Checkbox) -> None:
    example = next(iter(known.values())).example
    text = _box(example, "Text", "Paste a text", "uie-text", lines=3)
    with gr.Row():
        with gr.Column(min_width=280):
            beside = gr.Checkbox(False, label=BESIDE, container=False, elem_id="uie-beside")
        ask = gr.Button("Find", variant="primary", scale=0, min_width=160, elem_id="uie-ask")
    shown = gr.HTML(EMPTY, elem_id="uie-answer")
    ask.click(partial(one, models), [text, *labels, held, beside], shown, api_visibility="private")
    gr.Examples([[preset.example] for preset in known.values()], [text], label="Examples")


def _file_tab(models: Models, labels: list[gr.Textbox], held: gr.Checkbox) -> None:
    gr.HTML(f'<p class="zoo-hint">{FILE_HINT}</p>')
    source = gr.File(label="Texts", file_types=list(files.SUFFIXES), elem_id="uie-source", height=130)
    with gr.Row():
        run = gr.Button("Find in all", variant="primary", scale=4, elem_id="uie-ask-all")
        stop = gr.Button("Stop", scale=1, min_width=100, elem_id="uie-stop")
    summary = gr.HTML(NO_FILE, elem_id="uie-summary", min_height=80)
    target = gr.DownloadButton("Save what was found", visible=False, elem_id="uie-save")
    shelf = files.Shelf()

    def answer(path: str | None, entities: str, relations: str, events: str, hold: bool) -> Iterator[tuple[str, Any]]:
        for html, made in many(models, path, (entities, relations, events), hold, shelf.fresh()):
            yield html, gr.update(value=made and str(made), visible=made is not None)

    running = run.click(
        answer, [source, *labels, held], [summary, target], show_progress="hidden", api_visibility="private"
    )
    stop.click(lambda: STOPPED, None, summary, cancels=[running], api_visibility="private")


def one(
    models: Models, text: str, entities: str, relations: str, events: str, hold: bool = True, beside: bool = False
) -> str:
    """HTML of what is found in one text; never an exception for what a person may type."""
    text = (text or "").strip()
    if fault := unaskable(text, MAX_TEXT):
        return ui.note(f"{fault} {'A file takes longer texts.' if len(text) > MAX_TEXT else 'Paste a text.'}")
    try:
        schema = read_schema(entities, relations, events)
        found = extract(models.get(hold), text, schema)
        free = extract(models.get(False), text, schema) if beside and hold else None
    except ZooError as error:
        return ui.note(f"This cannot be answered: {error}")
    return rendering.result(found, schema, free, untrained(schema, models.predictor.recipe))


def untrained(schema: Schema, recipe: Recipe) -> str:
    """That labels are asked for which the model has never seen; empty where it has, or where that is not known."""
    known = trained_labels(recipe)
    roles = (role for each in schema.events.values() for role in each)
    asked = dict.fromkeys((*schema.entities, *schema.relations, *schema.events, *roles))
    strange = [label for label in asked if label not in known]
    return f"The model was not trained on: {', '.join(strange)}." if known and strange else ""


def limits(recipe: Recipe) -> list[tuple[str, str]]:
    """Lines of the card: how the model is asked, and what it was not trained for."""
    known = trained_labels(recipe)
    return [
        ("Asked", "sentence by sentence, for entities, relations and events each; nothing is found across sentences"),
        ("Labels", ", ".join(known) if known else f"those of {', '.join(recipe.data.sources)}"),
        ("Limits", "other labels and other kinds of text are answered badly"),
    ]


def many(
    models: Models, path: str | None, labels: tuple[str, str, str], hold: bool, folder: Path
) -> Iterator[tuple[str, Path | None]]:
    """HTML of how far a file of texts is, at last of what became of it with the file of answers, made in `folder`."""
    if not path:
        yield ui.note("Choose a file of texts first."), None
        return
    target = folder / f"{Path(path).stem[:60]}.found.jsonl"
    outcome = file_extraction.Outcome()
    try:
        schema = read_schema(*labels)
        yield _under_way(outcome), None
        for outcome in file_extraction.extract_file(models.get(hold), Path(path), target, schema):
            yield _under_way(outcome), None
    except ZooError as error:
        target.unlink(missing_ok=True)
        yield ui.note(f"This cannot be answered: {error}"), None
    else:
        yield _summary(outcome), target


def _under_way(outcome: file_extraction.Outcome) -> str:
    bar = f'<progress max="1" value="{outcome.done:.3f}" aria-label="share of the file"></progress>'
    text = f"{outcome.texts:,} texts answered, {outcome.done:.0%} of the file"
    return f'<div class="zoo-card uie-under-way">{bar}<p class="zoo-hint">{text}</p></div>'


def _summary(outcome: file_extraction.Outcome) -> str:
    parts = [ui.badge("right", f"✓ {outcome.texts:,} text{'' if outcome.texts == 1 else 's'} answered")]
    if outcome.faulty:
        parts.append(ui.badge("wrong", f"✗ {outcome.faulty:,} not asked"))
    found = ", ".join(f"{number:,} {part}" for part, number in outcome.found.items())
    html = f'<p>{" ".join(parts)}</p><p class="zoo-hint">Found: {found}.</p>'
    lines: list[tuple[ui.Cell, ui.Cell]] = [((f"line {number}", "mono"), why) for number, why in outcome.faults]
    if more := outcome.faulty - len(lines):
        lines.append(("", f"{more:,} more; each stands in the file with its number"))
    return f'<div class="zoo-card">{html}{ui.table(("", ""), lines) if lines else ""}</div>'
