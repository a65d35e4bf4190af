"""The prompts and answers of InstructDial's checkpoints (arXiv:2205.12673).

    Instruction: Choose the dialogue act of the response.
    Input: [CONTEXT] Hello [RESPONSE] Bye [ENDOFDIALOGUE] Choose one of these: [OPTIONS] 0: greet||||1: bye
    [QUESTION] The right option is
    -> 1

    act_classification, relation_classification      options with numbers, "0: greet"; the answer is the number
    answer_selection, eval_ranking,
    dialfact_classification, the meta-tasks          options with letters, "A: greet"; the answer is the letter
    other task types with options                    the answer is the option's words
    belief_state_generation, slot_filling            the answer is: slot : value , slot : value
    find_missing_utterance and its like              turns are numbered: Index 0 : Hello
    eval_rating                                      the response stands in the question
    intents and slots                                an empty [CONTEXT] is left out

The tokens, their order and the forms of the answers are those of settings.py and instruction_files/ in
prakharguptaz/Instructdial (Apache-2.0). The words of instructions, leads and questions are this package's own: the
checkpoints were trained on several wordings of each, so they are asked in new ones here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from instructzoo.core.errors import ZooError
from instructzoo.core.record import Invalid, Segment
from instructzoo.dialogue.data.field_format import OPTION_SEPARATOR, join_turns, split_fields, split_turns
from instructzoo.dialogue.data.row_fields import names_of, options_of, task_of, written_options
from instructzoo.dialogue.prompts import Answer, answer_format, labelled
from instructzoo.dialogue.prompts.instructions import INSTRUCTIONS, filled
from instructzoo.dialogue.prompts.rendered_prompts import RenderedPrompt
from instructzoo.dialogue.schema import Slot
from instructzoo.dialogue.tasks import TaskType

OPTIONS: dict[str, Any] = {}
"""Options of typed answers whose defaults are others for this checkpoint: none."""

LEADS = {"option": "Choose one of these:", "slots": "These are the slots:"}
CLOSINGS = {
    "option": "The right option is",
    "slots": "The slots with their values are",
    "span": "The value is",
    "value": "The answer is",
    "text": "The next turn is",
    "summarization": "The summary is",
    "question_generation": "The question is",
    "answer_generation": "The answer is",
    "edit_generation": "The corrected response is",
    "fill_missing_utterance": "The missing turn is",
}
"""The end of a question, by task type or by form of the answer."""

_INDEX = re.compile(r"(\d+): ")
_NEXT_SLOT = re.compile(r"\s*,\s*(?=[^,:]+ : )")


def render(row: Mapping[str, Any], seed: int = 0) -> list[Segment]:
    """Write a row as the checkpoints read it.

    Args:
        row: A question, with or without `output`, which is in the domain's own format.
        seed: Not used: wording and options are drawn when the row is built.

    Returns:
        The prompt, which is not supervised, and the target, which is.

    Raises:
        ZooError: For a malformed question or output.
    """
    task, options, names = task_of(row), options_of(row), names_of(row)
    fields = split_fields(row.get("input") or "")
    parts = [(token, _turns(text, task)) for token, text in fields if _shown(token, text, task)]
    parts.append(("ENDOFDIALOGUE", LEADS.get(task.answer, "") if options else ""))
    if options:
        parts.append(("OPTIONS", OPTION_SEPARATOR.join(labelled(options, _written(row, task)))))
    named = "".join(f"{placeholder}: {name}. " for placeholder, name in names.items())
    closing = CLOSINGS.get(task.name) or CLOSINGS[task.answer]
    if task.name == "eval_rating":
        closing = f"Rate this response: {dict(fields).get('RESPONSE', '')}"
    parts.append(("QUESTION", f"{named}{closing}"))
    instruction = row.get("instruction") or filled(INSTRUCTIONS[task.name][0], task.name, names)
    return [Segment(RenderedPrompt(instruction, tuple(parts)).text(), False), Segment(_target(row, task), True)]


def _shown(token: str, text: str, task: TaskType) -> bool:
    """Whether InstructDial's prompts of a task type have a field."""
    if task.name == "eval_rating":
        return token != "RESPONSE"
    return bool(text) or token != "CONTEXT" or not (task.group == "slots" or task.name.startswith("intent"))


def _turns(text: str, task: TaskType) -> str:
    """A field; where turns are numbered, with InstructDial's words for the index."""
    if task.options != "turns" and task.name != "find_swapped_utterance":
        return text
    return join_turns([_INDEX.sub(r"Index \1 : ", turn, count=1) for turn in split_turns(text)])


def _written(row: Mapping[str, Any], task: TaskType) -> tuple[str, ...]:
    """What is written to choose each of the options."""
    return written_options({**row, "option_labels": task.option_labels})


def _target(row: Mapping[str, Any], task: TaskType) -> str:
    output = str(row.get("output") or "")
    if task.answer == "option" and output:
        return _labelled_answer(output, options_of(row), _written(row, task))
    if task.answer != "slots" or not output:
        return output
    slots = answer_format.parse_slots(output)
    if isinstance(slots, Invalid):
        raise ZooError(f'the output "{output[:60]}" ({slots.reason})', "slots in the domain's own format", "correct it")
    return write_slots(slots)


def _labelled_answer(output: str, options: Sequence[str], written: Sequence[str]) -> str:
    return written[options.index(output)] if output in options else output


def write_slots(slots: Sequence[Slot]) -> str:
    """Slots with their values as the checkpoints were trained to write a state; NONE where there are none."""
    return " , ".join(f"{slot.name} : {slot.value}" for slot in slots) or answer_format.NONE


def parse(text: str, row: Mapping[str, Any]) -> Answer | Invalid:
    """Read a checkpoint's answer.

    Args:
        text: What it wrote.
        row: The question.

    Returns:
        The answer, with the option's words where it is a number, a letter, or both ("1: bye"); or Invalid with the
        reason. A text that is none of the options is kept: the scorer counts it.
    """
    text, task = text.strip(), task_of(row)
    if not text:
        return Invalid("an empty answer")
    if task.answer == "option":
        options, written = options_of(row), _written(row, task)
        meanings = dict(zip((*options, *labelled(options, written), *written), options * 3, strict=True))
        return Answer(meanings.get(text, text))
    if task.answer != "slots":
        return Answer(text)
    if text == answer_format.NONE:
        return Answer(text)
    pairs = [pair.partition(" : ") for pair in _NEXT_SLOT.split(text)]
    if not all(separator and name.strip() and value.strip() for name, separator, value in pairs):
        return Invalid(f'no "slot : value" in "{text[:30]}"')
    return Answer(text, tuple(Slot(name.strip(), value.strip()) for name, _, value in pairs))


def rewrite(text: str, row: Mapping[str, Any]) -> str:
    """A checkpoint's answer in the domain's own format; "" where it does not follow its format."""
    answer, task = parse(text, row), task_of(row)
    if isinstance(answer, Invalid):
        return ""
    if task.answer == "option":
        return _labelled_answer(answer.text, options_of(row), written_options(row))
    return answer_format.format_slots(answer.slots) if task.answer == "slots" else answer.text
