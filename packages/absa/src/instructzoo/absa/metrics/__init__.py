"""Exact tuple F1 by task, in several readings, with the rates of answers without form and of spans that no text holds.

strict               a tuple counts where all of its elements are the true ones, character by character. Micro F1 on
                     multisets: what is said twice and true once is one hit and one error.
lenient              the same without regard to case and spacing (the paper lower-cases aspects and opinions).
abs-quad             the scorer of ABSA-QUAD, and
instructabsa-legacy  that of InstructABSA, with their faults (legacy.py); `zoo score` reports the latter only.

Groups: all rows; each task; each task of each published set ("asqp/rest16 asqp"); and "implicit": only tuples whose
aspect or opinion no word of the text names, of the tasks that ask for these.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from instructzoo.absa import prompts
from instructzoo.absa.metrics import baselines, published_scorers
from instructzoo.absa.schema import CONFLICT, ELEMENTS, Quad, from_json, known, project
from instructzoo.core.domain import PublishedResult
from instructzoo.core.errors import ZooError, suggest
from instructzoo.core.record import Invalid, Row
from instructzoo.core.score import MetricValue, Scores, mean_with_ci
from instructzoo.core.score.baselines import Baseline
from instructzoo.core.score.tuple_f1 import F1, Overlap, overlap, tuple_metrics

SCORERS = ("strict", "lenient", published_scorers.ABS_QUAD)
LEGACY = (published_scorers.INSTRUCTABSA,)
BASELINES: dict[str, Baseline] = {"frequent tuple": baselines.frequent, "lexicon": baselines.lexicon}
INVALID, FOREIGN = "answers without form", "spans not in the text"

_LISTED = "wizwand.com's list of results, which names neither shots nor page; not checked against the paper"
_README = "InstructABSA's repository at 741e3d86, notebook of results, by its own faulty scorer (instructabsa-legacy)"

PAPER = (
    PublishedResult(F1, "aste/14lap ae", 0.7693, "Varia et al., T5-base", _LISTED),
    PublishedResult(F1, "asqp/rest15 ae", 0.7403, "Varia et al., T5-base", _LISTED),
    PublishedResult(F1, "asqp/rest16 ae", 0.7941, "Varia et al., T5-base", _LISTED),
    PublishedResult(F1, "aste/14lap aesc", 0.6607, "Varia et al., T5-base", _LISTED),
    PublishedResult(F1, "asqp/rest15 aesc", 0.6706, "Varia et al., T5-base", _LISTED),
    PublishedResult(F1, "aste/14res aste", 0.4384, "Varia et al., T5-base", _LISTED),
    PublishedResult(F1, "asqp/rest15 aste", 0.5294, "Varia et al., T5-base", _LISTED),
    PublishedResult(F1, "semeval/2014-laptop ae", 0.9322, "InstructABSA-2, faulty scorer", _README),
    PublishedResult(F1, "semeval/2014-restaurant ae", 0.9298, "InstructABSA-2, faulty scorer", _README),
)

NOTES = {
    published_scorers.ABS_QUAD: (
        "A tuple that is said twice counts twice, and undecodable text is a tuple, as published."
    ),
    published_scorers.INSTRUCTABSA: (
        "This scorer is faulty: a part of a term counts as the term, and precision is not a share. Answering "
        '"e" to everything scores above .8.'
    ),
}


def score(rows: Sequence[Row], answers: Sequence[str], scorer: str) -> Scores:
    """Figures of raw model texts against rows, one text per row in order.

    Raises ZooError for an unknown scorer, a row without true tuples, or another number of answers than rows.
    """
    read = _read(rows, answers, scorer)
    counts = _count(read, scorer)
    figures: list[MetricValue] = []
    for group, places in _places(rows, read.tasks).items():
        figures += tuple_metrics(counts.take(places), group)
    if scorer not in (published_scorers.ABS_QUAD, published_scorers.INSTRUCTABSA):
        figures += _implicit(read, scorer)
    figures.append(mean_with_ci(INVALID, [float(isinstance(one, str)) for one in read.said]))
    figures += _foreign(read)
    told = {
        "rows": len(rows),
        "right": sum(_right(read, counts)),
        "tuples said": int(counts.said.sum()),
        "true tuples": int(counts.gold.sum()),
        INVALID: sum(isinstance(one, str) for one in read.said),
        FOREIGN: int(sum(_strange(read).values())),
    }
    return Scores(scorer, tuple(figures), (F1, "all"), (NOTES[scorer],) if scorer in NOTES else (), told)


def correct(rows: Sequence[Row], answers: Sequence[str], scorer: str) -> list[bool]:
    """Whether each answer has the row's tuples and no others; an answer without form never. Errors as `score`."""
    read = _read(rows, answers, scorer)
    return _right(read, _count(read, scorer))


class _Read:
    """Rows and answers, understood. said: tuples, or the text where it is not of the form."""

    def __init__(self, rows: Sequence[Row], answers: Sequence[str]) -> None:
        self.texts = [str(row["input"]) for row in rows]
        self.tasks = [prompts.task_of(row) for row in rows]
        self.gold = [truth(row, number) for number, row in enumerate(rows, 1)]
        parsed = [(text or "", prompts.parse(text or "", row)) for text, row in zip(answers, rows, strict=True)]
        self.said: list[tuple[Quad, ...] | str] = [t if isinstance(a, Invalid) else a.quads for t, a in parsed]
        self.tuples: list[tuple[Quad, ...]] = [() if isinstance(one, str) else one for one in self.said]


def truth(row: Row, number: int = 0) -> tuple[Quad, ...]:
    """The true tuples: the row's `gold`, else what its `output` says, as far as its task asks.

    Raises ZooError for neither, for an unknown task, and for tuples without a category or sentiment that it asks for.
    """
    where = f"row {number}"
    task = known(prompts.task_of(row), where)
    if row.get("gold"):
        quads = tuple(project(from_json(str(row["gold"]), where), task))
        for name in [part for part in ("category", "sentiment") if part in ELEMENTS[task]]:
            values = {getattr(quad, name) for quad in quads}
            if values & {None, "", CONFLICT}:
                found = f'a true tuple with the {name} "{CONFLICT}"' if CONFLICT in values else f"one without {name}"
                raise ZooError(found, f"a {name} that {task} can ask for", "mend or remove the row", where)
        return quads
    answer = prompts.parse(str(row.get("output") or ""), row)
    if isinstance(answer, Invalid):
        raise ZooError(f"no true tuples: {answer.reason}", "gold, or an output in the form", where=where)
    return answer.quads


def _read(rows: Sequence[Row], answers: Sequence[str], scorer: str) -> _Read:
    if scorer not in (*SCORERS, *LEGACY):
        raise ZooError(f'no scorer "{scorer}"', suggest(scorer, (*SCORERS, *LEGACY)), where="evaluate.scorer")
    if len(rows) != len(answers):
        raise ZooError(f"{len(answers)} answers for {len(rows)} rows", "one answer per row, in order")
    return _Read(rows, answers)


def _count(read: _Read, scorer: str) -> Overlap:
    if scorer == published_scorers.ABS_QUAD:
        return published_scorers.abs_quad(read.gold, read.said, read.tasks)
    if scorer == published_scorers.INSTRUCTABSA:
        return published_scorers.instructabsa(read.gold, read.said, read.tasks)
    same = _SAME[scorer]
    return overlap([list(map(same, row)) for row in read.gold], [list(map(same, row)) for row in read.tuples])


def _folded(quad: Quad) -> Quad:
    parts = (quad.aspect, quad.category, quad.opinion, quad.sentiment)
    return Quad(*(None if part is None else " ".join(part.casefold().split()) for part in parts))


def _exact(quad: Quad) -> Quad:
    return quad


_SAME: dict[str, Callable[[Quad], Quad]] = {"strict": _exact, "lenient": _folded}


def _right(read: _Read, counts: Overlap) -> list[bool]:
    return [right and not isinstance(one, str) for right, one in zip(counts.right(), read.said, strict=True)]


def _places(rows: Sequence[Row], tasks: Sequence[str]) -> dict[str, list[int]]:
    """Row numbers of every group: all, the tasks in their order, then the tasks of the published sets."""
    found: dict[str, list[int]] = {"all": list(range(len(rows)))}
    for task in (task for task in ELEMENTS if task in tasks):
        found[task] = [place for place, asked in enumerate(tasks) if asked == task]
    sets: dict[str, list[int]] = {}
    for place, (row, task) in enumerate(zip(rows, tasks, strict=True)):
        if "/" in str(row.get("source") or ""):
            sets.setdefault(f"{row['source']} {task}", []).append(place)
    return found | {group: sets[group] for group in sorted(sets)}


def _implicit(read: _Read, scorer: str) -> list[MetricValue]:
    """Figures of the tuples that have an implicit element, over the rows where one is true or was said."""
    same = _SAME[scorer]
    pairs = []
    for gold, said, task in zip(read.gold, read.tuples, read.tasks, strict=True):
        asked = [part for part in ("aspect", "opinion") if part in ELEMENTS[task]]
        pair = tuple([same(q) for q in row if any(getattr(q, part) is None for part in asked)] for row in (gold, said))
        if any(pair):
            pairs.append(pair)
    if not pairs:
        return []
    return tuple_metrics(overlap([gold for gold, _ in pairs], [said for _, said in pairs]), "implicit")


def _strange(read: _Read) -> dict[int, int]:
    """Spans that were said and do not stand in the text, by row; rows that said no span are left out."""
    found = {}
    for place, (text, quads) in enumerate(zip(read.texts, read.tuples, strict=True)):
        if spans := _spans(quads):
            found[place] = sum(span not in text for span in spans)
    return found


def _spans(quads: Sequence[Quad]) -> list[str]:
    return [span for quad in quads for span in (quad.aspect, quad.opinion) if span is not None]


def _foreign(read: _Read) -> list[MetricValue]:
    """The share of said spans that the text does not hold."""
    strange = _strange(read)
    if not strange:
        return []
    sizes = np.array([len(_spans(read.tuples[place])) for place in strange], dtype=np.float64)
    return [mean_with_ci(FOREIGN, np.array(list(strange.values())) / sizes, weights=sizes)]
