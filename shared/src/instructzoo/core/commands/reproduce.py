"""zoo reproduce: data, training, scores and report in one command; steps that are done already are not repeated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from instructzoo.core import domain as domains
from instructzoo.core import recipe as recipes
from instructzoo.core import runs
from instructzoo.core.commands.eval import evaluate, save
from instructzoo.core.commands.report import report
from instructzoo.core.commands.train import command_line, train_run
from instructzoo.core.errors import ZooError


def reproduce(
    recipe: str, overrides: Sequence[str] = (), quiet: bool = False, folds: int | None = None
) -> dict[str, Any]:
    """Build the data, train, score and report a recipe; a finished run is only scored, a scored one only reported.

    Args:
        recipe: `domain/recipe`, or a YAML file.
        overrides: Settings such as `train.steps=100`.
        quiet: Whether to show no progress.
        folds: Cut train into so many parts, and train once for each part, which is the test split of that run; at
            least 2. Every row of a small data set is then a test row once.

    Returns:
        {"run": the run directory, "report": the HTML file, "scores": as of `eval`, "outcome": as of `train`}. With
        folds {"runs": the run directories, "scores": those of each fold, "table": their means, in Markdown}.

    Raises:
        ZooError: A setting, the data or the backbone is wrong, or data.fold is set beside `folds`.
    """
    if folds is None:
        return _reproduce(recipe, overrides, quiet)
    from instructzoo.core.report import results_table

    if folds < 2:
        raise ZooError(f"{folds} folds", "at least 2", where="--folds")
    if recipes.load(recipe, overrides).data.fold:
        raise ZooError("data.fold beside --folds", "one of them", "--folds runs every fold, data.fold one")
    outcomes = [_reproduce(recipe, [*overrides, f"data.fold={k}/{folds}"], quiet) for k in range(1, folds + 1)]
    scores = [outcome["scores"] for outcome in outcomes]
    return {"runs": [outcome["run"] for outcome in outcomes], "scores": scores, "table": results_table(*scores)}


def _reproduce(recipe: str, overrides: Sequence[str], quiet: bool) -> dict[str, Any]:
    """One run of a recipe, from data to report."""
    settings = recipes.load(recipe, overrides)
    domain = domains.get(settings.domain)
    run = runs.run_of(settings)
    if not run.finished:
        run = runs.start(settings, command=command_line())
        train_run(settings, run, quiet)
    run.recipe()  # which says so where it was edited
    outcome = run.manifest().get("outcome", {})
    if not {"steps", "seconds"} <= outcome.keys():
        problem = "no outcome of the training in a finished run"
        raise ZooError(problem, "its steps and seconds", "put manifest.json back", str(run.path("manifest.json")))
    scores = runs.scores_of(run.folder)
    if scores is None:
        scores, predictions = evaluate(domain, run.folder, quiet=quiet)
        save(run.folder, scores, predictions)
    reported = report(str(run.folder))
    return {
        "run": str(run.folder),
        "report": reported["report"],
        "scores": scores,
        "outcome": outcome,
    }
