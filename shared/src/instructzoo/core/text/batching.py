"""Which rows make which update: grouped by length, cut into micro-batches by a token budget.

The order of the rows is a function of (seed, epoch) alone, and update k can be computed directly. A resumed run
therefore sees exactly the rows that an uninterrupted run would have seen, without replaying anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from instructzoo.core.recipe import Train

WINDOW = 50
"""Updates whose rows are sorted together: enough to group rows of like length, few enough to keep the order random."""


@dataclass(frozen=True)
class Batches:
    """The updates of a run.

    Args:
        lengths: Tokens of every training row.
        settings: `batch`, `epochs`, `steps`, `micro_batch`, `micro_tokens` and `packing` are read.
        seed: Seed of the order of the rows.
        rank: Rank of this process.
        world_size: Number of processes.

    Example:
        >>> batches = Batches([3, 5, 4], Train(batch=2, epochs=2), seed=0)
        >>> batches.per_epoch, batches.steps
        (2, 4)
        >>> sorted(row for step in (0, 1) for row in batches.rows(step))
        [0, 1, 2]
    """

    lengths: Sequence[int]
    settings: Train
    seed: int
    rank: int = 0
    world_size: int = 1
    _epochs: dict[int, list[np.ndarray]] = field(default_factory=dict, repr=False)

    @cached_property
    def per_epoch(self) -> int:
        """Updates per epoch. The last one of an epoch may be smaller; no row is dropped."""
        return -(-len(self.lengths) // self.settings.batch)

    @cached_property
    def steps(self) -> int:
        """Updates of the whole run."""
        return self.settings.steps or max(1, round(self.settings.epochs * self.per_epoch))

    def update(self, step: int) -> list[list[int]]:
        """Return the micro-batches of this rank in update `step` (from 0), as lists of row indices.

        All ranks have the same number of micro-batches; the last ones of a rank with fewer rows are empty.
        """
        return rank_micro_batches(self.rows(step), self.lengths, self.settings, self.rank, self.world_size)

    def rows(self, step: int) -> list[int]:
        """Return the row indices of update `step`, over all ranks."""
        epoch, index = divmod(step, self.per_epoch)
        rows: list[int] = self._epoch(epoch)[index].tolist()
        return rows

    def epoch_of(self, step: int) -> float:
        """Return how many epochs are done after `step` updates."""
        return step / self.per_epoch

    def _epoch(self, epoch: int) -> list[np.ndarray]:
        """Return the row indices of every update of one epoch."""
        if epoch not in self._epochs:
            self._epochs.clear()  # epochs come in order, so one is enough
            self._epochs[epoch] = epoch_order(np.asarray(self.lengths), self.settings.batch, (self.seed, epoch))
        return self._epochs[epoch]


def epoch_order(lengths: np.ndarray, batch_size: int, seed: tuple[int, int]) -> list[np.ndarray]:
    """Order the rows of one epoch: shuffle, sort by length inside windows, cut into updates, shuffle the updates.

    Args:
        lengths: Tokens of every row, [n].
        batch_size: Rows per update.
        seed: Seed of the run, and the number of the epoch.

    Returns:
        Row indices of every update.
    """
    rng = np.random.default_rng([0xBA7C4, *seed])
    shuffled = rng.permutation(len(lengths))
    window = batch_size * WINDOW
    updates: list[np.ndarray] = []
    for start in range(0, len(shuffled), window):
        rows = shuffled[start : start + window]
        rows = rows[np.argsort(lengths[rows], kind="stable")]
        updates += [rows[i : i + batch_size] for i in range(0, len(rows), batch_size)]
    return [updates[i] for i in rng.permutation(len(updates))]


def rank_micro_batches(
    rows: Sequence[int], lengths: Sequence[int], settings: Train, rank: int, world_size: int
) -> list[list[int]]:
    """Return the micro-batches of one rank: every `world_size`-th row, cut by `micro_batches`.

    All ranks have the same number of micro-batches, so that they exchange gradients together; the last ones are empty
    where a rank has no rows left.

    Args:
        rows: Row indices over all ranks.
        lengths: Tokens of every row of the split.
        settings: `micro_batch`, `micro_tokens` and `packing` are read.
        rank: Rank of this process, from 0.
        world_size: Number of processes.

    Returns:
        Row indices of each micro-batch.
    """
    by_rank = [
        micro_batches(rows[r::world_size], lengths, settings.micro_batch, settings.micro_tokens, settings.packing)
        for r in range(world_size)
    ]
    missing = max(map(len, by_rank)) - len(by_rank[rank])
    return by_rank[rank] + [[]] * missing


def micro_batches(
    rows: Sequence[int],
    lengths: Sequence[int],
    max_rows: int | None,
    max_tokens: int,
    packed: bool = False,
) -> list[list[int]]:
    """Cut rows into micro-batches, longest rows first.

    Args:
        rows: Row indices.
        lengths: Tokens of every row of the split.
        max_rows: Rows per micro-batch; None to cut by tokens.
        max_tokens: Tokens per micro-batch, with the padding unless it is packed; a longer row stands alone.
        packed: Whether a micro-batch is one sequence without padding.

    Returns:
        Row indices of each micro-batch.

    Example:
        >>> micro_batches([0, 1, 2], [3, 9, 4], None, max_tokens=10)
        [[1], [2, 0]]
    """
    longest_first = sorted(rows, key=lambda row: (-lengths[row], row))
    batches: list[list[int]] = []
    for row in longest_first:
        if batches and max_rows is not None:
            fits = len(batches[-1]) < max_rows
        elif batches and packed:
            fits = sum(lengths[member] for member in batches[-1]) + lengths[row] <= max_tokens
        else:
            fits = bool(batches) and (len(batches[-1]) + 1) * lengths[batches[-1][0]] <= max_tokens
        if fits:
            batches[-1].append(row)
        else:
            batches.append([row])
    return batches


def padding_share(batches: Batches, steps: int = 200) -> float:
    """Return the share of padding among the token positions of the first updates, on this rank.

    Args:
        batches: Updates of a run.
        steps: Number of updates to look at, or all where the run has fewer.

    Returns:
        A number from 0 to 1; 0 with packing, which needs no padding.
    """
    if batches.settings.packing:
        return 0.0
    positions = tokens = 0
    for step in range(min(steps, batches.steps)):
        for rows in batches.update(step):
            lengths = [batches.lengths[row] for row in rows]
            positions, tokens = positions + max(lengths) * len(lengths), tokens + sum(lengths)
    return 1 - tokens / max(1, positions)
