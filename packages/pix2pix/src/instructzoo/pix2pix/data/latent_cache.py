"""Training examples: instructions as token ids, pictures as cached moments of the autoencoder or as pixels.

With a cache every picture is encoded once before training starts. Without one it is read, cropped and mirrored again
each time it is used. Both pictures of a pair always get the same crop and the same mirroring.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from instructzoo.core.record import Row
from instructzoo.pix2pix import images
from instructzoo.pix2pix.data import image_transforms
from instructzoo.pix2pix.data.readers.base import inspect_picture
from instructzoo.pix2pix.images import Pixels
from instructzoo.pix2pix.networks.editor import Editor, tokenize
from instructzoo.pix2pix.networks.patch_autoencoder import to_tensor

BATCH_SIZE = 64
"""Pictures that the autoencoder encodes together."""

Pair = tuple[str, str]
"""References of the pictures before and after."""

Encoder = Callable[[Tensor], Tensor]
"""Pixels [n, 3, h, w] in -1..1 to moments [n, 2c, h / patch, w / patch]."""


@dataclass(frozen=True, eq=False)
class TrainingExample:
    """One training row.

    Attributes:
        index: The row's index in its split; it seeds the row's random draws.
        token_ids: The instruction, [t].
        n_latents: Spatial positions of the latents, the row's cost in a micro-batch.
        load_pair: Maps a seed to the pictures before and after, as moments [2c, h, w] or pixels [3, h, w].
    """

    index: int
    token_ids: Tensor
    n_latents: int
    load_pair: Callable[[int], tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class FrameSettings:
    """How pictures are cropped and mirrored.

    Attributes:
        resolution: Pixels of a square picture's side; other shapes get about the same area.
        multiple: Both sides are multiples of this, in pixels.
        flip: Probability that a pair is mirrored, as in objective.Settings.
        zoom: Largest random enlargement before the crop, as in objective.Settings.
        variants: Whether to sample among all pairs of a prompt; otherwise the first pair is used.
    """

    resolution: int
    multiple: int
    flip: float
    zoom: float
    variants: bool = True


def build_examples(
    rows: Iterable[Row], model: Editor, tokenizer: Any, max_tokens: int, frame: FrameSettings, encode: Encoder | None
) -> list[TrainingExample]:
    """Turn rows into training examples.

    Args:
        rows: Rows of one split.
        model: The editor; its patch size gives the number of latents.
        tokenizer: The model's tokenizer.
        max_tokens: Token ids of every instruction, padding included.
        frame: Crop and mirroring.
        encode: Fills the cache with moments; None reads pixels whenever an example is used.

    Returns:
        One example per row, in order.

    Raises:
        ZooError: A picture cannot be read or an instruction is too long; the message names the row.
    """
    rows = list(rows)
    token_ids = tokenize(
        tokenizer, [row["instruction"] for row in rows], max_tokens, [f"row {row['id']}" for row in rows]
    )  # [n, t]
    pairs_by_row = [_pairs(row) if frame.variants else _pairs(row)[:1] for row in rows]
    flippable = [
        frame.flip > 0 and image_transforms.is_flippable(row["instruction"], row["input"], row["output"])
        for row in rows
    ]
    pictures = _PairStore(frame, encode)
    if encode is not None:
        pictures.encode_all(
            [
                (row["id"], pair, may_flip)
                for row, pairs, may_flip in zip(rows, pairs_by_row, flippable, strict=True)
                for pair in pairs
            ]
        )
    examples = []
    for index, (row, pairs) in enumerate(zip(rows, pairs_by_row, strict=True)):
        height, width = pictures.frame_size(pairs[0], row["id"])
        n_latents = max(1, (height // model.patch) * (width // model.patch))
        load_pair = pictures.pair_loader(pairs, flippable[index], row["id"])
        examples.append(TrainingExample(index, token_ids[index], n_latents, load_pair))
    return examples


class _PairStore:
    """Pairs of pictures by reference: their moments in memory, or read from their files on every use.

    A picture of 256x256 pixels takes 32 KB as moments of Stable Diffusion's latents.
    """

    def __init__(self, frame: FrameSettings, encode: Encoder | None) -> None:
        self.frame, self.encode = frame, encode
        self._moments: dict[tuple[Pair, bool], tuple[Tensor, Tensor]] = {}  # by pair and whether it is mirrored
        self._sizes: dict[Pair, tuple[int, int]] = {}

    def frame_size(self, pair: Pair, row_id: str) -> tuple[int, int]:
        """Height and width of the pair after the crop, in pixels."""
        if pair not in self._sizes:
            info = inspect_picture(pair[0], row_id, decode=False)  # it is decoded when it is used
            self._sizes[pair] = image_transforms.nearest_bucket(
                info.height, info.width, self.frame.resolution, self.frame.multiple
            )
        return self._sizes[pair]

    def encode_all(self, pairs: Sequence[tuple[str, Pair, bool]]) -> None:
        """Encode all pairs, given as (row id, pair, whether it may be mirrored); identical pictures only once."""
        pending: dict[tuple[int, int], dict[bytes, Pixels]] = {}  # by size, then by digest
        digests: dict[tuple[Pair, bool], tuple[bytes, bytes]] = {}
        encoded: dict[bytes, Tensor] = {}
        for row_id, pair, may_flip in pairs:
            size = self.frame_size(pair, row_id)
            batch = pending.setdefault(size, {})
            for mirrored in (False, True) if may_flip else (False,):
                if (pair, mirrored) in digests:
                    continue
                both = self._read(pair, row_id, (0.5, 0.5), size, mirrored)
                keys = _digest(both[0]), _digest(both[1])
                digests[pair, mirrored] = keys
                batch |= {key: pixels for key, pixels in zip(keys, both, strict=True) if key not in encoded}
            if len(batch) >= BATCH_SIZE:
                encoded |= self._encode_batch(pending.pop(size))
        for batch in pending.values():
            encoded |= self._encode_batch(batch)
        self._moments = {key: (encoded[before], encoded[after]) for key, (before, after) in digests.items()}

    def _encode_batch(self, batch: dict[bytes, Pixels]) -> dict[bytes, Tensor]:
        if not batch or self.encode is None:
            return {}
        return dict(zip(batch, self.encode(to_tensor(batch.values())).cpu(), strict=True))

    def pair_loader(
        self, pairs: Sequence[Pair], flippable: bool, row_id: str
    ) -> Callable[[int], tuple[Tensor, Tensor]]:
        """The function that picks one of a row's pairs by a seed, and its mirroring and crop."""

        def load_pair(seed: int) -> tuple[Tensor, Tensor]:
            rng = np.random.default_rng(seed)
            pair = pairs[int(rng.integers(len(pairs)))]
            mirrored = bool(rng.random() < self.frame.flip) and flippable
            if self.encode is not None:
                return self._moments[pair, mirrored]
            zoom = float(rng.uniform(1, self.frame.zoom))
            offset = (float(rng.random()), float(rng.random())) if self.frame.zoom > 1 else (0.5, 0.5)
            before, after = to_tensor(self._read(pair, row_id, offset, self.frame_size(pair, row_id), mirrored, zoom))
            return before, after

        return load_pair

    def _read(
        self,
        pair: Pair,
        row_id: str,
        offset: tuple[float, float],
        size: tuple[int, int],
        mirrored: bool,
        zoom: float = 1,
    ) -> tuple[Pixels, Pixels]:
        before, after = (images.read(reference, row_id) for reference in pair)
        both = image_transforms.resize_and_crop(before, after, size, offset, zoom)
        return image_transforms.flip_pair(*both) if mirrored else both


def _pairs(row: Row) -> list[Pair]:
    """The row's own pair, then the pairs of the same prompt that were made with other seeds."""
    variants = json.loads(row["variants"]) if row.get("variants") else []
    return [(row["image"], row["edited"]), *((before, after) for before, after in variants)]


def _digest(pixels: Pixels) -> bytes:
    return hashlib.blake2b(pixels.tobytes() + str(pixels.shape).encode(), digest_size=16).digest()


def latent_encoder(model: Editor) -> Encoder:
    """The function from pixels to moments on the model's own device."""
    device = next(model.vae.parameters()).device
    return lambda pixels: encode_moments(model, pixels.to(device))


@torch.no_grad()
def encode_moments(model: Editor, pixels: Tensor) -> Tensor:
    """Encode pictures with the model's autoencoder.

    Args:
        model: The editor.
        pixels: [b, 3, h, w] in -1..1.

    Returns:
        Mean and standard deviation of the unscaled latents, [b, 2c, h / patch, w / patch] in float32.
    """
    # Without autocast, so that a cache and the pictures of an answer are encoded in the same way.
    with torch.autocast(pixels.device.type, enabled=False):
        posterior = model.vae.encode(pixels.to(model.vae.dtype)).latent_dist
    return torch.cat([posterior.mode(), posterior.std], 1).float()
