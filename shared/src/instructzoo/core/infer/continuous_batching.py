"""Continuous batching for causal models: a row that has ended leaves the batch, and a waiting prompt takes its place.

Answers are those of `model.generate`, token by token, and depend on nothing but the prompt (and, if they are sampled,
on the seed and the row's number): not on the batch, its order or its padding.
"""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from instructzoo.core.infer import finite_logits, kv_cache
from instructzoo.core.infer.constrained_decoding import AnswerConstraints
from instructzoo.core.recipe import Decode

REGROUP_FRACTION = 0.1
"""Fraction of ended rows at which the batch is regrouped. Each time costs a copy of the cache, and rows that join cost
a forward pass of their own."""


@dataclass
class Batch:
    """The b rows that are being decoded.

    Args:
        rows: Their indices among the prompts.
        live: Which of them have not ended.
        tokens: Last token of each row, which the model has not read yet, [b].
        positions: Position of each of these tokens, [b].
        mask: 1 where a column of the cache is a token of the row, [b, s].
        cache: Keys and values of all layers.
    """

    rows: list[int]
    live: list[bool]
    tokens: Tensor  # [b], the last ones, which the model has not read yet
    positions: Tensor  # [b], of `tokens`
    mask: Tensor  # [b, s], 1 where a column of the cache is a token of the row
    cache: Any


@dataclass
class Decoder:
    """The state of one call of `generate_ids`.

    Args:
        model: A plain causal language model.
        prompts: Token ids of each prompt.
        decode: Settings of decoding: max_new_tokens, temperature, top_p and batch_tokens.
        stop_ids: Tokens that end an answer.
        pad_id: Token that fills prompts on the left.
        seed: Seed of sampling.
        first: The number of the first prompt, where the prompts are a block of many.
        constraints: The grammars of the answers; None if decoding is not constrained.
        on_answered: Called with the number of answers that have ended, whenever one has.
    """

    model: Any
    prompts: Sequence[Sequence[int]]
    decode: Decode
    stop_ids: Collection[int]
    pad_id: int
    seed: int
    first: int = 0
    constraints: AnswerConstraints | None = None
    on_answered: Callable[[int], None] | None = None
    answers: list[list[int]] = field(init=False)  # token ids written so far, by row
    n_ended: int = field(default=0, init=False)
    uniform_draws: dict[int, np.ndarray] = field(default_factory=dict)  # random numbers in [0, 1), by row

    def __post_init__(self) -> None:
        self.answers = [[] for _ in self.prompts]
        self.device = next(self.model.parameters()).device
        self.last_position = max(map(len, self.prompts), default=0) + self.decode.max_new_tokens - 1

    @torch.no_grad()
    def run(self) -> list[list[int]]:
        """Token ids of all answers, without the token that ended them."""
        waiting = deque(longest_first(self.prompts))
        batch: Batch | None = None
        while waiting or batch:
            if batch is None:
                batch = self.prefill(self.next_rows(waiting, []))
            elif self.should_regroup(batch):
                live_rows = [row for row, live in zip(batch.rows, batch.live, strict=True) if live]
                batch = self.regroup(batch, self.next_rows(waiting, live_rows))
                continue
            else:
                self.step(batch)
        return self.answers

    def should_regroup(self, batch: Batch) -> bool:
        """Whether enough rows have ended, or one more column would exceed the token budget because of ended rows."""
        ended, (rows, width) = batch.live.count(False), batch.mask.shape
        over_budget = rows * (width + 1) > self.decode.batch_tokens
        return ended >= (1 if over_budget else max(1, REGROUP_FRACTION * rows))

    def next_rows(self, waiting: deque[int], live_rows: list[int]) -> list[int]:
        """Take the rows that start now from `waiting`.

        Args:
            waiting: Rows that have not started, longest prompt first; the rows that start are removed from it.
            live_rows: Rows that stay in the batch; new ones are padded to their width.

        Returns:
            As many rows as the token budget has room for; none if no row waits.
        """
        if not waiting:
            return []
        longest = max(len(self.prompts[row]) for row in (*live_rows, waiting[0]))
        free_slots = max_rows(longest, self.decode) - len(live_rows)
        return [waiting.popleft() for _ in range(min(free_slots, len(waiting)))]

    def prefill(self, rows: list[int]) -> Batch:
        """Read the prompts of `rows`, padded on the left to the longest, and write the first token of each."""
        width = max(len(self.prompts[row]) for row in rows)
        input_ids = torch.full((len(rows), width), self.pad_id)  # [b, s]
        mask = torch.zeros_like(input_ids)
        for i, row in enumerate(rows):
            start = width - len(self.prompts[row])
            input_ids[i, start:], mask[i, start:] = torch.tensor(self.prompts[row]), 1
        input_ids, mask = input_ids.to(self.device), mask.to(self.device)
        positions = (mask.cumsum(-1) - 1).clamp(min=0)
        cache = kv_cache.new_cache(self.model)
        batch = Batch(rows, [True] * len(rows), input_ids[:, -1], positions[:, -1], mask, cache)
        self.append_tokens(batch, self.forward(batch, input_ids, positions))
        return batch

    def step(self, batch: Batch) -> None:
        """Read the last token of every row and write the next. A row that has ended takes part, but is ignored."""
        batch.mask = torch.cat([batch.mask, batch.mask.new_ones(len(batch.rows), 1)], -1)
        self.append_tokens(batch, self.forward(batch, batch.tokens[:, None], batch.positions[:, None]))

    def forward(self, batch: Batch, input_ids: Tensor, positions: Tensor) -> Tensor:
        """Run the model on new columns.

        Args:
            batch: Rows whose cache the model reads and extends.
            input_ids: Token ids of the q new columns, [b, q].
            positions: Their positions, [b, q].

        Returns:
            Logits after the last column, [b, v].
        """
        return self.model(
            input_ids=input_ids,
            attention_mask=batch.mask,
            position_ids=positions,
            past_key_values=batch.cache,
            use_cache=True,
            logits_to_keep=1,
        ).logits[:, -1]

    def append_tokens(self, batch: Batch, logits: Tensor) -> None:
        """Select a token for every row; live rows append it, or end.

        Args:
            batch: Rows that `logits` belong to, changed in place.
            logits: Logits of the next token, [b, v].

        Raises:
            ZooError: The logits of a live row are not finite.
        """
        no_numbers = finite_logits.without_numbers(logits)
        if self.constraints:
            live_rows = [row if live else None for row, live in zip(batch.rows, batch.live, strict=True)]
            logits = self.constraints.mask_logits(live_rows, logits, greedy=not self.decode.temperature)
        batch.tokens = self.select_tokens(batch.rows, logits)
        batch.positions = (batch.positions + 1).clamp(max=self.last_position)
        n_live = sum(batch.live)
        tokens, faults = torch.stack([batch.tokens, no_numbers.to(batch.tokens.dtype)]).tolist()  # one wait for both
        for i, token in enumerate(tokens):
            if batch.live[i]:
                if faults[i]:
                    raise finite_logits.no_numbers(self.model)
                answer = self.answers[batch.rows[i]]
                if token not in self.stop_ids:
                    answer.append(token)
                batch.live[i] = token not in self.stop_ids and len(answer) < self.decode.max_new_tokens
                if self.constraints and batch.live[i]:
                    self.constraints.advance(batch.rows[i], token)
                elif self.constraints:
                    self.constraints.finish(batch.rows[i])
        if ended := n_live - sum(batch.live):
            self.n_ended += ended
            if self.on_answered:
                self.on_answered(self.n_ended)

    def select_tokens(self, rows: Sequence[int], logits: Tensor) -> Tensor:
        """Select the next token of every row.

        Args:
            rows: Indices of the rows of `logits` among the prompts.
            logits: Logits of the next token, [b, v].

        Returns:
            The likeliest tokens [b]; above temperature 0, tokens sampled from the nucleus with each row's own draws.
        """
        if not self.decode.temperature:
            return logits.argmax(-1)
        for row in rows:
            if row not in self.uniform_draws:
                rng = np.random.default_rng([self.seed, self.first + row])
                self.uniform_draws[row] = rng.random(self.decode.max_new_tokens + 1)
        draws = torch.tensor([self.uniform_draws[row][len(self.answers[row])] for row in rows], dtype=torch.float32)
        return sample_top_p(logits.float() / self.decode.temperature, self.decode.top_p, draws.to(logits.device))

    def regroup(self, batch: Batch, new_rows: list[int]) -> Batch | None:
        """Drop ended rows, add new ones, and drop the leading columns that none of them needs.

        Args:
            batch: The batch whose live rows stay; its cache is changed in place.
            new_rows: Rows that start now.

        Returns:
            The batch of the live rows and the new ones; None if there are neither.
        """
        live_indices = [i for i, live in enumerate(batch.live) if live]
        joining = self.prefill(new_rows) if new_rows else None
        if not live_indices:
            return joining
        kept = torch.tensor(live_indices, device=self.device)
        mask = batch.mask[kept]
        first_column = int(mask.any(0).int().argmax())
        kv_cache.regroup(batch.cache, kept, first_column, joining.cache if joining else None)
        mask = mask[:, first_column:]
        rows, tokens, positions = [batch.rows[i] for i in live_indices], batch.tokens[kept], batch.positions[kept]
        live = [True] * len(live_indices)
        if joining:
            padding = mask.shape[1] - joining.mask.shape[1]
            mask = torch.cat([mask, torch.nn.functional.pad(joining.mask, (padding, 0))])
            rows, live = rows + joining.rows, live + joining.live
            tokens, positions = torch.cat([tokens, joining.tokens]), torch.cat([positions, joining.positions])
        return Batch(rows, live, tokens, positions, mask, batch.cache)


def is_supported(model: Any) -> bool:
    """Whether the loop can drive a plain causal model: its state is keys and values, and it accepts positions."""
    parameters = inspect.signature(model.forward).parameters
    required = {"input_ids", "attention_mask", "position_ids", "past_key_values", "use_cache", "logits_to_keep"}
    return required <= set(parameters) and kv_cache.new_cache(model) is not None


def max_rows(longest: int, decode: Decode) -> int:
    """Return how many rows fit into the token budget; at least one.

    Args:
        longest: Tokens of the longest prompt.
        decode: `batch_tokens` is the budget; a row takes its prompt and `max_new_tokens` of it.
    """
    return max(1, decode.batch_tokens // (longest + decode.max_new_tokens))


def longest_first(prompts: Sequence[Sequence[int]]) -> list[int]:
    """Row indices by falling length: the largest batch comes first and fails first if memory is short, and no row that
    joins is longer than the rows before it."""
    return sorted(range(len(prompts)), key=lambda row: (-len(prompts[row]), row))


def sample_top_p(logits: Tensor, top_p: float, draws: Tensor) -> Tensor:
    """Nucleus sampling by inverse transform (Holtzman et al., arXiv:1904.09751).

    Args:
        logits: [b, v], already divided by the temperature.
        top_p: Probability of the nucleus, which is the smallest set of likeliest tokens that reaches it.
        draws: [b], uniform random numbers in [0, 1).

    Returns:
        Token ids, [b].
    """
    probabilities, tokens = logits.softmax(-1).sort(-1, descending=True)  # [b, v]
    cumulative = probabilities.cumsum(-1)
    in_nucleus = (cumulative - probabilities) < top_p  # the first token always is
    count = in_nucleus.sum(-1, keepdim=True).clamp(min=1)  # 0 if the logits are NaN
    total = cumulative.gather(-1, count - 1)
    rank = torch.searchsorted(cumulative, draws[:, None].to(cumulative) * total, right=True)
    return tokens.gather(-1, rank.minimum(count - 1))[:, 0]
