"""zoo reproduce: data -> train -> score -> report, in one command; what is done already is not done again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from instructzoo.core import domain as domains
from instructzoo.core import recipe as recipes
from instructzoo.core import runs
from instructzoo.core.commands.eval import evaluate, write
from instructzoo.core.commands.report import report
from instructzoo.core.commands.train import command, train_run


def reproduce(recipe: str, overrides: Sequence[str] = (), quiet: bool = False) -> dict[str, Any]:
    """Everything of a recipe; a finished run is only scored. Returns {"run", "report", "scores", "outcome"}."""
    settings = recipes.load(recipe, overrides)
    domain = domains.get(settings.domain)
    run = runs.at(settings)
    if not run.finished:
        run = runs.start(settings, command=command())
        train_run(settings, run, quiet)
    if not run.path("scores.json").is_file():
        scores, predictions = evaluate(domain, run.folder)
        write(run.folder, scores, predictions)
    page = report(str(run.folder))
    scores = runs.read_json(run.path("scores.json"))
    return {"run": str(run.folder), "report": page["report"], "scores": scores, "outcome": run.manifest()["outcome"]}
