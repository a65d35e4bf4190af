"""Labels as the corpora write them -> words that a model has met before.

    words(["ORG", "Located_In", "literarygenre"])    # {"ORG": "organisation", "Located_In": "located in", ...}

NAMES is looked up first, by the label without case and marks; else the label is split at marks and capitals and written
small. Two labels of one set never become the same words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from instructzoo.core.errors import ZooError

NAMES = {
    # persons, places, bodies: CoNLL, OntoNotes and their kin
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
    # CoNLL04: of head and tail
    "kill": "kills",
    "livein": "lives in",
    "orgbasedin": "is based in",
    "workfor": "works for",
    # SemEval-2010 task 8: of the first and the second noun of the label
    "causeeffect": "causes",
    "componentwhole": "is part of",
    "contentcontainer": "is contained in",
    "entitydestination": "is moved to",
    "entityorigin": "comes from",
    "instrumentagency": "is used by",
    "membercollection": "is member of",
    "messagetopic": "is about",
    "productproducer": "is produced by",
    # PHEE: a role within a role is Outer.Inner
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
"""Words of labels that the rule would leave unclear; keys are small letters and digits only."""

_CAPITALS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_MARKS = re.compile(r"[\s_\-./:|]+")


def word(label: str) -> str:
    """A label in words. Letters of any script are kept; a label without any stays as it is."""
    key = re.sub(r"[\W_]", "", label).casefold()
    if key in NAMES:
        return NAMES[key]
    parts = [part for piece in _MARKS.split(label) for part in _CAPITALS.split(piece) if part]
    said = " ".join(part if part.isupper() and len(parts) > 1 and len(part) > 1 else part.lower() for part in parts)
    return said or label


def words(labels: Iterable[str], where: str = "") -> dict[str, str]:
    """Every label with its words, in order. Raises ZooError naming `where` for two labels that say the same."""
    found: dict[str, str] = {}
    owner: dict[str, str] = {}
    for label in labels:
        said = word(label)
        if owner.setdefault(said, label) != label:
            raise ZooError(
                f'the labels "{owner[said]}" and "{label}" both read "{said}"',
                "labels that differ in words",
                "rename one of them in the file",
                where,
            )
        found[label] = said
    return found
