"""Tuning methods that peft lacks: bottleneck adapters, biases only, norms only, a named subset.

They change the model in place. What they train is what they add or free; the rest stays frozen.
"""

from __future__ import annotations

import re
from typing import Any

import torch
from torch import Tensor, nn

from instructzoo.core.errors import ZooError
from instructzoo.core.recipe import Method

FEED_FORWARD = ("mlp", "DenseReluDense")
"""What the feed-forward block of a layer is called (Llama and its kin; T5)."""

BIAS_SETTINGS = {"llama": ("attention_bias", "mlp_bias")}
"""Settings by which a family says that its linear layers have biases: with them set, other programs open the model."""


class Bottleneck(nn.Module):
    """A frozen block with a small trained one after it, or beside it; it starts as the block alone.

    After: y + up(relu(down(y))), y = block(x), Pfeiffer et al. 2021 (arXiv:2005.00247). Beside:
    y + up(relu(down(x))), the parallel adapter of He et al. 2022 (arXiv:2110.04366, without its scale).
    """

    def __init__(self, block: nn.Module, read: int, written: int, width: int, parallel: bool) -> None:
        super().__init__()
        self.block, self.parallel = block, parallel
        self.down = nn.Linear(read if parallel else written, width)
        self.up = nn.Linear(width, written)
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)

    def forward(self, hidden: Tensor) -> Tensor:
        """[b, s, read] -> [b, s, written]."""
        written = self.block(hidden)
        source = (hidden if self.parallel else written).to(self.down.weight.dtype)
        return written + self.up(torch.relu(self.down(source))).to(written.dtype)


def bottlenecks(model: Any, method: Method) -> None:
    """Wrap the feed-forward blocks, or what method.targets names (with o_proj besides it is Houlsby et al.'s)."""
    names = FEED_FORWARD if method.targets is None else method.targets
    if isinstance(names, str):
        raise ZooError(f"method.targets: {names}", "names of blocks, such as mlp, or none", "set method.targets")
    found = [(name, block) for name, block in model.named_modules() if name.rpartition(".")[2] in names]
    if not found:
        raise ZooError(f"no module is called {' or '.join(names)}", _last_names(model), "set method.targets")
    model.requires_grad_(False)
    hidden = int(model.config.hidden_size)
    for name, block in found:
        parent, _, last = name.rpartition(".")
        read, written = (block.in_features, block.out_features) if isinstance(block, nn.Linear) else (hidden, hidden)
        wrapped = Bottleneck(block, read, written, method.width, method.name == "parallel-adapter")
        setattr(model.get_submodule(parent), last, wrapped.to(next(block.parameters()).device))


def biases(model: Any, method: Method) -> None:
    """BitFit (Ben Zaken et al. 2022, arXiv:2106.10199): the biases of all linear layers, the output layer aside.

    Llama and T5 have none: there they are added, at zero.
    """
    model.requires_grad_(False)
    output = model.get_output_embeddings()
    for module in model.modules():
        if isinstance(module, nn.Linear) and module is not output and module.bias is None:
            module.bias = nn.Parameter(torch.zeros(module.out_features, device=module.weight.device))
    for setting in BIAS_SETTINGS.get(model.config.model_type, ()):
        setattr(model.config, setting, True)
    _train(model, r"\bbias$")


def norms(model: Any, method: Method) -> None:
    """The scales (and shifts) of all normalisation layers."""
    model.requires_grad_(False)
    for module in model.modules():
        if type(module).__name__.endswith("Norm"):
            module.requires_grad_(True)


def subset(model: Any, method: Method) -> None:
    """The parameters whose name the regular expression method.pattern finds."""
    if method.pattern is None:
        raise ZooError("subset without method.pattern", f"a regular expression for names such as {_some(model)}")
    model.requires_grad_(False)
    try:
        _train(model, method.pattern)
    except re.error as error:
        raise ZooError(f'method.pattern "{method.pattern}": {error}', "a regular expression") from error


def _train(model: Any, pattern: str) -> None:
    found = [p for name, p in model.named_parameters() if re.search(pattern, name)]
    if not found:
        raise ZooError(f'no parameter is called "{pattern}"', f"names such as {_some(model)}", "set method.pattern")
    for parameter in found:
        parameter.requires_grad_(True)


def _some(model: Any) -> str:
    names = [name for name, _ in model.named_parameters()]
    return names[len(names) // 2]


def _last_names(model: Any) -> str:
    names = {name.rpartition(".")[2] for name, _ in model.named_modules()}
    return f"one of {', '.join(sorted(name for name in names if name and not name.isdigit()))}"


METHODS = {
    "adapter": bottlenecks,
    "parallel-adapter": bottlenecks,
    "bitfit": biases,
    "norms": norms,
    "subset": subset,
}
