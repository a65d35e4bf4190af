"""What a user should know of a model, as HTML: its data and licences, its scores, and what it is not for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape
from types import MappingProxyType
from typing import Any

from instructzoo.core.recipe import Recipe
from instructzoo.core.score.tables import SYSTEM_LABELS, format_number, is_fraction
from instructzoo.core.score.types import MetricValue, Scores
from instructzoo.core.shelf import ShelfModel
from instructzoo.core.ui.html import table

MAX_SCORES = 7
"""Scores of the model that the table shows at most; `zoo report` shows all."""

NAME_OR_HUB_ID = re.compile(r"(?!runs/)\w[\w.-]*(/\w[\w.-]*)?")
"""What a base may be called on the page. Any other is a path of the machine that the model was trained on."""


def card(
    recipe: Recipe,
    scores: Mapping[str, Any] | None,
    limits: Sequence[tuple[str, str]] = (),
    model: ShelfModel | None = None,
    group_names: Mapping[str, str] = MappingProxyType({}),
    everyday: Mapping[str, Any] | None = None,
) -> str:
    """HTML of the card of a model: its base, its training data, its limits, and its scores with n and interval.

    Args:
        recipe: The recipe of the model.
        scores: The content of its scores.json; None where it has not been scored.
        limits: Further rows of the card: name and text.
        model: Its row in the domain's table of models; None for a run or a folder.
        group_names: What the table of scores calls a group of examples, by the group; others keep their names.
        everyday: The content of its everyday.json, the scores on everyday texts, if it has one.
    """
    base = str((scores or {}).get("backbone") or recipe.model.backbone)
    if model is None:
        facts = [("Base", base_name(base)), ("Trained on", ", ".join(map(_source_name, recipe.data.sources)))]
    else:
        data = "; ".join(map(str, model.data))
        facts = [
            ("Knows", model.knows),
            ("Base", base_name(model.base)),
            ("Trained on", data),
            ("Licence", model.licence),
        ]
    facts += [
        ("Recipe", f"{recipe.domain}/{recipe.name}" + (f", after {recipe.paper}" if recipe.paper else "")),
        *limits,
    ]
    return table(("", ""), [fact for fact in facts if fact[1]]) + scores_table(recipe, scores, group_names, everyday)


def _source_name(source: str) -> str:
    return "generated examples" if source == "world" else source


def base_name(base: str) -> str:
    """What a model was tuned from, as a page may show it; "" for a path of the machine that it was trained on."""
    if base.startswith("scratch:"):
        return f"none: trained from scratch ({base})"
    if base == "from scratch":
        return f"none: trained {base}"
    return base if NAME_OR_HUB_ID.fullmatch(base) else ""


def scores_table(
    recipe: Recipe,
    scores: Mapping[str, Any] | None,
    group_names: Mapping[str, str],
    everyday: Mapping[str, Any] | None = None,
) -> str:
    """HTML of the scores of a model by group, and of the best simple method beside it.

    Args:
        recipe: The recipe of the model.
        scores: The content of scores.json; None where the model has not been scored.
        group_names: What the table calls a group of examples, by the group.
        everyday: The scores on everyday texts, which are shown first.
    """
    if not scores:
        return f'<p class="zoo-hint">Not scored yet: zoo eval {escape(recipe.domain)}</p>'
    model = Scores.from_dict(scores["systems"]["model"])
    headline = model.headline_value()
    values = [value for value in model.metric_values if value.metric == headline.metric]
    rows = (
        [_row("everyday texts, written as a test", Scores.from_dict(everyday["systems"]["model"]).headline_value())]
        if everyday
        else []
    )
    rows += [_row(group_names.get(value.group, value.group), value) for value in values[:MAX_SCORES]]
    baselines = [
        (SYSTEM_LABELS.get(name, name), Scores.from_dict(system).headline_value())
        for name, system in scores["systems"].items()
        if name not in ("model", "unconstrained") and system.get("figures")
    ]
    if baselines:
        name, best = max(baselines, key=lambda baseline: baseline[1].value)
        rows.append(_row(f"for comparison: {name}", best))
    kind = "made-up" if recipe.data.sources == ("world",) else "real"
    tested = (
        f"Tested on {kind} examples that it was not trained on ({scores.get('part', 'test')} split, {model.scorer})."
    )
    header = ("examples", headline.metric, "95% interval", "number")
    return f'<p class="zoo-hint">{escape(tested)}</p>{table(header, rows)}'


def _row(name: str, value: MetricValue) -> tuple[str, str, str, str]:
    """The cells of a metric value: name, value, interval and n."""
    sign = "%" if is_fraction(value.metric) else ""
    number, low, high = (format_number(value.metric, v) for v in (value.value, value.low, value.high))
    return name, f"{number}{sign}", f"{low} to {high}{sign}", f"{value.n:,}"
