"""The head of a report: the recipe and run that it speaks of, one paragraph, and the main numbers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from instructzoo.core.report import sections
from instructzoo.core.score import tables
from instructzoo.core.score.results import Results


def mapping(value: Any) -> dict[str, Any]:
    """The value if it is a mapping, else an empty one."""
    return dict(value) if isinstance(value, dict) else {}


def subtitle(recipe: Mapping[str, Any], manifest: Mapping[str, Any], folder: Path) -> str:
    """Title of the recipe, name of the run, time, and paper."""
    when = str(manifest.get("finished") or manifest.get("started") or "")
    clauses = [recipe.get("title"), f"run {folder.name}", when.replace("T", " ").replace("Z", " UTC")]
    clauses.append(f"after {recipe['paper']}" if recipe.get("paper") else "")
    return " · ".join(str(clause) for clause in clauses if clause)


def summary(name: str, results: Results | None, training: sections.Block, recipe: Mapping[str, Any]) -> str:
    """One paragraph: the model, its training, its headline score, and the best baseline."""
    model = mapping(recipe.get("model")).get("backbone", "a backbone that recipe.yaml does not name")
    method = mapping(recipe.get("method")).get("name", "")
    text = f"{name} fine-tunes {model}" + (f" (method {method})" if method else "")
    text += f": {training.intro}" if training.charts else f". {training.intro}"
    if not results:
        return f"{text} It was not evaluated yet."
    headline = results.model.headline_value()
    low, high = (
        tables.format_number(headline.metric, headline.low),
        tables.format_number(headline.metric, headline.high),
    )
    of_group = "" if headline.group == "all" else f" on {headline.group}"
    sign = "%" if tables.is_fraction(headline.metric) else ""
    value = tables.format_number(headline.metric, headline.value) + sign
    text += (
        f" On {headline.n:,} held-out rows of the {results.split} split it reaches {value} {headline.metric}{of_group} "
    )
    text += f"(95% interval {low} to {high}, {results.scorer} scorer)"
    if best := results.best_baseline():
        label, value = tables.SYSTEM_LABELS.get(best[0], best[0]), tables.format_number(best[1].metric, best[1].value)
        text += f"; the best baseline, {label}, reaches {value}{sign}"
    return text + "."


def facts(results: Results | None, manifest: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """The main numbers of a run: name, value, and a remark such as the interval."""
    rows = []
    if results:
        for metric_value in (f for f in results.model.metric_values if f.group == results.model.headline_value().group):
            bounds = (tables.format_number(metric_value.metric, b) for b in (metric_value.low, metric_value.high))
            sign = " %" if tables.is_fraction(metric_value.metric) else ""
            value = tables.format_number(metric_value.metric, metric_value.value) + sign
            remark = f"{' to '.join(bounds)}, n = {metric_value.n:,}"
            rows.append((f"{metric_value.metric}, {results.scorer}", value, remark))
        if best := results.best_baseline():
            sign = " %" if tables.is_fraction(best[1].metric) else ""
            value = tables.format_number(best[1].metric, best[1].value) + sign
            rows.append((f"best baseline, {best[1].metric}", value, tables.SYSTEM_LABELS.get(best[0], best[0])))
    outcome = mapping(manifest.get("outcome"))
    parameters = mapping(outcome.get("parameters"))
    if parameters.get("total"):
        rows.append(("parameters", f"{parameters['total']:,}", f"{parameters.get('trained', 0):,} trained"))
    if outcome.get("seconds"):
        hardware = mapping(manifest.get("hardware"))
        gpus = hardware.get("gpus")
        device = ", ".join(map(str, gpus)) if isinstance(gpus, list) else str(hardware.get("processor", ""))
        rows.append(("training time", sections.duration(outcome["seconds"]), device))
    return rows
