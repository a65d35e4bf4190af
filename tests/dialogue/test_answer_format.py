"""Answers with slots: what is written is read back, and the grammar permits it."""

from __future__ import annotations

from random import Random

import pytest

from instructzoo.core.errors import ZooError
from instructzoo.core.infer.grammar import permits
from instructzoo.core.record import Invalid
from instructzoo.dialogue import prompts
from instructzoo.dialogue.prompts.answer_format import format_slots, parse_slots
from instructzoo.dialogue.schema import Slot

VALUES = (
    "Oslo",
    "at 12:30",
    'at 12 o"clock',
    "one; two",
    '"quoted"',
    "a\nb",
    "C:\\temp",
    "none",
    "Köln, 5 €",
)


@pytest.mark.parametrize("value", VALUES)
def test_any_value_is_read_back_and_fits_the_grammar_of_its_row(value: str) -> None:
    slots = (Slot("place", value), Slot("number of people", "two"))
    text = format_slots(slots)
    assert parse_slots(text) == slots
    row = {"task": "slot_filling", "options": ["number of people", "place"], "input": f"[RESPONSE] two, {value} !"}
    grammar = prompts.constraint(row)
    assert grammar is not None
    assert permits(grammar, text), text
    assert not permits(grammar, "place: Rome")


def test_random_values_are_read_back() -> None:
    rng = Random(0)
    for _ in range(500):
        values = ["".join(rng.choices('ab ;:"\\\n,', k=rng.randint(1, 8))) for _ in range(3)]
        slots = tuple(Slot(f"slot {number}", value) for number, value in enumerate(values))
        assert parse_slots(format_slots(slots)) == slots, values


@pytest.mark.parametrize("text", ["place", "place:", "place: ; people: two", 'place: "a', 'place: "\\q"', ": x", ";"])
def test_other_texts_are_no_slots(text: str) -> None:
    assert isinstance(parse_slots(text), Invalid)


def test_no_slot_is_none() -> None:
    assert format_slots(()) == "none"
    assert parse_slots(" none ") == ()


@pytest.mark.parametrize("slot", ["day: of week", "a;b", 'the "day"'])
def test_a_slot_whose_name_would_not_be_read_back_is_refused(slot: str) -> None:
    with pytest.raises(ZooError, match="names without colon"):
        prompts.render({"task": "slot_filling", "options": ["city", slot], "input": "[RESPONSE] Hi", "instruction": ""})
