"""Demo pages for one question at a time: a question row with examples, and the model's card.

def build(predictor):
    return question_page(predictor, answer_html=lambda text: ..., examples=EXAMPLES, placeholder="3 km in m")
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from instructzoo.core import ui
from instructzoo.core.domain import Domain
from instructzoo.core.errors import ZooError
from instructzoo.core.recipe import Recipe
from instructzoo.core.record import Row

EMPTY = "The answer appears here."


class AnswersRows(Protocol):
    """What a demo needs of a predictor; instructzoo.core.infer.Predictor is one."""

    @property
    def domain(self) -> Domain: ...

    @property
    def recipe(self) -> Recipe: ...

    @property
    def scores(self) -> dict[str, Any] | None: ...

    def answer(self, rows: Sequence[Row]) -> list[str]:
        """The model's texts, in the order of the rows."""
        ...


def question_page(
    predictor: AnswersRows,
    answer_html: Callable[[str], str],
    examples: Sequence[str],
    placeholder: str = "",
    summary: str = "",
    limits: Sequence[tuple[str, str]] = (),
) -> Any:
    """A whole demo for one question at a time: heading, question row, examples, answer, the model's card.

    Args:
        predictor: The model; its domain gives title and summary, its recipe and scores the card.
        answer_html: HTML of the answer to a question of 1 to ui.MAX_CHARACTERS characters. It may raise ZooError.
        examples: Questions to click on.
        placeholder: What the empty question box shows.
        summary: A sentence below the title; none: the domain's own.
        limits: Lines of the card: what the model is for, and what it is not.

    Returns:
        gr.Blocks, for `ui.launch`.
    """
    import gradio as gr

    with ui.page(f"instructzoo · {predictor.domain.title}") as page:
        gr.HTML(ui.head(predictor.domain.title, summary or predictor.domain.summary))
        question_row(answer_html, examples, placeholder)
        model_card(predictor, limits)
    return page


def question_row(
    answer_html: Callable[[str], str],
    examples: Sequence[str],
    placeholder: str = "",
    empty: str = EMPTY,
    hint: str = "",
) -> None:
    """A question box with its button, examples and the place of the answer, put into the page that is being built.

    Args:
        answer_html: As of `question_page`.
        examples: Questions to click on.
        placeholder: What the empty box shows.
        empty: What the place of the answer says before the first one.
        hint: What a question may look like; said where none was typed.
    """
    import gradio as gr

    with gr.Row(elem_classes="zoo-ask"):
        question = gr.Textbox(
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
    answer = gr.HTML(ui.note(empty), elem_id="answer")
    gr.Examples([[example] for example in examples], [question], label="Examples")
    for event in (question.submit, button.click):
        event(lambda text: answered(answer_html, text, hint), question, answer, api_visibility="private")


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


def model_card(predictor: AnswersRows, limits: Sequence[tuple[str, str]] = ()) -> None:
    """The folded card of the model, put into the page that is being built.

    Args:
        predictor: The model, with its recipe and its scores.
        limits: Lines of the card: what the model is for, and what it is not.
    """
    import gradio as gr

    with gr.Accordion("About this model", open=False, elem_id="card"):
        gr.HTML(ui.card(predictor.recipe, predictor.scores, limits))
