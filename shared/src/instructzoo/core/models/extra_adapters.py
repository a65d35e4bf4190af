"""Tuning methods that peft does not have: bottleneck adapters, biases only, norms only, a named subset.

They change the model in place. The parameters that they add or unfreeze are trained, all others stay frozen.
"""

from __future__ import annotations

import re
from typing import Any

import torch
from torch import Tensor, nn

from instructzoo.core.errors import ZooError
from instructzoo.core.recipe import Method

FEED_FORWARD = ("mlp", "DenseReluDense")
"""Names of the feed-forward block of a layer (in Llama and similar models; in T5)."""

BIAS_SETTINGS = {"llama": ("attention_bias", "mlp_bias")}
"""Configuration keys of a model family for biases in linear layers; once set, other programs can open the model."""


class Bottleneck(nn.Module):
    """A frozen block with a small trained one in series or in parallel; at the start it computes what the block does.

    In series: y + up(relu(down(y))) with y = block(x), Pfeiffer et al. 2021 (arXiv:2005.00247). In parallel:
    y + up(relu(down(x))), the parallel adapter of He et al. 2022 (arXiv:2110.04366, without its scale).

    Args:
        block: The block to wrap.
        in_features: Width of its input.
        out_features: Width of its output.
        width: Width of the bottleneck.
        parallel: Whether the adapter reads the block's input instead of its output.
    """

    def __init__(self, block: nn.Module, in_features: int, out_features: int, width: int, parallel: bool) -> None:
        super().__init__()
        self.block, self.parallel = block, parallel
        self.down = nn.Linear(in_features if parallel else out_features, width)
        self.up = nn.Linear(width, out_features)
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)

    def forward(self, hidden: Tensor) -> Tensor:
        """Map [b, s, in_features] to [b, s, out_features]."""
        output = self.block(hidden)
        adapter_input = (hidden if self.parallel else output).to(self.down.weight.dtype)
        return output + self.up(torch.relu(self.down(adapter_input))).to(output.dtype)


def bottlenecks(model: Any, method: Method) -> None:
    """Wrap the feed-forward blocks, or the modules of method.targets (mlp and o_proj: Houlsby et al. 2019).

    Args:
        model: A transformers model; it is changed in place.
        method: `name` (in parallel for "parallel-adapter", else in series), `width` and `targets` are read.

    Raises:
        ZooError: method.targets is a pattern instead of names, or no module has such a name.
    """
    names = FEED_FORWARD if method.targets is None else method.targets
    if isinstance(names, str):
        raise ZooError(f"method.targets: {names}", "names of blocks, such as mlp, or none", "set method.targets")
    blocks = [(name, block) for name, block in model.named_modules() if name.rpartition(".")[2] in names]
    if not blocks:
        raise ZooError(f"no module is called {' or '.join(names)}", _module_names(model), "set method.targets")
    model.requires_grad_(False)
    hidden_size = int(model.config.hidden_size)
    for name, block in blocks:
        parent, _, last = name.rpartition(".")
        in_features = out_features = hidden_size
        if isinstance(block, nn.Linear):
            in_features, out_features = block.in_features, block.out_features
        wrapped = Bottleneck(block, in_features, out_features, method.width, method.name == "parallel-adapter")
        setattr(model.get_submodule(parent), last, wrapped.to(next(block.parameters()).device))


def biases(model: Any, method: Method) -> None:
    """Train the biases of all linear layers but the output layer: BitFit (Ben Zaken et al. 2022, arXiv:2106.10199).

    Llama and T5 have none; there biases of zero are added.

    Args:
        model: A transformers model; it is changed in place.
        method: Not read; all functions of `METHODS` have the same parameters.
    """
    model.requires_grad_(False)
    output = model.get_output_embeddings()
    for module in model.modules():
        if isinstance(module, nn.Linear) and module is not output and module.bias is None:
            module.bias = nn.Parameter(torch.zeros(module.out_features, device=module.weight.device))
    for setting in BIAS_SETTINGS.get(model.config.model_type, ()):
        setattr(model.config, setting, True)
    _unfreeze(model, r"\bbias$")


def norms(model: Any, method: Method) -> None:
    """Train the scales (and shifts) of all normalisation layers.

    Args:
        model: A transformers model; it is changed in place.
        method: Not read; all functions of `METHODS` have the same parameters.
    """
    model.requires_grad_(False)
    for module in model.modules():
        if type(module).__name__.endswith("Norm"):
            module.requires_grad_(True)


def subset(model: Any, method: Method) -> None:
    """Train the parameters whose names match the regular expression method.pattern.

    Args:
        model: A transformers model; it is changed in place.
        method: `pattern` is read; it may match anywhere in a parameter's name.

    Raises:
        ZooError: The pattern is missing, malformed, or matches no parameter.
    """
    if method.pattern is None:
        raise ZooError(
            "subset without method.pattern", f"a regular expression for names such as {_example_name(model)}"
        )
    model.requires_grad_(False)
    try:
        _unfreeze(model, method.pattern)
    except re.error as error:
        raise ZooError(f'method.pattern "{method.pattern}": {error}', "a regular expression") from error


def _unfreeze(model: Any, pattern: str) -> None:
    """Let the parameters whose names match require gradients; raise ZooError if there are none."""
    parameters = [p for name, p in model.named_parameters() if re.search(pattern, name)]
    if not parameters:
        raise ZooError(
            f'no parameter is called "{pattern}"', f"names such as {_example_name(model)}", "set method.pattern"
        )
    for parameter in parameters:
        parameter.requires_grad_(True)


def _example_name(model: Any) -> str:
    """Return the name of a parameter from the middle of the model, for error messages."""
    names = [name for name, _ in model.named_parameters()]
    return names[len(names) // 2]


def _module_names(model: Any) -> str:
    """Return the last parts of all module names, for error messages."""
    names = {name.rpartition(".")[2] for name, _ in model.named_modules()}
    return f"one of {', '.join(sorted(name for name in names if name and not name.isdigit()))}"


METHODS = {
    "adapter": bottlenecks,
    "parallel-adapter": bottlenecks,
    "bitfit": biases,
    "norms": norms,
    "subset": subset,
}
