"""The grammar of a question's answers, for constrained decoding: labels on offer, spans of the text, the task's format.

Fields are written as in answer_format.py: bare where the span allows it, else in quotes with escapes. The entities of
et and the pairs of epr are those that the question gives. Where the text has no word, the only answer is None. An
entity or relation is repeated at most as often as its spans occur in the text. Events may repeat: two events of one
type may share their words.
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
from instructzoo.uie.prompts.answer_format import (
    ESCAPES,
    NONE,
    format_field,
    format_fields,
    has_special_characters,
    quote,
)
from instructzoo.uie.prompts.span_alignment import SpanFinder
from instructzoo.uie.schema import EVENT_TASKS


def answer_grammar(row: Mapping[str, Any]) -> Constraint:
    """Build the grammar of a row's answers.

    Args:
        row: A question.

    Returns:
        The grammar; for tasks without events one that also limits how often an element is repeated.

    Raises:
        ZooError: For a malformed question.
    """
    task, text = task_of(row), str(row.get("input") or "")
    body = either(literal(NONE), _elements(task, row, text_span(text)))
    # for causal models the space is part of the first token; sentencepiece drops it
    grammar = Grammar(seq(choice(("", " ")), body))
    if task in EVENT_TASKS:
        return grammar
    finder = SpanFinder(text)
    separator = ", " if task == "es" else "; "
    return NonRepeatingList(
        grammar,
        separator,
        lambda element: max_occurrences(element, task, finder),
        lambda element: spellings(element, task),
    )


def max_occurrences(element: str, task: str, finder: SpanFinder) -> int:
    """How often an element of an answer can be true of the text: once per occurrence of its span, or pair of them."""
    return math.prod(finder.count(span) for _, spans in _fields(element, task) for span in spans)


def spellings(element: str, task: str) -> Iterator[str]:
    """An element with each of its spans bare and in quotes.

    Args:
        element: An element of an answer, as the model writes it.
        task: The task that was asked.

    Yields:
        The spellings; none for an element that cannot be parsed.
    """
    for label, spans in _fields(element, task):
        for written in itertools.product(*((bare, quote(bare)) for bare in spans)):
            yield (f"{format_field(label)}: " if label else "") + ", ".join(written)


def _fields(element: str, task: str) -> list[tuple[str, tuple[str, ...]]]:
    """Label and spans of an element that was written; nothing where it is None."""
    annotation = answer_format.parse_answer(element, task)
    if isinstance(annotation, Invalid):
        return []
    return [(m.type, (m.text,)) for m in annotation.entities] + [
        (r.type, (r.head.text, r.tail.text)) for r in annotation.relations
    ]


def text_span(text: str) -> Part:
    """A span of the text, bare or in quotes. Quotes are allowed only where something in the text needs them."""
    special = sorted({character for character in text if has_special_characters(character)})
    bare = span(text, dict.fromkeys(special))
    if not special and NONE not in text:
        return bare
    return either(bare, seq(literal('"'), span(text, ESCAPES), literal('"')))


def _elements(task: str, row: Mapping[str, Any], text_span: Part) -> Part:
    """The list of elements in the format of the task."""
    labels = labels_of(row)
    label = _one_of(labels.types)
    if task in ("ner", "eet", "eea"):
        return many(_pair(label, text_span), "; ")
    if task == "es":
        return many(text_span, ", ")
    if task == "ep":
        return many(seq(text_span, literal(", "), text_span), "; ")
    if task == "re":
        return many(_pair(label, seq(text_span, literal(", "), text_span)), "; ")
    if task == "et":
        return many(_pair(label, choice(map(format_field, given_of(row)))), "; ")
    if task == "epr":
        return many(_pair(label, choice(map(format_fields, given_of(row)))), "; ")
    event, arguments = _pair(label, text_span), many(_pair(_one_of(labels.roles), text_span), ", ")
    return many(seq(literal("( "), event, either(literal(")"), seq(literal(", "), arguments, literal(")")))), ", ")


def _one_of(labels: Iterable[str]) -> Part:
    return choice(map(format_field, labels))


def _pair(label: Part, content: Part) -> Part:
    return seq(label, literal(": "), content)
