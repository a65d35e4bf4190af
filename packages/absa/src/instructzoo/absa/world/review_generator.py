"""Draws one review of the microworld: joins random clauses and records the span of every aspect and opinion.

    >>> draw_review(Random(10), "restaurant", tuples=2, implicit=0.2, quiet=0.1)
    ('We loved the lunch special.', [Quad('lunch special', 'FOOD#QUALITY', 'loved', 'positive')])

A clause is a template ("the {a} {was} {very}{o}"), the words of its slots, and its tuples as references to the slots.
The order of the random draws is fixed: changing it changes every generated data set.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from random import Random
from typing import NamedTuple

from instructzoo.absa.schema import Quad
from instructzoo.absa.world import clause_templates
from instructzoo.absa.world.lexicon import TOPICS, Opinions, Topic

_SLOT = re.compile(r"\{(\w+)\}")
_SPACE_BEFORE_PUNCTUATION = re.compile(r" (?=[,.;:!])")
_VERBS = {"was": ("was", "were"), "is": ("is", "are")}
_OPPOSITE = {"positive": "negative", "negative": "positive"}
_MODIFIER_RATE = 0.3
"""Fraction of terms that get a modifier before them ("grilled" + "salmon"), where their topic has modifiers."""

Span = tuple[int, int]
"""Start and end offset in the text, the end exclusive."""


class SlotQuad(NamedTuple):
    """A quadruple of a clause; aspect and opinion are the names of slots, None where they are implicit."""

    aspect: str | None
    category: str
    opinion: str | None
    sentiment: str


class Opinion(NamedTuple):
    """An opinion term with the category and the sentiment that it expresses."""

    words: str
    category: str
    sentiment: str


@dataclass
class Clause:
    """A template, the words of its slots by name, and its quadruples. plural: whether the verb agrees with a plural."""

    template: str
    slots: dict[str, str] = field(default_factory=dict)
    quads: tuple[SlotQuad, ...] = ()
    plural: bool = False


@dataclass(frozen=True)
class Style:
    """spaced: punctuation has a space before it, as in the published sets; cased: sentences begin with a capital."""

    spaced: bool
    cased: bool


@dataclass
class Draft:
    """An unfinished review. quads: (aspect span, category, opinion span, sentiment) of every quadruple so far."""

    text: str = ""
    quads: list[tuple[Span | None, str, Span | None, str]] = field(default_factory=list)


def draw_review(rng: Random, domain: str, tuples: int, implicit: float, quiet: float) -> tuple[str, list[Quad]]:
    """Draw a review and its quadruples, in the order of the text.

    Args:
        rng: source of randomness.
        domain: "restaurant" or "laptop".
        tuples: maximum number of quadruples.
        implicit: fraction of clauses with an implicit aspect or opinion.
        quiet: fraction of clauses without an opinion.
    """
    style = Style(rng.random() < 0.5, rng.random() < 0.6)
    target_count = rng.choices(range(1, tuples + 1), [1 / n for n in range(1, tuples + 1)])[0]
    draft, used_keys, starts_sentence = Draft(), set[tuple[str | None, str]](), True
    _append(draft, "", Clause(rng.choice(clause_templates.OPENINGS)), style, rng, starts_sentence)
    starts_sentence = not draft.text
    for _ in range(2 * tuples):
        clause = _draw_clause(rng, domain, implicit, quiet)
        keys = {(clause.slots.get(quad.aspect or ""), quad.category) for quad in clause.quads}
        if keys & used_keys or len(draft.quads) + len(clause.quads) > tuples:
            continue
        used_keys |= keys
        joint = "" if not draft.text or draft.text.endswith(" ") else rng.choice(clause_templates.JOINTS)
        _append(draft, joint, clause, style, rng, starts_sentence or "." in joint)
        starts_sentence = False
        if len(draft.quads) >= target_count or (not draft.quads and rng.random() < 0.3):
            break
    draft.text += _apply_style(rng.choice(clause_templates.ENDS), style)
    text = draft.text
    return text, [
        Quad(_span_text(text, aspect), category, _span_text(text, opinion), sentiment)
        for aspect, category, opinion, sentiment in draft.quads
    ]


def _span_text(text: str, span: Span | None) -> str | None:
    return None if span is None else text[slice(*span)]


def _append(draft: Draft, joint: str, clause: Clause, style: Style, rng: Random, starts_sentence: bool) -> None:
    """Write joint and clause at the end of the draft."""
    draft.text += _apply_style(joint, style)
    slot_spans, clause_start = {}, len(draft.text)
    pieces = _SLOT.split(_apply_style(clause.template, style))
    for literal, name in zip(pieces[::2], [*pieces[1::2], ""], strict=True):
        words = _slot_words(name, clause, rng) if name else ""
        draft.text += literal
        slot_spans[name] = (len(draft.text), len(draft.text) + len(words))
        draft.text += words
    if starts_sentence:
        draft.text = draft.text[:clause_start] + _capitalise(draft.text[clause_start:], style.cased)
    for aspect, category, opinion, sentiment in clause.quads:
        aspect_span = slot_spans[aspect] if aspect else None
        opinion_span = slot_spans[opinion] if opinion else None
        draft.quads.append((aspect_span, category, opinion_span, sentiment))


def _slot_words(name: str, clause: Clause, rng: Random) -> str:
    if name in clause.slots:
        return clause.slots[name]
    if name in _VERBS:
        return _VERBS[name][clause.plural]
    if name == "very":
        return rng.choice(clause_templates.ADVERBS) if " " not in clause.slots["o"] else ""
    return rng.choice(clause_templates.FILLERS[name])


@cache
def _apply_style(text: str, style: Style) -> str:
    text = text if style.spaced else _SPACE_BEFORE_PUNCTUATION.sub("", text)
    return re.sub(r"\bi\b", "I", text) if style.cased else text


def _capitalise(text: str, cased: bool) -> str:
    return text[:1].upper() + text[1:] if cased else text


def _draw_clause(rng: Random, domain: str, implicit: float, quiet: float) -> Clause:
    x = rng.random()
    if x < quiet:
        topics = rng.choices(TOPICS[domain], k=2)
        a, b = (_draw_term(rng, topic)[0] for topic in topics)
        return Clause(rng.choice(clause_templates.NO_OPINION[domain]), {"a": a, "b": b})
    if x < quiet + implicit:
        return rng.choice((_implicit_aspect, _implicit_opinion, _implicit_opinion, _implicit_both))(rng, domain)
    topic = rng.choice(TOPICS[domain] + (TOPICS[domain][0],) * 2)
    make_clause = rng.choices((_predicate, _attributive, _negated, _verb, _two_opinions), (7, 5, 2, 2, 2))[0]
    return _two_aspects(rng, domain) if rng.random() < 0.12 else make_clause(rng, topic)


def _draw_term(rng: Random, topic: Topic) -> tuple[str, bool]:
    """A term of the topic, and whether it is a plural."""
    term = rng.choice(topic.terms)
    modifier = f"{rng.choice(topic.modifiers)} " if topic.modifiers and rng.random() < _MODIFIER_RATE else ""
    return modifier + term.rstrip("*"), term.endswith("*")


def _draw_opinion(rng: Random, topic: Topic, single: bool = False, attribute: str = "", sentiment: str = "") -> Opinion:
    """An opinion on the topic. single: of one word, as needed before a noun; attribute, sentiment: "" for any."""
    sentiment = sentiment or rng.choices(("positive", "negative", "neutral"), (5, 4, 1))[0]
    allowed = (attribute,) if attribute else tuple(topic.attributes)
    usable = [name for name in allowed if _opinion_terms(topic.attributes[name], sentiment, single)]
    if not usable:  # neutral words are rare
        return _draw_opinion(rng, topic, single, attribute, "positive")
    name = rng.choices(usable, [3 if name == topic.main else 1 for name in usable])[0]
    words = rng.choice(_opinion_terms(topic.attributes[name], sentiment, single))
    return Opinion(words, f"{topic.entity}#{name}", sentiment)


@cache
def _opinion_terms(opinions: Opinions, sentiment: str, single: bool) -> tuple[str, ...]:
    by_sentiment = {"positive": opinions.positive, "negative": opinions.negative, "neutral": opinions.neutral}
    return tuple(words for words in by_sentiment[sentiment] if not single or " " not in words)


def _predicate(rng: Random, topic: Topic) -> Clause:
    (a, plural), o = _draw_term(rng, topic), _draw_opinion(rng, topic)
    quad = SlotQuad("a", o.category, "o", o.sentiment)
    return Clause(rng.choice(clause_templates.PREDICATE), {"a": a, "o": o.words}, (quad,), plural)


def _attributive(rng: Random, topic: Topic) -> Clause:
    (a, plural), o = _draw_term(rng, topic), _draw_opinion(rng, topic, single=True)
    quad = SlotQuad("a", o.category, "o", o.sentiment)
    return Clause(rng.choice(clause_templates.ATTRIBUTIVE), {"a": a, "o": o.words}, (quad,), plural)


def _negated(rng: Random, topic: Topic) -> Clause:
    template, negated_form = rng.choice(clause_templates.NEGATED)
    (a, plural), o = _draw_term(rng, topic), _draw_opinion(rng, topic, True, sentiment="positive")
    quad = SlotQuad("a", o.category, "o", "negative")
    return Clause(template, {"a": a, "o": negated_form.format(o.words)}, (quad,), plural)


def _verb(rng: Random, topic: Topic) -> Clause:
    template, praise, blame = rng.choice(clause_templates.VERBS)
    sentiment, verbs = rng.choice((("positive", praise), ("negative", blame)))
    quad = SlotQuad("a", f"{topic.entity}#{topic.main}", "o", sentiment)
    return Clause(template, {"a": _draw_term(rng, topic)[0], "o": rng.choice(verbs)}, (quad,))


def _two_opinions(rng: Random, topic: Topic) -> Clause:
    template, agree = rng.choice(clause_templates.TWO_OPINIONS)
    a, plural = _draw_term(rng, topic)
    first_sentiment = rng.choice(("positive", "negative"))
    second_sentiment = first_sentiment if agree else _OPPOSITE[first_sentiment]
    o, p = (_draw_opinion(rng, topic, sentiment=sentiment) for sentiment in (first_sentiment, second_sentiment))
    if o.words == p.words:
        return _predicate(rng, topic)
    quads = (SlotQuad("a", o.category, "o", o.sentiment), SlotQuad("a", p.category, "p", p.sentiment))
    return Clause(template, {"a": a, "o": o.words, "p": p.words}, quads, plural)


def _two_aspects(rng: Random, domain: str) -> Clause:
    template, shared_opinion = rng.choice(clause_templates.TWO_ASPECTS)
    topic_a, topic_b = rng.choices(TOPICS[domain], k=2)
    if shared_opinion:
        o = _draw_opinion(rng, topic_a)
        (a, _), (b, _) = _draw_term(rng, topic_a), _draw_term(rng, topic_a)
        quads = tuple(SlotQuad(slot, o.category, "o", o.sentiment) for slot in "ab")
        return Clause(template, {"a": a, "b": b, "o": o.words}, quads)
    sentiments_free = shared_opinion is None
    sentiment_a = rng.choice(("positive", "negative"))
    sentiment_b = rng.choice(("positive", "negative")) if sentiments_free else _OPPOSITE[sentiment_a]
    o = _draw_opinion(rng, topic_a, sentiments_free, sentiment=sentiment_a)
    p = _draw_opinion(rng, topic_b, sentiments_free, sentiment=sentiment_b)
    (a, plural), (b, _) = _draw_term(rng, topic_a), _draw_term(rng, topic_b)
    slots = {"a": a, "b": b, "o": o.words, "p": p.words}
    quads = (SlotQuad("a", o.category, "o", o.sentiment), SlotQuad("b", p.category, "p", p.sentiment))
    return Clause(template, slots, quads, plural)


@cache
def _topic_by_category(domain: str) -> dict[str, Topic]:
    return {f"{topic.entity}#{attribute}": topic for topic in TOPICS[domain] for attribute in topic.attributes}


def _draw_category(rng: Random, domain: str, candidates: tuple[str, ...]) -> str:
    """One of the candidates that the domain has."""
    return rng.choice([category for category in candidates if category in _topic_by_category(domain)])


def _implicit_aspect(rng: Random, domain: str) -> Clause:
    category = _draw_category(rng, domain, tuple(clause_templates.IMPLICIT_ASPECT))
    template = rng.choice(clause_templates.IMPLICIT_ASPECT[category])
    single, attribute = "{w}" in template, category.partition("#")[2]
    opinion = _draw_opinion(rng, _topic_by_category(domain)[category], single, attribute)
    slot = "w" if single else "o"
    return Clause(template, {slot: opinion.words}, (SlotQuad(None, category, slot, opinion.sentiment),))


def _implicit_opinion(rng: Random, domain: str) -> Clause:
    category = _draw_category(rng, domain, tuple(clause_templates.IMPLICIT_OPINION))
    praise, blame = clause_templates.IMPLICIT_OPINION[category]
    sentiment, templates = rng.choice((("positive", praise), ("negative", blame)))
    a, plural = _draw_term(rng, _topic_by_category(domain)[category])
    return Clause(rng.choice(templates), {"a": a}, (SlotQuad("a", category, None, sentiment),), plural)


def _implicit_both(rng: Random, domain: str) -> Clause:
    category = _draw_category(rng, domain, tuple(clause_templates.IMPLICIT_BOTH))
    praise, blame = clause_templates.IMPLICIT_BOTH[category]
    sentiment, templates = rng.choice((("positive", praise), ("negative", blame)))
    return Clause(rng.choice(templates), {}, (SlotQuad(None, category, None, sentiment),))
