"""How the answers of the verbs look in a terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

LEARNT, READ = "black on green", "dim"
FASTER = 1.1
"""How many times as fast bfloat16 must be before a plan speaks of it."""


def line(text: str) -> None:
    """Text as it is, on standard output."""
    sys.stdout.write(f"{text}\n")  # rich would put an emoji for ":x:"
    sys.stdout.flush()


def table(*columns: str, title: str = "") -> Table:
    made = Table(title=title or None, title_justify="left", header_style="bold", box=None, pad_edge=False)
    for number, column in enumerate(columns):
        made.add_column(column, justify="left" if number == 0 else "right", overflow="fold")
    return made


def put(made: Any) -> None:
    Console(highlight=False, markup=False, emoji=False).print(made)


def pairs(values: dict[str, Any]) -> None:
    made = Table(box=None, show_header=False, pad_edge=False)
    for key, value in values.items():
        made.add_row(Text(key, style="bold"), Text(str(value)))
    put(made)


def domains(found: dict[str, Any]) -> None:
    made = Table("domain", "what it does", "recipes", "model", box=None, header_style="bold", pad_edge=False)
    for d in found["domains"]:
        recipes = ", ".join(r.partition("/")[2] for r in d["recipes"])
        made.add_row(d["name"], d["summary"], recipes, "bundled" if d["model"] else "none")
    put(made)
    for broken in found["broken"]:
        line(f"broken: {broken['name']}: {broken['reason']}")
    if not found["domains"] and not found["broken"]:
        line("no domain is installed; pip install instructzoo-arithmetic")


def data(found: dict[str, Any]) -> None:
    card = found["card"]
    pairs({"folder": found["folder"], "fingerprint": found["fingerprint"]})
    for title, value in card.items():
        if title != "examples":
            line(f"{title}: {value}")
    for path in found.get("exported", []):
        line(f"exported  {path}")


def explanation(found: dict[str, Any]) -> None:
    text = Text()
    for token in found["tokens"]:
        shown = token["text"].replace("\n", "⏎\n")
        text.append(shown, style=LEARNT if token["supervised"] else READ)
        text.append("|", style="bright_black")
    line(f"{found['recipe']}, training row {found['row']} ({found['id']}, {found['source']})")
    put(text)
    marks = Text.assemble(("learnt", LEARNT), "  ", ("read", READ))
    put(marks)
    learnt = [t["id"] for t in found["tokens"] if t["supervised"]]
    said = f": ids {learnt}" if min(learnt, default=0) >= 0 else ""  # a picture has no id
    line(f"this row: {len(found['tokens'])} tokens, {len(learnt)} learnt{said}")
    line(
        f"all {found['rows']:,} training rows: {found['mean_tokens']:.1f} tokens a row, longest {found['longest']}; "
        f"{found['supervised_share']:.1%} of tokens learnt, {found['padding_share']:.1%} of batch cells are padding"
    )
    if "html" in found:
        line(f"page  {found['html']}")


def plan(found: dict[str, Any]) -> None:
    p, m = found["parameters"], found["memory_gb"]
    minutes = found["seconds"] / 60
    pairs(
        {
            "recipe": f"{found['recipe']} ({found['backbone']}, {found['method']})",
            "parameters": f"{p['total']:,}, trained {p['trained']:,} ({p['trained'] / p['total']:.1%})",
            "memory": ", ".join(f"{name} {size:.3f} GB" for name, size in m.items()),
            "rows": f"{found['rows']:,} of {found['tokens_per_row']} tokens",
            "work": f"{found['steps']:,} steps ({found['epochs']} epochs), {found['tokens']:,} tokens",
            "time": f"{found['seconds_per_step']:.3f} s a step, {minutes:.1f} min in all without validation",
        }
    )
    gain = found["seconds_per_step"] / found.get("seconds_per_step_bfloat16", float("inf"))
    if gain > FASTER:
        line(f"train.precision=bfloat16 is {gain:.1f} times as fast here; scores made so should say so")
    parameters(p)


def trained(found: dict[str, Any]) -> None:
    pairs({k: v for k, v in found.items() if k != "parameters"})
    parameters(found["parameters"])


NAMES = 24
"""Most names of parameters that are shown."""


def parameters(found: dict[str, Any]) -> None:
    """What the method trained, by name; the layers of one name together."""
    made = table("trained", "parameters")
    names = list(found["names"].items())
    if len(names) > NAMES:
        names.sort(key=lambda pair: -pair[1])
    for name, count in names[:NAMES]:
        made.add_row(name, f"{count:,}")
    if rest := names[NAMES:]:
        made.add_row(f"{len(rest)} smaller ones", f"{sum(count for _, count in rest):,}")
    made.add_row("in all", f"{found['trained']:,}")
    put(made)


def scores(found: dict[str, Any]) -> None:
    """Systems side by side, then the model by group beside the paper."""
    metric, group = found["systems"]["model"]["headline"]
    made = table("system", f"{metric} ({group})", "n")
    for name, system in found["systems"].items():
        lead = _lead(system)
        made.add_row(name, value(lead), str(lead["n"]))
    put(made)
    line(f"scorer {found['scorer']}, {found['part']} part, {found['n']} rows, backbone {found['backbone']}\n")
    figures(found["systems"]["model"], found.get("paper", []))
    counts = found["systems"]["model"]["counts"]
    if dead := counts.get("ended where no token fits the grammar"):
        line(f"{dead} of {found['n']} answers ended where the vocabulary has no token that their grammar asks for")
    if cut := counts.get("cut at max_new_tokens"):
        line(f"{cut} of {found['n']} answers were cut at decode.max_new_tokens: a larger one may raise the score")
    for name, why in found.get("left_out", {}).items():
        line(f"baseline left out: {name} ({why})")
    if not found.get("recorded", True):
        line("nothing was recorded: a run keeps the scores of the whole evaluation that its recipe asks for")


def figures(found: dict[str, Any], paper: Sequence[dict[str, Any]] = ()) -> None:
    """Every group of one system, its metrics in columns; the paper's own system stands beside the headline metric."""
    from instructzoo.core.score.tables import number

    metrics = list(dict.fromkeys(f["metric"] for f in found["figures"]))
    groups: dict[str, dict[str, dict[str, Any]]] = {}
    for f in found["figures"]:
        groups.setdefault(f["group"], {})[f["metric"]] = f
    author = paper[0]["system"] if paper else ""
    published = {f["group"]: f for f in paper if f["system"] == author and f["metric"] == metrics[0]}
    author = author if published.keys() & groups.keys() else ""  # no column of blanks
    made = table("group", "n", *metrics, *([author] if author else []))
    for group, held in groups.items():
        beside = [number(metrics[0], published[group]["value"]) if group in published else ""] if author else []
        made.add_row(group, str(held[metrics[0]]["n"]), *map(value, held.values()), *beside)
    put(made)
    line("shares in percent, with 95% intervals; " + ", ".join(f"{n}: {c}" for n, c in found["counts"].items() if c))
    for note in found.get("notes", ()):
        line(note)


def value(figure: dict[str, Any]) -> str:
    """A figure with its interval: 99.8 (99.3-99.9)."""
    from instructzoo.core.score.tables import number

    shown = [number(figure["metric"], figure[end]) for end in ("value", "low", "high")]
    return f"{shown[0]} ({shown[1]}-{shown[2]})"


def predicted(found: dict[str, Any]) -> None:
    line(f"{found['rows']} rows in {found['output']}, {found['answered']} answered now")


def reproduced(found: dict[str, Any]) -> None:
    scores(found["scores"])
    outcome = found["outcome"]
    line("")
    line(f"trained in {outcome['seconds']} s over {outcome['steps']} steps")
    line(f"report  {found['report']}")
    line(f"demo    zoo demo {found['scores']['domain']} --run {found['run']}")


def reported(found: dict[str, Any]) -> None:
    line(f"report  {found['report']}")


def fetched(found: dict[str, Any]) -> None:
    line(f"{found['name']}  {found['path']}")


def exported(found: dict[str, Any]) -> None:
    line(f"{found['output']}: {found['checked']} questions answered as before the export")


def backbones(found: dict[str, Any]) -> None:
    rows = found["backbones"]
    made = Table(*rows[0], box=None, header_style="bold", pad_edge=False)
    for row in rows:
        made.add_row(*(str(v or "") for v in row.values()))
    put(made)


def doctor(found: dict[str, Any]) -> None:
    for title, value in found.items():
        if title == "advice":
            continue
        if isinstance(value, dict):
            value = ", ".join(f"{k} {v}" for k, v in value.items())
        line(f"{title}: {value}")
    for advice in found.get("advice", []):
        line(f"- {advice}")


def synthesised(found: dict[str, Any]) -> None:
    """What was kept, what was rejected and why, and what the teacher was asked."""
    pairs({"folder": found["folder"], "teacher": found["teacher"].partition(" ")[0]})
    for title in (name for name in ("kept", "rejected") if found[name]):
        made = table(title, "")
        for name, count in found[title].items():
            made.add_row(name, f"{count:,}")
        put(made)
    line(f"{found['asked']:,} prompts answered by the teacher now, {found['found']:,} by the journal")
    for note in found["notes"]:
        line(note)


def _lead(system: dict[str, Any]) -> dict[str, Any]:
    metric, group = system["headline"]
    return next((f for f in system["figures"] if (f["metric"], f["group"]) == (metric, group)), system["figures"][0])


SHOWN = {
    f.__name__: f
    for f in (backbones, data, doctor, domains, explanation, exported, fetched, figures, plan, predicted, reported,
              reproduced, scores, synthesised, trained)
}  # fmt: skip
"""How each verb's answer is shown, by name."""
