"""Conversion of pinned data files to the plain Hugging Face layout: safetensors, configuration, tokenizer."""

from __future__ import annotations

import shutil
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from instructzoo.core.errors import ZooError
from instructzoo.core.models.backbones import Backbone
from instructzoo.core.models.quiet import quiet
from instructzoo.core.models.weight_checks import check_backbone


def convert(backbone: Backbone, data: Mapping[str, Path], folder: Path) -> None:
    """Write a pinned backbone into a folder.

    The suffix of its weights decides how: .gguf is de-quantised, .pth (a state dict) is rewritten, .safetensors and
    its other files are copied.

    Args:
        backbone: Entry of the table; its first file has the weights.
        data: The verified files by base name.
        folder: An existing folder.

    Raises:
        ZooError: The package gguf is missing, or a file does not hold what is expected.
    """
    weights = data[Path(backbone.files[0].path).name]
    if weights.suffix == ".gguf":
        from_gguf(weights, folder)
    elif weights.suffix == ".pth":
        from_pickle(weights, folder)
    else:
        for name, path in data.items():
            shutil.copyfile(path, folder / name)


def from_gguf(path: Path, folder: Path) -> None:
    """De-quantise a GGUF file to fp16 safetensors, with its tokenizer.

    Args:
        path: The GGUF file.
        folder: An existing folder, which gets the model in the plain Hugging Face layout.

    Raises:
        ZooError: The package gguf is not installed, the file lacks weights, or it names no end-of-sequence token.
    """
    from importlib.util import find_spec

    if find_spec("gguf") is None:
        raise ZooError("gguf is not installed", "the reader of this asset", "pip install 'instructzoo-core[gguf]'")
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    options = {"gguf_file": path.name, "trust_remote_code": False}
    with quiet():
        config = AutoConfig.from_pretrained(str(path.parent), **options)
        gguf_model, loading_info = AutoModelForCausalLM.from_pretrained(
            str(path.parent),
            config=config,
            dtype=torch.float32,
            output_loading_info=True,
            ignore_mismatched_sizes=True,
            **options,
        )
        check_backbone(path, gguf_model, loading_info)
        tokenizer = gguf_tokenizer(path)
    # transformers marks a model opened from GGUF as quantised, and would then neither train nor save it.
    values = {k: v for k, v in config.to_dict().items() if k not in ("quantization_config", "_model_name_or_path")}
    plain_config = type(config)(**(values | {"dtype": "float16", "pad_token_id": tokenizer.pad_token_id}))
    model = AutoModelForCausalLM.from_config(plain_config, trust_remote_code=False)
    model.load_state_dict(gguf_model.state_dict())
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    with quiet():
        model.half().save_pretrained(str(folder))
    tokenizer.model_max_length = plain_config.max_position_embeddings
    tokenizer.save_pretrained(str(folder))


SPECIAL_TOKENS = {"bos": "bos", "eos": "eos", "pad": "padding", "unk": "unknown"}
"""Special tokens of a transformers tokenizer, and what a GGUF header calls them."""


def gguf_tokenizer(path: Path) -> Any:
    """Return the tokenizer inside a GGUF file, with what releases of transformers get wrong corrected.

    Every GGUF of this kind is split as GPT-2 does. The file says `smollm`: digits are split first, so that two spaces
    before a number stay one token. Without this, prompts with numbers differ from those of pretraining. Some releases
    also give the tokenizer another end-of-sequence token than the file, and the decoder of a SentencePiece model.
    """
    from tokenizers import decoders, pre_tokenizers
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(str(path.parent), gguf_file=path.name, trust_remote_code=False)
    if header_text(path, "tokenizer.ggml.pre") == "smollm":
        tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Digits(individual_digits=True),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
            ]
        )
    if header_text(path, "tokenizer.ggml.model") == "gpt2":
        tokenizer.backend_tokenizer.decoder = decoders.ByteLevel()
    for name, key in SPECIAL_TOKENS.items():
        if (token_id := header_number(path, f"tokenizer.ggml.{key}_token_id")) is not None:
            setattr(tokenizer, f"{name}_token", tokenizer.convert_ids_to_tokens(token_id))
    if tokenizer.eos_token_id is None:
        raise ZooError(f"{path.name} names no end-of-sequence token", "tokenizer.ggml.eos_token_id", where=str(path))
    return tokenizer


def header_text(path: Path, key: str) -> str | None:
    """Read a text from the header of a GGUF file (key, uint32 type 8, uint64 length, UTF-8).

    Args:
        path: The GGUF file.
        key: Key of the header, such as "tokenizer.ggml.pre".

    Returns:
        The text, or None if the header has no text of this key.
    """
    found = _header_value(path, key, 8)
    if found is None:
        return None
    header, start = found
    (length,) = struct.unpack_from("<Q", header, start)
    return header[start + 8 : start + 8 + length].decode()


def header_number(path: Path, key: str) -> int | None:
    """Read a number from the header of a GGUF file (key, uint32 type 4, uint32).

    Args:
        path: The GGUF file.
        key: Key of the header, such as "tokenizer.ggml.eos_token_id".

    Returns:
        The number, or None if the header has no such number of this key.
    """
    found = _header_value(path, key, 4)
    return None if found is None else int(struct.unpack_from("<I", *found)[0])


def _header_value(path: Path, key: str, type_number: int) -> tuple[bytes, int] | None:
    """The header of a GGUF file and where the value of a key begins in it; None without such a key of this type.

    The reader of the package gguf takes many seconds for a header with a vocabulary; this is one search in 16 MB.
    """
    with path.open("rb") as file:
        header = file.read(1 << 24)
    key_and_type = struct.pack("<Q", len(key)) + key.encode() + struct.pack("<I", type_number)
    start = header.find(key_and_type)
    return None if start < 0 else (header, start + len(key_and_type))


def from_pickle(path: Path, folder: Path) -> None:
    """Rewrite a pickled state dict as safetensors. `weights_only` refuses anything but tensors.

    Args:
        path: The file of `torch.save`.
        folder: An existing folder, which gets `model.safetensors`.

    Raises:
        ZooError: The file holds something other than tensors by name.
    """
    import torch
    from safetensors.torch import save_file

    state = torch.load(path, map_location="cpu", weights_only=True)
    if not isinstance(state, dict) or not all(isinstance(v, torch.Tensor) for v in state.values()):
        raise ZooError(f"{path.name} is no state dict", "tensors by name", where=str(path))
    save_file({name: tensor.contiguous() for name, tensor in state.items()}, str(folder / "model.safetensors"))
