"""Rows made ready for training: instructions as ids, pictures as the autoencoder's moments or, uncached, as files.

Where pictures are cached, every one is encoded once before the training; where not, it is read, cropped and mirrored
anew each time, both pictures of a pair alike.
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
from instructzoo.pix2pix.data.readers.base import look
from instructzoo.pix2pix.images import Pixels
from instructzoo.pix2pix.networks.editor import Editor, tokens
from instructzoo.pix2pix.networks.patch_autoencoder import to_tensor

BATCH = 64
"""Pictures that the autoencoder encodes together."""

Pair = tuple[str, str]


@dataclass(frozen=True, eq=False)
class TrainingExample:
    """A row of training. number: its place in its part; ids [t]; pair: picture before and after, by a seed."""

    number: int
    ids: Tensor
    cost: int
    pair: Callable[[int], tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Framed:
    """How a recipe's pictures are cut: resolution in pixels, multiple of the sides, shares as in objective.Settings.

    variants: whether all pairs of a prompt are taken, one at a time; else the first.
    """

    resolution: int
    multiple: int
    flip: float
    zoom: float
    variants: bool = True


def prepare(
    rows: Iterable[Row], model: Editor, tokenizer: Any, length: int, frame: Framed, encode: Any | None
) -> list[TrainingExample]:
    """Training rows. encode: pixels [n, 3, h, w] to moments, for a cache; none: pixels are read when they are needed.

    A row's cost is the number of its latents' places. Raises ZooError naming the row whose picture cannot be read.
    """
    rows = list(rows)
    ids = tokens(
        tokenizer, [row["instruction"] for row in rows], length, [f"row {row['id']}" for row in rows]
    )  # [n, t]
    pairs = [_pairs(row) if frame.variants else _pairs(row)[:1] for row in rows]
    mirrored = [
        frame.flip > 0 and image_transforms.flippable(row["instruction"], row["input"], row["output"]) for row in rows
    ]
    shelf = _Shelf(frame, encode)
    if encode is not None:
        shelf.fill(
            [(row["id"], pair, flip) for row, own, flip in zip(rows, pairs, mirrored, strict=True) for pair in own]
        )
    found = []
    for number, (row, own) in enumerate(zip(rows, pairs, strict=True)):
        size = shelf.size(own[0], row["id"])
        cost = (size[0] // model.patch) * (size[1] // model.patch)
        found.append(TrainingExample(number, ids[number], max(1, cost), shelf.taker(own, mirrored[number], row["id"])))
    return found


class _Shelf:
    """Pictures by reference: encoded ones in memory, or the way to read them.

    A picture of 256x256 takes 32 KB as moments of Stable Diffusion's latents.
    """

    def __init__(self, frame: Framed, encode: Any | None) -> None:
        self.frame, self.encode = frame, encode
        self.kept: dict[tuple[Pair, bool], tuple[Tensor, Tensor]] = {}
        self.sizes: dict[Pair, tuple[int, int]] = {}

    def size(self, pair: Pair, where: str) -> tuple[int, int]:
        """Height and width in pixels after the crop."""
        if pair not in self.sizes:
            seen = look(pair[0], where)
            self.sizes[pair] = image_transforms.nearest(
                seen.height, seen.width, self.frame.resolution, self.frame.multiple
            )
        return self.sizes[pair]

    def fill(self, wanted: Sequence[tuple[str, Pair, bool]]) -> None:
        """Encode all pairs, mirrored ones too where a row may be mirrored; equal pictures once."""
        waiting: dict[tuple[int, int], dict[bytes, Pixels]] = {}
        places: dict[tuple[Pair, bool], tuple[bytes, bytes]] = {}
        done: dict[bytes, Tensor] = {}
        for where, pair, flip in wanted:
            size = self.size(pair, where)
            block = waiting.setdefault(size, {})
            for mirror in (False, True) if flip else (False,):
                if (pair, mirror) in places:
                    continue
                both = self._read(pair, where, (0.5, 0.5), size, mirror)
                keys = _key(both[0]), _key(both[1])
                places[pair, mirror] = keys
                block |= {key: pixels for key, pixels in zip(keys, both, strict=True) if key not in done}
            if len(block) >= BATCH:
                done |= self._encoded(waiting.pop(size))
        for block in waiting.values():
            done |= self._encoded(block)
        self.kept = {place: (done[a], done[b]) for place, (a, b) in places.items()}

    def _encoded(self, block: dict[bytes, Pixels]) -> dict[bytes, Tensor]:
        if not block or self.encode is None:
            return {}
        return dict(zip(block, self.encode(to_tensor(block.values())).cpu(), strict=True))

    def taker(self, pairs: Sequence[Pair], flippable: bool, where: str) -> Callable[[int], tuple[Tensor, Tensor]]:
        """The function that gives a row's pictures by a seed: one pair of its prompt, mirrored and cropped or not."""

        def take(seed: int) -> tuple[Tensor, Tensor]:
            rng = np.random.default_rng(seed)
            pair = pairs[int(rng.integers(len(pairs)))]
            mirror = bool(rng.random() < self.frame.flip) and flippable
            if self.encode is not None:
                return self.kept[pair, mirror]
            zoom = float(rng.uniform(1, self.frame.zoom))
            offset = (float(rng.random()), float(rng.random())) if self.frame.zoom > 1 else (0.5, 0.5)
            both = self._read(pair, where, offset, self.size(pair, where), mirror, zoom)
            before, after = to_tensor(both)
            return before, after

        return take

    def _read(
        self, pair: Pair, where: str, offset: tuple[float, float], size: tuple[int, int], mirror: bool, zoom: float = 1
    ) -> tuple[Pixels, Pixels]:
        both = image_transforms.fit(images.read(pair[0], where), images.read(pair[1], where), size, offset, zoom)
        return image_transforms.flip(*both) if mirror else both


def _pairs(row: Row) -> list[Pair]:
    """The pairs of pictures of a row: its own, and those of the same prompt with other seeds."""
    others = json.loads(row["variants"]) if row.get("variants") else []
    return [(row["image"], row["edited"]), *((before, after) for before, after in others)]


def _key(pixels: Pixels) -> bytes:
    return hashlib.blake2b(pixels.tobytes() + str(pixels.shape).encode(), digest_size=16).digest()


def encoder(model: Editor) -> Callable[[Tensor], Tensor]:
    """The model's own way from pixels to moments, on its device."""
    device = next(model.vae.parameters()).device
    return lambda pixels: moments(model, pixels.to(device))


@torch.no_grad()
def moments(model: Editor, pixels: Tensor) -> Tensor:
    """Mean and standard deviation of unscaled latents [b, 2c, h, w], of pixels [b, 3, h, w] in -1..1."""
    with torch.autocast(pixels.device.type, enabled=False):  # as a cache and an answer encode
        found = model.vae.encode(pixels.to(model.vae.dtype)).latent_dist
    return torch.cat([found.mode(), found.std], 1).float()
