"""Labels to begin with, those of the microworld's four fields, and a text for each; labels that a model has seen."""

from __future__ import annotations

from typing import NamedTuple

from instructzoo.core.recipe import Recipe
from instructzoo.uie.world import entity_names, fact_templates

EXAMPLES = {
    "Companies": "Lenkeld Systems of Wainston bought Hoanzem Motors. Halwon Dolkel, who lives in Nostreld, works for "
    "Lenkeld Systems.",
    "Sports": "Tenstal Hondol moved from Pesdey Rovers to Zainnel United. Zainnel United beat Pesdey Rovers on Friday.",
    "Science": "Halwon Dolkel, a chemist at Kanroven University, discovered Berkalol. Officials said Berkalol treats "
    "zelzesitis.",
    "Incidents": "Police arrested Por Dolkel in Wainston. Halwon Rulboan, who is married to Por Dolkel, lives in "
    "Nostreld, a town in Breldstorstan.",
}
"""Sentences that the microworld might say, with made-up names that no training row has."""


class Preset(NamedTuple):
    """What the editor of labels holds, as a person would write it, and a text that it fits."""

    entities: str
    relations: str
    events: str
    example: str


def presets() -> dict[str, Preset]:
    """The fields by name."""
    fields = (fact_templates.COMPANIES, fact_templates.SPORTS, fact_templates.SCIENCE, fact_templates.INCIDENTS)
    return {name: _preset(facts, text) for facts, (name, text) in zip(fields, EXAMPLES.items(), strict=True)}


def trained_labels(recipe: Recipe) -> tuple[str, ...]:
    """Labels that a model of the microworld has seen; empty where a corpus was among its rows, whose labels vary."""
    if set(recipe.data.sources) != {"world"}:
        return ()
    roles = fact_templates.event_roles()
    return tuple(
        dict.fromkeys(
            (
                *entity_names.TYPES,
                *fact_templates.relation_labels(),
                *roles,
                *(role for each in roles.values() for role in each),
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
