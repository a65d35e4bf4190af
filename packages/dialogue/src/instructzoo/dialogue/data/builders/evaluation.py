"""Questions on how a turn stands to what was said before it: its labels, its length, and how good a response it is.

    Turn("system", "That is a pity.", labels={"emotion": "sadness", "rating fluency": "4"})
    emotion_tagging    [CONTEXT] I lost it [RESPONSE] That is a pity.                                -> sadness
    eval_rating        [CONTEXT] I lost it [RESPONSE] That is a pity.    ("fluency", from 1 to 5)    -> 4

A label of the kind "rating CRITERION" is a number; its scale goes from the lowest to the highest of the data set.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from instructzoo.core.errors import ZooError
from instructzoo.dialogue.data.builders.base import candidates, context, message, one_response
from instructzoo.dialogue.data.inventory import RATING, Inventory
from instructzoo.dialogue.schema import Dialogue, Example, Turn
from instructzoo.dialogue.tasks import YES_NO


def emotion_tagging(dialogue: Dialogue, inventory: Inventory, rng: Random) -> Iterator[Example]:
    """The label "emotion" of each turn that has it; where the dialogue has it, it is that of the first turn."""
    if label := dialogue.labels.get("emotion"):
        answer, options = inventory.word("emotion", label), inventory.options("emotion")
        yield Example("emotion_tagging", message(dialogue, 0), answer, options)
    yield from _labels("emotion_tagging", "emotion", dialogue, inventory)


def persuasion_strategy(dialogue: Dialogue, inventory: Inventory, rng: Random) -> Iterator[Example]:
    """The label "strategy" of each turn that has it."""
    return _labels("persuasion_strategy", "strategy", dialogue, inventory)


def nli_classification(dialogue: Dialogue, inventory: Inventory, rng: Random) -> Iterator[Example]:
    """The label "nli" of each turn that has it: how it relates to what was said before."""
    return _labels("nli_classification", "nli", dialogue, inventory)


def dialfact_classification(dialogue: Dialogue, inventory: Inventory, rng: Random) -> Iterator[Example]:
    """The label "verdict" of each turn that has it: what the dialogue's field "evidence" says of it."""
    evidence = dialogue.fields.get("evidence", "")
    for example in _labels("dialfact_classification", "verdict", dialogue, inventory):
        if evidence:
            fields = (("EVIDENCE", evidence), *example.fields)
            yield Example(example.task, fields, example.output, example.options, option_labels="letters")


def toxic_classification(dialogue: Dialogue, inventory: Inventory, rng: Random) -> Iterator[Example]:
    """The label "toxic" of each turn that has it, yes or no."""
    return _yes_no_labels("toxic_classification", "toxic", dialogue)


def advice_present(dialogue: Dialogue, inventory: Inventory, rng: Random) -> Iterator[Example]:
    """The label "advice" of each turn that has it, yes or no."""
    return _yes_no_labels("advice_present", "advice", dialogue)


def persuasion_present(dialogue: Dialogue, inventory: Inventory, rng: Random) -> Iterator[Example]:
    """Whether a turn persuades by a given strategy: its own in half of the questions, else another one."""
    for index, turn in _labelled(dialogue, "strategy"):
        own = inventory.word("strategy", turn.labels["strategy"])
        others = [strategy for strategy in inventory.options("strategy") if strategy != own]
        given = rng.choice(others) if others and rng.random() < 0.5 else own
        fields = (("STRATEGY", given), *message(dialogue, index))
        yield Example("persuasion_present", fields, YES_NO[given != own], YES_NO)


def deal_present(dialogue: Dialogue, inventory: Inventory, rng: Random) -> Iterator[Example]:
    """The label "deal" of the dialogue, yes or no."""
    if label := dialogue.labels.get("deal"):
        fields = (("CONTEXT", context(dialogue, len(dialogue.turns))),)
        yield Example("deal_present", fields, _yes_or_no(label, "deal", dialogue.where), YES_NO)


def relation_classification(dialogue: Dialogue, inventory: Inventory, rng: Random) -> Iterator[Example]:
    """The label "relation" of the dialogue, between whom its labels "first" and "second" name."""
    if relation := dialogue.labels.get("relation"):
        fields = (("CONTEXT", context(dialogue, len(dialogue.turns))),)
        answer, options = inventory.word("relation", relation), inventory.options("relation")
        names = _pair(dialogue)
        yield Example("relation_classification", fields, answer, options, names, option_labels="numbers")


def relation_present(dialogue: Dialogue, inventory: Inventory, rng: Random) -> Iterator[Example]:
    """Whether a given relation holds: the dialogue's own in half of the questions, else another one."""
    if relation := dialogue.labels.get("relation"):
        own = inventory.word("relation", relation)
        others = [other for other in inventory.options("relation") if other != own]
        given = rng.choice(others) if others and rng.random() < 0.5 else own
        fields = (("CONTEXT", context(dialogue, len(dialogue.turns))),)
        names = {"relation": given, **_pair(dialogue)}
        yield Example("relation_present", fields, YES_NO[given != own], YES_NO, names)


def count_response_words(dialogue: Dialogue, inventory: Inventory, rng: Random) -> Iterator[Example]:
    """How many words a turn has that is drawn."""
    for index, turn in one_response(dialogue, rng):
        yield Example("count_response_words", message(dialogue, index), str(len(turn.text.split())))


def eval_binary(dialogue: Dialogue, inventory: Inventory, rng: Random) -> Iterator[Example]:
    """Whether a response is good: rated above the middle of the scale; without ratings, whether it is its own."""
    rated = list(_ratings(dialogue, inventory))
    for index, _, rating, low, high in rated:
        if rating != (low + high) / 2:
            answer = YES_NO[rating < (low + high) / 2]
            yield Example("eval_binary", _grounds(dialogue) + message(dialogue, index), answer, YES_NO)
    for index, turn in [] if rated else one_response(dialogue, rng):
        if options := candidates(dialogue, index, inventory, rng, 2):
            text = rng.choice(options)
            answer = YES_NO[text != " ".join(turn.text.split())]
            fields = (*_grounds(dialogue), ("CONTEXT", context(dialogue, index)), ("RESPONSE", text))
            yield Example("eval_binary", fields, answer, YES_NO)


def eval_ranking(dialogue: Dialogue, inventory: Inventory, rng: Random) -> Iterator[Example]:
    """Which of several responses is the dialogue's own."""
    for index, turn in one_response(dialogue, rng):
        if options := candidates(dialogue, index, inventory, rng):
            fields = (*_grounds(dialogue), ("CONTEXT", context(dialogue, index)))
            answer = " ".join(turn.text.split())
            yield Example("eval_ranking", fields, answer, options, option_labels="letters")


def eval_rating(dialogue: Dialogue, inventory: Inventory, rng: Random) -> Iterator[Example]:
    """Each rating of each turn."""
    for index, criterion, rating, low, high in _ratings(dialogue, inventory):
        names = {"criterion": criterion, "low": f"{low:g}", "high": f"{high:g}"}
        yield Example("eval_rating", _grounds(dialogue) + message(dialogue, index), f"{rating:g}", names=names)


def _labels(task: str, kind: str, dialogue: Dialogue, inventory: Inventory) -> Iterator[Example]:
    for index, turn in _labelled(dialogue, kind):
        label, options = inventory.word(kind, turn.labels[kind]), inventory.options(kind)
        yield Example(task, message(dialogue, index), label, options)


def _yes_no_labels(task: str, kind: str, dialogue: Dialogue) -> Iterator[Example]:
    for index, turn in _labelled(dialogue, kind):
        answer = _yes_or_no(turn.labels[kind], kind, dialogue.where)
        yield Example(task, message(dialogue, index), answer, YES_NO)


def _labelled(dialogue: Dialogue, kind: str) -> Iterator[tuple[int, Turn]]:
    return ((i, turn) for i, turn in enumerate(dialogue.turns) if kind in turn.labels and turn.text)


def _yes_or_no(label: str, kind: str, where: str) -> str:
    if label not in YES_NO:
        raise ZooError(f'the label "{label}" of {kind}', "yes or no", "correct it", where)
    return label


def _pair(dialogue: Dialogue) -> dict[str, str]:
    if missing := [name for name in ("first", "second") if not dialogue.labels.get(name)]:
        expected = 'labels "first" and "second", which name whose relation it is'
        raise ZooError(f'a relation without the label "{missing[0]}"', expected, "add it", dialogue.where)
    return {name: dialogue.labels[name] for name in ("first", "second")}


def _ratings(dialogue: Dialogue, inventory: Inventory) -> Iterator[tuple[int, str, float, float, float]]:
    """Turn, criterion, rating, and the lowest and highest rating of the data set by this criterion."""
    for index, turn in enumerate(dialogue.turns):
        for kind in (kind for kind in turn.labels if kind.startswith(RATING)):
            scale = [_number(label, kind, dialogue.where) for label in inventory.labels[kind]]
            if min(scale) < max(scale):
                rating = _number(turn.labels[kind], kind, dialogue.where)
                yield index, kind.removeprefix(RATING), rating, min(scale), max(scale)


def _number(label: str, kind: str, where: str) -> float:
    try:
        return float(label)
    except ValueError as error:
        raise ZooError(f'the {kind} "{label}"', "a number", "correct it", where) from error


def _grounds(dialogue: Dialogue) -> tuple[tuple[str, str], ...]:
    return tuple((name.upper(), dialogue.fields[name]) for name in ("document", "persona") if dialogue.fields.get(name))
