"""Made-up names. Every name word belongs to one split by its hash, so no test name is built of a training name's words.

A word is two or three syllables ("Korvel"); the form around it is the type's own ("Korvel Motors", "University of
Korvel"), or there is none, so that only the sentence tells a person from a town.
"""

from __future__ import annotations

import hashlib
import random
import re

SHARES = {"validation": 0.08, "test": 0.12}
"""Share of all name words, and of all templates, that each held-out split has; train has the rest."""

# chosen so that no two of these syllables make a word that one would not want to read
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

# {} is a name word; the share of bare names falls with the number of other forms
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
_LOWER = ("disease",)
TYPES = tuple(_FORMS)


def name(type: str, split: str, rng: random.Random) -> str:
    """A name of this type; each of its made-up words ("Korvelton", not "Falls") belongs to `split`."""
    parts = rng.choice(_FORMS[type]).split(" ")
    return " ".join(_word(part, split, rng, type in _LOWER) if "{}" in part else part for part in parts)


def _word(form: str, split: str, rng: random.Random, lower: bool) -> str:
    """A word of this form that belongs to `split`, such as "Korvelton" of "{}ton"."""
    while True:
        made = "".join(_stem(rng) if piece == "{}" else piece for piece in re.split(r"({})", form))
        if split_of(made.lower()) == split:
            return made.lower() if lower and form != "{}" else made


def _stem(rng: random.Random) -> str:
    syllables = rng.choice((1, 2, 2, 2, 2, 2))
    made = "".join(rng.choice(_ONSETS) + rng.choice(_RIMES) for _ in range(syllables))
    return made.capitalize()


def split_of(key: str) -> str:
    """The split that a name word (in lower case) or a template belongs to."""
    position = int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest()) / 2.0**64
    for split, share in SHARES.items():
        if position < share:
            return split
        position -= share
    return "train"
