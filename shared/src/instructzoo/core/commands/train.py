"""zoo train: fine-tune a model on a recipe's rows, in a run directory."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from instructzoo.core import recipe as recipes
from instructzoo.core import runs
from instructzoo.core.commands.training_task import TrainingTask, build_task, parameter_counts
from instructzoo.core.errors import ZooError
from instructzoo.core.model_hashes import write_hashes
from instructzoo.core.recipe import Recipe
from instructzoo.core.runs import Run

if TYPE_CHECKING:
    from instructzoo.core.text import Lengths


def train(recipe: str, overrides: Sequence[str] = (), run_id: str | None = None, quiet: bool = False) -> dict[str, Any]:
    """Train a recipe. An unfinished run of the same settings is resumed exactly; a finished one is refused.

    Args:
        recipe: `domain/recipe`, or a YAML file.
        overrides: Settings such as `train.lr=1e-4`.
        run_id: The name of the run; by default a hash of its settings.
        quiet: Whether to show no progress.

    Returns:
        {"run": the run directory, "steps": updates taken, "validation_loss": the best, "best_step": its update,
        "parameters": {"total", "trained", "names"}, "seconds", "tokens", "data": fingerprint of the rows,
        "notes": what the sources say about the rows, such as how many were left out}.

    Raises:
        ZooError: A setting, the data or the backbone is wrong, or the run is finished or in use.
        Stopped: A stop signal arrived; the state is saved and the same call resumes it.
    """
    settings = recipes.load(recipe, overrides)
    # Rank 0 creates the run; the other ranks wait for it in train_run.
    run = runs.start(settings, command_line(), run_id) if runs.is_main() else runs.run_of(settings, run_id)
    return train_run(settings, run, quiet)


def train_run(recipe: Recipe, run: Run, quiet: bool = False) -> dict[str, Any]:
    """Train a recipe in a run that `runs.start` gave; as `train` otherwise.

    Args:
        recipe: The recipe.
        run: The run, which is locked until training ends.
        quiet: Whether progress is left unprinted.
    """
    with run.lock():
        try:
            return _train(recipe, run, quiet)
        except BaseException:
            run.discard_unstarted()  # a wrong setting shows only here, and corrected it is another run
            raise


def _train(recipe: Recipe, run: Run, quiet: bool) -> dict[str, Any]:
    """Build the rows, train, save the model and record the outcome, under the lock of the run."""
    from instructzoo.core import tune
    from instructzoo.core.data.split import sampled
    from instructzoo.core.tune import distributed

    with distributed.main_first():  # the other ranks then find the rows in the cache and the tokenizer in the run
        task = build_task(recipe, run.path("tokenizer"))
        _save_tokenizer(run, task)
    _record_data(run, task.built.fingerprint)
    rows = task.built.rows
    validation_rows = sampled(rows["validation"], recipe.train.validation_rows, recipe.seed, "validation")
    encoded = {"train": task.encode(rows["train"]), "validation": task.encode(validation_rows, training=False)}
    lengths = {split: task.lengths(examples) for split, examples in encoded.items()}
    splits = tune.EncodedSplits(
        encoded["train"], encoded["validation"], lengths["train"].total, lengths["validation"].total
    )
    model = task.trainable_model()
    objective = task.objective(model)
    if run.is_main:
        runs.write_json(run.path("card.json"), task.built.card)
        _write_lengths(recipe, run, lengths["train"])

    state = tune.fit(recipe, run, model, objective, splits, quiet or not run.is_main)
    if run.is_main:
        with runs.atomic_folder(run.path("model")) as folder:
            task.save(model, folder)
            write_hashes(folder)
    outcome = {
        "run": str(run.folder),
        "steps": state.step,
        "validation_loss": state.best,
        "best_step": state.best_step,
        "parameters": parameter_counts(model),
        "seconds": round(state.seconds, 1),
        "tokens": state.tokens,
        "data": task.built.fingerprint,
        "notes": list(task.built.card.get("notes", ())),
    }
    run.update_manifest(state="finished", finished=runs.now(), outcome=outcome)
    return outcome


def command_line() -> str:
    """The command line as it was typed, for manifests; the name of the API where there is none."""
    return shlex.join(["zoo", *sys.argv[1:]]) if sys.argv[0].endswith("zoo") else "instructzoo.core.api"


def _record_data(run: Run, fingerprint: str) -> None:
    """Record the fingerprint of the rows and the hardware, and for a resumed run the time and versions too.

    Raises ZooError where a resumed run would continue on other rows (a file or the domain's code has changed).
    """
    manifest = run.manifest()
    if manifest.get("data", fingerprint) != fingerprint:
        problem = f"{run.folder} began with rows {manifest['data']}, and the recipe now builds {fingerprint}"
        raise ZooError(problem, "the same rows", "put them back, or start over with another --run-id")
    if "data" in manifest:
        resumed = {"when": runs.now(), "step": manifest.get("checkpoint", 0)} | runs.environment()
        run.update_manifest(resumed=[*manifest.get("resumed", []), resumed])
    else:  # the run began before torch was imported, which knows the GPUs
        run.update_manifest(hardware=runs.environment()["hardware"])
    run.update_manifest(data=fingerprint)


def _save_tokenizer(run: Run, task: TrainingTask) -> None:
    """Save what was built from the rows before the first update, so that a resumed run loads it."""
    if run.is_main and not run.path("tokenizer").is_dir():
        with runs.atomic_folder(run.path("tokenizer")) as folder:
            task.save_tokenizer(folder)


def _write_lengths(recipe: Recipe, run: Run, lengths: Lengths) -> None:
    """Write lengths.json: histograms of tokens per training row, and the fraction of padding."""
    from instructzoo.core.text import Batches
    from instructzoo.core.text.batching import padding_share

    batches = Batches(lengths.total, recipe.train, recipe.seed)
    runs.write_json(run.path("lengths.json"), lengths.histograms() | {"padding_share": padding_share(batches)})
