"""Small models without pretrained weights: `scratch:<kind>-<layers>x<width>`.

    scratch:llama-4x128            a Llama of 4 layers and 128 channels
    scratch:llama-4x128-copying    the same, initialised with induction heads (models/init_induction_heads.py)
    scratch:t5-2x256               a T5 of 2 + 2 layers (models/init_t5.py)

The name is the whole configuration: heads of 32 channels, feed-forward of three times the width, tied embeddings.
"""

from __future__ import annotations

import re
from typing import Any

from instructzoo.core.errors import ZooError
from instructzoo.core.models.tokenizers import placed_digits

PATTERN = re.compile(r"scratch:(llama|t5)-(\d+)x(\d+)(-copying)?")
HEAD_DIM = 32
"""Channels of an attention head."""
EXPECTED = "scratch:llama-<layers>x<width>[-copying] or scratch:t5-<layers>x<width>, width a multiple of 32"


def kind_of(name: str) -> str:
    """Return "causal" for llama and "seq2seq" for t5. Raises ZooError for a malformed name."""
    return "seq2seq" if _shape(name)[0] == "t5" else "causal"


def build_model(name: str, tokenizer: Any, max_tokens: int, dropout: float, seed: int) -> Any:
    """Build a newly initialised transformers model. The same arguments give the same weights.

    Args:
        name: `scratch:...`, as above.
        tokenizer: Its size, padding and end-of-sequence tokens are read.
        max_tokens: The longest sequence; positions up to 2,048 are always allowed.
        dropout: Attention dropout (Llama) or dropout (T5).
        seed: Seed of the weights; torch's global generator is left alone.

    Raises:
        ZooError: The name is malformed.
    """
    import torch
    from transformers import LlamaForCausalLM, T5ForConditionalGeneration

    from instructzoo.core.models import init_induction_heads, init_t5

    config = config_of(name, len(tokenizer), max_tokens, dropout, tokenizer.pad_token_id, tokenizer.eos_token_id)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model: Any
        if kind_of(name) == "causal":
            model = LlamaForCausalLM(config)
            if name.endswith("-copying"):
                init_induction_heads.init_induction_heads(model)
        else:
            model = T5ForConditionalGeneration(config)
            init_t5.init_t5(model)
        _compose_digits(model, tokenizer)
    return model


def config_of(name: str, vocabulary: int, max_tokens: int, dropout: float, pad: int = 0, eos: int = 1) -> Any:
    """Return the transformers configuration of a model from scratch.

    Args:
        name: `scratch:...`, as above.
        vocabulary: Tokens of its tokenizer.
        max_tokens: The longest sequence.
        dropout: Attention dropout (Llama) or dropout (T5).
        pad: Id of the padding token.
        eos: Id of the end-of-sequence token.

    Raises:
        ZooError: The name is malformed.
    """
    from transformers import LlamaConfig, T5Config

    kind, layers, width = _shape(name)
    heads = width // HEAD_DIM
    shared = {"vocab_size": vocabulary, "pad_token_id": pad, "eos_token_id": eos, "tie_word_embeddings": True}
    if kind == "llama":
        return LlamaConfig(
            hidden_size=width,
            intermediate_size=3 * width,
            num_hidden_layers=layers,
            num_attention_heads=heads,
            num_key_value_heads=heads,
            max_position_embeddings=max(2048, max_tokens),
            attention_dropout=dropout,
            bos_token_id=None,
            **shared,
        )
    # T5Config has no decoder_start_token_id by default; training fails without one.
    return T5Config(
        d_model=width,
        d_ff=3 * width,
        d_kv=HEAD_DIM,
        num_layers=layers,
        num_decoder_layers=layers,
        num_heads=heads,
        dropout_rate=dropout,
        decoder_start_token_id=pad,
        **shared,
    )


def _compose_digits(model: Any, tokenizer: Any) -> None:
    """Initialise the embedding of "4 in the hundreds place" as the sum of one vector for 4 and one for the place.

    Without it the model must discover that the 170 tokens are 10 digits x 17 places. Training may change all of them.
    """
    import torch

    digits_by_token = placed_digits(tokenizer)
    if not digits_by_token:
        return
    embeddings = model.get_input_embeddings().weight  # [v, d]
    std = embeddings.std().item()
    num_places = 1 + max(place for _, place in digits_by_token.values())
    digit_vectors = torch.randn(10, embeddings.shape[1]) * std
    place_vectors = torch.randn(num_places, embeddings.shape[1]) * std
    with torch.no_grad():
        for token, (digit, place) in digits_by_token.items():
            embeddings[token] = digit_vectors[digit] + place_vectors[place]


def _shape(name: str) -> tuple[str, int, int]:
    """Parse a name into kind, layers and width; raise ZooError for a malformed one."""
    match = PATTERN.fullmatch(name)
    if not match or int(match[3]) % HEAD_DIM or not int(match[2]) or not int(match[3]):
        raise ZooError(f'no scratch backbone "{name}"', EXPECTED, "set model.backbone")
    if match[4] and (match[1] != "llama" or int(match[2]) < 2):
        raise ZooError(f'no scratch backbone "{name}"', "a llama of two layers or more to copy", "set model.backbone")
    return match[1], int(match[2]), int(match[3])
