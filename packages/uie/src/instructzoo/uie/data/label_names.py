"""Turns labels as corpora write them into words that a model has met before.

    labels_in_words(["ORG", "Located_In"])    # {"ORG": "organisation", "Located_In": "located in"}

KNOWN_LABELS is looked up first, by the label without case and punctuation. Any other label is split at punctuation and
at capitals and written in lower case. Two labels of one data set never become the same words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from instructzoo.core.errors import ZooError

KNOWN_LABELS = {
    # persons, places, organisations: CoNLL, OntoNotes and similar sets
    "per": "person",
    "peop": "person",
    "org": "organisation",
    "organization": "organisation",
    "loc": "location",
    "misc": "miscellaneous",
    "gpe": "country, city or state",
    "norp": "nationality, religion or party",
    "fac": "facility",
    "prod": "product",
    "evt": "event",
    "workofart": "work of art",
    "veh": "vehicle",
    "wea": "weapon",
    # CrossNER
    "academicjournal": "academic journal",
    "astronomicalobject": "astronomical object",
    "chemicalcompound": "chemical compound",
    "chemicalelement": "chemical element",
    "literarygenre": "literary genre",
    "musicalartist": "musical artist",
    "musicalinstrument": "musical instrument",
    "musicgenre": "music genre",
    "politicalparty": "political party",
    "programlang": "programming language",
    # CoNLL04: relations from head to tail
    "kill": "kills",
    "livein": "lives in",
    "orgbasedin": "is based in",
    "workfor": "works for",
    # SemEval-2010 task 8: relations from the first to the second noun of the label
    "causeeffect": "causes",
    "componentwhole": "is part of",
    "contentcontainer": "is contained in",
    "entitydestination": "is moved to",
    "entityorigin": "comes from",
    "instrumentagency": "is used by",
    "membercollection": "is member of",
    "messagetopic": "is about",
    "productproducer": "is produced by",
    # PHEE: a role within a role is named Outer.Inner
    "combinationdrug": "combined drug",
    "negated": "negation cue",
    "severity": "severity cue",
    "speculated": "speculation cue",
    "subjectage": "age of subject",
    "subjectdisorder": "disorder of subject",
    "subjectgender": "gender of subject",
    "subjectpopulation": "number of subjects",
    "subjectrace": "race of subject",
    "treatmentdisorder": "treated disorder",
    "treatmentdosage": "dosage",
    "treatmentdrug": "drug",
    "treatmentduration": "duration",
    "treatmentfreq": "frequency",
    "treatmentroute": "route",
    "treatmenttimeelapsed": "time elapsed",
}
"""Words for labels that the rule would leave unclear; keys have lower-case letters and digits only."""

_CASE_CHANGE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_PUNCTUATION = re.compile(r"[\s_\-./:|]+")


def label_in_words(label: str) -> str:
    """A label in words. Letters of any script are kept; a label without letters or digits stays as it is."""
    key = re.sub(r"[\W_]", "", label).casefold()
    if key in KNOWN_LABELS:
        return KNOWN_LABELS[key]
    words = [word for piece in _PUNCTUATION.split(label) for word in _CASE_CHANGE.split(piece) if word]
    text = " ".join(word if word.isupper() and len(words) > 1 and len(word) > 1 else word.lower() for word in words)
    return text or label


def labels_in_words(labels: Iterable[str], where: str = "") -> dict[str, str]:
    """Turn all labels of a data set into words.

    Args:
        labels: The labels as the files write them.
        where: Named in error messages.

    Returns:
        The words by label, in the order of `labels`.

    Raises:
        ZooError: For two labels that become the same words.
    """
    words_by_label: dict[str, str] = {}
    label_by_words: dict[str, str] = {}
    for label in labels:
        words = label_in_words(label)
        if label_by_words.setdefault(words, label) != label:
            raise ZooError(
                f'the labels "{label_by_words[words]}" and "{label}" both read "{words}"',
                "labels that differ in words",
                "rename one of them in the file",
                where,
            )
        words_by_label[label] = words
    return words_by_label
