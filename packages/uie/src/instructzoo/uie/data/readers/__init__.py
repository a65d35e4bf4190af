"""Reads files in published formats as annotated sentences: detects a file's format and calls its reader.

| format | reader | used by |
| --- | --- | --- |
| conll | line_formats | CrossNER, WNUT17, NCBI disease, any BIO or BIOES file |
| semeval | line_formats | SemEval-2010 task 8 |
| conll04, tags | json_formats | CoNLL04; JSON with tokens and tags |
| offsets | json_formats | spaCy's JSON, JSON with offsets, exports of Prodigy and doccano |
| label-studio | json_formats | exports of Label Studio |
| phee | phee | PHEE |
| brat | brat | standoff documents |
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from instructzoo.core.errors import ZooError
from instructzoo.uie.data.readers import annotation_tools, brat, json_formats, line_formats, phee
from instructzoo.uie.data.readers.base import Sentence
from instructzoo.uie.schema import ENTITY_TASKS, EVENT_TASKS, RELATION_TASKS

READERS: Mapping[str, Callable[[Path], Iterator[Sentence]]] = {
    "conll": line_formats.read_conll,
    "semeval": line_formats.read_semeval,
    "conll04": json_formats.read_conll04,
    "tags": json_formats.read_tags,
    "offsets": json_formats.read_offsets,
    "label-studio": json_formats.read_label_studio,
    "phee": phee.read_phee,
    "brat": brat.read_brat,
}

SUPPORTED_TASKS: Mapping[str, tuple[str, ...]] = {
    "conll": ENTITY_TASKS,
    "semeval": RELATION_TASKS,
    "conll04": (*RELATION_TASKS, *ENTITY_TASKS),
    "tags": ENTITY_TASKS,
    "offsets": (*ENTITY_TASKS, *RELATION_TASKS, *EVENT_TASKS),
    "label-studio": (*ENTITY_TASKS, *RELATION_TASKS),
    "phee": EVENT_TASKS,
    "brat": (*ENTITY_TASKS, *RELATION_TASKS, *EVENT_TASKS),
}
"""The tasks that a format can annotate; `zoo score` uses the first one, unless --task names another."""

_HEAD_BYTES = 65_536
_OFFSETS_KEYS = {*annotation_tools.SPAN_KEYS, "relations", "events"}


def format_of(path: Path) -> str | None:
    """Detect the format of a file from its name and its first lines.

    Rows of the zoo are in no published format, and neither are lines of plain answers.

    Args:
        path: The file; for brat the .txt or the .ann file of a document.

    Returns:
        A key of READERS; None for any other file.
    """
    suffix = path.suffix.lower()
    if suffix == ".ann" or (suffix == ".txt" and path.with_suffix(".ann").is_file()):
        return "brat"
    with path.open("rb") as file:
        raw = file.read(_HEAD_BYTES)
        head = _decode(raw)
        if head[:1] in ("{", "["):
            return _json_format(_longer_heads(raw, file, to_end=suffix == ".json"))
    for line in head.split("\n")[:50]:
        if not line.strip() or line.startswith(("# ", "-DOCSTART-")):
            continue
        if line_formats.NUMBERED.fullmatch(line.rstrip("\r")):
            return "semeval"
        columns = line_formats.split_columns(line.rstrip("\r"))
        return "conll" if len(columns) > 1 and line_formats.TAG.fullmatch(columns[-1]) else None
    return None


def _decode(raw: bytes) -> str:
    return raw.decode("utf-8-sig", "replace").lstrip()


def _longer_heads(raw: bytes, file: IO[bytes], to_end: bool) -> Iterator[str]:
    """The head of a file; the head up to the end of its last line; with `to_end` the whole file."""
    yield _decode(raw)
    raw += file.readline()
    yield _decode(raw)
    if to_end:
        yield _decode(raw + file.read())


def _json_format(heads: Iterable[str]) -> str | None:
    """The format by the keys of the first JSON object that tells. heads: longer and longer beginnings of the file."""
    for head in heads:
        for values in _first_objects(head):
            if (format := _format_of_object(values)) is not None:
                return format
            if not isinstance(values, dict) or not isinstance(values.get("text"), str):
                return None  # only a text that nobody annotated tells nothing
    return None


def _first_objects(head: str) -> Iterator[Any]:
    """The JSON values that a head holds whole, whether they stand in a list or one after the other."""
    decoder, rest = json.JSONDecoder(), head.removeprefix("[").lstrip()
    while rest:
        try:
            value, end = decoder.raw_decode(rest)
        except (ValueError, RecursionError):
            return
        yield value
        rest = rest[end:].lstrip(" \t\r\n,")


def _format_of_object(values: Any) -> str | None:
    """The format that has objects with these keys."""
    keys = set(values) if isinstance(values, dict) else set[str]()
    if "text" in keys:
        lists = {key for key in annotation_tools.DOCCANO_KEYS if isinstance(values.get(key), list)}
        return "offsets" if keys & _OFFSETS_KEYS or lists or values.get("answer") in annotation_tools.ANSWERS else None
    if {"tokens", "entities"} <= keys:
        return "conll04"
    if {"context", "annotations"} <= keys:
        return "phee"
    if {"data", "annotations"} <= keys:
        return "label-studio"
    return "tags" if "tokens" in keys and keys & {*json_formats.TAG_KEYS} else None


def read_file(path: Path, format: str = "") -> Iterator[Sentence]:
    """Read the sentences of a file.

    Args:
        path: The file.
        format: A key of READERS; "" detects the format.

    Returns:
        The sentences, read as they are consumed.

    Raises:
        ZooError: For a file in no known format, and with file:line for whatever its reader rejects.
    """
    name = format or format_of(path)
    if name is None:
        raise unknown_format(path)
    return READERS[name](path)


def unknown_format(path: Path) -> ZooError:
    """The error for a file that no reader can read."""
    formats = f"one of {', '.join(READERS)}"
    return ZooError("a file in no known format", formats, "the package's README describes them", str(path))
