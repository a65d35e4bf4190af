"""A dialogue and what annotators say of it: the form that all readers give, whatever the file's format.

    Dialogue(
        turns=(
            Turn("user", "A table for two in Oslo", intent="book restaurant", slots=(Slot("people", "two", 12, 15),),
                 state=(Slot("people", "two"), Slot("city", "Oslo"))),
            Turn("system", "Which kitchen would you like?", acts=("request",)),
        ),
        where="dialogues.json:7",
    )

What a file does not annotate is None, which is something else than an annotation that says that there is nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from instructzoo.dialogue.tasks import OptionLabels

UNKNOWN = -1
"""Offset of a value that the text does not contain."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A slot with its value, at characters start to end (exclusive) of the turn's text; UNKNOWN where not given."""

    name: str
    value: str
    start: int = UNKNOWN
    end: int = UNKNOWN


@dataclass(frozen=True, slots=True)
class Turn:
    """What one speaker says at a time.

    Attributes:
        role: "user", "system", or the speaker's name.
        text: The words.
        intent: The intent; "" where no option fits (out of scope); None where it is not annotated.
        acts: Dialogue acts; None where they are not annotated.
        slots: Slots whose values this text names; None where they are not annotated.
        state: The dialogue state after this turn; None where it is not annotated.
        labels: Other labels of the turn by the name of their kind, such as {"emotion": "joy"}.
    """

    role: str
    text: str
    intent: str | None = None
    acts: tuple[str, ...] | None = None
    slots: tuple[Slot, ...] | None = None
    state: tuple[Slot, ...] | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Dialogue:
    """A dialogue, from a single utterance on.

    Attributes:
        turns: The turns in order; at least one.
        fields: Texts that the dialogue rests on or that belong to it as a whole, by field token in small letters:
            "persona", "document", "graph", "schema", "db", "summary", ...
        labels: Labels of the whole dialogue by the name of their kind, such as {"deal": "yes"}.
        where: The place in the file, such as "train.json:12".
        split: "train", "validation" or "test" where the file itself says so; "" where its name does.
        remarks: What the reader had to decide; equal remarks are counted in the data card.
    """

    turns: tuple[Turn, ...]
    fields: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    where: str = ""
    split: str = ""
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Example:
    """One question on a dialogue: what a row is made of.

    Attributes:
        task: The name of a task type (tasks.py).
        fields: Field tokens without brackets, with their texts, in order: (("CONTEXT", "..."), ("RESPONSE", "...")).
        output: The right answer as text; an option stands in its full words, never as a letter.
        options: Answers on offer, or names of the slots on offer.
        names: What the instruction names, by placeholder, such as {"slot": "city"} for "Is there a value of {slot}?".
        values: For states: by slot, values that an answer may have although the dialogue does not contain them.
        references: Further right answers.
        item: What decides the split: equal for all questions that share a dialogue or an utterance.
        option_labels: "letters" or "numbers" where the prompt labels the options ("A: yes") and is answered with the
            label; output stays the option's words.
    """

    task: str
    fields: tuple[tuple[str, str], ...]
    output: str
    options: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    references: tuple[str, ...] = ()
    item: str = ""
    option_labels: OptionLabels = ""
