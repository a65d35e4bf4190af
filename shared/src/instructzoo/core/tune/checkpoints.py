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
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import asdict, dataclass
from itertools import chain
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
from instructzoo.core.tune import distributed, fsdp

KEPT = 2
"""Step checkpoints that are kept."""


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
            _write(temporary, "optimizer", _optimizer_tensors(model, optimizer), sharded)
            if run.is_main:
                runs.write_json(temporary / "optimizer.json", _optimizer_numbers(model, optimizer))
                runs.write_json(temporary / "state.json", asdict(state))
    if run.is_main:
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
        ZooError: There are checkpoints and none of them is sound. Starting over would hide the loss.
    """
    damaged: dict[Path, str] = {}
    for folder in _all(run, "step"):
        if problem := _damage(folder):
            damaged[folder] = problem
            continue
        load_weights(model, folder)
        _load_optimizer(model, optimizer, _read(folder, "optimizer"), runs.read_json(folder / "optimizer.json"))
        for newer, problem in damaged.items():
            run.add_warning(f"checkpoint {newer.name} was damaged ({problem}) and removed; {folder.name} was used")
            shutil.rmtree(newer)
        return State(**runs.read_json(folder / "state.json"))
    if damaged:
        raise ZooError(
            f"no sound checkpoint in {run.path('checkpoints')} ({'; '.join(damaged.values())})",
            "one whose hashes match",
            "remove the run directory to start over",
        )
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
    folder = _best(run, state)
    if problem := _damage(folder):
        raise ZooError(f"the best checkpoint is damaged ({problem})", "a sound one", "train again", str(folder))
    load_weights(model, folder)


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
        shutil.rmtree(folder)


def _best(run: Run, state: State) -> Path:
    """Return the folder of the best parameters."""
    return run.path("checkpoints") / f"best-{state.best_step:08d}"


def _damage(folder: Path) -> str:
    """Return what is wrong with a checkpoint, or an empty text."""
    try:
        hashes = runs.read_json(folder / "hashes.json")
        for name, expected in hashes.items():
            if runs.sha256(folder / name) != expected:
                return f"{name} does not match its hash"
    except (ZooError, OSError, AttributeError) as error:
        return str(error)
    return ""


def _optimizer_tensors(model: Any, optimizer: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    """Return the tensors of the optimiser's state as {"<parameter>|<key>": tensor}."""
    return {
        # safetensors refuses tensors that share memory; from another device they are copied anyway
        f"{name}|{key}": value.detach().clone() if value.device.type == "cpu" else value.detach()
        for name, p in adapters.trainable_parameters(model)
        for key, value in optimizer.state.get(p, {}).items()
        if isinstance(value, torch.Tensor)
    }


def _optimizer_numbers(model: Any, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """Return the plain numbers of the state: by parameter (bitsandbytes' counts) and by group (loss scales, counts)."""
    parameter_numbers = {
        f"{name}|{key}": value
        for name, p in adapters.trainable_parameters(model)
        for key, value in optimizer.state.get(p, {}).items()
        if isinstance(value, int | float)
    }
    group_numbers = [
        {key: value for key, value in group.items() if isinstance(value, int | float)}
        for group in optimizer.param_groups
    ]
    return {"parameters": parameter_numbers, "groups": group_numbers}


def _load_optimizer(
    model: Any, optimizer: torch.optim.Optimizer, tensors: Iterable[tuple[str, torch.Tensor]], numbers: dict[str, Any]
) -> None:
    """Load the state of `_optimizer_tensors` and `_optimizer_numbers`; each process keeps its own shards."""
    parameters = dict(adapters.trainable_parameters(model))
    indices = {p: i for i, p in enumerate(p for group in optimizer.param_groups for p in group["params"])}
    state: dict[int, dict[str, Any]] = {}  # by index of the parameter
    for name_and_key, value in chain(tensors, numbers["parameters"].items()):
        name, _, key = name_and_key.rpartition("|")
        p = parameters[name]
        local_value = fsdp.shard_like(value, p) if isinstance(value, torch.Tensor) else value
        state.setdefault(indices[p], {})[key] = local_value
    groups = [
        group | saved for group, saved in zip(optimizer.state_dict()["param_groups"], numbers["groups"], strict=True)
    ]
    # load_state_dict puts every tensor on its parameter's device.
    optimizer.load_state_dict({"state": state, "param_groups": groups})
    for p, index in indices.items():
        loaded = optimizer.state[p]
        for key, value in state.get(index, {}).items():
            if isinstance(value, torch.Tensor) and loaded[key].dtype != value.dtype:
                loaded[key] = value.to(loaded[key].device)  # torch has cast it to the parameter's dtype: bits are lost
