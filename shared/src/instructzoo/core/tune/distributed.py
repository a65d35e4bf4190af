"""Several processes as one run: sums over all of them, and waiting for each other.

`zoo train --nproc N`, `accelerate launch` and torchrun (also under Slurm) start the processes and set RANK and
WORLD_SIZE. With one process nothing here communicates.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import torch
from accelerate import PartialState


def state() -> PartialState:
    """Return accelerate's state: number of processes, rank, device. Processes use gloo on CPUs, NCCL on GPUs."""
    # The others wait while one builds the rows or fetches a backbone, longer than NCCL's ten minutes.
    return PartialState(cpu=not torch.accelerator.is_available(), timeout=timedelta(hours=6))


def rank_and_world_size() -> tuple[int, int]:
    """Return the rank of this process and the number of processes."""
    process = state()
    return process.process_index, process.num_processes


@contextmanager
def main_first() -> Iterator[None]:
    """Run the block on the main process first, then on the others, which find in the cache what it has built."""
    with state().main_process_first():
        yield


def wait_for_everyone() -> None:
    """Wait until all processes have come to this call."""
    state().wait_for_everyone()


def all_reduce_sum(*values: float) -> list[float]:
    """Return each value summed over all processes, in double precision."""
    process = state()
    if process.num_processes == 1:
        return list(values)
    tensor = torch.tensor(values, dtype=torch.float64, device=process.device)
    torch.distributed.all_reduce(tensor)
    return tensor.tolist()


def broadcast(text: str) -> str:
    """Return the text of the main process on all processes."""
    texts = [text]
    if state().num_processes > 1:
        torch.distributed.broadcast_object_list(texts)
    return texts[0]
