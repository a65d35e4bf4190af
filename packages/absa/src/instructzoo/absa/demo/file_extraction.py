"""Analyses a file of reviews into a CSV of quadruples and a file of JSON lines, block by block in constant memory.

    line,text,aspect,category,opinion,sentiment,aspect_start,aspect_end,opinion_start,opinion_end,note
    1,Great wine,wine,DRINKS#QUALITY,Great,positive,6,10,0,5,

An implicit element is NULL. A review without opinions, one that cannot be analysed and an unparseable output have a
line too; its note says which.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from instructzoo.absa.extraction import AnalysisCounts, LabelledPredictor, ReviewAnalysis, analyse
from instructzoo.core.answers.blocks import Faults, blocks
from instructzoo.core.answers.output_files import merged
from instructzoo.core.answers.text_files import Line, read_texts, spreadsheet_cell

MAX_TEXT = 50_000
"""Maximum length of one review in a file, in characters."""
BLOCK_REVIEWS = 200
"""Maximum number of reviews in one call of the model; the last one may exceed BLOCK_CHARACTERS in total."""
BLOCK_CHARACTERS = 50_000

HEADER = (
    "line", "text", "aspect", "category", "opinion", "sentiment",
    "aspect_start", "aspect_end", "opinion_start", "opinion_end", "note",
)  # fmt: skip


@dataclass
class FileProgress:
    """The state of a file that is being analysed.

    table, objects: the CSV and the JSON Lines file; done: the fraction of the file that is read; faults: the lines that
    could not be analysed.
    """

    table: Path
    objects: Path
    done: float = 0.0
    counts: AnalysisCounts = field(default_factory=AnalysisCounts)
    faults: Faults = field(default_factory=Faults)


class Writer:
    """Writes analyses one by one, as CSV, as JSON Lines, or as both."""

    def __init__(self, table: TextIO | None = None, objects: TextIO | None = None) -> None:
        self.csv_writer = csv.writer(table) if table else None
        self.objects = objects
        if self.csv_writer:
            self.csv_writer.writerow(HEADER)

    def write(self, number: int, analysis: ReviewAnalysis, input_fields: dict[str, Any] | None = None) -> None:
        """Write the analysis of one line.

        Args:
            number: its line in the input file.
            analysis: its analysis.
            input_fields: the other fields of the input line. They are copied to the JSON object; a field whose name the
                analysis has too is moved under "given".
        """
        if self.csv_writer:
            self.csv_writer.writerows(_csv_rows(number, analysis))
        if self.objects:
            record = merged(input_fields or {}, {"line": number, **analysis.to_dict()})
            self.objects.write(json.dumps(record, ensure_ascii=False) + "\n")


def _csv_rows(number: int, analysis: ReviewAnalysis) -> Iterator[list[str]]:
    for row in analysis.to_rows():
        note = f"not analysed: {analysis.error}" if analysis.error else row["note"]
        cells = ["" if value is None else str(value) for value in (row | {"note": note}).values()]
        yield [str(number), *map(spreadsheet_cell, (analysis.text, *cells))]


def save_analyses(analyses: Iterable[ReviewAnalysis], folder: Path) -> tuple[Path, Path]:
    """Save pasted reviews as judgements.csv and judgements.json (a list) in the folder; returns both paths."""
    table, objects = folder / "judgements.csv", folder / "judgements.json"
    numbered = list(enumerate(analyses, 1))
    # Excel recognises UTF-8 by the byte order mark
    with table.open("w", encoding="utf-8-sig", newline="", errors="replace") as file:
        writer = Writer(file)
        for number, analysis in numbered:
            writer.write(number, analysis)
    records = [{"line": number, **analysis.to_dict()} for number, analysis in numbered]
    objects.write_text(json.dumps(records, ensure_ascii=False, indent=1), encoding="utf-8", errors="replace")
    return table, objects


def analyse_file(predictor: LabelledPredictor, source: Path, folder: Path) -> Iterator[FileProgress]:
    """Analyse every review of a file into NAME.judged.csv and NAME.judged.jsonl in the folder.

    Args:
        predictor: the model.
        source: the file of reviews.
        folder: where the two files are written. They are complete when the iterator ends.

    Yields:
        The progress after every block of reviews.

    Raises:
        ZooError: for a file of an unknown type, a table without a column of texts, and a file without a text.
    """
    name = f"{source.stem[:60]}.judged"
    progress = FileProgress(folder / f"{name}.csv", folder / f"{name}.jsonl")
    with ExitStack() as stack:
        table = stack.enter_context(progress.table.open("w", encoding="utf-8-sig", newline="", errors="replace"))
        objects = stack.enter_context(progress.objects.open("w", encoding="utf-8", errors="replace"))
        writer = Writer(table, objects)
        lines = read_texts(source, MAX_TEXT)
        for block in blocks(lines, BLOCK_REVIEWS, lambda line: len(line.text), BLOCK_CHARACTERS):
            for line, analysis in zip(block, _analyse_block(predictor, block), strict=True):
                progress.counts.add(analysis)
                if analysis.error:
                    progress.faults.add(str(line.number), analysis.error)
                writer.write(line.number, analysis, line.row)
            progress.done = block[-1].fraction_read
            yield progress


def _analyse_block(predictor: LabelledPredictor, block: Sequence[Line]) -> list[ReviewAnalysis]:
    analyses = iter(analyse(predictor, [line.text for line in block if not line.error], MAX_TEXT))
    return [ReviewAnalysis("", error=line.error) if line.error else next(analyses) for line in block]
