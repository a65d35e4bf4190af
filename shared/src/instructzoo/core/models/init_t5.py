"""Initialisation of a T5 from scratch with which a short training with AdamW learns copying and word order.

T5's own initialisation is made for Adafactor, for large models and for weeks of training. Three things in it are too
slow for minutes:

- Embeddings have a standard deviation of 1, and AdamW changes each number by about the learning rate, so relative to
  their size they change twenty times slower than the matrices around them. Here they start small; the scale of the
  first logits stays the same.
- Beside small embeddings the layers' outputs would hide which token stands at a position. Here they start small too.
- Position is a table of biases near 0 that must grow to several units before a head distinguishes positions at all.
  Here the heads start with different patterns: the previous position, the next one, all earlier ones, near ones (the
  last as in ALiBi: Press et al., arXiv:2108.12409).

Every weight is trained from there. The numbers come from short trials on the reviews of absa.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

EMBEDDING_STD = 0.05
"""Standard deviation of embeddings; that of T5's matrices is .02 to .1."""

OUTPUT_SCALE = 0.1
"""Factor on T5's own initial weights in the output matrices of attention and feed-forward layers."""

PREFERRED_LOGIT = 4.0
"""Logits by which a head prefers one position to all others."""

HIDDEN_LOGIT = -6.0
"""Logits of positions that a head should not attend to."""

DISTANCE_SLOPE = 0.4
"""Decrease of the logits per position of distance, in the encoder."""

SMALL_BUCKET_SLOPE, LARGE_BUCKET_SLOPE = 0.1, 0.5
"""Decrease of the logits per bucket of distances, in the decoder."""


@torch.no_grad()
def init_t5(model: Any) -> None:
    """Scale the weights of a new T5ForConditionalGeneration and set its relative attention biases."""
    model.get_input_embeddings().weight.mul_(EMBEDDING_STD)
    model.decoder.final_layer_norm.weight.div_(EMBEDDING_STD)
    for name, weight in model.named_parameters():
        if name.endswith((".o.weight", ".wo.weight")):
            weight.mul_(OUTPUT_SCALE)
    _set_encoder_biases(_relative_biases(model.encoder))
    _set_decoder_biases(_relative_biases(model.decoder))


def _relative_biases(stack: Any) -> Tensor:
    """Return the attention biases by distance, [buckets, heads], which the first layer holds for the whole stack."""
    table: Tensor = stack.block[0].layer[0].SelfAttention.relative_attention_bias.weight
    return table


def _set_encoder_biases(table: Tensor) -> None:
    """Set every fourth head alike: previous position, next position, no later positions, near positions.

    The first half of the buckets is for this position and earlier ones, the second half for later ones.
    """
    half = len(table) // 2
    exact = half // 2  # buckets of one distance each; later ones span ever more distances, up to 128
    buckets = torch.arange(half)
    distance = torch.where(buckets < exact, buckets, exact * (128 / exact) ** ((buckets - exact) / (half - exact)))
    for head in range(table.shape[1]):
        if head % 4 == 0:
            table[1, head] += PREFERRED_LOGIT
        elif head % 4 == 1:
            table[half + 1, head] += PREFERRED_LOGIT
        elif head % 4 == 2:
            table[half:, head] += HIDDEN_LOGIT
        else:
            table[:, head] -= DISTANCE_SLOPE * distance.repeat(2)


def _set_decoder_biases(table: Tensor) -> None:
    """Set every fourth head alike: previous position, near positions, less near positions, all positions."""
    buckets = torch.arange(len(table))
    for head in range(table.shape[1]):
        if head % 4 == 0:
            table[1, head] += PREFERRED_LOGIT
        elif head % 4 == 1:
            table[:, head] -= LARGE_BUCKET_SLOPE * buckets
        elif head % 4 == 2:
            table[:, head] -= SMALL_BUCKET_SLOPE * buckets
