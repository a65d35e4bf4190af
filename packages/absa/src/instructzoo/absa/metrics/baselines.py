"""Two baselines that need no model: the most frequent tuple, and a lexicon of the terms of the training rows."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from instructzoo.absa import prompts
from instructzoo.absa.schema import ELEMENTS, Quad, from_json, project
from instructzoo.core.errors import ZooError
from instructzoo.core.record import Row

LONGEST = 6
"""Words of a term that the lexicon looks up."""

_WORD = re.compile(r"\w+|[^\w\s]")


def frequent(train: Sequence[Row], test: Sequence[Row]) -> list[str]:
    """The one tuple that most training rows of a row's task have, said of every row."""
    tuples: dict[str, Counter[Quad]] = defaultdict(Counter)
    for row in _taught(train):
        tuples[prompts.task_of(row)].update(set(_gold(row)))
    best = {task: found.most_common(1)[0][0] for task, found in tuples.items() if found}
    return [_say([best[task]] if (task := prompts.task_of(row)) in best else [], row) for row in test]


def lexicon(train: Sequence[Row], test: Sequence[Row]) -> list[str]:
    """Known terms that stand in the text, the longest first: each aspect with the nearest opinion.

    A term is known where the training rows that hold its words annotate it in at least half of them. Its category
    and sentiment are those it mostly had; an aspect takes the sentiment of the opinion beside it.
    """
    known = _learn(_taught(train))
    return [_say(_tagged(str(row["input"]), prompts.task_of(row), known), row) for row in test]


@dataclass
class _Lexicon:
    """What the training rows say of a term (in small letters): categories, sentiments, and how often it is one."""

    aspects: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    opinions: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    moods: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    overall: Counter[str] = field(default_factory=Counter)
    sentiments: Counter[str] = field(default_factory=Counter)


def _taught(train: Sequence[Row]) -> Sequence[Row]:
    if not len(train):
        raise ZooError("no training rows", "at least one", "baselines learn from the training part")
    return train


def _gold(row: Row) -> list[Quad]:
    return from_json(str(row["gold"]))


def _say(quads: Sequence[Quad], row: Row) -> str:
    task = prompts.task_of(row)
    return prompts.answer(project(quads, task), task, str(row.get("domain") or "restaurant"))


def _learn(train: Sequence[Row]) -> _Lexicon:
    known = _Lexicon()
    marked: dict[str, Counter[str]] = {"aspect": Counter(), "opinion": Counter()}
    texts: dict[str, set[str]] = {"aspect": set(), "opinion": set()}
    for row in train:
        asked, text = ELEMENTS[prompts.task_of(row)], str(row["input"])
        quads = _gold(row)
        for part in ("aspect", "opinion"):
            if part in asked and text not in texts[part]:
                texts[part].add(text)
                marked[part].update({_key(span) for q in quads if (span := getattr(q, part)) is not None})
        for quad in quads:
            _note(known, quad)
    for held, part in ((known.aspects, "aspect"), (known.opinions, "opinion")):
        seen: Counter[str] = Counter()  # in texts that were asked for this element
        for text in texts[part]:
            seen.update({key for _, _, key in _grams(text)})
        for term in [term for term in held if 2 * marked[part][term] < max(1, seen[term])]:
            del held[term]
    return known


def _note(known: _Lexicon, quad: Quad) -> None:
    category, mood = quad.category or "", quad.sentiment or ""
    if quad.aspect is not None:
        known.aspects[_key(quad.aspect)].update([category] if category else [])
        known.moods[_key(quad.aspect)].update([mood] if mood else [])
    if quad.opinion is not None:
        known.opinions[_key(quad.opinion)].update([mood] if mood else [])
    known.overall.update([category] if category else [])
    known.sentiments.update([mood] if mood else [])


def _tagged(text: str, task: str, known: _Lexicon) -> list[Quad]:
    aspects, opinions = (_found(text, terms) for terms in (known.aspects, known.opinions))
    if "opinion" not in ELEMENTS[task]:
        return [_quad(text, aspect, None, known) for aspect in aspects]
    pairs = [(min(aspects, key=_distance(one), default=None), one) for one in opinions]
    return [_quad(text, aspect, opinion, known) for aspect, opinion in pairs]


def _distance(span: tuple[int, int]) -> Callable[[tuple[int, int]], int]:
    return lambda other: max(other[0] - span[1], span[0] - other[1])


def _quad(text: str, aspect: tuple[int, int] | None, opinion: tuple[int, int] | None, known: _Lexicon) -> Quad:
    said, judged = (None if at is None else text[slice(*at)] for at in (aspect, opinion))
    mood = _most(known.opinions.get(_key(judged or ""), Counter()) or known.moods.get(_key(said or ""), Counter()))
    category = _most(known.aspects.get(_key(said or ""), Counter()))
    return Quad(said, category or _most(known.overall) or None, judged, mood or _most(known.sentiments) or "positive")


def _most(counts: Counter[str]) -> str:
    return counts.most_common(1)[0][0] if counts else ""


def _found(text: str, terms: Mapping[str, Counter[str]]) -> list[tuple[int, int]]:
    """Where known terms stand, from left to right: at every place the longest one, and none inside another."""
    found: list[tuple[int, int]] = []
    for begin, end, key in _grams(text):
        if key in terms and (not found or begin >= found[-1][1]):
            found.append((begin, end))
    return found


def _grams(text: str) -> list[tuple[int, int, str]]:
    """(begin, end, key) of all runs of up to LONGEST words, by place, the longest first."""
    spans = [match.span() for match in _WORD.finditer(text)]
    words = [text[begin:end].casefold() for begin, end in spans]
    return [
        (spans[i][0], spans[i + n - 1][1], " ".join(words[i : i + n]))
        for i in range(len(spans))
        for n in range(min(LONGEST, len(spans) - i), 0, -1)
    ]


def _key(span: str) -> str:
    return " ".join(_WORD.findall(span.casefold()))
