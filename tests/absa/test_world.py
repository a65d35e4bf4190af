"""The microworld of reviews: spans are in the text, splits are disjoint, every setting takes effect."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

import pytest

from instructzoo.absa import prompts, world
from instructzoo.absa.schema import TASKS, Quad, from_json
from instructzoo.absa.world import clause_templates, lexicon
from instructzoo.core.data.split import SPLITS
from instructzoo.core.errors import ZooError
from instructzoo.core.recipe import validate_settings
from instructzoo.core.record import Row


def settings(**values: Any) -> world.Settings:
    validated: world.Settings = validate_settings(world.Settings, values, "data.world")
    return validated


def rows(n: int, seed: int = 0, split: str = "train", **values: Any) -> list[Row]:
    return list(world.generate(n, seed, split, settings(**values)))


def quads(rows: list[Row]) -> list[Quad]:
    return [quad for row in rows for quad in from_json(row["gold"])]


ASQP = {"tasks": ["asqp"]}


def test_every_span_occurs_in_its_review_from_the_start_of_a_word() -> None:
    for row in rows(3000, **ASQP):
        text = f" {row['input']} "
        for quad in from_json(row["gold"]):
            for span in (quad.aspect, quad.opinion):
                if span is None:
                    continue
                start = text.find(span)
                assert start >= 0, row
                assert not (text[start - 1].isalnum() or text[start + len(span)].isalnum()) or f" {span}" in text, row


def test_outputs_parse_back_to_their_gold_tuples() -> None:
    for row in rows(1500):
        answer = prompts.parse(row["output"], row)
        assert isinstance(answer, prompts.Answer) and list(answer.quads) == from_json(row["gold"])
        assert row["item"] == prompts.item_of(row["input"]) and "{" not in row["input"]


def test_splits_are_disjoint_and_evaluation_splits_repeat_no_review() -> None:
    train, validation, test = ({r["item"] for r in rows(1500, seed, split)} for seed, split in enumerate(SPLITS))
    assert train and validation and test
    assert not train & validation and not train & test and not validation & test
    for split in ("validation", "test"):
        assert len({r["item"] for r in rows(800, 0, split)}) == 800


def test_a_larger_draw_starts_with_the_smaller_one() -> None:
    assert rows(300, 4)[:100] == rows(100, 4)


def test_every_term_and_opinion_of_the_lexicon_has_one_meaning() -> None:
    """The gold category is known only where topic and opinion term determine it."""
    terms = Counter(term.rstrip("*") for topics in lexicon.TOPICS.values() for t in topics for term in t.terms)
    assert [term for term, n in terms.items() if n > 1] == []
    for topics in lexicon.TOPICS.values():
        for topic in topics:
            opinion_terms = Counter(
                words
                for opinions in topic.attributes.values()
                for words in (*opinions.positive, *opinions.negative, *opinions.neutral)
            )
            assert [words for words, n in opinion_terms.items() if n > 1] == [], topic.entity


def test_no_clause_template_is_listed_twice() -> None:
    """No template belongs to two categories, sentiments or kinds of clause."""
    templates = [
        template
        for lists in (clause_templates.IMPLICIT_OPINION, clause_templates.IMPLICIT_BOTH)
        for by_sentiment in lists.values()
        for of_sentiment in by_sentiment
        for template in of_sentiment
    ]
    templates += [
        template
        for templates_of_category in clause_templates.IMPLICIT_ASPECT.values()
        for template in templates_of_category
    ]
    templates += [
        *clause_templates.PREDICATE,
        *clause_templates.ATTRIBUTIVE,
        *clause_templates.NO_OPINION["restaurant"],
        *clause_templates.NO_OPINION["laptop"],
    ]
    assert [template for template, n in Counter(templates).items() if n > 1] == []


def test_every_category_of_a_clause_is_in_the_lexicon() -> None:
    categories = {f"{t.entity}#{a}" for topics in lexicon.TOPICS.values() for t in topics for a in t.attributes}
    for lists in (clause_templates.IMPLICIT_ASPECT, clause_templates.IMPLICIT_OPINION, clause_templates.IMPLICIT_BOTH):
        assert set(lists) <= categories


def test_the_world_covers_the_hard_cases() -> None:
    """Implicit elements, neutral words, negation, several tuples and none at all: all of them occur."""
    generated = rows(4000, **ASQP)
    all_quads = quads(generated)
    kinds = Counter((quad.aspect is None, quad.opinion is None) for quad in all_quads)
    assert min(kinds[pair] for pair in ((False, True), (True, False), (True, True))) > 0.02 * len(all_quads)
    assert {quad.sentiment for quad in all_quads} == {"positive", "negative", "neutral"}
    assert len({quad.category for quad in all_quads if quad.category}) > 35
    assert any(quad.opinion and quad.opinion.startswith("not ") for quad in all_quads)
    sizes = Counter(len(from_json(row["gold"])) for row in generated)
    assert all(sizes[n] > 50 for n in range(5)) and max(sizes) == 4
    assert len({row["item"] for row in generated}) > 0.95 * len(generated)
    assert len({quad.aspect for quad in all_quads}) > 500


def test_every_setting_takes_effect() -> None:
    assert {r["task"] for r in rows(200)} == set(TASKS)
    assert {r["task"] for r in rows(200, tasks=["ae", "aste"])} == {"ae", "aste"}
    weighed = Counter(r["task"] for r in rows(1000, weights={"asqp": 6}))
    assert 500 < weighed["asqp"] < 700
    assert {r["domain"] for r in rows(100)} == {"restaurant", "laptop"}
    assert {r["domain"] for r in rows(100, domains=["laptop"])} == {"laptop"}
    assert max(len(from_json(r["gold"])) for r in rows(500, tuples=2, **ASQP)) == 2
    plain = rows(500, implicit=0, quiet=0, **ASQP)
    assert all(q.aspect and q.opinion for q in quads(plain)) and all(from_json(r["gold"]) for r in plain)
    fractions = [sum(q.opinion is None for q in quads(rows(800, implicit=s, **ASQP))) for s in (0.1, 0.3, 0.5)]
    assert all(lower < higher for lower, higher in pairwise(fractions))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"tasks": []}, "data.world: tasks"),
        ({"tasks": ["asqb"]}, "asqb"),
        ({"tasks": ["ae"], "weights": {"asqp": 2}}, "weights names asqp"),
        ({"tuples": 0}, "data.world: tuples"),
        ({"domain": "laptop"}, 'did you mean "domains"'),
    ],
)
def test_an_invalid_setting_is_an_error(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ZooError, match=message):
        settings(**values)


def test_an_unknown_split_is_an_error() -> None:
    with pytest.raises(ZooError, match='did you mean "test"'):
        world.generate(1, 0, "tests")
