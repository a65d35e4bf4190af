"""The microworld of reviews: what it says is in the text, its splits are disjoint, its settings are obeyed."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

import pytest

from instructzoo.absa import prompts, world
from instructzoo.absa.schema import TASKS, Quad, from_json
from instructzoo.absa.world import clause_templates, lexicon
from instructzoo.core.errors import ZooError
from instructzoo.core.recipe import validate_part
from instructzoo.core.record import Row


def settings(**values: Any) -> world.Settings:
    made: world.Settings = validate_part(world.Settings, values, "data.world")
    return made


def rows(n: int, seed: int = 0, split: str = "train", **values: Any) -> list[Row]:
    return list(world.generate(n, seed, split, settings(**values)))


def quads(made: list[Row]) -> list[Quad]:
    return [quad for row in made for quad in from_json(row["gold"])]


ASQP = {"tasks": ["asqp"]}


def test_every_span_occurs_in_its_review_from_the_start_of_a_word() -> None:
    for row in rows(3000, **ASQP):
        text = f" {row['input']} "
        for quad in from_json(row["gold"]):
            for span in (quad.aspect, quad.opinion):
                if span is None:
                    continue
                begin = text.find(span)
                assert begin >= 0, row
                assert not (text[begin - 1].isalnum() or text[begin + len(span)].isalnum()) or f" {span}" in text, row


def test_outputs_parse_back_to_their_gold_tuples() -> None:
    for row in rows(1500):
        found = prompts.parse(row["output"], row)
        assert isinstance(found, prompts.Answer) and list(found.quads) == from_json(row["gold"])
        assert row["item"] == prompts.item_of(row["input"]) and "{" not in row["input"]


def test_splits_are_disjoint_and_evaluation_splits_repeat_no_review() -> None:
    parts = [{r["item"] for r in rows(1500, seed, split)} for seed, split in enumerate(world.SPLITS)]
    assert all(parts) and not parts[0] & parts[1] and not parts[0] & parts[2] and not parts[1] & parts[2]
    for split in ("validation", "test"):
        assert len({r["item"] for r in rows(800, 0, split)}) == 800


def test_a_larger_draw_starts_with_the_smaller_one() -> None:
    assert rows(300, 4)[:100] == rows(100, 4)


def test_every_term_and_opinion_of_the_lexicon_has_one_meaning() -> None:
    """The truth is known only where topic and opinion decide it."""
    everywhere = Counter(term.rstrip("*") for topics in lexicon.TOPICS.values() for t in topics for term in t.terms)
    assert [term for term, n in everywhere.items() if n > 1] == []
    for topics in lexicon.TOPICS.values():
        for topic in topics:
            said = Counter(
                words
                for opinions in topic.attributes.values()
                for words in (*opinions.positive, *opinions.negative, *opinions.neutral)
            )
            assert [words for words, n in said.items() if n > 1] == [], topic.entity


def test_no_clause_template_is_listed_twice() -> None:
    """No template is written for two categories, sentiments or kinds."""
    every = [
        template
        for lists in (clause_templates.IMPLICIT_OPINION, clause_templates.IMPLICIT_BOTH)
        for sides in lists.values()
        for side in sides
        for template in side
    ]
    every += [template for templates in clause_templates.IMPLICIT_ASPECT.values() for template in templates]
    every += [
        *clause_templates.PREDICATE,
        *clause_templates.ATTRIBUTIVE,
        *clause_templates.NO_OPINION["restaurant"],
        *clause_templates.NO_OPINION["laptop"],
    ]
    assert [template for template, n in Counter(every).items() if n > 1] == []


def test_every_category_of_a_clause_is_in_the_lexicon() -> None:
    known = {f"{t.entity}#{a}" for topics in lexicon.TOPICS.values() for t in topics for a in t.attributes}
    for lists in (clause_templates.IMPLICIT_ASPECT, clause_templates.IMPLICIT_OPINION, clause_templates.IMPLICIT_BOTH):
        assert set(lists) <= known


def test_the_world_covers_the_hard_cases() -> None:
    """Implied elements, neutral words, negation, several tuples and none at all: all of them occur."""
    made = rows(4000, **ASQP)
    found = quads(made)
    kinds = Counter((quad.aspect is None, quad.opinion is None) for quad in found)
    assert min(kinds[pair] for pair in ((False, True), (True, False), (True, True))) > 0.02 * len(found)
    assert {quad.sentiment for quad in found} == {"positive", "negative", "neutral"}
    assert len({quad.category for quad in found if quad.category}) > 35
    assert any(quad.opinion and quad.opinion.startswith("not ") for quad in found)
    sizes = Counter(len(from_json(row["gold"])) for row in made)
    assert all(sizes[n] > 50 for n in range(5)) and max(sizes) == 4
    assert len({row["item"] for row in made}) > 0.95 * len(made)
    assert len({quad.aspect for quad in found}) > 500


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
    shares = [sum(q.opinion is None for q in quads(rows(800, implicit=s, **ASQP))) for s in (0.1, 0.3, 0.5)]
    assert all(one < other for one, other in pairwise(shares))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"tasks": []}, "data.world: tasks"),
        ({"tasks": ["asqb"]}, "asqb"),
        ({"tasks": ["ae"], "weights": {"asqp": 2}}, "weights names asqp"),
        ({"tuples": 0}, "data.world: tuples"),
        ({"domain": "laptop"}, 'did you mean "domains"'),
    ],
)
def test_an_invalid_setting_is_an_error(values: dict[str, Any], said: str) -> None:
    with pytest.raises(ZooError, match=said):
        settings(**values)


def test_an_unknown_split_is_an_error() -> None:
    with pytest.raises(ZooError, match='did you mean "test"'):
        world.generate(1, 0, "tests")
