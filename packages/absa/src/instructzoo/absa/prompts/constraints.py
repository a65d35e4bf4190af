"""The grammar of answers for constrained decoding: spans of the review and the three sentiments, in the task's form.

Any category in the right form is allowed, since a row does not say which categories its data set uses. A span is
written bare, or quoted where something in the review could require quotes (answer_format.py).
"""

from __future__ import annotations

import json
import string
from functools import cache

from instructzoo.absa.prompts import answer_format
from instructzoo.absa.prompts.answer_format import IMPLICIT, NOTHING, SENTIMENT_WORDS, SEPARATOR
from instructzoo.core.infer.grammar import Grammar, Part, choice, either, literal, many, seq, span

DOMAINS = ("restaurant", "laptop", "hotel")
_MARKS = tuple(mark.strip() for mark in answer_format.TEMPLATE_MARKS)


def answer_grammar(sentence: str, task: str, domain: str) -> Grammar:
    """The grammar of all answers to a task's question on one review.

    Args:
        sentence: the review, from which spans are taken.
        task: one of TASKS.
        domain: the row's domain, which aste answers contain; "" allows any of DOMAINS.

    Returns:
        The grammar, which accepts a leading space too.
    """
    tuples = many(_tuple(sentence, task, domain), SEPARATOR)
    # a causal model may write a leading space of its own; an encoder-decoder writes none
    return Grammar(seq(choice(("", " ")), either(literal(NOTHING), tuples)))


def _tuple(sentence: str, task: str, domain: str) -> Part:
    review_span = _review_span(sentence)
    aspect = either(review_span, literal(IMPLICIT["aspect"]))
    if task == "ae":
        return aspect
    sentiment = choice(SENTIMENT_WORDS.values())
    if task == "aesc":
        return seq(aspect, literal(" is "), sentiment)
    if task == "tasd":  # the answer names the sentiment twice; both must agree
        meanings = [
            seq(literal(f"{word} means "), _category(), literal(f" {word}")) for word in SENTIMENT_WORDS.values()
        ]
        return seq(aspect, literal(" is "), either(*meanings))
    meaning = _category() if task == "asqp" else choice(f"{name} is" for name in ([domain] if domain else DOMAINS))
    opinion = either(review_span, literal(IMPLICIT["opinion"]))
    return seq(aspect, literal(" is "), opinion, literal(" means "), meaning, literal(" "), sentiment)


def _review_span(sentence: str) -> Part:
    """A span of the review, built once and used for aspects and opinions."""
    escaped = {c: written for c in set(sentence) if (written := json.dumps(c, ensure_ascii=False)[1:-1]) != c}
    never_bare: dict[str, str | None] = dict.fromkeys({*escaped, *(c for c in sentence if not c.isprintable())})
    bare = span(sentence, never_bare)
    if never_bare or "  " in sentence or {*_MARKS, *IMPLICIT.values(), NOTHING} & {*sentence.split()}:
        return either(bare, seq(literal('"'), span(sentence, escaped), literal('"')))
    return bare


@cache
def _category() -> Part:
    """A category's phrase with its verb: an entity in lower-case words and one attribute, or any name in quotes."""
    word = many(choice(f"{string.ascii_lowercase}&"), "")
    phrase = seq(many(word, " "), literal(" "), choice(answer_format.ATTRIBUTES.values()))
    # Latin-1 only, since each character costs a node of the grammar
    plain_characters = [c for c in map(chr, range(32, 256)) if c.isprintable() and c not in '"\\']
    return either(phrase, seq(literal('"'), many(choice([*plain_characters, '\\"', "\\\\"]), ""), literal('" is')))
