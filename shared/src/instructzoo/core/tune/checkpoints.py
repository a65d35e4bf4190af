"""Checkpoints: parameters, optimiser state and the loop's few numbers, all safetensors and JSON, each file hashed.

A checkpoint is written into a temporary folder and renamed, so a killed run leaves a whole one or none. One whose
hashes do not match (a bad disk, a copy cut short) is passed over for the one before, and the run's manifest says so.
"""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from instructzoo.core import runs
from instructzoo.core.errors import ZooError
from instructzoo.core.models import adapters
from instructzoo.core.runs import Run

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
    """Write checkpoints/step-<n>; the newest two stay. Of many processes one writes."""
    folder = run.path("checkpoints") / f"step-{state.step:08d}"
    if not run.writes:
        return folder
    with runs.whole_folder(folder) as fresh:
        save_file(weights(model), fresh / "weights.safetensors")
        save_file(_moments(model, optimizer), fresh / "optimizer.safetensors")
        runs.write_json(fresh / "optimizer.json", _numbers(model, optimizer))
        runs.write_json(fresh / "state.json", asdict(state))
        hashes = {p.name: runs.sha256(p) for p in sorted(fresh.iterdir())}
        runs.write_json(fresh / "hashes.json", hashes)
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
        load_weights(model, folder / "weights.safetensors")
        moments, numbers = load_file(folder / "optimizer.safetensors"), runs.read_json(folder / "optimizer.json")
        _load_optimizer(model, optimizer, moments, numbers)
        for other, why in damaged.items():
            run.incident(f"checkpoint {other.name} was damaged ({why}) and removed; {folder.name} was used")
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
    if not run.writes:
        return
    folder = _best(run, state)
    with runs.whole_folder(folder) as fresh:
        save_file(weights(model), fresh / "weights.safetensors")
        runs.write_json(fresh / "hashes.json", {"weights.safetensors": runs.sha256(fresh / "weights.safetensors")})
    _prune(run, state)


def load_best(run: Run, state: State, model: Any) -> None:
    folder = _best(run, state)
    if fault := _fault(folder):
        raise ZooError(f"the best checkpoint is damaged ({fault})", "a sound one", "train again", str(folder))
    load_weights(model, folder / "weights.safetensors")


def weights(model: Any) -> dict[str, torch.Tensor]:
    """What the method trains, by name; contiguous, on the CPU."""
    return {name: p.detach().cpu().contiguous() for name, p in adapters.trained(model)}


def load_weights(model: Any, path: Path) -> None:
    """Copy saved parameters into the model. Raises ZooError where names or shapes differ."""
    saved, own = load_file(path), dict(adapters.trained(model))
    if saved.keys() != own.keys():
        odd = ", ".join(sorted(saved.keys() ^ own.keys())[:3])
        raise ZooError(f"{path} holds other parameters ({odd} ...)", "those of this recipe's method")
    with torch.no_grad():
        for name, value in saved.items():
            if value.shape != own[name].shape:
                raise ZooError(f"{name} is {tuple(value.shape)}", str(tuple(own[name].shape)), where=str(path))
            own[name].copy_(value)


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
        f"{name}|{key}": value.detach().cpu().clone().contiguous()
        for name, p in adapters.trained(model)
        for key, value in optimizer.state.get(p, {}).items()
        if isinstance(value, torch.Tensor)
    }


def _numbers(model: Any, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """What optimisers keep as plain numbers: counts by parameter (bitsandbytes), loss scales and averages by group."""
    of_parameters = {
        f"{name}|{key}": value
        for name, p in adapters.trained(model)
        for key, value in optimizer.state.get(p, {}).items()
        if isinstance(value, int | float)
    }
    of_groups = [
        {key: value for key, value in group.items() if isinstance(value, int | float)}
        for group in optimizer.param_groups
    ]
    return {"parameters": of_parameters, "groups": of_groups}


def _load_optimizer(
    model: Any, optimizer: torch.optim.Optimizer, moments: dict[str, torch.Tensor], numbers: dict[str, Any]
) -> None:
    """Put back what `_moments` and `_numbers` gave."""
    own = dict(adapters.trained(model))
    index = {p: i for i, p in enumerate(p for group in optimizer.param_groups for p in group["params"])}
    state: dict[int, dict[str, Any]] = {}
    for joined, value in (moments | numbers["parameters"]).items():
        name, _, key = joined.rpartition("|")
        state.setdefault(index[own[name]], {})[key] = value
    groups = [
        group | kept for group, kept in zip(optimizer.state_dict()["param_groups"], numbers["groups"], strict=True)
    ]
    # torch's own loader puts every state tensor on its parameter's device.
    optimizer.load_state_dict({"state": state, "param_groups": groups})
    for joined, value in moments.items():
        name, _, key = joined.rpartition("|")
        held = optimizer.state[own[name]]
        if held[key].dtype != value.dtype:  # it also casts them to the parameter's type, which drops bits
            held[key] = value.to(held[key].device)
