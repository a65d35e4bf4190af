"""Questions that train a generator: each utterance of an intent is an answer, and others of the intent its examples.

A generator that has seen many intents this way continues the examples of a new one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from random import Random

from instructzoo.dialogue.prompts.linguist_format import ANY, MOST_EXAMPLES, Request, Wish, tag
from instructzoo.dialogue.schema import UNKNOWN, Example, Turn

TASK = "utterance_generation"


@dataclass(frozen=True, slots=True)
class PromptRules:
    """How prompts vary; all shares are probabilities.

    Attributes:
        examples: Examples of a prompt at most.
        given: Share of slots whose words the prompt gives; the words of the others are the model's choice.
        unasked: Share of slots of the answer that the prompt does not ask for.
        unnamed: Share of slots whose name is left out of the list of labels.
        seed: Seed of requests; questions of a data set are drawn by its own.
    """

    examples: int = MOST_EXAMPLES
    given: float = 0.6
    unasked: float = 0.1
    unnamed: float = 0.1
    seed: int = 0


@dataclass(frozen=True, slots=True)
class IntentExamples:
    """The utterances of an intent, each text once, and the slots that they name, in alphabetical order."""

    utterances: tuple[Turn, ...]
    slots: tuple[str, ...]

    @classmethod
    def of(cls, utterances: Iterable[Turn]) -> IntentExamples:
        """Collect utterances of one intent."""
        different = tuple({utterance.text: utterance for utterance in utterances}.values())
        return cls(different, tuple(sorted({slot.name for turn in different for slot in turn.slots or ()})))


def by_intent(turns: Iterable[Turn]) -> dict[str, IntentExamples]:
    """The turns that a tagged utterance can be made of, by intent."""
    found: dict[str, list[Turn]] = {}
    for turn in turns:
        if turn.intent and can_be_tagged(turn):
            found.setdefault(turn.intent, []).append(turn)
    return {intent: IntentExamples.of(utterances) for intent, utterances in found.items()}


def can_be_tagged(turn: Turn) -> bool:
    """Whether the slots of a turn are annotated, each with its place, and its text is one line."""
    return turn.slots is not None and "\n" not in turn.text and all(slot.start != UNKNOWN for slot in turn.slots)


def question(
    utterance: Turn,
    examples: IntentExamples,
    rng: Random,
    rules: PromptRules = PromptRules(),
    language: str = "English",
) -> Example:
    """The question that an utterance answers.

    Args:
        utterance: The utterance; its slots are among those of the examples.
        examples: Utterances of its intent; it may be one of them, and is never shown.
        rng: Draws the examples, their order, the numbers of slots, and what the prompt gives.
        rules: How the prompts vary.
        language: The language of the utterance.

    Returns:
        The question, of the task type TASK.

    Raises:
        ZooError: A slot has no place in its utterance.
    """
    drawn = rng.sample(examples.utterances, min(rules.examples + 1, len(examples.utterances)))
    shown = tuple(turn for turn in drawn if turn.text != utterance.text)[: rules.examples]
    labels = tuple(rng.sample(examples.slots, len(examples.slots)))
    unnamed = frozenset(label for label in labels if rng.random() < rules.unnamed)
    request = Request(utterance.intent or "", labels, _wishes(utterance, rules, rng), shown, language, unnamed)
    return Example(TASK, request.fields(), tag(utterance, labels))


def _wishes(utterance: Turn, rules: PromptRules, rng: Random) -> tuple[Wish, ...]:
    """What the prompt asks for of an utterance's slots, in any order."""
    slots = [slot for slot in utterance.slots or () if rng.random() >= rules.unasked]
    wishes = [Wish(slot.name, slot.value if rng.random() < rules.given else ANY) for slot in slots]
    return tuple(rng.sample(wishes, len(wishes)))
