"""The task types as one table: which fields a question has, where its options come from, and how it is answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Group = Literal["classification", "slots", "state", "generation", "selection", "evaluation"]


@dataclass(frozen=True, slots=True)
class TaskType:
    """A task type.

    Attributes:
        name: Its name; InstructDial's where it is one of its task types.
        group: The kind of task, under which scores are reported.
        fields: The field tokens of a question, in order.
        answer: "option": one of the options; "slots": pairs of slot and value; "text": free text.
        origin: "instructdial", or "zoo" for task types that only this package has.
    """

    name: str
    group: Group
    fields: tuple[str, ...]
    answer: Literal["option", "slots", "text"]
    origin: Literal["instructdial", "zoo"] = "instructdial"


BLOCKS = ("LANGUAGE", "INTENT", "INCLUDE", "LABELS", "EXAMPLES")
"""The fields of utterance_generation (synthesis/linguist_format.py)."""

TASKS: dict[str, TaskType] = {
    task.name: task
    for task in (
        TaskType("intent_classification", "classification", ("CONTEXT", "RESPONSE"), "option"),
        TaskType("act_classification", "classification", ("CONTEXT", "RESPONSE"), "option"),
        TaskType("slot_filling", "slots", ("CONTEXT", "RESPONSE"), "slots", "zoo"),
        TaskType("belief_state_generation", "state", ("CONTEXT",), "slots"),
        TaskType("response_generation", "generation", ("CONTEXT",), "text"),
        TaskType("summarization", "generation", ("CONTEXT",), "text"),
        TaskType(
            "utterance_generation", "generation", ("LANGUAGE", "INTENT", "INCLUDE", "LABELS", "EXAMPLES"), "text", "zoo"
        ),
    )
}
