"""The decoding loop of causal models: a row that has ended leaves at once, and a waiting prompt takes its place.

Answers are those of `model.generate`, token by token, and depend on nothing but the prompt (and, where they are
sampled, on the seed and the row's number): not on the batch, its order or its padding.
"""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from instructzoo.core.infer import kv_cache as caches
from instructzoo.core.infer.constrained_decoding import AnswerConstraints
from instructzoo.core.recipe import Decode

FREE = 0.1
"""Share of ended rows at which the batch is cut or refilled: each time costs a copy of the cache, and a refill a
forward pass of the newcomers alone."""


@dataclass
class Batch:
    """b rows that are being written. rows: their numbers among the prompts; live: which of them have not ended."""

    rows: list[int]
    live: list[bool]
    tokens: Tensor  # [b], written last and not yet read
    positions: Tensor  # [b], of `tokens`
    mask: Tensor  # [b, s], 1 where a column of the cache is a token of the row
    cache: Any


@dataclass
class Decoder:
    """What one call of `generate_ids` holds. model: a plain causal language model; stops: ids that end an answer."""

    model: Any
    prompts: Sequence[Sequence[int]]
    decode: Decode
    stops: Collection[int]
    pad: int
    seed: int
    first: int = 0  # number of the first prompt among all that are asked, of which these may be a block
    guide: AnswerConstraints | None = None  # holds rows to their grammars
    written: list[list[int]] = field(init=False)
    noise: dict[int, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.written = [[] for _ in self.prompts]
        self.device = next(self.model.parameters()).device
        self.last = max(map(len, self.prompts), default=0) + self.decode.max_new_tokens - 1

    @torch.no_grad()
    def run(self) -> list[list[int]]:
        """Token ids of all answers, without the token that ended them."""
        waiting = deque(longest_first(self.prompts))
        batch: Batch | None = None
        while waiting or batch:
            if batch is None:
                batch = self.start(self.next(waiting, []))
            elif self.stale(batch):
                alive = [row for row, live in zip(batch.rows, batch.live, strict=True) if live]
                batch = self.regroup(batch, self.next(waiting, alive))
                continue
            else:
                self.step(batch)
        return self.written

    def stale(self, batch: Batch) -> bool:
        """Whether to cut or refill: enough rows have ended, or the next column with ended rows breaks the budget."""
        ended, (rows, width) = batch.live.count(False), batch.mask.shape
        full = rows * (width + 1) > self.decode.batch_tokens
        return ended >= (1 if full else max(1, FREE * rows))

    def next(self, waiting: deque[int], alive: list[int]) -> list[int]:
        """Rows that begin now, beside those `alive`, whose width they are padded to."""
        if not waiting:
            return []
        longest = max(len(self.prompts[row]) for row in (*alive, waiting[0]))
        free = slots(longest, self.decode) - len(alive)
        return [waiting.popleft() for _ in range(min(free, len(waiting)))]

    def start(self, rows: list[int]) -> Batch:
        """Read the prompts of `rows`, padded on the left to the longest, and write the first token of each."""
        width = max(len(self.prompts[row]) for row in rows)
        ids = torch.full((len(rows), width), self.pad)  # [b, s]
        mask = torch.zeros_like(ids)
        for i, row in enumerate(rows):
            begin = width - len(self.prompts[row])
            ids[i, begin:], mask[i, begin:] = torch.tensor(self.prompts[row]), 1
        ids, mask = ids.to(self.device), mask.to(self.device)
        positions = (mask.cumsum(-1) - 1).clamp(min=0)
        batch = Batch(rows, [True] * len(rows), ids[:, -1], positions[:, -1], mask, caches.fresh(self.model))
        self.append(batch, self.forward(batch, ids, positions))
        return batch

    def step(self, batch: Batch) -> None:
        """Read the last token of every row and write the next. A row that has ended is carried along, unread."""
        batch.mask = torch.cat([batch.mask, batch.mask.new_ones(len(batch.rows), 1)], -1)
        self.append(batch, self.forward(batch, batch.tokens[:, None], batch.positions[:, None]))

    def forward(self, batch: Batch, ids: Tensor, positions: Tensor) -> Tensor:
        """Logits [b, v] after the last column of `ids` [b, q]."""
        return self.model(
            input_ids=ids,
            attention_mask=batch.mask,
            position_ids=positions,
            past_key_values=batch.cache,
            use_cache=True,
            logits_to_keep=1,
        ).logits[:, -1]

    def append(self, batch: Batch, logits: Tensor) -> None:
        """Choose a token for every row; live rows keep it, or end."""
        if self.guide:
            asked = [row if live else None for row, live in zip(batch.rows, batch.live, strict=True)]
            logits = self.guide.restrict(asked, logits, greedy=not self.decode.temperature)
        batch.tokens = self.choose(batch.rows, logits)
        batch.positions = (batch.positions + 1).clamp(max=self.last)
        for i, token in enumerate(batch.tokens.tolist()):
            if batch.live[i]:
                answer = self.written[batch.rows[i]]
                if token not in self.stops:
                    answer.append(token)
                batch.live[i] = token not in self.stops and len(answer) < self.decode.max_new_tokens
                if self.guide and batch.live[i]:
                    self.guide.take(batch.rows[i], token)
                elif self.guide:
                    self.guide.drop(batch.rows[i])

    def choose(self, rows: Sequence[int], logits: Tensor) -> Tensor:
        """The likeliest tokens [b]; above temperature 0 one drawn from the nucleus, by each row's own numbers."""
        if not self.decode.temperature:
            return logits.argmax(-1)
        for row in rows:
            if row not in self.noise:
                own = np.random.default_rng([self.seed, self.first + row])
                self.noise[row] = own.random(self.decode.max_new_tokens + 1)
        drawn = torch.tensor([self.noise[row][len(self.written[row])] for row in rows], dtype=torch.float32)
        return sample(logits.float() / self.decode.temperature, self.decode.top_p, drawn.to(logits.device))

    def regroup(self, batch: Batch, newcomers: list[int]) -> Batch | None:
        """The live rows and the newcomers, without the columns that none of them needs."""
        keep = [i for i, live in enumerate(batch.live) if live]
        joining = self.start(newcomers) if newcomers else None
        if not keep:
            return joining
        kept = torch.tensor(keep, device=self.device)
        mask = batch.mask[kept]
        drop = int(mask.any(0).int().argmax())
        caches.regroup(batch.cache, kept, drop, joining.cache if joining else None)
        mask = mask[:, drop:]
        rows, tokens, positions = [batch.rows[i] for i in keep], batch.tokens[kept], batch.positions[kept]
        live = [True] * len(keep)
        if joining:
            short = mask.shape[1] - joining.mask.shape[1]
            mask = torch.cat([mask, torch.nn.functional.pad(joining.mask, (short, 0))])
            rows, live = rows + joining.rows, live + joining.live
            tokens, positions = torch.cat([tokens, joining.tokens]), torch.cat([positions, joining.positions])
        return Batch(rows, live, tokens, positions, mask, batch.cache)


def is_supported(model: Any) -> bool:
    """Whether the loop can drive this plain causal model: its memory is keys and values, its positions are given."""
    taken = inspect.signature(model.forward).parameters
    needed = {"input_ids", "attention_mask", "position_ids", "past_key_values", "use_cache", "logits_to_keep"}
    return needed <= set(taken) and caches.fresh(model) is not None


def slots(longest: int, decode: Decode) -> int:
    """Rows that fit into the token budget where the longest prompt has `longest` tokens; at least one."""
    return max(1, decode.batch_tokens // (longest + decode.max_new_tokens))


def longest_first(prompts: Sequence[Sequence[int]]) -> list[int]:
    """Row numbers: the largest batch comes first and fails first, and no newcomer is longer than what is there."""
    return sorted(range(len(prompts)), key=lambda row: (-len(prompts[row]), row))


def sample(logits: Tensor, top_p: float, drawn: Tensor) -> Tensor:
    """Tokens [b] by inverse transform of `drawn` [b], uniform in [0, 1), over the nucleus of logits [b, v].

    The nucleus is the smallest set of likeliest tokens that reaches `top_p` (Holtzman et al., arXiv:1904.09751).
    """
    chances, tokens = logits.softmax(-1).sort(-1, descending=True)  # [b, v]
    reached = chances.cumsum(-1)
    inside = (reached - chances) < top_p  # the first one always
    count = inside.sum(-1, keepdim=True)
    total = reached.gather(-1, count - 1)
    place = torch.searchsorted(reached, drawn[:, None].to(reached) * total, right=True)
    return tokens.gather(-1, place.minimum(count - 1))[:, 0]
