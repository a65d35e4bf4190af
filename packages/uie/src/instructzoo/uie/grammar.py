"""What an answer may be, for decoding held to it: labels from the options, spans from the text, in the task's form.

Written as answers.py writes them: bare where the span allows it, else quoted with escapes. The entities of et and the
pairs of epr are the given ones. Where the text has no word, only None is left.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from instructzoo.core.infer.grammar import Grammar, Part, choice, either, literal, many, seq, span
from instructzoo.uie.answers import ESCAPES, NONE, fields, must_be_quoted, write_field
from instructzoo.uie.questions import given_of, labels_of, task_of


def answers_to(row: Mapping[str, Any]) -> Grammar:
    """The grammar of a row's answers. Raises ZooError for a malformed question."""
    task, text = task_of(row), str(row.get("input") or "")
    body = either(literal(NONE), _body(task, row, words(text)))
    # the space is a token's own for causal models; sentencepiece swallows it
    return Grammar(seq(choice(("", " ")), body))


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
