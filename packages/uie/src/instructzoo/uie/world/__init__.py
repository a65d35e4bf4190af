"""The microworld of extraction: generated news-like sentences whose entities, relations and events are known.

    {"task": "re", "input": "On Monday, Korvel Motors hired Ann Shoopin, who lives in Drelton.",
     "options": "[\\"lives in\\", \\"owns\\", \\"works for\\"]",
     "output": "works for: Ann Shoopin, Korvel Motors; lives in: Ann Shoopin, Drelton", ...}

A sentence expresses one or two facts of fact_templates.py by one of their patterns, with asides, an opening and a
closing, and with made-up names. Its template is the sentence with each name replaced by its type. The hashes of its
template and of the words of its names (entity_names.py) decide its split: no test row has a template, or a word of a
name, that a training row has. The phrases that templates are composed of are shared.

The labels on offer are some that the sentence has and some that it lacks, so that the answer depends on them.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from instructzoo.core import recipe
from instructzoo.core.data.split import SPLITS as SPLITS
from instructzoo.core.data.split import check_split
from instructzoo.core.errors import ZooError, suggest
from instructzoo.core.record import Row
from instructzoo.uie import prompts
from instructzoo.uie.schema import EVENT_TASKS, RELATION_TASKS, TASKS, Annotation, Labels
from instructzoo.uie.world import entity_names, fact_templates, sentence_templates
from instructzoo.uie.world.sentence_draft import SentenceDraft, expand_choices

LICENCE = "Apache-2.0"
PATIENCE = 2_000
"""Sentences in a row that do not suit any task, after which the settings count as invalid."""

Weight = Annotated[float, Field(ge=0, le=1e6)]
Fraction = Annotated[float, Field(ge=0, le=1)]


class Settings(recipe.Settings):
    """data.world: how sentences are composed, and which questions are asked about them."""

    tasks: dict[str, Weight] = Field(
        default={"ner": 3, "re": 3, "ee": 2, "es": 0.3, "et": 0.3, "ep": 0.3, "epr": 0.3, "eet": 0.3, "eea": 0.3},
        description="relative frequency of each task among the rows",
    )
    two: Fraction = Field(default=0.35, description="fraction of sentences with two facts")
    asides: Fraction = Field(default=0.25, description="probability of an aside behind a name that may have one")
    titles: Fraction = Field(default=0.4, description="probability of a word before a name that tells its type")
    empty: Fraction = Field(default=0.06, description="fraction of sentences without names")
    dropped: Fraction = Field(default=0.15, description="probability that a label of the sentence is not offered")
    negatives: tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=0)]] = Field(
        default=(1, 4), description="fewest and most labels on offer that the sentence lacks"
    )


def generate(n: int, seed: int, split: str, settings: Settings = Settings()) -> Iterator[Row]:  # noqa: B008 - frozen
    """Generate rows of one split.

    Args:
        n: How many rows; the first k rows are the same for any n.
        seed: Equal seeds give equal rows.
        split: "train", "validation" or "test"; the last two hold each sentence once.
        settings: How sentences are composed, and which questions are asked.

    Returns:
        An iterator over the rows.

    Raises:
        ZooError: For an unknown split or task, and for settings under which no question can be asked.
    """
    check_split(split)
    if unknown := [task for task in settings.tasks if task not in TASKS]:
        raise ZooError(f'no task "{unknown[0]}"', suggest(unknown[0], TASKS), where="data.world.tasks")
    if not any(settings.tasks.values()):
        raise ZooError("no task has a weight", "one above 0", where="data.world.tasks")
    return _generate(n, random.Random(seed * 4 + zlib.crc32(split.encode())), split, settings)


def _generate(n: int, rng: random.Random, split: str, settings: Settings) -> Iterator[Row]:
    tasks, weights = list(settings.tasks), list(settings.tasks.values())
    seen_sentences: set[str] = set()
    draws_in_vain = 0
    while n > 0:
        if draws_in_vain == PATIENCE:
            found = f"no sentence that {', '.join(task for task in tasks if settings.tasks[task])} could ask of"
            raise ZooError(found, "a fraction of empty sentences below 1", "lower data.world.empty", "data.world")
        draws_in_vain += 1
        (task,) = rng.choices(tasks, weights)
        sentence, annotation = _sentence(rng, split, settings)
        row = _make_row(sentence, annotation, task, rng, settings)
        if row is None or (split != "train" and sentence in seen_sentences):
            continue
        seen_sentences.add(sentence)
        yield row
        n, draws_in_vain = n - 1, 0


def _make_row(sentence: str, annotation: Annotation, task: str, rng: random.Random, settings: Settings) -> Row | None:
    """The row of one question; None where the sentence has nothing that the question could give (et, epr, eea)."""
    event = ""
    if task in EVENT_TASKS:
        event_types = [e.type for e in annotation.events]
        if task == "eea":
            if not event_types:
                return None
            event = rng.choice(event_types)
        labels = _event_labels(event_types, event, task, rng, settings)
    elif task in RELATION_TASKS:
        relation_labels = list(fact_templates.relation_labels())
        labels = Labels(_offered_labels([r.type for r in annotation.relations], relation_labels, rng, settings))
    else:
        types = list(entity_names.TYPES)
        labels = Labels(_offered_labels([m.type for m in annotation.entities], types, rng, settings))
    row = prompts.make_row(
        sentence, annotation, task, labels, "world", rng.getrandbits(30), source="world", licence=LICENCE, event=event
    )
    return None if row["given"] == "[]" else row


def _event_labels(event_types: list[str], event: str, task: str, rng: random.Random, settings: Settings) -> Labels:
    """Labels for a question about events. event: for eea, the event type that the question names."""
    roles = fact_templates.event_roles()
    if task == "eea":
        all_roles = [role for event_roles in roles.values() for role in event_roles]
        return Labels(_offered_labels(list(roles[event]), all_roles, rng, settings))
    types = _offered_labels(event_types, list(roles), rng, settings)
    if task == "eet":
        return Labels(types)
    roles_of_types = dict.fromkeys(role for type in types for role in roles[type])
    return Labels(types, tuple(role for role in roles_of_types if rng.random() >= settings.dropped / 2))


def _offered_labels(
    present: list[str], all_labels: list[str], rng: random.Random, settings: Settings
) -> tuple[str, ...]:
    """Labels for a question: those of the sentence, of which some are left out, and some that it lacks."""
    offered = [label for label in dict.fromkeys(present) if rng.random() >= settings.dropped]
    absent = [label for label in dict.fromkeys(all_labels) if label not in present]
    n_absent = min(len(absent), rng.randint(*sorted(settings.negatives)))
    return tuple(offered + rng.sample(absent, max(n_absent, 0 if offered else 1)))


def _sentence(rng: random.Random, split: str, settings: Settings) -> tuple[str, Annotation]:
    """A sentence whose template and names belong to `split`, and its annotation."""
    while True:
        draft = _draft(rng, settings)
        if entity_names.split_of(draft.template()) == split:
            return draft.fill(split)


def _draft(rng: random.Random, settings: Settings) -> SentenceDraft:
    draft = SentenceDraft(rng, settings.titles, settings.asides)
    opening, closing = rng.choice(sentence_templates.OPENINGS), rng.choice(sentence_templates.CLOSINGS)
    draft.add_text(opening)
    if rng.random() < settings.empty:
        draft.add_text(expand_choices(rng.choice(sentence_templates.SENTENCES_WITHOUT_FACTS), rng))
    else:
        topic = rng.choice(fact_templates.TOPICS)
        draft.add_fact(rng.choice(topic))
        if rng.random() < settings.two:
            draft.add_text(rng.choice(sentence_templates.CONNECTIVES))
            draft.add_fact(rng.choice(topic))
    draft.add_text(f"{closing}.")
    return draft
