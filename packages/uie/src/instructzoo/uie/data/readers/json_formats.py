"""Readers of JSON objects, one a line (JSON Lines) or in a list.

    CoNLL04   {"tokens": ["Ann", "lives", "in", "Oslo"], "entities": [[0, 1, "Peop"], [3, 4, "Loc"]],
               "relations": [[0, 1, 3, 4, "Live_In"]]}                                          token indices
    spaCy     {"text": "Ann lives in Oslo", "ents": [{"start": 0, "end": 3, "label": "PERSON"}]}
              {"text": "Ann lives in Oslo", "entities": [[0, 3, "PERSON"]]}                     or under "spans"
    tags      {"tokens": ["Ann", "lives", "in", "Oslo"], "ner_tags": ["B-PER", "O", "O", "B-LOC"]}
    offsets   {"text": "Ann lives in Oslo",
               "entities": [{"type": "person", "start": 0, "end": 3}, {"type": "city", "start": 13, "end": 17}],
               "relations": [{"type": "lives in", "head": 0, "tail": 1}],
               "events": [{"type": "residence", "trigger": {"start": 4, "end": 9},
                           "arguments": [{"role": "resident", "start": 0, "end": 3}]}]}

Offsets count characters (code points) of the text from 0, `end` is exclusive (offset_units.py has the exceptions). In
the last form each span may state its `text`, which is then compared; `head` and `tail` are indices of entities, their
`id`, or spans of their own. Other keys are ignored. Tokens are joined by single spaces. An empty list says that there
is nothing; a text without any of the keys is not annotated and left out, and one with some is asked about those only.
annotation_tools.py describes the exports of Prodigy, doccano and Label Studio.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from instructzoo.core.data.json_objects import objects
from instructzoo.core.data.line_files import LeftOut, malformed
from instructzoo.core.errors import ZooError
from instructzoo.uie.data.readers.annotation_tools import from_label_studio, general_form, label_studio_text
from instructzoo.uie.data.readers.base import (
    LAYERS,
    UNANNOTATED,
    Sentence,
    annotated,
    checked_label,
    join_tokens,
    make_mention,
    make_sentence,
    make_span,
)
from instructzoo.uie.data.readers.line_formats import TAG, TAGS_FORM, tagged_sentence
from instructzoo.uie.data.readers.offset_units import SpanReader, read_rows
from instructzoo.uie.schema import Annotation, Event, Mention, Relation

TOKENS_FORM = "tokens, entities [[first, end, type]] and relations [[first, end, first, end, type]]"
SPANS_FORM = '[start, end, label] or {"start": 0, "end": 3, "label": "person"}'
TAG_KEYS = ("ner_tags", "tags", "labels")


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


def read_tags(path: Path) -> Iterator[Sentence]:
    """Sentences of objects with tokens and their tags. Raises ZooError with file:line for malformed objects."""
    return annotated((_tags_row(values, where) for where, values in objects(path)), path)


def _tags_row(values: Mapping[str, Any], where: str) -> Sentence | LeftOut:
    tokens = values.get("tokens")
    tags = next((values[key] for key in TAG_KEYS if values.get(key) is not None), None)
    if tags is None:
        return LeftOut(where, UNANNOTATED)
    if not isinstance(tokens, list) or not tokens or not all(isinstance(token, str) and token for token in tokens):
        raise malformed(tokens, 'a list of words under "tokens"', where)
    if not isinstance(tags, list) or not all(isinstance(tag, str) and TAG.fullmatch(tag) for tag in tags):
        raise malformed(tags, f"names of tags ({TAGS_FORM}), not their numbers", where)
    if len(tags) != len(tokens):
        raise ZooError(f"{len(tags)} tags of {len(tokens)} tokens", "a tag for each token", "correct the row", where)
    return tagged_sentence(tokens, tags, where)


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
    """Sentences of the general format and of spaCy's, Prodigy's and doccano's. Raises ZooError with file:line for
    malformed objects, and where no row is annotated."""
    return annotated(read_rows(list(objects(path)), _text_of, _offsets_row), path)


def read_label_studio(path: Path) -> Iterator[Sentence]:
    """Sentences of tasks of Label Studio. Raises ZooError as `read_offsets` does."""
    return annotated(read_rows(list(objects(path)), label_studio_text, _label_studio_row), path)


def _text_of(values: Mapping[str, Any]) -> str:
    text = values.get("text")
    return text if isinstance(text, str) else ""


def _offsets_row(values: Mapping[str, Any], spans: SpanReader) -> Sentence | LeftOut:
    if not isinstance(values.get("text"), str):
        raise malformed(str(dict(values)), 'an object with "text"', spans.where)
    form = general_form(values, spans.where)
    return form if isinstance(form, LeftOut) else _sentence(*form, spans)


def _label_studio_row(values: Mapping[str, Any], spans: SpanReader) -> Sentence | LeftOut:
    form = from_label_studio(values, spans.where)
    return form if isinstance(form, LeftOut) else _sentence(*form, spans)


def _sentence(values: Mapping[str, Any], remarks: Sequence[str], spans: SpanReader) -> Sentence:
    """The sentence of an object in the general form."""
    raw_entities = _list_of(values, "entities", spans.where)
    mentions = [_mentions(raw, spans) for raw in raw_entities]
    relations = [_relation(raw, raw_entities, mentions, spans) for raw in _list_of(values, "relations", spans.where)]
    events = [_event(raw, spans) for raw in _list_of(values, "events", spans.where)]
    entities = tuple(mention for of_span in mentions for mention in of_span)
    layers = [layer for layer in LAYERS if layer in values]
    return make_sentence(
        spans.text, Annotation(entities, tuple(relations), tuple(events)), spans.where, remarks, layers
    )


def _list_of(values: Mapping[str, Any], key: str, where: str) -> list[Any]:
    """The list under a key; empty where the key is missing. Raises ZooError for anything but a list."""
    value = values.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        raise malformed(value, f'a list under "{key}"', where)
    return value


def _mentions(values: Any, spans: SpanReader) -> list[Mention]:
    """The mentions of a span, one for each of its labels; none for a span that its annotator rejected (None)."""
    if values is None:
        return []
    if isinstance(values, list) and len(values) == 3:
        values = dict(zip(("start", "end", "label"), values, strict=True))
    if not isinstance(values, dict):
        raise malformed(values, SPANS_FORM, spans.where)
    labels = values.get("labels")
    if not isinstance(labels, list) or "label" in values or "type" in values:
        labels = [values.get("label", values.get("type"))]
    mention = _span(values, spans)
    return [replace(mention, type=checked_label(label, spans.where)) for label in labels]


def _span(values: Any, spans: SpanReader) -> Mention:
    """The span of an object with `start` and `end`, and `text` where it states one."""
    if not isinstance(values, dict):
        raise malformed(values, '{"start": 0, "end": 3}', spans.where)
    start, end = (values.get(key, values.get(f"{key}_offset")) for key in ("start", "end"))
    stated_text = values.get("text")
    if type(start) is not int or type(end) is not int or not isinstance(stated_text, str | None):
        raise malformed(values, "whole numbers under start and end", spans.where)
    return spans.span(start, end, stated_text)


def _relation(
    values: Any, raw_entities: Sequence[Any], mentions: Sequence[Sequence[Mention]], spans: SpanReader
) -> Relation:
    form = '{"type": "lives in", "head": 0, "tail": 1}'
    if not isinstance(values, dict):
        raise malformed(values, form, spans.where)
    index_by_id = {str(raw["id"]): i for i, raw in enumerate(raw_entities) if isinstance(raw, dict) and "id" in raw}

    def side(name: str, other_name: str) -> Mention:
        value = values.get(name, values.get(other_name))
        if isinstance(value, dict):
            return _span(value, spans)
        index = index_by_id.get(str(value), value)
        if (
            isinstance(index, bool)
            or not isinstance(index, int)
            or not 0 <= index < len(mentions)
            or not mentions[index]
        ):
            found, expected = f'"{name}" is {value!r}', "an entity's number or id, or a span"
            raise ZooError(found, expected, f"such as {form}", spans.where)
        return mentions[index][0]

    type_name = checked_label(values.get("type", values.get("label")), spans.where)
    return Relation(type_name, side("head", "from_id"), side("tail", "to_id"))


def _event(values: Any, spans: SpanReader) -> Event:
    if not isinstance(values, dict):
        raise malformed(values, '{"type": "attack", "trigger": {"start": 4, "end": 9}, "arguments": []}', spans.where)
    arguments = []
    for raw in _list_of(values, "arguments", spans.where):
        role = raw.get("role", raw.get("type")) if isinstance(raw, dict) else None
        arguments.append(replace(_span(raw, spans), type=checked_label(role, spans.where)))
    type_name = checked_label(values.get("type"), spans.where)
    return Event(type_name, _span(values.get("trigger"), spans), tuple(arguments))
