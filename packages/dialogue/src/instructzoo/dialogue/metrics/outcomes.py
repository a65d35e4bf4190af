"""What one answer amounts to: whether it is right as a whole, and what the measures of its form compare.

    option    right if it is the right option, or one of the references
    slots     right if its pairs of slot and value are the true ones, in any order
    others    right if it equals the truth or a reference, however many spaces stand between its words; two numbers are
              compared as numbers

Values of a dialogue state are compared after `normalised`; values of slot_filling are copied from the message and
compared character by character.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from instructzoo.core.errors import ZooError
from instructzoo.core.record import Invalid, Row
from instructzoo.dialogue import prompts
from instructzoo.dialogue.data.row_fields import options_of, references_of, task_of
from instructzoo.dialogue.schema import Slot
from instructzoo.dialogue.tasks import TaskType

Pair = tuple[str, str]
"""A slot and its value, as they are compared."""

_QUOTES = str.maketrans("\u2018\u2019\u201c\u201d", "''\"\"")
_BEFORE_MARK = re.compile(r"\s+(?=[.,;:!?')])")
_DO_NOT_CARE = frozenset(("dontcare", "dont care", "don't care", "do not care", "doesn't matter", "does not matter"))


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one row.

    Attributes:
        row: The question.
        task: Its task type.
        text: The parsed answer: an option in its full words; "" where there is none.
        valid: Whether the answer can be parsed.
        right: Whether it is right as a whole.
        accepted: Every right answer, the output first.
        true_pairs: For answers with slots, the true pairs.
        pairs: For answers with slots, the pairs of the answer.
        slots: For answers with slots, the slots as the answer has them.
        out_of_label: Whether a question with options was answered with something else; silence is nothing.
    """

    row: Row
    task: TaskType
    text: str
    valid: bool
    right: bool
    accepted: tuple[str, ...]
    true_pairs: tuple[Pair, ...] = ()
    pairs: tuple[Pair, ...] = ()
    slots: tuple[Slot, ...] = ()
    out_of_label: bool = False

    @property
    def number(self) -> float | None:
        """The answer as a number; None where it is none."""
        return _number(self.text)

    @property
    def true_number(self) -> float | None:
        """The truth as a number; None where it is none."""
        return _number(self.accepted[0])


def outcomes_of(rows: Sequence[Row], answers: Sequence[str]) -> list[Outcome]:
    """The outcomes of raw answers.

    Args:
        rows: The questions with their truth.
        answers: One raw text per row, in order.

    Returns:
        The outcomes, in order.

    Raises:
        ZooError: A question is malformed, or its output is no answer; the message names the number of the row.
    """
    pairs = zip(rows, answers, strict=True)
    return [_outcome(row, text or "", f"row {number}") for number, (row, text) in enumerate(pairs, 1)]


def _outcome(row: Row, text: str, where: str) -> Outcome:
    task, parsed = task_of(row), prompts.parse(text, row)
    truth = prompts.parse(str(row.get("output") or ""), row)
    if isinstance(truth, Invalid):
        raise ZooError(f"the output is no answer to {task.name}: {truth.reason}", "the truth", "correct it", where)
    accepted = (truth.text, *references_of(row))
    answer = prompts.Answer("") if isinstance(parsed, Invalid) else parsed
    valid = not isinstance(parsed, Invalid)
    if task.answer != "slots":
        right = valid and any(_equal(answer.text, reference, task) for reference in accepted)
        out_of_label = valid and task.answer == "option" and answer.text not in options_of(row)
        return Outcome(row, task, answer.text, valid, right, accepted, out_of_label=out_of_label)
    true_pairs, pairs = pairs_of(truth.slots, task), pairs_of(answer.slots, task)
    right = valid and sorted(true_pairs) == sorted(pairs)
    return Outcome(row, task, answer.text, valid, right, accepted, true_pairs, pairs, answer.slots)


def _equal(answer: str, reference: str, task: TaskType) -> bool:
    if task.answer == "option":
        return answer == reference
    if answer.split() == reference.split():
        return True
    numbers = [_number(answer), _number(reference)] if task.answer == "value" else [None]
    return None not in numbers and numbers[0] == numbers[1]


def _number(text: str) -> float | None:
    return float(text) if re.fullmatch(r"-?\d{1,15}(\.\d{1,15})?", text.strip()) else None


def pairs_of(slots: Sequence[Slot], task: TaskType) -> tuple[Pair, ...]:
    """Slots as they are compared: those of a state once each and normalised, others as they are.

    Args:
        slots: The slots.
        task: The task type that they answer.

    Returns:
        Pairs of slot and value.
    """
    if task.group != "state":
        return tuple((slot.name, slot.value) for slot in slots)
    return tuple(dict.fromkeys((normalised(slot.name), normalised(slot.value)) for slot in slots))


def normalised(value: str) -> str:
    """A slot or value of a state as it is compared: small letters, plain quotes, single spaces, none before a mark.

    Every way to say that any value will do ("dontcare", "don't care", "does not matter") is "dontcare".
    """
    text = _BEFORE_MARK.sub("", " ".join(value.translate(_QUOTES).casefold().split()))
    return "dontcare" if text in _DO_NOT_CARE else text
