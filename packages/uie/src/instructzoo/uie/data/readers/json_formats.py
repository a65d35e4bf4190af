"""The formats of JSON objects: one a line (JSON Lines), or a list of them.

    CoNLL04   {"tokens": ["Ann", "lives", "in", "Oslo"], "entities": [[0, 1, "Peop"], [3, 4, "Loc"]],
               "relations": [[0, 1, 3, 4, "Live_In"]]}                                          numbers of tokens
    spaCy     {"text": "Ann lives in Oslo", "ents": [{"start": 0, "end": 3, "label": "PERSON"}]}
              {"text": "Ann lives in Oslo", "entities": [[0, 3, "PERSON"]]}                     or under "spans"
    offsets   {"text": "Ann lives in Oslo",
               "entities": [{"type": "person", "start": 0, "end": 3}, {"type": "city", "start": 13, "end": 17}],
               "relations": [{"type": "lives in", "head": 0, "tail": 1}],
               "events": [{"type": "residence", "trigger": {"start": 4, "end": 9},
                           "arguments": [{"role": "resident", "start": 0, "end": 3}]}]}

Offsets count characters (code points) of the text from 0, `end` exclusive. In the last form each span may say its
`text`, which is then compared; `head` and `tail` are numbers of entities, their `id`, or spans of their own. Other keys
are left alone. Tokens of CoNLL04 are joined by one space.
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
from instructzoo.uie.data.readers.base import Sentence, joined, label, mention, sentence, span
from instructzoo.uie.schema import Annotation, Event, Mention, Relation

TOKENS_FORM = "tokens, entities [[first, end, type]] and relations [[first, end, first, end, type]]"
SPANS_FORM = '[start, end, label] or {"start": 0, "end": 3, "label": "person"}'
SPAN_KEYS = ("entities", "ents", "spans")


def objects(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(place, object) of a file; in a list that stands on one line the place also says which object."""
    if path.suffix.lower() != ".json":
        yield from read_jsonl(path)
    elif _begins(path) != "{":
        yield from ((f"{where}, object {number}", values) for number, (where, values) in enumerate(read(path), 1))
    elif (whole := _single(path)) is not None:
        yield str(path), whole
    else:
        yield from read_jsonl(path)


def _begins(path: Path) -> str:
    """The first character that is no space: PHEE's .json files are JSON Lines."""
    with path.open("rb") as file:
        return file.read(1000).decode("utf-8-sig", "ignore").lstrip()[:1]


def _single(path: Path) -> Mapping[str, Any] | None:
    """The one object that a file is, over several lines, as the demo saves it; none where each line is one."""
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def conll04(path: Path) -> Iterator[Sentence]:
    """Sentences of CoNLL04 as its public copies have it. Raises ZooError with the place of what is malformed."""
    for where, values in objects(path):
        tokens, entities, relations = (values.get(name) for name in ("tokens", "entities", "relations"))
        listed = all(isinstance(part, list) for part in (tokens, entities, relations))
        if not listed or not all(isinstance(token, str) and token for token in values["tokens"]):
            raise malformed(str(dict(values)), TOKENS_FORM, where)
        text, starts = joined(values["tokens"])
        ends = [start + len(token) for start, token in zip(starts, values["tokens"], strict=True)]
        found = []
        for entity in values["entities"]:
            *numbers, type = _numbers(entity, 2, where)
            found.append(mention(type, text, *_characters(numbers, starts, ends, where), where))
        related = []
        for relation in values["relations"]:
            *numbers, type = _numbers(relation, 4, where)
            head, tail = (span(text, *_characters(n, starts, ends, where), where) for n in (numbers[:2], numbers[2:]))
            related.append(Relation(label(type, where), head, tail))
        yield sentence(text, Annotation(tuple(found), tuple(related)), where)


def _numbers(values: Any, count: int, where: str) -> list[Any]:
    """[numbers..., label] of that many numbers."""
    listed = isinstance(values, list) and len(values) == count + 1
    if not listed or not all(type(value) is int for value in values[:count]):
        raise malformed(values, TOKENS_FORM, where)
    return list(values)


def _characters(numbers: Sequence[int], starts: Sequence[int], ends: Sequence[int], where: str) -> tuple[int, int]:
    first, end = numbers
    if not 0 <= first < end <= len(starts):
        raise ZooError(f"tokens {first} to {end}", f"0 <= first < end <= {len(starts)}", "mend the numbers", where)
    return starts[first], ends[end - 1]


def offsets(path: Path) -> Iterator[Sentence]:
    """Sentences of spaCy's and the general form. Raises ZooError with the place of what is malformed."""
    for where, values in objects(path):
        text = values.get("text")
        if not isinstance(text, str):
            raise malformed(str(dict(values)), 'an object with "text"', where)
        keys = [key for key in SPAN_KEYS if key in values]
        if len(keys) > 1:
            raise ZooError(f'both "{keys[0]}" and "{keys[1]}"', "one of them", "remove one", where)
        given = _listed(values, keys[0], where) if keys else []
        entities = [_entity(one, text, where) for one in given]
        relations = [_relation(one, text, given, entities, where) for one in _listed(values, "relations", where)]
        events = [_event(one, text, where) for one in _listed(values, "events", where)]
        yield sentence(text, Annotation(tuple(entities), tuple(relations), tuple(events)), where)


def _listed(values: Mapping[str, Any], key: str, where: str) -> list[Any]:
    found = values.get(key)
    if found is None:
        return []
    if not isinstance(found, list):
        raise malformed(found, f'a list under "{key}"', where)
    return found


def _entity(values: Any, text: str, where: str) -> Mention:
    if isinstance(values, list) and len(values) == 3:
        values = dict(zip(("start", "end", "label"), values, strict=True))
    if not isinstance(values, dict):
        raise malformed(values, SPANS_FORM, where)
    type = values.get("label", values.get("type"))
    return replace(_span(values, text, where), type=label(type, where))


def _span(values: Any, text: str, where: str) -> Mention:
    """A span of an object with start and end."""
    if not isinstance(values, dict):
        raise malformed(values, '{"start": 0, "end": 3}', where)
    start, end, said = values.get("start"), values.get("end"), values.get("text")
    if type(start) is not int or type(end) is not int or not isinstance(said, str | None):
        raise malformed(values, "whole numbers under start and end", where)
    return span(text, start, end, where, said)


def _relation(values: Any, text: str, given: list[Any], entities: list[Mention], where: str) -> Relation:
    form = '{"type": "lives in", "head": 0, "tail": 1}'
    if not isinstance(values, dict):
        raise malformed(values, form, where)
    ids = {str(one["id"]): place for place, one in enumerate(given) if isinstance(one, dict) and "id" in one}

    def side(name: str) -> Mention:
        value = values.get(name)
        if isinstance(value, dict):
            return _span(value, text, where)
        place = ids.get(str(value), value)
        if type(place) is not int or not 0 <= place < len(entities):
            raise ZooError(f'"{name}" is {value!r}', "an entity's number or id, or a span", f"such as {form}", where)
        return entities[place]

    return Relation(label(values.get("type", values.get("label")), where), side("head"), side("tail"))


def _event(values: Any, text: str, where: str) -> Event:
    if not isinstance(values, dict):
        raise malformed(values, '{"type": "attack", "trigger": {"start": 4, "end": 9}, "arguments": []}', where)
    found = []
    for one in _listed(values, "arguments", where):
        role = one.get("role", one.get("type")) if isinstance(one, dict) else None
        found.append(replace(_span(one, text, where), type=label(role, where)))
    return Event(label(values.get("type"), where), _span(values.get("trigger"), text, where), tuple(found))
