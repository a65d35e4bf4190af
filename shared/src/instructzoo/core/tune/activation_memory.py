"""Memory of activations: what a forward pass keeps for its backward pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.autograd.graph import saved_tensors_hooks


def saved_bytes(forward: Callable[[], torch.Tensor], model: Any) -> int:
    """Measure the tensors that autograd saves in a forward pass.

    Args:
        forward: Runs the pass and returns the loss.
        model: Its parameters are not counted.

    Returns:
        Bytes, each storage counted once.
    """
    parameter_storages = {p.untyped_storage().data_ptr() for p in model.parameters()}
    bytes_by_storage: dict[int, int] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in parameter_storages:
            bytes_by_storage[storage.data_ptr()] = storage.nbytes()
        return tensor

    with saved_tensors_hooks(pack, lambda tensor: tensor):
        loss = forward()  # alive until the count is done: a freed storage could be used again under the same address
    del loss
    return sum(bytes_by_storage.values())
