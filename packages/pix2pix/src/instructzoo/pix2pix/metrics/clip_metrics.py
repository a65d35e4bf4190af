"""Edits judged without a true picture, by CLIP as in the paper (arXiv:2211.09800).

    image similarity         cosine of the pictures before and after: how much was kept
    directional similarity   cosine of the change of pictures and the change of captions, all of them embedded: how far
                             the picture changed as its caption did

The two trade off against each other as image guidance s_I varies. trade_off.py draws one against the
other; of two models the one with the higher curve is better.

The paper's published code hands pictures in [-1, 1] to a function that takes [0, 1], so that its own evaluation
normalises every picture wrongly. Here pictures are bytes, and there is one way in.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from instructzoo.core.errors import ZooError
from instructzoo.pix2pix.images import Pixels

if TYPE_CHECKING:
    import torch

Floats = npt.NDArray[np.float32]

MIN_IMAGE, MIN_CAPTION, MIN_DIRECTION = 0.7, 0.2, 0.2
"""Least similarities of a pair that the paper's filter keeps: of its pictures, of each picture with its caption, and
directional; measured with CLIP ViT-L/14 (defaults of timothybrooks/instruct-pix2pix)."""

MEAN = (0.48145466, 0.4578275, 0.40821073)
SPREAD = (0.26862954, 0.26130258, 0.27577711)
"""Per channel, of pixels in 0..1: CLIP's own normalisation, used where a folder does not give another."""

ALIKE = 1e-3
"""Two embeddings of length 1 nearer than this are one: the direction between them is rounding."""

BATCH = 32


@dataclass(frozen=True)
class Clip:
    """A CLIP model of two towers. mean, spread: per channel, of pixels in 0..1.

    clip = Clip.load(folder)
    clip.images([before, after]) @ clip.texts(["a red circle"]).T       # cosines, [2, 1]
    """

    model: Any
    tokenizer: Any
    mean: tuple[float, ...] = MEAN
    spread: tuple[float, ...] = SPREAD

    @classmethod
    def load(cls, folder: str | Path) -> Clip:
        """A model and its tokenizer from a folder as transformers saves them; no network.

        Raises ZooError where it holds no CLIP model with weights in safetensors.
        """
        from transformers import CLIPModel, CLIPTokenizer

        place = Path(folder).expanduser()
        missing = [name for name in ("config.json", "model.safetensors") if not (place / name).is_file()]
        if missing:
            found, fix = f"no {' and no '.join(missing)}", "save a CLIPModel and a CLIPTokenizer there"
            raise ZooError(found, "a folder with a CLIP model", fix, str(place))
        kind = json.loads((place / "config.json").read_text(encoding="utf-8")).get("model_type")
        if kind != "clip":
            raise ZooError(f'a model of type "{kind}"', "clip", "name another folder", str(place))
        model = CLIPModel.from_pretrained(place, local_files_only=True, use_safetensors=True).eval()
        tokenizer = CLIPTokenizer.from_pretrained(place, local_files_only=True)
        return cls(model, tokenizer, *_normalisation(place / "preprocessor_config.json"))

    def images(self, pictures: Sequence[Pixels]) -> Floats:
        """Embeddings of pictures, uint8 [h, w, 3] of any sizes: [n, d], each of length 1."""
        import torch

        for picture in pictures:
            if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
                found = f"a picture of type {picture.dtype} and shape {picture.shape}"
                raise ZooError(found, "uint8 [height, width, 3], in 0..255", "images.read gives these")
        size = self.model.config.vision_config.image_size
        made = []
        with torch.inference_mode():
            for start in range(0, len(pictures), BATCH):
                batch = np.stack(
                    [prepared(one, size, self.mean, self.spread) for one in pictures[start : start + BATCH]]
                )
                inputs = torch.from_numpy(batch).to(self.model.device, self.model.dtype)
                hidden = self.model.vision_model(pixel_values=inputs).pooler_output
                made.append(_unit(self.model.visual_projection(hidden)))
        return self._joined(made)

    def texts(self, texts: Sequence[str]) -> Floats:
        """Embeddings of texts, cut at the model's length as in CLIP: [n, d], each of length 1."""
        import torch

        longest = self.model.config.text_config.max_position_embeddings
        made = []
        with torch.inference_mode():
            for start in range(0, len(texts), BATCH):
                inputs = self.tokenizer(
                    list(texts[start : start + BATCH]),
                    padding=True,
                    truncation=True,
                    max_length=longest,
                    return_tensors="pt",
                ).to(self.model.device)
                hidden = self.model.text_model(inputs["input_ids"], inputs["attention_mask"]).pooler_output
                made.append(_unit(self.model.text_projection(hidden)))
        return self._joined(made)

    def _joined(self, made: list[Floats]) -> Floats:
        return np.concatenate([np.zeros((0, self.model.config.projection_dim), np.float32), *made])


class Similarity(NamedTuple):
    """Cosines of n pairs, [n] each. before and after: of a picture with its caption."""

    image: Floats
    direction: Floats
    before: Floats
    after: Floats

    def kept(self) -> npt.NDArray[np.bool_]:
        """Which pairs the paper's filter keeps, bool [n]; it then takes the four of each prompt that have the highest
        directional similarity."""
        captions = (self.before >= MIN_CAPTION) & (self.after >= MIN_CAPTION)
        return captions & (self.image >= MIN_IMAGE) & (self.direction >= MIN_DIRECTION)


def measure(
    clip: Clip, before: Sequence[Pixels], after: Sequence[Pixels], input: Sequence[str], output: Sequence[str]
) -> Similarity:
    """All similarities of pairs: pictures before and after, and their captions, n of each in one order."""
    sizes = [len(before), len(after), len(input), len(output)]
    if len(set(sizes)) > 1:
        raise ZooError(f"{sizes} pictures and captions", "as many of each, in one order")
    first, then = clip.images(before), clip.images(after)
    said, asked = clip.texts(input), clip.texts(output)
    return Similarity(_dot(first, then), direction(first, then, said, asked), _dot(first, said), _dot(then, asked))


def direction(before: Floats, after: Floats, input: Floats, output: Floats) -> Floats:
    """Cosine of the change of pictures and the change of captions. Embeddings [n, d] of length 1 -> [n].

    Two pictures or two captions that are embedded alike have no direction; the similarity is 0.
    """
    changes = (after - before, output - input)
    alike = np.any([np.linalg.norm(change, axis=-1) < ALIKE for change in changes], axis=0)
    return np.where(alike, np.float32(0), _dot(*map(_scaled, changes)))


def prepared(picture: Pixels, size: int, mean: Sequence[float] = MEAN, spread: Sequence[float] = SPREAD) -> Floats:
    """CLIP's input, [3, size, size]: the shorter side resized to `size` (bicubic), the middle cut out, normalised."""
    height, width = picture.shape[:2]
    short = min(height, width)
    new = (max(size, width * size // short), max(size, height * size // short))
    resized = np.asarray(Image.fromarray(picture).resize(new, Image.Resampling.BICUBIC))
    top, left = (resized.shape[0] - size) // 2, (resized.shape[1] - size) // 2
    middle = resized[top : top + size, left : left + size].astype(np.float32) / 255
    normal = (middle - np.array(mean, np.float32)) / np.array(spread, np.float32)
    return np.ascontiguousarray(normal.transpose(2, 0, 1))


def _normalisation(path: Path) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and spread as a folder's preprocessor_config.json gives them, else CLIP's own."""
    values = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return tuple(values.get("image_mean", MEAN)), tuple(values.get("image_std", SPREAD))


def _unit(vectors: torch.Tensor) -> Floats:
    found: Floats = vectors.float().cpu().numpy()
    return _scaled(found)


def _scaled(vectors: Floats) -> Floats:
    """Vectors of length 1; those of length 0 stay."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1), np.float32)


def _dot(a: Floats, b: Floats) -> Floats:
    return np.asarray((a * b).sum(-1), np.float32)
