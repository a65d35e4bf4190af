"""Backbones from scratch: `scratch:<kind>-<layers>x<width>`, such as scratch:llama-4x128 or scratch:t5-2x256.

scratch:llama-4x128-copying begins with heads that copy (models/copying.py).

The name is the whole configuration: heads of 32 channels, feed-forward of three times the width, tied embeddings.
"""

from __future__ import annotations

import re
from typing import Any

from instructzoo.core.errors import ZooError

PATTERN = re.compile(r"scratch:(llama|t5)-(\d+)x(\d+)(-copying)?")
HEAD = 32
FORM = "scratch:llama-<layers>x<width>[-copying] or scratch:t5-<layers>x<width>, width a multiple of 32"


def kind_of(name: str) -> str:
    """ "causal" for llama, "seq2seq" for t5. Raises ZooError for a name of another form."""
    return "seq2seq" if _shape(name)[0] == "t5" else "causal"


def make(name: str, tokenizer: Any, max_tokens: int, dropout: float, seed: int) -> Any:
    """A freshly initialised transformers model. The same arguments give the same weights."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM, T5Config, T5ForConditionalGeneration

    from instructzoo.core.models import init_induction_heads, init_t5

    kind, layers, width = _shape(name)
    shared = {
        "vocab_size": len(tokenizer),
        "pad_token_id": tokenizer.pad_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "tie_word_embeddings": True,
    }
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model: Any
        if kind == "llama":
            config = LlamaConfig(
                hidden_size=width,
                intermediate_size=3 * width,
                num_hidden_layers=layers,
                num_attention_heads=width // HEAD,
                num_key_value_heads=width // HEAD,
                max_position_embeddings=max(2048, max_tokens),
                attention_dropout=dropout,
                bos_token_id=None,
                **shared,
            )
            model = LlamaForCausalLM(config)
            if name.endswith("-copying"):
                init_induction_heads.init_induction_heads(model)
        else:
            # T5Config leaves the decoder's opening token unset; training crashes without one.
            config = T5Config(
                d_model=width,
                d_ff=3 * width,
                d_kv=HEAD,
                num_layers=layers,
                num_decoder_layers=layers,
                num_heads=width // HEAD,
                dropout_rate=dropout,
                decoder_start_token_id=tokenizer.pad_token_id,
                **shared,
            )
            model = T5ForConditionalGeneration(config)
            init_t5.init_t5(model)
        _compose_digits(model, tokenizer)
    return model


def _compose_digits(model: Any, tokenizer: Any) -> None:
    """Start the vector of "4 in the hundreds" as the sum of a vector for 4 and one for the hundreds.

    Only a start, training is free to leave it: the model need not discover that the 170 tokens are 10 x 17.
    """
    import torch

    from instructzoo.core.models.tokenizers import placed_digits

    placed = placed_digits(tokenizer)
    if not placed:
        return
    table = model.get_input_embeddings().weight
    spread = table.std().item()
    digits = torch.randn(10, table.shape[1]) * spread
    places = torch.randn(1 + max(place for _, place in placed.values()), table.shape[1]) * spread
    with torch.no_grad():
        for token, (digit, place) in placed.items():
            table[token] = digits[digit] + places[place]


def _shape(name: str) -> tuple[str, int, int]:
    match = PATTERN.fullmatch(name)
    if not match or int(match[3]) % HEAD or not int(match[2]) or not int(match[3]):
        raise ZooError(f'no scratch backbone "{name}"', FORM, "set model.backbone")
    if match[4] and (match[1] != "llama" or int(match[2]) < 2):
        raise ZooError(f'no scratch backbone "{name}"', "a llama of two layers or more to copy", "set model.backbone")
    return match[1], int(match[2]), int(match[3])
