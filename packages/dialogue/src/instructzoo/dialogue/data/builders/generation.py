"""Questions that are answered with a turn: the next one, by itself or under a condition that the turn fulfils.

    Hi / Hello, where to? / To Oslo
    response_generation               [CONTEXT] Hi                             -> Hello, where to?
    beginswith_controlled_generation  [INITIAL PHRASE] Hello, [CONTEXT] Hi     -> Hello, where to?

The turn is one of those of the system where there is one, else any but the first, and one is drawn for each question;
a turn with the label or act that a task needs is asked for wherever it stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from random import Random

from instructzoo.dialogue.data.builders.base import context, one_response
from instructzoo.dialogue.data.inventory import Inventory
from instructzoo.dialogue.schema import Dialogue, Example, Turn

KEYWORD = re.compile(r"[^\W\d_]{4,}")
"""What counts as a keyword: short words are mostly function words."""


def response_generation(dialogue: Dialogue, inventory: Inventory, rng: Random) -> Iterator[Example]:
    """The next turn."""
    for index, _ in one_response(dialogue, rng):
        yield _response("response_generation", dialogue, index)


def response_generation_with_n_words(dialogue: Dialogue, inventory: Inventory, rng: Random) -> Iterator[Example]:
    """The next turn, of as many words as it has."""
    for index, turn in one_response(dialogue, rng):
        names = {"count": str(len(turn.text.split()))}
        fields = (("CONTEXT", context(dialogue, index)),)
        yield Example("response_generation_with_n_words", fields, turn.text, names=names)


def beginswith_controlled_generation(dialogue: Dialogue, inventory: Inventory, rng: Random) -> Iterator[Example]:
    """The next turn, given its first words."""
    for index, turn in one_response(dialogue, rng):
        words = turn.text.split()
        phrase = " ".join(words[: rng.randint(1, min(3, len(words)))])
        yield _response("beginswith_controlled_generation", dialogue, index, "INITIAL PHRASE", phrase)


def endswith_controlled_generation(dialogue: Dialogue, inventory: Inventory, rng: Random) -> Iterator[Example]:
    """The next turn, given its last words."""
    for index, turn in one_response(dialogue, rng):
        words = turn.text.split()
        phrase = " ".join(words[-rng.randint(1, min(3, len(words))) :])
        yield _response("endswith_controlled_generation", dialogue, index, "FINAL PHRASE", phrase)


def keyword_controlled_generation(dialogue: Dialogue, inventory: Inventory, rng: Random) -> Iterator[Example]:
    """The next turn, given one to three of its longer words, in their order."""
    for index, turn in one_response(dialogue, rng):
        words = list(dict.fromkeys(KEYWORD.findall(turn.text)))
        if words:
            chosen = set(rng.sample(words, rng.randint(1, min(3, len(words)))))
            keywords = ", ".join(word for word in words if word in chosen)
            yield _response("keyword_controlled_generation", dialogue, index, "KEYWORDS", keywords)


def target_controlled_generation(dialogue: Dialogue, inventory: Inventory, rng: Random) -> Iterator[Example]:
    """The turn that leads to the one after it."""
    places = [i for i in range(1, len(dialogue.turns) - 1) if dialogue.turns[i].text and dialogue.turns[i + 1].text]
    if places:
        index = rng.choice(places)
        target = dialogue.turns[index + 1].text
        yield _response("target_controlled_generation", dialogue, index, "TARGET SENTENCE", target)


def edit_generation(dialogue: Dialogue, inventory: Inventory, rng: Random) -> Iterator[Example]:
    """The next turn, given a damaged version of it: words lost, repeated, or in another order."""
    for index, turn in one_response(dialogue, rng):
        if damaged := _damaged(turn.text.split(), rng):
            fields = (("CONTEXT", context(dialogue, index)), ("RESPONSE", damaged))
            yield Example("edit_generation", fields, turn.text)


def act_generation(dialogue: Dialogue, inventory: Inventory, rng: Random) -> Iterator[Example]:
    """A turn with given acts, for each turn that has some."""
    for index, turn in enumerate(dialogue.turns):
        if turn.acts and turn.text:
            acts = ", ".join(dict.fromkeys(inventory.word("act", act) for act in turn.acts))
            yield _response("act_generation", dialogue, index, "ACT", acts)


def emotion_generation(dialogue: Dialogue, inventory: Inventory, rng: Random) -> Iterator[Example]:
    """A turn with a given emotion, for each turn with the label "emotion"."""
    for index, turn in _labelled(dialogue, "emotion"):
        emotion = inventory.word("emotion", turn.labels["emotion"])
        yield _response("emotion_generation", dialogue, index, "EMOTION", emotion)


def persuasion_generation(dialogue: Dialogue, inventory: Inventory, rng: Random) -> Iterator[Example]:
    """A turn that persuades by a given strategy, for each turn with the label "strategy"."""
    for index, turn in _labelled(dialogue, "strategy"):
        strategy = inventory.word("strategy", turn.labels["strategy"])
        yield _response("persuasion_generation", dialogue, index, "STRATEGY", strategy)


def advice_generation(dialogue: Dialogue, inventory: Inventory, rng: Random) -> Iterator[Example]:
    """A turn that gives advice, for each one whose label "advice" is yes."""
    for index, turn in _labelled(dialogue, "advice"):
        if turn.labels["advice"] == "yes" and index:
            yield _response("advice_generation", dialogue, index)


def recovery_generation(dialogue: Dialogue, inventory: Inventory, rng: Random) -> Iterator[Example]:
    """A turn that makes amends, for each one whose label "repair" is recovery."""
    return _repairs("recovery_generation", "recovery", dialogue)


def nontoxic_feedback_generation(dialogue: Dialogue, inventory: Inventory, rng: Random) -> Iterator[Example]:
    """A turn that objects to what was said, for each one whose label "repair" is feedback."""
    return _repairs("nontoxic_feedback_generation", "feedback", dialogue)


def _repairs(task: str, kind: str, dialogue: Dialogue) -> Iterator[Example]:
    for index, turn in _labelled(dialogue, "repair"):
        if turn.labels["repair"] == kind and index:
            yield _response(task, dialogue, index)


def _response(task: str, dialogue: Dialogue, index: int, token: str = "", text: str = "") -> Example:
    """The question for turn `index`, with one field before the context."""
    fields = (((token, text),) if token else ()) + (("CONTEXT", context(dialogue, index)),)
    return Example(task, fields, dialogue.turns[index].text)


def _labelled(dialogue: Dialogue, kind: str) -> Iterator[tuple[int, Turn]]:
    return ((i, turn) for i, turn in enumerate(dialogue.turns) if kind in turn.labels and turn.text)


def _damaged(words: list[str], rng: Random) -> str:
    """The words with some lost, repeated or in another order; "" where they are too few or nothing changed."""
    if len(words) < 3:
        return ""
    start = rng.randrange(len(words) - 2)
    end = rng.randint(start + 2, min(len(words), start + 6))
    piece = words[start:end]
    changed = rng.choice(([], piece + piece, rng.sample(piece, len(piece)), piece[::-1]))
    damaged = " ".join(words[:start] + changed + words[end:])
    return damaged if damaged != " ".join(words) else ""
