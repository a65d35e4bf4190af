"""Files in published formats -> annotated sentences: which format a file has, and who reads it.

| format | reader | read from |
| --- | --- | --- |
| conll | readers_lines | CrossNER, WNUT17, NCBI disease, every BIO or BIOES file |
| semeval | readers_lines | SemEval-2010 task 8 |
| conll04, offsets | readers_json | CoNLL04; spaCy's JSON, JSON with offsets |
| phee | readers_phee | PHEE |
| brat | readers_brat | standoff documents |
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO

from instructzoo.core.errors import ZooError
from instructzoo.uie.data.readers import brat, json_formats, line_formats, phee
from instructzoo.uie.data.readers.base import Sentence
from instructzoo.uie.schema import ENTITY_TASKS, EVENT_TASKS, RELATION_TASKS

READERS: Mapping[str, Callable[[Path], Iterator[Sentence]]] = {
    "conll": line_formats.conll,
    "semeval": line_formats.semeval,
    "conll04": json_formats.conll04,
    "offsets": json_formats.offsets,
    "phee": phee.phee,
    "brat": brat.brat,
}

ANSWERS: Mapping[str, tuple[str, ...]] = {
    "conll": ENTITY_TASKS,
    "semeval": RELATION_TASKS,
    "conll04": (*RELATION_TASKS, *ENTITY_TASKS),
    "offsets": (*ENTITY_TASKS, *RELATION_TASKS, *EVENT_TASKS),
    "phee": EVENT_TASKS,
    "brat": (*ENTITY_TASKS, *RELATION_TASKS, *EVENT_TASKS),
}
"""The tasks that a format's annotation can answer; `zoo score` asks the first one, unless it is told another."""

_HEAD = 65_536
_OFFSETS = {*json_formats.SPAN_KEYS, "relations", "events"}


def format_of(path: Path) -> str | None:
    """The format of a file, by its first lines; none where it is in none of READERS.

    Rows of the house are no published format, and lines of plain answers are none either.
    """
    suffix = path.suffix.lower()
    if suffix == ".ann" or (suffix == ".txt" and path.with_suffix(".ann").is_file()):
        return "brat"
    with path.open("rb") as file:
        raw = file.read(_HEAD)
        head = _text(raw)
        if head[:1] in ("{", "["):
            return _of_object(_longer(raw, file, whole=suffix == ".json"))
    for line in head.split("\n")[:50]:
        if not line.strip() or line.startswith(("# ", "-DOCSTART-")):
            continue
        if line_formats.NUMBERED.fullmatch(line.rstrip("\r")):
            return "semeval"
        cells = line_formats.cells_of(line.rstrip("\r"))
        return "conll" if len(cells) > 1 and line_formats.TAG.fullmatch(cells[-1]) else None
    return None


def _text(raw: bytes) -> str:
    return raw.decode("utf-8-sig", "replace").lstrip()


def _longer(raw: bytes, file: IO[bytes], whole: bool) -> Iterator[str]:
    """The head of a file; the same up to the end of its line; and with `whole` all, for an object of several lines."""
    yield _text(raw)
    raw += file.readline()
    yield _text(raw)
    if whole:
        yield _text(raw + file.read())


def _of_object(heads: Iterable[str]) -> str | None:
    """By the keys of the first object of JSON. heads: the beginning of a file, then more, for one that this cuts."""
    for head in heads:
        try:
            first, _ = json.JSONDecoder().raw_decode(head.removeprefix("[").lstrip())
            break
        except ValueError:
            continue
    else:
        return None
    keys = set(first) if isinstance(first, dict) else set[str]()
    if {"tokens", "entities"} <= keys:
        return "conll04"
    if {"context", "annotations"} <= keys:
        return "phee"
    return "offsets" if "text" in keys and keys & _OFFSETS else None


def read_file(path: Path, format: str = "") -> Iterator[Sentence]:
    """Sentences of a file. format: one of READERS; none: as it begins.

    Raises ZooError for a file in no known format, and whatever its reader raises, with file:line.
    """
    found = format or format_of(path)
    if found is None:
        forms = f"one of {', '.join(READERS)}"
        raise ZooError("a file in no known format", forms, "the package's README describes them", str(path))
    return READERS[found](path)
