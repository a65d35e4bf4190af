"""Which rows make which update: grouped by length, cut into micro-batches by a token budget.

The order is a function of (seed, epoch) alone and update k can be asked for directly. A resumed run therefore sees
exactly the rows that an uninterrupted one would have seen, without replaying anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from instructzoo.core.recipe import Train

WINDOW = 50
"""Updates whose rows are sorted together: long enough to group well, short enough to keep the order random."""


@dataclass(frozen=True)
class Batches:
    """The updates of a run. lengths: tokens of every training row."""

    lengths: Sequence[int]
    train: Train
    seed: int
    rank: int = 0
    world: int = 1
    _epochs: dict[int, list[np.ndarray]] = field(default_factory=dict, repr=False)

    @cached_property
    def per_epoch(self) -> int:
        """Updates per pass. The last one of a pass may be smaller; no row is dropped."""
        return -(-len(self.lengths) // self.train.batch)

    @cached_property
    def steps(self) -> int:
        """Updates of the whole run."""
        return self.train.steps or max(1, round(self.train.epochs * self.per_epoch))

    def update(self, step: int) -> list[list[int]]:
        """Row numbers of update `step` (from 0), as the micro-batches of this rank.

        Ranks work in step, so all have the same number; where one has fewer rows than others, the last are empty.
        """
        return rank_micro_batches(self.rows(step), self.lengths, self.train, self.rank, self.world)

    def rows(self, step: int) -> list[int]:
        """Row numbers of update `step`, those of all ranks."""
        epoch, index = divmod(step, self.per_epoch)
        rows: list[int] = self._epoch(epoch)[index].tolist()
        return rows

    def epoch_of(self, step: int) -> float:
        return step / self.per_epoch

    def _epoch(self, epoch: int) -> list[np.ndarray]:
        """Row numbers of every update of one pass."""
        if epoch not in self._epochs:
            self._epochs.clear()  # passes come in order; one is kept
            self._epochs[epoch] = epoch_order(np.asarray(self.lengths), self.train.batch, (self.seed, epoch))
        return self._epochs[epoch]


def epoch_order(lengths: np.ndarray, batch: int, seed: tuple[int, int]) -> list[np.ndarray]:
    """One pass: shuffle, sort by length inside windows, cut into updates, shuffle the updates."""
    rng = np.random.default_rng([0xBA7C4, *seed])
    shuffled = rng.permutation(len(lengths))
    window = batch * WINDOW
    updates: list[np.ndarray] = []
    for start in range(0, len(shuffled), window):
        rows = shuffled[start : start + window]
        rows = rows[np.argsort(lengths[rows], kind="stable")]
        updates += [rows[i : i + batch] for i in range(0, len(rows), batch)]
    return [updates[i] for i in rng.permutation(len(updates))]


def rank_micro_batches(
    rows: Sequence[int], lengths: Sequence[int], train: Train, rank: int, world: int
) -> list[list[int]]:
    """The micro-batches of one rank out of `world`; as many for each, the last ones empty where rows run out."""
    parts = [
        micro_batches(rows[other::world], lengths, train.micro_batch, train.micro_tokens, train.packing)
        for other in range(world)
    ]
    return parts[rank] + [[]] * (max(map(len, parts)) - len(parts[rank]))


def micro_batches(
    rows: Sequence[int], lengths: Sequence[int], size: int | None, tokens: int, packed: bool = False
) -> list[list[int]]:
    """Micro-batches: at most `size` rows where it is set, else cells within `tokens`; longest first.

    A cell is a token or, in batches that are not packed, the padding behind it.
    """
    ordered = sorted(rows, key=lambda row: (-lengths[row], row))
    batches: list[list[int]] = []
    for row in ordered:
        if batches and size is not None:
            fits = len(batches[-1]) < size
        elif batches and packed:
            fits = sum(lengths[other] for other in batches[-1]) + lengths[row] <= tokens
        else:
            fits = bool(batches) and (len(batches[-1]) + 1) * lengths[batches[-1][0]] <= tokens
        if fits:
            batches[-1].append(row)
        else:
            batches.append([row])
    return batches


def padding_share(batches: Batches, steps: int = 200) -> float:
    """Share of padded cells over the first `steps` updates."""
    if batches.train.packing:
        return 0.0
    cells = used = 0
    for step in range(min(steps, batches.steps)):
        for rows in batches.update(step):
            sizes = [batches.lengths[row] for row in rows]
            cells, used = cells + max(sizes) * len(sizes), used + sum(sizes)
    return 1 - used / max(1, cells)
