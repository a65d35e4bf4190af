"""Composes a sentence of the microworld from facts, then fills it with names and derives its annotation."""

from __future__ import annotations

import random
import re

from instructzoo.uie.schema import Annotation, Event, Mention, Relation
from instructzoo.uie.world import entity_names, fact_templates, sentence_templates
from instructzoo.uie.world.fact_templates import Fact

_PIECE = re.compile(r"<(\w+)>|\[([^]]+)\]|([^<\[]+)")
_CHOICE = re.compile(r"\(([^()]*\|[^()]*)\)")


class SentenceDraft:
    """A sentence before its names are chosen: pieces of text and slots, and the facts about the slots.

    Args:
        rng: Draws patterns, triggers, titles, asides and names.
        titles: Probability of a word before a name that tells its type.
        asides: Probability of an aside behind a name that may have one.
    """

    def __init__(self, rng: random.Random, titles: float, asides: float) -> None:
        self.rng, self.titles, self.asides = rng, titles, asides
        self.pieces: list[str | int] = []  # text, or the index of a slot
        self.types: list[str] = []  # of the slots
        self.triggers: list[tuple[str, int, dict[int, str]]] = []  # event type, index of the piece, roles by slot
        self.relations: list[tuple[str, int, int]] = []  # label, head slot, tail slot

    def add_text(self, text: str) -> None:
        """Append text; nothing for ""."""
        if text:
            self.pieces.append(text)

    def add_fact(self, fact: Fact, self_slot: int | None = None) -> None:
        """Append a fact by one of its patterns. self_slot: the slot that an aside is about."""
        slots: dict[str, int] = {} if self_slot is None else {"self": self_slot}
        for name, type in fact.slots.items():
            slots[name] = len(self.types)
            self.types.append(type)
        for name, trigger, text in _PIECE.findall(expand_choices(self.rng.choice(fact.patterns), self.rng)):
            if name:
                self._add_slot(slots[name], may_have_aside=self_slot is None)
            elif trigger:
                roles = {slots[slot]: role for slot, role in fact.roles.items()}
                self.triggers.append((fact.event, len(self.pieces), roles))
                self.add_text(self.rng.choice(trigger.split("|")))
            else:
                self.add_text(text)
        self.relations += [(label, slots[head], slots[tail]) for label, head, tail in fact.relations]

    def _add_slot(self, slot: int, may_have_aside: bool) -> None:
        if self.rng.random() < self.titles:
            self._add_title(self.types[slot])
        self.pieces.append(slot)
        asides = fact_templates.ASIDES.get(self.types[slot])
        if may_have_aside and asides and self.rng.random() < self.asides:
            self.add_fact(self.rng.choice(asides), self_slot=slot)

    def _add_title(self, type: str) -> None:
        previous = self.pieces[-1] if self.pieces else ""
        after_article = isinstance(previous, str) and previous.endswith("the ")
        titles = [
            title for title in sentence_templates.TITLES[type] if not (after_article and title.startswith("the "))
        ]
        if titles:
            self.add_text(self.rng.choice(titles))

    def template(self) -> str:
        """The sentence with types in place of names."""
        texts = [piece if isinstance(piece, str) else f"<{self.types[piece]}>" for piece in self.pieces]
        return _join(texts)[0]

    def fill(self, split: str) -> tuple[str, Annotation]:
        """Fill the slots with names.

        Args:
            split: The split that all words of the names belong to.

        Returns:
            The sentence, in which no name contains another, and its annotation.
        """
        names: list[str] = []
        for type in self.types:
            name = entity_names.make_name(type, split, self.rng)
            while any(name in other or other in name for other in names):
                name = entity_names.make_name(type, split, self.rng)
            names.append(name)
        sentence, spans = _join([piece if isinstance(piece, str) else names[piece] for piece in self.pieces])
        span_by_slot = {slot: span for slot, span in zip(self.pieces, spans, strict=True) if isinstance(slot, int)}
        return sentence, self._annotation(sentence, spans, span_by_slot)

    def _annotation(
        self, sentence: str, spans: list[tuple[int, int]], span_by_slot: dict[int, tuple[int, int]]
    ) -> Annotation:
        """The annotation of the sentence. spans: start and end of each piece."""

        def mention(label: str, span: tuple[int, int]) -> Mention:
            return Mention(label, sentence[slice(*span)], *span)

        def entity(slot: int) -> Mention:
            return mention(self.types[slot], span_by_slot[slot])

        return Annotation(
            tuple(entity(slot) for slot in span_by_slot),
            tuple(Relation(label, entity(head), entity(tail)) for label, head, tail in self.relations),
            tuple(
                Event(
                    event,
                    mention("", spans[piece]),
                    tuple(mention(role, span_by_slot[slot]) for slot, role in roles.items()),
                )
                for event, piece, roles in self.triggers
            ),
        )


def _join(pieces: list[str]) -> tuple[str, list[tuple[int, int]]]:
    """The pieces as one capitalised sentence, and start and end of each; a comma before punctuation is dropped."""
    sentence, spans = "", []
    for piece in pieces:
        if sentence.endswith(",") and piece[:1] in ",.;":
            sentence = sentence[:-1]
        spans.append((len(sentence), len(sentence) + len(piece)))
        sentence += piece
    return sentence[:1].upper() + sentence[1:], spans


def expand_choices(pattern: str, rng: random.Random) -> str:
    """The pattern with one alternative chosen at each (one|another)."""
    return _CHOICE.sub(lambda match: rng.choice(match[1].split("|")), pattern)
