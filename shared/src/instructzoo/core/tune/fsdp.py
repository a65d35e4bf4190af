"""FSDP2: parameters, gradients and optimiser state sharded over the processes of a run.

Every decoder layer is a unit: its weights are gathered while it computes and freed afterwards. torch's `fully_shard` is
called directly, since accelerate does not apply it on CPUs, where the tests run.
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
    """Shard a module in place if `train.sharding` is set and the run has a process group.

    Args:
        module: The outermost module, which wraps `model`.
        model: The tuned model, whose decoder layers become units.
        settings: `sharding` and `offload` are read.
        half: Compute in bfloat16; parameters and gradient sums stay float32.

    Raises:
        ZooError: `train.offload` without a process group, or a quantised base.
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
    backbone, device = adapters.unwrap_peft(model), distributed.state().device
    if adapters.is_quantised(model):
        raise ZooError("train.sharding of a quantised base", "model.quantisation none", "leave one of the two out")
    if not settings.offload:
        module.to(device)
    policies: dict[str, Any] = {
        "mesh": init_device_mesh(device.type, (dist.get_world_size(),)),
        "mp_policy": MixedPrecisionPolicy(torch.bfloat16, torch.float32) if half else MixedPrecisionPolicy(),
        "offload_policy": CPUOffloadPolicy(pin_memory=device.type != "cpu") if settings.offload else OffloadPolicy(),
    }
    layer_classes = set(backbone._no_split_modules or ())
    for layer in [m for m in backbone.modules() if type(m).__name__ in layer_classes]:
        fully_shard(layer, **policies)
    # By default torch leaves the outermost unit gathered after a validation, and a checkpoint would miss its shards.
    fully_shard(module, reshard_after_forward=True, **policies)


def is_fsdp_module(module: Any) -> bool:
    """Whether `apply_fsdp` has sharded this module."""
    from torch.distributed.fsdp import FSDPModule

    return isinstance(module, FSDPModule)


def sync_gradients(accelerator: Accelerator, module: Any, last: bool) -> AbstractContextManager[Any]:
    """Return the context of one micro-batch: the processes exchange gradients only after the last one of an update.

    Args:
        accelerator: Accelerator of the run, which suspends the exchange of a DDP module.
        module: Loss module, sharded by `apply_fsdp` or prepared by the accelerator.
        last: Whether this is the last micro-batch of the update.

    Returns:
        A context manager for the forward and backward pass.
    """
    if is_fsdp_module(module):
        module.set_requires_gradient_sync(last)
        return nullcontext()
    return nullcontext() if last else accelerator.no_sync(module)


def is_sharded(model: Any) -> bool:
    """Whether any parameter is sharded over processes."""
    return any(isinstance(p, DTensor) for p in model.parameters())


def clip_sharded_gradients(gradients: Iterable[Tensor], max_norm: float) -> float:
    """Scale sharded gradients in place to a norm of at most `max_norm` over all shards.

    Args:
        gradients: Gradients of the trainable parameters, each a DTensor or a full tensor.
        max_norm: Largest norm allowed; infinity only measures.

    Returns:
        The norm before clipping, the same number in every process.
    """
    shards = [local_tensor(gradient) for gradient in gradients]
    local_square = sum(float(shard.float().pow(2).sum()) for shard in shards)
    norm = float(distributed.all_reduce_sum(local_square)[0] ** 0.5)
    if norm > max_norm:
        torch._foreach_mul_(shards, max_norm / (norm + 1e-6))
    return norm


def local_tensor(tensor: Tensor) -> Tensor:
    """Return this process's shard of a tensor, or the tensor itself if it is not sharded."""
    return tensor.to_local() if isinstance(tensor, DTensor) else tensor


def shard_like(value: Tensor, like: Tensor) -> Tensor:
    """Shard a full tensor as `like` is sharded.

    Args:
        value: Full tensor. Every process has it, so nothing is communicated.
        like: Parameter whose mesh and placements are used.

    Returns:
        A DTensor; `value` itself if `like` is not sharded or has another shape.
    """
    if not isinstance(like, DTensor) or value.shape != like.shape:
        return value
    return distribute_tensor(value.to(local_tensor(like).device), like.device_mesh, like.placements, src_data_rank=None)


def gather_full_params(model: Any, keep: bool) -> None:
    """Replace sharded parameters by full ones on the CPU, one at a time.

    All processes must call it together, since each parameter is gathered from all of them.

    Args:
        model: Sharded model, changed in place.
        keep: Whether this process (the main one) keeps the full parameters; all others keep their shards.
    """
    full_parameters: dict[int, nn.Parameter] = {}
    owners = [(m, name, p) for m in model.modules() for name, p in m.named_parameters(recurse=False)]
    for p in {id(p): p for _, _, p in owners if isinstance(p, DTensor)}.values():
        # Offloaded shards are gathered on the GPUs: NCCL cannot exchange tensors in main memory.
        full = cast(DTensor, p.detach().to(p.device_mesh.device_type)).full_tensor()
        if keep:
            full_parameters[id(p)] = nn.Parameter(full.cpu(), requires_grad=p.requires_grad)
    for module, name, p in owners:
        if id(p) in full_parameters:
            setattr(module, name, full_parameters[id(p)])
    distributed.wait_for_everyone()  # a process that ended now would close connections on which others still receive
