"""Packing: several documents in one sequence, none of which sees another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from kit import LLAMA, LORA, T5, Kit, apart, kit, recipe, started, sums, weights, wild
from torch import Tensor

from instructzoo.core import tune
from instructzoo.core.errors import ZooError
from instructzoo.core.models import adapters
from instructzoo.core.recipe import Train
from instructzoo.core.text import IGNORE_INDEX, Encoded
from instructzoo.core.tune import Causal, objectives
from instructzoo.core.tune.objectives import Batch

DEEP = "scratch:llama-3x64"
PACKED = {"train": {"packing": True}}


def logits(objective: Causal, made: Kit, rows: list[Encoded]) -> Tensor:
    batch = objective.collate(rows)
    with torch.no_grad():
        return objective.logits(made.tuned.eval(), batch, batch["labels"][:, 1:] != IGNORE_INDEX)


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("method", [{"name": "full"}, LORA, {"name": "ia3"}, {"name": "adapter"}])
def test_packed_documents_do_not_see_each_other(method: dict[str, Any], attention: str) -> None:
    made = kit(recipe(DEEP))
    wild(made.tuned, 0.3)
    made.loaded.model.set_attn_implementation(attention)
    made.tuned = adapters.apply(made.loaded.model, recipe(method=method).method)
    rows = made.parts.train[:9]
    packed = logits(Causal(0, packing=True), made, rows)
    alone = torch.cat([logits(Causal(0), made, [row]) for row in rows])
    assert float(alone.abs().max()) > 1
    assert torch.allclose(packed, alone, atol=1e-4)
    # The probe's threshold is far below what a leak makes: without positions that start over, documents do see others.
    batch = Causal(0, packing=True).collate(rows)
    batch["positions"] = torch.arange(batch["ids"].shape[1])[None]
    with torch.no_grad():
        leaked = Causal(0).logits(made.tuned, batch, batch["labels"][:, 1:] != IGNORE_INDEX)
    assert float((leaked - alone).abs().max()) > 0.1


def test_packed_and_separate_documents_have_one_loss_under_autocast() -> None:
    made = kit(recipe(DEEP))
    rows = made.parts.train[:9]
    losses = []
    for objective in (Causal(0, packing=True, chunked=True), Causal(0)):
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            losses.append(float(objective.loss(made.tuned.eval(), objective.collate(rows))[0]))
    assert losses[0] == pytest.approx(losses[1], rel=1e-2)


@pytest.mark.parametrize("cause", ["cache", "mask"])
def test_a_model_that_leaks_between_packed_documents_is_an_error(cause: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The two known causes: a cache left on, and a two-dimensional mask of ones."""

    def leaky(self: Causal, model: Any, batch: Batch, keep: Tensor) -> Tensor:
        extra = {"use_cache": True} if cause == "cache" else {"use_cache": False}
        if cause == "mask":
            extra["attention_mask"] = torch.ones_like(batch["ids"])
        return model(input_ids=batch["ids"], position_ids=batch.get("positions"), **extra).logits[:, :-1][keep]

    made = kit(recipe())
    monkeypatch.setattr(objectives.Causal, "logits", leaky)
    with pytest.raises(ZooError, match="documents in a pack see each other"):
        tune.choose("causal", made.tuned, made.loaded.tokenizer, Train(packing=True))
    tune.choose("causal", made.tuned, made.loaded.tokenizer)


def test_packing_with_an_encoder_decoder_is_an_error() -> None:
    with pytest.raises(ZooError, match=r"train\.packing with an encoder-decoder; expected a causal backbone"):
        kit(recipe(T5, **PACKED))


def test_packing_with_compile_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"train\.packing: the probe for leaks runs before train\.compile"):
        recipe(train={"packing": True, "compile": True})


def test_a_pack_supervises_exactly_the_tokens_of_its_documents() -> None:
    made = kit(recipe())
    rows = made.parts.train[:6]
    free = [
        Encoded(row.ids, row.ids) for row in rows
    ]  # the first token of a document is not predicted by the last of another
    for several in (rows, free):
        packed, padded = Causal(0, packing=True).collate(several), Causal(0).collate(several)
        found, expected = packed["labels"][:, 1:], padded["labels"][:, 1:]
        assert found[found != IGNORE_INDEX].tolist() == expected[expected != IGNORE_INDEX].tolist()


@pytest.mark.parametrize("method", [{"name": "full"}, LORA])
def test_a_packed_run_learns_the_same_as_a_padded_one(method: dict[str, Any], tmp_path: Path) -> None:
    """The same updates as without packing, also where an update is cut into several packs."""
    ends = []
    for i, train in enumerate([{}, {"packing": True}, {"packing": True, "micro_tokens": 40}]):
        settings = recipe(LLAMA, method=method, train={"steps": 6} | train)
        made = kit(settings, sums(24), sums(6, seed=5))
        state = made.fit(started(settings, tmp_path / str(i)))
        ends.append((weights(made.tuned), state.best))
    for packed, best in ends[1:]:
        assert apart(ends[0][0], packed) < 1e-5
        assert best == pytest.approx(ends[0][1], rel=1e-5)


@pytest.mark.parametrize("name", ["prefix", "prompt", "p-tuning"])
def test_packing_with_virtual_tokens_is_an_error(name: str) -> None:
    with pytest.raises(ZooError, match="documents in a pack see each other"):
        kit(recipe(method={"name": name, "tokens": 3}, **PACKED))
