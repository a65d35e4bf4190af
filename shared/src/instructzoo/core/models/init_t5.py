"""Where the weights of a T5 from scratch begin, so that a short training with AdamW finds copying and order.

T5's own start is made for Adafactor, for large models and for weeks. Three things in it are too slow for minutes:

- Embeddings are drawn with a spread of 1, and AdamW moves each number by about the learning rate, so they change twenty
  times slower, by their size, than the matrices around them. They begin narrow; the first logits stay as wide.
- Beside narrow embeddings the layers' outputs would drown which token a place holds. They begin small.
- Position is a table of biases near 0 that must grow to several units before a head sees order at all. The heads begin
  with different views instead: the place before, the place after, all that lies before, what is near (the last after
  ALiBi: Press et al., arXiv:2108.12409).

Only a start: every weight is free to leave it. The numbers come from short trials on the reviews of absa.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

EMBEDDING_SPREAD = 0.05
"""Standard deviation of embeddings; that of T5's matrices is .02 to .1."""

OUTPUT_SHARE = 0.1
"""What is kept of T5's own spread in the matrices that end its attention and feed-forward layers."""

SHARP = 4.0
"""Logits by which a head prefers its place to the rest."""

HIDDEN = -6.0
"""Logits of places that a head shall not see."""

FADING = 0.4
"""Logits that a place loses per place of distance, for heads that look around."""

SLOW, FAST = 0.1, 0.5
"""The same per bucket, for heads that look back over what was written."""


@torch.no_grad()
def init_t5(model: Any) -> None:
    """Set the weights of a fresh T5ForConditionalGeneration."""
    model.get_input_embeddings().weight.mul_(EMBEDDING_SPREAD)
    model.decoder.final_layer_norm.weight.div_(EMBEDDING_SPREAD)
    for name, weight in model.named_parameters():
        if name.endswith((".o.weight", ".wo.weight")):
            weight.mul_(OUTPUT_SHARE)
    _look_around(_biases(model.encoder))
    _look_back(_biases(model.decoder))


def _biases(stack: Any) -> Tensor:
    """The table of a stack's biases by distance, [buckets, heads]; its first layer holds it for all."""
    table: Tensor = stack.block[0].layer[0].SelfAttention.relative_attention_bias.weight
    return table


def _look_around(table: Tensor) -> None:
    """Four views in turn. The first half of the buckets is this place and those before, the second those after."""
    half = len(table) // 2
    exact = half // 2  # from there on, buckets hold ever more distances, up to 128
    places = torch.arange(half)
    distance = torch.where(places < exact, places, exact * (128 / exact) ** ((places - exact) / (half - exact)))
    for head in range(table.shape[1]):
        if head % 4 == 0:
            table[1, head] += SHARP
        elif head % 4 == 1:
            table[half + 1, head] += SHARP
        elif head % 4 == 2:
            table[half:, head] += HIDDEN
        else:
            table[:, head] -= FADING * distance.repeat(2)


def _look_back(table: Tensor) -> None:
    """Four views in turn: the token before, what is near, what is less near, all."""
    buckets = torch.arange(len(table))
    for head in range(table.shape[1]):
        if head % 4 == 0:
            table[1, head] += SHARP
        elif head % 4 == 1:
            table[:, head] -= FAST * buckets
        elif head % 4 == 2:
            table[:, head] -= SLOW * buckets
