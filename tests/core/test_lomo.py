"""LOMO and AdaLomo: updates inside backward equal those of SGD, and each gradient is freed at once."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from kit import LLAMA, LORA, T5, Kit, kit, max_difference, mean_loss, recipe, same, started, sums, weights
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from instructzoo.core import tune
from instructzoo.core.errors import ZooError
from instructzoo.core.models import adapters
from instructzoo.core.recipe import Train
from instructzoo.core.tune import lomo, optimizers
from instructzoo.core.tune.lomo import AdaLomo, Lomo

ROWS = sums(24)


def make_setup(optimizer: str = "lomo", backbone: str = LLAMA, tied: bool = True, **groups: Any) -> Kit:
    train = {"optimizer": optimizer, "steps": 6, "lr": 0.3, "clip": None} | groups.pop("train", {})
    setup = kit(recipe(backbone, train=train, **groups), ROWS)
    if isinstance(setup.objective, tune.Causal):
        setup.objective.chunked = False  # chunks sum in another order; LOMO does not use them
    if not tied:
        setup.model.config.tie_word_embeddings = False
        setup.model.lm_head.weight = nn.Parameter(setup.model.lm_head.weight.detach().clone())
    return setup


def loss_of(setup: Kit) -> tuple[Tensor, int]:
    """Return the summed loss of eight rows and its number of targets."""
    loss, count = setup.objective.loss(setup.model, setup.objective.collate(setup.splits.train[:8]))
    return loss, int(count)


def logged(folder: Path) -> list[tuple[float, float | None]]:
    records = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [(line["loss"], line["grad_norm"]) for line in records]


def single_parameter(
    value: Tensor, optimizer_class: type[Lomo] = Lomo, lr: float = 0.1, decay: float = 0.0
) -> tuple[Any, Lomo]:
    p = nn.Parameter(value)
    return p, optimizer_class([{"params": [p], "weight_decay": decay}], [p], lr)


def update(optimizer: Lomo, loss: Tensor, num_targets: int = 1, max_norm: float | None = None) -> float | None:
    """Do one update; return the norm of the gradient, if it was measured."""
    optimizer.hold(loss)
    norm = optimizer.divide_and_clip(num_targets, max_norm)
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
    final_weights, logs = [], []
    for optimizer in ("sgd", "lomo"):
        train = {"clip": clip, "weight_decay": 0.1, "activation_checkpointing": checkpointed}
        setup = make_setup(optimizer, backbone, tied, method=method, train=train)
        before = weights(setup.model)
        setup.fit(started(setup.recipe, tmp_path / optimizer))
        final_weights.append(weights(setup.model))
        logs.append(logged(tmp_path / optimizer))
        assert not same(final_weights[-1], before)
    assert same(*final_weights)
    if clip is None:
        assert [loss for loss, _ in logs[0]] == [loss for loss, _ in logs[1]]
        assert {norm for _, norm in logs[1]} == {None}
    else:
        assert logs[0] == logs[1]
        assert max(norm for _, norm in logs[1] if norm) > clip


@pytest.mark.parametrize("clip", [0.05, 1e6])
def test_two_pass_clipping_equals_clip_grad_norm(clip: float) -> None:
    setup, reference = make_setup(), make_setup()
    loss, count = loss_of(reference)
    loss.backward()
    parameters = [p for _, p in adapters.trainable_parameters(reference.model)]
    torch._foreach_mul_([p.grad for p in parameters], 1 / count)
    expected = float(torch.nn.utils.clip_grad_norm_(parameters, clip))
    torch.optim.SGD(parameters, lr=0.3).step()

    before = weights(setup.model)
    optimizer: Any = optimizers.make_optimizer(setup.model, setup.recipe.train)
    optimizer.hold(loss_of(setup)[0])
    assert optimizer.divide_and_clip(count, clip) == expected
    assert same(weights(setup.model), before)  # the first pass only measures
    optimizer.step()
    assert same(weights(setup.model), weights(reference.model))


@pytest.mark.parametrize(("clip", "passes"), [(None, 1), (0.5, 2)])
def test_only_one_gradient_is_alive_at_a_time_and_none_afterwards(clip: float | None, passes: int) -> None:
    setup = make_setup()
    setup.model.train()
    setup.model.gradient_checkpointing_enable({"use_reentrant": False})
    parameters = dict(setup.model.named_parameters())
    arrived: list[str] = []

    def record(p: Tensor) -> None:
        alive = [name for name, parameter in parameters.items() if parameter.grad is not None]
        assert len(alive) == 1 and parameters[alive[0]] is p
        arrived.append(alive[0])

    hooks = [p.register_post_accumulate_grad_hook(record) for p in parameters.values()]
    optimizer: Any = optimizers.make_optimizer(setup.model, setup.recipe.train)
    loss, count = loss_of(setup)
    update(optimizer, loss, count, clip)
    assert sorted(arrived) == sorted([*parameters] * passes)
    assert all(p.grad is None for p in parameters.values())
    for hook in hooks:
        hook.remove()
    before = weights(setup.model)
    loss_of(setup)[0].backward()  # no hook of an earlier pass is left
    assert all(p.grad is not None for p in parameters.values())
    assert same(weights(setup.model), before)


def test_reentrant_checkpointing_of_a_shared_layer_is_an_error() -> None:
    """A layer shared by two reentrant segments would be updated between their backward passes."""
    layer = nn.Linear(3, 3)
    optimizer = Lomo([{"params": list(layer.parameters())}], layer.parameters(), 0.1)
    x = torch.ones(2, 3, requires_grad=True)
    for _ in range(2):
        x = checkpoint(layer, x, use_reentrant=True)
    with pytest.raises(ZooError, match="arrived twice in one backward pass; expected once"):
        update(optimizer, x.sum())


@pytest.mark.parametrize("train", [{"micro_batch": 4}, {"micro_tokens": 64}])
def test_gradient_accumulation_with_lomo_is_an_error(train: dict[str, int], tmp_path: Path) -> None:
    setup = make_setup(train=train)
    before = weights(setup.model)
    with pytest.raises(ZooError, match=r"LOMO frees each gradient .* one micro-batch per update; raise train\.micro_t"):
        setup.fit(started(setup.recipe, tmp_path))
    assert same(weights(setup.model), before)
    optimizer: Any = optimizers.make_optimizer(setup.model, setup.recipe.train)
    optimizer.hold(torch.ones(()))
    with pytest.raises(ZooError, match=r"several micro-batches.*train\.micro_batch"):
        optimizer.hold(torch.ones(()))


def test_lomo_with_float16_precision_or_compile_is_an_error() -> None:
    model = make_setup().model
    with pytest.raises(ZooError, match=r"precision=float16 with LOMO; expected model\.weights=float16"):
        optimizers.make_optimizer(model, Train(optimizer="lomo", precision="float16"))
    with pytest.raises(ZooError, match="hands over all its gradients at once"):
        optimizers.make_optimizer(model, Train(optimizer="adalomo", compile=True))


@pytest.mark.parametrize("optimizer_class", [Lomo, AdaLomo])
def test_a_nan_gradient_is_an_error_unclipped_and_not_applied_when_clipped(optimizer_class: type[Lomo]) -> None:
    p, optimizer = single_parameter(torch.zeros(3), optimizer_class)
    with pytest.raises(ZooError, match=r"the gradient's norm is nan; expected a number; lower train\.lr"):
        update(optimizer, torch.sqrt(p * 0).sum())
    q, optimizer = single_parameter(torch.zeros(3), optimizer_class)
    optimizer.hold(torch.sqrt(q * 0).sum())
    assert math.isnan(optimizer.divide_and_clip(1, 1.0) or 0)
    assert q.equal(torch.zeros(3))  # the loop stops here


def test_a_clipped_run_stops_at_a_nan_gradient_with_weights_unchanged(tmp_path: Path) -> None:
    setup = make_setup(train={"clip": 1.0})
    loss_function = setup.objective.loss

    def loss_with_nan_gradient(model: Any, batch: Any) -> tuple[Tensor, Tensor]:
        loss, count = loss_function(model, batch)
        return loss + torch.sqrt(model.model.norm.weight * 0).sum(), count

    before = weights(setup.model)
    setup.objective.loss = loss_with_nan_gradient
    with pytest.raises(ZooError, match="its gradient's norm nan at step 1"):
        setup.fit(started(setup.recipe, tmp_path))
    assert same(weights(setup.model), before)


# float16 and bfloat16 weights


def test_a_float16_overflow_is_skipped_and_is_an_error_at_scale_one(tmp_path: Path) -> None:
    setup = make_setup(model={"weights": "float16"})
    optimizer: Any = optimizers.make_optimizer(setup.model, setup.recipe.train)
    group, before = optimizer.param_groups[0], weights(setup.model)
    group["scale"] = 2.0**40
    assert not math.isfinite(update(optimizer, *loss_of(setup)) or 0)
    assert same(weights(setup.model), before)
    assert (group["scale"], group["since_overflow"], group["updates"]) == (2.0**39, 0, 0)

    group["scale"], group["since_overflow"] = 2.0**8, lomo.GROWTH_INTERVAL - 1
    norm = update(optimizer, *loss_of(setup))
    assert (group["scale"], group["since_overflow"], group["updates"]) == (2.0**9, 0, 1)
    plain = make_setup("sgd", model={"weights": "float32"})
    loss, count = loss_of(plain)
    (loss / count).backward()
    assert norm == pytest.approx(float(nn.utils.get_total_norm([p.grad for p in plain.model.parameters()])), rel=1e-2)
    optimizers.make_optimizer(plain.model, plain.recipe.train).step()
    assert max_difference({name: p.float() for name, p in weights(setup.model).items()}, weights(plain.model)) < 2e-3

    group["scale"] = 1.0
    loss, count = loss_of(setup)
    with pytest.raises(ZooError, match="overflow float16 even unscaled"):
        update(optimizer, loss * 1e8, count)


def test_float16_training_continues_after_an_overflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lomo, "SCALE", 2.0**26)
    setup = make_setup(model={"weights": "float16"}, train={"steps": 20, "warmup": 0})
    first = mean_loss(setup)
    setup.fit(started(setup.recipe, tmp_path))
    norms = [norm for _, norm in logged(tmp_path)]
    assert norms[0] and not math.isfinite(norms[0])
    assert all(norm and math.isfinite(norm) for norm in norms[-5:])
    assert mean_loss(setup) < first - 0.1


def test_bfloat16_keeps_small_updates_on_average() -> None:
    """Rounded to the nearest, 1 - 0.0001 is 1; stochastically it is 1 - 1/256 in 3 of 100 cases, and 1 otherwise."""
    lr, steps, n = 1e-4, 30, 4096
    torch.manual_seed(0)
    p, optimizer = single_parameter(torch.ones(n, dtype=torch.bfloat16), lr=lr)
    plain = nn.Parameter(torch.ones(n, dtype=torch.bfloat16))
    sgd = torch.optim.SGD([plain], lr=lr)
    for _ in range(steps):
        update(optimizer, p.float().sum())
        plain.grad = torch.ones_like(plain)
        sgd.step()
    assert plain.equal(torch.ones_like(plain))
    change, standard_error = 1 - float(p.detach().float().mean()), math.sqrt(steps * lr / 256 / n)
    assert change == pytest.approx(steps * lr, abs=4 * standard_error)
    assert 4 * standard_error < steps * lr / 4


def test_stochastic_rounding_is_unbiased() -> None:
    torch.manual_seed(0)
    for value in (1.001, -3.7, 1e-30, 12345.6):
        rounded = lomo.stochastically_rounded(torch.full((20_000,), value)).double()
        low, high = rounded.min().item(), rounded.max().item()
        true = float(torch.tensor(value))
        assert low < true < high and len(rounded.unique()) == 2
        assert abs(rounded.mean().item() - true) < 4 * (high - low) / 2 / math.sqrt(len(rounded))
    exact = torch.tensor([0.0, 1.0, -2.5, math.inf, -math.inf, 2.0**-130])
    assert all(lomo.stochastically_rounded(exact).float().equal(exact) for _ in range(20))
    assert lomo.stochastically_rounded(torch.tensor([math.nan])).isnan().all()


# AdaLomo


def reference(p: Tensor, gradients: list[Tensor], lr: float, decay: float) -> Tensor:
    """Compute AdaLomo for one vector or matrix from the equations of the paper, in double precision."""
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
    generator = torch.Generator().manual_seed(0)
    value, gradients = (
        torch.randn(shape, generator=generator),
        [torch.randn(shape, generator=generator) for _ in range(5)],
    )
    p, optimizer = single_parameter(value.clone(), AdaLomo, lr=0.1, decay=0.2)
    for gradient in gradients:
        update(optimizer, (p * gradient).sum() * 3, 3)
    if len(shape) == 3:  # a stack of matrices, each treated by itself
        expected = torch.stack([reference(value[i], [g[i] for g in gradients], 0.1, 0.2) for i in range(shape[0])])
    elif len(shape) == 4:
        expected = reference(value.flatten(1), [g.flatten(1) for g in gradients], 0.1, 0.2).reshape(shape)
    else:
        expected = reference(value, gradients, 0.1, 0.2)
    assert torch.allclose(p.double(), expected, rtol=1e-5, atol=1e-6)
    state_size = sum(value.numel() for value in optimizer.state[p].values())
    assert state_size == {(7,): 7, (5, 7): 12, (3, 5, 7): 36, (4, 3, 2, 2): 16}[shape]


def test_adalomo_moves_a_weight_of_zeros() -> None:
    """LoRA's second matrix starts at zero, so the learning rate must not be relative to a norm of zero."""
    p, optimizer = single_parameter(torch.zeros(4, 4), AdaLomo, lr=0.1)
    update(optimizer, p.sum())
    assert torch.allclose(p, torch.full((4, 4), -1e-4))
