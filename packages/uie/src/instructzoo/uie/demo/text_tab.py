"""The demo's first tab: a text, the labels to look for, and the answer beside them."""

from __future__ import annotations

from functools import partial
from typing import Any

import gradio as gr

from instructzoo.core import ui
from instructzoo.core.answers.text_files import invalid_text_reason
from instructzoo.core.errors import ZooError
from instructzoo.core.recipe import Recipe
from instructzoo.core.ui.examples import clickable_examples
from instructzoo.core.ui.model_choice import ModelBar
from instructzoo.uie.demo import rendering
from instructzoo.uie.demo.predictors import Models, ModelsByName
from instructzoo.uie.demo.presets import knows_made_up_world_only, presets_for, presets_of, trained_labels
from instructzoo.uie.extraction import Schema, extract, read_schema

MAX_TEXT = 5_000
"""Characters of one text on the page: longer texts take minutes and should be sent as a file."""

CONSTRAIN = "Only allow my labels"
CONSTRAIN_HINT = "and words that stand in the text; without this, the model may write anything"
COMPARE = "Also show what the model writes without this rule"


def build_tab(bar: ModelBar, models: ModelsByName) -> tuple[list[gr.Textbox], gr.Checkbox]:
    """The text and the labels with the answer, which opens with that to the first example of the model.

    Returns:
        The boxes of the labels, and the switch of constrained decoding: the other tab uses them too.
    """
    start = bar.models.start
    first = next(iter(presets_for(bar.models.get(start).recipe).values()))
    with gr.Row(elem_id="uie-question"):  # its style places the areas: on a phone the answer comes before the rest
        with gr.Column(elem_classes="uie-area-text"):
            text = _text_box("text", first.example, "Text", "Paste a text", lines=2)
        with gr.Column(elem_classes="uie-area-entities"):
            entities = _text_box("entities", first.entities, "Your labels, with commas between", "person, city")
        with gr.Column(elem_classes="uie-area-relations"):
            relations = _text_box("relations", first.relations, "Relations between them", "lives in, works for")
        with gr.Column(elem_classes="uie-area-events"):
            events = _text_box(
                "events", first.events, "Events with roles, one a line", "adverse event: treatment, effect", 2
            )
        with gr.Column(elem_classes="uie-area-ask"):
            button = gr.Button("Find", variant="primary", elem_id="uie-ask")
        with gr.Column(elem_classes="uie-area-answer"):
            answer = gr.HTML(answer_with(models, start, first.example, *first[:3]), elem_id="uie-answer")
        with gr.Column(elem_classes="uie-area-options"):
            constrained = gr.Checkbox(True, label=CONSTRAIN, info=CONSTRAIN_HINT, elem_id="uie-constrained")
            compare = gr.Checkbox(False, label=COMPARE, elem_id="uie-compare")
        labels = [entities, relations, events]
        inputs = [bar.name, text, *labels, constrained, compare]
        with gr.Column(elem_classes="uie-area-examples"):
            _examples(bar, models, inputs, answer)
    for event in (button.click, text.submit, *(box.submit for box in labels)):
        event(partial(answer_with, models), inputs, answer, api_visibility="private")
    return labels, constrained


def _examples(bar: ModelBar, models: ModelsByName, inputs: list[Any], answer: gr.HTML) -> None:
    """Examples to click on, those that the chosen model can answer; with another model the page answers again."""
    fields = inputs[1:5]
    made_up = knows_made_up_world_only(bar.models.get(bar.models.start).recipe)
    groups = {kind: presets_of(kind) for kind in ((True, False) if len(bar.models.names) > 1 else (made_up,))}
    columns = []
    for kind, group in groups.items():
        with gr.Column(visible=kind is made_up) as column:
            rows = [[preset.example, *preset[:3]] for preset in group.values()]
            clickable_examples(rows, fields, partial(answer_with, models), inputs, answer, list(group))
        columns.append(column)

    def fit(name: str, text: str) -> list[Any]:
        """Show the examples of the chosen model; in place of another model's example, fill in its first one."""
        try:
            kind = knows_made_up_world_only(bar.models.get(name).recipe)
        except ZooError:  # the answer that follows says why
            return [gr.skip()] * (len(columns) + len(fields))
        first = next(iter(groups[kind].values()))
        is_example = any(text == preset.example for group in groups.values() for preset in group.values())
        filled = [first.example, *first[:3]] if is_example else [gr.skip()] * len(fields)
        return [*(gr.update(visible=other is kind) for other in groups), *filled]

    fitted = bar.switched.then(fit, inputs[:2], [*columns, *fields], api_visibility="private")
    fitted.then(partial(answer_with, models), inputs, answer, api_visibility="private")


def _text_box(name: str, value: str, label: str, placeholder: str, lines: int = 1) -> gr.Textbox:
    return gr.Textbox(
        value, label=label, placeholder=placeholder, lines=lines, max_lines=12, elem_id=f"uie-{name}",
        elem_classes="uie-box",
    )  # fmt: skip


def answer_with(models: ModelsByName, name: str, *inputs: Any) -> str:
    """HTML of the answer of a model (`answer_text`), or of why it cannot be opened."""
    try:
        chosen = models.get(name)
    except ZooError as error:
        return ui.note(f"{name} cannot be opened: {error}")
    return answer_text(chosen, *inputs)


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
