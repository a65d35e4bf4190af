"""Demo pages for one question at a time: a question row with examples, and what a user should know of the model.

def build(predictor):
    return question_page(predictor, answer_html, examples=EXAMPLES, placeholder="3 km in m")
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from instructzoo.core import ui
from instructzoo.core.errors import ZooError
from instructzoo.core.ui.examples import clickable_examples
from instructzoo.core.ui.model_choice import AnswersRows, ModelBar, ModelChoice, about_box, model_bar

__all__ = ["AnswerHTML", "AnswersRows", "answered", "question_page", "question_row"]

AnswerHTML = Callable[[Any, str], str]
"""HTML of a predictor's answer to a question of 1 to ui.MAX_CHARACTERS characters. It may raise ZooError."""


def question_page(
    predictor: AnswersRows,
    answer_html: AnswerHTML,
    examples: Sequence[str],
    placeholder: str = "",
    summary: str = "",
    limits: Sequence[tuple[str, str]] = (),
) -> Any:
    """A whole demo for one question at a time: heading, question row, the answered first example, the model's card.

    Args:
        predictor: The model; its domain gives title and summary, its recipe and scores the card.
        answer_html: HTML of the answer to a question.
        examples: Questions to click on; the page opens with the first one answered.
        placeholder: What the empty question box shows.
        summary: A sentence below the title; none: the domain's own.
        limits: Lines of the card: what the model is for, and what it is not.

    Returns:
        gr.Blocks, for `ui.launch`.
    """
    import gradio as gr

    with ui.page(f"instructzoo · {predictor.domain.title}") as page:
        gr.HTML(ui.head(predictor.domain.title, summary or predictor.domain.summary))
        bar = model_bar(ModelChoice(predictor))
        question_row(bar, answer_html, examples, placeholder)
        about_box(bar, lambda _: limits)
    return page


def question_row(
    bar: ModelBar, answer_html: AnswerHTML, examples: Sequence[str], placeholder: str = "", hint: str = ""
) -> None:
    """A question box with its button, the answer to the first example, and examples to click on.

    Args:
        bar: The dropdown of the page that is being built.
        answer_html: HTML of the answer to a question.
        examples: Questions to click on, one at least; the first is answered now.
        placeholder: What the empty box shows.
        hint: What a question may look like; said where none was typed.
    """
    import gradio as gr

    def answer(text: str, model: str) -> str:
        return answered(lambda question: answer_html(bar.models.get(model), question), text, hint)

    with gr.Column(elem_classes="zoo-flow"):
        with gr.Row(elem_classes="zoo-ask"):
            question = gr.Textbox(
                examples[0],
                label="Question",
                placeholder=placeholder,
                max_length=ui.MAX_CHARACTERS,
                max_lines=1,
                container=False,
                autofocus=True,
                scale=5,
                elem_id="question",
            )
            button = gr.Button("Answer", variant="primary", scale=1, min_width=120, elem_id="ask")
        shown = gr.HTML(answer(examples[0], bar.models.start), elem_id="answer")
        clickable_examples([[example] for example in examples], [question], answer, [question, bar.name], shown)
    for event in (question.submit, button.click):
        event(answer, [question, bar.name], shown, api_visibility="private")
    bar.switched.then(answer, [question, bar.name], shown, api_visibility="private")


def answered(answer_html: Callable[[str], str], text: str, hint: str = "") -> str:
    """HTML of the answer to what a person typed, or of one friendly line; never an exception.

    Args:
        answer_html: HTML of the answer to a question of 1 to ui.MAX_CHARACTERS characters. It may raise ZooError.
        text: What the person typed; surrounding white space is ignored.
        hint: A sentence that is added where there is no question or it is too long.

    Returns:
        The HTML of the answer or of the note.
    """
    question = (text or "").strip()
    if not question:
        return ui.note(f"There is nothing to answer yet. {hint}".strip())
    if len(question) > ui.MAX_CHARACTERS:
        found = f"A question has at most {ui.MAX_CHARACTERS} characters, this one has {len(question)}."
        return ui.note(f"{found} {hint}".strip())
    try:
        return answer_html(question)
    except ZooError as error:
        return ui.note(f"This cannot be answered: {error}")
