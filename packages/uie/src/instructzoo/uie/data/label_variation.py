"""Other labels for a sentence that stay true: a part of its labels, more general or finer ones, under other names.

    vary(annotation, ("person", "researcher", "location"), "ner", rng)
    # asks for "people" and "cities": a researcher is written as one of the people, Paris as a city

Users choose their own labels. A row therefore offers a sample of the labels, those that the sentence lacks among them,
and sometimes only these, or all labels of the set. A mention gets the most specific offered label that holds for it:
where "researcher" is not offered, a researcher is a person. What a name is beyond its annotation (city, country,
company) comes from known_names.py, and such a label is offered only where the lists know every name of the sentence
that it could hold for.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from instructzoo.uie import schema
from instructzoo.uie.data.known_names import kind_of_organisation, kind_of_place
from instructzoo.uie.schema import Annotation, Labels, Mention, Relation

MORE_GENERAL: Mapping[str, str] = {
    "researcher": "person",
    "scientist": "person",
    "politician": "person",
    "writer": "person",
    "musical artist": "person",
    "university": "organisation",
    "political party": "organisation",
    "band": "organisation",
    "corporation": "organisation",
    "company": "organisation",
    "group": "organisation",
    "country": "location",
    "city": "location",
    "enzyme": "protein",
}
"""For a label the next more general one: whatever has the first label also has the second."""

COMPLETE_GENERAL = {"organisation": frozenset({"corporation", "group"})}
"""More general labels that a data set lacks, and the labels that cover them if it has all of these (WNUT17)."""

TOO_VAGUE = frozenset({"miscellaneous", "other", "group"})
"""Labels that say nothing outside of their data set; they are offered only with all labels of the set."""

DERIVED_LABELS = (
    "other names and more general labels; city, country and company are derived from lists of well-known names, where "
    "the lists know all places, or all organisations, of the sentence"
)
"""What the data card says of varied rows."""

NAMES: Mapping[str, tuple[str, ...]] = {
    "person": ("person", "person", "people", "name of a person", "human", "person name", "PER"),
    "organisation": ("organisation", "organization", "organisations", "ORG", "name of an organisation"),
    "location": ("location", "location", "place", "place", "places", "geographical place", "LOC", "place name"),
    "corporation": ("corporation", "company", "company", "companies", "business"),
    "company": ("company", "company", "companies", "business", "corporation"),
    "country": ("country", "country", "countries", "nation"),
    "city": ("city", "city", "cities", "town or city"),
    "product": ("product", "products", "product name"),
    "creative work": ("creative work", "work of art", "title of a work"),
    "date": ("date", "date", "dates", "day or date"),
    "disease": ("disease", "diseases", "illness", "medical condition", "disorder"),
    "researcher": ("researcher", "researchers", "scientist"),
    "scientist": ("scientist", "scientists", "researcher"),
    "politician": ("politician", "politicians", "political figure"),
    "writer": ("writer", "author", "writers", "authors"),
    "university": ("university", "universities", "university or college"),
    "political party": ("political party", "party", "political parties"),
    "election": ("election", "elections", "vote"),
    "event": ("event", "events"),
    "award": ("award", "prize", "awards"),
    "book": ("book", "books", "title of a book"),
    "poem": ("poem", "poems"),
    "magazine": ("magazine", "magazines"),
    "literary genre": ("literary genre", "genre of literature"),
    "conference": ("conference", "conferences", "scientific conference"),
    "programming language": ("programming language", "programming languages", "language for programs"),
    "algorithm": ("algorithm", "algorithms"),
    "field": ("field", "field of research", "research area"),
    "task": ("task", "research task"),
    "metrics": ("metrics", "metric", "measure"),
    "academic journal": ("academic journal", "journal", "scientific journal"),
    "astronomical object": ("astronomical object", "celestial body", "object in space"),
    "chemical compound": ("chemical compound", "compound", "chemical compounds"),
    "chemical element": ("chemical element", "element", "chemical elements"),
    "protein": ("protein", "proteins"),
    "enzyme": ("enzyme", "enzymes"),
    "discipline": ("discipline", "academic discipline", "science"),
    "theory": ("theory", "theories"),
    # relations
    "lives in": ("lives in", "resides in", "place of residence", "lived in"),
    "works for": ("works for", "is employed by", "employer", "worked for"),
    "is based in": ("is based in", "headquartered in", "has its seat in", "based in"),
    "located in": ("located in", "is located in", "lies in"),
    "kills": ("kills", "killed", "murdered"),
    "causes": ("causes", "leads to", "results in", "cause of"),
    "is part of": ("is part of", "part of", "component of"),
    "is contained in": ("is contained in", "is inside", "contained in"),
    "is moved to": ("is moved to", "goes to", "is put into"),
    "comes from": ("comes from", "originates from", "origin"),
    "is used by": ("is used by", "used by", "is a tool of"),
    "is member of": ("is member of", "member of", "belongs to"),
    "is about": ("is about", "has the topic", "deals with"),
    "is produced by": ("is produced by", "made by", "produced by"),
    "founder of": ("founder of", "founded"),
    "is married to": ("is married to", "spouse", "spouse of"),
    "visits": ("visits", "visited", "travels to"),
    "acquires": ("acquires", "bought", "acquired"),
}
"""Names for a label, all true of whatever has the label; the frequent ones stand twice."""

_SIZES = (1, 2, 2, 3, 3, 3, 4, 4, 5, 6, 8)
_ALL_LABELS, _ABSENT_ONLY, _KEPT, _CASES = 0.3, 0.12, 0.8, (0.9, 0.97)


def vary(annotation: Annotation, types: Sequence[str], task: str, rng: random.Random) -> tuple[Annotation, Labels]:
    """Draw other labels for a sentence.

    Args:
        annotation: What is annotated in the sentence, its labels in words.
        types: All labels of the data set for the task, in words.
        task: A task of entities or relations.
        rng: Decides the labels and their names.

    Returns:
        The annotation with the drawn labels, and these labels: what has none of them is left out.
    """
    if rng.random() < _ALL_LABELS:
        return annotation, Labels(tuple(types))
    entities = task in schema.ENTITY_TASKS
    chains = {m: _chain(m, annotation.entities) for m in annotation.entities} if entities else {}
    true_chains = list(chains.values()) if entities else [(r.type,) for r in annotation.relations]
    pool = _offerable(types, annotation.entities) if entities else list(types)
    names = _name_labels(_sample_labels(pool, true_chains, rng), rng)
    if entities:
        labelled = ((m, _first_offered(chain, names)) for m, chain in chains.items())
        varied = Annotation(entities=tuple(replace(m, type=names[label]) for m, label in labelled if label))
    else:
        related = (r for r in annotation.relations if r.type in names)
        varied = Annotation(relations=tuple(Relation(names[r.type], r.head, r.tail) for r in related))
    return varied, Labels(tuple(names.values()))


def _chain(mention: Mention, entities: Sequence[Mention]) -> tuple[str, ...]:
    """All labels that hold for a mention, the most specific one first."""
    chain = [mention.type]
    if mention.type == "location" and (kind := kind_of_place(mention.text)) in ("city", "country"):
        chain.insert(0, kind)
    elif mention.type == "organisation" and kind_of_organisation(mention.text) == "company":
        chain.insert(0, "company")
    while more_general := MORE_GENERAL.get(chain[-1]):
        chain.append(more_general)
    return tuple(chain)


def _offerable(types: Sequence[str], entities: Sequence[Mention]) -> list[str]:
    """The labels whose mentions are all known in a sentence: those of the data set, more general and finer ones."""
    labels = [label for label in types if label not in TOO_VAGUE]
    labels += [label for label, parts in COMPLETE_GENERAL.items() if label not in types and parts <= set(types)]
    places = [m.text for m in entities if m.type == "location"]
    if "location" in types and all(map(kind_of_place, places)):
        labels += [label for label in ("city", "country") if label not in types]
    organisations = [m.text for m in entities if m.type == "organisation"]
    if "organisation" in types and "company" not in types and all(map(kind_of_organisation, organisations)):
        labels.append("company")
    return labels


def _sample_labels(pool: Sequence[str], true_chains: Iterable[Sequence[str]], rng: random.Random) -> list[str]:
    """Labels to offer: most of the sentence's own, at a drawn level, and others; or, rarely, only others."""
    chains = sorted({tuple(label for label in chain if label in pool) for chain in true_chains})
    true = {label for chain in chains for label in chain}
    others = [label for label in pool if label not in true]
    size = min(rng.choice(_SIZES), len(pool))
    if others and rng.random() < _ABSENT_ONLY:
        return rng.sample(others, min(size, len(others)))
    drawn = {rng.choice(chain) for chain in chains if chain and rng.random() < _KEPT}
    chosen = rng.sample(sorted(drawn), min(size, len(drawn)))
    if not (chosen or others):
        chosen = [rng.choice(sorted(true))]
    return chosen + rng.sample(others, min(max(size - len(chosen), 0 if chosen else 1), len(others)))


def _name_labels(labels: Iterable[str], rng: random.Random) -> dict[str, str]:
    """A name for each label, in one case; no two labels get the same name."""
    case = rng.random()
    write = str if case < _CASES[0] else str.capitalize if case < _CASES[1] else str.upper
    names: dict[str, str] = {}
    for label in labels:
        name = rng.choice(NAMES.get(label, (label,)))
        if name.casefold() in map(str.casefold, names.values()):
            name = label
        if name.islower():  # not ORG
            name = write(name)
        if name.casefold() not in map(str.casefold, names.values()):
            names[label] = name
    return names


def _first_offered(chain: Sequence[str], names: Mapping[str, str]) -> str:
    return next((label for label in chain if label in names), "")
