"""What the runs of the novel-intent protocol learn from: draws of real utterances, and generators that add others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from instructzoo.core.errors import ZooError
from instructzoo.dialogue.data import readers
from instructzoo.dialogue.data.builders.base import item_of
from instructzoo.dialogue.schema import Turn
from instructzoo.dialogue.synthesis.recombination import recombine
from instructzoo.dialogue.synthesis.requests import slot_values

REAL, UPSAMPLED, RECOMBINED = "real only", "up-sampled", "recombined"

ByIntent = Mapping[str, Sequence[Turn]]
Generator = Callable[["Draw", int], Sequence[Turn]]
"""Gives as many utterances of a draw's novel intent as the number says, or fewer."""


@dataclass(frozen=True)
class Setup:
    """What all runs of an experiment share.

    Attributes:
        shots: Utterances of the novel intent.
        others: Utterances of each other intent.
        updates: Updates of each tagger.
    """

    shots: int = 10
    others: int = 300
    updates: int = 500


@dataclass(frozen=True)
class Draw:
    """The real utterances of one run.

    Attributes:
        intent: The novel intent.
        seed: The seed that drew them.
        shots: Those of the novel intent.
        others: Those of all other intents.
    """

    intent: str
    seed: int
    shots: Sequence[Turn]
    others: Sequence[Turn]


def read_utterances(path: Path) -> dict[str, list[Turn]]:
    """The utterances of a file by intent, each text once, in any format that data/readers reads.

    Raises:
        ZooError: The file is malformed, or has no utterance with intent and slots.
    """
    by_text: dict[str, Turn] = {}
    for dialogue in readers.read_file(path):
        by_text |= {turn.text: turn for turn in dialogue.turns if turn.intent and turn.slots is not None}
    if not by_text:
        raise ZooError("no utterance with intent and slots", "some", "name another file", str(path))
    by_intent: dict[str, list[Turn]] = {}
    for turn in by_text.values():
        by_intent.setdefault(turn.intent or "", []).append(turn)
    return dict(sorted(by_intent.items()))


def read_parts(train: Path, test: Path) -> tuple[dict[str, list[Turn]], dict[str, list[Turn]]]:
    """The training and test utterances by intent; a training utterance with the words of a test utterance is left out.

    Args:
        train: The file of training utterances.
        test: The file of test utterances.

    Returns:
        The two parts.

    Raises:
        ZooError: As for `read_utterances`.
    """
    test_part = read_utterances(test)
    items = {item_of(turn.text) for utterances in test_part.values() for turn in utterances}
    by_intent = read_utterances(train).items()
    return {name: [turn for turn in turns if item_of(turn.text) not in items] for name, turns in by_intent}, test_part


def draw(train: ByIntent, intent: str, seed: int, setup: Setup) -> Draw:
    """Draw the real utterances of a run; they do not depend on the condition.

    Args:
        train: Training utterances by intent.
        intent: The novel intent.
        seed: The seed.
        setup: How many to draw.

    Returns:
        The draw.

    Raises:
        ZooError: An intent has too few utterances.
    """
    drawn = {}
    for name, utterances in train.items():
        wanted = setup.shots if name == intent else setup.others
        if len(utterances) < wanted:
            raise ZooError(f"{len(utterances)} utterances of {name}", f"at least {wanted}", "ask for fewer")
        drawn[name] = Random(f"{seed} {intent} {name}").sample(list(utterances), wanted)
    shots = drawn.pop(intent)
    return Draw(intent, seed, shots, [turn for utterances in drawn.values() for turn in utterances])


def training_utterances(one: Draw, condition: str, generated: Sequence[Turn], size: int) -> list[Turn]:
    """What a tagger learns from.

    Args:
        one: The real utterances.
        condition: REAL, UPSAMPLED, or the name of a generator.
        generated: Generated utterances; half of `size` at most are used.
        size: Utterances of the novel intent, repeated ones included, in all conditions but REAL.

    Returns:
        The utterances.
    """
    if condition == REAL:
        return [*one.shots, *one.others]
    new = [] if condition == UPSAMPLED else list(generated[: size // 2])
    repeated = [one.shots[index % len(one.shots)] for index in range(size - len(new))]
    return [*repeated, *new, *one.others]


def recombined(one: Draw, n: int) -> list[Turn]:
    """Generated utterances of the generator without a model, with words of the other intents' slots."""
    return recombine(one.shots, slot_values([*one.shots, *one.others]), n, one.seed)


def written_utterances(folder: Path) -> Generator:
    """A generator that reads what a model has written: FOLDER/INTENT-SEED.jsonl, in any format of data/readers."""

    def generate(one: Draw, n: int) -> list[Turn]:
        return read_utterances(folder / f"{one.intent}-{one.seed}.jsonl")[one.intent][:n]

    return generate
