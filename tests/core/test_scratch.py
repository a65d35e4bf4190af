"""Backbones from scratch start where AdamW can train them."""

from __future__ import annotations

from typing import Any

import torch

from instructzoo.core.models import scratch

torch.set_num_threads(1)  # tiny matrices: a second thread costs more than it gives

VOCABULARY = 64


class Tokens:
    """As much of a tokenizer as a scratch backbone asks for."""

    pad_token_id, eos_token_id = 0, 1

    def __len__(self) -> int:
        return VOCABULARY

    def get_vocab(self) -> dict[str, int]:
        return {}


def made() -> Any:
    return scratch.make("scratch:t5-1x32", Tokens(), 64, 0.0, 0)


def drawn(n: int, draw: torch.Generator) -> torch.Tensor:
    return torch.randint(2, VOCABULARY, (n, 6), generator=draw)


def test_a_scratch_t5_reaches_the_expected_loss_in_300_updates() -> None:
    """Copying three of six tokens: a loss of 2.8 after 300 updates, and of 3.3 with T5's own wide embeddings."""
    torch.manual_seed(0)
    model, draw, losses = made(), torch.Generator().manual_seed(0), []
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, betas=(0.9, 0.98))
    for step in range(300):
        optimizer.param_groups[0]["lr"] = 2e-3 * min(1, (step + 1) / 30)
        ids = drawn(16, draw)
        loss = model(input_ids=ids, labels=ids[:, :3].contiguous()).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    assert sum(losses[-20:]) / 20 < 3.05


def test_the_first_logits_of_a_scratch_t5_have_unit_scale() -> None:
    ids = drawn(8, torch.Generator().manual_seed(1))
    with torch.no_grad():
        logits = made().eval()(input_ids=ids, labels=ids).logits
    assert 0.8 < float(logits.std()) < 1.25


def test_the_same_seed_gives_the_same_model() -> None:
    one, two = made().state_dict(), made().state_dict()
    assert all(torch.equal(one[name], two[name]) for name in one)
