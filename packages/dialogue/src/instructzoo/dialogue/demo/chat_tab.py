"""The first tab: a chat in which the model answers, with intent, slots, state and act beside each turn."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import gradio as gr

from instructzoo.core import ui
from instructzoo.core.answers.text_files import invalid_text_reason
from instructzoo.core.errors import ZooError
from instructzoo.core.ui.examples import clickable_examples
from instructzoo.core.ui.model_choice import ModelBar
from instructzoo.dialogue.demo.chat import Conversation, Labels, exchange
from instructzoo.dialogue.demo.presets import Tracked, presets_of_model, refitted
from instructzoo.dialogue.demo.rendering import conversation_html

MAX_TURNS = 100
"""Turns of one chat at most."""

Shown = tuple[str, Conversation, str, str]
"""HTML of the conversation, the conversation, what the message box holds, and HTML of what is wrong."""


def build_tab(bar: ModelBar) -> None:
    """The chat, which opens with the first example of the model answered."""
    presets = presets_of_model(bar.models, bar.models.start)
    *_, (first_html, first, _, problem) = new_chat(bar, bar.models.start, presets.chat[0], *presets.tracked)
    with gr.Row(elem_classes="dlg-page dlg-chat"):
        with gr.Column(elem_classes="dlg-main"):
            shown, conversation = gr.HTML(first_html, elem_id="chat"), gr.State(first)
            note = gr.HTML(problem, elem_id="chat-note")
            with gr.Row(equal_height=True, elem_classes="dlg-send"):
                message = gr.Textbox(
                    label="Message", placeholder="Type a message", container=False, max_lines=4, scale=5,
                    max_length=ui.MAX_CHARACTERS, elem_id="message", elem_classes="dlg-box",
                )  # fmt: skip
                send = gr.Button("Send", variant="primary", scale=0, min_width=90, elem_id="send")
        with gr.Column(elem_classes="dlg-side"):
            labels = [
                box("chat-intents", presets.tracked.intents, "Intents: what a message may want", lines=2),
                box("chat-slots", presets.tracked.slots, "Slots: what is noted", lines=2),
                box("chat-acts", presets.tracked.acts, "Acts: what an answer may do", lines=2),
            ]
            restart = gr.Button("New chat", elem_id="restart")
        with gr.Column(elem_classes="dlg-below"):
            fresh, outputs = [bar.name, message, *labels], [shown, conversation, message, note]
            examples = [[text] for text in presets.chat]
            clickable_examples(examples, [message], partial(new_chat, bar), fresh, outputs)
    for event in (send.click, message.submit):
        event(partial(respond, bar), [bar.name, conversation, *fresh[1:]], outputs, api_visibility="private")
    restart.click(lambda: (conversation_html((), ()), (), "", ""), None, outputs, api_visibility="private")

    def fit(name: str, *texts: str) -> tuple[str, ...]:
        tracked = presets_of_model(bar.models, name)
        return (tracked.chat[0], *refitted(texts, tracked.tracked, lambda presets: presets.tracked))

    fitted = bar.switched.then(fit, [bar.name, *labels], fresh[1:], api_visibility="private")
    fitted.then(partial(new_chat, bar), fresh, outputs, api_visibility="private")


def box(name: str, value: str, label: str, placeholder: str = "", lines: int = 1, visible: bool = True) -> gr.Textbox:
    """A text box of the page; its label is shown above it."""
    return gr.Textbox(
        value, label=label, placeholder=placeholder, lines=lines, max_lines=12, elem_id=name, elem_classes="dlg-box",
        visible=visible,
    )  # fmt: skip


def names_in(text: str) -> tuple[str, ...]:
    """The names in a text with commas or line feeds between them."""
    pieces = (" ".join(piece.split()) for piece in (text or "").replace("\n", ",").split(","))
    return tuple(piece for piece in pieces if piece)


def new_chat(bar: ModelBar, name: str, message: str, *labels: str) -> Iterator[Shown]:
    """A chat that begins with a message (`respond`)."""
    yield from respond(bar, name, (), message, *labels)


def respond(bar: ModelBar, name: str, before: Conversation, message: str, *labels: str) -> Iterator[Shown]:
    """Continue a chat.

    Args:
        bar: The dropdown of models.
        name: The model.
        before: The chat so far.
        message: What the user typed.
        *labels: Intents, slots and acts, as a person typed them.

    Yields:
        What the page shows, whenever the chat has grown. Where the message cannot be answered, it stays in its box.
    """
    message, tracked = (message or "").strip(), Tracked(*labels)
    slots, conversation = names_in(tracked.slots), before
    reason = invalid_text_reason(message, ui.MAX_CHARACTERS)
    if len(before) >= MAX_TURNS:
        reason = f"A chat has at most {MAX_TURNS} turns here: start a new one."
    if reason:
        yield conversation_html(before, slots), before, message, ui.note(reason)
        return
    try:
        predictor = bar.models.get(name)
        for conversation in exchange(predictor, before, message, Labels(*map(names_in, tracked))):
            yield conversation_html(conversation, slots), conversation, "", ""
    except ZooError as error:
        yield conversation_html(before, slots), before, message, ui.note(f"This cannot be answered: {error}")
