"""Questions that train a generator: each utterance of an intent is an answer, and others of the intent its examples.

A generator that has seen many intents this way continues the examples of a new one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from instructzoo.dialogue.schema import Example, Turn
from instructzoo.dialogue.synthesis.linguist_format import ANY, MOST_EXAMPLES, Request, Wish, tag

TASK = "utterance_generation"


@dataclass(frozen=True, slots=True)
class PromptRules:
    """How prompts vary; all shares are probabilities.

    Attributes:
        examples: Examples of a prompt at most.
        given: Share of slots whose words the prompt gives; the words of the others are the model's choice.
        unasked: Share of slots of the answer that the prompt does not ask for.
        unnamed: Share of slots whose name is left out of the list of labels.
        seed: Seed of all draws.
    """

    examples: int = MOST_EXAMPLES
    given: float = 0.6
    unasked: float = 0.1
    unnamed: float = 0.1
    seed: int = 0


def leave_one_out(
    utterances: Sequence[Turn], rules: PromptRules = PromptRules(), language: str = "English"
) -> Iterator[Example]:
    """Questions on utterances of one intent, one for each utterance whose words differ from those of all others.

    Args:
        utterances: Utterances with their intent and slots.
        rules: How the prompts vary. Examples, their order and the numbers of slots are drawn for each prompt.
        language: The language of the utterances.

    Yields:
        Questions of the task type TASK. The item is the utterance's text.

    Raises:
        ZooError: A slot has no place in its utterance.
    """
    different = list({utterance.text: utterance for utterance in utterances}.values())
    labels = slot_names(different)
    for number, utterance in enumerate(different):
        rng = Random(f"{rules.seed} {utterance.intent} {utterance.text}")
        others = range(len(different) - 1)
        drawn = rng.sample(others, min(rules.examples, len(others)))
        examples = tuple(different[other + (other >= number)] for other in drawn)
        shuffled = tuple(rng.sample(labels, len(labels)))
        request = Request(
            spoken_name(utterance.intent or ""),
            shuffled,
            _wishes(utterance, rules, rng),
            examples,
            language,
            frozenset(label for label in labels if rng.random() < rules.unnamed),
        )
        yield Example(TASK, request.fields(), tag(utterance, shuffled), item=utterance.text)


def slot_names(utterances: Sequence[Turn]) -> list[str]:
    """The names of the slots of utterances, in alphabetical order."""
    return sorted({slot.name for utterance in utterances for slot in utterance.slots or ()})


def spoken_name(intent: str) -> str:
    """The name of an intent in words: "get weather" for GetWeather and get_weather."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|_", " ", intent)
    return " ".join(words.lower().split())


def _wishes(utterance: Turn, rules: PromptRules, rng: Random) -> tuple[Wish, ...]:
    """What the prompt asks for of an utterance's slots, in any order."""
    slots = [slot for slot in utterance.slots or () if rng.random() >= rules.unasked]
    wishes = [Wish(slot.name, slot.value if rng.random() < rules.given else ANY) for slot in slots]
    return tuple(rng.sample(wishes, len(wishes)))
