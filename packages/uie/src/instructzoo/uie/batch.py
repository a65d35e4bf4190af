"""A file of texts -> a file of JSON lines, from disk to disk: memory does not grow with the file.

    texts.txt, one text a line      Ann lives in Oslo.
    texts.jsonl                     {"text": "Ann lives in Oslo.", "id": 7}     other keys are kept
    found.jsonl                     {"text": "Ann lives in Oslo.", "id": 7, "line": 1, "entities": [...], ...}

A line that cannot be read or asked spoils no other: it stands in the output as {"line": 7, "error": "..."}.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from instructzoo.core.errors import ZooError
from instructzoo.core.record import Row
from instructzoo.uie.asking import Answers, Schema, gather, questions, sentences
from instructzoo.uie.cards import record

SUFFIXES = (".txt", ".jsonl")
MAX_BYTES, MAX_TEXT = 1_000_000, 50_000
"""Bytes of a line, and characters of a text, in a file."""
TOGETHER = 128
"""Questions that the model is asked at once, at least."""
NAMED = 5
"""Faulty lines that the summary names."""

OWN = ("line", "entities", "relations", "events", "notes", "error")
"""Keys of the output that a row of the input may not hold."""

Progress = Callable[[float, str], None]
"""Told the share of the file that is done, and a line for the person who waits."""


@dataclass
class Outcome:
    """What became of a file. faults: the first NAMED faulty lines and why."""

    texts: int = 0
    faulty: int = 0
    blank: int = 0
    found: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("entities", "relations", "events"), 0))
    faults: list[tuple[int, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Text:
    """One text of a file: its line, the row it stood in, the places of its sentences and the questions on them."""

    line: int
    row: dict[str, Any]
    text: str
    asked: list[tuple[int, Row]]


def extract_file(predictor: Answers, source: Path, target: Path, schema: Schema, progress: Progress) -> Outcome:
    """Answer every text of `source` into `target`. Raises ZooError for a file that is of no known kind or holds none."""
    if source.suffix.lower() not in SUFFIXES:
        raise ZooError(f'"{source.name}"', f"a file that ends in {' or '.join(SUFFIXES)}", "save it as one of them")
    outcome, size = Outcome(), max(source.stat().st_size, 1)
    with source.open("rb") as file, target.open("w", encoding="utf-8", errors="replace") as out:
        block: list[Text | tuple[int, str]] = []
        for one in _texts(file, source.suffix.lower() == ".jsonl", schema, outcome):
            block.append(one)
            if sum(len(t.asked) for t in block if isinstance(t, Text)) >= TOGETHER or len(block) >= TOGETHER:
                _write(out, predictor, block, schema, outcome)
                block = []
                progress(file.tell() / size, f"{outcome.texts:,} texts answered")
        _write(out, predictor, block, schema, outcome)
    if not outcome.texts + outcome.faulty:
        raise ZooError(f'"{source.name}" holds no text', "one text a line", "choose another file")
    return outcome


def _texts(file: IO[bytes], jsonl: bool, schema: Schema, outcome: Outcome) -> Iterator[Text | tuple[int, str]]:
    """The texts of a file; a faulty line as its number and what is wrong."""
    for number, raw in _lines(file):
        if raw is not None and not raw.strip():
            outcome.blank += 1
            continue
        try:
            yield _text(number, raw, jsonl, schema)
        except ZooError as error:
            yield number, str(error)


def _lines(file: IO[bytes]) -> Iterator[tuple[int, bytes | None]]:
    """Numbered lines; None for one that is longer than MAX_BYTES, which is read past in pieces."""
    number = 0
    while raw := file.readline(MAX_BYTES):
        number += 1
        whole = len(raw) < MAX_BYTES or raw.endswith(b"\n")
        yield number, raw if whole else None
        while not whole and (rest := file.readline(MAX_BYTES)):
            whole = rest.endswith(b"\n")


def _text(number: int, raw: bytes | None, jsonl: bool, schema: Schema) -> Text:
    if raw is None:
        raise ZooError(f"a line of more than {MAX_BYTES:,} bytes", "one text a line", "cut it")
    try:
        line = raw.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise ZooError(f"byte 0x{raw[error.start]:02x} is not UTF-8", "UTF-8 text", "convert the file") from error
    row = _row(line) if jsonl else {"text": line}
    text = row["text"]
    if len(text) > MAX_TEXT:
        raise ZooError(f"a text of {len(text):,} characters", f"at most {MAX_TEXT:,}", "cut it")
    return Text(number, row, text, [(at, q) for at, piece in sentences(text) for q in questions(piece, schema)])


def _row(line: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ZooError(f"malformed JSON ({error})", 'such as {"text": "..."}', "mend the line") from error
    if not isinstance(row, dict) or not isinstance(row.get("text"), str):
        raise ZooError('no "text" that is text', 'such as {"text": "..."}', "mend the line")
    if taken := [key for key in OWN if key in row]:
        raise ZooError(f'the row has "{taken[0]}" already', "texts to answer", "rename or drop it")
    return row


def _write(
    out: IO[str], predictor: Answers, block: list[Text | tuple[int, str]], schema: Schema, outcome: Outcome
) -> None:
    """Answer a block and write its lines in order. Where the block cannot be asked, every text is asked alone."""
    texts = [one for one in block if isinstance(one, Text)]
    try:
        answers: list[str] | None = _ask(predictor, texts)
    except ZooError:
        answers = None
    for one in block:
        if isinstance(one, Text):
            try:
                said = _ask(predictor, [one]) if answers is None else [answers.pop(0) for _ in one.asked]
            except ZooError as error:
                one = (one.line, str(error))
            else:
                _put(out, _answered(one, said, schema, outcome))
                continue
        outcome.faulty += 1
        if len(outcome.faults) < NAMED:
            outcome.faults.append(one)
        _put(out, {"line": one[0], "error": one[1]})
    out.flush()


def _ask(predictor: Answers, texts: list[Text]) -> list[str]:
    rows = [row for text in texts for _, row in text.asked]
    return predictor.answer(rows) if rows else []


def _answered(text: Text, said: list[str], schema: Schema, outcome: Outcome) -> dict[str, Any]:
    answered = [(at, row, one) for (at, row), one in zip(text.asked, said, strict=True)]
    found = gather(text.text, schema, answered)
    made = record(text.text, found.annotation, found.notes)
    outcome.texts += 1
    for part in outcome.found:
        outcome.found[part] += len(made[part])
    return {**text.row, "line": text.line, **made}


def _put(out: IO[str], line: dict[str, Any]) -> None:
    out.write(json.dumps(line, ensure_ascii=False) + "\n")
