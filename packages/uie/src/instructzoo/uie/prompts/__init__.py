"""The prompt that the model reads, and what its answer means.

    Find the entities of these types.       <- the instruction, one of several wordings
    Options: city, person                   <- ee has two lines instead, Events: and Roles:
    Text: Ann lives in Oslo.                <- et, epr and eea have a line Entities:, Pairs: or Event: before it
    Answer: person: Ann; city: Oslo         <- the model writes from here on

A question is a row, or a line of JSONL, with `instruction` ("" stands for the default wording), `input` (the text), and

    task      one of ner, re, ee, es, et, ep, epr, eet, eea; ner where it is left out
    options   the labels, a list: ["person", "city"]; for ee {"events": [...], "roles": [...]}; for eet the event types,
              for eea the roles
    given     for et a list of spans, for epr a list of [head, tail], for eea the event's type

where a list or an object may also be its JSON text. `answer_format.py` describes how answers are written.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from instructzoo.core.record import Invalid, Row, Segment, row_id
from instructzoo.uie import schema
from instructzoo.uie.data.row_fields import GIVEN_HEADINGS, event_of, given_of, labels_of, task_of
from instructzoo.uie.prompts import answer_format
from instructzoo.uie.prompts.span_alignment import align_spans
from instructzoo.uie.prompts.templates import INSTRUCTIONS
from instructzoo.uie.schema import Annotation, Labels

if TYPE_CHECKING:
    from instructzoo.core.infer.grammar import Constraint

__all__ = ["Answer", "constraint", "given_of", "labels_of", "make_row", "parse", "render", "task_of"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What an answer states, each span with its offsets in the row's input where the input contains it."""

    annotation: Annotation


def make_row(
    sentence: str,
    annotation: Annotation,
    task: str,
    labels: Labels,
    dataset: str,
    seed: int,
    *,
    source: str,
    licence: str,
    event: str = "",
    item: str = "",
) -> Row:
    """Make a complete row from a sentence and its annotation.

    Args:
        sentence: The text, which becomes `input`.
        annotation: All that is true of the sentence; what `labels` does not offer is no part of the answer.
        task: One of `schema.TASKS`.
        labels: The labels on offer, in any order; the row gets them shuffled.
        dataset: The value of the column `dataset`.
        seed: With task, event and sentence it decides the wording and the order of the labels.
        source: The value of the column `source`.
        licence: The value of the column `licence`.
        event: For eea, the event type that the question names.
        item: The value of the column `item`; "" stands for the sentence without case and spacing.

    Returns:
        The row with all its columns, `id` included.
    """
    rng = random.Random(f"{seed}\n{task}\n{event}\n{sentence}")
    gold = schema.project(annotation, task, labels, event)
    row: Row = {
        "instruction": rng.choice(INSTRUCTIONS[task]),
        "input": sentence,
        "output": answer_format.format_answer(gold, task),
        "source": source,
        "licence": licence,
        "item": item or " ".join(sentence.casefold().split()),
        "task": task,
        "options": _options_json(labels, task, rng),
        "given": _given_json(gold, task, event),
        "gold": schema.to_json(gold),
        "dataset": dataset,
    }
    question = "\n".join((row["instruction"], row["options"], row["given"]))
    row["id"] = row_id(question, sentence, row["output"])
    return row


def _options_json(labels: Labels, task: str, rng: random.Random) -> str:
    """The column `options`: the labels in random order."""
    types, roles = (rng.sample(names, len(names)) for names in (labels.types, labels.roles))
    return json.dumps({"events": types, "roles": roles} if task == "ee" else types, ensure_ascii=False)


def _given_json(gold: Annotation, task: str, event: str) -> str:
    """The column `given`: spans for et, pairs for epr, the event type for eea; "" for other tasks."""
    given: Any = ""
    if task == "et":
        given = [mention.text for mention in gold.entities]
    elif task == "epr":
        given = [list(pair) for pair in dict.fromkeys((r.head.text, r.tail.text) for r in gold.relations)]
    elif task == "eea":
        given = event
    return json.dumps(given, ensure_ascii=False) if given != "" else ""


def render(row: Mapping[str, Any], seed: int = 0) -> list[Segment]:
    """Write a row as text.

    Args:
        row: A question, with or without `output`.
        seed: Unused: the wording and the order of the labels are in the row.

    Returns:
        The prompt, which is not supervised, and the target, which is.

    Raises:
        ZooError: For a malformed question.
    """
    task = task_of(row)
    lines = [row.get("instruction") or INSTRUCTIONS[task][0], *_label_lines(row, task)]
    lines.append(f"Text: {row.get('input') or ''}")
    output = row.get("output") or ""
    # the space belongs to the target, so that its first word is the same token as after "; "
    return [Segment("\n".join([*lines, "Answer:"]), False), Segment(f" {output}" if output else "", True)]


def _label_lines(row: Mapping[str, Any], task: str) -> list[str]:
    """The lines between instruction and text: the labels on offer, and what the question gives."""
    labels = labels_of(row)
    if task == "ee":
        types, roles = (answer_format.format_fields(names) for names in (labels.types, labels.roles))
        lines = [f"Events: {types}", f"Roles: {roles}"]
    else:
        lines = [f"Options: {answer_format.format_fields(labels.types)}"]
    if task in GIVEN_HEADINGS:
        lines.append(f"{GIVEN_HEADINGS[task]}: {_format_given(given_of(row))}")
    return lines


def _format_given(given: Any) -> str:
    """An event type, a list of spans, or a list of pairs, as it stands in the prompt."""
    if isinstance(given, str):
        return answer_format.format_field(given)
    texts = [
        answer_format.format_fields(value) if isinstance(value, tuple) else answer_format.format_field(value)
        for value in given
    ]
    return ("; " if given and isinstance(given[0], tuple) else ", ").join(texts) or answer_format.NONE


def parse(text: str, row: Mapping[str, Any]) -> Answer | Invalid:
    """Read a model's answer.

    Args:
        text: What the model wrote.
        row: The question; its input is where spans are looked up.

    Returns:
        The answer with offsets, or Invalid with the reason where the text does not follow the format. A label that was
        not offered is kept: the scorer counts it, and it never equals a true one.
    """
    task = row.get("task") or "ner"
    annotation = answer_format.parse_answer(text, task, event_of(row))
    if isinstance(annotation, Invalid):
        return annotation
    return Answer(align_spans(annotation, row.get("input") or ""))


def constraint(row: Mapping[str, Any]) -> Constraint:
    """The grammar of all answers to a row: labels on offer and spans of the text, in the format of the task.

    Args:
        row: A question.

    Returns:
        The constraint for decoding.

    Raises:
        ZooError: For a malformed question.
    """
    from instructzoo.uie.prompts import constraints

    return constraints.answer_grammar(row)
