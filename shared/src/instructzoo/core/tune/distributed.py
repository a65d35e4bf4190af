"""Many processes as one run: what is summed, who goes first, who waits.

Started by `zoo train --nproc N`, `accelerate launch` or torchrun (also under Slurm), which set RANK and WORLD_SIZE.
With one process nothing here communicates.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import torch
from accelerate import PartialState


def state() -> PartialState:
    """accelerate's view of the processes: their number, this one's, its device. Gloo on CPUs, NCCL on GPUs."""
    # Others wait while one builds the rows, or fetches a backbone: longer than the ten minutes that NCCL would.
    return PartialState(cpu=not torch.accelerator.is_available(), timeout=timedelta(hours=6))


def rank_and_world_size() -> tuple[int, int]:
    """The rank of this process and the number of all."""
    here = state()
    return here.process_index, here.num_processes


@contextmanager
def main_first() -> Iterator[None]:
    """The main process runs the block, then the others: they find in the cache what it has built."""
    with state().main_process_first():
        yield


def wait_for_everyone() -> None:
    """Until all processes are here."""
    state().wait_for_everyone()


def all_reduce_sum(*values: float) -> list[float]:
    """Each value summed over all processes, in double precision."""
    here = state()
    if here.num_processes == 1:
        return list(values)
    tensor = torch.tensor(values, dtype=torch.float64, device=here.device)
    torch.distributed.all_reduce(tensor)
    return tensor.tolist()


def broadcast(word: str) -> str:
    """What the first process says, on all of them."""
    said = [word]
    if state().num_processes > 1:
        torch.distributed.broadcast_object_list(said)
    return said[0]
