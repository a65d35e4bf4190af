"""The second tab: any task type on a pasted dialogue, with options of one's own."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

import gradio as gr

from instructzoo.core import ui
from instructzoo.core.errors import ZooError
from instructzoo.core.ui.examples import clickable_examples
from instructzoo.core.ui.model_choice import ModelBar
from instructzoo.dialogue.demo.chat import ask
from instructzoo.dialogue.demo.chat_tab import box, names_in
from instructzoo.dialogue.demo.presets import presets_of_model
from instructzoo.dialogue.demo.rendering import answer_html
from instructzoo.dialogue.prompts.instructions import INSTRUCTIONS, general
from instructzoo.dialogue.tasks import TASKS, TaskType

MAX_DIALOGUE = 10_000
"""Characters of a pasted dialogue at most."""

DIALOGUE_FIELDS = {"CONTEXT", "RESPONSE"}
CHOICES = [(name.replace("_", " "), name) for name, task in TASKS.items() if DIALOGUE_FIELDS & set(task.fields)]
"""The task types on the page, by what it calls them: those that are about a dialogue."""

_TURN = re.compile(r"\s*(user|system|assistant)\s*:\s*", re.IGNORECASE)


def texts_of(task: TaskType) -> list[str]:
    """What a question of the task type needs besides the dialogue: names in its instruction, then its other fields."""
    return [*task.names, *(field.lower() for field in task.fields if field not in DIALOGUE_FIELDS)]


MOST_TEXTS = max(len(texts_of(TASKS[name])) for _, name in CHOICES)


def build_tab(bar: ModelBar) -> None:
    """The question and its answer, which opens with the first example of the model."""
    presets = presets_of_model(bar.models, bar.models.start).tasks
    first = presets[0]
    with gr.Row(elem_classes="dlg-page dlg-questions"):
        with gr.Column(elem_classes="dlg-main"):
            dialogue = box("dialogue", first.dialogue, "Dialogue, one turn a line", "User: ...\nSystem: ...", lines=4)
            task = gr.Dropdown(CHOICES, value=first.task, label="Task", elem_id="task")
            hint = gr.HTML(hint_html(first.task), elem_id="task-hint", elem_classes="dlg-hint")
            labels = box("labels", first.labels, "Your options or slots, with commas between")
            texts = [box(f"text-{number}", "", "", visible=False) for number in range(MOST_TEXTS)]
            button = gr.Button("Answer", variant="primary", elem_id="answer-task")
        inputs = [bar.name, task, dialogue, labels, *texts]
        answer = partial(answer_task, bar)
        with gr.Column(elem_classes="dlg-side"):
            shown = gr.HTML(answer(bar.models.start, first.task, first.dialogue, first.labels), elem_id="task-answer")
        with gr.Column(elem_classes="dlg-below"):
            rows = [[preset.task, preset.dialogue, preset.labels] for preset in presets]
            names = [preset.name for preset in presets]
            clickable_examples(rows, inputs[1:4], answer, inputs, shown, names)
    for event in (button.click, labels.submit):
        event(answer, inputs, shown, api_visibility="private")
    task.change(boxes_of, task, [hint, labels, *texts], api_visibility="private")

    def fit(name: str, *values: str) -> tuple[Any, ...]:
        wanted = presets_of_model(bar.models, name).tasks[0]
        return (wanted.task, wanted.dialogue, wanted.labels)

    fitted = bar.switched.then(fit, inputs[:1], inputs[1:4], api_visibility="private")
    fitted.then(answer, inputs, shown, api_visibility="private")


def hint_html(task: str) -> str:
    """HTML of what a task type asks."""
    return f'<p class="zoo-hint">{general(INSTRUCTIONS[task][0])}</p>'


def boxes_of(name: str) -> list[Any]:
    """The boxes that a task type needs, and its hint."""
    task = TASKS[name]
    needed = texts_of(task)
    has_options = task.options in ("labels", "candidates", "slots")
    label = "The slots, with commas between" if task.options == "slots" else "Your options, with commas between"
    texts = [gr.update(visible=True, label=text.capitalize()) for text in needed]
    hidden = [gr.update(visible=False, value="")] * (MOST_TEXTS - len(needed))
    return [hint_html(name), gr.update(visible=has_options, label=label), *texts, *hidden]


def answer_task(bar: ModelBar, name: str, task_name: str, dialogue: str, labels: str, *texts: str) -> str:
    """HTML of the answer to a question of any task type, or of one line on what is wrong with it.

    Args:
        bar: The dropdown of models.
        name: The model.
        task_name: The task type.
        dialogue: The dialogue, as a person typed it.
        labels: Options or slots, as a person typed them.
        *texts: What the question needs besides, in the order of `texts_of`.
    """
    task = TASKS[task_name]
    given = dict(zip(texts_of(task), map(str.strip, texts), strict=False))
    names = {key: given[key] for key in task.names if given.get(key)}
    beside = {key: text for key, text in given.items() if text and key not in task.names}
    options = names_in(labels) if task.options in ("labels", "candidates", "slots") else ()
    try:
        conversation = {"turns": read_turns(dialogue), **beside}
        return answer_html(
            ask(bar.models.get(name), conversation, task=task_name, labels=options, names=names), options
        )
    except ZooError as error:
        return ui.note(f"This cannot be answered: {error}")


def read_turns(text: str) -> list[dict[str, str]]:
    """The turns of a dialogue as a person types it: one a line, "User: ...", "System: ...".

    Args:
        text: The dialogue. A line without a speaker belongs to the turn above it; without any speaker, lines are of
            user and system by turns.

    Returns:
        The turns, as a call of the model takes them.

    Raises:
        ZooError: There is no word, or the text is too long.
    """
    lines = [line.strip() for line in (text or "").splitlines() if line.strip()]
    if not lines:
        raise ZooError("no dialogue", "at least one turn", "write a line such as User: Hello")
    if len(text) > MAX_DIALOGUE:
        raise ZooError(
            f"a dialogue of {len(text):,} characters", f"at most {MAX_DIALOGUE:,}", "zoo predict takes longer ones"
        )
    if not any(_TURN.match(line) for line in lines):
        return [{"role": ("user", "system")[n % 2], "text": line} for n, line in enumerate(lines)]
    turns = list[dict[str, str]]()
    for line in lines:
        match = _TURN.match(line)
        if match:
            turns.append({"role": match.group(1).lower(), "text": line[match.end() :]})
        elif turns:
            turns[-1]["text"] += f" {line}"
        else:
            raise ZooError(f'the line "{line[:40]}"', '"User: ..." or "System: ..." before the first turn')
    return turns
