"""Families of transformers as backbones: each is fine-tuned, saved and opened again with the same loss and answers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from kit import greedy_answers, kit, mean_loss, recipe, started
from test_backbones import BART, SMALL, saved

from instructzoo.core import models

GROUPED = SMALL | {"num_key_value_heads": 1}
WINDOW = GROUPED | {"sliding_window": 16}
GPT = {"n_embd": 32, "n_layer": 1, "n_head": 2}
EXPERTS = GROUPED | {"num_experts": 2, "num_experts_per_tok": 1, "moe_intermediate_size": 32, "head_dim": 16}
STATES = {"hidden_size": 32, "num_hidden_layers": 1, "state_size": 4}
T5 = {"d_model": 32, "d_ff": 64, "d_kv": 16, "num_layers": 1, "num_heads": 2, "decoder_start_token_id": 0}

FAMILIES: dict[str, dict[str, Any]] = {
    "Bart": BART | {"decoder_start_token_id": 1},
    "Bert": SMALL | {"is_decoder": True},
    "BlenderbotSmall": BART | {"decoder_start_token_id": 1},
    "Bloom": {"hidden_size": 32, "n_layer": 1, "n_head": 2},
    "CodeGen": GPT | {"n_embd": 64, "n_head": 4, "rotary_dim": 4},
    "Cohere": GROUPED,
    "Falcon": {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2},
    "GPT2": GPT,
    "GPTJ": GPT | {"rotary_dim": 4},
    "GPTNeoX": SMALL,
    "Gemma2": WINDOW | {"head_dim": 16, "query_pre_attn_scalar": 16},
    "Gemma3Text": WINDOW | {"head_dim": 16, "query_pre_attn_scalar": 16},
    "Granite": GROUPED,
    "LongT5": T5 | {"local_radius": 16},
    "Llama": GROUPED,
    "M2M100": BART | {"decoder_start_token_id": 1},
    "MBart": BART | {"decoder_start_token_id": 1},
    "MT5": T5,
    "Mamba": STATES,
    "Marian": BART | {"decoder_start_token_id": 0},
    "Mistral": WINDOW,
    "Mixtral": GROUPED | {"num_local_experts": 2},
    "Mpt": {"d_model": 32, "n_layers": 1, "n_heads": 2},
    "OPT": SMALL | {"ffn_dim": 64, "word_embed_proj_dim": 32},
    "Olmo2": GROUPED,
    "Pegasus": BART | {"decoder_start_token_id": 0},
    "Phi": GROUPED,
    "Phi3": WINDOW,
    "Qwen2": GROUPED,
    "Qwen3": GROUPED | {"head_dim": 16},
    "Qwen3Moe": EXPERTS,
    "SmolLM3": GROUPED,
    "StableLm": GROUPED,
    "Starcoder2": WINDOW,
    "T5": T5,
    "UMT5": T5,
}
"""Configurations of one layer by the name of their class."""


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return kit(recipe()).bundle.tokenizer


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_is_tuned_saved_and_opened_again(family: str, tokenizer: Any, tmp_path: Path) -> None:
    folder = saved(family, tokenizer, tmp_path / "base", **FAMILIES[family])
    setup = kit(recipe(str(folder), train={"steps": 2}))
    before = mean_loss(setup)
    setup.fit(started(setup.recipe, tmp_path / "run"))
    loss, answers = mean_loss(setup), greedy_answers(setup, setup.bundle, 4)
    assert loss != before
    models.save(setup.model, setup.bundle.tokenizer, setup.recipe, tmp_path / "model")
    again = models.open_saved(tmp_path / "model")
    assert greedy_answers(setup, again, 4) == answers
    setup.model = again.model
    assert mean_loss(setup) == pytest.approx(loss, rel=1e-5)


def test_the_methods_page_names_these_families() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "methods.md").read_text(encoding="utf-8")
    named = re.search(r"these\s+families\s+of\s+transformers[^:]*:([^.]*)\.", page)
    assert named and re.findall(r"\w+", named[1]) == sorted(FAMILIES)
