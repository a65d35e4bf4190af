"""<|endoftext|> spelled out in an instruction or a caption is text, and what follows it is read."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from editing import editing_task, recipe
from tokenizers import pre_tokenizers
from transformers import CLIPConfig, CLIPModel, CLIPTokenizer

from instructzoo.core import ZooError
from instructzoo.pix2pix.metrics.clip_metrics import Clip
from instructzoo.pix2pix.networks import editor
from instructzoo.pix2pix.synthesis.image_pairs import StableDiffusion

SPELLED = ["make it <|endoftext|> red", "<|startoftext|>", "a<|endoftext|><|endoftext|>"]


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    """A tokenizer with every byte, as CLIP's own has."""
    characters = sorted(pre_tokenizers.ByteLevel.alphabet())
    pieces = ["<|startoftext|>", "<|endoftext|>", *characters, *(f"{c}</w>" for c in characters)]
    return CLIPTokenizer(vocab={piece: i for i, piece in enumerate(pieces)}, merges=[])


@pytest.mark.parametrize("text", SPELLED)
def test_an_instruction_ends_where_it_ends(tokenizer: Any, text: str) -> None:
    start, *token_ids = editor.tokenize(tokenizer, [text], 64)[0].tolist()
    read = token_ids[: token_ids.index(tokenizer.eos_token_id)]
    assert start == tokenizer.bos_token_id and tokenizer.decode(read).replace(" ", "") == text.replace(" ", "")


def test_an_instruction_without_control_tokens_gets_the_ids_of_transformers(tokenizer: Any) -> None:
    texts = ["make it red", "", "two  spaces & 12 signs!", "Écarlate"]
    expected = tokenizer(texts, padding="max_length", max_length=64)["input_ids"]
    assert editor.tokenize(tokenizer, texts, 64).tolist() == expected


def test_a_scratch_editor_refuses_a_sign_that_it_does_not_know() -> None:
    task = editing_task(recipe())
    for text in SPELLED:
        with pytest.raises(ZooError, match="a character that the model does not know"):
            editor.tokenize(task.loaded.tokenizer, [text], 64)


def test_a_caption_is_measured_and_embedded_in_full(tokenizer: Any) -> None:
    tower = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}
    text = {**tower, "vocab_size": len(tokenizer), "max_position_embeddings": 24, "initializer_range": 0.5}
    text |= {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id}
    torch.manual_seed(0)
    config = CLIPConfig(text_config=text, vision_config={**tower, "image_size": 8, "patch_size": 4}, projection_dim=16)
    clip = Clip(CLIPModel(config).eval(), tokenizer)
    short, full, other = clip.texts(["red", "red<|endoftext|>sky", "red<|endoftext|>sea"])
    assert not np.allclose(full, short, atol=1e-3) and not np.allclose(full, other, atol=1e-3)
    encoder = SimpleNamespace(config=SimpleNamespace(max_position_embeddings=24))
    diffusion = StableDiffusion(None, None, encoder, tokenizer, None)
    assert diffusion.fits("red<|endoftext|>") and not diffusion.fits("red<|endoftext|>" * 2)
