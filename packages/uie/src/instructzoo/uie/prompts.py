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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from instructzoo.core.errors import ZooError, suggest
from instructzoo.core.record import Invalid, Row, Segment, row_id
from instructzoo.uie import answers, schema
from instructzoo.uie.places import locate
from instructzoo.uie.schema import TASKS, Annotation, Labels
from instructzoo.uie.wordings import WORDINGS

GIVEN = {"et": "Entities", "epr": "Pairs", "eea": "Event"}
"""What a prompt of these tasks gives beside the text."""


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
    if task == "eea":
        annotation = replace(annotation, events=tuple(e for e in annotation.events if e.type == event))
    gold = schema.project(annotation, task, labels)
    row: Row = {
        "instruction": rng.choice(WORDINGS[task]),
        "input": sentence,
        "output": answers.write(gold, task),
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
        lines = [f"Events: {answers.fields(labels.types)}", f"Roles: {answers.fields(labels.roles)}"]
    else:
        lines = [f"Options: {answers.fields(labels.types)}"]
    if task in GIVEN:
        lines.append(f"{GIVEN[task]}: {_written(given_of(row))}")
    return lines


def _written(given: Any) -> str:
    if isinstance(given, str):
        return answers.write_field(given)
    pairs = [answers.fields(each) if isinstance(each, tuple) else answers.write_field(each) for each in given]
    return ("; " if given and isinstance(given[0], tuple) else ", ").join(pairs) or answers.NONE


def parse(text: str, row: Mapping[str, Any]) -> Answer | Invalid:
    """What a model's text says, with places; Invalid with the reason where it has not the form.

    A label that was not offered is kept: it is for the scorer to count, and it never matches the truth.
    """
    task = row.get("task") or "ner"
    event = given_of(row) if task == "eea" and row.get("given") else ""
    found = answers.read(text, task, event)
    return found if isinstance(found, Invalid) else Answer(locate(found, row.get("input") or ""))


def task_of(row: Mapping[str, Any]) -> str:
    """The task of a question. Raises ZooError for one that is not known."""
    task = row.get("task") or "ner"
    if task not in TASKS:
        raise ZooError(f'the task "{task}"', suggest(str(task), TASKS), 'set "task"')
    return str(task)


def labels_of(row: Mapping[str, Any]) -> Labels:
    """The labels that a question offers, in its order. Raises ZooError where there are none or they have no form."""
    task, options = task_of(row), _loaded(row.get("options"), "options")
    if task == "ee":
        if not isinstance(options, Mapping) or set(options) != {"events", "roles"}:
            raise ZooError('"options" of ee', '{"events": ["attack"], "roles": ["victim"]}', 'set "options"')
        return Labels(
            _texts(options["events"], 'the "events" of "options"'), _texts(options["roles"], "roles", empty=True)
        )
    return Labels(_texts(options, '"options"'))


def given_of(row: Mapping[str, Any]) -> Any:
    """What a question gives: spans for et, pairs for epr, a type for eea; none for other tasks. Raises ZooError."""
    task = task_of(row)
    if task not in GIVEN:
        return None
    given = row.get("given")
    if task == "eea":
        if isinstance(given, str) and given.startswith('"'):
            given = _loaded(given, "given")
        if not isinstance(given, str) or not given.strip():
            raise ZooError('no event type in "given"', '"given": "attack"', "say whose arguments are asked")
        return given
    given = _loaded(given, "given")
    if task == "et":
        return _texts(given, '"given"', empty=True)
    if not isinstance(given, Sequence) or isinstance(given, str):
        raise ZooError('no pairs in "given"', '"given": [["Ann", "Oslo"]]', "say whose relation is asked")
    pairs = tuple(_texts(pair, 'a pair of "given"') for pair in given)
    if any(len(pair) != 2 for pair in pairs):
        raise ZooError('a pair of "given" that has not two spans', '"given": [["Ann", "Oslo"]]', "mend the row")
    return pairs


def _loaded(value: Any, name: str) -> Any:
    """A column as an object: rows of the house hold JSON text, a user's row may hold the object itself."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value) if value.strip() else None
    except ValueError as error:
        raise ZooError(
            f'"{name}" is no JSON: "{value[:40]}"', 'a list such as ["person", "city"]', "mend it"
        ) from error


def _texts(values: Any, name: str, empty: bool = False) -> tuple[str, ...]:
    if not isinstance(values, Sequence) or isinstance(values, str) or not all(isinstance(v, str) for v in values):
        raise ZooError(f"{name} is no list of texts", '["person", "city"]', "name the labels", "")
    if not (values or empty):
        raise ZooError(f"{name} is empty", "one label at least", "name the labels")
    return tuple(values)
