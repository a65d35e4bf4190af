"""The microworld of extraction: news-like sentences whose entities, relations and events are known as they are made.

    {"task": "re", "input": "On Monday, Korvel Motors hired Ann Shoopin, who lives in Drelton.",
     "options": "[\\"lives in\\", \\"owns\\", \\"works for\\"]",
     "output": "works for: Ann Shoopin, Korvel Motors; lives in: Ann Shoopin, Drelton", ...}

A sentence is one or two facts of clauses.py, put one of several ways, with asides, openings and closings, and with
made-up names. Its template is the sentence with each name replaced by its type. Template and name words (names.py) of a
row belong to its split by their hash: no test row has a template, or a word of a name, that a training row has. The
phrases that templates are composed of are shared.

The options of a row are some of the labels that the sentence has and some that it has not, so the answer hangs on them.
"""

from __future__ import annotations

import random
import re
import zlib
from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from instructzoo.core import recipe
from instructzoo.core.errors import ZooError, suggest
from instructzoo.core.record import Row
from instructzoo.uie import prompts
from instructzoo.uie.schema import EVENT_TASKS, TASKS, Annotation, Event, Labels, Mention, Relation
from instructzoo.uie.world import entity_names, fact_templates, sentence_templates
from instructzoo.uie.world.fact_templates import Fact

SPLITS = ("train", "validation", "test")
LICENCE = "Apache-2.0"
PATIENCE = 2_000
"""Sentences in a row that a question cannot be asked of, after which the settings count as leaving none."""

Weight = Annotated[float, Field(ge=0, le=1e6)]
Share = Annotated[float, Field(ge=0, le=1)]

_PIECE = re.compile(r"<(\w+)>|\[([^]]+)\]|([^<\[]+)")
_CHOICE = re.compile(r"\(([^()]*\|[^()]*)\)")


class Settings(recipe.Settings):
    """What is asked of the sentences, and how they are."""

    tasks: dict[str, Weight] = Field(
        default={"ner": 3, "re": 3, "ee": 2, "es": 0.3, "et": 0.3, "ep": 0.3, "epr": 0.3, "eet": 0.3, "eea": 0.3},
        description="weight of each task's share of the rows",
    )
    two: Share = Field(default=0.35, description="share of sentences with two facts")
    asides: Share = Field(default=0.25, description="chance of an aside behind a name that may have one")
    titles: Share = Field(default=0.4, description="chance that a name has a word before it that tells its type")
    empty: Share = Field(default=0.06, description="share of sentences that name nothing")
    dropped: Share = Field(default=0.15, description="chance that a label which the sentence has is not offered")
    negatives: tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=0)]] = Field(
        default=(1, 4), description="fewest and most labels on offer that the sentence has not"
    )


def generate(n: int, seed: int, split: str, settings: Settings = Settings()) -> Iterator[Row]:  # noqa: B008 - frozen
    """n rows of a split (train, validation or test), equal for equal arguments; the first k are the same for any n.

    Raises ZooError for an unknown split or task.
    """
    if split not in SPLITS:
        raise ZooError(f'no split "{split}"', suggest(split, SPLITS))
    if unknown := [task for task in settings.tasks if task not in TASKS]:
        raise ZooError(f'no task "{unknown[0]}"', suggest(unknown[0], TASKS), where="data.world.tasks")
    if not any(settings.tasks.values()):
        raise ZooError("no task has a weight", "one above 0", where="data.world.tasks")
    return _generate(n, random.Random(seed * 4 + zlib.crc32(split.encode())), split, settings)


def _generate(n: int, rng: random.Random, split: str, settings: Settings) -> Iterator[Row]:
    tasks, weights = list(settings.tasks), list(settings.tasks.values())
    seen: set[str] = set()
    idle = 0
    while n > 0:
        if idle == PATIENCE:
            found = f"no sentence that {', '.join(task for task in tasks if settings.tasks[task])} could ask of"
            raise ZooError(found, "a share of empty sentences below 1", "lower data.world.empty", "data.world")
        idle += 1
        (task,) = rng.choices(tasks, weights)
        sentence, annotation = _sentence(rng, split, settings)
        row = _ask(sentence, annotation, task, rng, settings)
        if row is None or (split != "train" and sentence in seen):
            continue
        seen.add(sentence)
        yield row
        n, idle = n - 1, 0


def _ask(sentence: str, annotation: Annotation, task: str, rng: random.Random, settings: Settings) -> Row | None:
    """The row of one question; None where the sentence has nothing that the question could give (et, epr, eea)."""
    event = ""
    if task in EVENT_TASKS:
        roles = fact_templates.event_roles()
        found = [e.type for e in annotation.events]
        if task == "eea":
            if not found:
                return None
            event = rng.choice(found)
            labels = Labels(_offer(list(roles[event]), [r for rs in roles.values() for r in rs], rng, settings))
        else:
            labels = Labels(_offer(found, list(roles), rng, settings))
            if task == "ee":
                offered = dict.fromkeys(role for type in labels.types for role in roles[type])
                labels = Labels(labels.types, tuple(role for role in offered if rng.random() >= settings.dropped / 2))
    elif task in ("re", "ep", "epr"):
        every = list(fact_templates.relation_labels())
        labels = Labels(_offer([r.type for r in annotation.relations], every, rng, settings))
    else:
        labels = Labels(_offer([m.type for m in annotation.entities], list(entity_names.TYPES), rng, settings))
    row = prompts.write(
        sentence, annotation, task, labels, "world", rng.getrandbits(30), source="world", licence=LICENCE, event=event
    )
    return None if row["given"] == "[]" else row


def _offer(present: list[str], every: list[str], rng: random.Random, settings: Settings) -> tuple[str, ...]:
    """Labels for a question: those that are present, some left out, and others beside."""
    kept = [label for label in dict.fromkeys(present) if rng.random() >= settings.dropped]
    others = [label for label in dict.fromkeys(every) if label not in present]
    more = min(len(others), rng.randint(*sorted(settings.negatives)))
    return tuple(kept + rng.sample(others, max(more, 0 if kept else 1)))


def _sentence(rng: random.Random, split: str, settings: Settings) -> tuple[str, Annotation]:
    """A sentence whose template and names belong to `split`, and what it says."""
    while True:
        draft = _draft(rng, settings)
        if entity_names.split_of(draft.template()) == split:
            return draft.fill(split, rng)


def _draft(rng: random.Random, settings: Settings) -> Draft:
    draft = Draft()
    opening, closing = rng.choice(sentence_templates.OPENINGS), rng.choice(sentence_templates.CLOSINGS)
    draft.text(opening)
    if rng.random() < settings.empty:
        draft.text(_vary(rng.choice(sentence_templates.EMPTY), rng))
    else:
        field = rng.choice(fact_templates.FIELDS)
        draft.fact(rng.choice(field), rng, settings)
        if rng.random() < settings.two:
            draft.text(rng.choice(sentence_templates.JOINTS))
            draft.fact(rng.choice(field), rng, settings)
    draft.text(f"{closing}.")
    return draft


class Draft:
    """A sentence before its names: pieces of text and slots, and the facts over the slots."""

    def __init__(self) -> None:
        self.pieces: list[str | int] = []  # text, or the number of a slot
        self.types: list[str] = []
        self.triggers: list[tuple[str, int, dict[int, str]]] = []  # event, its piece, roles of slots
        self.relations: list[tuple[str, int, int]] = []

    def text(self, text: str) -> None:
        if text:
            self.pieces.append(text)

    def fact(self, fact: Fact, rng: random.Random, settings: Settings, own: int | None = None) -> None:
        """Put a fact one of its ways. own: the slot that an aside speaks of."""
        slots: dict[str, int] = {} if own is None else {"self": own}
        for slot, type in fact.slots.items():
            slots[slot] = len(self.types)
            self.types.append(type)
        for name, trigger, text in _PIECE.findall(_vary(rng.choice(fact.patterns), rng)):
            if name:
                self._slot(slots[name], rng, settings, aside=own is None)
            elif trigger:
                roles = {slots[slot]: role for slot, role in fact.roles.items()}
                self.triggers.append((fact.event, len(self.pieces), roles))
                self.text(rng.choice(trigger.split("|")))
            else:
                self.text(text)
        self.relations += [(label, slots[head], slots[tail]) for label, head, tail in fact.relations]

    def _slot(self, slot: int, rng: random.Random, settings: Settings, aside: bool) -> None:
        if rng.random() < settings.titles:
            self._title(self.types[slot], rng)
        self.pieces.append(slot)
        facts = fact_templates.ASIDES.get(self.types[slot])
        if aside and facts and rng.random() < settings.asides:
            self.fact(rng.choice(facts), rng, settings, own=slot)

    def _title(self, type: str, rng: random.Random) -> None:
        before = self.pieces[-1] if self.pieces else ""
        article = isinstance(before, str) and before.endswith("the ")
        fitting = [title for title in sentence_templates.TITLES[type] if not (article and title.startswith("the "))]
        if fitting:
            self.text(rng.choice(fitting))

    def template(self) -> str:
        """The sentence with types for names."""
        return _joined([piece if isinstance(piece, str) else f"<{self.types[piece]}>" for piece in self.pieces])[0]

    def fill(self, split: str, rng: random.Random) -> tuple[str, Annotation]:
        """The sentence with names of `split`, all different, and what it says."""
        chosen: list[str] = []
        for type in self.types:
            made = entity_names.name(type, split, rng)
            while any(made in other or other in made for other in chosen):
                made = entity_names.name(type, split, rng)
            chosen.append(made)
        sentence, places = _joined([p if isinstance(p, str) else chosen[p] for p in self.pieces])
        at = {piece: place for piece, place in zip(self.pieces, places, strict=True) if isinstance(piece, int)}

        def mention(label: str, place: tuple[int, int]) -> Mention:
            return Mention(label, sentence[slice(*place)], *place)

        entities = tuple(mention(self.types[slot], place) for slot, place in at.items())
        relations = tuple(
            Relation(label, mention(self.types[head], at[head]), mention(self.types[tail], at[tail]))
            for label, head, tail in self.relations
        )
        events = tuple(
            Event(event, mention("", places[piece]), tuple(mention(role, at[slot]) for slot, role in roles.items()))
            for event, piece, roles in self.triggers
        )
        return sentence, Annotation(entities, relations, events)


def _joined(pieces: list[str]) -> tuple[str, list[tuple[int, int]]]:
    """One sentence of the pieces with a capital, and where each of them stands. Two commas that meet become one."""
    sentence, places = "", []
    for piece in pieces:
        if sentence.endswith(",") and piece[:1] in ",.;":
            sentence = sentence[:-1]
        places.append((len(sentence), len(sentence) + len(piece)))
        sentence += piece
    return sentence[:1].upper() + sentence[1:], places


def _vary(pattern: str, rng: random.Random) -> str:
    """The pattern with one way chosen at each (one|another)."""
    return _CHOICE.sub(lambda match: rng.choice(match[1].split("|")), pattern)
