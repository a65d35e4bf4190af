"""A Llama from scratch that copies from the first step on: `scratch:llama-4x128-copying`.

A model that must quote its prompt spends most of a short training on finding two things: heads that look one place
back, and heads that look for the last time the current token stood there and read what came next (induction heads:
Olsson et al., arXiv:2209.11895). Here the first two layers begin with both, made by hand; all other attention begins
with queries equal to keys and outputs that undo values, as it ends up in trained models (Trockman and Kolter,
arXiv:2305.09828). Only a start: every weight is free to leave it.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

SPREAD = 0.06
"""Standard deviation of embeddings. A direction that all tokens share is as long as the rest of each."""

SHARP = 5.0
"""Logits by which a head prefers the place before to the rest."""

MATCH = 3.6
"""Scale of queries and keys that compare tokens."""

FAR = 0.0105
"""Radians per place. Channels that turn slower still match tokens a hundred places apart."""


@torch.no_grad()
def init_induction_heads(model: Any) -> None:
    """Set the weights of a fresh Llama of two layers or more. Random numbers come from torch's own generator."""
    layers, config = model.model.layers, model.config
    width, head = config.hidden_size, config.head_dim
    for number, layer in enumerate(layers):
        _mimic(layer, own=0.025 if number < 2 else 0.1, of=len(layers))
    basis, turned = _orthogonal(width), _orthogonal(width)
    shared, content = basis[0], basis[1:]
    table = model.get_input_embeddings().weight  # [v, d]
    table.normal_(0, SPREAD)
    table.sub_((table @ shared)[:, None] * shared).add_(shared * SPREAD * width**0.5)

    speeds = config.rope_parameters["rope_theta"] ** (-torch.arange(head // 2) / (head // 2))  # radians per place
    back = max(1, config.num_attention_heads // 2)
    carried = content[: back * head]
    _look_back(layers[0].self_attn, carried, turned, shared, speeds)
    _look_up(layers[1].self_attn, carried, turned, basis, speeds)


def _mimic(layer: Any, own: float, of: int) -> None:
    """Queries are keys, outputs undo values; what the layer adds is small beside what it reads. own: how small."""
    attention, mlp = layer.self_attn, layer.mlp
    for matrix in (attention.q_proj, attention.v_proj, mlp.gate_proj, mlp.up_proj, mlp.down_proj):
        matrix.weight.normal_(0, matrix.in_features**-0.5)
    attention.k_proj.weight.copy_(attention.q_proj.weight)
    attention.o_proj.weight.copy_(attention.v_proj.weight.T * own)
    mlp.down_proj.weight.mul_(own / of**0.5)


def _look_back(attention: Any, carried: Tensor, turned: Tensor, shared: Tensor, speeds: Tensor) -> None:
    """Heads that read the token one place back, and write it turned, so that it is not taken for the token here.

    carried: the directions that they read, [heads * channels, d]. Queries and keys hang on the shared direction alone,
    so on nothing but the distance: the fast channels of the rotation are set to agree one place apart.
    """
    head = 2 * len(speeds)
    weights = torch.zeros(len(speeds))
    weights[:4] = torch.tensor([1.0, 1.0, 0.7, 0.5])
    query = torch.cat([weights, torch.zeros(len(speeds))])
    key = torch.cat([weights * speeds.cos(), weights * speeds.sin()])
    # the shared direction is half of a normalised embedding's square, so it reads as sqrt(d / 2)
    scale = 1.6 * (SHARP * head**0.5 / weights.square().sum()) ** 0.5 / (len(shared) / 2) ** 0.5
    for first in range(0, len(carried), head):
        own, part = slice(first, first + head), carried[first : first + head]
        attention.q_proj.weight[own] = scale * query[:, None] * shared
        attention.k_proj.weight[own] = scale * key[:, None] * shared
        attention.v_proj.weight[own] = 0
        attention.o_proj.weight[:, own] = 0
        attention.v_proj.weight[first : first + len(part)] = part
        attention.o_proj.weight[:, first : first + len(part)] = (part @ turned).T * SPREAD * 2**0.5


def _look_up(attention: Any, carried: Tensor, turned: Tensor, basis: Tensor, speeds: Tensor) -> None:
    """Heads that find the places whose token before is the token here, and add the embedding that stands there."""
    half = len(speeds)
    slow = [place for place in range(half) if speeds[place] <= FAR]
    channels = [*slow, *(half + place for place in slow)]
    attention.q_proj.weight.mul_(0.3)
    attention.k_proj.weight.mul_(0.3)
    for number, first in enumerate(range(0, attention.q_proj.out_features, 2 * half)):
        for place, channel in enumerate(channels):
            direction = carried[(number * len(channels) + place) % len(carried)]
            attention.q_proj.weight[first + channel] = MATCH * direction
            attention.k_proj.weight[first + channel] = MATCH * (direction @ turned)
    attention.v_proj.weight.copy_(basis)
    attention.o_proj.weight.copy_(basis.T * SPREAD)


def _orthogonal(width: int) -> Tensor:
    return torch.linalg.qr(torch.randn(width, width))[0]
