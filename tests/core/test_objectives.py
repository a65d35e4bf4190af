"""A loss is a sum and a count until the very end: nothing about batching, padding or skipping changes it."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from kit import LLAMA, LORA, T5, Kit, apart, kit, recipe, started, sums, weights
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
    made = kit(settings, sums(24), sums(9, seed=5))
    made.fit(started(settings, folder))
    return made


@BOTH
@pytest.mark.parametrize("method", [{"name": "full"}, LORA])
def test_the_first_update_is_independent_of_the_micro_batch_size(
    backbone: str, method: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """8x1, 4x2, 2x4 and 1x8: rows of different lengths, so a mean of means would be off by far more.

    AdamW forgives a wrong factor, so the gradients themselves are compared, also with those of the plain mean.
    """
    seen: list[dict[str, Tensor]] = []
    divide = loop.divide_and_clip

    def spying(accelerator: Any, optimizer: Any, tuned: Any, *rest: Any) -> float:
        norm = divide(accelerator, optimizer, tuned, *rest)
        seen.append({name: p.grad.clone() for name, p in adapters.trainable_parameters(tuned)})
        return norm

    monkeypatch.setattr(loop, "divide_and_clip", spying)
    ends = []
    for micro in (8, 4, 2, 1):
        train = {"steps": 1, "micro_batch": micro, "warmup": 0, "clip": None}
        made = trained(recipe(backbone, method=method, train=train), tmp_path / str(micro))
        ends.append(weights(made.tuned))
    fresh = kit(made.recipe, sums(24), sums(9, seed=5))
    chosen = [row for rows in Batches(fresh.parts.lengths, fresh.recipe.train, 0).update(0) for row in rows]
    loss, count = fresh.objective.loss(fresh.tuned, fresh.objective.collate([fresh.parts.train[row] for row in chosen]))
    plain = gradients(fresh.tuned, loss / count)
    largest = max(float(g.abs().max()) for g in plain.values())
    assert all(apart(plain, found) < 1e-6 * max(1.0, largest) for found in seen)  # as exact as float32 is
    assert largest > 1e-2
    # AdamW's first step is the gradient's sign: of one that is only rounding it says nothing
    clear = {name: gradient.abs() > 1e-5 for name, gradient in plain.items()}
    for end in ends[1:]:
        assert all(torch.equal(end[name], ends[0][name]) for name in end if name not in plain)
        assert all(float(((end[n] - ends[0][n]) * sure).abs().max()) < 1e-6 for n, sure in clear.items())
    assert sum(int(sure.sum()) for sure in clear.values()) > 1000
    assert apart(ends[0], weights(fresh.tuned)) > 5e-4


@BOTH
def test_the_validation_loss_is_independent_of_the_batch_size(backbone: str) -> None:
    made = kit(recipe(backbone), sums(8), sums(30, seed=3, digits=5))
    module = LossModule(made.tuned, made.objective)
    sizes: list[dict[str, int]] = [{"micro_batch": n} for n in (1, 7, 30)]
    sizes += [{"micro_tokens": n} for n in (16, 300, 100_000)]
    found = [loop.validation_loss(module, made.objective, made.parts, Train(**size), "cpu") for size in sizes]
    assert max(found) - min(found) < 1e-6 * max(found)
    alone = [made.objective.loss(made.tuned.eval(), made.objective.collate([row])) for row in made.parts.validation]
    assert found[0] == pytest.approx(sum(float(x.detach()) for x, _ in alone) / sum(int(n) for _, n in alone))


def test_dropout_is_off_during_validation(tmp_path: Path) -> None:
    made = kit(recipe(T5, model={"dropout": 0.5}), sums(8), sums(9, seed=3))
    module = LossModule(made.tuned, made.objective).train()
    found = {loop.validation_loss(module, made.objective, made.parts, Train(), "cpu") for _ in range(3)}
    assert len(found) == 1


@pytest.mark.parametrize("method", [{"name": "full"}, LORA])
def test_skipping_unsupervised_logits_keeps_the_loss_and_gradients(method: dict[str, Any]) -> None:
    made = kit(recipe(method=method), sums(12))
    batch = made.objective.collate(made.parts.train)
    assert made.objective.supervised_logits
    pad = made.loaded.tokenizer.pad_token_id
    (some, n), (every, m) = (Causal(pad, skip).loss(made.tuned, batch) for skip in (True, False))
    short, full = gradients(made.tuned, some), gradients(made.tuned, every)
    some, every = some.detach(), every.detach()
    assert n == m == sum(e.supervised for e in made.parts.train)
    assert float(some) == pytest.approx(float(every), rel=1e-6)
    assert short.keys() == full.keys() == dict(adapters.trainable_parameters(made.tuned)).keys()
    assert apart(short, full) < 1e-4 * max(float(g.abs().max()) for g in full.values())


def test_no_logits_are_skipped_for_a_model_that_caps_its_logits() -> None:
    made = kit(recipe())

    class Capped(type(made.tuned)):  # type: ignore[misc]
        """As some families do: a cap on the logits after the output layer."""

        def forward(self, *args: Any, **settings: Any) -> Any:
            out = super().forward(*args, **settings)
            out.logits = 0.1 * torch.tanh(out.logits / 0.1)
            return out

    made.tuned.__class__ = Capped
    chosen = tune.choose("causal", made.tuned, made.loaded.tokenizer)
    assert isinstance(chosen, Causal)
    assert not chosen.supervised_logits


@BOTH
def test_padding_does_not_change_the_loss_of_real_tokens(backbone: str) -> None:
    """Causal rows are padded on the right without a mask; seq2seq rows with one."""
    made = kit(recipe(backbone), sums(6), sums(1, digits=9))
    made.tuned.eval()
    longest = made.parts.validation[0]
    assert max(map(len, longest)) > max(made.parts.lengths)
    with torch.no_grad():
        for row in made.parts.train:
            alone, n = made.objective.loss(made.tuned, made.objective.collate([row]))
            batch = made.objective.collate([row, longest])
            both, m = made.objective.loss(made.tuned, batch)
            other, k = made.objective.loss(made.tuned, made.objective.collate([longest]))
            assert (int(n), int(m)) == (row.supervised, row.supervised + int(k))
            assert float(both) == pytest.approx(float(alone) + float(other), rel=1e-6)
            blind = made.tuned(input_ids=batch["ids"], **rest(batch, made)).logits
            bare = made.objective.collate([row])
            seen = made.tuned(input_ids=bare["ids"], **rest(bare, made)).logits
            assert torch.allclose(blind[:1, : seen.shape[1]], seen, atol=1e-5)


def rest(batch: dict[str, Tensor], made: Kit) -> dict[str, Tensor]:
    """What a seq2seq model takes besides its ids."""
    if made.loaded.kind == "causal":
        return {}
    opening = made.tuned.prepare_decoder_input_ids_from_labels(labels=batch["labels"])
    return {"attention_mask": batch["mask"], "decoder_input_ids": opening}


@BOTH
def test_the_mean_loss_equals_that_of_transformers(backbone: str) -> None:
    """transformers' own loss is the mean over the same targets."""
    made = kit(recipe(backbone), sums(9))
    batch = made.objective.collate(made.parts.train)
    total, count = made.objective.loss(made.tuned.eval(), batch)
    mask = {} if made.loaded.kind == "causal" else {"attention_mask": batch["mask"]}
    theirs = made.tuned(input_ids=batch["ids"], labels=batch["labels"], **mask).loss
    assert float((total / count).detach()) == pytest.approx(float(theirs.detach()), rel=1e-5)


def test_collate_pads_input_ids_with_zero_and_labels_with_ignored() -> None:
    objective = Causal(0)
    batch = objective.collate([Encoded([5, 6, 7], [IGNORE_INDEX, 6, 7]), Encoded([5], [IGNORE_INDEX])])
    assert batch["ids"].tolist() == [[5, 6, 7], [5, 0, 0]]
    assert batch["labels"].tolist() == [[IGNORE_INDEX, 6, 7], [IGNORE_INDEX] * 3]


CLIP = 2.0
"""Some of the gradients of the next test are longer, some are not."""


def test_the_training_loop_equals_plain_pytorch(tmp_path: Path) -> None:
    """Fifty updates of `fit` against twenty plain lines."""
    train = {"steps": 50, "weight_decay": 0.1, "clip": CLIP, "lr": 3e-3, "micro_batch": 3, "final_lr": 0.1}
    settings = recipe(train=train)
    mine, reference = kit(settings, sums(60)), kit(settings, sums(60))
    mine.fit(started(settings, tmp_path))

    model, rows = reference.tuned, reference.parts.train
    matrices = [p for p in model.parameters() if p.ndim > 1]
    vectors = [p for p in model.parameters() if p.ndim == 1]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.999))
    batches, norms = Batches(reference.parts.lengths, settings.train, settings.seed), []
    for step in range(50):
        chosen = [rows[i] for micro in batches.update(step) for i in micro]
        width = max(len(row.ids) for row in chosen)
        ids = torch.tensor([row.ids + [0] * (width - len(row.ids)) for row in chosen])
        labels = torch.tensor([row.labels + [-100] * (width - len(row.labels)) for row in chosen])
        logits = model(input_ids=ids).logits[:, :-1]
        loss = cross_entropy(logits.flatten(0, 1), labels[:, 1:].flatten())
        loss.backward()
        norms.append((loss.item(), torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP).item()))
        done = (step - 5) / 45
        rate = (step + 1) / 5 if step < 5 else 0.1 + 0.9 * (1 + math.cos(math.pi * done)) / 2
        for group in optimizer.param_groups:
            group["lr"] = 3e-3 * rate
        optimizer.step()
        optimizer.zero_grad()

    assert apart(weights(mine.tuned), weights(model)) < 1e-5
    logged = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [(line["loss"], line["grad_norm"]) for line in logged] == [pytest.approx(pair, rel=1e-4) for pair in norms]
    assert min(norm for _, norm in norms) < CLIP < max(norm for _, norm in norms)
    assert apart(weights(model), weights(kit(settings, sums(60)).tuned)) > 1e-2


def test_the_learning_rate_warms_up_to_its_peak_and_decays() -> None:
    train = Train(lr=2.0, warmup=0.1, final_lr=0.25)
    rates = [optimizers.lr_at(step, 100, train) for step in range(100)]
    assert rates[:10] == pytest.approx([0.2 * (i + 1) for i in range(10)])
    assert max(rates) == rates[9] == rates[10] == 2.0
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert 0.5 < rates[-1] < 0.51
    assert rates[55] == pytest.approx(0.5 + 1.5 / 2)
    flat = Train(lr=2.0, warmup=0.0, schedule="constant")
    assert {optimizers.lr_at(step, 100, flat) for step in range(100)} == {2.0}
    assert optimizers.lr_at(0, 1, Train(lr=1.0, warmup=0.9)) == 1.0


def test_only_matrices_decay_and_only_trainable_weights_are_optimized() -> None:
    made = kit(recipe(method=LORA))
    optimizer = optimizers.make(made.tuned, Train(weight_decay=0.3))
    held = {id(p) for group in optimizer.param_groups for p in group["params"]}
    assert held == {id(p) for _, p in adapters.trainable_parameters(made.tuned)}
    full = optimizers.make(kit(recipe()).tuned, Train(weight_decay=0.3))
    assert {(group["weight_decay"], p.ndim > 1) for group in full.param_groups for p in group["params"]} == {
        (0.3, True),
        (0.0, False),
    }


@pytest.mark.parametrize("cells", [1, 97 * 5, 2**24])
@pytest.mark.parametrize("frozen", ["nothing", "weight", "hidden"])
def test_chunked_cross_entropy_equals_plain_cross_entropy(
    cells: int, frozen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its value and its gradients are those of cross-entropy, for any size of a chunk and whatever is frozen."""
    monkeypatch.setattr(chunked_cross_entropy, "MAX_LOGITS", cells)
    draw = torch.Generator().manual_seed(3)
    hidden, weight = torch.randn(13, 8, generator=draw), torch.randn(97, 8, generator=draw)
    bias, targets = torch.randn(97, generator=draw), torch.randint(97, (13,), generator=draw)
    found = []
    for loss in (
        lambda h, w: chunked_cross_entropy.chunked_cross_entropy(h, w, bias, targets),
        lambda h, w: cross_entropy(linear(h, w, bias), targets, reduction="sum"),
    ):
        h, w = hidden.clone().requires_grad_(frozen != "hidden"), weight.clone().requires_grad_(frozen != "weight")
        value = loss(h, w)
        (value * 0.5).backward()
        found.append((value.detach(), h.grad, w.grad))
    for one, other in zip(*found, strict=True):
        assert (one is None) == (other is None)
        assert one is None or torch.allclose(one, other, atol=1e-5)


@pytest.mark.parametrize("cells", [97, 97 * 5, 2**24])
@pytest.mark.parametrize("stored", [torch.float32, torch.bfloat16])
def test_chunks_sum_the_weight_gradient_in_float32_under_autocast(
    cells: int, stored: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many chunks there are: a sum in bfloat16 would lose what a late chunk adds to a large one."""
    monkeypatch.setattr(chunked_cross_entropy, "MAX_LOGITS", cells)
    draw = torch.Generator().manual_seed(3)
    hidden, weight = torch.randn(400, 8, generator=draw), torch.randn(97, 8, generator=draw).to(stored)
    targets = torch.randint(97, (400,), generator=draw)
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
    made = kit(recipe(backbone, method=method), sums(12))
    batch = made.objective.collate(made.parts.train)
    exact, count = made.objective.loss(made.tuned, batch)
    expected = gradients(made.tuned, exact)
    with torch.autocast("cpu", torch.bfloat16):
        loss, n = made.objective.loss(made.tuned, batch)
    found = gradients(made.tuned, loss)
    assert n == count and loss.dtype == torch.float32
    assert float(loss.detach()) == pytest.approx(float(exact.detach()), rel=1e-2)
    assert all(gradient.dtype == torch.float32 for gradient in found.values())
    assert apart(found, expected) < 5e-2 * max(float(gradient.abs().max()) for gradient in expected.values())


@BOTH
@pytest.mark.parametrize("method", [{"name": "full"}, LORA])
def test_training_in_bfloat16_learns_as_in_float32(
    backbone: str, method: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunked_cross_entropy, "MAX_LOGITS", 1000)
    losses = {}
    for precision in ("float32", "bfloat16"):
        settings = recipe(backbone, method=method, train={"precision": precision, "steps": 8})
        made = kit(settings, sums(24), sums(9, seed=5))
        losses[precision] = made.fit(started(settings, tmp_path / precision)).best
        assert all(p.dtype == torch.float32 for p in made.tuned.parameters())
    assert losses["bfloat16"] == pytest.approx(losses["float32"], rel=2e-2)


def test_chunked_cross_entropy_saves_the_memory_of_the_logits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Autograd keeps nothing of them for the backward pass."""
    made = kit(recipe())
    batch = made.objective.collate(made.parts.train[:4])
    kept = [saved_bytes(lambda o=o: o.loss(made.tuned, batch)[0], made.tuned) for o in (
        tune.Causal(0, chunked=True), tune.Causal(0),
    )]  # fmt: skip
    targets = int((batch["labels"][:, 1:] != IGNORE_INDEX).sum())
    logits = 4 * targets * made.tuned.get_output_embeddings().weight.shape[0]
    assert kept[1] - kept[0] >= logits


def test_lora_on_lm_head_gets_gradients_from_chunked_cross_entropy() -> None:
    made = kit(recipe(method={"name": "lora", "rank": 4, "alpha": 8, "targets": ["lm_head"]}))
    assert made.objective.chunked
    loss, _ = made.objective.loss(made.tuned, made.objective.collate(made.parts.train[:4]))
    loss.backward()
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for n, p in made.tuned.named_parameters() if "lora_B" in n)
