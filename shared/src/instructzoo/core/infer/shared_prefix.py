"""Scores the options of many questions at once: what questions have in common is read once, and all options of a
question in one pass.

    prompt 1   Choose the intent. [OPTIONS] a||||b||||c [RESPONSE] wake me at seven      common prefix, then its rest
    prompt 2   Choose the intent. [OPTIONS] a||||b||||c [RESPONSE] play some jazz

The options of a question are read side by side: a mask lets each token see its prompt and the tokens before it in its
own option. Options that begin with the same tokens share them. Scores are those of `choice_scoring.log_likelihoods`.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch.nn.functional import log_softmax
from transformers.cache_utils import DynamicCache, DynamicLayer

from instructzoo.core.infer.finite_logits import check_scores
from instructzoo.core.infer.option_tree import OptionTree, Prompts, Targets, common_prefix, runs_of_questions
from instructzoo.core.models import adapters
from instructzoo.core.models.load import ModelBundle

FIRST_OPTIONS = 8
"""Options that `best` reads at first: those with the likeliest first tokens, and all that begin as they do."""

Result = TypeVar("Result")


def is_supported(model: Any) -> bool:
    """Whether a plain causal model can read options this way: it keeps keys and values of all tokens, and takes masks.

    A sliding window is not supported, since a mask of one's own replaces that of the model.
    """
    parameters = inspect.signature(model.forward).parameters
    if not {"attention_mask", "position_ids", "past_key_values", "logits_to_keep"} <= set(parameters):
        return False
    layers = DynamicCache(config=model.config).layers
    # a compiled or flash kernel knows no mask of one's own
    attention = getattr(model.config, "_attn_implementation", None)
    return all(type(layer) is DynamicLayer for layer in layers) and attention in ("sdpa", "eager")


@dataclass(frozen=True)
class SharedPrefixScorer:
    """Scores options of questions to one causal model.

    Args:
        model: A plain causal language model for which `is_supported` holds.
        pad_id: Token that fills up rows of different lengths.
        batch_tokens: Most tokens of one pass, those of the common prefix included for every row.
    """

    model: Any
    pad_id: int
    batch_tokens: int

    def scores(
        self, prompts: Prompts, targets: Targets, on_scored: Callable[[int], None] | None = None
    ) -> list[list[float]]:
        """Score all options of every question.

        Args:
            prompts: Token ids of each prompt; at least one token each.
            targets: For each prompt, the token ids of its options, each with its end token.
            on_scored: Called with the number of questions that are scored, whenever it has grown.

        Returns:
            For each prompt the summed log-probabilities of its options, in nats.

        Raises:
            ZooError: The model's logits are not finite.
        """
        return self._by_row(prompts, targets, _all_options, on_scored)

    def best(self, prompts: Prompts, targets: Targets, on_scored: Callable[[int], None] | None = None) -> list[int]:
        """Find the likeliest option of every question.

        Only the options with the likeliest first tokens are read, and the others where one of them might still be
        likelier: an option is never likelier than its first token.

        Args: as for `scores`.

        Returns:
            For each prompt the index of its likeliest option, as the maximum of `scores` gives it.

        Raises:
            ZooError: The model's logits are not finite.
        """
        return self._by_row(prompts, targets, _likeliest_option, on_scored)

    @torch.no_grad()
    def _by_row(
        self,
        prompts: Prompts,
        targets: Targets,
        evaluate: Callable[[_Pass, Sequence[Sequence[int]]], list[Result]],
        on_scored: Callable[[int], None] | None,
    ) -> list[Result]:
        """What `evaluate` finds for the rows of each pass, in the order of the prompts."""
        results: dict[int, Result] = {}
        for rows in runs_of_questions(prompts, targets):
            prefix = common_prefix([prompts[row] for row in rows])
            cache, options = self._read_prefix(prefix), targets[rows[0]]
            rests = {row: list(prompts[row][len(prefix) :]) for row in rows}
            for batch in self._batches(rows, rests, len(prefix) + sum(map(len, options))):
                state = _Pass(self, [rests[row] for row in batch], cache, len(prefix))
                results.update(zip(batch, evaluate(state, options), strict=True))
                if on_scored:
                    on_scored(len(results))
        return [results[row] for row in range(len(prompts))]

    def _read_prefix(self, prefix: Sequence[int]) -> list[tuple[Tensor, Tensor]]:
        """Keys and values [1, h, p, d] of the p tokens of the prefix, by layer; empty without a prefix."""
        if not prefix:
            return []
        cache = DynamicCache(config=self.model.config)
        input_ids = torch.tensor([prefix], device=self.device)
        self.model(input_ids=input_ids, past_key_values=cache, use_cache=True, logits_to_keep=1)
        return [(layer.keys, layer.values) for layer in cache.layers]

    def _batches(self, rows: Sequence[int], rests: dict[int, list[int]], width: int) -> Iterator[list[int]]:
        """Rows in passes of at most `batch_tokens` tokens, the longest first, so that little is padded."""
        batch: list[int] = []
        for row in sorted(rows, key=lambda row: (-len(rests[row]), row)):
            longest = len(rests[batch[0]]) if batch else 0
            if batch and (len(batch) + 1) * (width + longest) > self.batch_tokens:
                yield batch
                batch = []
            batch.append(row)
        if batch:
            yield batch

    @property
    def device(self) -> torch.device:
        """The device of the model."""
        device: torch.device = next(self.model.parameters()).device
        return device


class _Pass:
    """b rows whose prompts are read: the common prefix of p tokens, and their rests of at most r, padded on the left.

    Attributes:
        next_scores: Log-probabilities of the token after each prompt, [b, v].
    """

    def __init__(
        self, scorer: SharedPrefixScorer, rests: list[list[int]], prefix: list[tuple[Tensor, Tensor]], length: int
    ) -> None:
        self.scorer, self.length = scorer, length
        self.ends = [length + len(rest) for rest in rests]
        self.cache = DynamicCache(config=scorer.model.config)
        for layer, (keys, values) in enumerate(prefix):
            self.cache.update(keys.expand(len(rests), -1, -1, -1), values.expand(len(rests), -1, -1, -1), layer)
        r = max(map(len, rests))
        input_ids = torch.full((len(rests), r), scorer.pad_id)  # [b, r]
        positions = torch.zeros((len(rests), r), dtype=torch.long)
        self.readable = torch.ones((len(rests), length + r), dtype=torch.bool)  # columns that are no padding
        for i, rest in enumerate(rests):
            input_ids[i, r - len(rest) :] = torch.tensor(rest)
            positions[i, r - len(rest) :] = torch.arange(length, self.ends[i])
            self.readable[i, length : length + r - len(rest)] = False
        may_see = self.readable[:, None].repeat(1, r, 1)  # [b, r, p + r]
        may_see[:, :, length:] &= torch.ones(r, r, dtype=torch.bool).tril()
        self.next_scores = self._forward(input_ids, positions, may_see, keep=1)[:, 0]

    def read(self, rows: list[int], trees: list[OptionTree]) -> list[list[float]]:
        """Score options of some rows.

        Args:
            rows: Indices of k rows of this pass.
            trees: For each of them, the tree of its options.

        Returns:
            For each of them the summed log-probabilities of its options, in nats.
        """
        t = max(len(tree.tokens) - 1 for tree in trees)
        columns = self.readable.shape[1]
        input_ids = torch.full((len(rows), t), self.scorer.pad_id)  # [k, t]
        positions = torch.zeros((len(rows), t), dtype=torch.long)
        may_see = torch.zeros((len(rows), t, columns + t), dtype=torch.bool)
        for i, (row, tree) in enumerate(zip(rows, trees, strict=True)):
            nodes = len(tree.tokens) - 1
            input_ids[i, :nodes] = torch.tensor(tree.tokens[1:])
            positions[i, :nodes] = torch.tensor(tree.depths[1:]) + self.ends[row] - 1
            may_see[i, :nodes, :columns] = self.readable[row]
            may_see[i, :nodes, columns : columns + nodes] = tree.sees()
        whole = self.cache
        if extra := whole.get_seq_length() - columns:  # options that were read before
            whole.crop(-extra)
        if rows != list(range(len(self.ends))):
            self.cache = _rows_of(whole, torch.tensor(rows, device=self.scorer.device))
        scores = [self.next_scores[rows, None]]
        if t:
            scores.append(self._forward(input_ids, positions, may_see, keep=t))
        by_node = torch.cat(scores, 1)  # [k, t + 1, v]
        self.cache = whole
        picked = [
            [by_node[i, [n for n, _ in path], [token for _, token in path]].sum() for path in tree.paths]
            for i, tree in enumerate(trees)
        ]
        values: list[list[float]] = [torch.stack(row).tolist() for row in picked]
        check_scores(self.scorer.model, [value for row in values for value in row])
        return values

    def _forward(self, input_ids: Tensor, positions: Tensor, may_see: Tensor, keep: int) -> Tensor:
        """Log-probabilities after the last `keep` of q new columns, [b, keep, v]; may_see: [b, q, columns]."""
        device, dtype = self.scorer.device, next(self.scorer.model.parameters()).dtype
        may_see[:, :, -1] |= ~may_see.any(-1)  # a row of a mask without any column would give NaN: padding sees one
        mask = torch.zeros(may_see.shape, dtype=dtype).masked_fill(~may_see, torch.finfo(dtype).min)
        logits = self.scorer.model(
            input_ids=input_ids.to(device),
            attention_mask=mask[:, None].to(device),  # [b, 1, q, columns]
            position_ids=positions.to(device),
            past_key_values=self.cache,
            use_cache=True,
            logits_to_keep=keep,
        ).logits
        return log_softmax(logits.float(), -1)


def _all_options(state: _Pass, options: Sequence[Sequence[int]]) -> list[list[float]]:
    """The scores of all options of all rows of a pass."""
    tree = OptionTree.of(options)
    return state.read(list(range(len(state.ends))), [tree] * len(state.ends))


def _likeliest_option(state: _Pass, options: Sequence[Sequence[int]]) -> list[int]:
    """The likeliest option of every row of a pass."""
    first_tokens = [option[0] for option in options]
    bounds: list[list[float]] = state.next_scores[:, first_tokens].tolist()  # by row and option
    rows = list(range(len(state.ends)))
    likeliest = [_with_likeliest_first_tokens(of_row, first_tokens) for of_row in bounds]
    scores = state.read(rows, [OptionTree.of([options[i] for i in row]) for row in likeliest])
    best = [row[max(range(len(row)), key=of_row.__getitem__)] for row, of_row in zip(likeliest, scores, strict=True)]
    next_bounds = [
        max((bound for i, bound in enumerate(of_row) if i not in row), default=-math.inf)
        for row, of_row in zip(likeliest, bounds, strict=True)
    ]
    unsure = [row for row in rows if next_bounds[row] >= max(scores[row])]
    if unsure:
        tree = OptionTree.of(options)
        for row, of_row in zip(unsure, state.read(unsure, [tree] * len(unsure)), strict=True):
            best[row] = max(range(len(options)), key=of_row.__getitem__)
    return best


def _with_likeliest_first_tokens(bounds: list[float], first_tokens: list[int]) -> list[int]:
    """Indices of at least FIRST_OPTIONS options, and of all that begin with the same tokens as these."""
    by_bound = sorted(range(len(bounds)), key=lambda i: -bounds[i])
    beginnings = {first_tokens[i] for i in by_bound[:FIRST_OPTIONS]}
    return [i for i, token in enumerate(first_tokens) if token in beginnings]


def _rows_of(cache: DynamicCache, rows: Tensor) -> DynamicCache:
    """A copy of some rows of a cache."""
    copied = DynamicCache()
    for layer, states in enumerate(cache.layers):
        copied.update(states.keys[rows], states.values[rows], layer)
    return copied


def for_model(bundle: ModelBundle, batch_tokens: int) -> SharedPrefixScorer | None:
    """The scorer of a model; None where its kind is not supported."""
    if bundle.kind != "causal" or adapters.uses_virtual_tokens(bundle.model):
        return None
    model = adapters.unwrap_peft(bundle.model)
    return SharedPrefixScorer(model, bundle.tokenizer.pad_token_id, batch_tokens) if is_supported(model) else None
