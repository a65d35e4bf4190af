"""Readers of JSON objects, one a line (JSON Lines) or in a list.

    CoNLL04   {"tokens": ["Ann", "lives", "in", "Oslo"], "entities": [[0, 1, "Peop"], [3, 4, "Loc"]],
               "relations": [[0, 1, 3, 4, "Live_In"]]}                                          token indices
    spaCy     {"text": "Ann lives in Oslo", "ents": [{"start": 0, "end": 3, "label": "PERSON"}]}
              {"text": "Ann lives in Oslo", "entities": [[0, 3, "PERSON"]]}                     or under "spans"
    offsets   {"text": "Ann lives in Oslo",
               "entities": [{"type": "person", "start": 0, "end": 3}, {"type": "city", "start": 13, "end": 17}],
               "relations": [{"type": "lives in", "head": 0, "tail": 1}],
               "events": [{"type": "residence", "trigger": {"start": 4, "end": 9},
                           "arguments": [{"role": "resident", "start": 0, "end": 3}]}]}

Offsets count characters (code points) of the text from 0, `end` is exclusive. In the last form each span may state its
`text`, which is then compared; `head` and `tail` are indices of entities, their `id`, or spans of their own. Other keys
are ignored. Tokens of CoNLL04 are joined by single spaces.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from instructzoo.core.data import read, read_jsonl
from instructzoo.core.data.line_files import malformed
from instructzoo.core.errors import ZooError
from instructzoo.uie.data.readers.base import (
    Sentence,
    checked_label,
    join_tokens,
    make_mention,
    make_sentence,
    make_span,
)
from instructzoo.uie.schema import Annotation, Event, Mention, Relation

TOKENS_FORM = "tokens, entities [[first, end, type]] and relations [[first, end, first, end, type]]"
SPANS_FORM = '[start, end, label] or {"start": 0, "end": 3, "label": "person"}'
SPAN_KEYS = ("entities", "ents", "spans")


def objects(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Read the JSON objects of a file.

    Args:
        path: A JSON Lines file, a .json file with a list of objects, or a .json file with one object.

    Yields:
        (where, object); for lists `where` also names the number of the object, since all may be on one line.

    Raises:
        ZooError: With file:line for malformed JSON.
    """
    if path.suffix.lower() != ".json":
        yield from read_jsonl(path)
    elif _first_character(path) != "{":
        yield from ((f"{where}, object {number}", values) for number, (where, values) in enumerate(read(path), 1))
    elif (single := _single_object(path)) is not None:
        yield str(path), single
    else:
        yield from read_jsonl(path)


def _first_character(path: Path) -> str:
    """The first character that is not a space: PHEE's .json files are JSON Lines."""
    with path.open("rb") as file:
        return file.read(1000).decode("utf-8-sig", "ignore").lstrip()[:1]


def _single_object(path: Path) -> Mapping[str, Any] | None:
    """The one object that a file holds, over several lines, as the demo saves it; None where each line is one."""
    try:
        value = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def read_conll04(path: Path) -> Iterator[Sentence]:
    """Sentences of CoNLL04 in the format of its public copies. Raises ZooError with file:line for malformed objects."""
    for where, values in objects(path):
        tokens, entities, relations = (values.get(name) for name in ("tokens", "entities", "relations"))
        listed = all(isinstance(value, list) for value in (tokens, entities, relations))
        if not listed or not all(isinstance(token, str) and token for token in values["tokens"]):
            raise malformed(str(dict(values)), TOKENS_FORM, where)
        text, starts = join_tokens(values["tokens"])
        ends = [start + len(token) for start, token in zip(starts, values["tokens"], strict=True)]
        mentions = []
        for entity in values["entities"]:
            *indices, type = _indices_and_label(entity, 2, where)
            mentions.append(make_mention(type, text, *_offsets(indices, starts, ends, where), where))
        typed_relations = []
        for relation in values["relations"]:
            *indices, type = _indices_and_label(relation, 4, where)
            head, tail = (make_span(text, *_offsets(i, starts, ends, where), where) for i in (indices[:2], indices[2:]))
            typed_relations.append(Relation(checked_label(type, where), head, tail))
        yield make_sentence(text, Annotation(tuple(mentions), tuple(typed_relations)), where)


def _indices_and_label(values: Any, count: int, where: str) -> list[Any]:
    """[index, ..., label] with `count` indices of tokens. Raises ZooError for anything else."""
    listed = isinstance(values, list) and len(values) == count + 1
    if not listed or not all(type(value) is int for value in values[:count]):
        raise malformed(values, TOKENS_FORM, where)
    return list(values)


def _offsets(numbers: Sequence[int], starts: Sequence[int], ends: Sequence[int], where: str) -> tuple[int, int]:
    first, end = numbers
    if not 0 <= first < end <= len(starts):
        raise ZooError(f"tokens {first} to {end}", f"0 <= first < end <= {len(starts)}", "correct the numbers", where)
    return starts[first], ends[end - 1]


def read_offsets(path: Path) -> Iterator[Sentence]:
    """Sentences of spaCy's and the general format. Raises ZooError with file:line for malformed objects."""
    for where, values in objects(path):
        text = values.get("text")
        if not isinstance(text, str):
            raise malformed(str(dict(values)), 'an object with "text"', where)
        keys = [key for key in SPAN_KEYS if key in values]
        if len(keys) > 1:
            raise ZooError(f'both "{keys[0]}" and "{keys[1]}"', "one of them", "remove one", where)
        raw_entities = _list_of(values, keys[0], where) if keys else []
        entities = [_entity(raw, text, where) for raw in raw_entities]
        raw_relations = _list_of(values, "relations", where)
        relations = [_relation(raw, text, raw_entities, entities, where) for raw in raw_relations]
        events = [_event(raw, text, where) for raw in _list_of(values, "events", where)]
        yield make_sentence(text, Annotation(tuple(entities), tuple(relations), tuple(events)), where)


def _list_of(values: Mapping[str, Any], key: str, where: str) -> list[Any]:
    """The list under a key; empty where the key is missing. Raises ZooError for anything but a list."""
    value = values.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        raise malformed(value, f'a list under "{key}"', where)
    return value


def _entity(values: Any, text: str, where: str) -> Mention:
    if isinstance(values, list) and len(values) == 3:
        values = dict(zip(("start", "end", "label"), values, strict=True))
    if not isinstance(values, dict):
        raise malformed(values, SPANS_FORM, where)
    type = values.get("label", values.get("type"))
    return replace(_span(values, text, where), type=checked_label(type, where))


def _span(values: Any, text: str, where: str) -> Mention:
    """The span of an object with `start` and `end`, and `text` where it states one."""
    if not isinstance(values, dict):
        raise malformed(values, '{"start": 0, "end": 3}', where)
    start, end, stated_text = values.get("start"), values.get("end"), values.get("text")
    if type(start) is not int or type(end) is not int or not isinstance(stated_text, str | None):
        raise malformed(values, "whole numbers under start and end", where)
    return make_span(text, start, end, where, stated_text)


def _relation(values: Any, text: str, raw_entities: list[Any], entities: list[Mention], where: str) -> Relation:
    form = '{"type": "lives in", "head": 0, "tail": 1}'
    if not isinstance(values, dict):
        raise malformed(values, form, where)
    index_by_id = {str(raw["id"]): i for i, raw in enumerate(raw_entities) if isinstance(raw, dict) and "id" in raw}

    def side(name: str) -> Mention:
        value = values.get(name)
        if isinstance(value, dict):
            return _span(value, text, where)
        index = index_by_id.get(str(value), value)
        if type(index) is not int or not 0 <= index < len(entities):
            raise ZooError(f'"{name}" is {value!r}', "an entity's number or id, or a span", f"such as {form}", where)
        return entities[index]

    return Relation(checked_label(values.get("type", values.get("label")), where), side("head"), side("tail"))


def _event(values: Any, text: str, where: str) -> Event:
    if not isinstance(values, dict):
        raise malformed(values, '{"type": "attack", "trigger": {"start": 4, "end": 9}, "arguments": []}', where)
    arguments = []
    for raw in _list_of(values, "arguments", where):
        role = raw.get("role", raw.get("type")) if isinstance(raw, dict) else None
        arguments.append(replace(_span(raw, text, where), type=checked_label(role, where)))
    type = checked_label(values.get("type"), where)
    return Event(type, _span(values.get("trigger"), text, where), tuple(arguments))
