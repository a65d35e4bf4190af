"""The autoencoder of scratch backbones: every patch of a picture for itself, by two small perceptrons.

A picture of 32x32 becomes a grid of 4x4 patches of 8x8 pixels, each a vector of a few channels with a little noise on
it (a variational autoencoder, arXiv:1312.6114). It stands where Stable Diffusion has its AutoencoderKL and is called
in the same way, so that diffusers' own pipelines run with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn
from torch.nn.functional import pixel_shuffle, pixel_unshuffle

from instructzoo.pix2pix.images import Pixels

PENALTY = 2e-4
"""Weight of the Kullback-Leibler term per latent number, beside the squared error per pixel value."""

BATCH = 512
"""Patches of one update."""

SPREAD = 2.0
"""Standard deviation that latents are scaled to. The picture to be edited is shown to the UNet unscaled, and a
condition twice as large as the noised latents was seen to be followed better."""


class PatchAutoencoder(ModelMixin, ConfigMixin):
    """Pictures [b, 3, h, w] in -1..1 to latents [b, latent_channels, h/patch, w/patch] and back.

    block_out_channels is only counted: the pipelines find the patch as 2 ** (its length - 1).
    """

    config_name = "config.json"

    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(
        self,
        patch: int = 8,
        latent_channels: int = 12,
        width: int = 128,
        scaling_factor: float = 1 / SPREAD,
        block_out_channels: tuple[int, ...] = (128, 128, 128, 128),
    ) -> None:
        super().__init__()
        pixels = 3 * patch * patch
        self.patch = patch
        self.encoder = nn.Sequential(nn.Conv2d(pixels, width, 1), nn.SiLU(), nn.Conv2d(width, 2 * latent_channels, 1))
        self.decoder = nn.Sequential(
            nn.Conv2d(latent_channels, width, 1), nn.SiLU(), nn.Conv2d(width, width, 1), nn.SiLU(),
            nn.Conv2d(width, pixels, 1),
        )  # fmt: skip
        self.register_buffer("spread", torch.ones(()))

    def encode(self, pixels: Tensor, return_dict: bool = True) -> Any:
        """The distribution of latents, as `AutoencoderKL.encode` gives it."""
        found = Gaussian(self.encoder(pixel_unshuffle(pixels, self.patch)), self.spread)
        return SimpleNamespace(latent_dist=found) if return_dict else (found,)

    def decode(self, latents: Tensor, return_dict: bool = True, generator: Any = None) -> Any:
        """Pictures of unscaled latents; a pipeline passes a generator, and nothing is drawn."""
        pixels = pixel_shuffle(self.decoder(latents / self.spread), self.patch)
        return SimpleNamespace(sample=pixels) if return_dict else (pixels,)


class Gaussian:
    """Independent normal distributions. parameters: means and log variances, [b, 2c, h, w]."""

    def __init__(self, parameters: Tensor, spread: Tensor) -> None:
        mean, logvar = parameters.chunk(2, dim=1)
        self.logvar = logvar.clamp(-20, 10)
        self.mean, self.std = mean * spread, (self.logvar / 2).exp() * spread

    def mode(self) -> Tensor:
        return self.mean

    def sample(self, generator: torch.Generator | None = None) -> Tensor:
        return self.mean + self.std * torch.randn(self.mean.shape, generator=generator).to(self.mean)


def make(patch: int, channels: int) -> PatchAutoencoder:
    """An untrained autoencoder. patch: a power of two."""
    return PatchAutoencoder(patch, channels, block_out_channels=(128,) * patch.bit_length())


def fit(model: PatchAutoencoder, pictures: Iterable[Pixels], steps: int, seed: int) -> dict[str, float]:
    """Train on the distinct patches of some pictures; rare ones count as much as common ones.

    Returns {"patches", "error": mean absolute error of a pixel value in 0..1, at the mode}. Deterministic by seed.
    """
    patches = distinct(pictures, model.patch)  # [n, 3, p, p]
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps)
    draw = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        chosen = patches[torch.randperm(len(patches), generator=draw)[:BATCH]]
        batch = torch.cat(list(chosen), -1)[None]  # [1, 3, p, n * p]: one long picture is one product of matrices
        found = model.encode(batch).latent_dist
        error = (model.decode(found.sample(draw)).sample - batch).square().sum()
        divergence = 0.5 * (found.mean.square() + found.logvar.exp() - 1 - found.logvar).sum()
        optimizer.zero_grad()
        ((error + PENALTY * chosen[0].numel() * divergence) / len(chosen)).backward()
        optimizer.step()
        schedule.step()
    with torch.no_grad():
        model.spread.fill_(SPREAD / float(model.encode(patches).latent_dist.mean.std()))
        back = model.decode(model.encode(patches).latent_dist.mode()).sample
    return {"patches": len(patches), "error": float((back - patches).abs().mean() / 2)}


def distinct(pictures: Iterable[Pixels], patch: int) -> Tensor:
    """The distinct patches of all pictures, [n, 3, patch, patch] in -1..1; edges that fill no patch are left out."""
    held: dict[bytes, Pixels] = {}
    for pixels in pictures:
        height, width = (side - side % patch for side in pixels.shape[:2])
        grid = pixels[:height, :width].reshape(height // patch, patch, width // patch, patch, 3).swapaxes(1, 2)
        for piece in grid.reshape(-1, patch, patch, 3):
            held.setdefault(piece.tobytes(), piece)
    return to_tensor(list(held.values()))


def to_tensor(pictures: Iterable[Pixels]) -> Tensor:
    """Pictures of one size as [n, 3, h, w] in -1..1."""
    return torch.from_numpy(np.stack(list(pictures))).permute(0, 3, 1, 2).float() / 127.5 - 1


def to_pixels(pictures: Tensor) -> list[Pixels]:
    """Pictures [n, 3, h, w] in -1..1 as uint8 [h, w, 3]; rounded as diffusers' pipelines round."""
    values = (pictures.float().cpu() / 2 + 0.5).clamp(0, 1).permute(0, 2, 3, 1).numpy()
    return list((values * 255).round().astype(np.uint8))
