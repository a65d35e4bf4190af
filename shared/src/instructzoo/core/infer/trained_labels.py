"""What a model remembers of its training rows: the labels that its answers are held to, labels.json beside the weights.

    {"categories": ["FOOD#QUALITY", "SERVICE#GENERAL"], "domains": ["restaurant"]}

A domain whose rows do not name the labels on offer declares their kinds in `Domain.labels`, and its
`prompts.labels(rows)` gives the set of each kind. Training writes the file; the predictor, `zoo eval` and the demo add
it to each row as the column TRAINED_LABELS, which the domain's `constraint` and `parse` read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from instructzoo.core import runs
from instructzoo.core.domain import Domain
from instructzoo.core.errors import ZooError
from instructzoo.core.record import Row

FILE = "labels.json"
TRAINED_LABELS = "trained_labels"
"""The column that holds the labels in a row to be answered; no training row has it."""

Labels = dict[str, list[str]]
"""For each kind of label the sorted labels of the training rows."""


def collect(domain: Domain, rows: Any) -> Labels | None:
    """The labels of training rows.

    Args:
        domain: The domain of the rows.
        rows: The train split, a datasets.Dataset.

    Returns:
        The labels; None for a domain that declares none.
    """
    if not domain.labels:
        return None
    return {kind: sorted(labels) for kind, labels in domain.module("prompts").labels(_columns(domain, rows)).items()}


def _columns(domain: Domain, rows: Any) -> Iterable[Row]:
    """The domain's own columns alone, since a column less is a fifth of the time less."""
    return iter(rows.select_columns([name for name in domain.columns if name in rows.column_names]))


def write(labels: Labels | None, folder: Path) -> None:
    """Write labels.json into the folder of a model; nothing for a model without labels."""
    if labels is not None:
        runs.write_json(folder / FILE, labels)


def read(domain: Domain, folder: Path) -> Labels | None:
    """Read the labels of a model.

    Args:
        domain: The domain of the model.
        folder: The folder of its weights.

    Returns:
        The labels; None for a domain that declares none, and for a model that was trained before they were recorded.

    Raises:
        ZooError: The file is damaged, or lacks a kind of labels.
    """
    path = folder / FILE
    if not domain.labels or not path.is_file():
        return None
    expected = f"a list of labels for each of {', '.join(domain.labels)}"
    labels = runs.read_object(path, expected)
    if labels.keys() != set(domain.labels) or not all(map(_is_list_of_texts, labels.values())):
        raise ZooError("damaged labels", expected, "put the file back, or train again", str(path))
    return labels


def _is_list_of_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def add(rows: Sequence[Row], labels: Labels | None) -> list[Row]:
    """The rows with the labels of a model; unchanged where it has none."""
    return list(rows) if labels is None else [row | {TRAINED_LABELS: labels} for row in rows]
