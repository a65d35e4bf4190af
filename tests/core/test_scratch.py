"""Models from scratch are initialised so that AdamW can train them quickly."""

from __future__ import annotations

from typing import Any

import torch

from instructzoo.core.models import scratch

torch.set_num_threads(1)  # for tiny matrices a second thread costs more than it gives

VOCABULARY = 64


class Tokens:
    """The part of a tokenizer that a model from scratch needs."""

    pad_token_id, eos_token_id = 0, 1

    def __len__(self) -> int:
        return VOCABULARY

    def get_vocab(self) -> dict[str, int]:
        return {}


def build_t5() -> Any:
    return scratch.build_model("scratch:t5-1x32", Tokens(), 64, 0.0, 0)


def random_ids(n: int, generator: torch.Generator) -> torch.Tensor:
    return torch.randint(2, VOCABULARY, (n, 6), generator=generator)


def test_a_scratch_t5_reaches_the_expected_loss_in_300_updates() -> None:
    """Three of six tokens are copied. The loss reaches 2.8, and 3.3 with T5's own initialisation."""
    torch.manual_seed(0)
    model, generator, losses = build_t5(), torch.Generator().manual_seed(0), []
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, betas=(0.9, 0.98))
    for step in range(300):
        optimizer.param_groups[0]["lr"] = 2e-3 * min(1, (step + 1) / 30)
        input_ids = random_ids(16, generator)
        loss = model(input_ids=input_ids, labels=input_ids[:, :3].contiguous()).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    assert sum(losses[-20:]) / 20 < 3.05


def test_the_first_logits_of_a_scratch_t5_have_unit_scale() -> None:
    input_ids = random_ids(8, torch.Generator().manual_seed(1))
    with torch.no_grad():
        logits = build_t5().eval()(input_ids=input_ids, labels=input_ids).logits
    assert 0.8 < float(logits.std()) < 1.25


def test_the_same_seed_gives_the_same_model() -> None:
    first, second = build_t5().state_dict(), build_t5().state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)
