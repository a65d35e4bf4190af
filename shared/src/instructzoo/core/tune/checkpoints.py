"""Checkpoints: parameters, optimiser state and the loop's counters, as safetensors and JSON, each file hashed.

    checkpoints/step-00000300/    weights.safetensors, optimizer.safetensors, optimizer.json, state.json, hashes.json
    checkpoints/best-00000200/    weights.safetensors, hashes.json: the parameters of the best validation

A checkpoint is written into a temporary folder and renamed, so that a killed run leaves a complete one or none. A
checkpoint whose hashes do not match (a bad disk, an incomplete copy) is skipped for the one before, and the run's
manifest records that. Of a sharded model each process writes its shards (`weights-00000-of-00002.safetensors`: rows of
every tensor, in the order of the ranks), and any number of processes can read them. Over several machines the run
directory must be on a disk that all of them share.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch.distributed.tensor import DTensor

from instructzoo.core import runs
from instructzoo.core.errors import ZooError
from instructzoo.core.models import adapters
from instructzoo.core.runs import Run
from instructzoo.core.tune import distributed, fsdp, optimizer_state
from instructzoo.core.tune.progress_bar import warn

KEPT = 2
"""Step checkpoints that are kept."""

CONTENT = ("weights", "optimizer", "optimizer.json", "state.json")
"""How the names of the files of a step checkpoint begin."""


@dataclass
class State:
    """Progress of a run, as state.json holds it."""

    step: int = 0
    """Updates done."""
    best: float = float("inf")
    """Lowest validation loss so far."""
    best_step: int = 0
    """Update after which it was measured."""
    stale: int = 0
    """Validations since."""
    seconds: float = 0.0
    """Time of all updates, without validations and checkpoints."""
    examples: int = 0
    tokens: int = 0

    def advance(self, examples: int, tokens: int, seconds: float) -> None:
        """Count one more update.

        Args:
            examples: Rows of the update, over all ranks.
            tokens: Tokens of these rows.
            seconds: Time that the update took.
        """
        self.step += 1
        self.examples += examples
        self.tokens += tokens
        self.seconds += seconds


def save(run: Run, state: State, model: Any, optimizer: torch.optim.Optimizer) -> Path:
    """Write checkpoints/step-<n> and delete all but the newest two.

    The main process writes; of a sharded model every process writes its shards.

    Args:
        run: Run directory that gets the checkpoint.
        state: Counters of the loop; `state.step` is <n>.
        model: Tuned model; only its trainable parameters are written.
        optimizer: Optimiser whose state is written.

    Returns:
        The folder of the checkpoint.
    """
    folder, sharded = run.path("checkpoints") / f"step-{state.step:08d}", fsdp.is_sharded(model)
    if run.is_main or sharded:
        with _hashed_folder(run, folder, sharded) as temporary:
            _write(temporary, "weights", weights(model), sharded)
            _write(temporary, "optimizer", optimizer_state.tensors_of(model, optimizer), sharded)
            if run.is_main:
                runs.write_json(temporary / "optimizer.json", optimizer_state.numbers_of(model, optimizer))
                runs.write_json(temporary / "state.json", asdict(state))
    if run.is_main:
        run.update_manifest(checkpoint=state.step)  # from now on a run without checkpoints has lost them
        _prune(run, state)
    return folder


def restore(run: Run, model: Any, optimizer: torch.optim.Optimizer) -> State:
    """Load the newest sound checkpoint into model and optimiser; damaged newer ones are removed.

    Args:
        run: Run directory; each removed checkpoint adds a warning to its manifest.
        model: Tuned model, changed in place.
        optimizer: Optimiser of the same parameters, changed in place.

    Returns:
        The state of the checkpoint; a new State if the run has none yet.

    Raises:
        ZooError: The run has saved checkpoints and none of them is there and sound. Starting over would hide the loss.
    """
    damaged: dict[Path, str] = {}
    for folder in _all(run, "step"):
        try:
            _raise_if_damaged(folder, *CONTENT)
            state = _read_state(folder / "state.json")
            if state.best_step:  # the end of the training needs it
                _check_best(run, state)
        except ZooError as error:
            damaged[folder] = str(error)
            continue
        load_weights(model, folder)
        optimizer_state.load(model, optimizer, _read(folder, "optimizer"), runs.read_object(folder / "optimizer.json"))
        for newer, problem in damaged.items():
            warn(run, f"checkpoint {newer.name} was damaged ({problem}) and removed; {folder.name} was used")
            if run.is_main:
                _remove(newer)
        saved_last = run.manifest().get("checkpoint", 0)
        if saved_last > state.step and not damaged:
            warn(run, f"checkpoint step-{saved_last:08d} was gone; {folder.name} was used")
        return state
    if damaged:
        raise ZooError(
            f"no sound checkpoint in {run.path('checkpoints')} ({'; '.join(damaged.values())})",
            "one whose hashes match",
            "put one back, or remove the run directory to start over",
        )
    run.check_checkpoints()
    return State()


def save_best(run: Run, state: State, model: Any) -> None:
    """Write checkpoints/best-<n>: the parameters of the best validation so far, n being `state.best_step`."""
    sharded = fsdp.is_sharded(model)
    if run.is_main or sharded:
        with _hashed_folder(run, _best(run, state), sharded) as temporary:
            _write(temporary, "weights", weights(model), sharded)
    if run.is_main:
        _prune(run, state)


def load_best(run: Run, state: State, model: Any) -> None:
    """Load the parameters of the best validation.

    Raises:
        ZooError: That checkpoint is damaged.
    """
    _check_best(run, state)
    load_weights(model, _best(run, state))


def _check_best(run: Run, state: State) -> None:
    """Raise a ZooError if the parameters of the best validation are gone or damaged."""
    folder = _best(run, state)
    try:
        _raise_if_damaged(folder, "weights")
    except ZooError as error:
        problem = f"the best checkpoint is damaged ({error})"
        raise ZooError(problem, "a sound one", "train again", str(folder)) from error


def weights(model: Any) -> dict[str, torch.Tensor]:
    """Return the trainable parameters by name, without gradients."""
    return {name: p.detach() for name, p in adapters.trainable_parameters(model)}


def load_weights(model: Any, folder: Path) -> None:
    """Copy the parameters of a checkpoint into the model.

    Args:
        model: Tuned model; its trainable parameters are overwritten in place, and each process keeps its own shards.
        folder: Folder of a checkpoint.

    Raises:
        ZooError: Names or shapes differ.
    """
    parameters = dict(adapters.trainable_parameters(model))
    missing = set(parameters)
    with torch.no_grad():
        for name, value in _read(folder, "weights"):
            if name not in parameters:
                raise ZooError(f"{folder} holds other parameters ({name})", "those of this recipe's method")
            p = parameters[name]
            if value.shape != p.shape:
                raise ZooError(f"{name} is {tuple(value.shape)}", str(tuple(p.shape)), where=str(folder))
            p.copy_(fsdp.shard_like(value, p))
            missing.discard(name)
    if missing:
        raise ZooError(f"{folder} lacks {min(missing)}", "all parameters of this recipe's method")


@contextmanager
def _hashed_folder(run: Run, folder: Path, sharded: bool) -> Iterator[Path]:
    """Yield a temporary folder that is hashed and renamed to `folder` once every process has written its files."""
    with runs.atomic_folder(folder) if run.is_main else nullcontext() as main_folder:
        temporary = Path(distributed.broadcast(str(main_folder)) if sharded else str(main_folder))
        yield temporary
        if sharded:
            distributed.wait_for_everyone()
        if run.is_main:
            hashes = {p.name: runs.sha256(p) for p in sorted(temporary.iterdir())}
            runs.write_json(temporary / "hashes.json", hashes)
    if sharded:
        distributed.wait_for_everyone()


def _write(folder: Path, stem: str, tensors: dict[str, torch.Tensor], sharded: bool) -> None:
    """Write one file of full tensors, or of this process's shards; tensors that are not sharded go to rank 0's file."""
    rank, world_size = distributed.rank_and_world_size()
    if sharded:
        stem = f"{stem}-{rank:05d}-of-{world_size:05d}"
        tensors = {name: value for name, value in tensors.items() if rank == 0 or isinstance(value, DTensor)}
    local_tensors = {name: fsdp.local_tensor(value).cpu().contiguous() for name, value in tensors.items()}
    with runs.disk_errors(folder):
        save_file(local_tensors, folder / f"{stem}.safetensors")


def _read(folder: Path, stem: str) -> Iterator[tuple[str, torch.Tensor]]:
    """Yield names and full tensors, one at a time, from the files of however many processes wrote them."""
    with ExitStack() as stack:
        paths = sorted(folder.glob(f"{stem}*.safetensors"))
        files = [stack.enter_context(safe_open(path, framework="pt")) for path in paths]
        names_by_file = [set(file.keys()) for file in files]
        for name in sorted(set().union(*names_by_file)):
            shards = [file.get_tensor(name) for file, names in zip(files, names_by_file, strict=True) if name in names]
            yield name, torch.cat(shards) if len(shards) > 1 else shards[0]


def _all(run: Run, kind: str) -> list[Path]:
    """Return the checkpoints of a kind ("step" or "best"), newest first."""
    return sorted(run.path("checkpoints").glob(f"{kind}-*"), reverse=True)


def _prune(run: Run, state: State) -> None:
    """Keep the newest step checkpoints, the best parameters as of each (a run may resume from it), and the best now."""
    steps, bests = _all(run, "step"), _all(run, "best")
    needed = {_best(run, state), *steps[:KEPT]}
    for step in steps[:KEPT]:
        bests_until_step = [best for best in bests if best.name[-8:] <= step.name[-8:]]
        needed.update(bests_until_step[:1])
    for folder in {*steps, *bests} - needed:
        _remove(folder)


def _best(run: Run, state: State) -> Path:
    """Return the folder of the best parameters."""
    return run.path("checkpoints") / f"best-{state.best_step:08d}"


def _remove(folder: Path) -> None:
    """Remove a checkpoint, or the link to it that somebody has put in its place."""
    if folder.is_symlink():
        folder.unlink()
    else:
        shutil.rmtree(folder)


def _raise_if_damaged(folder: Path, *stems: str) -> None:
    """Compare the files of a checkpoint with its hashes.

    Args:
        folder: Folder of the checkpoint.
        stems: How the names of the files begin that it must have.

    Raises:
        ZooError: A file is missing, cannot be read, or does not match its hash.
    """
    hashes = runs.read_object(folder / "hashes.json", "the hashes of a checkpoint")
    for stem in stems:
        if not any(name.startswith(stem) for name in hashes):
            raise ZooError(f"no hash of {stem}", where=str(folder / "hashes.json"))
    for name, expected in hashes.items():
        try:
            found = runs.sha256(folder / name)
        except OSError as error:
            raise ZooError(f"cannot read {name}: {error.strerror}") from error
        if found != expected:
            raise ZooError(f"{name} does not match its hash")


def _read_state(path: Path) -> State:
    """Read the counters of the loop. Raises ZooError if one is missing, unknown or no number."""
    values = runs.read_object(path, "the state of a run")
    names = {field.name for field in fields(State)}
    numbers: dict[str, Any] = {name: value for name, value in values.items() if isinstance(value, int | float)}
    if numbers.keys() != names or values.keys() != names:
        raise ZooError("the file lacks numbers or holds others", ", ".join(sorted(names)), where=str(path))
    return State(**numbers)
