"""The command line: one verb, one public function. Faults that a user can mend are one line and exit code 2."""

from __future__ import annotations

import json
import logging
import sys
from typing import Annotated, Any

import typer

from instructzoo.core import api, openmp
from instructzoo.core.errors import Stopped, ZooError

app = typer.Typer(
    name="zoo",
    help="instructzoo: instruction-tuned specialists.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)

RecipeName = Annotated[str, typer.Argument(help="domain/recipe or a YAML file", metavar="RECIPE")]
Overrides = Annotated[
    list[str] | None, typer.Argument(help="settings such as train.lr=1e-4", metavar="[SETTING=VALUE]...")
]
Domain = Annotated[str, typer.Argument(help="an installed domain", metavar="DOMAIN")]
RunFolder = Annotated[
    str | None, typer.Option("--run", help="a run directory; without it, the model that the package bundle")
]
AsJson = Annotated[bool, typer.Option("--json", help="answer in JSON")]
Quiet = Annotated[bool, typer.Option("--quiet", help="no progress")]


@app.callback()
def _options(debug: Annotated[bool, typer.Option("--debug", help="show the traceback of an error")] = False) -> None:
    """instructzoo: instruction-tuned specialists, from data to demo."""


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """Installed domains and their recipes."""
    out(api.list(), as_json, "domains")


@app.command()
def data(
    recipe: RecipeName,
    overrides: Overrides = None,
    export: Annotated[str | None, typer.Option(help="messages, alpaca or sharegpt")] = None,
    output: Annotated[str | None, typer.Option("--output", "-o", help="new folder for the exported files")] = None,
    as_json: AsJson = False,
) -> None:
    """Build a recipe's rows and show their card."""
    out(api.data(recipe, overrides or (), export, output), as_json, "data")


@app.command()
def synth(
    domain: Domain,
    output: Annotated[str, typer.Option("--output", "-o", help="folder to write, or to go on in")],
    teacher: Annotated[str, typer.Option(help="openai:MODEL@URL, local:BACKBONE or script:FILE")],
    overrides: Overrides = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Write a domain's data with a teacher; go on where a killed call stopped."""
    out(api.synth(domain, output, teacher, overrides or (), quiet), as_json, "synthesised")


@app.command()
def explain(
    recipe: RecipeName,
    overrides: Overrides = None,
    row: Annotated[int, typer.Option(help="number of the training row, from 0")] = 0,
    html: Annotated[str | None, typer.Option(help="write the page to this file too")] = None,
    as_json: AsJson = False,
) -> None:
    """What the model sees of a row, token by token, and what it must learn to write."""
    out(api.explain(recipe, overrides or (), row, html), as_json, "explanation")


@app.command()
def plan(recipe: RecipeName, overrides: Overrides = None, as_json: AsJson = False) -> None:
    """Parameters, memory, tokens, steps and time of a training, before it starts."""
    out(api.plan(recipe, overrides or ()), as_json, "plan")


@app.command()
def train(
    recipe: RecipeName,
    overrides: Overrides = None,
    run_id: Annotated[str | None, typer.Option(help="name of the run; default: a hash of its settings")] = None,
    nproc: Annotated[int | None, typer.Option(min=1, help="processes of this machine that train together")] = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Train a recipe; resume it where a run was cut off."""
    if nproc is not None:
        raise SystemExit(api.launch(sys.argv[1:], nproc))
    out(api.train(recipe, overrides or (), run_id, quiet), as_json, "trained")


@app.command("eval")
def eval_(
    domain: Domain,
    run: RunFolder = None,
    limit: Annotated[int | None, typer.Option(help="test rows to score, by seed; nothing is recorded")] = None,
    baselines: Annotated[bool, typer.Option(help="score the baselines too; without, nothing is recorded")] = True,
    as_json: AsJson = False,
) -> None:
    """Score a model on its test part, beside baselines and the paper."""
    out(api.eval(domain, run, limit, baselines), as_json, "scores")


@app.command()
def predict(
    domain: Domain,
    source: Annotated[
        str,
        typer.Argument(
            help="JSONL of rows, each with an instruction and perhaps an input; - is standard input", metavar="IN.jsonl"
        ),
    ],
    output: Annotated[str, typer.Option("--output", "-o", help="JSONL of answers; - is standard output")] = "-",
    run: RunFolder = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Answer a file of rows, in order; go on where a killed call stopped."""
    done = api.predict(domain, source, output, run, quiet)
    if output != "-":
        out(done, as_json, "predicted")


@app.command()
def score(
    domain: Domain,
    gold: Annotated[str, typer.Option(help="JSONL of rows with their outputs, or a published format of the domain")],
    pred: Annotated[str, typer.Option(help="JSONL, key prediction; a published format; or .txt, an answer a line")],
    scorer: Annotated[str | None, typer.Option(help="variant of the scorer; default: strict")] = None,
    task: Annotated[str, typer.Option(help="what a file in a published format is asked for; default: by format")] = "",
    as_json: AsJson = False,
) -> None:
    """Score any file of answers."""
    out(api.score(domain, gold, pred, scorer, task), as_json, "figures")


@app.command()
def report(run: Annotated[str, typer.Argument(help="a run directory")], as_json: AsJson = False) -> None:
    """Write a run's HTML report."""
    out(api.report(run), as_json, "reported")


@app.command()
def reproduce(recipe: RecipeName, overrides: Overrides = None, quiet: Quiet = False, as_json: AsJson = False) -> None:
    """Data, training, scores and report of a recipe in one command."""
    out(api.reproduce(recipe, overrides or (), quiet), as_json, "reproduced")


@app.command()
def demo(
    domain: Domain,
    run: RunFolder = None,
    port: Annotated[int | None, typer.Option(help="port on 127.0.0.1; default: the first free one from 7860")] = None,
    open_browser: Annotated[bool, typer.Option("--open", help="open the browser")] = False,
) -> None:
    """Open the domain's demo on this machine."""
    api.demo(domain, run, port, open_browser)


@app.command()
def export(
    domain: Domain,
    output: Annotated[str, typer.Option("--output", "-o", help="folder to write")],
    run: RunFolder = None,
    half: Annotated[bool, typer.Option("--half", help="weights in float16")] = False,
    as_json: AsJson = False,
) -> None:
    """Write a model in the plain Hugging Face layout, checked to answer as before."""
    out(api.export(domain, output, run, half), as_json, "exported")


@app.command()
def fetch(
    name: Annotated[str | None, typer.Argument(help="a backbone's name", metavar="[NAME]")] = None,
    listing: Annotated[bool, typer.Option("--list", help="show the known backbones")] = False,
    as_json: AsJson = False,
) -> None:
    """Resolve a pretrained backbone ahead of time."""
    if listing or name is None:
        out(api.backbones(), as_json, "backbones")
    else:
        out(api.fetch(name), as_json, "fetched")


@app.command()
def doctor(
    settings: Annotated[
        bool, typer.Option("--settings", help="print the reference page of all recipe settings")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """What this machine can run."""
    if settings:
        typer.echo(api.settings(), nl=False)
    else:
        out(api.doctor(), as_json, "doctor")


def out(found: dict[str, Any], as_json: bool, shown: str) -> None:
    """One JSON object for programs, else what verbs.show makes of it for people. Of many processes one speaks."""
    from instructzoo.core import runs
    from instructzoo.core.commands import terminal

    if not runs.is_main():
        return
    if as_json:
        terminal.line(json.dumps(found, indent=2, ensure_ascii=False, default=str))
    else:
        terminal.SHOWN[shown](found)


def main() -> None:
    """The `zoo` command."""
    run(app, "zoo")


def run(command: typer.Typer, name: str) -> None:
    """A command line with the house's manners: what a user can mend is one line and exit code 2; --debug: all of it."""
    openmp.use_short_spin()
    debug = "--debug" in sys.argv
    arguments = [a for a in sys.argv[1:] if a != "--debug"]
    # bitsandbytes asks for a kernel that models/load.py switches off, on every start of a processor with AVX512-BF16.
    logging.getLogger("bitsandbytes.backends.cpu.ops").setLevel(logging.ERROR)
    try:
        command(arguments, standalone_mode=True)
    except ZooError as error:
        if debug:
            raise
        sys.stderr.write(f"{name}: {error}\n")
        raise SystemExit(2) from None
    except Stopped as stopped:
        sys.stderr.write(f"{name}: {stopped}\n")
        raise SystemExit(128 + stopped.signal_number) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except BrokenPipeError:
        sys.stderr.close()
        raise SystemExit(141) from None


if __name__ == "__main__":
    main()
