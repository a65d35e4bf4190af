"""The grammars that answers are constrained to."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import Any

from instructzoo.core.infer.grammar import Constraint, Grammar, Part, choice, either, literal, many, seq, span
from instructzoo.dialogue.data.field_format import split_fields
from instructzoo.dialogue.data.row_fields import options_of, task_of, values_of, written_options
from instructzoo.dialogue.prompts.answer_format import ESCAPES, NONE, NOT_PLAIN, format_value
from instructzoo.dialogue.tasks import NOT_PRESENT


def answer_grammar(row: Mapping[str, Any]) -> Constraint | None:
    """The grammar of the answers to a row; None for free text.

    Args:
        row: A question.

    Returns:
        One of the options, or of their labels; words of the last field, or NOT_PRESENT; or pairs of a slot on offer and
        words of the last field or a value on offer, or NONE. Without slots on offer, any slot is: no grammar.

    Raises:
        ZooError: For a malformed question.
    """
    task, options = task_of(row), options_of(row)
    if task.answer == "option":
        return Grammar(choice(written_options(row)))
    if task.answer == "span":
        return Grammar(either(span(_last_field(row)), choice([NOT_PRESENT, *chain(*values_of(row).values())])))
    if task.answer != "slots" or not options:
        return None
    values = values_of(row)
    text = _last_field(row)
    plain, quoted = span(text, dict.fromkeys(NOT_PLAIN)), span(text, ESCAPES)
    words = either(plain, seq(literal('"'), quoted, literal('"')))
    pairs: list[Part] = []
    for slot in options:
        value = either(words, choice([format_value(v) for v in values.get(slot, ())]))
        pairs.append(seq(literal(f"{slot}: "), value))
    return Grammar(either(literal(NONE), many(either(*pairs), "; ")))


def _last_field(row: Mapping[str, Any]) -> str:
    return split_fields(row.get("input") or "")[-1][1]
