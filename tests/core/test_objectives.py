"""A loss is a sum and a count until the very end: nothing about batching, padding or skipping changes it."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from kit import LLAMA, LORA, T5, Kit, kit, max_difference, recipe, started, sums, weights
from torch import Tensor
from torch.nn.functional import cross_entropy, linear

from instructzoo.core import tune
from instructzoo.core.models import adapters
from instructzoo.core.recipe import Recipe, Train
from instructzoo.core.text import IGNORE_INDEX, Batches, Encoded
from instructzoo.core.tune import Causal, chunked_cross_entropy, loop, optimizers
from instructzoo.core.tune.activation_memory import saved_bytes
from instructzoo.core.tune.objectives import LossModule

BOTH = pytest.mark.parametrize("backbone", [LLAMA, T5])


def gradients(model: Any, loss: Tensor) -> dict[str, Tensor]:
    model.zero_grad()
    loss.backward()
    return {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


def trained(settings: Recipe, folder: Path) -> Kit:
    setup = kit(settings, sums(24), sums(9, seed=5))
    setup.fit(started(settings, folder))
    return setup


@BOTH
@pytest.mark.parametrize("method", [{"name": "full"}, LORA])
def test_the_first_update_is_independent_of_the_micro_batch_size(
    backbone: str, method: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """8x1, 4x2, 2x4 and 1x8: rows of different lengths, so a mean of means would be off by far more.

    AdamW forgives a wrong factor, so the gradients themselves are compared, also with those of the plain mean.
    """
    by_micro_batch: list[dict[str, Tensor]] = []
    divide_and_clip = loop.divide_and_clip

    def record_gradients(accelerator: Any, optimizer: Any, model: Any, *rest: Any) -> float:
        norm = divide_and_clip(accelerator, optimizer, model, *rest)
        by_micro_batch.append({name: p.grad.clone() for name, p in adapters.trainable_parameters(model)})
        return norm

    monkeypatch.setattr(loop, "divide_and_clip", record_gradients)
    final_weights = []
    for micro in (8, 4, 2, 1):
        train = {"steps": 1, "micro_batch": micro, "warmup": 0, "clip": None}
        setup = trained(recipe(backbone, method=method, train=train), tmp_path / str(micro))
        final_weights.append(weights(setup.model))
    untrained = kit(setup.recipe, sums(24), sums(9, seed=5))
    batches = Batches(untrained.splits.train_lengths, untrained.recipe.train, 0)
    batch = untrained.objective.collate([untrained.splits.train[row] for rows in batches.update(0) for row in rows])
    loss, num_targets = untrained.objective.loss(untrained.model, batch)
    expected = gradients(untrained.model, loss / num_targets)
    largest = max(float(g.abs().max()) for g in expected.values())
    assert all(
        max_difference(expected, actual) < 1e-6 * max(1.0, largest) for actual in by_micro_batch
    )  # as exact as float32 is
    assert largest > 1e-2
    # AdamW's first step is the sign of the gradient, which is random where the gradient is only rounding.
    above_rounding = {name: gradient.abs() > 1e-5 for name, gradient in expected.items()}
    first = final_weights[0]
    for end in final_weights[1:]:
        assert all(torch.equal(end[name], first[name]) for name in end if name not in expected)
        assert all(float(((end[n] - first[n]) * mask).abs().max()) < 1e-6 for n, mask in above_rounding.items())
    assert sum(int(mask.sum()) for mask in above_rounding.values()) > 1000
    assert max_difference(first, weights(untrained.model)) > 5e-4


@BOTH
def test_the_validation_loss_is_independent_of_the_batch_size(backbone: str) -> None:
    setup = kit(recipe(backbone), sums(8), sums(30, seed=3, digits=5))
    loss_module = LossModule(setup.model, setup.objective)
    sizes: list[dict[str, int]] = [{"micro_batch": n} for n in (1, 7, 30)]
    sizes += [{"micro_tokens": n} for n in (16, 300, 100_000)]
    losses = [loop.validation_loss(loss_module, setup.objective, setup.splits, Train(**size), "cpu") for size in sizes]
    assert max(losses) - min(losses) < 1e-6 * max(losses)
    row_by_row = [
        setup.objective.loss(setup.model.eval(), setup.objective.collate([row])) for row in setup.splits.validation
    ]
    expected = sum(float(loss.detach()) for loss, _ in row_by_row) / sum(int(n) for _, n in row_by_row)
    assert losses[0] == pytest.approx(expected)


def test_dropout_is_off_during_validation(tmp_path: Path) -> None:
    setup = kit(recipe(T5, model={"dropout": 0.5}), sums(8), sums(9, seed=3))
    loss_module = LossModule(setup.model, setup.objective).train()
    losses = {loop.validation_loss(loss_module, setup.objective, setup.splits, Train(), "cpu") for _ in range(3)}
    assert len(losses) == 1


@pytest.mark.parametrize("method", [{"name": "full"}, LORA])
def test_skipping_unsupervised_logits_keeps_the_loss_and_gradients(method: dict[str, Any]) -> None:
    setup = kit(recipe(method=method), sums(12))
    batch = setup.objective.collate(setup.splits.train)
    assert setup.objective.supervised_logits
    pad = setup.bundle.tokenizer.pad_token_id
    (skipping, n), (computing_all, m) = (Causal(pad, skip).loss(setup.model, batch) for skip in (True, False))
    short, full = gradients(setup.model, skipping), gradients(setup.model, computing_all)
    assert n == m == sum(e.num_supervised for e in setup.splits.train)
    assert float(skipping.detach()) == pytest.approx(float(computing_all.detach()), rel=1e-6)
    assert short.keys() == full.keys() == dict(adapters.trainable_parameters(setup.model)).keys()
    assert max_difference(short, full) < 1e-4 * max(float(g.abs().max()) for g in full.values())


def test_no_logits_are_skipped_for_a_model_that_caps_its_logits() -> None:
    setup = kit(recipe())

    class Capped(type(setup.model)):  # type: ignore[misc]
        """A model that caps its logits after the output layer, as some families do."""

        def forward(self, *args: Any, **settings: Any) -> Any:
            output = super().forward(*args, **settings)
            output.logits = 0.1 * torch.tanh(output.logits / 0.1)
            return output

    setup.model.__class__ = Capped
    objective = tune.choose("causal", setup.model, setup.bundle.tokenizer)
    assert isinstance(objective, Causal)
    assert not objective.supervised_logits


@BOTH
def test_padding_does_not_change_the_loss_of_real_tokens(backbone: str) -> None:
    """Causal rows are padded on the right without a mask; seq2seq rows with one."""
    setup = kit(recipe(backbone), sums(6), sums(1, digits=9))
    setup.model.eval()
    longest = setup.splits.validation[0]
    assert max(map(len, longest)) > max(setup.splits.train_lengths)
    with torch.no_grad():
        for row in setup.splits.train:
            alone, n = setup.objective.loss(setup.model, setup.objective.collate([row]))
            batch = setup.objective.collate([row, longest])
            both, m = setup.objective.loss(setup.model, batch)
            longest_alone, k = setup.objective.loss(setup.model, setup.objective.collate([longest]))
            assert (int(n), int(m)) == (row.num_supervised, row.num_supervised + int(k))
            assert float(both) == pytest.approx(float(alone) + float(longest_alone), rel=1e-6)
            padded_logits = setup.model(input_ids=batch["input_ids"], **other_inputs(batch, setup)).logits
            single = setup.objective.collate([row])
            logits = setup.model(input_ids=single["input_ids"], **other_inputs(single, setup)).logits
            assert torch.allclose(padded_logits[:1, : logits.shape[1]], logits, atol=1e-5)


def other_inputs(batch: dict[str, Tensor], setup: Kit) -> dict[str, Tensor]:
    """Return what a seq2seq model takes besides input_ids."""
    if setup.bundle.kind == "causal":
        return {}
    decoder_input_ids = setup.model.prepare_decoder_input_ids_from_labels(labels=batch["labels"])
    return {"attention_mask": batch["attention_mask"], "decoder_input_ids": decoder_input_ids}


@BOTH
def test_the_mean_loss_equals_that_of_transformers(backbone: str) -> None:
    """The loss of transformers is the mean over the same targets."""
    setup = kit(recipe(backbone), sums(9))
    batch = setup.objective.collate(setup.splits.train)
    total, count = setup.objective.loss(setup.model.eval(), batch)
    mask = {} if setup.bundle.kind == "causal" else {"attention_mask": batch["attention_mask"]}
    expected = setup.model(input_ids=batch["input_ids"], labels=batch["labels"], **mask).loss
    assert float((total / count).detach()) == pytest.approx(float(expected.detach()), rel=1e-5)


def test_collate_pads_input_ids_with_zero_and_labels_with_ignored() -> None:
    objective = Causal(0)
    batch = objective.collate([Encoded([5, 6, 7], [IGNORE_INDEX, 6, 7]), Encoded([5], [IGNORE_INDEX])])
    assert batch["input_ids"].tolist() == [[5, 6, 7], [5, 0, 0]]
    assert batch["labels"].tolist() == [[IGNORE_INDEX, 6, 7], [IGNORE_INDEX] * 3]


CLIP = 2.0
"""Some gradients of the next test have a larger norm, some have not."""


def test_the_training_loop_equals_plain_pytorch(tmp_path: Path) -> None:
    """Fifty updates of `fit` are compared with twenty lines of PyTorch."""
    train = {"steps": 50, "weight_decay": 0.1, "clip": CLIP, "lr": 3e-3, "micro_batch": 3, "final_lr": 0.1}
    settings = recipe(train=train)
    trained_by_fit, reference = kit(settings, sums(60)), kit(settings, sums(60))
    trained_by_fit.fit(started(settings, tmp_path))

    model, rows = reference.model, reference.splits.train
    matrices = [p for p in model.parameters() if p.ndim > 1]
    vectors = [p for p in model.parameters() if p.ndim == 1]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.999))
    batches, norms = Batches(reference.splits.train_lengths, settings.train, settings.seed), []
    for step in range(50):
        update = [rows[i] for micro_batch in batches.update(step) for i in micro_batch]
        width = max(len(row.input_ids) for row in update)
        input_ids = torch.tensor([row.input_ids + [0] * (width - len(row.input_ids)) for row in update])
        labels = torch.tensor([row.labels + [-100] * (width - len(row.labels)) for row in update])
        logits = model(input_ids=input_ids).logits[:, :-1]
        loss = cross_entropy(logits.flatten(0, 1), labels[:, 1:].flatten())
        loss.backward()
        norms.append((loss.item(), torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP).item()))
        progress = (step - 5) / 45
        factor = (step + 1) / 5 if step < 5 else 0.1 + 0.9 * (1 + math.cos(math.pi * progress)) / 2
        for group in optimizer.param_groups:
            group["lr"] = 3e-3 * factor
        optimizer.step()
        optimizer.zero_grad()

    assert max_difference(weights(trained_by_fit.model), weights(model)) < 1e-5
    logged = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [(line["loss"], line["grad_norm"]) for line in logged] == [pytest.approx(pair, rel=1e-4) for pair in norms]
    assert min(norm for _, norm in norms) < CLIP < max(norm for _, norm in norms)
    assert max_difference(weights(model), weights(kit(settings, sums(60)).model)) > 1e-2


def test_the_learning_rate_warms_up_to_its_peak_and_decays() -> None:
    train = Train(lr=2.0, warmup=0.1, final_lr=0.25)
    rates = [optimizers.lr_at(step, 100, train) for step in range(100)]
    assert rates[:10] == pytest.approx([0.2 * (i + 1) for i in range(10)])
    assert max(rates) == rates[9] == rates[10] == 2.0
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert 0.5 < rates[-1] < 0.51
    assert rates[55] == pytest.approx(0.5 + 1.5 / 2)
    constant = Train(lr=2.0, warmup=0.0, schedule="constant")
    assert {optimizers.lr_at(step, 100, constant) for step in range(100)} == {2.0}
    assert optimizers.lr_at(0, 1, Train(lr=1.0, warmup=0.9)) == 1.0


def test_only_matrices_decay_and_only_trainable_weights_are_optimized() -> None:
    setup = kit(recipe(method=LORA))
    optimizer = optimizers.make_optimizer(setup.model, Train(weight_decay=0.3))
    optimized = {id(p) for group in optimizer.param_groups for p in group["params"]}
    assert optimized == {id(p) for _, p in adapters.trainable_parameters(setup.model)}
    full = optimizers.make_optimizer(kit(recipe()).model, Train(weight_decay=0.3))
    assert {(group["weight_decay"], p.ndim > 1) for group in full.param_groups for p in group["params"]} == {
        (0.3, True),
        (0.0, False),
    }


@pytest.mark.parametrize("max_logits", [1, 97 * 5, 2**24])
@pytest.mark.parametrize("frozen", ["nothing", "weight", "hidden"])
def test_chunked_cross_entropy_equals_plain_cross_entropy(
    max_logits: int, frozen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Value and gradients are compared, for several chunk sizes and with either input frozen."""
    monkeypatch.setattr(chunked_cross_entropy, "MAX_LOGITS", max_logits)
    generator = torch.Generator().manual_seed(3)
    hidden, weight = torch.randn(13, 8, generator=generator), torch.randn(97, 8, generator=generator)
    bias, targets = torch.randn(97, generator=generator), torch.randint(97, (13,), generator=generator)
    results = []
    for loss in (
        lambda h, w: chunked_cross_entropy.chunked_cross_entropy(h, w, bias, targets),
        lambda h, w: cross_entropy(linear(h, w, bias), targets, reduction="sum"),
    ):
        h, w = hidden.clone().requires_grad_(frozen != "hidden"), weight.clone().requires_grad_(frozen != "weight")
        value = loss(h, w)
        (value * 0.5).backward()
        results.append((value.detach(), h.grad, w.grad))
    for actual, expected in zip(*results, strict=True):
        assert (actual is None) == (expected is None)
        assert actual is None or torch.allclose(actual, expected, atol=1e-5)


@pytest.mark.parametrize("max_logits", [97, 97 * 5, 2**24])
@pytest.mark.parametrize("stored", [torch.float32, torch.bfloat16])
def test_chunks_sum_the_weight_gradient_in_float32_under_autocast(
    max_logits: int, stored: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sum in bfloat16 would lose what the last of many chunks add."""
    monkeypatch.setattr(chunked_cross_entropy, "MAX_LOGITS", max_logits)
    generator = torch.Generator().manual_seed(3)
    hidden, weight = torch.randn(400, 8, generator=generator), torch.randn(97, 8, generator=generator).to(stored)
    targets = torch.randint(97, (400,), generator=generator)
    exact = weight.float().clone().requires_grad_()
    cross_entropy(linear(hidden, exact), targets, reduction="sum").backward()
    h, w = hidden.clone().requires_grad_(), weight.clone().requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        loss = chunked_cross_entropy.chunked_cross_entropy(h, w, None, targets)
    loss.backward()
    assert loss.dtype == torch.float32
    assert w.grad is not None and exact.grad is not None and h.grad is not None
    assert w.grad.dtype == stored and h.grad.dtype == torch.float32
    bound = 1e-2  # the products are in bfloat16, which keeps 8 bits; a sum in it would be 2% off
    assert float((w.grad.float() - exact.grad).abs().max()) < bound * float(exact.grad.abs().max())


@BOTH
@pytest.mark.parametrize("method", [{"name": "full"}, LORA])
def test_losses_and_gradients_under_autocast_are_those_in_float32(
    backbone: str, method: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        chunked_cross_entropy, "MAX_LOGITS", 1000
    )  # several chunks in an update, as with a large vocabulary
    setup = kit(recipe(backbone, method=method), sums(12))
    batch = setup.objective.collate(setup.splits.train)
    exact, count = setup.objective.loss(setup.model, batch)
    expected = gradients(setup.model, exact)
    with torch.autocast("cpu", torch.bfloat16):
        loss, n = setup.objective.loss(setup.model, batch)
    actual = gradients(setup.model, loss)
    assert n == count and loss.dtype == torch.float32
    assert float(loss.detach()) == pytest.approx(float(exact.detach()), rel=1e-2)
    assert all(gradient.dtype == torch.float32 for gradient in actual.values())
    assert max_difference(actual, expected) < 5e-2 * max(float(gradient.abs().max()) for gradient in expected.values())


@BOTH
@pytest.mark.parametrize("method", [{"name": "full"}, LORA])
def test_training_in_bfloat16_learns_as_in_float32(
    backbone: str, method: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunked_cross_entropy, "MAX_LOGITS", 1000)
    losses = {}
    for precision in ("float32", "bfloat16"):
        settings = recipe(backbone, method=method, train={"precision": precision, "steps": 8})
        setup = kit(settings, sums(24), sums(9, seed=5))
        losses[precision] = setup.fit(started(settings, tmp_path / precision)).best
        assert all(p.dtype == torch.float32 for p in setup.model.parameters())
    assert losses["bfloat16"] == pytest.approx(losses["float32"], rel=2e-2)


def test_chunked_cross_entropy_saves_the_memory_of_the_logits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Autograd saves no logits for the backward pass."""
    setup = kit(recipe())
    batch = setup.objective.collate(setup.splits.train[:4])
    saved = [saved_bytes(lambda o=o: o.loss(setup.model, batch)[0], setup.model) for o in (
        tune.Causal(0, chunked=True), tune.Causal(0),
    )]  # fmt: skip
    targets = int((batch["labels"][:, 1:] != IGNORE_INDEX).sum())
    logits = 4 * targets * setup.model.get_output_embeddings().weight.shape[0]
    assert saved[1] - saved[0] >= logits


def test_lora_on_lm_head_gets_gradients_from_chunked_cross_entropy() -> None:
    setup = kit(recipe(method={"name": "lora", "rank": 4, "alpha": 8, "targets": ["lm_head"]}))
    assert setup.objective.chunked
    loss, _ = setup.objective.loss(setup.model, setup.objective.collate(setup.splits.train[:4]))
    loss.backward()
    assert any(
        p.grad is not None and p.grad.abs().sum() > 0 for n, p in setup.model.named_parameters() if "lora_B" in n
    )
