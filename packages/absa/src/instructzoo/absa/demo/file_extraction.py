"""A file of reviews -> a CSV of judgements and a file of JSON lines, from disk to disk: memory does not grow with it.

    line,text,aspect,category,opinion,sentiment,aspect_start,aspect_end,opinion_start,opinion_end,note
    1,Great wine,wine,DRINKS#QUALITY,Great,positive,6,10,0,5,

An implicit element is NULL. A review without a judgement, one that cannot be asked and an answer without format have a
line too; the note says which.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from instructzoo.absa.data.readers.base import IMPLICIT
from instructzoo.absa.extraction import Answers, Found, Judged, Totals, judge
from instructzoo.core.ui.files import Line, cell, texts

MAX_TEXT = 50_000
"""Characters of one review in a file."""
TOGETHER = 200
"""Reviews that the model is asked at once, at most; and TOGETHER_CHARACTERS of them."""
TOGETHER_CHARACTERS = 50_000
NAMED = 5
"""Faulty lines that the summary names."""

HEADER = (
    "line", "text", "aspect", "category", "opinion", "sentiment",
    "aspect_start", "aspect_end", "opinion_start", "opinion_end", "note",
)  # fmt: skip


@dataclass
class Outcome:
    """What became of a file so far. faults: the first NAMED faulty lines and why; done: the share that was read."""

    table: Path
    objects: Path
    done: float = 0.0
    totals: Totals = field(default_factory=Totals)
    faults: list[tuple[int, str]] = field(default_factory=list)


class Writer:
    """Judged reviews as they come, to CSV, to JSON Lines, or to both."""

    def __init__(self, table: TextIO | None = None, objects: TextIO | None = None) -> None:
        self.rows = csv.writer(table) if table else None
        self.objects = objects
        if self.rows:
            self.rows.writerow(HEADER)

    def write(self, number: int, judged: Judged, beside: dict[str, Any] | None = None) -> None:
        """beside: what stood beside the text; a key that the answer has too is kept under "given"."""
        if self.rows:
            self.rows.writerows(_cells(number, judged))
        if self.objects:
            made, beside = {"line": number, **judged.record()}, beside or {}
            kept = {key: value for key, value in beside.items() if key not in made}
            given = {key: value for key, value in beside.items() if key in made}
            whole = {**kept, **made, **({"given": given} if given else {})}
            self.objects.write(json.dumps(whole, ensure_ascii=False) + "\n")


def _cells(number: int, judged: Judged) -> Iterator[list[str]]:
    notes = [f"answer without format: {reason}" for reason in judged.invalid]
    notes += [f"not asked: {judged.fault}"] if judged.fault else []
    if not judged.found and not notes:
        notes.append("no judgement")
    for found in judged.found:
        lost = ", ".join(f'"{span}"' for span in found.lost())
        yield _line(number, judged.text, _quad(found), f"not in the text: {lost}" if lost else "")
    for note in notes:
        yield _line(number, judged.text, [""] * 8, note)


def _line(number: int, text: str, cells: Sequence[str], note: str) -> list[str]:
    return [str(number), *(cell(value) for value in (text, *cells, note))]


def _quad(found: Found) -> list[str]:
    quad = found.quad
    spans = [IMPLICIT if span is None else span for span in (quad.aspect, quad.category, quad.opinion)]
    places = [str(edge) for place in (found.aspect, found.opinion) for edge in place or ("", "")]
    return [*spans, quad.sentiment or "", *places]


def save(judged: Iterable[Judged], folder: Path) -> tuple[Path, Path]:
    """A pasted batch as judgements.csv and judgements.json (a list) in the folder."""
    table, objects = folder / "judgements.csv", folder / "judgements.json"
    made = list(judged)
    with table.open("w", encoding="utf-8-sig", newline="", errors="replace") as file:  # Excel asks for the mark
        writer = Writer(file)
        for number, one in enumerate(made, 1):
            writer.write(number, one)
    text = json.dumps([{"line": n, **one.record()} for n, one in enumerate(made, 1)], ensure_ascii=False, indent=1)
    objects.write_text(text, encoding="utf-8", errors="replace")
    return table, objects


def judge_file(predictor: Answers, source: Path, folder: Path) -> Iterator[Outcome]:
    """Judge every review of a file into NAME.csv and NAME.jsonl in the folder; the outcome after every block of them.

    The files are whole once nothing comes any more. Raises ZooError for a file of no known kind, a table without a
    column of texts, and a file without a text.
    """
    name = f"{source.stem[:60]}.judged"
    outcome = Outcome(folder / f"{name}.csv", folder / f"{name}.jsonl")
    with ExitStack() as stack:
        rows = stack.enter_context(outcome.table.open("w", encoding="utf-8-sig", newline="", errors="replace"))
        lines = stack.enter_context(outcome.objects.open("w", encoding="utf-8", errors="replace"))
        writer = Writer(rows, lines)
        for block in _blocks(texts(source, MAX_TEXT)):
            for line, judged in zip(block, _judge(predictor, block), strict=True):
                outcome.totals.add(judged)
                if judged.fault and len(outcome.faults) < NAMED:
                    outcome.faults.append((line.number, judged.fault))
                writer.write(line.number, judged, line.row)
            outcome.done = block[-1].done
            yield outcome


def _blocks(lines: Iterable[Line]) -> Iterator[list[Line]]:
    block, size = list[Line](), 0
    for line in lines:
        block.append(line)
        size += len(line.text)
        if len(block) == TOGETHER or size >= TOGETHER_CHARACTERS:
            yield block
            block, size = [], 0
    if block:
        yield block


def _judge(predictor: Answers, block: Sequence[Line]) -> list[Judged]:
    judged = iter(judge(predictor, [line.text for line in block if not line.fault], MAX_TEXT))
    return [Judged("", fault=line.fault) if line.fault else next(judged) for line in block]
