"""What an answer may be, for decoding held to it: spans from the review, one of three sentiments, in the task's form.

Categories are held to their form alone, since a row does not say which ones its set knows. A span is written bare, or
in quotes where something in the review could need them (phrases.py).
"""

from __future__ import annotations

import json
import string
from functools import cache

from instructzoo.absa.prompts import answer_format
from instructzoo.absa.prompts.answer_format import IMPLICIT, NOTHING, SENTIMENT_WORDS, SEPARATOR
from instructzoo.core.infer.grammar import Grammar, Part, choice, either, literal, many, seq, span

DOMAINS = ("restaurant", "laptop", "hotel")
_MARKS = tuple(mark.strip() for mark in answer_format.BREAKS)


def answers_to(sentence: str, task: str, domain: str) -> Grammar:
    """The grammar of the answers to a task's question on a review. domain: the row's, for aste; "": any of DOMAINS."""
    # the space is a token's own for causal models; an encoder-decoder has none
    return Grammar(seq(choice(("", " ")), either(literal(NOTHING), many(_tuple(sentence, task, domain), SEPARATOR))))


def _tuple(sentence: str, task: str, domain: str) -> Part:
    words = _words(sentence)
    aspect = either(words, literal(IMPLICIT["aspect"]))
    if task == "ae":
        return aspect
    sentiment = choice(SENTIMENT_WORDS.values())
    if task == "aesc":
        return seq(aspect, literal(" is "), sentiment)
    if task == "tasd":  # says the sentiment twice, and both alike
        said = [seq(literal(f"{word} means "), _category(), literal(f" {word}")) for word in SENTIMENT_WORDS.values()]
        return seq(aspect, literal(" is "), either(*said))
    meaning = _category() if task == "asqp" else choice(f"{one} is" for one in ([domain] if domain else DOMAINS))
    opinion = either(words, literal(IMPLICIT["opinion"]))
    return seq(aspect, literal(" is "), opinion, literal(" means "), meaning, literal(" "), sentiment)


def _words(sentence: str) -> Part:
    """A piece of the review. Where it ends and begins is found once, for aspects and opinions."""
    escaped = {c: written for c in set(sentence) if (written := json.dumps(c, ensure_ascii=False)[1:-1]) != c}
    never_bare: dict[str, str | None] = dict.fromkeys({*escaped, *(c for c in sentence if not c.isprintable())})
    bare = span(sentence, never_bare)
    if never_bare or "  " in sentence or {*_MARKS, *IMPLICIT.values(), NOTHING} & {*sentence.split()}:
        return either(bare, seq(literal('"'), span(sentence, escaped), literal('"')))
    return bare


@cache
def _category() -> Part:
    """A category's phrase with its verb: an entity of small words and one of the attributes, or any name in quotes."""
    word = many(choice(f"{string.ascii_lowercase}&"), "")
    phrase = seq(many(word, " "), literal(" "), choice(answer_format.ATTRIBUTES.values()))
    plain = [c for c in map(chr, range(32, 256)) if c.isprintable() and c not in '"\\']  # Latin-1; each costs a node
    return either(phrase, seq(literal('"'), many(choice([*plain, '\\"', "\\\\"]), ""), literal('" is')))
