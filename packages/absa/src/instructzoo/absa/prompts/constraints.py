"""The grammar of answers for constrained decoding: spans of the review, the categories on offer, three sentiments.

Where no categories are known (label_set.py), any in the right form is allowed. A span is written bare, or quoted where
something in the review could require quotes (answer_format.py). The template's own words separate elements: a bare span
never contains " is " or " means ", and no category in free form contains these words.
"""

from __future__ import annotations

import json
import re
import string
from collections.abc import Collection, Sequence
from functools import cache

from instructzoo.absa.prompts import answer_format
from instructzoo.absa.prompts.answer_format import IMPLICIT, NOTHING, SENTIMENT_WORDS, SEPARATOR
from instructzoo.core.infer.grammar import Grammar, Part, choice, either, literal, many, seq, span

DOMAINS = ("restaurant", "laptop", "hotel")
TEMPLATE_WORDS = ("is", "means")
_MARKS = tuple(mark.strip() for mark in answer_format.TEMPLATE_MARKS)
_WHOLE_MARK = re.compile(rf"(?:(?<= )|^)(?:{'|'.join(TEMPLATE_WORDS)})(?= |$)|\[SSEP\]|\"")
"""What no bare span contains: it would end the span for the parser."""

_LETTERS = f"{string.ascii_lowercase}&"


def answer_grammar(
    sentence: str, task: str, domains: Sequence[str] | None, categories: Sequence[str] | None
) -> Grammar:
    """The grammar of all answers to a task's question on one review.

    Args:
        sentence: the review, from which spans are taken.
        task: one of TASKS.
        domains: those that aste answers may name; None allows any of DOMAINS.
        categories: those on offer; None allows any.

    Returns:
        The grammar, which accepts a leading space too.
    """
    tuples = many(_tuple(sentence, task, domains or DOMAINS, categories), SEPARATOR)
    # a causal model may write a leading space of its own; an encoder-decoder writes none
    return Grammar(seq(choice(("", " ")), either(literal(NOTHING), tuples)))


def _tuple(sentence: str, task: str, domains: Sequence[str], categories: Sequence[str] | None) -> Part:
    review_span = _review_span(sentence)
    aspect = either(review_span, literal(IMPLICIT["aspect"]))
    if task == "ae":
        return aspect
    sentiment = choice(SENTIMENT_WORDS.values())
    if task == "aesc":
        return seq(aspect, literal(" is "), sentiment)
    if task == "tasd":  # the answer names the sentiment twice; both must agree
        category = _category(categories)
        meanings = [seq(literal(f"{word} means "), category, literal(f" {word}")) for word in SENTIMENT_WORDS.values()]
        return seq(aspect, literal(" is "), either(*meanings))
    meaning = _category(categories) if task == "asqp" else choice(f"{name} is" for name in domains)
    opinion = either(review_span, literal(IMPLICIT["opinion"]))
    return seq(aspect, literal(" is "), opinion, literal(" means "), meaning, literal(" "), sentiment)


def _review_span(sentence: str) -> Part:
    """A span of the review, built once and used for aspects and opinions."""
    escaped = {c: written for c in set(sentence) if (written := json.dumps(c, ensure_ascii=False)[1:-1]) != c}
    never_bare: dict[str, str | None] = dict.fromkeys({*escaped, *(c for c in sentence if not c.isprintable())})
    bare = either(*(span(piece, never_bare) for piece in _WHOLE_MARK.split(sentence)))
    if never_bare or "  " in sentence or {*_MARKS, *IMPLICIT.values(), NOTHING} & {*sentence.split()}:
        return either(bare, seq(literal('"'), span(sentence, escaped), literal('"')))
    return bare


def _category(categories: Sequence[str] | None) -> Part:
    """A category's phrase with its verb, as answer_format writes it."""
    return _any_category() if categories is None else choice(map(answer_format.write_category, categories))


@cache
def _any_category() -> Part:
    """An entity in lower-case words and one attribute, or any name in quotes."""
    phrase = seq(many(_other_word(TEMPLATE_WORDS), " "), literal(" "), choice(answer_format.ATTRIBUTES.values()))
    # Latin-1 only, since each character costs a node of the grammar
    plain_characters = [c for c in map(chr, range(32, 256)) if c.isprintable() and c not in '"\\']
    return either(phrase, seq(literal('"'), many(choice([*plain_characters, '\\"', "\\\\"]), ""), literal('" is')))


def _other_word(words: Collection[str]) -> Part:
    """Any lower-case word but these: it leaves each of them before its end, goes on after it, or ends too early."""
    any_letters = many(choice(_LETTERS), "")
    starts = {word[:length] for word in words for length in range(len(max(words, key=len)) + 1)}
    parts = []
    for start in sorted(starts):
        going_on = {
            candidate[len(start)]
            for candidate in starts
            if len(candidate) == len(start) + 1 and candidate.startswith(start)
        }
        leaving = seq(literal(start), choice(letter for letter in _LETTERS if letter not in going_on))
        parts += [leaving, seq(leaving, any_letters)]
        if start and start not in words:
            parts.append(literal(start))
    return either(*parts)
