"""The HTML report of a run, and the results tables of READMEs; both come from scores.json.

zoo report runs/arithmetic/tiny/1f2e3d4c
python -m instructzoo.core.report README.md arithmetic/tiny=results/tiny.json
python -m instructzoo.core.report README.md absa/k5=seed0.json,seed1.json,seed2.json     means over seeds
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
from instructzoo.core.report import data_card as cards
from instructzoo.core.report import sections as parts
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
_OPENING = re.compile(r"<!-- results:(?P<name>[\w./-]+) -->")
_CLOSING = "<!-- /results -->"
_FIGURE = re.compile(r"(–|[-+]?[\d,.]+%?( \[.*)?)")


def write_report(run_folder: Path) -> Path:
    """Write report.html into a run directory and return its path. What is not there yet is said in words.

    Raises ZooError where the folder is no directory.
    """
    if not run_folder.is_dir():
        raise ZooError(f"no directory {run_folder}", "a run directory", "zoo train makes one")
    path = run_folder / "report.html"
    runs.write_text(path, render(content(run_folder)))
    return path


def content(folder: Path) -> dict[str, Any]:
    """Everything that the template shows, from the files of a run directory."""
    manifest, manifest_absent = parts.read(folder / "manifest.json", "This run has no manifest.json.")
    card, card_absent = parts.read(folder / "card.json", "This run has no card.json: its data were not built yet.")
    recipe, recipe_absent = _recipe(folder / "recipe.yaml")
    manifest, card = _mapping(manifest), _mapping(card)
    found, results_absent = _results(folder / "scores.json")
    incidents = manifest.pop("incidents", None)
    incidents = [str(x) for x in incidents] if isinstance(incidents, list) else []
    incidents += found.notes() if found else []
    training = parts.training(folder / "metrics.jsonl")
    name = f"{recipe.get('domain', '')}/{recipe.get('name', '')}".strip("/") or folder.name
    return {
        "title": name,
        "state": manifest.get("state", ""),
        "subtitle": _subtitle(recipe, manifest, folder),
        "summary": _summary(name, found, training, recipe),
        "facts": _facts(found, manifest),
        "incidents": incidents,
        "sections": SECTIONS,
        "results": parts.results(found) if found else None,
        "results_absent": results_absent,
        "training": training,
        "lengths": parts.lengths(folder / "lengths.json"),
        "samples": parts.samples(folder / "predictions.jsonl"),
        "card": cards.card(card) if card else None,
        "card_absent": card_absent or "card.json is empty.",
        "settings": cards.settings(recipe),
        "settings_absent": recipe_absent,
        "environment": cards.settings(manifest),
        "environment_absent": manifest_absent or "manifest.json is empty.",
    }


def render(values: Mapping[str, Any]) -> str:
    """The HTML page. All texts are escaped; only the charts, which are made here, go in as they are."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("instructzoo.core.report", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    environment.tests["figure"] = lambda cell: bool(_FIGURE.fullmatch(cell))
    values = dict(values)
    for name in ("training", "lengths"):
        block = values[name]
        values[name] = replace(block, charts=[(title, Markup(chart)) for title, chart in block.charts])
    if values["results"]:
        values["results"] = values["results"] | {"chart": Markup(values["results"]["chart"])}
    return environment.get_template("report.html.j2").render(values)


def results_table(*scores_json: Mapping[str, Any]) -> str:
    """The Markdown of a README's results: systems, then groups, each with n and 95% interval.

    The groups are those that the paper has too; where it has none of them, all, and what it published for others.
    scores_json: of one run, or of several that differ by their seed: means, with intervals over the seeds.
    """
    found = seed_aggregation.merged([Results.from_dict(one) for one in scores_json])
    head = f"{found.domain}/{found.recipe}, {found.part} part, {found.n:,} rows, backbone `{found.backbone}`"
    means = f"means of {found.runs} seeds, in brackets 95% intervals over the seeds (Student's t)"
    means = means if found.runs > 1 else "in brackets 95% intervals"
    blocks = [f"{head}; {means}.", tables.systems(found).markdown(), *found.notes()]
    blocks += _beside(found)
    if found.command:
        blocks.append(f"Made by `{found.command}`" + (" and so on with each seed." if found.runs > 1 else "."))
    return "\n\n".join(blocks)


def _beside(found: Results) -> list[str]:
    beside, others = tables.beside_paper(found), tables.unmeasured(found)
    sources = ", ".join(dict.fromkeys(f.source for f in found.paper))
    if beside.rows:
        return [f"Beside the published figures ({sources}), {found.scorer} scorer:", beside.markdown()]
    blocks = [f"By group, {found.scorer} scorer:", table.markdown()] if (table := tables.by_group(found)).rows else []
    if others.rows:
        told = f"<details><summary>Published for other rows, not measured here ({sources})</summary>"
        blocks += [told, others.markdown(), "</details>"]
    return blocks


def update_readme(readme: Path, scores: Mapping[str, Path | Sequence[Path]]) -> bool:
    """Replace the text between `<!-- results:NAME -->` and `<!-- /results -->` by NAME's table; True if it changed.

    scores: NAME, such as arithmetic/tiny, to its scores.json, or to those of several seeds. Raises ZooError for a
    marker without scores, scores without a marker, or a marker that is not closed.
    """
    try:
        text = readme.read_text(encoding="utf-8")
    except OSError as error:
        raise ZooError(f"cannot read: {error.strerror}", "a Markdown file", where=str(readme)) from error
    pieces, at, seen = [], 0, set()
    for opening in _OPENING.finditer(text):
        name = opening["name"]
        where = f"{readme}:{text.count(chr(10), 0, opening.start()) + 1}"
        close, following = text.find(_CLOSING, opening.end()), _OPENING.search(text, opening.end())
        if close < 0 or (following and following.start() < close):
            raise ZooError(f"the marker results:{name} is not closed", _CLOSING, where=where)
        if name not in scores:
            raise ZooError(f"no scores for results:{name}", suggest(name, scores), where=where)
        given = scores[name]
        files = [given] if isinstance(given, Path) else given
        table = results_table(*(runs.read_json(file) for file in files))
        pieces += [text[at : opening.end()], f"\n{table}\n"]
        at = close
        seen.add(name)
    if left := sorted(set(scores) - seen):
        raise ZooError(f"no place for results:{left[0]}", f"<!-- results:{left[0]} --> {_CLOSING}", where=str(readme))
    fresh = "".join([*pieces, text[at:]])
    if fresh != text:
        runs.write_text(readme, fresh)
    return fresh != text


def main(arguments: Sequence[str]) -> int:
    """README.md NAME=scores.json[,scores.json of another seed,...] ...: update the tables of a README."""
    try:
        pairs = [argument.partition("=") for argument in arguments[1:]]
        if not pairs or not all(equals and path for _, equals, path in pairs):
            raise ZooError(f"arguments {' '.join(arguments) or 'none'}", "README.md NAME=scores.json ...")
        files = {name: [Path(path) for path in held.split(",")] for name, _, held in pairs}
        changed = update_readme(Path(arguments[0]), files)
    except ZooError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(f"{arguments[0]}: {'updated' if changed else 'up to date'}\n")
    return 0


def _results(path: Path) -> tuple[Results | None, str]:
    values, reason = parts.read(path, "This run was not evaluated yet: it has no scores.json. zoo eval writes it.")
    if values is None:
        return None, reason
    try:
        return Results.from_dict(values, path.name), ""
    except ZooError as error:
        return None, f"The scores cannot be shown: {error}."


def _recipe(path: Path) -> tuple[dict[str, Any], str]:
    """The settings as plain values: a report also opens runs whose recipe newer code would refuse."""
    import yaml

    if not path.is_file():
        return {}, "This run has no recipe.yaml."
    try:
        return _mapping(yaml.safe_load(path.read_text(encoding="utf-8"))), "recipe.yaml holds no settings."
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        return {}, f"recipe.yaml cannot be read: {error}."


def _mapping(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, dict) else {}


def _subtitle(recipe: Mapping[str, Any], manifest: Mapping[str, Any], folder: Path) -> str:
    when = str(manifest.get("finished") or manifest.get("started") or "")
    held = [recipe.get("title"), f"run {folder.name}", when.replace("T", " ").replace("Z", " UTC")]
    held.append(f"after {recipe['paper']}" if recipe.get("paper") else "")
    return " · ".join(str(x) for x in held if x)


def _summary(name: str, found: Results | None, training: parts.Block, recipe: Mapping[str, Any]) -> str:
    """One paragraph: what was made, how well it does, and what a simple system reaches."""
    model = _mapping(recipe.get("model")).get("backbone", "a backbone that recipe.yaml does not name")
    method = _mapping(recipe.get("method")).get("name", "")
    text = f"{name} tunes {model}" + (f" ({method} tuning)" if method else "")
    text += f": {training.intro}" if training.charts else f". {training.intro}"
    if not found:
        return f"{text} It was not evaluated yet."
    lead = found.model.headline_value()
    low, high = tables.number(lead.metric, lead.low), tables.number(lead.metric, lead.high)
    of = "" if lead.group == "all" else f" on {lead.group}"
    sign = "%" if tables.is_share(lead.metric) else ""
    value = tables.number(lead.metric, lead.value) + sign
    text += f" On {lead.n:,} held-out rows of the {found.part} part it reaches {value} {lead.metric}{of} "
    text += f"(95% interval {low} to {high}, {found.scorer} scorer)"
    if best := found.best_baseline():
        label, figure = tables.LABELS.get(best[0], best[0]), best[1]
        text += f"; the best baseline, {label}, reaches {tables.number(figure.metric, figure.value)}{sign}"
    return text + "."


def _facts(found: Results | None, manifest: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """The few figures that a reader looks for first: name, value, what it rests on."""
    facts = []
    if found:
        for figure in (f for f in found.model.metric_values if f.group == found.model.headline_value().group):
            low, high = tables.number(figure.metric, figure.low), tables.number(figure.metric, figure.high)
            sign = " %" if tables.is_share(figure.metric) else ""
            value = tables.number(figure.metric, figure.value) + sign
            facts.append((f"{figure.metric}, {found.scorer}", value, f"{low} to {high}, n = {figure.n:,}"))
        if best := found.best_baseline():
            sign = " %" if tables.is_share(best[1].metric) else ""
            value = tables.number(best[1].metric, best[1].value) + sign
            facts.append((f"best baseline, {best[1].metric}", value, tables.LABELS.get(best[0], best[0])))
    outcome = _mapping(manifest.get("outcome"))
    trained = _mapping(outcome.get("parameters"))
    if trained.get("total"):
        facts.append(("parameters", f"{trained['total']:,}", f"{trained.get('trained', 0):,} trained"))
    if outcome.get("seconds"):
        where = _mapping(manifest.get("hardware")).get("processor", "")
        facts.append(("training time", parts.duration(outcome["seconds"]), str(where)))
    return facts
