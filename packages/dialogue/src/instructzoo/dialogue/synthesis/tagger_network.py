"""The network of the tagger: bags of token features, a bidirectional LSTM, and two linear readers of its states."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

WORD_DROPOUT = 0.15
"""Share of words that the network sees by shape and pieces alone while it learns, as it will see unknown words."""


class Batch(NamedTuple):
    """Utterances of t tokens at most: features of all tokens in a row, [f]; where each token's begin, [n]; tokens of
    each utterance, [b]."""

    features: Tensor
    starts: Tensor
    lengths: Tensor


def batch_of(utterances: Sequence[Sequence[Sequence[int]]], rng: torch.Generator | None = None) -> Batch:
    """Put utterances into a batch.

    Args:
        utterances: For each utterance, the features of its tokens; each has at least one token.
        rng: Leaves out some words, for training; None leaves out none.

    Returns:
        The batch.
    """
    tokens = [token for utterance in utterances for token in utterance]
    if rng is not None:
        left_out = (torch.rand(len(tokens), generator=rng) < WORD_DROPOUT).tolist()
        tokens = [token[drop:] for token, drop in zip(tokens, left_out, strict=True)]
    sizes = torch.tensor([len(token) for token in tokens])
    features = torch.tensor([feature for token in tokens for feature in token])
    return Batch(features, sizes.cumsum(0) - sizes, torch.tensor([len(utterance) for utterance in utterances]))


class TaggerNetwork(nn.Module):
    """Scores of intents and tags.

    Args:
        buckets: Number of features.
        width: Width of a token's vector.
        hidden: Width of the LSTM's state in each direction.
        intents: Number of intents.
        tags: Number of tags.
        dropout: Share of a vector that is dropped in training.
    """

    def __init__(self, buckets: int, width: int, hidden: int, intents: int, tags: int, dropout: float) -> None:
        super().__init__()
        self.token = nn.EmbeddingBag(buckets, width, mode="mean")
        self.dropout = nn.Dropout(dropout)
        self.lstm = nn.LSTM(width, hidden, batch_first=True, bidirectional=True)
        self.intent = nn.Linear(2 * hidden, intents)
        self.tag = nn.Linear(2 * hidden, tags)

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Score a batch.

        Args:
            batch: b utterances of t tokens at most.

        Returns:
            Scores of the intents, [b, intents], and of the tags, [b, t, tags]; those beyond an utterance's end mean
            nothing.
        """
        vectors = self.dropout(self.token(batch.features, batch.starts))  # [n, width]
        padded = nn.utils.rnn.pad_sequence(vectors.split(batch.lengths.tolist()), batch_first=True)  # [b, t, width]
        packed = pack_padded_sequence(padded, batch.lengths, batch_first=True, enforce_sorted=False)
        states, _ = pad_packed_sequence(self.lstm(packed)[0], batch_first=True)  # [b, t, 2 hidden]
        beyond = torch.arange(states.shape[1]) >= batch.lengths[:, None]  # [b, t]
        summary = states.masked_fill(beyond[..., None], -torch.inf).amax(1)  # [b, 2 hidden]
        return self.intent(self.dropout(summary)), self.tag(self.dropout(states))
