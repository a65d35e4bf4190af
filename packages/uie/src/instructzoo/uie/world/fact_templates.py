"""The facts of the microworld, each with sentence patterns that express it.

A pattern is text with <slots> for names, one [trigger] where it expresses an event, and (one|another) where a word may
vary. Its annotation follows from its fact: the types of its slots, their relations, their roles in the event.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Fact:
    """A fact, and the sentence patterns that express it; every pattern has all slots.

    slots: the entity type of each slot; relations: (label, head slot, tail slot); event: the event type, "" for none;
    roles: the roles of slots in the event.
    """

    slots: Mapping[str, str]
    patterns: tuple[str, ...]
    relations: tuple[tuple[str, str, str], ...] = ()
    event: str = ""
    roles: Mapping[str, str] = field(default_factory=dict)


COMPANIES = (
    Fact(
        {"a": "company", "b": "company"},
        (
            "<a> (has |)[bought|acquired|purchased] <b>",
            "<a> will [buy|acquire|purchase|take over] <b>",
            "<b> (was|has been|will be) [bought|acquired|taken over] by <a>",
            "the [takeover|purchase] of <b> by <a> (is complete|was approved)",
            "<a> (closed|announced) its [takeover|purchase] of <b>",
        ),
        (("owns", "a", "b"),),
        "acquisition",
        {"a": "buyer", "b": "target"},
    ),
    Fact(
        {"a": "company", "p": "person"},
        (
            "<a> (has |)[hired|appointed|recruited] <p>",
            "<a> will [hire|appoint|recruit] <p>",
            "<p> (was|has been) [hired|appointed|recruited] by <a>",
            "the [appointment|hiring] of <p> by <a> (surprised|pleased) investors",
        ),
        (("works for", "p", "a"),),
        "hiring",
        {"a": "employer", "p": "employee"},
    ),
    Fact(
        {"a": "company", "x": "product"},
        (
            "<a> (has |)[launched|unveiled|released] (the |)<x>",
            "<a> will [launch|unveil|release] the <x>",
            "the <x> (was|has been) [launched|unveiled|released] by <a>",
            "<a> celebrated the [launch|release] of the <x>",
        ),
        (("makes", "a", "x"),),
        "launch",
        {"a": "maker", "x": "product"},
    ),
    Fact(
        {"a": "company", "x": "product"},
        ("<a> (makes|builds|sells) the <x>", "the <x> is (made|built|sold) by <a>", "the <x> comes from <a>"),
        (("makes", "a", "x"),),
    ),
    Fact(
        {"a": "company", "c": "city"},
        (
            "<a> (is|remains) based in <c>",
            "<a> has its (headquarters|main office) in <c>",
            "<c> is home to <a>",
            "the headquarters of <a> are in <c>",
        ),
        (("based in", "a", "c"),),
    ),
    Fact(
        {"a": "company", "p": "person"},
        (
            "<p> works for <a>",
            "<p> is (a manager|an engineer|a lawyer) at <a>",
            "<a> employs <p>",
            "<p> (leads|heads) the sales team of <a>",
        ),
        (("works for", "p", "a"),),
    ),
    Fact(
        {"a": "company", "b": "company"},
        ("<a> owns <b>", "<b> (belongs to|is owned by) <a>", "<b> is a (unit|subsidiary) of <a>"),
        (("owns", "a", "b"),),
    ),
    Fact(
        {"a": "company", "c": "city"},
        ("shares of <a> (rose|fell) in <c>", "<a> (opened|closed) a (plant|shop) in <c>", "<a> held a party in <c>"),
    ),
)

SPORTS = (
    Fact(
        {"a": "team", "b": "team"},
        (
            "<a> [beat|defeated|crushed] <b>",
            "<a> (have|has) [beaten|defeated|crushed] <b>",
            "<b> (were|was) [beaten|defeated|crushed] by <a>",
            "<b> [lost] to <a>",
            "fans cheered the [victory|win] of <a> over <b>",
        ),
        (),
        "match",
        {"a": "winner", "b": "loser"},
    ),
    Fact(
        {"p": "person", "a": "team", "b": "team"},
        (
            "<p> (has |)[moved|switched] from <b> to <a>",
            "<p> [left] <b> for <a>",
            "<a> (have |)[signed] <p> from <b>",
            "the [transfer] of <p> from <b> to <a> is complete",
        ),
        (("plays for", "p", "a"),),
        "transfer",
        {"p": "player", "a": "new team", "b": "old team"},
    ),
    Fact(
        {"p": "person", "a": "team"},
        (
            "<p> plays for <a>",
            "<p> is the (captain|goalkeeper|striker) of <a>",
            "<p> (wears|loves) the shirt of <a> as (a defender|a winger)",
        ),
        (("plays for", "p", "a"),),
    ),
    Fact(
        {"p": "person", "a": "team"},
        ("<p> (coaches|trains) <a>", "<a> (are|is) coached by <p>", "<p> is the (coach|trainer) of <a>"),
        (("coach of", "p", "a"),),
    ),
    Fact(
        {"p": "person", "c": "country"},
        ("<p> was born in <c>", "<p> (is|comes) from <c>", "<c> is the birthplace of <p>"),
        (("born in", "p", "c"),),
    ),
    Fact(
        {"a": "team", "c": "city"},
        ("<a> (rest|train) in <c> this week", "tickets for <a> sold out in <c>", "<a> will (play|travel) in <c>"),
    ),
)

SCIENCE = (
    Fact(
        {"d": "drug", "s": "disease"},
        (
            "<d> (treats|cures|relieves) <s>",
            "<s> is (treated|cured) with <d>",
            "doctors give <d> (against|for) <s>",
            "patients with <s> take <d>",
        ),
        (("treats", "d", "s"),),
    ),
    Fact(
        {"d": "drug", "s": "disease"},
        (
            "<d> (can cause|causes|triggers) <s>",
            "<s> is a side effect of <d>",
            "<s> (was|is) (caused|triggered) by <d>",
        ),
        (("causes", "d", "s"),),
    ),
    Fact(
        {"p": "person", "u": "university"},
        (
            "<p> (teaches|studies) at <u>",
            "<p> is a (chemist|physicist|professor) at <u>",
            "<u> is the workplace of <p>",
            "<p> runs a laboratory at <u>",
        ),
        (("member of", "p", "u"),),
    ),
    Fact(
        {"p": "person", "d": "drug"},
        (
            "<p> (has |)[discovered|found|identified] <d>",
            "<d> (was|has been) [discovered|found|identified] by <p>",
            "the [discovery] of <d> by <p> made news",
        ),
        (),
        "discovery",
        {"p": "discoverer", "d": "finding"},
    ),
    Fact(
        {"u": "university", "d": "drug", "s": "disease"},
        (
            "<u> (has |)[tested|tried] <d> on patients with <s>",
            "<d> was [tested|tried] at <u> on patients with <s>",
            "a [trial|test] of <d> against <s> began at <u>",
        ),
        (),
        "trial",
        {"u": "tester", "d": "treatment", "s": "condition"},
    ),
    Fact(
        {"s": "disease", "c": "country"},
        ("<s> is (common|rare) in <c>", "<c> counted more cases of <s>", "<s> worries doctors in <c>"),
    ),
)

INCIDENTS = (
    Fact(
        {"a": "person", "v": "person", "c": "city"},
        (
            "<a> [attacked|stabbed|shot] <v> in <c>",
            "<v> was [attacked|stabbed|shot] by <a> in <c>",
            "in <c>, <v> was [attacked|stabbed|shot] by <a>",
            "the [attack|assault] on <v> by <a> shocked <c>",
        ),
        (),
        "attack",
        {"a": "attacker", "v": "victim", "c": "place"},
    ),
    Fact(
        {"a": "person", "c": "city"},
        (
            "police [arrested|detained|caught] <a> in <c>",
            "<a> was [arrested|detained|caught] in <c>",
            "the [arrest|capture] of <a> in <c> calmed the public",
        ),
        (),
        "arrest",
        {"a": "suspect", "c": "place"},
    ),
    Fact(
        {"a": "person", "b": "person", "c": "city"},
        (
            "<a> [met|visited] <b> in <c>",
            "<a> and <b> [met] in <c>",
            "<c> hosted a [meeting] of <a> and <b>",
        ),
        (),
        "meeting",
        {"a": "participant", "b": "participant", "c": "place"},
    ),
    Fact(
        {"a": "person", "b": "person"},
        ("<a> is married to <b>", "<a> is the (husband|wife) of <b>", "<a> (wed|married) <b>"),
        (("married to", "a", "b"),),
    ),
    Fact(
        {"a": "person", "c": "city"},
        ("<a> lives in <c>", "<a> has a (house|flat) in <c>", "<c> is the home of <a>"),
        (("lives in", "a", "c"),),
    ),
    Fact(
        {"a": "city", "b": "country"},
        ("<a> is a (town|city) in <b>", "<a> lies in the (north|south) of <b>", "the capital of <b> is <a>"),
        (("located in", "a", "b"),),
    ),
    Fact(
        {"a": "person", "c": "city"},
        ("<a> (spoke|waited) in <c>", "a crowd in <c> cheered <a>", "<a> flew to <c>"),
    ),
)

TOPICS = (COMPANIES, SPORTS, SCIENCE, INCIDENTS)

# insertions behind the name of a person, company or city, whose slot is "self"
ASIDES: dict[str, tuple[Fact, ...]] = {
    "person": (
        Fact({"c": "city"}, (", who lives in <c>,",), (("lives in", "self", "c"),)),
        Fact({"c": "country"}, (", who was born in <c>,", ", a native of <c>,"), (("born in", "self", "c"),)),
        Fact({"a": "company"}, (", (a manager|an engineer) at <a>,", " of <a>"), (("works for", "self", "a"),)),
        Fact({"u": "university"}, (", a (chemist|professor) at <u>,",), (("member of", "self", "u"),)),
        Fact({"p": "person"}, (", who is married to <p>,",), (("married to", "self", "p"),)),
        Fact({}, (", (32|45|58|67),", ", a (lawyer|singer|chef),")),
    ),
    "company": (
        Fact({"c": "city"}, (", which is based in <c>,", " of <c>"), (("based in", "self", "c"),)),
        Fact({"x": "product"}, (", which makes the <x>,", ", the maker of the <x>,"), (("makes", "self", "x"),)),
        Fact({}, (", (a bank|a retailer|a supplier),",)),
    ),
    "city": (Fact({"c": "country"}, (", a (town|port) in <c>,",), (("located in", "self", "c"),)),),
}


def relation_labels() -> tuple[str, ...]:
    """All relation labels, in the order of the tables."""
    asides = (fact for facts in ASIDES.values() for fact in facts)
    labels = (label for facts in (*TOPICS, tuple(asides)) for fact in facts for label, _, _ in fact.relations)
    return tuple(dict.fromkeys(labels))


def event_roles() -> dict[str, tuple[str, ...]]:
    """All event types with their roles."""
    roles_by_event: dict[str, dict[str, None]] = {}
    for fact in (fact for facts in TOPICS for fact in facts if fact.event):
        roles_by_event.setdefault(fact.event, {}).update(dict.fromkeys(fact.roles.values()))
    return {event: tuple(roles) for event, roles in roles_by_event.items()}
