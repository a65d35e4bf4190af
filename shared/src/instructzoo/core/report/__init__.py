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
from typing import Any, NamedTuple

from instructzoo.core import runs
from instructzoo.core.errors import ZooError, suggest
from instructzoo.core.report import damage, data_card, sections
from instructzoo.core.report.summary import facts, mapping, subtitle, summary
from instructzoo.core.score import learning_curve, seed_aggregation, tables
from instructzoo.core.score.results import Results
from instructzoo.core.score.tables import Table

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


class Report(NamedTuple):
    """A report that was written: its file, and for each file of the run that could not be read the reason."""

    path: Path
    damaged: dict[str, str]


def write_report(run_folder: Path) -> Report:
    """Write report.html into a run directory; sections whose files are missing or damaged say so.

    Args:
        run_folder: The run directory.

    Returns:
        The file, and what could not be read.

    Raises:
        ZooError: The folder is no directory.
    """
    if not run_folder.is_dir():
        raise ZooError(f"no directory {run_folder}", "a run directory", "zoo train makes one")
    path = run_folder / "report.html"
    values = content(run_folder)
    runs.write_text(path, render(values))
    return Report(path, values["damaged"])


def content(folder: Path) -> dict[str, Any]:
    """The values of the template, from the files of a run directory."""
    from instructzoo.core.report.authors import authors_table  # which is a command too

    sound = damage.Checked(folder)
    manifest, manifest_absent = sections.read(folder / "manifest.json", "This run has no manifest.json.")
    card, card_absent = sections.read(folder / "card.json", "This run has no card.json: its data were not built yet.")
    recipe, recipe_absent = _recipe(folder / "recipe.yaml")
    manifest, card = mapping(manifest), mapping(card)
    results, results_absent = _results(folder / "scores.json")
    results_section = sound.build("scores.json", lambda: sections.results(results) if results else None, None)
    if results_section is None:
        results, results_absent = None, results_absent or sound.sentence("scores.json")
    warnings = runs.warnings_of(manifest) + (results.notes() if results else [])
    environment = {key: value for key, value in manifest.items() if key not in ("incidents", "warnings", "recipe")}
    training = sound.section("metrics.jsonl", sections.training)
    name = f"{recipe.get('domain', '')}/{recipe.get('name', '')}".strip("/") or folder.name
    return {
        "title": name,
        "state": manifest.get("state", ""),
        "subtitle": subtitle(recipe, manifest, folder),
        "summary": sound.build("scores.json", lambda: summary(name, results, training, recipe), ""),
        "facts": sound.build("manifest.json", lambda: facts(results, manifest), None),
        "warnings": warnings,
        "sections": SECTIONS,
        "results": results_section,
        "results_absent": results_absent,
        "training": training,
        "lengths": sound.section("lengths.json", sections.lengths),
        "samples": sound.section("predictions.jsonl", sections.samples),
        "card": data_card.card(card) if card else None,
        "card_absent": card_absent or "card.json is empty.",
        "authors": sound.build("recipe.yaml", lambda: authors_table(recipe), Table((), ())),
        "settings": data_card.settings({key: value for key, value in recipe.items() if key != "authors"}),
        "settings_absent": recipe_absent,
        "environment": data_card.settings(environment),
        "environment_absent": manifest_absent or "manifest.json is empty.",
        "damaged": sound.damaged,
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
            are then means, with intervals over the seeds. Runs that differ by the number of their training rows give a
            learning curve.

    Returns:
        Markdown, without a final line break.

    Raises:
        ZooError: The content is no scores.json, or the runs differ by more than their seed.
    """
    every = [Results.from_dict(scores) for scores in scores_json]
    if learning_curve.is_curve(every):
        return _curve_block(every)
    results = seed_aggregation.merge_seeds(every)
    head = f"{results.domain}/{results.recipe}, {results.scored_rows}, backbone `{results.backbone}`"
    intervals = "in brackets 95% intervals"
    if results.runs > 1:
        kind = "folds" if results.fold else "seeds"
        intervals = f"means of {results.runs} {kind}, in brackets 95% intervals over the {kind} (Student's t)"
    blocks = [f"{head}; {intervals}.", tables.systems_table(results).markdown(), *results.notes()]
    blocks += _group_blocks(results)
    if results.command:
        others = f" and so on with each {'fold' if results.fold else 'seed'}" if results.runs > 1 else ""
        others = "" if " --folds " in results.command else others
        blocks.append(f"Made by `{results.command}`{others}.")
    return "\n\n".join(blocks)


def _curve_block(results: Sequence[Results]) -> str:
    """The Markdown of a learning curve; the command is that of the fewest rows."""
    results = sorted(results, key=lambda result: int(result.trained_on.get("items", 0)))
    first, curve = results[0], learning_curve.points(results)
    seeds = max(point.seeds for point in curve)
    intervals = f"means of up to {seeds} seeds, in brackets" if seeds > 1 else "in brackets"
    head = f"{first.domain}/{first.recipe} by its number of training rows, scored on the {first.scored_rows}"
    blocks = [f"{head}, {first.scorer} scorer, backbone `{first.backbone}`; {intervals} 95% intervals."]
    blocks.append(learning_curve.curve_table(curve).markdown())
    commands = [f"`{result.command}`" for result in results if result.command]
    return "\n\n".join([*blocks, *([f"Made by {commands[0]} and so on with more rows."] if commands else [])])


def _group_blocks(results: Results) -> list[str]:
    """The Markdown of the groups, next to the published results of the same groups where there are any."""
    published, unmeasured = tables.published_groups_table(results), tables.unmeasured_table(results)
    sources = ", ".join(dict.fromkeys(result.source for result in results.paper))
    if published.rows:
        blocks = [f"Beside the published figures ({sources}), {results.scorer} scorer:", published.markdown()]
        others = tables.unpublished_groups_table(results)
        heading = f"The other groups of {tables.SMALLEST_GROUP} rows or more:"
        return [*blocks, *([heading, others.markdown()] if others.rows else [])]
    groups = tables.groups_table(results)
    of_size = f" of {tables.SMALLEST_GROUP} rows or more" if results.rows_file else ""
    parts = [table.markdown() for table in tables.narrow_tables(groups)]
    blocks = [f"By group{of_size}, {results.scorer} scorer:", *parts] if groups.rows else []
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
        return mapping(yaml.safe_load(path.read_text(encoding="utf-8"))), "recipe.yaml holds no settings."
    except (yaml.YAMLError, OSError, ValueError, TypeError, RecursionError) as error:
        return {}, f"recipe.yaml cannot be read: {error}."
