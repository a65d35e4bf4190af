"""The fourth tab: labelled utterances for an intent of one's own, from a few examples, to save and train on.

An example names its slots in brackets, "is it warm in [city: oslo]"; further values are given one slot a line.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr

from instructzoo.core import ui
from instructzoo.core.answers.text_files import spreadsheet_cell
from instructzoo.core.errors import ZooError
from instructzoo.core.recipe import Recipe
from instructzoo.core.ui.files import ResultFolders
from instructzoo.core.ui.highlighting import label_hues
from instructzoo.core.ui.model_choice import ModelBar
from instructzoo.dialogue.data.leave_one_out import TASK
from instructzoo.dialogue.demo.chat_tab import box, names_in
from instructzoo.dialogue.demo.rendering import marked_text
from instructzoo.dialogue.schema import Slot, Turn
from instructzoo.dialogue.synthesis.filters import Checks
from instructzoo.dialogue.synthesis.generation import Generated, generate_utterances, utterance_line
from instructzoo.dialogue.synthesis.recombination import recombine
from instructzoo.dialogue.synthesis.requests import slot_values

MODEL_WRITES, SWAP = "The model writes them", "Only exchange the words of slots"
MAX_EXAMPLES, MAX_LENGTH, MAX_UTTERANCES = 50, 300, 50
TEMPERATURE, TOP_P = 0.8, 0.95
"""How answers are drawn: greedy ones are too often the same."""
INTENT = "ask for a seat"
EXAMPLES = "is there a seat in the [room: reading room] on [day: monday]\nkeep me a place in the [room: quiet room]"
VALUES = "room: library, computer room\nday: friday, saturday"
WRITES = "What the model writes is kept where its slots can be read and it copies no example. Read it before you train."
SWAPS = (
    "This model was not trained to write utterances, so that only the words of slots are exchanged. zoo train "
    "dialogue/linguist trains one that writes new sentences."
)

_SLOT = re.compile(r"\[([^\[\]:]+):([^\[\]]+)\]")


def build_tab(bar: ModelBar) -> None:
    """The intent with its examples, and the utterances, which open with those to the example of the page."""
    folders = ResultFolders()
    run = partial(generate, bar, folders)
    start = bar.models.start
    writes = writes_utterances(bar.models.get(start).recipe)
    how = MODEL_WRITES if writes else SWAP
    html, *saved = run(start, INTENT, EXAMPLES, VALUES, 6, how)
    with gr.Row(elem_classes="dlg-page dlg-questions"):
        with gr.Column(elem_classes="dlg-main"):
            intent = box("new-intent", INTENT, "The name of your intent")
            examples = box(
                "new-examples", EXAMPLES, "Examples, one a line, with the words of slots in brackets", lines=2
            )
            values = box("new-values", VALUES, "Further words of slots, one slot a line", "city: rome, lima", lines=2)
            number = gr.Slider(2, MAX_UTTERANCES, 6, step=1, label="How many", elem_id="new-number")
            method = gr.Radio([MODEL_WRITES, SWAP], value=how, label="How", visible=writes, elem_id="new-how")
            button = gr.Button("Write utterances", variant="primary", elem_id="generate")
        with gr.Column(elem_classes="dlg-side"):
            shown = gr.HTML(html, elem_id="new-utterances", elem_classes="dlg-results")
            with gr.Row():
                files = [
                    gr.DownloadButton(
                        f"Save as {kind}", value=file["value"], visible=file["visible"], elem_id=f"save-{kind}"
                    )
                    for kind, file in zip(("CSV", "JSONL"), saved, strict=True)
                ]
            hint = gr.HTML(hint_html(writes))
    inputs, outputs = [bar.name, intent, examples, values, number, method], [shown, *files]
    button.click(run, inputs, outputs, api_visibility="private")

    def fit(name: str) -> tuple[Any, str]:
        try:
            writes = writes_utterances(bar.models.get(name).recipe)
        except ZooError:  # a click on the button says why
            return gr.skip(), gr.skip()
        return gr.update(value=MODEL_WRITES if writes else SWAP, visible=writes), hint_html(writes)

    bar.switched.then(fit, bar.name, [method, hint], api_visibility="private")


def hint_html(writes: bool) -> str:
    """HTML of what the utterances are."""
    return f'<p class="zoo-hint">{WRITES if writes else SWAPS}</p>'


def writes_utterances(recipe: Recipe) -> bool:
    """Whether a model was trained to write utterances: its recipe names the task type."""
    return TASK in recipe.data.model_dump_json()


def generate(
    bar: ModelBar, folders: ResultFolders, name: str, intent: str, examples: str, values: str, number: int, how: str
) -> tuple[str, Any, Any]:
    """Write utterances of an intent.

    Args:
        bar: The dropdown of models.
        folders: Where the files are written.
        name: The model.
        intent: The name of the intent.
        examples: Examples with marked slots, one a line.
        values: Further words of slots, one slot a line.
        number: How many are wanted.
        how: MODEL_WRITES or SWAP.

    Returns:
        HTML of the utterances or of one line on what is wrong, and the states of the two download buttons.
    """
    hidden = gr.update(value=None, visible=False)
    try:
        label = " ".join((intent or "").split())
        if not label:
            raise ZooError("no name of the intent", "one in plain words", "such as ask for a seat")
        turns, words = [read_example(line, label) for line in _lines(examples)], read_values(values)
        if not turns or len(turns) > MAX_EXAMPLES:
            raise ZooError(f"{len(turns)} examples", f"1 to {MAX_EXAMPLES}", "write one a line")
        if how == MODEL_WRITES and writes_utterances(bar.models.get(name).recipe):
            predictor = bar.models.get(name).sampling(TEMPERATURE, TOP_P)
            checks = Checks(check_language=False)  # examples may be in any language
            wanted = min(int(number), MAX_UTTERANCES)
            generated = generate_utterances(predictor.answer, label, turns, words, wanted, checks=checks)
        else:
            of_slots = {
                slot: list(dict.fromkeys([*own, *words.get(slot, ())])) for slot, own in slot_values(turns).items()
            }
            generated = Generated(recombine(turns, of_slots, min(int(number), MAX_UTTERANCES), seed=0))
    except ZooError as error:
        return ui.note(f"This cannot be answered: {error}"), hidden, hidden
    if not generated.utterances:
        return utterances_html(generated), hidden, hidden
    saved = write_files(folders.new_folder(), generated.utterances)
    return utterances_html(generated), *(gr.update(value=str(path), visible=True) for path in saved)


def _lines(text: str) -> list[str]:
    return [line.strip() for line in (text or "").splitlines() if line.strip()]


def read_example(line: str, intent: str) -> Turn:
    """An utterance of a line with its slots in brackets.

    Args:
        line: Such as "is it warm in [city: oslo]".
        intent: Its intent.

    Raises:
        ZooError: A bracket is open or stands elsewhere, or the line is too long or has no word.
    """
    text, slots, position = "", list[Slot](), 0
    for match in _SLOT.finditer(line):
        text += line[position : match.start()]
        name, value = (" ".join(part.split()) for part in match.groups())
        slots.append(Slot(name, value, len(text), len(text) + len(value)))
        text, position = text + value, match.end()
    text += line[position:]
    if "[" in text or "]" in text or not all(slot.name and slot.value for slot in slots):
        raise ZooError(f'"{line[:60]}"', "slots such as [city: oslo]", "correct the brackets")
    if not any(map(str.isalnum, text)) or len(text) > MAX_LENGTH:
        raise ZooError(f'the example "{line[:60]}"', f"words, at most {MAX_LENGTH} characters")
    return Turn("user", text, intent, slots=tuple(slots))


def read_values(text: str) -> dict[str, tuple[str, ...]]:
    """Further words of slots: "city: rome, lima" on a line each. Raises ZooError for a line of another form."""
    values = {}
    for line in _lines(text):
        name, colon, words = line.partition(":")
        if not (colon and name.strip() and names_in(words)):
            raise ZooError(f'"{line[:60]}"', "a slot and its words, such as city: rome, lima", "correct the line")
        values[" ".join(name.split())] = names_in(words)
    return values


def utterances_html(generated: Generated) -> str:
    """HTML of utterances with their slots marked, and of how many answers of the model were rejected, with reasons."""
    slots = [slot.name for turn in generated.utterances for slot in turn.slots or ()]
    colours = label_hues(slots)
    items = "".join(f"<li>{marked_text(turn.text, turn.slots or (), colours)}</li>" for turn in generated.utterances)
    reasons = "; ".join(f"{count} {reason}" for reason, count in generated.rejected.most_common())
    hint = f"{len(generated.utterances)} utterances." + (f" Rejected: {reasons}." if reasons else "")
    return (
        f'<div class="zoo-card"><p class="zoo-hint">{hint}</p><ol class="dlg-turns dlg-written-list">{items}</ol></div>'
    )


def write_files(folder: Path, utterances: Sequence[Turn]) -> tuple[Path, Path]:
    """Write utterances as CSV, in which no spreadsheet runs a formula, and as JSON Lines; both are read as own data."""
    table, lines = folder / "utterances.csv", folder / "utterances.jsonl"
    records: list[Mapping[str, Any]] = [utterance_line(turn) for turn in utterances]
    with table.open("w", newline="", encoding="utf-8", errors="replace") as file:
        writer = csv.writer(file)
        writer.writerow(("text", "intent", "slots"))
        for record in records:
            slots = json.dumps(record["slots"], ensure_ascii=False)
            writer.writerow((spreadsheet_cell(record["text"]), spreadsheet_cell(record["intent"]), slots))
    text = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    lines.write_text(text, encoding="utf-8", errors="replace")
    return table, lines
