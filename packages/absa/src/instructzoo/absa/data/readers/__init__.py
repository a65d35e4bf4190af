"""Files of annotated sentences: detects the format of a file and reads its sentences.

asqp, acos, aste            one sentence per line (text_lines.py)
semeval-xml, semeval-csv    SemEval's XML, or the CSV of the InstructABSA repository (semeval.py)
own                         your own CSV or JSON Lines (custom.py)
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator
from pathlib import Path

from instructzoo.absa.data.readers import custom, semeval, text_lines
from instructzoo.absa.data.readers.base import Sentence
from instructzoo.absa.schema import ELEMENTS, check_task
from instructzoo.core.data import readers
from instructzoo.core.errors import ZooError

Reader = Callable[[Path], Iterator[Sentence]]

READERS: dict[str, Reader] = {
    "asqp": text_lines.read_asqp,
    "aste": text_lines.read_aste,
    "acos": text_lines.read_acos,
    "semeval-xml": semeval.read_xml,
    "semeval-csv": semeval.read_csv,
    "own": custom.read_custom,
}
_SNIFFED_BYTES = 1 << 16


def detect_format(path: Path) -> str | None:
    """The name of a file's format, by its suffix and its first 64 KiB; None for any other file."""
    with readers.existing_path(path).open("rb") as file:
        start = file.read(_SNIFFED_BYTES)
    encoding = "utf-16" if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    head = start.decode(encoding, errors="replace").lstrip()
    first_line, _, rest = head.partition("\n")
    suffix = path.suffix.lower()
    if head.startswith("<") and (suffix == ".xml" or head.startswith("<?xml")):
        return "semeval-xml"
    if suffix == ".csv":
        columns = {name.strip().strip('"') for name in first_line.split(",")}
        if semeval.TEXT_COLUMN in columns:
            return "semeval-csv"
        return "own" if {"text", "aspect"} <= columns else None
    if suffix in (".jsonl", ".json"):
        beginning = first_line + rest[:1000]
        return "own" if '"quads"' in beginning and '"text"' in beginning else None
    for line in head.split("\n"):
        if "\t" in line and text_lines.ACOS_TUPLE.fullmatch(line.split("\t")[1].strip()):
            return "acos"
        if text_lines.MARK in line:
            return "aste" if text_lines.MARK + "([" in line else "asqp"
    return None


def read_file(path: Path, format: str = "") -> Iterator[Sentence]:
    """Read the sentences of a file.

    Args:
        path: the file.
        format: one of READERS; "" detects it.

    Returns:
        The sentences in the order of the file.

    Raises:
        ZooError: for a file in no known format, and whatever its reader raises, with file:line.
    """
    name = format or detect_format(path)
    if name is None:
        known_forms = f"{text_lines.ASQP_FORM}; or SemEval's XML; or a table with text and {', '.join(ELEMENTS)}"
        raise ZooError("a file in no known format", known_forms, "the package's README describes them", str(path))
    return READERS[name](path)


def default_task(tasks: tuple[str, ...]) -> str:
    """The task of a file where the user names none: the one with most elements, except that aspect terms with sentiment
    only get ae."""
    return next(check_task(task) for task in ("asqp", "aste", "tasd", "ae") if task in tasks)
