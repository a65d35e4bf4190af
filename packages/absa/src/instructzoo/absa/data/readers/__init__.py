"""Files of annotated sentences: which format a file is in, and its sentences.

asqp, acos, aste   one sentence a line (readers_lines)
semeval            XML, or the CSV of the InstructABSA repository (readers_semeval)
own                CSV or JSON Lines of your own (readers_own)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from instructzoo.absa.data.readers import custom, semeval, text_lines
from instructzoo.absa.data.readers.base import Sentence
from instructzoo.absa.schema import PARTS, known
from instructzoo.core.data import readers
from instructzoo.core.errors import ZooError

Reader = Callable[[Path], Iterator[Sentence]]

READERS: dict[str, Reader] = {
    "asqp": text_lines.asqp,
    "aste": text_lines.aste,
    "acos": text_lines.acos,
    "semeval-xml": semeval.markup,
    "semeval-csv": semeval.table,
    "own": custom.own,
}
_SNIFFED = 1 << 16


def format_of(path: Path) -> str | None:
    """The name of a file's format by how it begins; none: it is in none of these."""
    with readers.existing(path).open("rb") as file:
        head = file.read(_SNIFFED).decode("utf-8-sig", errors="replace").lstrip()
    first, _, rest = head.partition("\n")
    suffix = path.suffix.lower()
    if head.startswith("<") and (suffix == ".xml" or head.startswith("<?xml")):
        return "semeval-xml"
    if suffix == ".csv":
        columns = {name.strip().strip('"') for name in first.split(",")}
        if semeval.TEXT_COLUMN in columns:
            return "semeval-csv"
        return "own" if {"text", "aspect"} <= columns else None
    if suffix in (".jsonl", ".json"):
        return "own" if '"quads"' in first + rest[:1000] and '"text"' in first + rest[:1000] else None
    for line in head.split("\n"):
        if "\t" in line and text_lines.ACOS_TUPLE.fullmatch(line.split("\t")[1].strip()):
            return "acos"
        if text_lines.MARK in line:
            return "aste" if text_lines.MARK + "([" in line else "asqp"
    return None


def read_file(path: Path, format: str = "") -> Iterator[Sentence]:
    """Sentences of a file. format: one of READERS; none: as it begins.

    Raises ZooError for a file in no known format, and whatever its reader raises, with file:line.
    """
    found = format or format_of(path)
    if found is None:
        forms = f"{text_lines.ASQP_FORM}; or SemEval's XML; or a table with text and {', '.join(PARTS)}"
        raise ZooError("a file in no known format", forms, "the package's README describes them", str(path))
    return READERS[found](path)


def default_task(tasks: tuple[str, ...]) -> str:
    """What a file is asked for where nobody says: the task with most elements; of terms with sentiment, the terms."""
    return next(known(task) for task in ("asqp", "aste", "tasd", "ae") if task in tasks)
