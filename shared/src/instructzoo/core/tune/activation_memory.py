"""What a forward pass keeps for its backward pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.autograd.graph import saved_tensors_hooks


def saved_bytes(forward: Callable[[], torch.Tensor], model: Any) -> int:
    """Bytes of the tensors that autograd saves in `forward`, parameters aside, each storage counted once."""
    own = {p.untyped_storage().data_ptr() for p in model.parameters()}
    seen: dict[int, int] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            seen[storage.data_ptr()] = storage.nbytes()
        return tensor

    with saved_tensors_hooks(pack, lambda tensor: tensor):
        kept = forward()  # held until the count is done, so that no storage is freed and met again
    del kept
    return sum(seen.values())
