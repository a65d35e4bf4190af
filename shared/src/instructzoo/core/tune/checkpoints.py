"""Checkpoints: parameters, optimiser state and the loop's few numbers, all safetensors and JSON, each file hashed.

A checkpoint is written into a temporary folder and renamed, so a killed run leaves a whole one or none. One whose
hashes do not match (a bad disk, a copy cut short) is passed over for the one before, and the run's manifest says so.
Where a model is spread over processes, each writes its pieces (`weights-00000-of-00002.safetensors`, rows of every
tensor in the order of the processes), and any number of processes reads them back. Over several machines the run
directory must lie on a disk that all of them share.
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


@dataclass
class State:
    """Where a run is. step: updates done; best: lowest validation loss; stale: validations since."""

    step: int = 0
    best: float = float("inf")
    best_step: int = 0
    stale: int = 0
    seconds: float = 0.0
    examples: int = 0
    tokens: int = 0

    def advance(self, examples: int, tokens: int, seconds: float) -> None:
        """One more update is done."""
        self.step += 1
        self.examples += examples
        self.tokens += tokens
        self.seconds += seconds


def save(run: Run, state: State, model: Any, optimizer: torch.optim.Optimizer) -> Path:
    """Write checkpoints/step-<n>; the newest two stay. Of many processes one writes, or each its pieces."""
    folder, together = run.path("checkpoints") / f"step-{state.step:08d}", fsdp.is_sharded(model)
    if run.is_main or together:
        with _hashed_folder(run, folder, together) as fresh:
            _write(fresh, "weights", weights(model), together)
            _write(fresh, "optimizer", _moments(model, optimizer), together)
            if run.is_main:
                runs.write_json(fresh / "optimizer.json", _numbers(model, optimizer))
                runs.write_json(fresh / "state.json", asdict(state))
    if run.is_main:
        _prune(run, state)
    return folder


def restore(run: Run, model: Any, optimizer: torch.optim.Optimizer) -> State:
    """Put the newest sound checkpoint back in place; a fresh State where there is none yet.

    Raises ZooError where there are checkpoints and none of them is sound: starting over would hide the loss.
    """
    damaged: dict[Path, str] = {}
    for folder in _all(run, "step"):
        if fault := _fault(folder):
            damaged[folder] = fault
            continue
        load_weights(model, folder)
        _load_optimizer(model, optimizer, _read(folder, "optimizer"), runs.read_json(folder / "optimizer.json"))
        for other, why in damaged.items():
            run.add_warning(f"checkpoint {other.name} was damaged ({why}) and removed; {folder.name} was used")
            shutil.rmtree(other)
        return State(**runs.read_json(folder / "state.json"))
    if damaged:
        raise ZooError(
            f"no sound checkpoint in {run.path('checkpoints')} ({'; '.join(damaged.values())})",
            "one whose hashes match",
            "remove the run directory to start over",
        )
    return State()


def save_best(run: Run, state: State, model: Any) -> None:
    """Write checkpoints/best-<n>: the parameters of the best validation so far, that of `state.best_step`."""
    together = fsdp.is_sharded(model)
    if run.is_main or together:
        with _hashed_folder(run, _best(run, state), together) as fresh:
            _write(fresh, "weights", weights(model), together)
    if run.is_main:
        _prune(run, state)


def load_best(run: Run, state: State, model: Any) -> None:
    folder = _best(run, state)
    if fault := _fault(folder):
        raise ZooError(f"the best checkpoint is damaged ({fault})", "a sound one", "train again", str(folder))
    load_weights(model, folder)


def weights(model: Any) -> dict[str, torch.Tensor]:
    """What the method trains, by name."""
    return {name: p.detach() for name, p in adapters.trainable_parameters(model)}


def load_weights(model: Any, folder: Path) -> None:
    """Copy the parameters of a checkpoint into the model. Raises ZooError where names or shapes differ."""
    own = dict(adapters.trainable_parameters(model))
    missing = set(own)
    with torch.no_grad():
        for name, value in _read(folder, "weights"):
            if name not in own:
                raise ZooError(f"{folder} holds other parameters ({name})", "those of this recipe's method")
            if value.shape != own[name].shape:
                raise ZooError(f"{name} is {tuple(value.shape)}", str(tuple(own[name].shape)), where=str(folder))
            own[name].copy_(fsdp.shard_like(value, own[name]))
            missing.discard(name)
    if missing:
        raise ZooError(f"{folder} lacks {min(missing)}", "all parameters of this recipe's method")


@contextmanager
def _hashed_folder(run: Run, folder: Path, together: bool) -> Iterator[Path]:
    """A temporary folder that becomes `folder` with the hashes of its files, once all who write have written."""
    with runs.atomic_folder(folder) if run.is_main else nullcontext() as own:
        fresh = Path(distributed.broadcast(str(own)) if together else str(own))
        yield fresh
        if together:
            distributed.wait_for_everyone()
        if run.is_main:
            hashes = {p.name: runs.sha256(p) for p in sorted(fresh.iterdir())}
            runs.write_json(fresh / "hashes.json", hashes)
    if together:
        distributed.wait_for_everyone()


def _write(folder: Path, stem: str, tensors: dict[str, torch.Tensor], together: bool) -> None:
    """One file of whole tensors; or this process's pieces, and from the first process what is not in pieces."""
    rank, world = distributed.rank_and_world_size()
    if together:
        stem = f"{stem}-{rank:05d}-of-{world:05d}"
        tensors = {name: value for name, value in tensors.items() if rank == 0 or isinstance(value, DTensor)}
    own = {name: fsdp.local_tensor(value).cpu().contiguous() for name, value in tensors.items()}
    with runs.disk_errors(folder):
        save_file(own, folder / f"{stem}.safetensors")


def _read(folder: Path, stem: str) -> Iterator[tuple[str, torch.Tensor]]:
    """Names and whole tensors, one at a time, from however many processes wrote them."""
    with ExitStack() as stack:
        paths = sorted(folder.glob(f"{stem}*.safetensors"))
        files = [stack.enter_context(safe_open(path, framework="pt")) for path in paths]
        held = [set(file.keys()) for file in files]
        for name in sorted(set().union(*held)):
            pieces = [file.get_tensor(name) for file, names in zip(files, held, strict=True) if name in names]
            yield name, torch.cat(pieces) if len(pieces) > 1 else pieces[0]


def _all(run: Run, kind: str) -> list[Path]:
    """Checkpoints of a kind ("step" or "best"), newest first."""
    return sorted(run.path("checkpoints").glob(f"{kind}-*"), reverse=True)


def _prune(run: Run, state: State) -> None:
    """Keep the newest two steps, the best parameters as of each (a run may go on from there), and those of now."""
    steps, bests = _all(run, "step"), _all(run, "best")
    needed = {_best(run, state), *steps[:KEPT]}
    for step in steps[:KEPT]:
        needed.update([best for best in bests if best.name[-8:] <= step.name[-8:]][:1])
    for folder in {*steps, *bests} - needed:
        shutil.rmtree(folder)


def _best(run: Run, state: State) -> Path:
    return run.path("checkpoints") / f"best-{state.best_step:08d}"


def _fault(folder: Path) -> str:
    """What is wrong with a checkpoint; empty where nothing is."""
    try:
        hashes = runs.read_json(folder / "hashes.json")
        for name, expected in hashes.items():
            if runs.sha256(folder / name) != expected:
                return f"{name} does not match its hash"
    except (ZooError, OSError, AttributeError) as error:
        return str(error)
    return ""


def _moments(model: Any, optimizer: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    """Optimiser state as {"<parameter>|<state>": tensor}."""
    return {
        # safetensors refuses tensors that share memory; from another device they are copied anyway
        f"{name}|{key}": value.detach().clone() if value.device.type == "cpu" else value.detach()
        for name, p in adapters.trainable_parameters(model)
        for key, value in optimizer.state.get(p, {}).items()
        if isinstance(value, torch.Tensor)
    }


def _numbers(model: Any, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """What optimisers keep as plain numbers: counts by parameter (bitsandbytes), loss scales and averages by group."""
    of_parameters = {
        f"{name}|{key}": value
        for name, p in adapters.trainable_parameters(model)
        for key, value in optimizer.state.get(p, {}).items()
        if isinstance(value, int | float)
    }
    of_groups = [
        {key: value for key, value in group.items() if isinstance(value, int | float)}
        for group in optimizer.param_groups
    ]
    return {"parameters": of_parameters, "groups": of_groups}


def _load_optimizer(
    model: Any, optimizer: torch.optim.Optimizer, moments: Iterable[tuple[str, torch.Tensor]], numbers: dict[str, Any]
) -> None:
    """Put back what `_moments` and `_numbers` gave; of spread moments each process keeps its pieces alone."""
    own = dict(adapters.trainable_parameters(model))
    index = {p: i for i, p in enumerate(p for group in optimizer.param_groups for p in group["params"])}
    state: dict[int, dict[str, Any]] = {}
    for joined, value in chain(moments, numbers["parameters"].items()):
        name, _, key = joined.rpartition("|")
        kept = fsdp.shard_like(value, own[name]) if isinstance(value, torch.Tensor) else value
        state.setdefault(index[own[name]], {})[key] = kept
    groups = [
        group | kept for group, kept in zip(optimizer.state_dict()["param_groups"], numbers["groups"], strict=True)
    ]
    # torch's own loader puts every state tensor on its parameter's device.
    optimizer.load_state_dict({"state": state, "param_groups": groups})
    for p, place in index.items():
        held = optimizer.state[p]
        for key, value in state.get(place, {}).items():
            if isinstance(value, torch.Tensor) and held[key].dtype != value.dtype:
                held[key] = value.to(held[key].device)  # it also casts them to the parameter's type, which drops bits
