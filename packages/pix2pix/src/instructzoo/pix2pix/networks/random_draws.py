"""Random draws of the training objective, one generator for each row, and the weights of min-SNR.

    draws = draw_random(rows, (channels, height, width), update_seed())

A row's draws depend only on the update's seed and the row's index, not on the micro-batch or the process.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from instructzoo.core.tune import distributed
from instructzoo.pix2pix.sampling import row_seed

VALIDATION_SEED = 0x5EED
"""Seed of the random draws of every validation."""


@dataclass(frozen=True)
class RandomDraws:
    """The random values of b rows.

    Attributes:
        dropout: Uniform in 0..1, [b]; decides which conditions are dropped.
        time: Uniform in 0..1, [b]; decides the time step.
        latent_noise: Normal, [b, c, h, w]; samples the target from the autoencoder's posterior.
        noise: Normal, [b, c, h, w]; the diffusion noise.
        channel_noise: Normal, [b, c, 1, 1]; the noise offset.
    """

    dropout: Tensor
    time: Tensor
    latent_noise: Tensor
    noise: Tensor
    channel_noise: Tensor


def update_seed() -> int:
    """The seed that the loop sets before an update, without the rank: draws depend on the row alone."""
    return (torch.initial_seed() - (distributed.rank_and_world_size()[0] << 40)) % 2**64


def draw_random(rows: Tensor, shape: Sequence[int], seed: int) -> RandomDraws:
    """The random values of some rows.

    Args:
        rows: Indices of the rows, [b].
        shape: Channels, height and width of the latents.
        seed: Seed of the update.

    Returns:
        The draws; a row's draws depend only on its index and the seed.
    """
    channels, height, width = shape
    uniform, normal = [], []
    size = 2 * channels * height * width + channels
    for row in rows.tolist():
        generator = torch.Generator().manual_seed(row_seed(seed, row))
        uniform.append(torch.rand(2, generator=generator))
        normal.append(torch.randn(size, generator=generator))
    u, n = torch.stack(uniform), torch.stack(normal)
    n_values = channels * height * width
    return RandomDraws(
        u[:, 0], u[:, 1], n[:, :n_values].view(-1, *shape), n[:, n_values : 2 * n_values].view(-1, *shape),
        n[:, 2 * n_values :].view(-1, channels, 1, 1),
    )  # fmt: skip


def min_snr_weights(schedule: Any, time: Tensor, prediction_type: str, gamma: float) -> Tensor:
    """Min-SNR weights of the squared errors (arXiv:2303.09556).

    Args:
        schedule: The model's noise scheduler.
        time: Time steps, [b].
        prediction_type: "epsilon" or "v_prediction".
        gamma: The clipping value.

    Returns:
        Weights [b]: min(snr, gamma) / snr for noise, min(snr, gamma) / (snr + 1) for velocity.
    """
    signal = schedule.alphas_cumprod.to(time.device)[time]
    snr = signal / (1 - signal)
    return snr.clamp(max=gamma) / (snr if prediction_type == "epsilon" else snr + 1)
