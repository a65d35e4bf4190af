"""A conversation with the model, which answers as the system and annotates each turn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from instructzoo.core.answers.model import answer_inputs, check_options
from instructzoo.core.errors import ZooError
from instructzoo.dialogue import answers
from instructzoo.dialogue.answers import Answer
from instructzoo.dialogue.data.dialogue_input import Input
from instructzoo.dialogue.schema import Slot

NO_RESPONSE = "(no response)"
"""Stands for a response without a word, so that the conversation can go on."""


@dataclass(frozen=True, slots=True)
class ChatTurn:
    """A turn of the conversation.

    Attributes:
        role: "user" or "system".
        text: The words.
        label: The intent of a user's turn, the act of the system's; "" where it is not asked for or not known yet.
        slots: Slots that a user's turn fills.
        state: What is settled after a user's turn.
        notes: What is wrong with the model's answers.
    """

    role: str
    text: str
    label: str = ""
    slots: tuple[Slot, ...] = ()
    state: tuple[Slot, ...] = ()
    notes: tuple[str, ...] = ()


Conversation = tuple[ChatTurn, ...]


@dataclass(frozen=True, slots=True)
class Labels:
    """What turns are annotated with; a kind without labels is left out."""

    intents: tuple[str, ...] = ()
    slots: tuple[str, ...] = ()
    acts: tuple[str, ...] = ()


def ask(predictor: Any, input: Input, **options: Any) -> Answer:
    """The typed answer to one message or dialogue.

    Args:
        predictor: The model.
        input: The message or dialogue.
        **options: The options of a call; empty ones count as not given.

    Returns:
        The answer.

    Raises:
        ZooError: An option is unknown or malformed, or the input cannot be answered.
    """
    given = {name: value for name, value in options.items() if value}
    (found,) = answer_inputs(answers, predictor, [input], check_options(answers, given))
    if found.error:
        raise ZooError(found.error.rstrip("."))
    return found


def exchange(predictor: Any, before: Conversation, message: str, labels: Labels) -> Iterator[Conversation]:
    """Annotate a message and respond to it.

    Args:
        predictor: The model.
        before: The conversation so far, which ends with a turn of the system.
        message: What the user says; it has a word.
        labels: What the turns are annotated with.

    Yields:
        The conversation whenever it has grown: with the message annotated, with the response, with the response's act.

    Raises:
        ZooError: A label is malformed, or the message cannot be answered.
    """
    turns = [*_turns(before), {"role": "user", "text": message}]
    said = _annotated(predictor, turns, message, labels)
    yield (*before, said)
    response = ask(predictor, turns, task="response_generation")
    text = response.written if any(map(str.isalnum, response.written)) else NO_RESPONSE
    answered = ChatTurn("system", text, notes=response.notes)
    yield (*before, said, answered)
    if labels.acts and text != NO_RESPONSE:
        turns.append({"role": "system", "text": text})
        act = ask(predictor, turns, task="act_classification", labels=labels.acts)
        yield (*before, said, replace(answered, label=act.label, notes=(*answered.notes, *act.notes)))


def _annotated(predictor: Any, turns: Sequence[Any], message: str, labels: Labels) -> ChatTurn:
    said = ChatTurn("user", message)
    if labels.intents or labels.slots:
        found = ask(predictor, turns, labels=labels.intents, slots=labels.slots)
        said = replace(said, label=found.label, slots=found.slots, notes=found.notes)
    if labels.slots:
        state = ask(predictor, turns, task="belief_state_generation", slots=labels.slots)
        said = replace(said, state=state.slots, notes=(*said.notes, *state.notes))
    return said


def _turns(conversation: Conversation) -> list[dict[str, str]]:
    return [{"role": turn.role, "text": turn.text} for turn in conversation]
