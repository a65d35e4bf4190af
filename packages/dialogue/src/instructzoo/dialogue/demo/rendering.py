"""HTML of conversations and answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from instructzoo.core import ui
from instructzoo.core.ui.highlighting import Span, escape_text, highlight, label_hues
from instructzoo.dialogue.answers import Answer
from instructzoo.dialogue.demo.chat import ChatTurn, Conversation
from instructzoo.dialogue.schema import UNKNOWN, Slot

WHO = {"user": "You", "system": "Model"}
NOTHING = '<span aria-label="nothing">–</span>'


def conversation_html(conversation: Conversation, slots: Sequence[str]) -> str:
    """HTML of a conversation: each turn with its intent and state, or its act, beside it.

    Args:
        conversation: The turns.
        slots: The slots on offer, which have a colour each.
    """
    if not conversation:
        return ui.note("Say something: the model answers, and shows what it has understood.")
    colours = label_hues(slots)
    turns = "".join(_turn_html(turn, colours) for turn in conversation)
    attributes = 'class="dlg-scroll zoo-card" role="log" aria-label="Conversation" tabindex="0"'
    return f'<div {attributes}><ol class="dlg-turns">{turns}</ol></div>'


def _turn_html(turn: ChatTurn, colours: Mapping[str, int]) -> str:
    facts = [("Intent" if turn.role == "user" else "Act", escape_text(turn.label))] if turn.label else []
    if turn.role == "user" and turn.state:
        facts.append(("State", slots_html(turn.state, colours)))
    facts += [("⚠", escape_text(note)) for note in turn.notes]
    lines = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in facts)
    said = f'<p class="dlg-who">{WHO[turn.role]}</p>{marked_text(turn.text, turn.slots, colours)}'
    return f'<li class="dlg-turn {turn.role}"><div class="dlg-said">{said}</div><dl class="dlg-facts">{lines}</dl></li>'


def slots_html(slots: Sequence[Slot], colours: Mapping[str, int]) -> str:
    """HTML of slots with their values, one after the other."""
    pairs = (
        f'<span class="dlg-slot" style="--h: {colours.get(slot.name, 0)}"><b>{escape_text(slot.name)}</b> '
        f"<bdi>{escape_text(slot.value)}</bdi></span>"
        for slot in slots
    )
    return " ".join(pairs)


def marked_text(text: str, slots: Sequence[Slot], colours: Mapping[str, int]) -> str:
    """HTML of a text with the values of its slots marked."""
    return highlight(text, [Span(s.start, s.end, s.name) for s in slots if s.start != UNKNOWN], colours)


def answer_html(answer: Answer, options: Sequence[str]) -> str:
    """HTML of the answer to a question of any task type.

    Args:
        answer: The answer.
        options: The options or slots on offer.
    """
    colours = label_hues((*options, *(slot.name for slot in answer.slots)))
    parts = []
    if answer.label:
        parts.append(f'<p class="zoo-big">{escape_text(answer.label)}</p>')
    if answer.written:
        parts.append(f'<p class="dlg-written" dir="auto">{escape_text(answer.written)}</p>')
    if any(slot.start != UNKNOWN for slot in answer.slots):
        parts.append(marked_text(answer.text, answer.slots, colours))
    if answer.slots:
        rows = [(slot.name, slot.value) for slot in answer.slots]
        parts.append(ui.table(("slot", "value"), rows))
    if not parts:
        parts.append('<p class="zoo-hint">Nothing was found.</p>')
    parts += [f'<p class="zoo-hint">⚠ {escape_text(note[:1].upper() + note[1:])}.</p>' for note in answer.notes]
    return f'<div class="zoo-card">{"".join(parts)}</div>'


def intents_html(messages: Sequence[tuple[str, Answer]], summary: str) -> str:
    """HTML of a table of messages with their intents, below a line on them."""
    rows: list[tuple[ui.Cell, ui.Cell]] = []
    for text, answer in messages:
        wrong = answer.error or "; ".join(answer.notes)
        rows.append((text, (wrong, "zoo-wrong") if wrong else answer.label))
    return (
        f'<div class="zoo-card"><p class="zoo-hint">{escape(summary)}</p>{ui.table(("message", "intent"), rows)}</div>'
    )
