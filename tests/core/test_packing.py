"""Packing: several documents in one sequence do not attend to each other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from kit import LLAMA, LORA, T5, Kit, kit, max_difference, recipe, started, sums, weights, wild
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


def logits(objective: Causal, setup: Kit, rows: list[Encoded]) -> Tensor:
    batch = objective.collate(rows)
    with torch.no_grad():
        return objective.logits(setup.model.eval(), batch, batch["labels"][:, 1:] != IGNORE_INDEX)


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("method", [{"name": "full"}, LORA, {"name": "ia3"}, {"name": "adapter"}])
def test_packed_documents_do_not_see_each_other(method: dict[str, Any], attention: str) -> None:
    setup = kit(recipe(DEEP))
    wild(setup.model, 0.3)
    setup.bundle.model.set_attn_implementation(attention)
    setup.model = adapters.apply(setup.bundle.model, recipe(method=method).method)
    rows = setup.splits.train[:9]
    packed = logits(Causal(0, packing=True), setup, rows)
    separate = torch.cat([logits(Causal(0), setup, [row]) for row in rows])
    assert float(separate.abs().max()) > 1
    assert torch.allclose(packed, separate, atol=1e-4)
    # A leak makes a far larger difference: without position_ids that start over, documents attend to each other.
    batch = Causal(0, packing=True).collate(rows)
    batch["position_ids"] = torch.arange(batch["input_ids"].shape[1])[None]
    with torch.no_grad():
        leaked = Causal(0).logits(setup.model, batch, batch["labels"][:, 1:] != IGNORE_INDEX)
    assert float((leaked - separate).abs().max()) > 0.1


def test_packed_and_separate_documents_have_one_loss_under_autocast() -> None:
    setup = kit(recipe(DEEP))
    rows = setup.splits.train[:9]
    losses = []
    for objective in (Causal(0, packing=True, chunked=True), Causal(0)):
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            losses.append(float(objective.loss(setup.model.eval(), objective.collate(rows))[0]))
    assert losses[0] == pytest.approx(losses[1], rel=1e-2)


@pytest.mark.parametrize("cause", ["cache", "mask"])
def test_a_model_that_leaks_between_packed_documents_is_an_error(cause: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The two known causes: a cache left on, and a two-dimensional mask of ones."""

    def leaky_logits(self: Causal, model: Any, batch: Batch, supervised: Tensor) -> Tensor:
        extra = {"use_cache": True} if cause == "cache" else {"use_cache": False}
        if cause == "mask":
            extra["attention_mask"] = torch.ones_like(batch["input_ids"])
        return model(input_ids=batch["input_ids"], position_ids=batch.get("position_ids"), **extra).logits[:, :-1][
            supervised
        ]

    setup = kit(recipe())
    monkeypatch.setattr(objectives.Causal, "logits", leaky_logits)
    with pytest.raises(ZooError, match="documents in a pack see each other"):
        tune.choose("causal", setup.model, setup.bundle.tokenizer, Train(packing=True))
    tune.choose("causal", setup.model, setup.bundle.tokenizer)


def test_packing_with_an_encoder_decoder_is_an_error() -> None:
    with pytest.raises(ZooError, match=r"train\.packing with an encoder-decoder; expected a causal backbone"):
        kit(recipe(T5, **PACKED))


def test_packing_with_compile_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"train\.packing: the probe for leaks runs before train\.compile"):
        recipe(train={"packing": True, "compile": True})


def test_a_pack_supervises_exactly_the_tokens_of_its_documents() -> None:
    setup = kit(recipe())
    rows = setup.splits.train[:6]
    # The first token of a document is not a target of the last token of the document before.
    all_supervised = [Encoded(row.input_ids, row.input_ids) for row in rows]
    for documents in (rows, all_supervised):
        packed, padded = Causal(0, packing=True).collate(documents), Causal(0).collate(documents)
        labels, expected = packed["labels"][:, 1:], padded["labels"][:, 1:]
        assert labels[labels != IGNORE_INDEX].tolist() == expected[expected != IGNORE_INDEX].tolist()


@pytest.mark.parametrize("method", [{"name": "full"}, LORA])
def test_a_packed_run_learns_the_same_as_a_padded_one(method: dict[str, Any], tmp_path: Path) -> None:
    """Packing does not change the updates, also where an update is cut into several packs."""
    results = []
    for i, train in enumerate([{}, {"packing": True}, {"packing": True, "micro_tokens": 40}]):
        settings = recipe(LLAMA, method=method, train={"steps": 6} | train)
        setup = kit(settings, sums(24), sums(6, seed=5))
        state = setup.fit(started(settings, tmp_path / str(i)))
        results.append((weights(setup.model), state.best))
    for packed, best in results[1:]:
        assert max_difference(results[0][0], packed) < 1e-5
        assert best == pytest.approx(results[0][1], rel=1e-5)


@pytest.mark.parametrize("name", ["prefix", "prompt", "p-tuning"])
def test_packing_with_virtual_tokens_is_an_error(name: str) -> None:
    with pytest.raises(ZooError, match="documents in a pack see each other"):
        kit(recipe(method={"name": name, "tokens": 3}, **PACKED))
