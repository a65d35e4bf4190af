"""The run directory and its manifest. Every file is written completely or not at all (atomic_files.py).

    runs/<domain>/<recipe>/<id>/   recipe.yaml  manifest.json  metrics.jsonl  checkpoints/  model/
                                   predictions.jsonl  scores.json  card.json  lengths.json  report.html

An unfinished run is resumed by the same command; a finished one is never overwritten.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from instructzoo.core.atomic_files import atomic_file as atomic_file
from instructzoo.core.atomic_files import atomic_folder as atomic_folder
from instructzoo.core.atomic_files import disk_errors as disk_errors
from instructzoo.core.atomic_files import read_json as read_json
from instructzoo.core.atomic_files import read_object as read_object
from instructzoo.core.atomic_files import remove_temporary_files
from instructzoo.core.atomic_files import sha256 as sha256
from instructzoo.core.atomic_files import write_json as write_json
from instructzoo.core.atomic_files import write_text as write_text
from instructzoo.core.environment import environment as environment
from instructzoo.core.environment import now as now
from instructzoo.core.environment import processor as processor
from instructzoo.core.errors import ZooError
from instructzoo.core.model_hashes import check_hashes
from instructzoo.core.recipe import Recipe
from instructzoo.core.run_checks import check_manifest, check_scores, check_settings

BEGINNINGS = {
    "recipe.yaml",
    "manifest.json",
    "card.json",
    "lengths.json",
    "metrics.jsonl",
    "tokenizer",
    "checkpoints",
    ".lock",
}
"""What a run directory holds before the first update."""


@dataclass(frozen=True)
class Run:
    """One run directory.

    Args:
        folder: The directory, runs/<domain>/<recipe>/<id>.
        is_main: Whether this process writes into it: of the processes that train together, only that of rank 0 does.
    """

    folder: Path
    is_main: bool = True

    @property
    def id(self) -> str:
        """The name of the directory: the fingerprint of the settings, unless the user chose one."""
        return self.folder.name

    @property
    def finished(self) -> bool:
        """Whether the training ended and the model is saved."""
        return self.manifest().get("state") == "finished"

    def path(self, name: str) -> Path:
        """The path of a file of the run, which need not exist."""
        return self.folder / name

    def manifest(self) -> dict[str, Any]:
        """The content of manifest.json; empty where there is none yet. Raises ZooError if it is damaged."""
        path = self.folder / "manifest.json"
        if not path.is_file():
            return {}
        manifest = read_object(path, "the manifest of a run")
        check_manifest(manifest, path)
        return manifest

    def update_manifest(self, **values: Any) -> None:
        """Add or replace values of the manifest."""
        if self.is_main:
            write_json(self.folder / "manifest.json", self.manifest() | values)

    def add_warning(self, text: str) -> None:
        """Record a problem that the run recovered from; the report shows it."""
        self.update_manifest(warnings=[*warnings_of(self.manifest()), text])

    def recipe(self) -> Recipe:
        """The resolved recipe that the run was started with.

        Raises:
            ZooError: recipe.yaml is gone, or differs from the settings in the manifest.
        """
        recipe, started_with = stored_recipe(self.folder), self.manifest().get("recipe")
        if started_with is not None:  # a run of an earlier version has none
            check_settings(self.folder / "recipe.yaml", started_with)
        return recipe

    def check_checkpoints(self) -> None:
        """Check that a run which has saved a checkpoint still has one.

        Raises:
            ZooError: It has none. Starting over would hide the loss and overwrite metrics.jsonl.
        """
        step = self.manifest().get("checkpoint", 0)
        if step and not any(self.folder.glob("checkpoints/step-*")):
            raise ZooError(
                f"no checkpoint, and the run had saved one at step {step}",
                f"checkpoints/step-{step:08d}",
                "put it back; or start over with another --run-id, or with this directory removed",
                str(self.folder),
            )

    def discard_unstarted(self) -> None:
        """Remove the directory of a run that failed before its first update, if it holds nothing but its beginnings."""
        if not self.is_main or not self.folder.is_dir():  # other processes, for which it may be gone already
            return
        log, names = self.folder / "metrics.jsonl", {path.name for path in self.folder.iterdir()}
        has_updates = any(self.folder.glob("checkpoints/*")) or (log.is_file() and log.stat().st_size > 0)
        if not has_updates and names <= BEGINNINGS:
            shutil.rmtree(self.folder, ignore_errors=True)

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Lock the run for this process, until the block ends or the process dies.

        Raises:
            ZooError: Another process trains the run; two would write one metrics.jsonl.
        """
        import fcntl

        if not self.is_main:
            yield
            return
        # Over NFS a lock needs a file that is open for writing.
        with disk_errors(self.folder):
            lock_file = os.open(self.folder / ".lock", os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(lock_file)
            raise ZooError(f"another process trains {self.folder}", "one", "wait for it, or stop it") from error
        except OSError:
            pass  # a file system without locks
        try:
            remove_temporary_files(self.folder)
            yield
        finally:
            os.close(lock_file)


def warnings_of(manifest: Mapping[str, Any]) -> list[str]:
    """The warnings of a manifest, also of one by an earlier version, which named them "incidents"."""
    warnings: list[str] = []
    for key in ("incidents", "warnings"):
        texts = manifest.get(key)
        warnings += map(str, texts) if isinstance(texts, list) else []
    return warnings


def stored_recipe(folder: Path) -> Recipe:
    """The resolved recipe in the folder of a run or of a bundled model.

    Raises:
        ZooError: The folder has no recipe.yaml, or it cannot be read.
    """
    from instructzoo.core import recipe as recipes

    path = folder / "recipe.yaml"
    if not path.is_file():
        raise ZooError(f"no recipe.yaml in {folder}", "a run directory", "zoo train writes one")
    return recipes.load(str(path))


def root() -> Path:
    """The folder of all runs: $INSTRUCTZOO_RUNS or ./runs."""
    return Path(os.environ.get("INSTRUCTZOO_RUNS", "runs"))


def cache() -> Path:
    """The folder of built rows and converted backbones: $INSTRUCTZOO_CACHE or ~/.cache/instructzoo."""
    return Path(os.environ.get("INSTRUCTZOO_CACHE", str(Path.home() / ".cache" / "instructzoo")))


def run_of(recipe: Recipe, run_id: str | None = None) -> Run:
    """The run of a recipe, which need not exist yet; its id is the fingerprint of the settings unless one is given."""
    return Run(root() / recipe.domain / recipe.name / (run_id or recipe.fingerprint()), is_main=is_main())


def is_main() -> bool:
    """Whether this process writes files and prints: of the processes that train together, only that of rank 0 does."""
    return os.environ.get("RANK", "0") == "0"


def start(recipe: Recipe, command: str, run_id: str | None = None) -> Run:
    """Create the run of a recipe, or open the unfinished one of the same settings to resume it.

    The id is the fingerprint of the settings, so the same command finds its own run after a crash.

    Args:
        recipe: The recipe, all settings resolved.
        command: The command line, for the manifest.
        run_id: A name for the run instead of the fingerprint.

    Returns:
        The run.

    Raises:
        ZooError: The run is finished already, or the directory holds something else.
    """
    run = run_of(recipe, run_id)
    folder = run.folder
    if (folder / "manifest.json").is_file():
        fingerprint = run.manifest().get("fingerprint")
        if fingerprint != recipe.fingerprint():
            problem = f"{folder} holds a run of other settings ({fingerprint})"
            raise ZooError(problem, recipe.fingerprint(), "choose another --run-id", str(folder))
        if run.finished:
            raise ZooError(
                f"{folder} is finished",
                "a new or an unfinished run",
                f"zoo eval {recipe.domain} --model {folder}, or another seed",
            )
        run.recipe()
        run.check_checkpoints()
        return run
    if folder.exists() and any(folder.iterdir()):
        raise ZooError(f"{folder} exists and is no run", "an empty or absent directory", "choose another --run-id")
    values: dict[str, Any] = {
        "state": "started",
        "fingerprint": recipe.fingerprint(),
        "command": command,
        "started": now(),
        "recipe": recipe.model_dump(mode="json"),
    }
    with atomic_folder(folder) as temporary:
        write_text(temporary / "recipe.yaml", recipe.resolved())
        write_json(temporary / "manifest.json", values | {"seed": recipe.seed} | environment())
    return run


def find(path: str) -> Run:
    """Open a run.

    Args:
        path: Its directory, as the user typed it.

    Returns:
        The run.

    Raises:
        ZooError: The directory holds no run.
    """
    folder = Path(path)
    if not (folder / "manifest.json").is_file():
        problem = f"no run in {folder}" if folder.is_dir() else f"no run in {folder}, which is no directory"
        raise ZooError(problem, "a directory with manifest.json, as zoo train makes it")
    return Run(folder)


def scores_of(folder: Path) -> dict[str, Any] | None:
    """The content of the scores.json in the folder of a run or of a bundled model; None where it was not scored.

    Raises:
        ZooError: The file is damaged.
    """
    path = folder / "scores.json"
    if not path.is_file():
        return None
    scores = read_object(path, "the scores of zoo eval")
    check_scores(scores, path)
    return scores


def model_folder(folder: Path) -> Path:
    """The folder of a model's files, after a check that they are as they were saved.

    Args:
        folder: A weights folder, or a run directory, whose model/ it is.

    Returns:
        The folder.

    Raises:
        ZooError: The run is unfinished, or its recipe or a file of the model is missing or was changed.
    """
    run, model = Run(folder), folder
    if manifest := run.manifest():
        model = folder / "model"
        if not model.is_dir():
            state = f'the run has no model/; its state is "{manifest.get("state", "unknown")}"'
            raise ZooError(state, "a finished run", "the zoo train command in manifest.json resumes it", str(folder))
        run.recipe()
    check_hashes(model)
    return model
