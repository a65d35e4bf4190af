"""The prompts and answers of InstructUIE's checkpoint (arXiv:2304.08085).

    Please list all entity words ... Output format is "type1: word1; type2: word2".
    Option: person, city
    Text: Ann lives in Oslo.
    Answer: person: Ann; city: Oslo

    ner, et    type: span; type: span          eet   type: trigger; type: trigger
    re, epr    relation: head, tail; ...       eea   argument: role; argument: role
    es         span, span                      ee    ( type: trigger, argument: role, argument: role) , ( ... )
    ep         head, tail; head, tail          None, where nothing is found

The formats, the instructions and the lines of a prompt are those of src/uie_dataset.py and
configs/instruction_config.json in BeyonderXX/InstructUIE (at 339ade6e and 1f559258; MIT, Copyright (c) 2023 Xiao Wang),
of each task the first instruction, as its scripts choose it (instruction_strategy single). The wording of a row is not
shown to the checkpoint. Arguments stand before their roles, and an apostrophe in an event's type or trigger is #$%#.
Runs of white space are one space to the checkpoint's tokenizer. The format has no quotes: unquoted_answers.py reads it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from instructzoo.core.errors import ZooError
from instructzoo.core.record import Invalid, Segment
from instructzoo.uie.data.row_fields import event_of, given_of, labels_of, task_of
from instructzoo.uie.prompts import Answer, answer_format
from instructzoo.uie.prompts.span_alignment import align_spans
from instructzoo.uie.prompts.unquoted_answers import UnquotedAnswerReader
from instructzoo.uie.schema import Annotation, Event, Labels

INSTRUCTIONS = {
    "ner": (
        'Please list all entity words in the text that fit the category.Output format is "type1: word1; type2: word2".'
    ),
    "re": (
        "Given a phrase that describes the relationship between two words, extract the words and the lexical "
        'relationship between them. The output format should be "relation1: word1, word2; relation2: word3, word4".'
    ),
    "ee": (
        "Locate the role in the text that participated in the event based on the event type and return it in the event "
        "list."
    ),
    "es": 'Please list all entity words in the text that fit the category. Output format is "word1, word2".',
    "et": (
        "Given options, please tell me the categories of all the listed entity words."
        'Output format is "type1: word1; type2: word2".'
    ),
    "ep": (
        "Please list all entity pairs containing a certain relationship in the given options."
        'Output format is "word1, word2; word3, word4".'
    ),
    "epr": (
        "Given options, please tell me the relationships of all the listed entity pairs."
        'Output format is "relation1: word1, word2; relation2: word3, word4".'
    ),
    "eet": 'Please tell me event type and its trigger word from given type options. Output format is "type: trigger".',
    "eea": (
        "Given event type and trigger, please tell me the arguments of all the listed option. "
        'Output format is "name1: role1; name2: role2".'
    ),
}
OPTIONS: dict[str, Any] = {}
"""Options of typed answers whose defaults are others for this checkpoint: none."""

APOSTROPHE = "#$%#"
"""How an apostrophe is written in an event's type and trigger."""


def render(row: Mapping[str, Any], seed: int = 0) -> list[Segment]:
    """Write a row as the checkpoint reads it.

    Args:
        row: A question, with or without `output`, which is in the domain's own format.
        seed: Unused: the instruction of a task is always the same.

    Returns:
        The prompt, which is not supervised, and the target, which is.

    Raises:
        ZooError: For a malformed question or output.
    """
    task, sentence = task_of(row), row.get("input") or ""
    given = _given_line(row, task)
    before, after = (given, "") if task == "eea" else ("", given)
    prompt = (
        f"{INSTRUCTIONS[task]} \n{before}Option: {_options(labels_of(row), task)} \nText: {sentence} \n{after}Answer:"
    )
    return [Segment(prompt, False), Segment(_target(row, task), True)]


def _options(labels: Labels, task: str) -> str:
    if task == "ee":
        return f"Event type: {list(labels.types)}, Arguments type: {list(labels.roles)}."
    return ", ".join(labels.types)


def _given_line(row: Mapping[str, Any], task: str) -> str:
    """The line with what the question gives: spans, pairs, or an event's type."""
    given = given_of(row)
    if task == "et":
        return f" Entities: {', '.join(given)} \n"
    if task == "epr":
        return f" Entity Pairs: {_pairs(given)} \n"
    return f"Event type: {given} \n" if task == "eea" else ""


def _pairs(pairs: Sequence[tuple[str, ...]]) -> str:
    return "; ".join(map(", ".join, pairs))


def _target(row: Mapping[str, Any], task: str) -> str:
    if not row.get("output"):
        return ""
    annotation = answer_format.parse_answer(str(row["output"]), task, event_of(row))
    if isinstance(annotation, Invalid):
        found = f'the output "{str(row["output"])[:60]}" ({annotation.reason})'
        raise ZooError(found, f"an answer to {task} in the domain's own format", "correct the row")
    return f" {write(annotation, task)}"


def write(annotation: Annotation, task: str) -> str:
    """Write an answer as the checkpoint was trained to.

    Args:
        annotation: The answer, as `schema.project` reduces it to the task.
        task: One of `schema.TASKS`.

    Returns:
        The answer as text; "None" where nothing is to be found.
    """
    spans = [mention.text for mention in annotation.entities]
    if task == "es":
        return ", ".join(spans) or answer_format.NONE
    if task == "ee":
        return " , ".join(map(_written_event, annotation.events)) or answer_format.NONE
    pairs = [(relation.head.text, relation.tail.text) for relation in annotation.relations]
    elements = {
        "ner": [f"{m.type}: {m.text}" for m in annotation.entities],
        "re": [f"{r.type}: {', '.join(pair)}" for r, pair in zip(annotation.relations, pairs, strict=True)],
        "ep": [", ".join(pair) for pair in pairs],
        "eet": [f"{_escaped(e.type)}: {_escaped(e.trigger.text)}" for e in annotation.events],
        "eea": [f"{m.text}: {m.type}" for e in annotation.events for m in e.arguments],
    }
    return "; ".join(elements[{"et": "ner", "epr": "re"}.get(task, task)]) or answer_format.NONE


def _written_event(event: Event) -> str:
    arguments = ", ".join(f"{m.text}: {m.type}" for m in event.arguments) or answer_format.NONE
    return f"( {_escaped(event.type)}: {_escaped(event.trigger.text)}, {arguments})"


def _escaped(text: str) -> str:
    return text.replace("'", APOSTROPHE)


def parse(text: str, row: Mapping[str, Any]) -> Answer | Invalid:
    """Read the checkpoint's answer.

    Args:
        text: What it wrote.
        row: The question; its input is where spans are looked up.

    Returns:
        The answer with offsets, or Invalid with the reason where the text does not follow the format. A label that was
        not offered is kept: the scorer counts it, and it never equals a true one.
    """
    text, task = text.strip(), row.get("task") or "ner"
    if not text:
        return Invalid("no text")
    if text == answer_format.NONE:
        return Answer(Annotation())
    try:
        if task in ("ee", "eet"):
            text = text.replace(APOSTROPHE, "'")
        annotation = UnquotedAnswerReader(row).annotation(text, task)
    except ValueError as error:
        return Invalid(str(error))
    return Answer(align_spans(annotation, row.get("input") or ""))


def rewrite(text: str, row: Mapping[str, Any]) -> str:
    """The checkpoint's answer in the domain's own format; "" where it does not follow its format."""
    answer = parse(text, row)
    return "" if isinstance(answer, Invalid) else answer_format.format_answer(answer.annotation, task_of(row))
