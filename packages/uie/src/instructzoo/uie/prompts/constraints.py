"""What an answer may be, for decoding held to it: labels from the options, spans from the text, in the task's form.

Written as answers.py writes them: bare where the span allows it, else quoted with escapes. The entities of et and the
pairs of epr are the given ones. Where the text has no word, only None is left. An entity or relation is not repeated
more often than its spans stand in the text; two events of one type may share words, so theirs may be.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from instructzoo.core.infer.grammar import Constraint, Grammar, Part, choice, either, literal, many, seq, span
from instructzoo.core.infer.no_repeat import NonRepeatingList
from instructzoo.core.record import Invalid
from instructzoo.uie.data.row_fields import given_of, labels_of, task_of
from instructzoo.uie.prompts import answer_format
from instructzoo.uie.prompts.answer_format import ESCAPES, NONE, fields, must_be_quoted, quoted, write_field
from instructzoo.uie.prompts.span_alignment import Finder
from instructzoo.uie.schema import EVENT_TASKS


def answers_to(row: Mapping[str, Any]) -> Constraint:
    """The grammar of a row's answers. Raises ZooError for a malformed question."""
    task, text = task_of(row), str(row.get("input") or "")
    body = either(literal(NONE), _body(task, row, words(text)))
    # the space is a token's own for causal models; sentencepiece swallows it
    grammar = Grammar(seq(choice(("", " ")), body))
    if task in EVENT_TASKS:
        return grammar
    finder = Finder(text)
    separator = ", " if task == "es" else "; "
    return NonRepeatingList(
        grammar, separator, lambda item: times(item, task, finder), lambda item: spellings(item, task)
    )


def times(item: str, task: str, finder: Finder) -> int:
    """How often an item of an answer can be true of the text: once for each place of its span, or pair of places."""
    return math.prod(finder.count(span) for _, spans in _items(item, task) for span in spans)


def spellings(item: str, task: str) -> Iterator[str]:
    """An item with each of its spans bare and in quotes."""
    for label, spans in _items(item, task):
        for written in itertools.product(*((bare, quoted(bare)) for bare in spans)):
            yield (f"{write_field(label)}: " if label else "") + ", ".join(written)


def _items(item: str, task: str) -> list[tuple[str, tuple[str, ...]]]:
    """The label and the spans of an item as it is read; none where it is None."""
    found = answer_format.read(item, task)
    if isinstance(found, Invalid):
        return []
    return [(m.type, (m.text,)) for m in found.entities] + [
        (r.type, (r.head.text, r.tail.text)) for r in found.relations
    ]


def words(text: str) -> Part:
    """A span of the text, bare or quoted. Quotes are open only where something in the text needs them."""
    awkward = sorted({character for character in text if must_be_quoted(character)})
    bare = span(text, dict.fromkeys(awkward))
    if not awkward and NONE not in text:
        return bare
    return either(bare, seq(literal('"'), span(text, ESCAPES), literal('"')))


def _body(task: str, row: Mapping[str, Any], found: Part) -> Part:
    labels = labels_of(row)
    label = _label(labels.types)
    if task in ("ner", "eet", "eea"):
        return many(_pair(label, found), "; ")
    if task == "es":
        return many(found, ", ")
    if task == "ep":
        return many(seq(found, literal(", "), found), "; ")
    if task == "re":
        return many(_pair(label, seq(found, literal(", "), found)), "; ")
    if task == "et":
        return many(_pair(label, choice(map(write_field, given_of(row)))), "; ")
    if task == "epr":
        return many(_pair(label, choice(map(fields, given_of(row)))), "; ")
    event, arguments = _pair(label, found), many(_pair(_label(labels.roles), found), ", ")
    return many(seq(literal("( "), event, either(literal(")"), seq(literal(", "), arguments, literal(")")))), ", ")


def _label(labels: Iterable[str]) -> Part:
    return choice(map(write_field, labels))


def _pair(label: Part, content: Part) -> Part:
    return seq(label, literal(": "), content)
