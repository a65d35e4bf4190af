"""Lists without repeated items: the automaton agrees with the definition and has no dead ends."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable

from kit import states

from instructzoo.core.infer.grammar import Grammar, choice, either, literal, many, permits, seq, span
from instructzoo.core.infer.no_repeat import NonRepeatingList

ITEMS = ["a", "ab", "abc", "b", "ba", "é"]


def lists(items: list[str]) -> Grammar:
    return Grammar(seq(choice(("", " ")), either(literal("no"), many(choice(items), "; "))))


def limits(draw: random.Random) -> Callable[[str], int]:
    max_count = {item: draw.randrange(3) for item in ITEMS}  # 0 counts as 1
    return lambda item: max_count.get(item, 1)


def test_a_list_repeats_each_item_up_to_its_limit_and_no_further() -> None:
    draw, verdicts = random.Random(2), Counter[bool]()
    for _ in range(30):
        items, max_count = draw.sample(ITEMS, draw.randrange(1, 5)), limits(draw)
        grammar = lists(items)
        constraint = NonRepeatingList(grammar, "; ", max_count)
        assert permits(constraint, "no") and permits(constraint, " no")
        for _ in range(60):
            answer_items = draw.choices(items, k=draw.randrange(1, 6))
            permitted = all(n <= max(1, max_count(item)) for item, n in Counter(answer_items).items())
            for lead in ("", " "):
                assert permits(constraint, lead + "; ".join(answer_items)) == permitted, (items, answer_items)
            verdicts[permitted] += 1
        for malformed in ("", "a;", "a; ", "; a", "no; a", "a; no", "a;b"):
            assert not permits(constraint, malformed)
    assert min(verdicts[True], verdicts[False]) > 300


def test_no_state_of_a_non_repeating_list_is_a_dead_end() -> None:
    """If all items but one are used up, only that one can follow; if all are, the list must end."""
    draw = random.Random(3)
    for _ in range(12):
        items = draw.sample(ITEMS, draw.randrange(1, 4))
        constraint = NonRepeatingList(lists(items), "; ", lambda item: 1)
        assert all(constraint.accepts(state) or constraint.transitions(state) for state in states(constraint)), items


def test_a_shorter_span_at_its_limit_does_not_exclude_a_longer_one() -> None:
    pair = seq(choice(["x", "y"]), literal(": "), span("Ann Lee saw Ann", {";": None}))
    constraint = NonRepeatingList(Grammar(many(pair, "; ")), "; ", lambda item: 2 if item.endswith(": Ann") else 1)
    for text in (
        "x: Ann; x: Ann Lee",
        "x: Ann; x: Ann; y: Ann",
        "x: Ann Lee; x: Ann; x: Ann",
        "x: Ann; x: Ann; x: Lee",
    ):
        assert permits(constraint, text), text
    for text in (
        "x: Ann; x: Ann; x: Ann",
        "x: Lee; x: Lee",
        "x: Ann; y: Lee; x: Ann; x: Ann",
        "x: Lee; y: Ann; x: Lee",
    ):
        assert not permits(constraint, text), text


def spellings(item: str) -> tuple[str, ...]:
    return ("a", "'a'") if item in ("a", "'a'") else ()


def test_another_spelling_counts_as_the_same_item() -> None:
    constraint = NonRepeatingList(Grammar(many(choice(["a", "'a'", "b"]), "; ")), "; ", lambda item: 1, spellings)
    assert permits(constraint, "a; b") and permits(constraint, "'a'; b")
    assert not permits(constraint, "a; 'a'") and not permits(constraint, "'a'; b; a")
