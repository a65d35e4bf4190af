"""The HTML report of a run, and the results tables of READMEs; both are generated from scores.json.

    zoo report runs/arithmetic/tiny/1f2e3d4c
    python -m instructzoo.core.report README.md arithmetic/tiny=results/tiny.json
    python -m instructzoo.core.report README.md absa/k5=seed0.json,seed1.json,seed2.json

The last line gives a table of means over seeds.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from instructzoo.core import runs
from instructzoo.core.errors import ZooError, suggest
from instructzoo.core.report import data_card, sections
from instructzoo.core.score import seed_aggregation, tables
from instructzoo.core.score.tables import Results

SECTIONS = (
    ("results", "Results"),
    ("groups", "By group"),
    ("training", "Training"),
    ("lengths", "Lengths"),
    ("samples", "Samples"),
    ("data", "Data card"),
    ("settings", "Settings"),
    ("environment", "Environment"),
)
"""Anchors and headings of the report."""

_OPENING = re.compile(r"<!-- results:(?P<name>[\w./-]+) -->")
_CLOSING = "<!-- /results -->"
_NUMBER = re.compile(r"(–|[-+]?[\d,.]+%?( \[.*)?)")


def write_report(run_folder: Path) -> Path:
    """Write report.html into a run directory; sections whose files are missing say so.

    Args:
        run_folder: The run directory.

    Returns:
        The path of the file.

    Raises:
        ZooError: The folder is no directory.
    """
    if not run_folder.is_dir():
        raise ZooError(f"no directory {run_folder}", "a run directory", "zoo train makes one")
    path = run_folder / "report.html"
    runs.write_text(path, render(content(run_folder)))
    return path


def content(folder: Path) -> dict[str, Any]:
    """The values of the template, from the files of a run directory."""
    from instructzoo.core.report.authors import authors_table  # which is a command too

    manifest, manifest_absent = sections.read(folder / "manifest.json", "This run has no manifest.json.")
    card, card_absent = sections.read(folder / "card.json", "This run has no card.json: its data were not built yet.")
    recipe, recipe_absent = _recipe(folder / "recipe.yaml")
    manifest, card = _mapping(manifest), _mapping(card)
    results, results_absent = _results(folder / "scores.json")
    warnings = runs.warnings_of(manifest) + (results.notes() if results else [])
    environment = {key: value for key, value in manifest.items() if key not in ("incidents", "warnings")}
    training = sections.training(folder / "metrics.jsonl")
    name = f"{recipe.get('domain', '')}/{recipe.get('name', '')}".strip("/") or folder.name
    return {
        "title": name,
        "state": manifest.get("state", ""),
        "subtitle": _subtitle(recipe, manifest, folder),
        "summary": _summary(name, results, training, recipe),
        "facts": _facts(results, manifest),
        "warnings": warnings,
        "sections": SECTIONS,
        "results": sections.results(results) if results else None,
        "results_absent": results_absent,
        "training": training,
        "lengths": sections.lengths(folder / "lengths.json"),
        "samples": sections.samples(folder / "predictions.jsonl"),
        "card": data_card.card(card) if card else None,
        "card_absent": card_absent or "card.json is empty.",
        "authors": authors_table(recipe),
        "settings": data_card.settings({key: value for key, value in recipe.items() if key != "authors"}),
        "settings_absent": recipe_absent,
        "environment": data_card.settings(environment),
        "environment_absent": manifest_absent or "manifest.json is empty.",
    }


def render(values: Mapping[str, Any]) -> str:
    """The HTML page of `content`. All texts are escaped, except for the charts that this package draws."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("instructzoo.core.report", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    environment.tests["number"] = lambda cell: bool(_NUMBER.fullmatch(cell))
    values = dict(values)
    for name in ("training", "lengths"):
        block = values[name]
        values[name] = replace(block, charts=[(title, Markup(chart)) for title, chart in block.charts])
    if values["results"]:
        values["results"] = values["results"] | {"chart": Markup(values["results"]["chart"])}
    return environment.get_template("report.html.j2").render(values)


def results_table(*scores_json: Mapping[str, Any]) -> str:
    """The Markdown of a README's results: the systems, then the groups, each with n and its 95% interval.

    The groups are those that the paper reports too; where there is none, all groups, and what the paper reports.

    Args:
        scores_json: The content of scores.json of one run, or of several runs that differ by their seed: the values
            are then means, with intervals over the seeds.

    Returns:
        Markdown, without a final line break.

    Raises:
        ZooError: The content is no scores.json, or the runs differ by more than their seed.
    """
    results = seed_aggregation.merge_seeds([Results.from_dict(scores) for scores in scores_json])
    head = (
        f"{results.domain}/{results.recipe}, {results.split} split, {results.n:,} rows, backbone `{results.backbone}`"
    )
    intervals = "in brackets 95% intervals"
    if results.runs > 1:
        intervals = f"means of {results.runs} seeds, in brackets 95% intervals over the seeds (Student's t)"
    blocks = [f"{head}; {intervals}.", tables.systems_table(results).markdown(), *results.notes()]
    blocks += _group_blocks(results)
    if results.command:
        blocks.append(f"Made by `{results.command}`" + (" and so on with each seed." if results.runs > 1 else "."))
    return "\n\n".join(blocks)


def _group_blocks(results: Results) -> list[str]:
    """The Markdown of the groups, next to the published results of the same groups where there are any."""
    published, unmeasured = tables.published_groups_table(results), tables.unmeasured_table(results)
    sources = ", ".join(dict.fromkeys(result.source for result in results.paper))
    if published.rows:
        return [f"Beside the published figures ({sources}), {results.scorer} scorer:", published.markdown()]
    groups = tables.groups_table(results)
    blocks = [f"By group, {results.scorer} scorer:", groups.markdown()] if groups.rows else []
    if unmeasured.rows:
        summary = f"<details><summary>Published for other rows, not measured here ({sources})</summary>"
        blocks += [summary, unmeasured.markdown(), "</details>"]
    return blocks


def update_readme(readme: Path, scores: Mapping[str, Path | Sequence[Path]]) -> bool:
    """Replace the text between `<!-- results:NAME -->` and `<!-- /results -->` by the results of NAME.

    Args:
        readme: The Markdown file.
        scores: By NAME, such as arithmetic/tiny, its scores.json, or those of several seeds.

    Returns:
        Whether the file changed.

    Raises:
        ZooError: A marker has no scores, scores have no marker, or a marker is not closed.
    """
    try:
        text = readme.read_text(encoding="utf-8")
    except OSError as error:
        raise ZooError(f"cannot read: {error.strerror}", "a Markdown file", where=str(readme)) from error
    pieces, position, names = [], 0, set()
    for opening in _OPENING.finditer(text):
        name = opening["name"]
        where = f"{readme}:{text.count(chr(10), 0, opening.start()) + 1}"
        close, following = text.find(_CLOSING, opening.end()), _OPENING.search(text, opening.end())
        if close < 0 or (following and following.start() < close):
            raise ZooError(f"the marker results:{name} is not closed", _CLOSING, where=where)
        if name not in scores:
            raise ZooError(f"no scores for results:{name}", suggest(name, scores), where=where)
        paths = scores[name]
        files = [paths] if isinstance(paths, Path) else paths
        table = results_table(*(runs.read_json(file) for file in files))
        pieces += [text[position : opening.end()], f"\n{table}\n"]
        position = close
        names.add(name)
    if unused := sorted(set(scores) - names):
        marker = f"<!-- results:{unused[0]} --> {_CLOSING}"
        raise ZooError(f"no place for results:{unused[0]}", marker, where=str(readme))
    updated = "".join([*pieces, text[position:]])
    if updated != text:
        runs.write_text(readme, updated)
    return updated != text


def main(arguments: Sequence[str]) -> int:
    """The command `python -m instructzoo.core.report README.md NAME=scores.json[,scores.json of another seed] ...`."""
    try:
        pairs = [argument.partition("=") for argument in arguments[1:]]
        if not pairs or not all(equals and path for _, equals, path in pairs):
            raise ZooError(f"arguments {' '.join(arguments) or 'none'}", "README.md NAME=scores.json ...")
        files = {name: [Path(path) for path in paths.split(",")] for name, _, paths in pairs}
        changed = update_readme(Path(arguments[0]), files)
    except ZooError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(f"{arguments[0]}: {'updated' if changed else 'up to date'}\n")
    return 0


def _results(path: Path) -> tuple[Results | None, str]:
    """The results of scores.json, or None and the reason in words."""
    values, reason = sections.read(path, "This run was not evaluated yet: it has no scores.json. zoo eval writes it.")
    if values is None:
        return None, reason
    try:
        return Results.from_dict(values, path.name), ""
    except ZooError as error:
        return None, f"The scores cannot be shown: {error}."


def _recipe(path: Path) -> tuple[dict[str, Any], str]:
    """The settings as plain values: a report also opens runs whose recipe the current version would refuse."""
    import yaml

    if not path.is_file():
        return {}, "This run has no recipe.yaml."
    try:
        return _mapping(yaml.safe_load(path.read_text(encoding="utf-8"))), "recipe.yaml holds no settings."
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        return {}, f"recipe.yaml cannot be read: {error}."


def _mapping(value: Any) -> dict[str, Any]:
    """The value if it is a mapping, else an empty one."""
    return dict(value) if isinstance(value, dict) else {}


def _subtitle(recipe: Mapping[str, Any], manifest: Mapping[str, Any], folder: Path) -> str:
    """Title of the recipe, name of the run, time, and paper."""
    when = str(manifest.get("finished") or manifest.get("started") or "")
    clauses = [recipe.get("title"), f"run {folder.name}", when.replace("T", " ").replace("Z", " UTC")]
    clauses.append(f"after {recipe['paper']}" if recipe.get("paper") else "")
    return " · ".join(str(clause) for clause in clauses if clause)


def _summary(name: str, results: Results | None, training: sections.Block, recipe: Mapping[str, Any]) -> str:
    """One paragraph: the model, its training, its headline score, and the best baseline."""
    model = _mapping(recipe.get("model")).get("backbone", "a backbone that recipe.yaml does not name")
    method = _mapping(recipe.get("method")).get("name", "")
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


def _facts(results: Results | None, manifest: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """The main numbers of a run: name, value, and a remark such as the interval."""
    facts = []
    if results:
        for metric_value in (f for f in results.model.metric_values if f.group == results.model.headline_value().group):
            bounds = (tables.format_number(metric_value.metric, b) for b in (metric_value.low, metric_value.high))
            sign = " %" if tables.is_fraction(metric_value.metric) else ""
            value = tables.format_number(metric_value.metric, metric_value.value) + sign
            remark = f"{' to '.join(bounds)}, n = {metric_value.n:,}"
            facts.append((f"{metric_value.metric}, {results.scorer}", value, remark))
        if best := results.best_baseline():
            sign = " %" if tables.is_fraction(best[1].metric) else ""
            value = tables.format_number(best[1].metric, best[1].value) + sign
            facts.append((f"best baseline, {best[1].metric}", value, tables.SYSTEM_LABELS.get(best[0], best[0])))
    outcome = _mapping(manifest.get("outcome"))
    parameters = _mapping(outcome.get("parameters"))
    if parameters.get("total"):
        facts.append(("parameters", f"{parameters['total']:,}", f"{parameters.get('trained', 0):,} trained"))
    if outcome.get("seconds"):
        processor = _mapping(manifest.get("hardware")).get("processor", "")
        facts.append(("training time", sections.duration(outcome["seconds"]), str(processor)))
    return facts
