"""FSDP2: parameters, gradients and optimiser state spread over the processes of a run.

Every decoder layer is a unit: its weights are gathered when it computes and dropped again. torch's `fully_shard` is
called directly, since accelerate leaves it out on CPUs, where the tests run.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, cast

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch import distributed as dist
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor import DTensor, distribute_tensor

from instructzoo.core.errors import ZooError
from instructzoo.core.models import adapters
from instructzoo.core.recipe import Train
from instructzoo.core.tune import distributed


def apply_fsdp(module: nn.Module, model: Any, settings: Train, half: bool) -> None:
    """Shard `module`, which holds `model`, in place where the settings ask for it; a process alone shards nothing.

    half: compute in bfloat16; what is kept and summed stays float32.
    Raises ZooError for `train.offload` outside a group of processes, and for a quantised base.
    """
    from torch.distributed.fsdp import CPUOffloadPolicy, MixedPrecisionPolicy, OffloadPolicy, fully_shard

    if not settings.sharding:
        return
    if not dist.is_initialized():
        if settings.offload:
            raise ZooError(
                "train.offload without a group of processes", "one, of one process at least", "add --nproc 1"
            )
        return
    plain, device = adapters.unwrap_peft(model), distributed.state().device
    if adapters.is_quantised(model):
        raise ZooError("train.sharding of a quantised base", "model.quantisation none", "leave one of the two out")
    if not settings.offload:
        module.to(device)
    units: dict[str, Any] = {
        "mesh": init_device_mesh(device.type, (dist.get_world_size(),)),
        "mp_policy": MixedPrecisionPolicy(torch.bfloat16, torch.float32) if half else MixedPrecisionPolicy(),
        "offload_policy": CPUOffloadPolicy(pin_memory=device.type != "cpu") if settings.offload else OffloadPolicy(),
    }
    names = set(plain._no_split_modules or ())
    for layer in [m for m in plain.modules() if type(m).__name__ in names]:
        fully_shard(layer, **units)
    # By default torch leaves the outermost unit gathered after a validation, and a checkpoint would miss its pieces.
    fully_shard(module, reshard_after_forward=True, **units)


def is_fsdp_module(module: Any) -> bool:
    from torch.distributed.fsdp import FSDPModule

    return isinstance(module, FSDPModule)


def sync_gradients(accelerator: Accelerator, module: Any, last: bool) -> AbstractContextManager[Any]:
    """For one micro-batch: the processes exchange gradients after the last one of an update only."""
    if is_fsdp_module(module):
        module.set_requires_gradient_sync(last)
        return nullcontext()
    return nullcontext() if last else accelerator.no_sync(module)


def is_sharded(model: Any) -> bool:
    return any(isinstance(p, DTensor) for p in model.parameters())


def clip_sharded_gradients(gradients: Iterable[Tensor], limit: float) -> float:
    """Scale gradients, of which each process holds a piece, to a norm of at most `limit`; returns the norm before."""
    pieces = [local_tensor(gradient) for gradient in gradients]
    own = sum(float(piece.float().pow(2).sum()) for piece in pieces)
    norm = float(distributed.all_reduce_sum(own)[0] ** 0.5)
    if norm > limit:
        torch._foreach_mul_(pieces, limit / (norm + 1e-6))
    return norm


def local_tensor(tensor: Tensor) -> Tensor:
    """What this process holds of a tensor."""
    return tensor.to_local() if isinstance(tensor, DTensor) else tensor


def shard_like(value: Tensor, held: Tensor) -> Tensor:
    """A whole tensor as `held` is kept: in pieces if that is, each process taking its own without a word."""
    if not isinstance(held, DTensor) or value.shape != held.shape:
        return value
    return distribute_tensor(value.to(local_tensor(held).device), held.device_mesh, held.placements, src_data_rank=None)


def gather_full_params(model: Any, keep: bool) -> None:
    """Make a sharded model whole again: on the CPU of the process that keeps it, one parameter at a time."""
    whole: dict[int, nn.Parameter] = {}
    owners = [(m, name, p) for m in model.modules() for name, p in m.named_parameters(recurse=False)]
    for p in {id(p): p for _, _, p in owners if isinstance(p, DTensor)}.values():
        # Offloaded pieces meet on their devices: processes with GPUs may have no way between their main memories.
        full = cast(DTensor, p.detach().to(p.device_mesh.device_type)).full_tensor()
        if keep:
            whole[id(p)] = nn.Parameter(full.cpu(), requires_grad=p.requires_grad)
    for module, name, p in owners:
        if id(p) in whole:
            setattr(module, name, whole[id(p)])
    distributed.wait_for_everyone()  # one that ended here would close the connection on those that still receive
