"""The categories and domains that an answer may name: those of the model's training rows, or those that a row lists.

    {"input": "The rooms were tiny.", "options": ["ROOMS#GENERAL", "STAFF#SERVICE"]}     the row's own categories hold

A row that names neither, and whose model remembers none, may get any category in the right form.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from instructzoo.absa.schema import TASK_ELEMENTS, Quad, from_json, parse_category
from instructzoo.core.errors import ZooError
from instructzoo.core.infer.trained_labels import TRAINED_LABELS
from instructzoo.core.record import Row

OUT_OF_SCHEMA = "out-of-schema label"
"""The beginning of the reason for which an answer with a category that is not on offer is Invalid."""


def labels_of(rows: Iterable[Row]) -> dict[str, set[str]]:
    """The categories and domains of training rows, from their columns `gold` and `domain`."""
    golds, domains = set[str](), set[str]()
    for row in rows:
        golds.add(row["gold"])
        domains.add(row["domain"])
    categories = {quad.category for gold in golds for quad in from_json(gold) if quad.category}
    return {"categories": categories, "domains": domains}


def categories_of(row: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The categories on offer.

    Args:
        row: a question; `options`, a list or its JSON text, has categories of the row's own, in any spelling that the
            readers take ("food quality" is FOOD#QUALITY).

    Returns:
        The row's options, else those of the model's training rows; None where any category may be named.

    Raises:
        ZooError: for options that are no list of categories, and for a column TRAINED_LABELS of a user's own.
    """
    options = row.get("options")
    if options is None or options in ("", [], ()):
        return _trained_labels(row, "categories")
    try:
        values = json.loads(options) if isinstance(options, str) else options
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, list | tuple) or not all(isinstance(name, str) and name.strip() for name in values):
        fix = '["FOOD#QUALITY", ...], or leave it out'
        raise ZooError(f'"options" is {str(options)[:60]}', "a list of categories", fix)
    return tuple(dict.fromkeys(map(parse_category, values)))


def domains_of(row: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The domains that an aste answer may name: the row's, else those of the training rows; None: any."""
    if row.get("domain"):
        return (str(row["domain"]),)
    return _trained_labels(row, "domains")


def _trained_labels(row: Mapping[str, Any], kind: str) -> tuple[str, ...] | None:
    """The labels of a kind that the predictor has put into the row; None where the model has none.

    Raises:
        ZooError: for a column of this name that is a user's own.
    """
    labels = row.get(TRAINED_LABELS)
    if labels is None:
        return None
    names = labels.get(kind) if isinstance(labels, Mapping) else None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        problem = f'the row has a column "{TRAINED_LABELS}"'
        raise ZooError(problem, "none of this name: it holds the labels of a model", "rename or drop it")
    return tuple(names)


def require_categories(row: Mapping[str, Any], task: str) -> tuple[str, ...] | None:
    """`categories_of`, where the task asks for a category; else None.

    Raises:
        ZooError: where the model's training rows have no category at all.
    """
    if "category" not in TASK_ELEMENTS.get(task, ()):
        return None
    categories = categories_of(row)
    if categories == ():
        fix = 'give the row "options", a list of categories, or ask for ae, aesc or aste'
        raise ZooError(f"{task} asks a model for categories whose training rows have none", "some", fix, "task")
    return categories


def unknown_category(quads: Sequence[Quad], row: Mapping[str, Any]) -> str:
    """The first category of an answer that is not on offer; "" where all are."""
    categories = categories_of(row)
    if categories is None:
        return ""
    return next((quad.category for quad in quads if quad.category and quad.category not in categories), "")
