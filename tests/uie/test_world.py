"""The microworld of extraction: annotations are exact, and splits share no template and no word of a name."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

import pytest

from instructzoo.core.errors import ZooError
from instructzoo.core.recipe import validate_settings
from instructzoo.uie import schema, world
from instructzoo.uie.schema import Annotation, Mention
from instructzoo.uie.world import entity_names, fact_templates

FIXED = {"Corp", "Group", "Motors", "Systems", "Bank", "Foods", "Pro", "Mini", "Port", "Falls", "Republic", "Wolves"}
FIXED |= {"United", "Tigers", "Rovers", "Stars", "University", "Institute", "College", "Dr.", "X", "&", "of", "7", "40"}
FIXED |= {"fever", "syndrome"}


def settings(**values: Any) -> world.Settings:
    valid: world.Settings = validate_settings(world.Settings, values, "data.world")
    return valid


def mentions(truth: Annotation) -> list[Mention]:
    spans = [*truth.entities, *(side for r in truth.relations for side in (r.head, r.tail))]
    for event in truth.events:
        spans += [event.trigger, *event.arguments] if event.trigger.text else event.arguments
    return spans


def name_words(rows: list[dict[str, Any]]) -> set[str]:
    """All words of the names of entities."""
    spans = (m.text for row in rows for m in schema.from_json(row["gold"]).entities)
    return {word.lower() for span in spans for word in span.split() if word not in FIXED}


def template(row: dict[str, Any]) -> str:
    """The sentence with every name replaced by its type, from the truth of a question that offers all types."""
    text, shift = row["input"], 0
    for m in schema.from_json(row["gold"]).entities:
        text = f"{text[: m.start + shift]}<{m.type}>{text[m.end + shift :]}"
        shift = len(text) - len(row["input"])
    return str(text)


@pytest.mark.parametrize("split", world.SPLITS)
def test_every_offset_points_at_its_mention(split: str) -> None:
    for row in world.generate(600, 1, split):
        for m in mentions(schema.from_json(row["gold"])):
            assert row["input"][m.start : m.end] == m.text != ""


def test_splits_share_no_template_and_no_word_of_a_name() -> None:
    all_labels = settings(tasks={"ner": 1}, dropped=0, negatives=[9, 9], empty=0)
    rows_by_split = {split: list(world.generate(1500, 3, split, all_labels)) for split in world.SPLITS}
    words = {split: name_words(rows) for split, rows in rows_by_split.items()}
    templates = {split: {template(row) for row in rows} for split, rows in rows_by_split.items()}
    assert len(words["test"]) > 1000 and len(templates["test"]) > 300
    for a, b in (("train", "test"), ("train", "validation"), ("validation", "test")):
        assert not words[a] & words[b]
        assert not templates[a] & templates[b]


def test_train_and_test_share_no_item_across_seeds_and_settings() -> None:
    train_items = {r["item"] for r in world.generate(1500, 0, "train", settings(empty=1, tasks={"ner": 1, "re": 1}))}
    test_items = {r["item"] for r in world.generate(20, 9, "test", settings(empty=1, tasks={"ee": 1}))}
    assert train_items and test_items and not train_items & test_items


def test_a_larger_draw_starts_with_the_smaller_one() -> None:
    rows = list(world.generate(60, 7, "test"))
    assert list(world.generate(10, 7, "test")) == rows[:10]
    assert list(world.generate(10, 8, "test")) != rows[:10]
    assert list(world.generate(10, 7, "validation")) != rows[:10]


def test_options_include_gold_labels_and_offer_labels_without_an_answer() -> None:
    """Some labels on offer are absent from the sentence, and some of its labels are not on offer."""
    rows = list(world.generate(1500, 0, "train", settings(tasks={"ner": 1, "re": 1})))
    none = sum(row["output"] == "None" for row in rows)
    assert 0.1 < none / len(rows) < 0.6
    for row in rows:
        truth, options = schema.from_json(row["gold"]), json.loads(row["options"])
        gold_labels = {m.type for m in truth.entities} | {r.type for r in truth.relations}
        assert gold_labels <= set(options) and len(set(options)) == len(options)
    assert sum(len(json.loads(r["options"])) > 1 for r in rows) > 0.8 * len(rows)


def test_every_label_role_and_task_occurs() -> None:
    rows = list(world.generate(6000, 0, "train"))
    labels: Counter[str] = Counter()
    for row in rows:
        truth = schema.from_json(row["gold"])
        labels.update(m.type for m in truth.entities)
        labels.update(r.type for r in truth.relations)
        labels.update(e.type for e in truth.events)
        labels.update(m.type for e in truth.events for m in e.arguments)
    roles = fact_templates.event_roles()
    expected = {
        *entity_names.TYPES,
        *fact_templates.relation_labels(),
        *roles,
        *(role for rs in roles.values() for role in rs),
    }
    assert expected <= set(labels)
    assert {row["task"] for row in rows} == set(schema.TASKS)
    assert len({row["input"] for row in rows}) > 5900


def test_every_pattern_has_all_its_slots_and_its_trigger() -> None:
    facts = [fact for field in fact_templates.TOPICS for fact in field]
    asides = [fact for facts_of_type in fact_templates.ASIDES.values() for fact in facts_of_type]
    for fact in (*facts, *asides):
        for pattern in fact.patterns:
            assert set(re.findall(r"<(\w+)>", pattern)) == set(fact.slots), pattern
            assert len(re.findall(r"\[[^]]+\]", pattern)) == (1 if fact.event else 0), pattern
            assert pattern.count("<") == len(fact.slots), pattern
        assert set(fact.roles) <= set(fact.slots) and bool(fact.roles) == bool(fact.event)
        assert {slot for _, head, tail in fact.relations for slot in (head, tail)} <= {*fact.slots, "self"}
        assert set(fact.slots.values()) <= set(entity_names.TYPES)


def test_sentences_are_capitalized_and_cleanly_punctuated() -> None:
    for row in world.generate(2000, 2, "train"):
        text = row["input"]
        assert text[0].isupper() and text.endswith(".")
        assert not re.search(r"[,.;]{2}| [,.;]|  |[<>|\[\]]|\((?!s)", text.replace("Dr.", "Dr")), text


def test_invalid_settings_and_splits_are_errors() -> None:
    for values, message in [
        ({"tasks": {"nerd": 1}}, "nerd"),
        ({"tasks": {"ner": 0}}, "weight"),
        ({"tasks": {}}, "weight"),
        ({"tasks": {"eea": 1}, "empty": 1}, "empty"),
        ({"two": 2}, "data.world.two|two"),
        ({"task": {"ner": 1}}, "did you mean"),
    ]:
        with pytest.raises(ZooError, match=message):
            list(world.generate(1, 0, "train", settings(**values)))
    with pytest.raises(ZooError, match="did you mean"):
        list(world.generate(1, 0, "tests"))
