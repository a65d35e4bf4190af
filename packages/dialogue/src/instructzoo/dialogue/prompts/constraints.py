"""The grammars that answers are constrained to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from instructzoo.core.infer.grammar import Constraint, Grammar, Part, choice, either, literal, many, seq, span
from instructzoo.dialogue.data.row_fields import options_of, task_of, values_of
from instructzoo.dialogue.prompts.answer_format import NONE, format_value


def answer_grammar(row: Mapping[str, Any]) -> Constraint | None:
    """The grammar of the answers to a row; None for free text.

    Args:
        row: A question.

    Returns:
        One of the options; or pairs of a slot on offer and a span of the dialogue or a value on offer, or NONE.

    Raises:
        ZooError: For a malformed question.
    """
    task, options = task_of(row), options_of(row)
    if task.answer == "option" and options:
        return Grammar(choice(options))
    if task.answer != "slots":
        return None
    values = values_of(row)
    words = span(row.get("input") or "", {";": None, '"': None, "\n": None})
    pairs: list[Part] = []
    for slot in options:
        value = either(words, choice([format_value(v) for v in values.get(slot, ())]))
        pairs.append(seq(literal(f"{slot}: "), value))
    return Grammar(either(literal(NONE), many(either(*pairs), "; ")))
