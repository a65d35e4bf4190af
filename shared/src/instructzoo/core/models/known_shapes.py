"""Shapes of the backbones that recipes name, so that they can be planned without the hub.

The values are those of each model's config.json; tests/core/test_plan.py compares the numbers of parameters.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from instructzoo.core.errors import ZooError
from instructzoo.core.models import downloads, scratch
from instructzoo.core.models.backbones import BACKBONES, local_folder
from instructzoo.core.models.load_errors import load_errors
from instructzoo.core.models.quiet import quiet
from instructzoo.core.recipe import Model

Values = Mapping[str, Any]


def _llama(width: int, inner: int, layers: int, heads: int, groups: int, vocabulary: int, tied: bool) -> Values:
    return {
        "model_type": "llama",
        "hidden_size": width,
        "intermediate_size": inner,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": groups,
        "vocab_size": vocabulary,
        "tie_word_embeddings": tied,
    }


def _t5(width: int, inner: int, layers: int, heads: int, flan: bool = True) -> Values:
    return {
        "model_type": "t5",
        "d_model": width,
        "d_kv": 64,
        "d_ff": inner,
        "num_layers": layers,
        "num_decoder_layers": layers,
        "num_heads": heads,
        "vocab_size": 32_128,
        "feed_forward_proj": "gated-gelu" if flan else "relu",
        "decoder_start_token_id": 0,
        "tie_word_embeddings": not flan,
    }


SHAPES: dict[str, Values] = {
    "huggyllama/llama-7b": _llama(4096, 11_008, 32, 32, 32, 32_000, tied=False),
    "smollm2-135m": _llama(576, 1536, 30, 9, 3, 49_152, tied=True),
    "HuggingFaceTB/SmolLM2-135M-Instruct": _llama(576, 1536, 30, 9, 3, 49_152, tied=True),
    "HuggingFaceTB/SmolLM2-360M-Instruct": _llama(960, 2560, 32, 15, 5, 49_152, tied=True),
    "google-t5/t5-base": _t5(768, 3072, 12, 12, flan=False),
    "google/flan-t5-small": _t5(512, 1024, 8, 6),
    "google/flan-t5-base": _t5(768, 2048, 12, 12),
    "google/flan-t5-large": _t5(1024, 2816, 24, 16),
    "google/flan-t5-xl": _t5(2048, 5120, 24, 32),
    "google/flan-t5-xxl": _t5(4096, 10_240, 24, 64),
}
"""By hub id, or by name in the table of backbones: what config.json says of the shape."""


def config_of(settings: Model) -> tuple[Any, bool]:
    """Return the configuration of a text backbone, and whether it ties its embeddings, without the network.

    Args:
        settings: `backbone`: a name of the table, a hub id of `SHAPES`, a local folder or `scratch:...`, whose
            vocabulary is taken to be full.

    Returns:
        A transformers configuration, and whether the output layer has the weights of the embeddings.

    Raises:
        ZooError: The shape is neither known nor in a local folder, or is malformed.
    """
    from transformers import AutoConfig

    if settings.backbone.startswith("scratch:"):
        return scratch.config_of(settings.backbone, settings.vocabulary, settings.max_tokens, settings.dropout), True
    values = _values(settings.backbone)
    with load_errors(settings.backbone), quiet():
        config = AutoConfig.for_model(**{key: value for key, value in values.items() if key != "transformers_version"})
        return config, bool(values.get("tie_word_embeddings", config.tie_word_embeddings))


def _values(backbone: str) -> Values:
    """The values of config.json: those of a folder, or those of the table."""
    origin = BACKBONES[backbone].origin if backbone in BACKBONES else backbone
    for name in (backbone, origin):
        if name in SHAPES:
            return SHAPES[name]
    folder = downloads.folder(backbone) if backbone in BACKBONES else local_folder(backbone)
    path = Path(folder or "") / "config.json"
    if folder is None or not path.is_file():
        expected = f"a folder with config.json, or one of {', '.join(SHAPES)}"
        raise ZooError(f"the shape of {backbone} is not at hand", expected, "fetch it with zoo fetch", "model.backbone")
    try:
        values: Values = json.loads(path.read_text(encoding="utf-8"))
        values["model_type"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ZooError(f"cannot read {path}: {error}", "a config.json of transformers") from error
    return values
