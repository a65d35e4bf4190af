"""CLIP similarities, which judge edits without a true picture, as in the paper (arXiv:2211.09800).

    image similarity         cosine of the pictures before and after: how much was kept
    directional similarity   cosine of the change of the pictures and the change of the captions, all embedded: how well
                             the picture's change follows the captions

The two trade off against each other as image guidance s_I varies. guidance_sweep measures both and trade_off_plot plots
one over the other; of two models the one with the higher curve is better.

The paper's published code passes pictures in [-1, 1] to a function that expects [0, 1], so its own evaluation
normalises every picture wrongly. Here pictures are always bytes.
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
"""Least similarities of a pair that passes the paper's filter: of its pictures, of each picture with its caption, and
directional; for CLIP ViT-L/14 (defaults of timothybrooks/instruct-pix2pix).
"""

MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)
"""CLIP's own normalisation per channel, of pixels in 0..1; used unless the model's folder has another."""

SAME_EMBEDDING = 1e-3
"""Two unit embeddings closer than this count as equal: the direction between them is rounding error."""

BATCH_SIZE = 32


@dataclass(frozen=True)
class Clip:
    """A CLIP model with two towers. mean, std: per channel, of pixels in 0..1.

    clip = Clip.load(folder)
    clip.images([before, after]) @ clip.texts(["a red circle"]).T       # cosines, [2, 1]
    """

    model: Any
    tokenizer: Any
    mean: tuple[float, ...] = MEAN
    std: tuple[float, ...] = STD

    @classmethod
    def load(cls, folder: str | Path) -> Clip:
        """Load a model and its tokenizer from a folder that transformers wrote; the network is not used.

        Raises:
            ZooError: The folder has no CLIP model with weights in safetensors, or weights are missing or left over.
        """
        from transformers import CLIPModel, CLIPTokenizer

        from instructzoo.pix2pix.networks.weight_files import check_loaded_keys

        model_folder = Path(folder).expanduser()
        missing = [name for name in ("config.json", "model.safetensors") if not (model_folder / name).is_file()]
        if missing:
            problem, fix = f"no {' and no '.join(missing)}", "save a CLIPModel and a CLIPTokenizer there"
            raise ZooError(problem, "a folder with a CLIP model", fix, str(model_folder))
        kind = json.loads((model_folder / "config.json").read_text(encoding="utf-8")).get("model_type")
        if kind != "clip":
            raise ZooError(f'a model of type "{kind}"', "clip", "name another folder", str(model_folder))
        model, info = CLIPModel.from_pretrained(
            model_folder, local_files_only=True, use_safetensors=True, output_loading_info=True
        )
        check_loaded_keys("CLIP", info, str(model_folder))
        model.eval()
        tokenizer = CLIPTokenizer.from_pretrained(model_folder, local_files_only=True)
        return cls(model, tokenizer, *_read_normalisation(model_folder / "preprocessor_config.json"))

    def images(self, pictures: Sequence[Pixels]) -> Floats:
        """Embed pictures.

        Args:
            pictures: n pictures, uint8 [h, w, 3] of any sizes.

        Returns:
            [n, d], each of length 1.

        Raises:
            ZooError: A picture has another type or shape.
        """
        import torch

        for picture in pictures:
            if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
                problem = f"a picture of type {picture.dtype} and shape {picture.shape}"
                raise ZooError(problem, "uint8 [height, width, 3], in 0..255", "images.read gives these")
        size = self.model.config.vision_config.image_size
        embeddings = []
        with torch.inference_mode():
            for start in range(0, len(pictures), BATCH_SIZE):
                batch = np.stack(
                    [preprocess(picture, size, self.mean, self.std) for picture in pictures[start : start + BATCH_SIZE]]
                )
                inputs = torch.from_numpy(batch).to(self.model.device, self.model.dtype)
                hidden = self.model.vision_model(pixel_values=inputs).pooler_output
                embeddings.append(_unit_vectors(self.model.visual_projection(hidden)))
        return self._concatenate(embeddings)

    def texts(self, texts: Sequence[str]) -> Floats:
        """Embed texts, truncated at the model's length as CLIP does: [n, d], each of length 1."""
        import torch

        max_length = self.model.config.text_config.max_position_embeddings
        embeddings = []
        with torch.inference_mode():
            for start in range(0, len(texts), BATCH_SIZE):
                inputs = self.tokenizer(
                    list(texts[start : start + BATCH_SIZE]),
                    padding=True,
                    truncation=True,
                    max_length=max_length,
                    split_special_tokens=True,  # a caption is text, also where it spells out <|endoftext|>
                    return_tensors="pt",
                ).to(self.model.device)
                hidden = self.model.text_model(inputs["input_ids"], inputs["attention_mask"]).pooler_output
                embeddings.append(_unit_vectors(self.model.text_projection(hidden)))
        return self._concatenate(embeddings)

    def _concatenate(self, embeddings: list[Floats]) -> Floats:
        return np.concatenate([np.zeros((0, self.model.config.projection_dim), np.float32), *embeddings])


class Similarity(NamedTuple):
    """Cosines of n pairs, [n] each.

    Attributes:
        image: Of the two pictures.
        direction: Of the change of pictures and the change of captions.
        before: Of the picture before and its caption.
        after: Of the picture after and its caption.
    """

    image: Floats
    direction: Floats
    before: Floats
    after: Floats

    def passes_filter(self) -> npt.NDArray[np.bool_]:
        """Which pairs pass the paper's filter, bool [n]; of each prompt it then takes the best four by direction."""
        captions = (self.before >= MIN_CAPTION) & (self.after >= MIN_CAPTION)
        return captions & (self.image >= MIN_IMAGE) & (self.direction >= MIN_DIRECTION)


def measure_similarity(
    clip: Clip, before: Sequence[Pixels], after: Sequence[Pixels], input: Sequence[str], output: Sequence[str]
) -> Similarity:
    """All similarities of n pairs.

    Args:
        clip: The model.
        before: Pictures before, uint8 [h, w, 3].
        after: Pictures after.
        input: Captions of the pictures before.
        output: Captions of the pictures after.

    Raises:
        ZooError: There are not as many of each.
    """
    counts = [len(before), len(after), len(input), len(output)]
    if len(set(counts)) > 1:
        raise ZooError(f"{counts} pictures and captions", "as many of each, in one order")
    before_embeddings, after_embeddings = clip.images(before), clip.images(after)
    input_embeddings, output_embeddings = clip.texts(input), clip.texts(output)
    return Similarity(
        _row_dot(before_embeddings, after_embeddings),
        directional_similarity(before_embeddings, after_embeddings, input_embeddings, output_embeddings),
        _row_dot(before_embeddings, input_embeddings),
        _row_dot(after_embeddings, output_embeddings),
    )


def directional_similarity(before: Floats, after: Floats, input: Floats, output: Floats) -> Floats:
    """Cosine of the change of pictures and the change of captions.

    Args:
        before, after, input, output: Unit embeddings, [n, d].

    Returns:
        [n]; 0 where two pictures or two captions are embedded alike and there is no direction.
    """
    changes = (after - before, output - input)
    unchanged = np.any([np.linalg.norm(change, axis=-1) < SAME_EMBEDDING for change in changes], axis=0)
    return np.where(unchanged, np.float32(0), _row_dot(*map(_to_unit_length, changes)))


def preprocess(picture: Pixels, size: int, mean: Sequence[float] = MEAN, std: Sequence[float] = STD) -> Floats:
    """CLIP's input, [3, size, size]: shorter side resized to `size` (bicubic), centre crop, normalised."""
    height, width = picture.shape[:2]
    shorter_side = min(height, width)
    new_size = (max(size, width * size // shorter_side), max(size, height * size // shorter_side))
    resized = np.asarray(Image.fromarray(picture).resize(new_size, Image.Resampling.BICUBIC))
    top, left = (resized.shape[0] - size) // 2, (resized.shape[1] - size) // 2
    crop = resized[top : top + size, left : left + size].astype(np.float32) / 255
    normalised = (crop - np.array(mean, np.float32)) / np.array(std, np.float32)
    return np.ascontiguousarray(normalised.transpose(2, 0, 1))


def _read_normalisation(path: Path) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation in a folder's preprocessor_config.json, else CLIP's own."""
    values = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return tuple(values.get("image_mean", MEAN)), tuple(values.get("image_std", STD))


def _unit_vectors(vectors: torch.Tensor) -> Floats:
    array: Floats = vectors.float().cpu().numpy()
    return _to_unit_length(array)


def _to_unit_length(vectors: Floats) -> Floats:
    """Vectors scaled to length 1; zero vectors stay."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1), np.float32)


def _row_dot(a: Floats, b: Floats) -> Floats:
    return np.asarray((a * b).sum(-1), np.float32)
