"""Lists that say nothing too often: the automaton beside the definition, and no dead ends."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable

from kit import states

from instructzoo.core.infer.grammar import Grammar, choice, either, literal, many, permits, seq, span
from instructzoo.core.infer.no_repeat import NonRepeatingList

ITEMS = ["a", "ab", "abc", "b", "ba", "é"]


def lists(some: list[str]) -> Grammar:
    return Grammar(seq(choice(("", " ")), either(literal("no"), many(choice(some), "; "))))


def limits(draw: random.Random) -> Callable[[str], int]:
    often = {item: draw.randrange(3) for item in ITEMS}  # 0 counts as 1
    return lambda item: often.get(item, 1)


def test_a_list_repeats_each_item_up_to_its_limit_and_no_further() -> None:
    draw, judged = random.Random(2), Counter[bool]()
    for _ in range(30):
        some, often = draw.sample(ITEMS, draw.randrange(1, 5)), limits(draw)
        grammar = lists(some)
        made = NonRepeatingList(grammar, "; ", often)
        assert permits(made, "no") and permits(made, " no")
        for _ in range(60):
            said = draw.choices(some, k=draw.randrange(1, 6))
            true = all(n <= max(1, often(item)) for item, n in Counter(said).items())
            for lead in ("", " "):
                assert permits(made, lead + "; ".join(said)) == true, (some, said)
            judged[true] += 1
        for other in ("", "a;", "a; ", "; a", "no; a", "a; no", "a;b"):
            assert not permits(made, other)
    assert min(judged[True], judged[False]) > 300


def test_no_state_of_a_distinct_list_is_a_dead_end() -> None:
    """Where all but one item are said, only the letters of that one are left; where all are, only the end."""
    draw = random.Random(3)
    for _ in range(12):
        some = draw.sample(ITEMS, draw.randrange(1, 4))
        made = NonRepeatingList(lists(some), "; ", lambda item: 1)
        assert all(made.accepts(place) or made.following(place) for place in states(made)), some


def test_a_shorter_span_at_its_limit_does_not_bar_a_longer_one() -> None:
    pair = seq(choice(["x", "y"]), literal(": "), span("Ann Lee saw Ann", {";": None}))
    made = NonRepeatingList(Grammar(many(pair, "; ")), "; ", lambda item: 2 if item.endswith(": Ann") else 1)
    for text in (
        "x: Ann; x: Ann Lee",
        "x: Ann; x: Ann; y: Ann",
        "x: Ann Lee; x: Ann; x: Ann",
        "x: Ann; x: Ann; x: Lee",
    ):
        assert permits(made, text), text
    for text in (
        "x: Ann; x: Ann; x: Ann",
        "x: Lee; x: Lee",
        "x: Ann; y: Lee; x: Ann; x: Ann",
        "x: Lee; y: Ann; x: Lee",
    ):
        assert not permits(made, text), text


def spellings(item: str) -> tuple[str, ...]:
    return ("a", "'a'") if item in ("a", "'a'") else ()


def test_another_spelling_counts_as_the_same_item() -> None:
    made = NonRepeatingList(Grammar(many(choice(["a", "'a'", "b"]), "; ")), "; ", lambda item: 1, spellings)
    assert permits(made, "a; b") and permits(made, "'a'; b")
    assert not permits(made, "a; 'a'") and not permits(made, "'a'; b; a")
