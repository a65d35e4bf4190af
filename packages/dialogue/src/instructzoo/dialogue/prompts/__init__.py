"""The prompt that the model reads, and what its answer means.

    What does the speaker want? Choose the intent of the message.     <- the instruction, one of several wordings
    [OPTIONS] play music||||set alarm                                 <- answers on offer, or names of slots
    [CONTEXT] Good morning [ENDOFTURN] Hello! [RESPONSE] Wake me at seven
    Answer: set alarm                                                 <- the model writes from here on

The fields are InstructDial's; the options stand before them, so that questions with the same options share the
beginning of their prompts. InstructDial's own order is the dialect `instructdial`. A question is a row with
`instruction` ("" stands for the first wording), `input` (the fields), and

    task        a name of tasks.TASKS; intent_classification where it is left out
    options     answers on offer, a list, or its JSON text
    values      for states, {slot: [values that an answer may have although the dialogue does not contain them]}
    references  further right answers, a list
    names       what the instruction names, such as {"slot": "city"}; needed only where `instruction` is ""
    option_labels  "letters" or "numbers" where the options are labelled ("A: yes||||B: no") and the label is the answer

`output` is the right option's words in any case: what a label means is read from the options.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from instructzoo.core.record import Invalid, Row, Segment
from instructzoo.dialogue.data.field_format import OPTION_SEPARATOR, split_fields
from instructzoo.dialogue.data.row_fields import names_of, options_of, task_of, written_options
from instructzoo.dialogue.prompts import answer_format
from instructzoo.dialogue.prompts.instructions import INSTRUCTIONS, filled
from instructzoo.dialogue.schema import Slot

if TYPE_CHECKING:
    from instructzoo.core.infer.grammar import Constraint


@dataclass(frozen=True, slots=True)
class Answer:
    """A parsed answer: its text, and the slots for task types that are answered with slots."""

    text: str
    slots: tuple[Slot, ...] = ()


def render(row: Row, seed: int = 0) -> list[Segment]:
    """The prompt and the target, which alone is supervised.

    Args:
        row: A question; `output` is the target.
        seed: Not used: wording and options are drawn when the row is built.

    Returns:
        Two segments.

    Raises:
        ZooError: For a malformed question, such as a text with a token of the format in it.
    """
    task, options, written = task_of(row), options_of(row), written_options(row)
    if row.get("input"):
        split_fields(row["input"])  # raises for tokens where none belong
    lines = [row.get("instruction") or filled(INSTRUCTIONS[task.name][0], task.name, names_of(row))]
    lines += [f"[OPTIONS] {OPTION_SEPARATOR.join(labelled(options, written))}"] if options else []
    lines += [row["input"]] if row.get("input") else []
    return [Segment("\n".join([*lines, "Answer: "]), False), Segment(_target(row, options, written), True)]


def labelled(options: Sequence[str], written: Sequence[str]) -> list[str]:
    """Options as a prompt shows them: with their labels, "A: yes", where those are written instead of the words."""
    pairs = zip(options, written, strict=True)
    return [option if text == option else f"{text}: {option}" for option, text in pairs]


def _target(row: Row, options: Sequence[str], written: Sequence[str]) -> str:
    output = str(row.get("output") or "")
    return written[options.index(output)] if output in options and written != options else output


def parse(text: str, row: Mapping[str, Any]) -> Answer | Invalid:
    """Read a model's answer.

    Args:
        text: What the model wrote.
        row: The question.

    Returns:
        The answer, or Invalid with the reason. A text that is none of the options is kept: the scorer counts it.
    """
    text = text.strip()
    if not text:
        return Invalid("an empty answer")
    if task_of(row).answer == "option":
        written = written_options(row)
        return Answer(options_of(row)[written.index(text)] if text in written else text)
    if task_of(row).answer != "slots":
        return Answer(text)
    slots = answer_format.parse_slots(text)
    return slots if isinstance(slots, Invalid) else Answer(text, slots)


def choices(row: Mapping[str, Any]) -> tuple[str, ...] | None:
    """What may be written where the answer is one of several options: the options, or their labels; None elsewhere.

    Raises:
        ZooError: For a malformed question.
    """
    return tuple(written_options(row)) if task_of(row).answer == "option" else None


def constraint(row: Mapping[str, Any]) -> Constraint | None:
    """The grammar of the answers to a row: its options, or its slots with spans of the dialogue; None for free text.

    Raises:
        ZooError: For a malformed question.
    """
    from instructzoo.dialogue.prompts import constraints

    return constraints.answer_grammar(row)
