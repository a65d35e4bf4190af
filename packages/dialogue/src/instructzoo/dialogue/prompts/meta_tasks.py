"""Variations of questions, after InstructDial: other orders of options, letters, none of the above, and meta-tasks.

    book||||play                  ->  play||||book                       options in an order that the seed decides
                                  ->  A: play||||B: book                 with letters; the answer is "B"
                                  ->  play||||none of the above          the right option taken away: none is right
                                  ->  none of the above||||book||||play  one more wrong option

    instruction_selection   a question's fields, its answer, and four instructions: which one was followed?
    instruction_binary      a question's fields, its answer, and one instruction: do they belong together?

After scripts/create_data_text2text.py in prakharguptaz/Instructdial, with one difference: there, instruction_binary
shows letters and is answered in words. Here a row's `output` is always the option's words, and the prompt's target its
letter where letters are shown, so the two cannot disagree.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from random import Random
from string import ascii_uppercase

from pydantic import Field

from instructzoo.core import recipe as recipes
from instructzoo.core.errors import ZooError
from instructzoo.core.record import Row
from instructzoo.dialogue.data.field_format import split_fields
from instructzoo.dialogue.data.row_fields import options_of, task_of
from instructzoo.dialogue.prompts.instructions import INSTRUCTIONS, general
from instructzoo.dialogue.prompts.rows import make_row
from instructzoo.dialogue.schema import Example
from instructzoo.dialogue.tasks import NONE_OF_THE_ABOVE, TASKS, YES_NO

WRONG_INSTRUCTIONS = 3
"""Wrong instructions on offer in instruction_selection."""


class Variation(recipes.Settings):
    """How questions with options vary, and how many questions of the meta-tasks there are."""

    none_of_the_above: float = Field(0.05, ge=0, le=1, description='share of questions that offer "none of the above"')
    letters: float = Field(0.1, ge=0, le=1, description="share of questions whose options have letters")
    instruction_selection: int = Field(200, ge=0, description="of each task type, questions of instruction_selection")
    instruction_binary: int = Field(1000, ge=0, description="of each task type, questions of instruction_binary")


def varied(example: Example, settings: Variation, seed: int | str = 0) -> Example:
    """A question in the form that training shows it in: options shuffled, with none of the above or letters at times.

    Args:
        example: A question. It is returned as it is where it is not answered with an option.
        settings: The shares.
        seed: With the question's content, it decides everything, whatever the order of the questions.

    Returns:
        The question, with the same fields.
    """
    if TASKS[example.task].answer != "option":
        return example
    rng = Random(f"{seed}\n{example.task}\n{example.fields}\n{sorted(example.names.items())}")
    example = shuffled_options(example, rng)
    if rng.random() < settings.none_of_the_above:
        example = with_none_of_the_above(example, rng)
    if rng.random() < settings.letters and len(example.options) <= len(ascii_uppercase):
        example = replace(example, option_labels="letters")
    return example


def shuffled_options(example: Example, rng: Random) -> Example:
    """A question with its options in another order; indices of turns and names of slots keep theirs."""
    if TASKS[example.task].options in ("turns", "slots"):
        return example
    return replace(example, options=tuple(rng.sample(example.options, len(example.options))))


def with_none_of_the_above(example: Example, rng: Random) -> Example:
    """A question that offers none of the above: in half of the draws it is right.

    Args:
        example: A question with options.
        rng: Decides the rest.

    Returns:
        The question without its right options and with "none of the above" as the answer; or with "none of the above"
        as one more wrong option, or in half of these cases in the place of a wrong one. Questions of dialogue
        evaluation and of the meta-tasks are returned as they are, and so are those that offer it already.
    """
    task = TASKS[example.task]
    if task.answer != "option" or task.group in ("evaluation", "meta") or NONE_OF_THE_ABOVE in example.options:
        return example
    wrong = [option for option in example.options if option not in (example.output, *example.references)]
    if wrong and rng.random() < 0.5:
        options = [*wrong, NONE_OF_THE_ABOVE]
        example = replace(example, output=NONE_OF_THE_ABOVE, references=())
    else:
        dropped = rng.choice(wrong) if wrong and rng.random() < 0.5 else ""
        options = [*(option for option in example.options if option != dropped), NONE_OF_THE_ABOVE]
    rng.shuffle(options)
    return replace(example, options=tuple(options))


def meta_rows(rows: Iterable[Row], settings: Variation, seed: int | str = 0) -> list[Row]:
    """The questions of both meta-tasks on given questions, as many of each task type as the settings say.

    Args:
        rows: Training questions with their answers. Those that offer "none of the above" are not taken, nor are
            questions of the meta-tasks themselves.
        settings: How many.
        seed: Decides which questions are taken, and the instructions.

    Returns:
        New rows, with the source, licence, data set and item of the questions that they are about; none where the
        questions are of fewer than two task types. Instructions of task types that do not occur are not shown.
    """
    by_task: dict[str, list[Row]] = {}
    for row in rows:
        if task_of(row).group != "meta" and NONE_OF_THE_ABOVE not in options_of(row):
            by_task.setdefault(row["task"], []).append(row)
    made: list[Row] = []
    for task in sorted(by_task) if len(by_task) > 1 else ():
        for make, count in (
            (instruction_selection, settings.instruction_selection),
            (instruction_binary, settings.instruction_binary),
        ):
            rng = Random(f"{seed}\n{make.__name__}\n{task}")
            taken = rng.sample(by_task[task], min(count, len(by_task[task])))
            made += [make(row, by_task, rng) for row in taken]
    return made


def instruction_selection(row: Row, tasks: Collection[str], rng: Random) -> Row:
    """The question which of four lettered instructions was followed to answer a question.

    Args:
        row: A question with its answer.
        tasks: Task types whose instructions may be shown; at least one other than the question's own.
        rng: Decides the instructions and their order.

    Returns:
        The new row: the output is the right instruction's words, the prompt's target its letter.

    Raises:
        ZooError: There is no other task type.
    """
    right = general(rng.choice(INSTRUCTIONS[row["task"]]))
    options = [right, *rng.sample(_other_instructions(row["task"], tasks), WRONG_INSTRUCTIONS)]
    rng.shuffle(options)
    return _meta_row(row, "instruction_selection", _fields(row), right, options, rng)


def instruction_binary(row: Row, tasks: Collection[str], rng: Random) -> Row:
    """The question whether an instruction is the one that was followed: in half of the draws it is.

    Args:
        row: A question with its answer.
        tasks: Task types whose instructions may be shown; at least one other than the question's own.
        rng: Decides the instruction.

    Returns:
        The new row: the output is yes or no, the prompt's target the letter of it.

    Raises:
        ZooError: There is no other task type.
    """
    fits = rng.random() < 0.5
    pool = INSTRUCTIONS[row["task"]] if fits else _other_instructions(row["task"], tasks)
    fields = (("INSTRUCTION", general(rng.choice(pool))), *_fields(row))
    return _meta_row(row, "instruction_binary", fields, "yes" if fits else "no", rng.sample(YES_NO, 2), rng)


def _fields(row: Row) -> tuple[tuple[str, str], ...]:
    return (*split_fields(row["input"]), ("OUTPUT", " ".join(row["output"].split())))


def _other_instructions(task: str, tasks: Collection[str]) -> list[str]:
    others = [general(wording) for other in sorted(tasks) if other != task for wording in INSTRUCTIONS[other]]
    if not others:
        raise ZooError(f"instructions of {task} alone", "those of two task types at least", "leave the meta-tasks out")
    return others


def _meta_row(
    row: Row, task: str, fields: tuple[tuple[str, str], ...], output: str, options: Sequence[str], rng: Random
) -> Row:
    example = Example(task, fields, output, tuple(options), item=row["item"], option_labels="letters")
    return make_row(example, row["dataset"], row["source"], row["licence"], rng.random().hex())
