"""What the model reads, and what its answer means.

    Find the entities of these types.       <- instruction, one of several wordings
    Options: city, person                   <- ee has two lines instead, Events: and Roles:
    Text: Ann lives in Oslo.                <- et, epr and eea have a line Entities:, Pairs: or Event: before it
    Answer: person: Ann; city: Oslo         <- the model writes from here on

A question as a line of JSONL: `instruction` ("" takes a wording of the house), `input` (the text), and

    task      one of ner, re, ee, es, et, ep, epr, eet, eea; ner where it is left out
    options   the labels, a list: ["person", "city"]; for ee {"events": [...], "roles": [...]}; for eet the event types,
              for eea the roles
    given     for et a list of spans, for epr a list of [head, tail], for eea the event's type

where a list or an object may also be its JSON text. `answers.py` says how answers are written.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from instructzoo.core.record import Invalid, Row, Segment, row_id
from instructzoo.uie import schema
from instructzoo.uie.data.row_fields import GIVEN, event_of, given_of, labels_of, task_of
from instructzoo.uie.prompts import answer_format
from instructzoo.uie.prompts.span_alignment import locate
from instructzoo.uie.prompts.templates import WORDINGS
from instructzoo.uie.schema import Annotation, Labels

if TYPE_CHECKING:
    from instructzoo.core.infer.grammar import Constraint

__all__ = ["Answer", "constraint", "given_of", "labels_of", "parse", "render", "task_of", "write"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a text says, each span with its place in the row's input where it has one."""

    annotation: Annotation


def write(
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
    """A whole row from the truth. labels: what is offered, in any order; the row gets them shuffled.

    event: the type that an eea question names. Wording and order are drawn from seed, task and sentence. What the
    labels do not offer is no part of the answer.
    """
    rng = random.Random(f"{seed}\n{task}\n{event}\n{sentence}")
    gold = schema.project(annotation, task, labels, event)
    row: Row = {
        "instruction": rng.choice(WORDINGS[task]),
        "input": sentence,
        "output": answer_format.write(gold, task),
        "source": source,
        "licence": licence,
        "item": item or " ".join(sentence.casefold().split()),
        "task": task,
        "options": _options_json(labels, task, rng),
        "given": _given_json(gold, task, event),
        "gold": schema.to_json(gold),
        "dataset": dataset,
    }
    asked = "\n".join((row["instruction"], row["options"], row["given"]))
    row["id"] = row_id(asked, sentence, row["output"])
    return row


def _options_json(labels: Labels, task: str, rng: random.Random) -> str:
    shuffled = [rng.sample(part, len(part)) for part in (labels.types, labels.roles)]
    made = {"events": shuffled[0], "roles": shuffled[1]} if task == "ee" else shuffled[0]
    return json.dumps(made, ensure_ascii=False)


def _given_json(gold: Annotation, task: str, event: str) -> str:
    given: Any = ""
    if task == "et":
        given = [mention.text for mention in gold.entities]
    elif task == "epr":
        given = [list(pair) for pair in dict.fromkeys((r.head.text, r.tail.text) for r in gold.relations)]
    elif task == "eea":
        given = event
    return json.dumps(given, ensure_ascii=False) if given != "" else ""


def render(row: Mapping[str, Any], seed: int = 0) -> list[Segment]:
    """The prompt and the target. seed: unused, wording and order are in the row. ZooError for a malformed question."""
    task = task_of(row)
    lines = [row.get("instruction") or WORDINGS[task][0], *_asked(row, task), f"Text: {row.get('input') or ''}"]
    output = row.get("output") or ""
    # the space belongs to the target, so that its first word is the token that it is after "; "
    return [Segment("\n".join([*lines, "Answer:"]), False), Segment(f" {output}" if output else "", True)]


def _asked(row: Mapping[str, Any], task: str) -> list[str]:
    labels = labels_of(row)
    if task == "ee":
        lines = [f"Events: {answer_format.fields(labels.types)}", f"Roles: {answer_format.fields(labels.roles)}"]
    else:
        lines = [f"Options: {answer_format.fields(labels.types)}"]
    if task in GIVEN:
        lines.append(f"{GIVEN[task]}: {_written(given_of(row))}")
    return lines


def _written(given: Any) -> str:
    if isinstance(given, str):
        return answer_format.write_field(given)
    pairs = [
        answer_format.fields(each) if isinstance(each, tuple) else answer_format.write_field(each) for each in given
    ]
    return ("; " if given and isinstance(given[0], tuple) else ", ").join(pairs) or answer_format.NONE


def parse(text: str, row: Mapping[str, Any]) -> Answer | Invalid:
    """What a model's text says, with places; Invalid with the reason where it has not the form.

    A label that was not offered is kept: it is for the scorer to count, and it never matches the truth.
    """
    task = row.get("task") or "ner"
    found = answer_format.read(text, task, event_of(row))
    return found if isinstance(found, Invalid) else Answer(locate(found, row.get("input") or ""))


def constraint(row: Mapping[str, Any]) -> Constraint:
    """What the answer to a row may be: labels on offer, spans of the text, in the task's form. ZooError as render."""
    from instructzoo.uie.prompts import constraints

    return constraints.answers_to(row)
