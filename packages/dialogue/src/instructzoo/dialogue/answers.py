"""What is said in messages and dialogues: intents, slots, states, acts, responses and summaries, by your own labels.

    model = load("dialogue")
    (found,) = model(["Wake me at seven"], labels=["set alarm", "play music"])
    found.label                                                     "set alarm"
    model(texts, slots=["city", "date"])                            values of slots, with offsets in the text
    model([["A table for two", "Where?", "In Oslo"]], task="belief_state_generation", slots=["city", "people"])
    model([["Hello", "Hi, how can I help?", "It rains."]], task="response_generation")
    model.option_probabilities(["Wake me at seven"], labels=[...])  how likely each label is
    found.to_rows()          a line of a table for each slot, or one line
    found.to_dict()          the whole answer as a JSON object

An input is a message, a list of turns (texts of user and system by turns, or {"role": "user", "text": "..."}), or an
object with the key "turns" and the fields that a task type needs, such as "persona". Intents, slots and states are
those of the last user turn; other task types look at the last turn. Offsets count characters of that turn, the end is
exclusive; they are -1 (empty in tables) for states, and where the turn does not contain the value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, TypeGuard

from pydantic import BeforeValidator, Field, model_validator

from instructzoo.core.answers import questions
from instructzoo.core.answers.questions import Cell, Names, Question
from instructzoo.core.errors import ZooError, suggest
from instructzoo.core.record import Invalid, Row
from instructzoo.dialogue import prompts
from instructzoo.dialogue.data.dialogue_input import Input, asked_turn, question, read_dialogue, unread_turns
from instructzoo.dialogue.data.row_fields import checked_options, names_of, options_of, task_of, values_of
from instructzoo.dialogue.schema import UNKNOWN, Slot
from instructzoo.dialogue.tasks import NOT_PRESENT, TASKS, YES_NO, TaskType

__all__ = ["Answer", "Input", "Options", "answer", "failed", "rows"]


def _slots(value: Any) -> Any:
    """Slots as an object: a list of names, or one text with commas between them, has no values."""
    if isinstance(value, str):
        value = [name for name in map(str.strip, value.split(",")) if name]
    return dict.fromkeys(value, ()) if isinstance(value, list | tuple) else value


class Options(questions.Options):
    """The options of a call."""

    task: str = Field(
        "",
        description="a task type; none: intents for labels, slot_filling for slots, else a response",
    )
    labels: Names = Field((), description="answers on offer, such as intents; for slots and states the slots")
    slots: Annotated[dict[str, tuple[str, ...]], BeforeValidator(_slots)] = Field(
        {}, description='slots to fill: a list, or {"area": ["north"]} with values that the text need not contain'
    )
    names: dict[str, str] = Field({}, description='what a question names, such as {"slot": "city"}')

    @model_validator(mode="after")
    def _are_complete(self) -> Options:
        self.questions()
        return self

    def questions(self) -> list[tuple[TaskType, tuple[str, ...]]]:
        """The task types of a call, each with its options.

        Raises:
            ZooError: The task type is unknown, or what it needs is missing.
        """
        if self.task and self.task not in TASKS:
            raise ZooError(f'the task "{self.task}"', suggest(self.task, TASKS), where="task")
        if empty := [name for name in ("labels", "slots") if name in self.model_fields_set and not getattr(self, name)]:
            raise ZooError("an empty list", "at least one, or no such option", where=empty[0])
        labels, slots = checked_options(self.labels), checked_options(tuple(self.slots))
        tasks = ["intent_classification"] * bool(labels) + ["slot_filling"] * bool(slots) or ["response_generation"]
        return [
            (TASKS[name], _options_of(TASKS[name], labels, slots, self.names))
            for name in ([self.task] if self.task else tasks)
        ]


def _options_of(
    task: TaskType, labels: tuple[str, ...], slots: tuple[str, ...], names: Mapping[str, str]
) -> tuple[str, ...]:
    """The options of a question. Raises ZooError where it has none, or where its instruction lacks a name."""
    if not {"CONTEXT", "RESPONSE"} & set(task.fields):
        raise ZooError(f"the task {task.name}, which is not about a dialogue", "another", where="task")
    if missing := [name for name in task.names if name not in names]:
        example = f'such as names={{"{missing[0]}": "..."}}'
        raise ZooError(f"no {missing[0]} for the task {task.name}", "what it asks about", example, "names")
    match task.options:
        case "slots" if not (slots or labels):
            raise ZooError(f"no slots for the task {task.name}", "their names", 'such as slots=["city"]', "slots")
        case "slots":
            return slots or labels
        case "labels" | "candidates" if not labels:
            found, example = f"no labels for the task {task.name}", 'such as labels=["set alarm", "play music"]'
            raise ZooError(found, "the answers to choose from", example, "labels")
        case "yes/no":
            return labels or YES_NO
    return labels


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model says of one message or dialogue.

    Attributes:
        text: The turn that was asked about.
        label: The chosen answer, such as an intent; "" for other task types.
        slots: Slots with their values.
        written: The free text, such as a response or a summary; "" for other task types.
        notes: What is wrong with the answer, or was not read, a sentence each.
        error: Why the input was not answered, or "".
    """

    text: str
    label: str = ""
    slots: tuple[Slot, ...] = ()
    written: str = ""
    notes: tuple[str, ...] = ()
    error: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The answer as a JSON object; what it has nothing of is left out, except for slots."""
        slots = [{"slot": s.name, "value": s.value, "start": s.start, "end": s.end} for s in self.slots]
        record: dict[str, Any] = {"text": self.text, "label": self.label, "slots": slots, "written": self.written}
        record |= {"notes": list(self.notes)} if self.notes else {}
        return record | ({"error": self.error} if self.error else {})

    def to_rows(self) -> list[dict[str, Cell]]:
        """A line of a table for each slot; one line where there is none."""
        note = "; ".join(self.notes)
        return [
            {
                "text": self.text, "label": self.label, "slot": slot.name, "value": slot.value,
                "start": slot.start if slot.start != UNKNOWN else None,
                "end": slot.end if slot.start != UNKNOWN else None, "written": self.written, "note": note,
            }
            for slot in self.slots or (Slot("", ""),)
        ]  # fmt: skip


def rows(input: Input, options: Options, where: str = "") -> list[Question]:
    """The questions on a message or dialogue; a row of the domain is its own question."""
    if _is_own_row(input):
        return [Question(0, dict(input))]
    dialogue = read_dialogue(input, options.max_characters)
    return [
        Question(0, question(dialogue, task, names, options.slots if task.answer == "slots" else {}, options.names))
        for task, names in options.questions()
    ]


def _is_own_row(input: Input) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(input, Mapping) and "turns" not in input


def answer(input: Input, questions: Sequence[Question], outputs: Sequence[str], options: Options) -> Answer:
    """What the model says of a message or dialogue."""
    label, written, slots = "", "", list[Slot]()
    text, notes = _about(input, options)
    for (_, row), output in zip(questions, outputs, strict=True):
        task, parsed = task_of(row), prompts.parse(output, row)
        if isinstance(parsed, Invalid):
            notes.append(f"an answer in the wrong format ({parsed.reason})")
        elif task.answer == "slots":
            distinct = list(dict.fromkeys(parsed.slots))
            repeated = len(parsed.slots) - len(distinct)
            notes += [f"{repeated} repetitions of slots were left out"] if repeated else []
            slots += [_located(slot, text if "RESPONSE" in task.fields else "") for slot in distinct]
            notes += _slot_notes(distinct, row)
        elif task.answer == "span":
            value = Slot(names_of(row).get("slot", ""), parsed.text)
            slots += [_located(value, text)] if parsed.text != NOT_PRESENT else []
        elif task.answer == "option":
            label = parsed.text
            notes += [f'"{label}" is not among the labels'] if label not in options_of(row) else []
        else:
            written = parsed.text
    return Answer(text, label, tuple(slots), written, tuple(notes))


def _about(input: Input, options: Options) -> tuple[str, list[str]]:
    """The turn that the questions are about, for a row of the domain its fields; and a note on what was not read."""
    if _is_own_row(input):
        return str(input.get("input") or ""), []
    dialogue = read_dialogue(input, options.max_characters)
    tasks = [task for task, _ in options.questions()]
    unread = max(unread_turns(dialogue, task) for task in tasks)
    note = f"{unread} of {len(dialogue.turns)} turns were not read or only in part, since only the end is"
    return dialogue.turns[asked_turn(dialogue, tasks[0])].text, [note] if unread else []


def _located(slot: Slot, text: str) -> Slot:
    """The slot with the place of its value in a text: where it stands as whole words, else anywhere; else UNKNOWN."""
    match = re.search(rf"(?<!\w){re.escape(slot.value)}(?!\w)", text)
    start = match.start() if match else text.find(slot.value) if slot.value else UNKNOWN
    return replace(slot, start=start, end=start + len(slot.value)) if start >= 0 else slot


def _slot_notes(slots: Sequence[Slot], row: Row) -> Iterator[str]:
    """What is wrong with an answer of slots."""
    values, text = values_of(row), row["input"]
    names = [slot.name for slot in slots]
    yield from (f'"{name}" has {names.count(name)} values' for name in dict.fromkeys(names) if names.count(name) > 1)
    for slot in slots:
        if slot.name not in options_of(row):
            yield f'"{slot.name}" is not among the slots'
        elif slot.value not in text and slot.value not in values.get(slot.name, ()):
            yield f'"{slot.value}" is not in the text'


def failed(input: Input, reason: str, options: Options) -> Answer:
    """The answer for an input that cannot be answered."""
    return Answer(input if isinstance(input, str) else "", error=reason)
