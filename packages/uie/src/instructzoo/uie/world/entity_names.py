"""Generates names. The hash of a word decides its split, so that no test name has a word of a training name.

A word has one or two syllables ("Korvel"). A name is a word in one of the forms of its type ("Korvel Motors",
"University of Korvel"), or the bare word, so that only the sentence tells a person from a city.
"""

from __future__ import annotations

import random
import re

from instructzoo.core.data import split as splits

HELD_OUT = {"validation": 8.0, "test": 12.0}
"""Percent of all name words, and of all templates, in each held-out split; train has the rest."""

# chosen so that no two of these syllables make an offensive word
_ONSETS: tuple[str, ...] = (
    "b",
    "br",
    "d",
    "dr",
    "f",
    "fl",
    "g",
    "gr",
    "h",
    "j",
    "k",
    "kl",
    "l",
    "m",
    "n",
    "p",
    "r",
    "s",
    "sl",
    "st",
    "t",
)
_ONSETS += ("th", "tr", "v", "w", "z")
_RIMES: tuple[str, ...] = (
    "al",
    "am",
    "an",
    "ar",
    "as",
    "ain",
    "ald",
    "ang",
    "el",
    "em",
    "en",
    "er",
    "es",
    "eld",
    "erd",
    "il",
    "im",
    "in",
)
_RIMES += ("ind", "ol", "om", "on", "or", "os", "oan", "ond", "oven", "ul", "un", "ur", "ay", "ey")

# {} is replaced by a word; one of the forms is drawn for each name
_FORMS: dict[str, tuple[str, ...]] = {
    "person": ("{} {}", "{} {}", "{} {}", "{}", "Dr. {}", "{} {}-{}"),
    "company": ("{}", "{} Corp", "{} Group", "{} Motors", "{} Systems", "{} & {}", "{} Bank", "{} Foods"),
    "product": ("{} 7", "{} 40", "{} X", "{} Pro", "{} Mini", "{}"),
    "city": ("{}", "{}ton", "{}burg", "{}ville", "Port {}", "{} Falls"),
    "country": ("{}ia", "{}land", "{}stan", "{}", "Republic of {}"),
    "team": ("{} Wolves", "{} United", "{} Tigers", "{} Rovers", "{} Stars", "{}"),
    "drug": ("{}ol", "{}ine", "{}ax", "{}mab", "{}"),
    "disease": ("{}itis", "{}osis", "{} fever", "{} syndrome", "{}emia"),
    "university": ("University of {}", "{} University", "{} Institute", "{} College"),
}
_LOWER_CASE_TYPES = ("disease",)
TYPES = tuple(_FORMS)
"""The entity types."""


def make_name(type: str, split: str, rng: random.Random) -> str:
    """A name of this type; each of its made-up words ("Korvelton", not "Falls") belongs to `split`."""
    words = rng.choice(_FORMS[type]).split(" ")
    lower_case = type in _LOWER_CASE_TYPES
    return " ".join(_word(word, split, rng, lower_case) if "{}" in word else word for word in words)


def _word(form: str, split: str, rng: random.Random, lower_case: bool) -> str:
    """A word of this form that belongs to `split`, such as "Korvelton" of "{}ton"."""
    while True:
        word = "".join(_stem(rng) if piece == "{}" else piece for piece in re.split(r"({})", form))
        if split_of(word.lower()) == split:
            return word.lower() if lower_case and form != "{}" else word


def _stem(rng: random.Random) -> str:
    n_syllables = rng.choice((1, 2, 2, 2, 2, 2))
    return "".join(rng.choice(_ONSETS) + rng.choice(_RIMES) for _ in range(n_syllables)).capitalize()


def split_of(key: str) -> str:
    """The split that a word of a name (in lower case) or a sentence template belongs to."""
    return splits.split_of(key, HELD_OUT, splits.hash_percentile)
