"""Memory of activations: what a forward pass keeps for its backward pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.autograd.graph import saved_tensors_hooks
from torch.multiprocessing.reductions import StorageWeakRef


def saved_bytes(forward: Callable[[], torch.Tensor], model: Any) -> int:
    """Measure the tensors that autograd saves in a forward pass; they may be fake tensors, which hold no numbers.

    Args:
        forward: Runs the pass and returns the loss.
        model: Its parameters are not counted.

    Returns:
        Bytes, each storage counted once.
    """
    parameter_storages = {_identity(parameter) for parameter in model.parameters()}
    bytes_by_storage: dict[int, int] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        if (storage := _identity(tensor)) not in parameter_storages:
            bytes_by_storage[storage] = tensor.untyped_storage().nbytes()
        return tensor

    with saved_tensors_hooks(pack, lambda tensor: tensor):
        loss = forward()  # alive until the count is done: a freed storage could be used again under the same address
    del loss
    return sum(bytes_by_storage.values())


def _identity(tensor: torch.Tensor) -> int:
    """What tells one storage from another, those of fake tensors included."""
    identity: int = StorageWeakRef(tensor.untyped_storage()).cdata  # type: ignore[no-untyped-call]
    return identity
