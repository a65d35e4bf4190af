"""One review of the microworld: clauses drawn and joined, with the places of every aspect and opinion in the text."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from random import Random
from typing import NamedTuple

from instructzoo.absa.schema import Quad
from instructzoo.absa.world import clause_templates
from instructzoo.absa.world.lexicon import TOPICS, Opinions, Topic

_FIELD = re.compile(r"\{(\w+)\}")
_BEFORE_MARKS = re.compile(r" (?=[,.;:!])")
_VERBS = {"was": ("was", "were"), "is": ("is", "are")}
_KINDRED = 0.3
"""Share of terms that get a kind before them, where their topic has kinds."""


class Tie(NamedTuple):
    """A quadruple by the fields of its clause; None: implicit."""

    aspect: str | None
    category: str
    opinion: str | None
    sentiment: str


@dataclass
class Clause:
    template: str
    fields: dict[str, str] = field(default_factory=dict)
    ties: tuple[Tie, ...] = ()
    plural: bool = False


@dataclass(frozen=True)
class Style:
    """spaced: "good ." as the corpora write it, else "good."; cased: sentences begin with a capital."""

    spaced: bool
    cased: bool


@dataclass
class Draft:
    """A text under way. places: what stands where, as (begin, end), of every quadruple."""

    text: str = ""
    quads: list[tuple[tuple[int, int] | None, str, tuple[int, int] | None, str]] = field(default_factory=list)


def draw(rng: Random, domain: str, tuples: int, implicit: float, quiet: float) -> tuple[str, list[Quad]]:
    """A review of at most `tuples` opinions and its quadruples, in the order of the text.

    implicit, quiet: shares of clauses whose aspect or opinion is implied, and of those without an opinion.
    """
    style = Style(rng.random() < 0.5, rng.random() < 0.6)
    wanted = rng.choices(range(1, tuples + 1), [1 / n for n in range(1, tuples + 1)])[0]
    draft, seen, fresh = Draft(), set[tuple[str | None, str]](), True
    _append(draft, "", Clause(rng.choice(clause_templates.OPENINGS)), style, rng, fresh)
    fresh = not draft.text
    for _ in range(2 * tuples):
        clause = _clause(rng, domain, implicit, quiet)
        keys = {(clause.fields.get(tie.aspect or ""), tie.category) for tie in clause.ties}
        if keys & seen or len(draft.quads) + len(clause.ties) > tuples:
            continue
        seen |= keys
        joint = "" if not draft.text or draft.text.endswith(" ") else rng.choice(clause_templates.JOINTS)
        _append(draft, joint, clause, style, rng, fresh or "." in joint)
        fresh = False
        if len(draft.quads) >= wanted or (not draft.quads and rng.random() < 0.3):
            break
    draft.text += _styled(rng.choice(clause_templates.ENDS), style)
    text = draft.text
    return text, [
        Quad(_span(text, a), category, _span(text, o), sentiment) for a, category, o, sentiment in draft.quads
    ]


def _span(text: str, place: tuple[int, int] | None) -> str | None:
    return None if place is None else text[slice(*place)]


def _append(draft: Draft, joint: str, clause: Clause, style: Style, rng: Random, fresh: bool) -> None:
    """Write joint and clause at the end of the draft. fresh: the clause begins a sentence."""
    draft.text += _styled(joint, style)
    places, begin = {}, len(draft.text)
    pieces = _FIELD.split(_styled(clause.template, style))
    for literal, name in zip(pieces[::2], [*pieces[1::2], ""], strict=True):
        value = _value(name, clause, rng) if name else ""
        draft.text += literal
        places[name] = (len(draft.text), len(draft.text) + len(value))
        draft.text += value
    if fresh:
        draft.text = draft.text[:begin] + _capital(draft.text[begin:], style.cased)
    for aspect, category, opinion, sentiment in clause.ties:
        spans = places[aspect] if aspect else None, places[opinion] if opinion else None
        draft.quads.append((spans[0], category, spans[1], sentiment))


def _value(name: str, clause: Clause, rng: Random) -> str:
    if name in clause.fields:
        return clause.fields[name]
    if name in _VERBS:
        return _VERBS[name][clause.plural]
    if name == "very":
        return rng.choice(clause_templates.ADVERBS) if " " not in clause.fields["o"] else ""
    return rng.choice(clause_templates.FILLERS[name])


@cache
def _styled(text: str, style: Style) -> str:
    text = text if style.spaced else _BEFORE_MARKS.sub("", text)
    return re.sub(r"\bi\b", "I", text) if style.cased else text


def _capital(text: str, cased: bool) -> str:
    return text[:1].upper() + text[1:] if cased else text


def _clause(rng: Random, domain: str, implicit: float, quiet: float) -> Clause:
    place = rng.random()
    if place < quiet:
        topics = rng.choices(TOPICS[domain], k=2)
        a, b = (_term(rng, topic)[0] for topic in topics)
        return Clause(rng.choice(clause_templates.NO_OPINION[domain]), {"a": a, "b": b})
    if place < quiet + implicit:
        return rng.choice((_implicit_aspect, _implicit_opinion, _implicit_opinion, _implicit_both))(rng, domain)
    topic = rng.choice(TOPICS[domain] + (TOPICS[domain][0],) * 2)
    make = rng.choices((_predicate, _attributive, _negated, _verb, _two_opinions), (7, 5, 2, 2, 2))[0]
    return _two_aspects(rng, domain) if rng.random() < 0.12 else make(rng, topic)


def _term(rng: Random, topic: Topic) -> tuple[str, bool]:
    """A term of the topic, and whether it is a plural."""
    term = rng.choice(topic.terms)
    kind = f"{rng.choice(topic.kinds)} " if topic.kinds and rng.random() < _KINDRED else ""
    return kind + term.rstrip("*"), term.endswith("*")


def _judged(
    rng: Random, topic: Topic, single: bool = False, attribute: str = "", sentiment: str = ""
) -> tuple[str, str, str]:
    """(opinion, category, sentiment). single: of one word, as stands before a noun."""
    sentiment = sentiment or rng.choices(("positive", "negative", "neutral"), (5, 4, 1))[0]
    allowed = (attribute,) if attribute else tuple(topic.attributes)
    fit = [name for name in allowed if _said(topic.attributes[name], sentiment, single)]
    if not fit:  # neutral words are rare
        return _judged(rng, topic, single, attribute, "positive")
    name = rng.choices(fit, [3 if name == topic.main else 1 for name in fit])[0]
    return rng.choice(_said(topic.attributes[name], sentiment, single)), f"{topic.entity}#{name}", sentiment


@cache
def _said(opinions: Opinions, sentiment: str, single: bool) -> tuple[str, ...]:
    every = {"positive": opinions.positive, "negative": opinions.negative, "neutral": opinions.neutral}[sentiment]
    return tuple(words for words in every if not single or " " not in words)


def _predicate(rng: Random, topic: Topic) -> Clause:
    (a, plural), (o, category, sentiment) = _term(rng, topic), _judged(rng, topic)
    return Clause(
        rng.choice(clause_templates.PREDICATE), {"a": a, "o": o}, (Tie("a", category, "o", sentiment),), plural
    )


def _attributive(rng: Random, topic: Topic) -> Clause:
    (a, plural), (o, category, sentiment) = _term(rng, topic), _judged(rng, topic, single=True)
    return Clause(
        rng.choice(clause_templates.ATTRIBUTIVE), {"a": a, "o": o}, (Tie("a", category, "o", sentiment),), plural
    )


def _negated(rng: Random, topic: Topic) -> Clause:
    template, form = rng.choice(clause_templates.NEGATED)
    (a, plural), (o, category, _) = _term(rng, topic), _judged(rng, topic, True, sentiment="positive")
    return Clause(template, {"a": a, "o": form.format(o)}, (Tie("a", category, "o", "negative"),), plural)


def _verb(rng: Random, topic: Topic) -> Clause:
    template, praise, blame = rng.choice(clause_templates.VERBS)
    sentiment, verbs = rng.choice((("positive", praise), ("negative", blame)))
    tie = Tie("a", f"{topic.entity}#{topic.main}", "o", sentiment)
    return Clause(template, {"a": _term(rng, topic)[0], "o": rng.choice(verbs)}, (tie,))


def _two_opinions(rng: Random, topic: Topic) -> Clause:
    template, agree = rng.choice(clause_templates.TWO_OPINIONS)
    a, plural = _term(rng, topic)
    first = rng.choice(("positive", "negative"))
    second = first if agree else _OTHER[first]
    o, p = (_judged(rng, topic, sentiment=sentiment) for sentiment in (first, second))
    if o[0] == p[0]:
        return _predicate(rng, topic)
    ties = (Tie("a", o[1], "o", o[2]), Tie("a", p[1], "p", p[2]))
    return Clause(template, {"a": a, "o": o[0], "p": p[0]}, ties, plural)


_OTHER = {"positive": "negative", "negative": "positive"}


def _two_aspects(rng: Random, domain: str) -> Clause:
    template, how = rng.choice(clause_templates.TWO_ASPECTS)
    one, two = rng.choices(TOPICS[domain], k=2)
    if how:
        o = _judged(rng, one)
        (a, _), (b, _) = _term(rng, one), _term(rng, one)
        return Clause(template, {"a": a, "b": b, "o": o[0]}, tuple(Tie(x, o[1], "o", o[2]) for x in "ab"))
    first = rng.choice(("positive", "negative"))
    second = rng.choice(("positive", "negative")) if how is None else _OTHER[first]
    o, p = _judged(rng, one, how is None, sentiment=first), _judged(rng, two, how is None, sentiment=second)
    (a, plural), (b, _) = _term(rng, one), _term(rng, two)
    fields = {"a": a, "b": b, "o": o[0], "p": p[0]}
    return Clause(template, fields, (Tie("a", o[1], "o", o[2]), Tie("b", p[1], "p", p[2])), plural)


@cache
def _within(domain: str) -> dict[str, Topic]:
    """The topics of a domain by category."""
    return {f"{topic.entity}#{attribute}": topic for topic in TOPICS[domain] for attribute in topic.attributes}


def _category(rng: Random, domain: str, having: tuple[str, ...]) -> str:
    return rng.choice([category for category in having if category in _within(domain)])


def _implicit_aspect(rng: Random, domain: str) -> Clause:
    category = _category(rng, domain, tuple(clause_templates.IMPLICIT_ASPECT))
    template = rng.choice(clause_templates.IMPLICIT_ASPECT[category])
    single, attribute = "{w}" in template, category.partition("#")[2]
    o, _, sentiment = _judged(rng, _within(domain)[category], single, attribute)
    name = "w" if single else "o"
    return Clause(template, {name: o}, (Tie(None, category, name, sentiment),))


def _implicit_opinion(rng: Random, domain: str) -> Clause:
    category = _category(rng, domain, tuple(clause_templates.IMPLICIT_OPINION))
    praise, blame = clause_templates.IMPLICIT_OPINION[category]
    sentiment, templates = rng.choice((("positive", praise), ("negative", blame)))
    a, plural = _term(rng, _within(domain)[category])
    return Clause(rng.choice(templates), {"a": a}, (Tie("a", category, None, sentiment),), plural)


def _implicit_both(rng: Random, domain: str) -> Clause:
    category = _category(rng, domain, tuple(clause_templates.IMPLICIT_BOTH))
    praise, blame = clause_templates.IMPLICIT_BOTH[category]
    sentiment, templates = rng.choice((("positive", praise), ("negative", blame)))
    return Clause(rng.choice(templates), {}, (Tie(None, category, None, sentiment),))
