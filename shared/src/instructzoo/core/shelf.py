"""The model shelf: the models that a domain has by name, as its package declares them. Imports nothing heavy.

    tiny        trained from scratch on the domain's made-up world, in the wheel; it answers that world only
    small       a LoRA adapter on a small pretrained base, tuned on real corpora, in the wheel; its base is fetched once
    NAME        a published checkpoint on the hub, in its own prompt format

A size is read from the weights and a score from the scores.json beside them: neither is declared here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Kind = Literal["tiny", "small", "published"]

LARGEST = {"tiny": 3 * 2**20, "small": 6 * 2**20}
"""Bytes of all weights of a bundled model, by kind."""

ONLY_MADE_UP = "Answers its made-up world only"
"""How the sentence on what a model knows begins where it has never read a real text."""


@dataclass(frozen=True)
class TrainingData:
    """What a model was trained on.

    Args:
        name: The corpora, as their readers know them.
        licence: Their licence, an SPDX id where there is one.
        research_only: Whether the licence forbids uses other than research.
    """

    name: str
    licence: str
    research_only: bool = False

    def __str__(self) -> str:
        return f"{self.name} ({self.licence}{', research only' if self.research_only else ''})"


@dataclass(frozen=True)
class ShelfModel:
    """A model that a domain has by name.

    Args:
        name: The name that users type, such as "small". That of a bundled model is also its folder's, below weights/.
        kind: "tiny" and "small" are bundled with the package, "published" is on the hub.
        base: What it was tuned from: "from scratch", or a name of `zoo fetch --list`, or a hub id.
        knows: A plain sentence on what it knows, shown wherever it answers.
        data: What it was trained on, with licences.
        licence: Licence of its weights, an SPDX id where there is one.
        repository: Hub id of a published checkpoint.
        dialect: The prompt format of a published checkpoint, a module of the domain's `prompts.dialects`; none: the
            domain's own.
        source: Where the hub id of a published checkpoint was confirmed: an address.
        revision: Commit, branch or pull request of the repository whose weights are opened; none: its main branch.
        stored: How the weights were seen to be stored there: "safetensors", or "pickles", which are not opened and must
            be converted first; none: not confirmed.
        megabytes: Size of a published checkpoint's files, where it was confirmed.
        adapter: Whether a published checkpoint is an adapter, which is opened on its base.
    """

    name: str
    kind: Kind
    base: str
    knows: str
    data: tuple[TrainingData, ...]
    licence: str
    repository: str = ""
    dialect: str = ""
    source: str = ""
    revision: str = ""
    stored: Literal["", "safetensors", "pickles"] = ""
    megabytes: float | None = None
    adapter: bool = False

    @property
    def bundled(self) -> bool:
        """Whether the weights are in the domain's package."""
        return self.kind != "published"

    @property
    def research_only(self) -> bool:
        """Whether any of its training data is for research only."""
        return any(data.research_only for data in self.data)


def by_name(models: Iterable[ShelfModel]) -> dict[str, ShelfModel]:
    """The models of a table by their names."""
    return {model.name: model for model in models}
