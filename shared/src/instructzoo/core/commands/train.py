"""zoo train: rows -> a tuned model in a run directory."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from typing import Any

from instructzoo.core import recipe as recipes
from instructzoo.core import runs
from instructzoo.core.commands.training_task import TrainingTask, build_task, counts
from instructzoo.core.errors import ZooError
from instructzoo.core.recipe import Recipe
from instructzoo.core.runs import Run


def train(recipe: str, overrides: Sequence[str] = (), run_id: str | None = None, quiet: bool = False) -> dict[str, Any]:
    """Train a recipe; an unfinished run of the same settings is resumed exactly, a finished one is refused.

    Returns {"run", "steps", "validation_loss", "parameters", "seconds", ...}.
    """
    settings = recipes.load(recipe, overrides)
    # Of many processes one starts the run; the others meet it in train_run.
    run = runs.start(settings, command(), run_id) if runs.is_main() else runs.at(settings, run_id)
    return train_run(settings, run, quiet)


def train_run(recipe: Recipe, run: Run, quiet: bool = False) -> dict[str, Any]:
    """Train into a run directory that `runs.start` gave."""
    with run.lock():
        return _train(recipe, run, quiet)


def _train(recipe: Recipe, run: Run, quiet: bool) -> dict[str, Any]:
    from instructzoo.core import tune
    from instructzoo.core.data.split import sampled
    from instructzoo.core.tune import distributed

    with distributed.main_first():  # the others find its rows and its tokenizer
        ready = build_task(recipe, run.path("tokenizer"))
        _keep(run, ready)
    _note_beginning(run, ready.built.fingerprint)
    rows = ready.built.rows
    watched = sampled(rows["validation"], recipe.train.validation_rows, recipe.seed, "validation")
    encoded = {"train": ready.encode(rows["train"]), "validation": ready.encode(watched, training=False)}
    costs = {part: ready.lengths(rows) for part, rows in encoded.items()}
    parts = tune.EncodedSplits(encoded["train"], encoded["validation"], costs["train"].total, costs["validation"].total)
    tuned = ready.tune()
    objective = ready.objective(tuned)
    if run.is_main:
        runs.write_json(run.path("card.json"), ready.built.card)
        _write_lengths(recipe, run, costs["train"])

    state = tune.fit(recipe, run, tuned, objective, parts, quiet or not run.is_main)
    if run.is_main:
        with runs.atomic_folder(run.path("model")) as fresh:
            ready.save(tuned, fresh)
    outcome = {
        "run": str(run.folder),
        "steps": state.step,
        "validation_loss": state.best,
        "best_step": state.best_step,
        "parameters": counts(tuned),
        "seconds": round(state.seconds, 1),
        "tokens": state.tokens,
        "data": ready.built.fingerprint,
    }
    run.update_manifest(state="finished", finished=runs.now(), outcome=outcome)
    return outcome


def command() -> str:
    """The command line as it was typed, for the manifest."""
    return shlex.join(["zoo", *sys.argv[1:]]) if sys.argv[0].endswith("zoo") else "instructzoo.core.api"


def _note_beginning(run: Run, rows: str) -> None:
    """Which rows a run began with, and when, where and with which versions it goes on.

    Raises ZooError where a run would go on with other rows (a file or the domain's code has changed).
    """
    begun = run.manifest()
    if begun.get("data", rows) != rows:
        found = f"{run.folder} began with rows {begun['data']}, and the recipe now builds {rows}"
        raise ZooError(found, "the same rows", "put them back, or start over with another --run-id")
    if "data" in begun:
        run.update_manifest(resumed=[*begun.get("resumed", []), {"when": runs.now()} | runs.environment()])
    run.update_manifest(data=rows)


def _keep(run: Run, ready: TrainingTask) -> None:
    """What was taken from the rows is kept from the start, so that a resumed run need not make it again."""
    if run.is_main and not run.path("tokenizer").is_dir():
        with runs.atomic_folder(run.path("tokenizer")) as fresh:
            ready.save_tokenizer(fresh)


def _write_lengths(recipe: Recipe, run: Run, costs: Any) -> None:
    from instructzoo.core.text import Batches
    from instructzoo.core.text.batching import padding_share

    batches = Batches(costs.total, recipe.train, recipe.seed)
    runs.write_json(run.path("lengths.json"), costs.histograms() | {"padding_share": padding_share(batches)})
