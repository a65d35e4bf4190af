"""Initial induction heads of a Llama from scratch: what its first two layers attend to."""

from __future__ import annotations

import random

import pytest
import torch

from instructzoo.core.errors import ZooError
from instructzoo.core.models import scratch, tokenizers

SENTENCES = [" ".join(random.Random(n).choices(["abcdefghij", "klmnopqrst", "uvwxyz"] * 9, k=9)) for n in range(40)]
NAME = "scratch:llama-3x128-copying"


def build_model(name: str = NAME, seed: int = 0) -> torch.nn.Module:
    tokenizer = tokenizers.train_tokenizer("bpe", SENTENCES, 300)
    model = scratch.build_model(name, tokenizer, 64, 0.0, seed)
    model.set_attn_implementation("eager")
    return model.eval()


def attention_of_first_layers(input_ids: list[int], seed: int) -> list[torch.Tensor]:
    """Return the attention weights [heads, q, k] of the first two layers."""
    with torch.no_grad():
        attentions = build_model(seed=seed)(torch.tensor([input_ids]), output_attentions=True).attentions
    return [attentions[0][0], attentions[1][0]]


@pytest.mark.parametrize("seed", [0, 1])
def test_two_heads_of_the_first_layer_attend_one_position_back(seed: int) -> None:
    input_ids = random.Random(seed).sample(range(3, 259), 60)
    to_previous = attention_of_first_layers(input_ids, seed)[0].diagonal(-1, 1, 2)[:, 4:]  # [heads, q]
    assert (to_previous[:2].mean(-1) > 0.8).all()
    assert (to_previous[2:].mean(-1) < 0.3).all()


@pytest.mark.parametrize("seed", [0, 1])
def test_the_second_layer_attends_to_what_followed_the_earlier_occurrence(seed: int) -> None:
    input_ids = random.Random(seed).sample(range(3, 259), 50)
    input_ids += input_ids[10:40]  # every token from position 50 on also stands 40 positions before
    attentions = attention_of_first_layers(input_ids, seed)[1]
    to_following = torch.stack([attentions[:, i, i - 39] for i in range(50, 79)])  # [q, heads]
    assert to_following.max(-1).values.mean() > 0.6
    assert to_following.mean() > 10 / 79  # by chance 1 / 79


def test_the_same_seed_gives_the_same_weights() -> None:
    first, second, other_seed = (build_model(seed=seed).state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert any(not torch.equal(first[name], other_seed[name]) for name in first)
    assert all(value.isfinite().all() for value in first.values())


def test_a_name_without_copying_has_the_standard_initial_scale() -> None:
    standard = build_model("scratch:llama-3x128").state_dict()
    assert abs(float(standard["model.layers.0.self_attn.q_proj.weight"].std()) - 0.02) < 0.001


@pytest.mark.parametrize("name", ["scratch:t5-2x64-copying", "scratch:llama-1x64-copying", "scratch:llama-2x64-copy"])
def test_an_impossible_copying_backbone_is_an_error(name: str) -> None:
    with pytest.raises(ZooError, match="no scratch backbone"):
        scratch.kind_of(name)


@pytest.mark.parametrize("name", ["scratch:llama-2x32-copying", "scratch:llama-2x160-copying"])
def test_unusual_widths_give_finite_logits(name: str) -> None:
    input_ids = torch.tensor([list(range(3, 60))])
    assert build_model(name)(input_ids).logits.isfinite().all()
