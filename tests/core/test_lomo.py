"""LOMO and AdaLomo: updates inside backward that are those of SGD, and gradients that are gone at once."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from kit import LLAMA, LORA, T5, Kit, apart, kit, mean_loss, recipe, same, started, sums, weights
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from instructzoo.core import tune
from instructzoo.core.errors import ZooError
from instructzoo.core.models import adapters
from instructzoo.core.recipe import Train
from instructzoo.core.tune import lomo, optimizers
from instructzoo.core.tune.lomo import AdaLomo, Lomo

ROWS = sums(24)


def made(rule: str = "lomo", backbone: str = LLAMA, tied: bool = True, **groups: Any) -> Kit:
    train = {"optimizer": rule, "steps": 6, "lr": 0.3, "clip": None} | groups.pop("train", {})
    one = kit(recipe(backbone, train=train, **groups), ROWS)
    if isinstance(one.objective, tune.Causal):
        one.objective.chunked = False  # it sums in another order; LOMO never does
    if not tied:
        one.tuned.config.tie_word_embeddings = False
        one.tuned.lm_head.weight = nn.Parameter(one.tuned.lm_head.weight.detach().clone())
    return one


def loss_of(one: Kit) -> tuple[Tensor, int]:
    loss, count = one.objective.loss(one.tuned, one.objective.collate(one.parts.train[:8]))
    return loss, int(count)


def logged(folder: Path) -> list[tuple[float, float | None]]:
    held = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [(line["loss"], line["grad_norm"]) for line in held]


def single(value: Tensor, rule: type[Lomo] = Lomo, lr: float = 0.1, decay: float = 0.0) -> tuple[Any, Lomo]:
    p = nn.Parameter(value)
    return p, rule([{"params": [p], "weight_decay": decay}], [p], lr)


def update(optimizer: Lomo, loss: Tensor, count: int = 1, clip: float | None = None) -> float | None:
    optimizer.hold(loss)
    norm = optimizer.divide_and_clip(count, clip)
    optimizer.step()
    return norm


@pytest.mark.parametrize("clip", [None, 0.5])
@pytest.mark.parametrize(
    ("tied", "checkpointed", "backbone", "method"),
    [
        (True, False, LLAMA, {"name": "full"}),
        (True, True, LLAMA, {"name": "full"}),
        (False, False, LLAMA, {"name": "full"}),
        (False, True, LLAMA, {"name": "full"}),
        (True, False, T5, {"name": "full"}),
        (True, True, LLAMA, LORA),
    ],
)
def test_lomo_equals_sgd_bit_for_bit(
    tied: bool, checkpointed: bool, backbone: str, method: dict[str, Any], clip: float | None, tmp_path: Path
) -> None:
    ends, logs = [], []
    for rule in ("sgd", "lomo"):
        train = {"clip": clip, "weight_decay": 0.1, "activation_checkpointing": checkpointed}
        one = made(rule, backbone, tied, method=method, train=train)
        before = weights(one.tuned)
        one.fit(started(one.recipe, tmp_path / rule))
        ends.append(weights(one.tuned))
        logs.append(logged(tmp_path / rule))
        assert not same(ends[-1], before)
    assert same(*ends)
    if clip is None:
        assert [loss for loss, _ in logs[0]] == [loss for loss, _ in logs[1]]
        assert {norm for _, norm in logs[1]} == {None}
    else:
        assert logs[0] == logs[1]
        assert max(norm for _, norm in logs[1] if norm) > clip


@pytest.mark.parametrize("clip", [0.05, 1e6])
def test_two_pass_clipping_equals_clip_grad_norm(clip: float) -> None:
    one, other = made(), made()
    loss, count = loss_of(other)
    loss.backward()
    parameters = [p for _, p in adapters.trainable_parameters(other.tuned)]
    torch._foreach_mul_([p.grad for p in parameters], 1 / count)
    expected = float(torch.nn.utils.clip_grad_norm_(parameters, clip))
    torch.optim.SGD(parameters, lr=0.3).step()

    before = weights(one.tuned)
    optimizer: Any = optimizers.make(one.tuned, one.recipe.train)
    optimizer.hold(loss_of(one)[0])
    assert optimizer.divide_and_clip(count, clip) == expected
    assert same(weights(one.tuned), before)  # the first pass only measures
    optimizer.step()
    assert same(weights(one.tuned), weights(other.tuned))


@pytest.mark.parametrize(("clip", "passes"), [(None, 1), (0.5, 2)])
def test_only_one_gradient_is_alive_at_a_time_and_none_afterwards(clip: float | None, passes: int) -> None:
    one = made()
    one.tuned.train()
    one.tuned.gradient_checkpointing_enable({"use_reentrant": False})
    parameters = dict(one.tuned.named_parameters())
    arrived: list[str] = []

    def seen(p: Tensor) -> None:
        alive = [name for name, other in parameters.items() if other.grad is not None]
        assert len(alive) == 1 and parameters[alive[0]] is p
        arrived.append(alive[0])

    hooks = [p.register_post_accumulate_grad_hook(seen) for p in parameters.values()]
    optimizer: Any = optimizers.make(one.tuned, one.recipe.train)
    loss, count = loss_of(one)
    update(optimizer, loss, count, clip)
    assert sorted(arrived) == sorted([*parameters] * passes)
    assert all(p.grad is None for p in parameters.values())
    for hook in hooks:
        hook.remove()
    held = weights(one.tuned)
    loss_of(one)[0].backward()  # no hook of an earlier pass is left
    assert all(p.grad is not None for p in parameters.values())
    assert same(weights(one.tuned), held)


def test_reentrant_checkpointing_of_a_shared_layer_is_an_error() -> None:
    """A layer that two reentrant segments share would be updated between them."""
    layer = nn.Linear(3, 3)
    optimizer = Lomo([{"params": list(layer.parameters())}], layer.parameters(), 0.1)
    x = torch.ones(2, 3, requires_grad=True)
    for _ in range(2):
        x = checkpoint(layer, x, use_reentrant=True)
    with pytest.raises(ZooError, match="arrived twice in one backward pass; expected once"):
        update(optimizer, x.sum())


@pytest.mark.parametrize("train", [{"micro_batch": 4}, {"micro_tokens": 64}])
def test_gradient_accumulation_with_lomo_is_an_error(train: dict[str, int], tmp_path: Path) -> None:
    one = made(train=train)
    before = weights(one.tuned)
    with pytest.raises(ZooError, match=r"LOMO frees each gradient .* one micro-batch per update; raise train\.micro_t"):
        one.fit(started(one.recipe, tmp_path))
    assert same(weights(one.tuned), before)
    optimizer: Any = optimizers.make(one.tuned, one.recipe.train)
    optimizer.hold(torch.ones(()))
    with pytest.raises(ZooError, match=r"several micro-batches.*train\.micro_batch"):
        optimizer.hold(torch.ones(()))


def test_lomo_with_float16_precision_or_compile_is_an_error() -> None:
    model = made().tuned
    with pytest.raises(ZooError, match=r"precision=float16 with LOMO; expected model\.weights=float16"):
        optimizers.make(model, Train(optimizer="lomo", precision="float16"))
    with pytest.raises(ZooError, match="hands over all its gradients at once"):
        optimizers.make(model, Train(optimizer="adalomo", compile=True))


@pytest.mark.parametrize("rule", [Lomo, AdaLomo])
def test_a_nan_gradient_is_an_error_unclipped_and_not_applied_when_clipped(rule: type[Lomo]) -> None:
    p, optimizer = single(torch.zeros(3), rule)
    with pytest.raises(ZooError, match=r"the gradient's norm is nan; expected a number; lower train\.lr"):
        update(optimizer, torch.sqrt(p * 0).sum())
    q, optimizer = single(torch.zeros(3), rule)
    optimizer.hold(torch.sqrt(q * 0).sum())
    assert math.isnan(optimizer.divide_and_clip(1, 1.0) or 0)
    assert q.equal(torch.zeros(3))  # the loop stops here


def test_a_clipped_run_stops_at_a_nan_gradient_with_weights_unchanged(tmp_path: Path) -> None:
    one = made(train={"clip": 1.0})
    objective = one.objective.loss

    def poisoned(model: Any, batch: Any) -> tuple[Tensor, Tensor]:
        loss, count = objective(model, batch)
        return loss + torch.sqrt(model.model.norm.weight * 0).sum(), count

    before = weights(one.tuned)
    one.objective.loss = poisoned
    with pytest.raises(ZooError, match="its gradient's norm nan at step 1"):
        one.fit(started(one.recipe, tmp_path))
    assert same(weights(one.tuned), before)


# float16 and bfloat16 weights


def test_a_float16_overflow_is_skipped_and_is_an_error_at_scale_one(tmp_path: Path) -> None:
    one = made(model={"weights": "float16"})
    optimizer: Any = optimizers.make(one.tuned, one.recipe.train)
    group, before = optimizer.param_groups[0], weights(one.tuned)
    group["scale"] = 2.0**40
    assert not math.isfinite(update(optimizer, *loss_of(one)) or 0)
    assert same(weights(one.tuned), before)
    assert (group["scale"], group["since_overflow"], group["updates"]) == (2.0**39, 0, 0)

    group["scale"], group["since_overflow"] = 2.0**8, lomo.GROWTH_INTERVAL - 1
    norm = update(optimizer, *loss_of(one))
    assert (group["scale"], group["since_overflow"], group["updates"]) == (2.0**9, 0, 1)
    plain = made("sgd", model={"weights": "float32"})
    loss, count = loss_of(plain)
    (loss / count).backward()
    assert norm == pytest.approx(float(nn.utils.get_total_norm([p.grad for p in plain.tuned.parameters()])), rel=1e-2)
    optimizers.make(plain.tuned, plain.recipe.train).step()
    assert apart({name: p.float() for name, p in weights(one.tuned).items()}, weights(plain.tuned)) < 2e-3

    group["scale"] = 1.0
    loss, count = loss_of(one)
    with pytest.raises(ZooError, match="overflow float16 even unscaled"):
        update(optimizer, loss * 1e8, count)


def test_float16_training_continues_after_an_overflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lomo, "SCALE", 2.0**26)
    one = made(model={"weights": "float16"}, train={"steps": 20, "warmup": 0})
    first = mean_loss(one)
    one.fit(started(one.recipe, tmp_path))
    norms = [norm for _, norm in logged(tmp_path)]
    assert norms[0] and not math.isfinite(norms[0])
    assert all(norm and math.isfinite(norm) for norm in norms[-5:])
    assert mean_loss(one) < first - 0.1


def test_bfloat16_keeps_small_updates_on_average() -> None:
    """Rounded to the nearest, 1 - 0.0001 is 1; by chance it is 1 on average 97 times in a hundred, else 1 - 1/256."""
    lr, steps, n = 1e-4, 30, 4096
    torch.manual_seed(0)
    p, optimizer = single(torch.ones(n, dtype=torch.bfloat16), lr=lr)
    plain = nn.Parameter(torch.ones(n, dtype=torch.bfloat16))
    sgd = torch.optim.SGD([plain], lr=lr)
    for _ in range(steps):
        update(optimizer, p.float().sum())
        plain.grad = torch.ones_like(plain)
        sgd.step()
    assert plain.equal(torch.ones_like(plain))
    moved, spread = 1 - float(p.detach().float().mean()), math.sqrt(steps * lr / 256 / n)
    assert moved == pytest.approx(steps * lr, abs=4 * spread)
    assert 4 * spread < steps * lr / 4


def test_stochastic_rounding_is_unbiased() -> None:
    torch.manual_seed(0)
    for value in (1.001, -3.7, 1e-30, 12345.6):
        drawn = lomo.stochastically_rounded(torch.full((20_000,), value)).double()
        low, high = drawn.min().item(), drawn.max().item()
        true = float(torch.tensor(value))
        assert low < true < high and len(drawn.unique()) == 2
        assert abs(drawn.mean().item() - true) < 4 * (high - low) / 2 / math.sqrt(len(drawn))
    exact = torch.tensor([0.0, 1.0, -2.5, math.inf, -math.inf, 2.0**-130])
    assert all(lomo.stochastically_rounded(exact).float().equal(exact) for _ in range(20))
    assert lomo.stochastically_rounded(torch.tensor([math.nan])).isnan().all()


# AdaLomo


def reference(p: Tensor, gradients: list[Tensor], lr: float, decay: float) -> Tensor:
    """AdaLomo of one vector or matrix, from the paper's equations, in double precision."""
    p, row, column, square = p.double(), 0.0, 0.0, 0.0
    for t, gradient in enumerate(gradients, 1):
        g, beta = gradient.double(), 1 - t**-0.8
        squared = g**2 + 1e-30
        if p.ndim == 1:
            square = beta * square + (1 - beta) * squared
            moment = square
        else:
            row = beta * row + (1 - beta) * squared.mean(1)
            column = beta * column + (1 - beta) * squared.mean(0)
            moment = torch.outer(row, column) / row.mean()
        u = g / moment.sqrt()
        u = u / max(1.0, float(u.pow(2).mean().sqrt()))
        rate = lr * max(1e-3, float(p.pow(2).mean().sqrt()))
        p = (1 - rate * decay) * p - rate * u
    return p


@pytest.mark.parametrize("shape", [(7,), (5, 7), (3, 5, 7), (4, 3, 2, 2)])
def test_adalomo_follows_the_equations_of_the_paper(shape: tuple[int, ...]) -> None:
    draw = torch.Generator().manual_seed(0)
    value, gradients = torch.randn(shape, generator=draw), [torch.randn(shape, generator=draw) for _ in range(5)]
    p, optimizer = single(value.clone(), AdaLomo, lr=0.1, decay=0.2)
    for gradient in gradients:
        update(optimizer, (p * gradient).sum() * 3, 3)
    if len(shape) == 3:  # a stack of matrices, each by itself
        expected = torch.stack([reference(value[i], [g[i] for g in gradients], 0.1, 0.2) for i in range(shape[0])])
    elif len(shape) == 4:
        expected = reference(value.flatten(1), [g.flatten(1) for g in gradients], 0.1, 0.2).reshape(shape)
    else:
        expected = reference(value, gradients, 0.1, 0.2)
    assert torch.allclose(p.double(), expected, rtol=1e-5, atol=1e-6)
    kept = sum(value.numel() for value in optimizer.state[p].values())
    assert kept == {(7,): 7, (5, 7): 12, (3, 5, 7): 36, (4, 3, 2, 2): 16}[shape]


def test_adalomo_moves_a_weight_of_zeros() -> None:
    """LoRA's second matrix starts there, so the rate must not be relative to nothing."""
    p, optimizer = single(torch.zeros(4, 4), AdaLomo, lr=0.1)
    update(optimizer, p.sum())
    assert torch.allclose(p, torch.full((4, 4), -1e-4))
