"""The demo's examples, texts with labels to look for, as the model knows them; and the labels seen in training."""

from __future__ import annotations

from typing import NamedTuple

from instructzoo.core.recipe import Recipe
from instructzoo.uie.world import entity_names, fact_templates

EXAMPLES = {
    "Companies": "Lenkeld Systems has bought Hoanzem Motors. Halwon Dolkel works for Lenkeld Systems, which is based "
    "in Wainston.",
    "Sports": "Tenstal Hondol moved from Pesdey Rovers to Zainnel United. Zainnel United beat Pesdey Rovers on Friday.",
    "Science": "Halwon Dolkel, a chemist at Kanroven University, discovered Berkalol. Officials said Berkalol treats "
    "zelzesitis.",
    "Incidents": "Police arrested Por Dolkel in Wainston on Friday. Halwon Rulboan lives in Nostreld.",
}
"""Texts such as the microworld generates, with names that occur in no training row."""


class Preset(NamedTuple):
    """The contents of the three label boxes, as a person would write them, and a text for them."""

    entities: str
    relations: str
    events: str
    example: str


EVERYDAY = {
    "News": Preset(
        "person, company, city", "", "", "Tim Cook, the chief executive of Apple, visited Paris on Monday."
    ),
    "Who works where": Preset(
        "person, organisation, location", "works for, lives in, is based in", "",
        "Satya Nadella, chairman of Microsoft, visited Berlin. Microsoft is based in Redmond.",
    ),
    "Side effects": Preset(
        "disease", "", "adverse event: subject, treatment, effect",
        "A 62-year-old man with diabetes developed a severe rash after treatment with penicillin.",
    ),
    "Studies": Preset(
        "person, city, university", "", "", "Marie Curie left Warsaw and studied at the Sorbonne in Paris."
    ),
    "Research": Preset(
        "algorithm, task, researcher", "", "",
        "Yann LeCun used convolutional neural networks for handwriting recognition.",
    ),
}  # fmt: skip
"""Examples for a model of real texts; the first is the one that the page opens with."""


def presets() -> dict[str, Preset]:
    """The presets by the name of their topic."""
    topics = (fact_templates.COMPANIES, fact_templates.SPORTS, fact_templates.SCIENCE, fact_templates.INCIDENTS)
    return {name: _preset(facts, text) for facts, (name, text) in zip(topics, EXAMPLES.items(), strict=True)}


def presets_for(recipe: Recipe) -> dict[str, Preset]:
    """Examples that a model can answer."""
    return presets_of(knows_made_up_world_only(recipe))


def presets_of(made_up: bool) -> dict[str, Preset]:
    """Examples of the microworld, or those of everyday texts."""
    return presets() if made_up else EVERYDAY


def knows_made_up_world_only(recipe: Recipe) -> bool:
    """Whether a model was trained on the microworld and on nothing else."""
    return set(recipe.data.sources) == {"world"}


def trained_labels(recipe: Recipe) -> tuple[str, ...]:
    """The labels that a model of the microworld has seen; empty where it was trained on a corpus, whose labels vary."""
    if not knows_made_up_world_only(recipe):
        return ()
    roles = fact_templates.event_roles()
    return tuple(
        dict.fromkeys(
            (
                *entity_names.TYPES,
                *fact_templates.relation_labels(),
                *roles,
                *(role for event_roles in roles.values() for role in event_roles),
            )
        )
    )


def _preset(facts: tuple[fact_templates.Fact, ...], text: str) -> Preset:
    entities = dict.fromkeys(type for fact in facts for type in fact.slots.values())
    relations = dict.fromkeys(label for fact in facts for label, _, _ in fact.relations)
    events: dict[str, dict[str, None]] = {}
    for fact in facts:
        if fact.event:
            events.setdefault(fact.event, {}).update(dict.fromkeys(fact.roles.values()))
    lines = [f"{event}: {', '.join(roles)}" for event, roles in events.items()]
    return Preset(", ".join(entities), ", ".join(relations), "\n".join(lines), text)
