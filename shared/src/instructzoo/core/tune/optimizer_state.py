"""The state of an optimiser by the names of the parameters, as checkpoints store it."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import Any

import torch

from instructzoo.core.models import adapters
from instructzoo.core.tune import fsdp


def tensors_of(model: Any, optimizer: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    """Return the tensors of the optimiser's state as {"<parameter>|<key>": tensor}.

    Args:
        model: The tuned model, which gives the names of the parameters.
        optimizer: The optimiser of its trainable parameters.
    """
    return {
        # safetensors refuses tensors that share memory; from another device they are copied anyway
        f"{name}|{key}": value.detach().clone() if value.device.type == "cpu" else value.detach()
        for name, p in adapters.trainable_parameters(model)
        for key, value in optimizer.state.get(p, {}).items()
        if isinstance(value, torch.Tensor)
    }


def numbers_of(model: Any, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
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


def load(
    model: Any, optimizer: torch.optim.Optimizer, tensors: Iterable[tuple[str, torch.Tensor]], numbers: dict[str, Any]
) -> None:
    """Load the state of `tensors_of` and `numbers_of`; each process keeps its own shards."""
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
