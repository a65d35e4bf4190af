"""Which generated utterances are kept. Each check gives its reason, and every rejection is counted under it.

checks = Checks(known=["is it warm in Oslo"], language="en")
checks.read("will there be [2 snow ] in [1 rome ]", request)     # the utterance, or Invalid with the reason
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import TYPE_CHECKING

from instructzoo.core.errors import ZooError, suggest
from instructzoo.core.record import Invalid
from instructzoo.dialogue.prompts.linguist_format import ANY, NO_NAME, Request, untag
from instructzoo.dialogue.schema import Turn

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

    from instructzoo.dialogue.synthesis.tagger import Tagger

LANGUAGES = {
    "Arabic": "ar", "Chinese": "zh", "Czech": "cs", "Danish": "da", "Dutch": "nl", "English": "en", "Finnish": "fi",
    "French": "fr", "German": "de", "Greek": "el", "Hindi": "hi", "Hungarian": "hu", "Italian": "it", "Japanese": "ja",
    "Korean": "ko", "Norwegian": "no", "Polish": "pl", "Portuguese": "pt", "Romanian": "ro", "Russian": "ru",
    "Spanish": "es", "Swedish": "sv", "Turkish": "tr", "Ukrainian": "uk", "Vietnamese": "vi",
}  # fmt: skip
"""Languages that a request may name, with the codes of the identifier."""

SURE = 0.6
"""Probability of another language from which on an utterance is rejected: short texts are seldom that sure."""

LINES = "more than one line"
NO_WORDS = "no words"
UNNAMED_WORDS = "a placeholder instead of a slot's words"
MISSING = "a slot of the request is missing"
EXAMPLE = "a copy of an example"
KNOWN = "a copy of a known utterance"
DUPLICATE = "a duplicate"
LANGUAGE = "another language"
OTHER_INTENT = "the tagger names another intent"


class Checks:
    """Reads answers, one after another, and keeps an utterance once.

    Args:
        known: Texts that no utterance may repeat, such as those of the training data.
        check_language: Whether to reject utterances in another language than the request's.
        tagger: Rejects utterances to which it gives another intent than the request's; None rejects none.
    """

    def __init__(self, known: Iterable[str] = (), check_language: bool = True, tagger: Tagger | None = None) -> None:
        self.known = {normalise(text) for text in known}
        self.kept: set[str] = set()
        self.checks: list[Callable[[Turn, Request], str]] = [no_words, placeholder, missing_wish, copied_example]
        self.checks += [self.known_text, self.duplicate, *([other_language] if check_language else [])]
        self.tagger = tagger

    def read(self, answer: str, request: Request) -> Turn | Invalid:
        """Read an answer and check it.

        Args:
            answer: What the model wrote.
            request: What it was asked for.

        Returns:
            The utterance, or Invalid with the reason of the first check that rejects it.
        """
        answer = answer.strip()
        if len(answer.splitlines()) > 1:
            return Invalid(LINES)
        utterance = untag(answer, request.labels, request.intent)
        if isinstance(utterance, Invalid):
            return utterance
        if reason := next((reason for check in self.checks if (reason := check(utterance, request))), ""):
            return Invalid(reason)
        if self.tagger and self.tagger.tag([utterance.text])[0].turn.intent != request.intent:
            return Invalid(OTHER_INTENT)
        self.kept.add(normalise(utterance.text))
        return utterance

    def known_text(self, utterance: Turn, request: Request) -> str:
        """Rejects what is known, whatever its case and marks."""
        return KNOWN if normalise(utterance.text) in self.known else ""

    def duplicate(self, utterance: Turn, request: Request) -> str:
        """Rejects what was kept before."""
        return DUPLICATE if normalise(utterance.text) in self.kept else ""


def no_words(utterance: Turn, request: Request) -> str:
    """Rejects an utterance without a letter or digit."""
    return "" if normalise(utterance.text) else NO_WORDS


def placeholder(utterance: Turn, request: Request) -> str:
    """Rejects an utterance whose slot has a sign of the prompt instead of words."""
    return UNNAMED_WORDS if {slot.value for slot in utterance.slots or ()} & {ANY, NO_NAME} else ""


def missing_wish(utterance: Turn, request: Request) -> str:
    """Rejects an utterance that lacks a slot of the request, or has it with other words than the request gives."""
    left = [(slot.name, slot.value) for slot in utterance.slots or ()]
    for wish in sorted(request.wishes, key=lambda wish: wish.value == ANY):  # words first: they leave the others
        found = [pair for pair in left if pair[0] == wish.slot and wish.value in (ANY, pair[1])]
        if not found:
            return MISSING
        left.remove(found[0])
    return ""


def copied_example(utterance: Turn, request: Request) -> str:
    """Rejects a copy of an example, whatever its case and marks."""
    return EXAMPLE if normalise(utterance.text) in {normalise(example.text) for example in request.examples} else ""


def other_language(utterance: Turn, request: Request) -> str:
    """Rejects an utterance whose words outside of slots are, to SURE and more, of another language than the request's.

    Slots are left out, since titles and names are often of another language.
    """
    carrier, position = "", 0
    for slot in sorted(utterance.slots or (), key=lambda slot: slot.start):
        carrier += utterance.text[position : slot.start]
        position = slot.end
    language, confidence = _identifier().classify(" ".join((carrier + utterance.text[position:]).split()))
    return LANGUAGE if language != language_code(request.language) and confidence >= SURE else ""


def language_code(language: str) -> str:
    """The code of a language of LANGUAGES. Raises ZooError for another one."""
    if language not in LANGUAGES:
        raise ZooError(f'the language "{language}"', suggest(language, LANGUAGES), "name one of these in English")
    return LANGUAGES[language]


def normalise(text: str) -> str:
    """A text without case, marks and repeated spaces."""
    return " ".join("".join(c if c.isalnum() else " " for c in text.casefold()).split())


@cache
def _identifier() -> LanguageIdentifier:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
