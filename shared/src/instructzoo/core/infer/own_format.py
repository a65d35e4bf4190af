"""Outputs of a model with another prompt dialect, in the domain's own format, which scorers, tables and demos read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from instructzoo.core.record import Invalid, Row


def in_own_format(predictor: Any, rows: Sequence[Row], outputs: Sequence[str]) -> list[str]:
    """Rewrite a model's outputs.

    Args:
        predictor: The model.
        rows: What it was asked.
        outputs: What it wrote.

    Returns:
        The outputs in the domain's own format; unchanged for a model that is asked in the domain's own prompts. An
        output that means nothing in the dialect stays as it came, or is empty where it would mean something here.
    """
    if not predictor.recipe.model.dialect:
        return list(outputs)
    return [_rewritten(predictor, row, output) for row, output in zip(rows, outputs, strict=True)]


def _rewritten(predictor: Any, row: Row, output: str) -> str:
    rewritten: str = predictor.prompts.rewrite(output, row)
    if not rewritten and isinstance(predictor.domain.prompts().parse(output, row), Invalid):
        return output
    return rewritten
