"""Labels of files as words that a model has met before.

labels_in_words(["AddToPlaylist", "play_music"])    # {"AddToPlaylist": "add to playlist", "play_music": "play music"}
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from instructzoo.core.errors import ZooError

_WORDS = {
    "fromloc": "from", "toloc": "to", "stoploc": "stop", "depart": "departure", "arrive": "arrival", "mod": "modifier",
    "poi": "point of interest", "num": "number", "pto": "paid time off", "apr": "annual percentage rate",
    "iot": "smart home", "qa": "question", "lighton": "light on", "lightoff": "light off", "lightup": "light up",
    "lightdim": "light dim", "lightchange": "light change", "wemo": "plug", "createoradd": "create or add",
    "querycontact": "query contact", "addcontact": "add contact", "sendemail": "send email",
}  # fmt: skip
"""Abbreviations and words that corpora write together."""

_BREAKS = re.compile(r"[\s_\-./:|]+|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def label_in_words(label: str) -> str:
    """A label as lower-case words; several labels at once (flight#airfare) are joined by "and"."""
    together = [
        " ".join(_WORDS.get(word.lower(), word.lower()) for word in _BREAKS.split(part) if word)
        for part in re.split(r"[#+]", label)
    ]
    return " and ".join(part for part in together if part) or label


def labels_in_words(labels: Iterable[str], where: str = "") -> dict[str, str]:
    """The words of all labels of a data set.

    Args:
        labels: The labels as the files write them.
        where: Named in error messages.

    Returns:
        The words by label, in the order of `labels`.

    Raises:
        ZooError: Two labels become the same words.
    """
    words: dict[str, str] = {}
    label_of: dict[str, str] = {}
    for label in labels:
        words[label] = label_in_words(label)
        if (other := label_of.setdefault(words[label], label)) != label:
            found = f'the labels "{other}" and "{label}" are both "{words[label]}" in words'
            raise ZooError(found, "labels that differ in words", "rename one of them in the file", where)
    return words
