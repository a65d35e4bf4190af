"""Labelled utterances in another language: a teacher translates the words around the slots, and the labels stay.

    will there be [1 snow ] in [2 New York ]     ->     wird es in [2 New York ] [1 snow ] geben

Every slot must come back with its number and its words. A translation that lost, added or changed one is rejected.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from instructzoo.core.record import Invalid
from instructzoo.core.synth import Teacher
from instructzoo.dialogue.prompts.linguist_format import Request, tag, untag
from instructzoo.dialogue.schema import Turn
from instructzoo.dialogue.synthesis.filters import Checks, language_code, normalise
from instructzoo.dialogue.synthesis.generation import Generated

LOST = "a slot was lost, added or changed"
UNCHANGED = "the words around the slots are unchanged"
BLOCK_SIZE = 256
"""Utterances that are translated together, which bounds the prompts in memory."""


def translate_utterances(
    teacher: Teacher,
    utterances: Sequence[Turn],
    language: str,
    checks: Checks | None = None,
    on_progress: Callable[[int], None] = lambda done: None,
) -> Generated:
    """Translate utterances.

    Args:
        teacher: The teacher.
        utterances: Utterances with their intent and slots.
        language: The language to translate into, one of filters.LANGUAGES.
        checks: Which translations are kept; None: those of `Checks()`.
        on_progress: Called with the number of utterances that are done.

    Returns:
        The translations that passed, with the intent and the slots of their originals.

    Raises:
        ZooError: The language is unknown, or a slot has no place in its utterance.
    """
    language_code(language)
    checks, results = checks or Checks(), Generated()
    for start in range(0, len(utterances), BLOCK_SIZE):
        block = utterances[start : start + BLOCK_SIZE]
        requests = [_request(utterance, language) for utterance in block]
        pairs = zip(block, requests, strict=True)
        prompts = [translation_prompt(tag(utterance, request.labels), language) for utterance, request in pairs]
        for utterance, request, answer in zip(block, requests, teacher.answer(prompts), strict=True):
            results.requests += 1
            translated = read_translation(answer, utterance, request, checks)
            if isinstance(translated, Invalid):
                results.rejected[translated.reason] += 1
            else:
                results.utterances.append(translated)
        on_progress(results.requests)
    return results


def translation_prompt(tagged: str, language: str) -> str:
    """What the teacher reads for one utterance.

    Args:
        tagged: The utterance with its slots in brackets.
        language: The language to translate into.

    Returns:
        The prompt.
    """
    return (
        f"Translate this request to an assistant into {language}, as a person would say it. What stands in brackets is "
        "the number and the words of a slot: copy each pair of brackets once, with its number and its words unchanged, "
        f"to where it belongs in {language}, and translate all words outside of brackets. Write nothing but the "
        f"translation, in one line.\n\n{tagged}"
    )


def read_translation(answer: str, original: Turn, request: Request, checks: Checks) -> Turn | Invalid:
    """Read and check a translation.

    Args:
        answer: What the teacher wrote.
        original: The utterance that it translates.
        request: Its language and the labels of its slots.
        checks: Further checks.

    Returns:
        The translation with the labels of the original, or Invalid with the reason.
    """
    read = untag(answer.strip(), request.labels)
    if not isinstance(read, Invalid):
        if _pairs(read) != _pairs(original):
            return Invalid(LOST)
        if normalise(read.text) == normalise(original.text):
            return Invalid(UNCHANGED)
    kept = checks.read(answer, request)
    return kept if isinstance(kept, Invalid) else replace(original, text=kept.text, slots=kept.slots)


def _request(utterance: Turn, language: str) -> Request:
    """The labels of an utterance's slots, numbered as they follow each other, and the language."""
    labels = tuple(dict.fromkeys(slot.name for slot in utterance.slots or ()))
    return Request(utterance.intent or "utterance", labels, language=language)


def _pairs(utterance: Turn) -> Counter[tuple[str, str]]:
    return Counter((slot.name, slot.value) for slot in utterance.slots or ())
