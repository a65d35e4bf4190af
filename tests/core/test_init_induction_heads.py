"""A scratch Llama that copies from the start: what its first two layers look at, and that nothing else changed."""

from __future__ import annotations

import random

import pytest
import torch

from instructzoo.core.errors import ZooError
from instructzoo.core.models import scratch, tokenizers

SENTENCES = [" ".join(random.Random(n).choices(["abcdefghij", "klmnopqrst", "uvwxyz"] * 9, k=9)) for n in range(40)]
NAME = "scratch:llama-3x128-copying"


def model(name: str = NAME, seed: int = 0) -> torch.nn.Module:
    tokenizer = tokenizers.make("bpe", SENTENCES, 300)
    made = scratch.make(name, tokenizer, 64, 0.0, seed)
    made.set_attn_implementation("eager")
    return made.eval()


def looks(ids: list[int], seed: int) -> list[torch.Tensor]:
    """Attention [heads, q, k] of the first two layers."""
    with torch.no_grad():
        found = model(seed=seed)(torch.tensor([ids]), output_attentions=True).attentions
    return [found[0][0], found[1][0]]


@pytest.mark.parametrize("seed", [0, 1])
def test_two_heads_of_the_first_layer_attend_one_position_back(seed: int) -> None:
    ids = random.Random(seed).sample(range(3, 259), 60)
    back = looks(ids, seed)[0].diagonal(-1, 1, 2)[:, 4:]  # [heads, q]
    assert (back[:2].mean(-1) > 0.8).all()
    assert (back[2:].mean(-1) < 0.3).all()


@pytest.mark.parametrize("seed", [0, 1])
def test_the_second_layer_attends_to_what_followed_the_earlier_occurrence(seed: int) -> None:
    ids = random.Random(seed).sample(range(3, 259), 50)
    ids += ids[10:40]  # every token from place 50 on stood 40 places before
    found = looks(ids, seed)[1]
    there = torch.stack([found[:, i, i - 39] for i in range(50, 79)])  # [q, heads]
    assert there.max(-1).values.mean() > 0.6
    assert there.mean() > 10 / 79  # by chance 1 / 79


def test_the_same_seed_gives_the_same_weights() -> None:
    one, same, other = (model(seed=seed).state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert any(not torch.equal(one[name], other[name]) for name in one)
    assert all(value.isfinite().all() for value in one.values())


def test_a_name_without_copying_has_the_standard_initial_scale() -> None:
    plain = model("scratch:llama-3x128").state_dict()
    assert abs(float(plain["model.layers.0.self_attn.q_proj.weight"].std()) - 0.02) < 0.001


@pytest.mark.parametrize("name", ["scratch:t5-2x64-copying", "scratch:llama-1x64-copying", "scratch:llama-2x64-copy"])
def test_an_impossible_copying_backbone_is_an_error(name: str) -> None:
    with pytest.raises(ZooError, match="no scratch backbone"):
        scratch.kind_of(name)


@pytest.mark.parametrize("name", ["scratch:llama-2x32-copying", "scratch:llama-2x160-copying"])
def test_unusual_widths_give_finite_logits(name: str) -> None:
    ids = torch.tensor([list(range(3, 60))])
    assert model(name)(ids).logits.isfinite().all()
