"""The sentiment quadruple of a review, and the five tasks that ask for some of its elements (arXiv:2210.06629).

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

ELEMENTS = ("aspect", "category", "opinion", "sentiment")
TASK_ELEMENTS: dict[str, tuple[str, ...]] = {
    "ae": ("aspect",),
    "aesc": ("aspect", "sentiment"),
    "tasd": ("aspect", "category", "sentiment"),
    "aste": ("aspect", "opinion", "sentiment"),
    "asqp": ELEMENTS,
}
TASKS = tuple(TASK_ELEMENTS)
SENTIMENTS = ("positive", "negative", "neutral")
CONFLICT = "conflict"
"""SemEval-2014's fourth value: positive and negative at once. Readers accept and count it; no task asks for it."""

DOMAINS = ("restaurant", "laptop")


@dataclass(frozen=True, slots=True)
class Quad:
    """One sentiment tuple of a review.

    An element is None where it is implicit (aspect and opinion only) or where the task does not ask for it. The
    category is written as in the published data sets ("FOOD#QUALITY"); the sentiment is one of SENTIMENTS, or CONFLICT.
    """

    aspect: str | None = None
    category: str | None = None
    opinion: str | None = None
    sentiment: str | None = None


def check_task(task: str, where: str = "") -> str:
    """Return the task itself.

    Args:
        task: the name of a task.
        where: file and line, or the setting, for the error message.

    Raises:
        ZooError: for an unknown task, naming `where`.
    """
    if task not in TASK_ELEMENTS:
        raise ZooError(f'no task "{task}"', suggest(task, TASKS), where=where)
    return task


def project(quads: Sequence[Quad], task: str) -> list[Quad]:
    """Reduce quads to the elements that a task asks for, in their order.

    Quads that become equal because an element is left out are merged; a quad that a data set lists twice with all of
    its elements stays twice.

    Args:
        quads: the quads, with all elements.
        task: one of TASKS.

    Returns:
        The quads in their order; an element that the task leaves out is None.

    Raises:
        ZooError: for an unknown task.
    """
    elements = TASK_ELEMENTS[check_task(task)]
    projected = [Quad(*(getattr(quad, name) if name in elements else None for name in ELEMENTS)) for quad in quads]
    return projected if projected == list(quads) else list(dict.fromkeys(projected))


def parse_category(text: str) -> str:
    """Normalise a category: "food style_options" to FOOD#STYLE_OPTIONS; one word is capitalised; one with # stays."""
    text = text.strip()
    if "#" in text:
        return text
    entity, _, attribute = text.partition(" ")
    return f"{entity}#{attribute.replace(' ', '_')}".upper() if attribute else text.upper()


def to_json(quads: Sequence[Quad], task: str = "asqp") -> str:
    """Write quads as a JSON list of objects with the task's elements; an implicit element is null.

    Args:
        quads: the quads.
        task: one of TASKS; asqp has all elements.

    Returns:
        JSON on one line, as the column `gold` holds it.

    Raises:
        ZooError: for an unknown task.
    """
    elements = TASK_ELEMENTS[check_task(task)]
    return json.dumps([{name: getattr(quad, name) for name in elements} for quad in quads], ensure_ascii=False)


def from_json(text: str, where: str = "") -> list[Quad]:
    """Read the quads that `to_json` wrote; an element that is absent is None.

    Args:
        text: the JSON text.
        where: file and line, or row, for the error message.

    Returns:
        The quads in their order.

    Raises:
        ZooError: for anything else, naming `where`.
    """
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ZooError(f"no JSON ({error})", "a list of objects", "correct the row", where) from error
    if not isinstance(values, list):
        raise ZooError(f"found {type(values).__name__}", "a list of objects", "correct the row", where)
    return [_quad_from_object(value, where) for value in values]


def _quad_from_object(value: Any, where: str) -> Quad:
    if not isinstance(value, Mapping):
        raise ZooError(
            f"found {type(value).__name__}", f"an object with {', '.join(ELEMENTS)}", "correct the row", where
        )
    if unknown := [str(name) for name in value if name not in ELEMENTS]:
        raise ZooError(f'no element "{unknown[0]}"', suggest(unknown[0], ELEMENTS), "correct the row", where)
    for name, element in value.items():
        if element is not None and not isinstance(element, str):
            raise ZooError(f'"{name}" is {type(element).__name__}', "text or null", "correct the row", where)
    sentiment = value.get("sentiment")
    if sentiment is not None and sentiment not in (*SENTIMENTS, CONFLICT):
        raise ZooError(f'no sentiment "{sentiment}"', suggest(sentiment, SENTIMENTS), "correct the row", where)
    return Quad(**value)
