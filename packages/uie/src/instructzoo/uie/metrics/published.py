"""What was published on these data sets, in the groups of metrics.py. Nothing here was measured by this project."""

from __future__ import annotations

from instructzoo.core.domain import PublishedResult

OWN = "InstructUIE 11B, its own scorer"
AGAIN = "InstructUIE 11B, re-evaluated by UniversalNER"
TABLES = "arXiv:2304.08085, supervised results"
UNSEEN = "arXiv:2304.08085, tables 4 and 6 (zero-shot)"
UNIVERSAL = "UniversalNER, its re-evaluation of the released checkpoint"

# (data set, InstructUIE, re-evaluated), supervised NER, in percent
_NER = (
    ("ACE05", 86.66, 79.94),
    ("AnatEM", 90.89, 88.52),
    ("bc2gm", 85.16, 80.69),
    ("bc4chemd", 90.30, 87.62),
    ("bc5cdr", 89.59, 89.02),
    ("broad_twitter", 83.14, 80.27),
    ("CoNLL03", 92.94, 91.53),
    ("FabNER", 76.20, 78.38),
    ("FindVehicle", 89.47, 87.56),
    ("GENIA", 74.71, 75.71),
    ("HarveyNER", 88.79, 74.69),
    ("MIT-Movie", 89.01, 89.58),
    ("MIT-Restaurant", 82.55, 82.59),
    ("multiNERD", 92.32, 90.26),
    ("ncbi", 90.23, 86.21),
    ("OntoNotes", 90.19, 88.64),
    ("polyglot", 70.15, 53.31),
    ("tweetNER7", 64.97, 65.95),
    ("wikiann", 85.13, 64.47),
    ("wikineural", 91.36, 88.27),
)
_RE = (
    ("ADE", 82.31),
    ("conll04", 78.48),
    ("GIDS", 81.98),
    ("kbp37", 36.14),
    ("NYT", 90.47),
    ("NYT11", 56.06),
    ("SciERC", 45.15),
    ("semeval2010", 73.23),
)
_EE = (("ACE05", 77.13, 72.94), ("CASIE", 67.80, 63.53), ("phee", 70.14, 62.91))

# (data set, InstructUIE, re-evaluated or none, USM, ChatGPT), zero-shot NER
_ZERO: tuple[tuple[str, float, float | None, float, float], ...] = (
    ("MIT-Movie", 63.00, None, 37.73, 41.00),
    ("MIT-Restaurant", 20.99, None, 14.73, 37.76),
    ("crossner/ai", 49.00, 48.4, 28.18, 54.40),
    ("crossner/literature", 47.21, 48.8, 56.00, 54.07),
    ("crossner/music", 53.16, 54.4, 44.93, 61.24),
    ("crossner/politics", 48.15, 49.9, 36.10, 59.12),
    ("crossner/science", 49.30, 49.4, 44.09, 63.00),
)
_MEANS = (
    ("ner", 85.19, OWN, TABLES),
    ("ner", 81.16, AGAIN, UNIVERSAL),
    ("ner", 80.09, "BERT-base", TABLES),
    ("ner", 84.78, "UniNER-7B", "UniversalNER, its table of supervised results"),
    ("re", 67.98, OWN, TABLES),
    ("ee trigger", 71.69, OWN, TABLES),
    ("ee argument", 66.46, OWN, TABLES),
)


def _figures() -> tuple[PublishedResult, ...]:
    made = [PublishedResult("macro F1", group, value / 100, system, source) for group, value, system, source in _MEANS]
    for name, own, again in _NER:
        made.append(PublishedResult("F1", f"ner {name}", own / 100, OWN, TABLES))
        made.append(PublishedResult("F1", f"ner {name}", again / 100, AGAIN, UNIVERSAL))
    made += [PublishedResult("F1", f"re {name}", own / 100, OWN, TABLES) for name, own in _RE]
    for name, trigger, argument in _EE:
        made.append(PublishedResult("F1", f"ee trigger {name}", trigger / 100, OWN, TABLES))
        made.append(PublishedResult("F1", f"ee argument {name}", argument / 100, OWN, TABLES))
    for name, own, reviewed, usm, chatgpt in _ZERO:
        group = f"ner {name}"
        made.append(PublishedResult("F1", group, own / 100, f"{OWN}, zero-shot", UNSEEN))
        if reviewed is not None:
            made.append(PublishedResult("F1", group, reviewed / 100, f"{AGAIN}, zero-shot", UNIVERSAL))
        made.append(PublishedResult("F1", group, usm / 100, "USM, zero-shot", UNSEEN))
        made.append(PublishedResult("F1", group, chatgpt / 100, "ChatGPT, zero-shot", UNSEEN))
    return tuple(made)


PAPER = _figures()
