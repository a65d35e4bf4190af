"""The command line: each command calls one function of the API. A user error is one line and exit code 2."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from instructzoo.core import api
from instructzoo.core.terminal import program
from instructzoo.core.terminal.options import AsJson, DomainName, ModelName, Overrides, Quiet, RecipeName, Yes
from instructzoo.core.terminal.program import show

app = typer.Typer(
    name="zoo",
    help="instructzoo: instruction-tuned specialist models.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


def _print_version(wanted: bool) -> None:
    from importlib import metadata

    if wanted:
        typer.echo(f"instructzoo-core {metadata.version('instructzoo-core')}")
        raise typer.Exit


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="show the traceback of an error")] = False,
    version: Annotated[
        bool, typer.Option("--version", help="show the version", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """instructzoo: instruction-tuned specialist models, from data to demo."""


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the installed domains, their recipes and bundled models."""
    show(api.list(), as_json, "domains")


@app.command()
def models(
    domain: Annotated[str | None, typer.Argument(help="an installed domain", metavar="[DOMAIN]")] = None,
    as_json: AsJson = False,
) -> None:
    """List the models by name: base, size, data, licence, score, and what must be fetched."""
    show(api.models(domain), as_json, "models")


@app.command()
def data(
    recipe: RecipeName,
    overrides: Overrides = None,
    export: Annotated[str | None, typer.Option(help="messages, alpaca or sharegpt")] = None,
    output: Annotated[str | None, typer.Option("--output", "-o", help="new folder for the exported files")] = None,
    as_json: AsJson = False,
) -> None:
    """Build a recipe's rows and show their data card."""
    show(api.data(recipe, overrides or (), export, output), as_json, "data")


@app.command()
def synth(
    domain: DomainName,
    output: Annotated[str, typer.Option("--output", "-o", help="folder to write; an unfinished one is resumed")],
    teacher: Annotated[str, typer.Option(help="openai:MODEL@URL, local:BACKBONE or script:FILE")],
    overrides: Overrides = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Generate a domain's data with a teacher model. An interrupted call is resumed."""
    show(api.synth(domain, output, teacher, overrides or (), quiet), as_json, "synthesised")


@app.command()
def explain(
    recipe: RecipeName,
    overrides: Overrides = None,
    row: Annotated[int, typer.Option(help="number of the training row, from 0")] = 0,
    html: Annotated[str | None, typer.Option(help="also write an HTML page to this file")] = None,
    as_json: AsJson = False,
) -> None:
    """Show a training row token by token: prompt and target."""
    show(api.explain(recipe, overrides or (), row, html), as_json, "explanation")


@app.command()
def plan(
    recipe: RecipeName,
    overrides: Overrides = None,
    on: Annotated[str | None, typer.Option(help="other machines, such as l4 or h100x8, from shapes alone")] = None,
    as_json: AsJson = False,
) -> None:
    """Estimate memory, tokens, updates and time of a training run."""
    show(api.plan(recipe, overrides or (), on), as_json, "plan_on" if on else "plan")


@app.command()
def train(
    recipe: RecipeName,
    overrides: Overrides = None,
    run_id: Annotated[str | None, typer.Option(help="name of the run; default: a hash of its settings")] = None,
    nproc: Annotated[
        int | None, typer.Option(min=1, help="number of processes on this machine that train together")
    ] = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Train a recipe. An unfinished run of the same settings is resumed."""
    if nproc is not None:
        raise SystemExit(api.launch(sys.argv[1:], nproc))
    show(api.train(recipe, overrides or (), run_id, quiet), as_json, "trained")


@app.command("eval")
def eval_(
    domain: DomainName,
    model: ModelName = None,
    limit: Annotated[
        int | None, typer.Option(help="number of test rows to score, sampled by seed; nothing is recorded")
    ] = None,
    baselines: Annotated[bool, typer.Option(help="score the baselines too; without them nothing is recorded")] = True,
    rows: Annotated[
        str | None, typer.Option(help="file of rows with their truth that takes the place of the test split")
    ] = None,
    output: Annotated[str | None, typer.Option("--output", "-o", help="file that the scores are written to")] = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Score a model and its baselines on the test split, or on a file of rows."""
    show(api.eval(domain, model, limit, baselines, quiet, rows, output), as_json, "scores")


@app.command()
def predict(
    domain: DomainName,
    source: Annotated[
        str,
        typer.Argument(
            help="CSV, TSV, .txt, .json, JSONL or Parquet of texts, or of rows with an instruction; -: standard input",
            metavar="FILE",
        ),
    ],
    output: Annotated[str, typer.Option("--output", "-o", help="CSV, JSONL or Parquet; - is standard output")] = "-",
    model: ModelName = None,
    text_column: Annotated[str, typer.Option(help="column of the texts; default: a guess")] = "",
    task: Annotated[
        str | None, typer.Option(help="task of the domain, such as aesc for absa; a wrong one is answered with a list")
    ] = None,
    labels: Annotated[str | None, typer.Option(help="labels to look for, such as person,company")] = None,
    raw: Annotated[bool, typer.Option("--raw", help="write what the model wrote, too")] = False,
    yes: Yes = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Answer the texts of a file, with typed answers, or its rows. An interrupted call is resumed."""
    options = {name: value for name, value in (("task", task), ("labels", labels)) if value is not None}
    outcome = api.predict(domain, source, output, model, quiet, yes, text_column, options, raw)
    if output != "-":
        show(outcome, as_json, "predicted")


@app.command()
def score(
    domain: DomainName,
    gold: Annotated[str, typer.Option(help="JSONL of rows with outputs, or a published format that the domain reads")],
    pred: Annotated[
        str, typer.Option(help="JSONL with the key prediction, a published format, or .txt with one answer per line")
    ],
    scorer: Annotated[
        str | None, typer.Option(help="variant of the domain's scorer; default: its first, usually strict")
    ] = None,
    task: Annotated[str, typer.Option(help="task of a file in a published format; default: by format")] = "",
    as_json: AsJson = False,
) -> None:
    """Score a file of answers, whatever system wrote them."""
    show(api.score(domain, gold, pred, scorer, task), as_json, "metric_values")


@app.command()
def report(run: Annotated[str, typer.Argument(help="a run directory")], as_json: AsJson = False) -> None:
    """Write the HTML report of a run."""
    show(api.report(run), as_json, "reported")


@app.command()
def reproduce(
    recipe: RecipeName,
    overrides: Overrides = None,
    folds: Annotated[
        int | None,
        typer.Option(min=2, help="train once for each of so many folds of the training rows"),
    ] = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Run data, training, scores and report of a recipe."""
    show(api.reproduce(recipe, overrides or (), quiet, folds), as_json, "reproduced")


@app.command()
def demo(
    domain: DomainName,
    model: ModelName = None,
    port: Annotated[int | None, typer.Option(help="port on 127.0.0.1; default: the first free one from 7860")] = None,
    open_browser: Annotated[bool, typer.Option("--open", help="open it in the browser")] = False,
    yes: Yes = False,
) -> None:
    """Serve the domain's demo on this machine."""
    api.demo(domain, model, port, open_browser, yes)


@app.command()
def export(
    domain: DomainName,
    output: Annotated[str, typer.Option("--output", "-o", help="folder to write")],
    model: ModelName = None,
    half: Annotated[bool, typer.Option("--half", help="save the weights in float16")] = False,
    as_json: AsJson = False,
) -> None:
    """Export a model to the plain Hugging Face layout. Its answers are checked to be unchanged."""
    show(api.export(domain, output, model, half), as_json, "exported")


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="the new domain's name, an identifier in small letters", metavar="NAME")],
    title: Annotated[str, typer.Option(help="heading of demo and model card; default: the name")] = "",
    as_json: AsJson = False,
) -> None:
    """Write a new domain into the checkout in this folder. It passes its contract at once."""
    show(api.new(name, title), as_json, "created")


@app.command()
def bundle(
    domain: DomainName,
    model: Annotated[str, typer.Option("--model", help="a run directory that zoo eval has scored")],
    name: Annotated[str, typer.Option("--as", help="tiny: a whole model; small: an adapter in float16")] = "tiny",
    half: Annotated[bool, typer.Option("--half", help="weights of tiny in float16")] = False,
    as_json: AsJson = False,
) -> None:
    """Bundle a scored run with its package. The tables of the READMEs are updated."""
    show(api.bundle(domain, model, half, name), as_json, "bundled")


@app.command()
def fetch(
    name: Annotated[str | None, typer.Argument(help="a backbone, or DOMAIN/MODEL", metavar="[NAME]")] = None,
    listing: Annotated[bool, typer.Option("--list", help="list the known backbones")] = False,
    as_json: AsJson = False,
) -> None:
    """Fetch a pretrained backbone, or what a model of zoo models lacks, ahead of time."""
    if listing or name is None:
        show(api.backbones(), as_json, "backbones")
    else:
        show(api.fetch(name), as_json, "fetched")


@app.command()
def doctor(
    settings: Annotated[
        bool, typer.Option("--settings", help="print the reference page of all recipe settings")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Report what this machine can run."""
    if settings:
        typer.echo(api.settings(), nl=False)
    else:
        show(api.doctor(), as_json, "doctor")


def main() -> None:
    """The `zoo` command."""
    program.run(app, "zoo")


if __name__ == "__main__":
    main()
