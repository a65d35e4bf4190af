"""The demo: a message and its intent."""

from __future__ import annotations

from html import escape

import gradio as gr

from instructzoo.core import ui
from instructzoo.core.record import Invalid
from instructzoo.core.ui.questions import AnswersRows, question_page
from instructzoo.dialogue import prompts

INTENTS = ("play music", "get weather", "set alarm")
EXAMPLES = ("play some jazz", "wake me at seven")


def build(predictor: AnswersRows) -> gr.Blocks:
    """The page: one question, its answer, the model's card."""
    limits = [("Limits", "messages of the microworld")]
    return question_page(predictor, answer_html, EXAMPLES, EXAMPLES[0], limits=limits)


def answer_html(predictor: AnswersRows, question: str) -> str:
    """HTML of the answer to one question."""
    row = {"instruction": "", "input": f"[CONTEXT] [RESPONSE] {question}", "output": "", "options": list(INTENTS)}
    (text,) = predictor.answer([row])
    answer = prompts.parse(text, row)
    if isinstance(answer, Invalid):
        return ui.note(f"The model gave no answer: {answer.reason}.")
    return f'<div class="zoo-card"><p class="zoo-big">{escape(answer.text)}</p></div>'
