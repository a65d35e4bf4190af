"""How the results of the commands are printed for people; --json prints them as they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from instructzoo.core.terminal.console import filled_table, line, pairs, put, put_wide, table
from instructzoo.core.terminal.model_printers import models
from instructzoo.core.terminal.plan_printers import parameters, plan, plan_on

TARGET_STYLE, PROMPT_STYLE = "black on green", "dim"


def domains(result: dict[str, Any]) -> None:
    """The installed domains, of `zoo list`."""
    grid = Table("domain", "what it does", "recipes", "models", box=None, header_style="bold", pad_edge=False)
    for domain in result["domains"]:
        recipes = ", ".join(recipe.partition("/")[2] for recipe in domain["recipes"])
        grid.add_row(domain["name"], domain["summary"], recipes, ", ".join(domain["models"]) or "none")
    put(grid)
    for domain in result["domains"]:
        for name, knows in domain["models"].items():
            line(f"{domain['name']}/{name}: {knows}")
    for broken in result["broken"]:
        line(f"broken: {broken['name']}: {broken['reason']}")
    if not result["domains"] and not result["broken"]:
        line("no domain is installed; pip install instructzoo-arithmetic")


def data(result: dict[str, Any]) -> None:
    """The data card of `zoo data`: splits, sources, dropped rows, contamination, and notes of the sources."""
    from instructzoo.core.report import data_card

    card = result["card"]
    pairs({"folder": result["folder"], "fingerprint": result["fingerprint"], "seed": card["seed"]})
    sections = {
        "splits": data_card.split_table(card),
        "sources": data_card.source_table(card),
        "dropped rows (duplicates and contamination)": data_card.dropped_table(card),
        "contamination": data_card.contamination_table(card),
    }
    for title, section in sections.items():
        if not section.rows:
            line(f"\n{title}: none")
            continue
        line("")
        put(filled_table(section.head, section.rows, title))
    for split, requested in card.get("asked", {}).items():
        if card["raw"][split] < requested:
            line(f"note: the source gave {card['raw'][split]:,} of {requested:,} rows for {split}")
    for note in card["notes"]:
        line(f"note: {note}")
    if "enough" in result:
        line(f"how many rows are enough? {result['enough']}")
    for path in result.get("exported", []):
        line(f"exported  {path}")


def explanation(result: dict[str, Any]) -> None:
    """The tokens of `zoo explain`, the target highlighted."""
    text = Text()
    for token in result["tokens"]:
        shown = token["text"].replace("\n", "⏎\n")
        text.append(shown, style=TARGET_STYLE if token["supervised"] else PROMPT_STYLE)
        text.append("|", style="bright_black")
    line(f"{result['recipe']}, training row {result['row']} ({result['id']}, {result['source']})")
    put(text)
    put(Text.assemble(("target", TARGET_STYLE), "  ", ("prompt", PROMPT_STYLE)))
    target_ids = [token["id"] for token in result["tokens"] if token["supervised"]]
    ids_text = f": ids {target_ids}" if min(target_ids, default=0) >= 0 else ""  # an image has no token id
    line(f"this row: {len(result['tokens'])} tokens, {len(target_ids)} of them target{ids_text}")
    line(
        f"all {result['rows']:,} training rows: {result['mean_tokens']:.1f} tokens per row, "
        f"longest {result['longest']}; {result['supervised_share']:.1%} of tokens are target, "
        f"{result['padding_share']:.1%} of batch positions are padding"
    )
    if "html" in result:
        line(f"page  {result['html']}")


def trained(outcome: dict[str, Any]) -> None:
    """The outcome of `zoo train`."""
    pairs({key: value for key, value in outcome.items() if key not in ("parameters", "notes")})
    parameters(outcome["parameters"])
    for note in outcome["notes"]:
        line(f"note: {note}")


def scores(result: dict[str, Any]) -> None:
    """The scores of `zoo eval`: all systems, then the model by group, next to the paper."""
    if result.get("knows"):
        line(f"{result['model']}: {result['knows']}\n")
    metric, group = result["systems"]["model"]["headline"]
    grid = table("system", f"{metric} ({group})", "n")
    for name, system in result["systems"].items():
        headline = _headline(system)
        grid.add_row(name, value(headline), str(headline["n"]))
    put(grid)
    part = f"rows of {result['rows']['file']}" if "rows" in result else f"{result['part']} split"
    line(f"scorer {result['scorer']}, {part}, {result['n']} rows, backbone {result['backbone']}\n")
    metric_values(result["systems"]["model"], result.get("paper", []))
    counts = result["systems"]["model"]["counts"]
    if dead_ends := counts.get("ended where no token fits the grammar"):
        line(
            f"{dead_ends} of {result['n']} answers ended where the vocabulary has no token that their grammar asks for"
        )
    if truncated := counts.get("cut at max_new_tokens"):
        line(
            f"{truncated} of {result['n']} answers were cut at decode.max_new_tokens: a larger one may raise the score"
        )
    for name, reason in result.get("left_out", {}).items():
        line(f"baseline left out: {name} ({reason})")
    if not result.get("recorded", True):
        line("nothing was recorded: a run keeps the scores of the whole evaluation that its recipe asks for")


def metric_values(scores: dict[str, Any], paper: Sequence[dict[str, Any]] = ()) -> None:
    """Every group of one system with its metrics in columns, next to the first published system's headline metric."""
    from instructzoo.core.score.tables import format_number

    metrics = list(dict.fromkeys(metric_value["metric"] for metric_value in scores["figures"]))
    groups: dict[str, dict[str, dict[str, Any]]] = {}
    for metric_value in scores["figures"]:
        groups.setdefault(metric_value["group"], {})[metric_value["metric"]] = metric_value
    system = paper[0]["system"] if paper else ""
    published = {p["group"]: p for p in paper if p["system"] == system and p["metric"] == metrics[0]}
    system = system if published.keys() & groups.keys() else ""  # no empty column
    rows = []
    for group, by_metric in groups.items():
        values = [value(by_metric[metric]) if metric in by_metric else "" for metric in metrics]
        published_cell = format_number(metrics[0], published[group]["value"]) if group in published else ""
        n = next(iter(by_metric.values()))["n"]
        rows.append((group, str(n), *values, *([published_cell] if system else [])))
    put_wide(("group", "n", *metrics, *([system] if system else [])), rows)
    counts = ", ".join(f"{name}: {count}" for name, count in scores["counts"].items() if count)
    line(f"fractions in percent, with 95% intervals; {counts}")
    for note in scores.get("notes", ()):
        line(note)


def value(metric_value: dict[str, Any]) -> str:
    """A metric value with its interval: 99.8 (99.3-99.9)."""
    from instructzoo.core.score.tables import format_number

    middle, low, high = (format_number(metric_value["metric"], metric_value[key]) for key in ("value", "low", "high"))
    return f"{middle} ({low}-{high})"


def predicted(result: dict[str, Any]) -> None:
    """What `zoo predict` wrote."""
    rows = f"{result['rows']:,} row{'' if result['rows'] == 1 else 's'}"
    line(f"{rows} in {result['output']}, {result['answered']:,} answered now by {result['model']}")
    if result["knows"]:
        line(f"{result['model']}: {result['knows']}")
    if result.get("failed"):
        line(f"note: {result['failed']} could not be answered; the column error says why")
    if result.get("unparseable"):
        line(f"note: {result['unparseable']} answers have another form, or a label that is not on offer")


def reproduced(result: dict[str, Any]) -> None:
    """The scores of `zoo reproduce`, and what to open next; of several folds, their means."""
    if "runs" in result:
        _folds(result)
        return
    scores(result["scores"])
    outcome = result["outcome"]
    line("")
    line(f"trained in {outcome['seconds']} s over {outcome['steps']} steps")
    line(f"report  {result['report']}")
    line(f"demo    zoo demo {result['scores']['domain']} --model {result['run']}")


def _folds(result: dict[str, Any]) -> None:
    """The means over the folds of `zoo reproduce --folds`, and the runs."""
    from instructzoo.core.score import seed_aggregation, tables
    from instructzoo.core.score.results import Results

    means = seed_aggregation.merge_seeds([Results.from_dict(scores) for scores in result["scores"]])
    systems = tables.systems_table(means, paper=False)
    put_wide(systems.head, systems.rows)
    line(f"{means.scored_rows}; means of {means.runs} folds, in brackets 95% intervals over the folds")
    for path in result["runs"]:
        line(f"run  {path}")


def reported(result: dict[str, Any]) -> None:
    """The file of `zoo report`, and the files of the run that it could not read."""
    line(f"report  {result['report']}")
    for name, reason in result["damaged"].items():
        line(f"not read completely: {name}: {reason}")


def fetched(result: dict[str, Any]) -> None:
    """Where `zoo fetch` put the backbone."""
    line(f"{result['name']}  {result['path']}")


def exported(result: dict[str, Any]) -> None:
    """Where `zoo export` put the model."""
    line(f"{result['output']}: {result['checked']} questions answered as before the export")
    if result["usage"] == "run":
        line("README.md: code that asks the model without instructzoo; it was run and gives the same answer")
    else:
        line(f"README.md: its code did not give the model's answer: {result['usage']}")


def backbones(result: dict[str, Any]) -> None:
    """The known backbones, of `zoo fetch --list`."""
    grid = Table(box=None, header_style="bold", pad_edge=False)
    grid.add_column("name", no_wrap=True)
    grid.add_column("kind", no_wrap=True)
    grid.add_column("what it is", overflow="fold")
    for backbone in result["backbones"]:
        sources = "a pinned wheel" if backbone["files"] else "the hub"
        about = [backbone["note"], f"{backbone['origin']} ({sources})", f"licence: {backbone['licence']}"]
        grid.add_row(backbone["name"], backbone["kind"], "; ".join(filter(None, about)))
    put(grid)
    line("zoo fetch NAME fetches one ahead of time")


def doctor(result: dict[str, Any]) -> None:
    """The facts and the advice of `zoo doctor`."""
    for title, value in result.items():
        if title == "advice":
            continue
        if isinstance(value, dict):
            value = ", ".join(f"{k} {v}" for k, v in value.items())
        line(f"{title}: {value}")
    for advice in result.get("advice", []):
        line(f"- {advice}")


def synthesised(result: dict[str, Any]) -> None:
    """The counts of `zoo synth`: kept, rejected with the reasons, and prompts to the teacher."""
    pairs({"folder": result["folder"], "teacher": result["teacher"].partition(" ")[0]})
    for title in (name for name in ("kept", "rejected") if result[name]):
        grid = table(title, "")
        for name, count in result[title].items():
            grid.add_row(name, f"{count:,}")
        put(grid)
    line(f"{result['asked']:,} prompts answered by the teacher now, {result['found']:,} from the response cache")
    for note in result["notes"]:
        line(note)


def created(outcome: dict[str, Any]) -> None:
    """The files of a new domain, and what to do next."""
    for path in outcome["files"]:
        line(f"written  {path}")
    for path in outcome["edited"]:
        line(f"edited   {path}")
    line("next:")
    for command in outcome["next"]:
        line(f"    {command}")


def bundled(outcome: dict[str, Any]) -> None:
    """Where a bundled model lies, and the pages whose tables changed."""
    line(f"{outcome['output']}: {outcome['megabytes']} MB of weights")
    line(f"{outcome['checked']} questions answered as before, {outcome['different']} of them changed by rounding")
    for page in outcome["pages"]:
        line(f"tables written  {page}")


def _headline(system: dict[str, Any]) -> dict[str, Any]:
    """The headline metric of a system."""
    metric, group = system["headline"]
    metric_values = system["figures"]
    return next((v for v in metric_values if (v["metric"], v["group"]) == (metric, group)), metric_values[0])


PRINTERS = {
    printer.__name__: printer
    for printer in (
        backbones, bundled, created, data, doctor, domains, explanation, exported, fetched, metric_values, models, plan,
        plan_on, predicted, reported, reproduced, scores, synthesised, trained,
    )
}  # fmt: skip
"""The function that prints each kind of result, by its name."""
