"""A file of texts -> a file of JSON lines, from disk to disk: memory does not grow with the file.

    texts.jsonl     {"text": "Ann lives in Oslo.", "id": 7}
    found.jsonl     {"id": 7, "line": 1, "text": "Ann lives in Oslo.", "entities": [...], "relations": [...], ...}

What stands beside a text is kept. A line that cannot be read or asked spoils no other: it stands in the output with its
number, as {"line": 7, "error": "..."}.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO, Any

from instructzoo.core.data.sentence_split import sentences
from instructzoo.core.errors import ZooError
from instructzoo.core.record import Row
from instructzoo.core.ui import files
from instructzoo.core.ui.files import Line
from instructzoo.uie.demo.rendering import record
from instructzoo.uie.extraction import Answers, Schema, gather, questions

MAX_TEXT = 50_000
"""Characters of one text in a file."""
TOGETHER = 128
"""Questions that the model is asked at once, at least, and texts, at most."""
NAMED = 5
"""Faulty lines that the summary names."""

OWN = ("line", "text", "entities", "relations", "events", "unplaced", "notes", "error")
"""Keys of the output, which a row of the input may not hold beside its text."""


@dataclass
class Outcome:
    """What became of a file so far. done: its share that is answered; faults: the first NAMED faulty lines and why."""

    done: float = 0.0
    texts: int = 0
    faulty: int = 0
    found: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("entities", "relations", "events"), 0))
    faults: list[tuple[int, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Text:
    """A text with the questions on its sentences, each with the place where the sentence begins."""

    line: Line
    asked: list[tuple[int, Row]]


Asked = Text | tuple[Line, str]
"""A text, or a line with what is wrong with it."""


def extract_file(predictor: Answers, source: Path, target: Path, schema: Schema) -> Iterator[Outcome]:
    """Answer every text of `source` into `target`, and tell after every block how far it is.

    Raises ZooError for a file of no known kind or without a text.
    """
    outcome = Outcome()
    with target.open("w", encoding="utf-8", errors="replace") as out:
        block: list[Asked] = []
        for line in files.texts(source, MAX_TEXT):
            block.append(_asked(line, schema))
            if len(block) >= TOGETHER or sum(len(one.asked) for one in block if isinstance(one, Text)) >= TOGETHER:
                _write(out, predictor, block, schema, outcome)
                block, outcome.done = [], line.done
                yield outcome
        _write(out, predictor, block, schema, outcome)
    outcome.done = 1.0
    yield outcome


def _asked(line: Line, schema: Schema) -> Asked:
    if line.fault:
        return line, line.fault
    if taken := [key for key in OWN if key in line.row]:
        return line, f'There is a key "{taken[0]}" beside the text already; rename or drop it.'
    return Text(line, [(at, row) for at, piece in sentences(line.text) for row in questions(piece, schema)])


def _write(out: IO[str], predictor: Answers, block: list[Asked], schema: Schema, outcome: Outcome) -> None:
    """Answer a block and write its lines in order. Where the block cannot be asked, every text is asked alone."""
    try:
        answers: Iterator[str] | None = iter(_ask(predictor, [one for one in block if isinstance(one, Text)]))
    except ZooError:
        answers = None
    for one in block:
        if isinstance(one, Text):
            try:
                said = _ask(predictor, [one]) if answers is None else list(islice(answers, len(one.asked)))
            except ZooError as error:
                _refuse(out, one.line, str(error), outcome)
            else:
                _put(out, _answered(one, said, schema, outcome))
        else:
            _refuse(out, *one, outcome)


def _ask(predictor: Answers, texts: list[Text]) -> list[str]:
    rows = [row for text in texts for _, row in text.asked]
    return predictor.answer(rows) if rows else []


def _answered(text: Text, said: list[str], schema: Schema, outcome: Outcome) -> dict[str, Any]:
    answered = [(at, row, one) for (at, row), one in zip(text.asked, said, strict=True)]
    made = record(gather(text.line.text, schema, answered))
    outcome.texts += 1
    for part in outcome.found:
        outcome.found[part] += len(made[part])
    return {**text.line.row, "line": text.line.number, **made}


def _refuse(out: IO[str], line: Line, why: str, outcome: Outcome) -> None:
    outcome.faulty += 1
    if len(outcome.faults) < NAMED:
        outcome.faults.append((line.number, why))
    _put(out, {**{key: value for key, value in line.row.items() if key not in OWN}, "line": line.number, "error": why})


def _put(out: IO[str], line: dict[str, Any]) -> None:
    out.write(json.dumps(line, ensure_ascii=False) + "\n")
