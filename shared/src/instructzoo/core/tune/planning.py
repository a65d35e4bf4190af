"""Memory and work of a training on other machines, from the shapes of the model alone.

The model is built of fake tensors (torch's FakeTensorMode), which have shapes and hold no numbers: forward and backward
pass tell what is stored and how many operations there are, for 11 billion parameters as for a thousand.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn.functional import cross_entropy
from torch.utils.flop_counter import FlopCounterMode

from instructzoo.core.models import adapters
from instructzoo.core.models.load_errors import load_errors
from instructzoo.core.models.quiet import quiet
from instructzoo.core.recipe import Model, Recipe, Train
from instructzoo.core.tune.activation_memory import saved_bytes
from instructzoo.core.tune.cards import Card

UTILISATION = 0.35
"""Assumed share of a card's peak rate. Runs of well-tuned code report .3 to .5; short rows and small models less."""

CONTEXT_BYTES = 600 * 2**20
"""Assumed memory of CUDA's context and of the libraries' workspaces."""

FRAGMENTATION = 0.05
"""Assumed share that the allocator cannot use."""

STATE_BYTES = {"adamw": 8, "paged-adamw": 8, "schedule-free": 8, "lion": 4, "adamw-8bit": 2, "paged-adamw-8bit": 2}
STATE_BYTES |= {"lion-8bit": 1, "adafactor": 0, "sgd": 0, "lomo": 0, "adalomo": 0}
"""Bytes per trained weight that an optimiser keeps; factored moments and block constants are small and left out."""

QUANTISED_BYTES = {"int8": 1.0, "nf4": 0.516, "fp4": 0.516}
"""Bytes per weight of a quantised linear layer, with the constants of blocks of 64."""


@dataclass(frozen=True)
class Shapes:
    """A model of fake tensors, and how to run it.

    Args:
        model: The model with its fine-tuning method applied.
        loss: Computes the loss of a micro-batch with this number of rows.
        units: Number of layers that activation checkpointing recomputes one at a time.
        gathered: Largest number of parameters that FSDP gathers at once.
    """

    model: Any
    loss: Callable[[int], Tensor]
    units: int
    gathered: int


@dataclass(frozen=True)
class Cost:
    """What one micro-batch costs.

    Args:
        stored: Bytes of activations without activation checkpointing.
        checkpointed: The same with it: the inputs of all layers, and the activations of one.
        flops: Floating-point operations of forward and backward pass.
        recomputed: Operations that checkpointing adds.
    """

    stored: int
    checkpointed: int
    flops: int
    recomputed: int


def measure(build: Callable[[], Shapes], rows: int, half: bool) -> tuple[Shapes, Cost]:
    """Run a micro-batch of fake tensors.

    Args:
        build: Makes the model on torch's meta device.
        rows: Rows of the micro-batch.
        half: Whether products are computed in half precision (autocast).
    """
    with torch.device("meta"):
        shapes = build()
    with FakeTensorMode(allow_non_fake_inputs=True):
        fake_parameters(shapes.model)
        shapes.model.train()

        def forward() -> Tensor:
            with torch.autocast("cpu", torch.bfloat16, enabled=half):
                return shapes.loss(rows)

        stored = saved_bytes(forward, shapes.model)
        with FlopCounterMode(display=False) as counter:
            loss = forward()
        first = counter.get_total_flops()
        with FlopCounterMode(display=False) as counter:
            loss.backward()  # type: ignore[no-untyped-call]
        flops = first + counter.get_total_flops()
        with quiet():
            adapters.unwrap_peft(shapes.model).gradient_checkpointing_enable({"use_reentrant": False})
        inputs = saved_bytes(forward, shapes.model)
    checkpointed = min(stored, inputs + stored // max(1, shapes.units))
    return shapes, Cost(stored, checkpointed, flops, first)


def fake_parameters(model: Any) -> None:
    """Replace the parameters and buffers of a model on the meta device by fake ones on the CPU, in place.

    The meta device has no autocast and no kernels of its own for attention; fake tensors behave like those of the CPU.
    """
    replaced: dict[int, Tensor] = {}  # a tied parameter stays tied
    for module in model.modules():
        for name, parameter in module.named_parameters(recurse=False):
            if id(parameter) not in replaced:
                fake = torch.empty(parameter.shape, dtype=parameter.dtype)
                replaced[id(parameter)] = nn.Parameter(fake, requires_grad=parameter.requires_grad)
            module.register_parameter(name, replaced[id(parameter)])
        for name, buffer in module.named_buffers(recurse=False):
            module.register_buffer(name, torch.empty(buffer.shape, dtype=buffer.dtype))


def text_shapes(recipe: Recipe, config: Any, tied: bool) -> Shapes:
    """Build a text model on the meta device; to be called within `torch.device("meta")`.

    All rows are as long as `model.max_tokens` allows, with answers of `decode.max_new_tokens`: the most that a row can
    cost.

    Args:
        recipe: The recipe.
        config: The configuration of the backbone.
        tied: Whether the output layer has the weights of the embeddings.

    Raises:
        ZooError: The configuration is not that of a language model.
    """
    from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM

    seq2seq = bool(config.is_encoder_decoder)
    auto_class = AutoModelForSeq2SeqLM if seq2seq else AutoModelForCausalLM
    quantised = recipe.model.quantisation != "none"
    dtype = torch.float32 if quantised else getattr(torch, recipe.model.weights)  # beside quantised layers, peft's own
    with load_errors(recipe.model.backbone):
        model = auto_class.from_config(config, dtype=dtype)
    if not tied:  # transformers 5 ties every T5 and decides by the weights, which are not at hand
        output = model.get_output_embeddings()
        output.weight = nn.Parameter(output.weight.detach().clone())
    if quantised:
        model.requires_grad_(False)
        for layer in quantised_layers(model):
            # Their products are computed in half precision, from weights that stay quantised.
            layer.weight = nn.Parameter(layer.weight.detach().to(torch.bfloat16), requires_grad=False)
    units = [module for module in model.modules() if type(module).__name__ in set(model._no_split_modules or ())]
    sizes = [sum(p.numel() for p in unit.parameters()) for unit in units]
    rest = sum(p.numel() for p in model.parameters()) - sum(sizes)
    tuned = adapters.apply(model, recipe.method, recipe.seed)
    length, answer = recipe.model.max_tokens, min(recipe.model.max_tokens - 1, recipe.decode.max_new_tokens)

    def loss(rows: int) -> Tensor:
        ids = torch.zeros(rows, length, dtype=torch.long)
        targets = ids[:, :answer].flatten()
        backbone = adapters.unwrap_peft(tuned)
        if seq2seq:
            logits = tuned(input_ids=ids, decoder_input_ids=ids[:, :answer], use_cache=False).logits
            return cross_entropy(logits.flatten(0, 1).float(), targets, reduction="sum")
        hidden = backbone.get_decoder()(input_ids=ids, use_cache=False).last_hidden_state[:, :answer]
        logits = backbone.get_output_embeddings()(hidden.flatten(0, 1))
        return cross_entropy(logits.float(), targets, reduction="sum")

    return Shapes(tuned, loss, len(units), max([rest, *(2 * size for size in sizes)]))


def quantised_layers(model: Any) -> list[nn.Linear]:
    """The layers that bitsandbytes quantises: all linear ones except the output layer."""
    output = model.get_output_embeddings()
    return [module for module in model.modules() if isinstance(module, nn.Linear) and module is not output]


def weight_bytes(model: Any, settings: Model) -> int:
    """Bytes of the weights: quantised layers, and all others in the dtype that they are loaded in."""
    parameters = list(model.parameters())
    if settings.quantisation == "none":
        return sum(p.numel() * p.element_size() for p in parameters)
    quantised = sum(p.numel() for p in parameters if p.dtype == torch.bfloat16 and not p.requires_grad)
    others = sum(4 * p.numel() for p in parameters) - 4 * quantised  # peft keeps them in float32
    return others + round(quantised * QUANTISED_BYTES[settings.quantisation])


def memory(shapes: Shapes, cost: Cost, recipe: Recipe, count: int, half: bool) -> dict[str, int]:
    """Bytes on each card, by kind.

    Args:
        shapes: The model.
        cost: The activations of a micro-batch.
        recipe: `train.sharding`, `train.optimizer`, `train.ema` and `train.activation_checkpointing` are read.
        count: Number of cards.
        half: Whether products are computed in half precision.

    Returns:
        Weights, gradients, optimiser state, activations, what exchanging gradients or gathering weights needs, and
        what CUDA and the allocator keep.
    """
    train, model = recipe.train, shapes.model
    trained = [p for p in model.parameters() if p.requires_grad]
    number, lomo = sum(p.numel() for p in trained), train.optimizer in ("lomo", "adalomo")
    gradients = sum(p.numel() * p.element_size() for p in trained)
    shards = count if train.sharding else 1
    accumulates = rows_per_micro_batch(train, recipe.model.max_tokens, count) * count < train.batch
    parts = {
        "weights": weight_bytes(model, recipe.model) // shards,
        "gradients": max(p.numel() * p.element_size() for p in trained) if lomo else gradients // shards,
        "optimizer": number * (STATE_BYTES[train.optimizer] + (4 if train.ema else 0)) // shards,
        "activations": cost.checkpointed if train.activation_checkpointing else cost.stored,
    }
    if count > 1:
        # DDP copies gradients into buckets. FSDP gathers layers, and adds up whole gradients until they are exchanged.
        gathered = shapes.gathered * (2 if half else 4) + (gradients if accumulates else 0)
        parts["exchange"] = gathered if train.sharding else gradients
    parts["context"] = CONTEXT_BYTES
    parts["fragmentation"] = round(FRAGMENTATION * sum(parts.values()))
    return parts


def rows_per_micro_batch(train: Train, tokens: int, count: int) -> int:
    """Rows of a micro-batch on each of `count` cards, where every row has this number of tokens."""
    per_card = -(-train.batch // count)
    return min(per_card, train.micro_batch or max(1, train.micro_tokens // tokens))


def computes_in_half(train: Train, card: Card) -> bool:
    """Whether products are computed in half precision, as the loop decides on that card."""
    return card.bfloat16 if train.precision == "auto" else train.precision != "float32"


def seconds_per_update(cost: Cost, train: Train, rows: int, count: int, card: Card, half: bool) -> float:
    """Seconds of an update at UTILISATION of the card's peak."""
    flops = cost.flops + (cost.recomputed if train.activation_checkpointing else 0)
    per_card = flops * -(-train.batch // count) / rows
    return per_card / (UTILISATION * 1e12 * (card.half if half else card.float32))
