"""Results that others published on these data sets, in the groups of `metrics.score`; none was measured here."""

from __future__ import annotations

from instructzoo.core.domain import PublishedResult

INSTRUCTUIE = "InstructUIE 11B, its own scorer"
REEVALUATED = "InstructUIE 11B, re-evaluated by UniversalNER"
SUPERVISED_TABLES = "arXiv:2304.08085, supervised results"
ZERO_SHOT_TABLES = "arXiv:2304.08085, tables 4 and 6 (zero-shot)"
UNIVERSALNER = "UniversalNER, its re-evaluation of the released checkpoint"

# F1 in percent, supervised NER: (data set, InstructUIE, re-evaluated)
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
# supervised relation extraction: (data set, InstructUIE)
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
# supervised event extraction: (data set, triggers, arguments), InstructUIE
_EE = (("ACE05", 77.13, 72.94), ("CASIE", 67.80, 63.53), ("phee", 70.14, 62.91))

# zero-shot NER: (data set, InstructUIE, re-evaluated or None, USM, ChatGPT)
_ZERO_SHOT: tuple[tuple[str, float, float | None, float, float], ...] = (
    ("MIT-Movie", 63.00, None, 37.73, 41.00),
    ("MIT-Restaurant", 20.99, None, 14.73, 37.76),
    ("crossner/ai", 49.00, 48.4, 28.18, 54.40),
    ("crossner/literature", 47.21, 48.8, 56.00, 54.07),
    ("crossner/music", 53.16, 54.4, 44.93, 61.24),
    ("crossner/politics", 48.15, 49.9, 36.10, 59.12),
    ("crossner/science", 49.30, 49.4, 44.09, 63.00),
)
# means over the data sets of a paper: (group, macro F1, system, source)
_MEANS = (
    ("ner", 85.19, INSTRUCTUIE, SUPERVISED_TABLES),
    ("ner", 81.16, REEVALUATED, UNIVERSALNER),
    ("ner", 80.09, "BERT-base", SUPERVISED_TABLES),
    ("ner", 84.78, "UniNER-7B", "UniversalNER, its table of supervised results"),
    ("re", 67.98, INSTRUCTUIE, SUPERVISED_TABLES),
    ("ee trigger", 71.69, INSTRUCTUIE, SUPERVISED_TABLES),
    ("ee argument", 66.46, INSTRUCTUIE, SUPERVISED_TABLES),
)


def _published_results() -> tuple[PublishedResult, ...]:
    results = [
        PublishedResult("macro F1", group, value / 100, system, source) for group, value, system, source in _MEANS
    ]
    for name, original, reevaluated in _NER:
        results.append(_f1(f"ner {name}", original, INSTRUCTUIE, SUPERVISED_TABLES))
        results.append(_f1(f"ner {name}", reevaluated, REEVALUATED, UNIVERSALNER))
    results += [_f1(f"re {name}", original, INSTRUCTUIE, SUPERVISED_TABLES) for name, original in _RE]
    for name, trigger, argument in _EE:
        results.append(_f1(f"ee trigger {name}", trigger, INSTRUCTUIE, SUPERVISED_TABLES))
        results.append(_f1(f"ee argument {name}", argument, INSTRUCTUIE, SUPERVISED_TABLES))
    for name, zero_shot, zero_shot_again, usm, chatgpt in _ZERO_SHOT:
        group = f"ner {name}"
        results.append(_f1(group, zero_shot, f"{INSTRUCTUIE}, zero-shot", ZERO_SHOT_TABLES))
        if zero_shot_again is not None:
            results.append(_f1(group, zero_shot_again, f"{REEVALUATED}, zero-shot", UNIVERSALNER))
        results.append(_f1(group, usm, "USM, zero-shot", ZERO_SHOT_TABLES))
        results.append(_f1(group, chatgpt, "ChatGPT, zero-shot", ZERO_SHOT_TABLES))
    return tuple(results)


def _f1(group: str, percent: float, system: str, source: str) -> PublishedResult:
    return PublishedResult("F1", group, percent / 100, system, source)


PAPER = _published_results()
