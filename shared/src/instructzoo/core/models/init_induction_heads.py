"""Initialisation of a Llama from scratch with induction heads: `scratch:llama-4x128-copying`.

A model that must quote its prompt spends most of a short training on forming two kinds of attention heads: heads that
attend to the previous token, and induction heads, which find the previous occurrence of the current token and read
what followed it (Olsson et al., arXiv:2209.11895). Here both are set by hand in the first two layers. All other
attention starts with queries equal to keys and with outputs that invert values, as found in trained models (Trockman
and Kolter, arXiv:2305.09828). Every weight is trained from there.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

EMBEDDING_STD = 0.06
"""Standard deviation of embeddings. The direction that all tokens share is as long as the rest of each embedding."""

PREVIOUS_LOGIT = 5.0
"""Logits by which a head prefers the previous position to all others."""

MATCH_SCALE = 3.6
"""Scale of queries and keys that compare tokens."""

MAX_SPEED = 0.0105
"""Radians per position of rotary channels that compare tokens: slow ones still match tokens 100 positions apart."""


@torch.no_grad()
def init_induction_heads(model: Any) -> None:
    """Set the weights of a new Llama of two layers or more; random numbers come from torch's global generator.

    Args:
        model: A LlamaForCausalLM.
    """
    layers, config = model.model.layers, model.config
    width, head_dim = config.hidden_size, config.head_dim
    for index, layer in enumerate(layers):
        _init_layer(layer, output_scale=0.025 if index < 2 else 0.1, num_layers=len(layers))
    basis, rotation = _orthogonal(width), _orthogonal(width)
    shared, content = basis[0], basis[1:]
    embeddings = model.get_input_embeddings().weight  # [v, d]
    embeddings.normal_(0, EMBEDDING_STD)
    embeddings.sub_((embeddings @ shared)[:, None] * shared).add_(shared * EMBEDDING_STD * width**0.5)

    half = head_dim // 2
    speeds = config.rope_parameters["rope_theta"] ** (-torch.arange(half) / half)  # radians per position
    num_previous_token_heads = max(1, config.num_attention_heads // 2)
    directions = content[: num_previous_token_heads * head_dim]
    _set_previous_token_heads(layers[0].self_attn, directions, rotation, shared, speeds)
    _set_induction_heads(layers[1].self_attn, directions, rotation, basis, speeds)


def _init_layer(layer: Any, output_scale: float, num_layers: int) -> None:
    """Set queries equal to keys and outputs to inverted values; what the layer adds is `output_scale` of its input."""
    attention, mlp = layer.self_attn, layer.mlp
    for matrix in (attention.q_proj, attention.v_proj, mlp.gate_proj, mlp.up_proj, mlp.down_proj):
        matrix.weight.normal_(0, matrix.in_features**-0.5)
    attention.k_proj.weight.copy_(attention.q_proj.weight)
    attention.o_proj.weight.copy_(attention.v_proj.weight.T * output_scale)
    mlp.down_proj.weight.mul_(output_scale / num_layers**0.5)


def _set_previous_token_heads(
    attention: Any, directions: Tensor, rotation: Tensor, shared: Tensor, speeds: Tensor
) -> None:
    """Set heads that read the previous token and write it rotated, so that it differs from the current token.

    Queries and keys depend on the shared direction alone, so attention depends on the distance alone: the fast rotary
    channels are set to agree at a distance of one position.

    Args:
        attention: Attention of the first layer.
        directions: What the heads read of the previous token, [heads * head_dim, d].
        rotation: Orthogonal matrix that turns what they write, [d, d].
        shared: The direction that all embeddings share, [d].
        speeds: Radians per position of the rotary channels, [head_dim / 2].
    """
    head_dim = 2 * len(speeds)
    weights = torch.zeros(len(speeds))
    weights[:4] = torch.tensor([1.0, 1.0, 0.7, 0.5])
    query = torch.cat([weights, torch.zeros(len(speeds))])
    key = torch.cat([weights * speeds.cos(), weights * speeds.sin()])
    # The shared direction is half of a normalised embedding's square, so the layer reads it as sqrt(d / 2).
    scale = 1.6 * (PREVIOUS_LOGIT * head_dim**0.5 / weights.square().sum()) ** 0.5 / (len(shared) / 2) ** 0.5
    for start in range(0, len(directions), head_dim):
        head, head_directions = slice(start, start + head_dim), directions[start : start + head_dim]
        used = slice(start, start + len(head_directions))  # the last head may have fewer directions than channels
        attention.q_proj.weight[head] = scale * query[:, None] * shared
        attention.k_proj.weight[head] = scale * key[:, None] * shared
        attention.v_proj.weight[head] = 0
        attention.o_proj.weight[:, head] = 0
        attention.v_proj.weight[used] = head_directions
        attention.o_proj.weight[:, used] = (head_directions @ rotation).T * EMBEDDING_STD * 2**0.5


def _set_induction_heads(attention: Any, directions: Tensor, rotation: Tensor, basis: Tensor, speeds: Tensor) -> None:
    """Set heads that find positions whose previous token is the current token, and add the embedding found there.

    Args:
        attention: Attention of the second layer.
        directions: What the heads of the first layer read, [heads * head_dim, d].
        rotation: As they have turned it, [d, d].
        basis: Orthogonal basis of the embeddings, [d, d].
        speeds: Radians per position of the rotary channels, [head_dim / 2].
    """
    half = len(speeds)
    slow = [i for i in range(half) if speeds[i] <= MAX_SPEED]
    channels = [*slow, *(half + i for i in slow)]  # rotary embeddings turn channel i with channel i + half
    attention.q_proj.weight.mul_(0.3)
    attention.k_proj.weight.mul_(0.3)
    for head, start in enumerate(range(0, attention.q_proj.out_features, 2 * half)):
        for i, channel in enumerate(channels):
            direction = directions[(head * len(channels) + i) % len(directions)]
            attention.q_proj.weight[start + channel] = MATCH_SCALE * direction
            attention.k_proj.weight[start + channel] = MATCH_SCALE * (direction @ rotation)
    attention.v_proj.weight.copy_(basis)
    attention.o_proj.weight.copy_(basis.T * EMBEDDING_STD)


def _orthogonal(width: int) -> Tensor:
    """Return a random orthogonal matrix."""
    return torch.linalg.qr(torch.randn(width, width))[0]
