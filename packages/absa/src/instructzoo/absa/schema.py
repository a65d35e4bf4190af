"""The quadruple of a review, and the five tasks that ask for parts of it (Varia et al., arXiv:2210.06629).

"The pizza was delicious but overpriced ."
    Quad("pizza", "FOOD#QUALITY", "delicious", "positive")
    Quad("pizza", "FOOD#PRICES", "overpriced", "negative")

ae    aspect                        aste  aspect, opinion, sentiment
aesc  aspect, sentiment             asqp  all four
tasd  aspect, category, sentiment
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from instructzoo.core.errors import ZooError, suggest

PARTS = ("aspect", "category", "opinion", "sentiment")
ELEMENTS: dict[str, tuple[str, ...]] = {
    "ae": ("aspect",),
    "aesc": ("aspect", "sentiment"),
    "tasd": ("aspect", "category", "sentiment"),
    "aste": ("aspect", "opinion", "sentiment"),
    "asqp": PARTS,
}
TASKS = tuple(ELEMENTS)
SENTIMENTS = ("positive", "negative", "neutral")
CONFLICT = "conflict"
"""SemEval-2014's fourth value: both at once. It is read and counted, and no task asks for it."""

DOMAINS = ("restaurant", "laptop")


@dataclass(frozen=True, slots=True)
class Quad:
    """One judgement. None is implicit (aspect and opinion only) or, by the task, not asked.

    category as the corpora write it, "FOOD#QUALITY"; sentiment one of SENTIMENTS, or CONFLICT.
    """

    aspect: str | None = None
    category: str | None = None
    opinion: str | None = None
    sentiment: str | None = None


def known(task: str, where: str = "") -> str:
    """The task itself. Raises ZooError for an unknown one."""
    if task not in ELEMENTS:
        raise ZooError(f'no task "{task}"', suggest(task, TASKS), where=where)
    return task


def project(quads: Sequence[Quad], task: str) -> list[Quad]:
    """The quads with the elements that the task asks for, in their order.

    Those that become equal where an element is left out are one answer; a quad that a corpus holds twice as a whole
    stays twice.
    """
    asked = ELEMENTS[known(task)]
    cut = [Quad(*(getattr(quad, part) if part in asked else None for part in PARTS)) for quad in quads]
    return cut if cut == list(quads) else list(dict.fromkeys(cut))


def to_json(quads: Sequence[Quad], task: str = "asqp") -> str:
    """A list of objects with the asked elements; implicit is null."""
    asked = ELEMENTS[known(task)]
    return json.dumps([{part: getattr(quad, part) for part in asked} for quad in quads], ensure_ascii=False)


def from_json(text: str, where: str = "") -> list[Quad]:
    """Quads of such a list; an element that is absent is None. Raises ZooError naming `where` for anything else."""
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ZooError(f"no JSON ({error})", "a list of objects", "mend the row", where) from error
    if not isinstance(values, list):
        raise ZooError(f"found {type(values).__name__}", "a list of objects", "mend the row", where)
    return [_quad(value, where) for value in values]


def _quad(value: Any, where: str) -> Quad:
    if not isinstance(value, Mapping):
        raise ZooError(f"found {type(value).__name__}", f"an object with {', '.join(PARTS)}", "mend the row", where)
    if unknown := [str(name) for name in value if name not in PARTS]:
        raise ZooError(f'no element "{unknown[0]}"', suggest(unknown[0], PARTS), "mend the row", where)
    for name, part in value.items():
        if part is not None and not isinstance(part, str):
            raise ZooError(f'"{name}" is {type(part).__name__}', "text or null", "mend the row", where)
    sentiment = value.get("sentiment")
    if sentiment is not None and sentiment not in (*SENTIMENTS, CONFLICT):
        raise ZooError(f'no sentiment "{sentiment}"', suggest(sentiment, SENTIMENTS), "mend the row", where)
    return Quad(**value)
