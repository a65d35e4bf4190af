"""Reads the rows that InstructDial has rendered itself: questions with their answers, no dialogues.

Text-to-text and eval_binary files, an object a line:

    {"task": "intent_classification", "dataset": "...", "split": "train", "output": "book flight", "all_outputs": [...],
     "prompt": "Instruction: <definition>\\nInput: [RESPONSE] a flight to Oslo [ENDOFDIALOGUE] <lead>
                [OPTIONS] book flight||||greeting [QUESTION] <question>"}

Task files:

    {"id": "question_generation", "Definitions": ["...", ...],
     "Instances": [{"input": "[CONTEXT] ... [ENDOFDIALOGUE] [QUESTION] <question>", "output": "...", ...}]}

In rows with a "metric_score", which were written for the evaluation of dialogues, "output" is what a model answered;
the right answer is the first of "all_outputs" then.

The options may stand before or behind the question. Options that carry a letter or a number ("A: yes||||B: no") lose
it, and so does a target that names one of them, so that letter and text cannot disagree. A task whose name ends in
"-poluteoptions" is the task before that ending with "none of the above" among its options; the answers that were
right before are no references then.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from instructzoo.core.data.json_objects import objects
from instructzoo.core.data.line_files import malformed
from instructzoo.core.errors import ZooError
from instructzoo.dialogue.data.field_format import END_OF_TURN, join_fields
from instructzoo.dialogue.data.readers.checks import list_of, text_of
from instructzoo.dialogue.prompts.rendered_prompts import RenderedPrompt, read_prompt
from instructzoo.dialogue.schema import Example

NO_TARGET = 'rows of InstructDial with the target "null"'
OTHER_TARGET = "rows of InstructDial whose target is none of their options"
SAME_OPTIONS = "rows of InstructDial with an option that stands twice"
NONE_OF_THE_ABOVE_SUFFIX = "-poluteoptions"

_LAST_END_OF_TURN = re.compile(rf"(?:\s*{re.escape(END_OF_TURN)})+\s*$")


class RenderedQuestion(NamedTuple):
    """A question of InstructDial.

    Attributes:
        instruction: The instruction of the row: the definition of its task and its question, in InstructDial's words.
        example: The question.
        dataset: InstructDial's name of the data set, such as "intent-clinc".
        split: "train", "validation" or "test"; "" where the row does not say.
        where: File and line.
    """

    instruction: str
    example: Example
    dataset: str
    split: str
    where: str


_SPLITS = {"train": "train", "valid": "validation", "validation": "validation", "dev": "validation", "test": "test"}


def read_examples(path: Path, left_out: Counter[str] | None = None) -> Iterator[RenderedQuestion]:
    """Read the questions of a file.

    Args:
        path: A text-to-text file (JSON Lines, whatever its suffix), or a task file.
        left_out: Is told how many rows are left out, by reason (NO_TARGET, OTHER_TARGET,
            SAME_OPTIONS).

    Yields:
        The questions. Those on the same dialogue and response have the same item.

    Raises:
        ZooError: With file:line for whatever is malformed.
    """
    left_out = Counter() if left_out is None else left_out
    for where, values in objects(path):
        if "Instances" not in values:
            yield from _question(values, text_of(values, "prompt", where), where, left_out)
            continue
        definitions = [text for text in list_of(values, "Definitions", where) if isinstance(text, str)]
        for number, instance in enumerate(list_of(values, "Instances", where), 1):
            place = f"{where}, instance {number}"
            definition = definitions[(number - 1) % len(definitions)] if definitions else ""
            prompt = f"Instruction: {definition}\nInput: {text_of(instance, 'input', place)}"
            yield from _question({"task": values.get("id"), **instance}, prompt, place, left_out)


def _question(values: Mapping[str, Any], text: str, where: str, left_out: Counter[str]) -> Iterator[RenderedQuestion]:
    """The question of a row; nothing where it is left out, which is counted."""
    task, others = text_of(values, "task", where), _all_outputs(values, where)
    output = text_of(values, "output", where).strip()
    if "metric_score" in values:  # then "output" is what a model answered
        output = others[0] if others else ""
    if output in ("", "null"):
        left_out[NO_TARGET] += 1
        return
    try:
        prompt = read_prompt(text)
        fields = tuple((token, _LAST_END_OF_TURN.sub("", _one_line(field))) for token, field in prompt.fields)
        item = join_fields((token, field) for token, field in fields if token in ("CONTEXT", "RESPONSE"))
    except ZooError as error:
        raise ZooError(error.found, error.expected, error.fix, where) from error
    options = tuple(" ".join(option.split()) for option in prompt.options)
    answer = _in_words(output, prompt, options)
    if (options and answer not in options) or len(set(options)) < len(options):
        left_out[SAME_OPTIONS if answer in options else OTHER_TARGET] += 1
        return
    others = [] if task.endswith(NONE_OF_THE_ABOVE_SUFFIX) else others
    answers = dict.fromkeys([answer, *(_in_words(other, prompt, options) for other in others)])
    references = tuple(other for other in answers if other != answer and (not options or other in options))
    example = Example(
        task.removesuffix(NONE_OF_THE_ABOVE_SUFFIX), fields, answer, options, references=references, item=item
    )
    dataset = text_of(values, "dataset", where)
    split = _SPLITS.get(str(values.get("split")), "")
    yield RenderedQuestion(_instruction(prompt), example, dataset, split, where)


def _in_words(output: str, prompt: RenderedPrompt, options: Sequence[str]) -> str:
    """A target as an option's words, where it is a letter or number, or both ("B: set alarm"); else as it is."""
    labels = prompt.labels
    meanings = {f"{label}: {option}": option for label, option in zip(labels, options, strict=False)}
    meanings |= {label: option for label, option in zip(labels, options, strict=False) if label not in options}
    output = " ".join(output.split()) if options else output
    return meanings.get(output, output)


def _all_outputs(values: Mapping[str, Any], where: str) -> list[str]:
    outputs = values.get("all_outputs")
    if outputs is None:
        return []
    if not isinstance(outputs, list) or not all(isinstance(output, str) for output in outputs):
        raise malformed(outputs, 'a list of texts under "all_outputs"', where)
    return [output.strip() for output in outputs if output.strip()]


def _instruction(prompt: RenderedPrompt) -> str:
    """The definition as a sentence, and the question without full stops and spaces before it."""
    definition, question = prompt.instruction, prompt.question.strip(" .\n")
    stop = "" if not question or definition[-1:] in ("", ".", "?", "!", ":") else "."
    return _one_line(f"{definition}{stop} {question}").strip()


def _one_line(text: str) -> str:
    return re.sub(r"\s*[\r\n]\s*", " ", text)
