"""Extraction from a file of texts into a file of JSON lines; memory does not grow with the file.

    texts.jsonl     {"text": "Ann lives in Oslo.", "id": 7}
    found.jsonl     {"id": 7, "line": 1, "text": "Ann lives in Oslo.", "entities": [...], "relations": [...], ...}

Other keys of a line are copied to the output. A line that cannot be read or answered does not affect the others: the
output has its number and the reason, as {"line": 7, "error": "..."}.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO, Any

from instructzoo.core.answers.blocks import Faults, answer_or_reason, blocks
from instructzoo.core.answers.text_files import Line, read_texts
from instructzoo.core.data.sentence_split import sentences
from instructzoo.core.errors import ZooError
from instructzoo.core.infer.own_format import in_own_format
from instructzoo.core.record import Row
from instructzoo.core.ui.questions import AnswersRows
from instructzoo.uie.answers import of_extraction
from instructzoo.uie.extraction import Schema, build_questions, combine_answers

MAX_TEXT = 50_000
"""Characters of one text in a file."""
BLOCK = 128
"""A block that the model answers at once has at most this many texts, and ends at this many questions."""

OUTPUT_KEYS = ("line", "text", "entities", "relations", "events", "unplaced", "notes", "error")
"""Keys of the output, which a line of the input may not have besides its text."""


@dataclass
class Progress:
    """How far a file is.

    Attributes:
        fraction: The fraction of the file that is answered.
        texts: How many texts are answered.
        counts: How many entities, relations and events are extracted.
        faults: The lines that could not be read or answered.
    """

    fraction: float = 0.0
    texts: int = 0
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("entities", "relations", "events"), 0))
    faults: Faults = field(default_factory=Faults)


@dataclass(frozen=True)
class Request:
    """A line of the file.

    Attributes:
        line: The line, with its text.
        questions: (offset of the sentence in the text, question) for each question on it.
        fault: Why the line cannot be answered; "" where it can.
    """

    line: Line
    questions: Sequence[tuple[int, Row]] = ()
    fault: str = ""


def extract_file(predictor: AnswersRows, source: Path, target: Path, schema: Schema) -> Iterator[Progress]:
    """Answer every text of a file.

    Args:
        predictor: The model.
        source: A .txt, .csv, .tsv or .jsonl file.
        target: The .jsonl file to write.
        schema: The labels to look for.

    Yields:
        The progress after every block, always the same object.

    Raises:
        ZooError: For a file of another kind or without a text.
    """
    progress = Progress()
    requests = (_request(line, schema) for line in read_texts(source, MAX_TEXT))
    with target.open("w", encoding="utf-8", errors="replace") as out:
        for block in blocks(requests, BLOCK, lambda request: len(request.questions), BLOCK):
            _write_block(out, predictor, block, schema, progress)
            progress.fraction = block[-1].line.fraction_read
            yield progress
    progress.fraction = 1.0
    yield progress


def _request(line: Line, schema: Schema) -> Request:
    if line.error:
        return Request(line, fault=line.error)
    if reserved := [key for key in OUTPUT_KEYS if key in line.row]:
        return Request(line, fault=f'There is a key "{reserved[0]}" beside the text already; rename or drop it.')
    return Request(
        line, [(start, row) for start, sentence in sentences(line.text) for row in build_questions(sentence, schema)]
    )


def _write_block(
    out: IO[str], predictor: AnswersRows, block: Sequence[Request], schema: Schema, progress: Progress
) -> None:
    """Answer a block and write its lines in order."""

    def answer(requests: Sequence[Request]) -> list[list[str]]:
        rows = [row for request in requests for _, row in request.questions]
        outputs = iter(in_own_format(predictor, rows, predictor.answer(rows)) if rows else [])
        return [list(islice(outputs, len(request.questions))) for request in requests]

    answers = iter(answer_or_reason([request for request in block if not request.fault], answer))
    for request in block:
        outputs = ZooError(request.fault) if request.fault else next(answers)
        if isinstance(outputs, ZooError):
            _write_fault(out, request.line, request.fault or str(outputs), progress)
            continue
        record = of_extraction(combine_answers(request.line.text, schema, request.questions, outputs)).to_dict()
        progress.texts += 1
        for key in progress.counts:
            progress.counts[key] += len(record[key])
        _write_line(out, {**request.line.row, "line": request.line.number, **record})


def _write_fault(out: IO[str], line: Line, reason: str, progress: Progress) -> None:
    progress.faults.add(f"line {line.number}", reason)
    other_keys = {key: value for key, value in line.row.items() if key not in OUTPUT_KEYS}
    _write_line(out, {**other_keys, "line": line.number, "error": reason})


def _write_line(out: IO[str], values: dict[str, Any]) -> None:
    out.write(json.dumps(values, ensure_ascii=False) + "\n")
