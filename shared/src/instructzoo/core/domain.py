"""Domain: what a domain package declares. Domains are found through entry points, never by an import side effect."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from instructzoo.core import shelf
from instructzoo.core.errors import ZooError, suggest
from instructzoo.core.shelf import ShelfModel

GROUP = "instructzoo.domains"
"""The entry point group that domain packages declare themselves in."""

OFFICIAL_DOMAINS = ("absa", "arithmetic", "dialogue", "pix2pix", "uie")
"""Domains that this project distributes: an error never advises to install a package of any other name."""

MODULES = ("world", "sources", "prompts", "metrics", "answers", "demo")
"""Modules (or packages) that every domain has."""

OPTIONAL_MODULES = ("model", "objective", "sampling", "predictor", "shapes", "synth")
"""Modules that only some domains have: the first five belong to objective "own", synth to a `zoo synth` pipeline."""


@dataclass(frozen=True)
class PublishedResult:
    """One published number.

    Args:
        metric: The metric, as the domain's scorer names it.
        group: The group of test rows, as the domain's scorer names it.
        value: The value, in the unit of the metric (fractions in 0..1, not percent).
        system: The system that reached it, such as Goat-7B.
        source: Where it is published: paper and table.
    """

    metric: str
    group: str
    value: float
    system: str
    source: str


@dataclass(frozen=True)
class Domain:
    """A domain and what it is made of. Nothing of it is imported until it is used.

    Args:
        name: The name that users type, which is also the name of the entry point and of the package.
        title: A heading for demos and model cards.
        summary: What the domain does, in one line.
        paper: The paper that it follows.
        licence: SPDX id of the licence of its models.
        objective: The loss that the domain trains with: "text" (a core objective, causal or seq2seq by backbone), or
            "own" for a domain with its own model.py, objective.py, sampling.py and predictor.py.
        columns: Columns that the domain's rows have besides those of every row.
        constrained: Whether `prompts.constraint(row)` gives a grammar for the answers to a row (infer/grammar.py), or
            None for a row without one. Decoding is then constrained to it, unless decode.constrained is false.
        choices: Whether `prompts.choices(row)` gives the options of a row whose answer is one of several, or
            None for a row whose answer is written. Where decoding is constrained, the likeliest option is the answer
            (infer/choice_scoring.py).
        labels: Kinds of labels, such as "categories", that `prompts.labels(rows)` finds in training rows. A trained
            model keeps them, and its answers are held to them (infer/trained_labels.py).
        input_keys: Keys of JSON objects whose values are inputs with parts, such as the turns of a dialogue: an object
            with such a key is an input as a whole.
        models: The models that the domain has by name. One whose weights are not bundled yet is not on the shelf.

    Example:
        `domains.get("arithmetic").module("prompts").render(row, seed=0)`
    """

    name: str
    title: str
    summary: str
    paper: str
    licence: str = "Apache-2.0"
    objective: Literal["text", "own"] = "text"
    columns: tuple[str, ...] = ()
    constrained: bool = False
    choices: bool = False
    labels: tuple[str, ...] = ()
    input_keys: tuple[str, ...] = ()
    models: tuple[ShelfModel, ...] = ()

    @property
    def package(self) -> str:
        """The dotted name of the domain's package."""
        return f"instructzoo.{self.name}"

    def module(self, name: str) -> Any:
        """Import one of the domain's modules.

        Args:
            name: A name in MODULES or OPTIONAL_MODULES, such as "prompts".

        Returns:
            The module.

        Raises:
            ZooError: The name is no module of a domain.
        """
        if name not in (*MODULES, *OPTIONAL_MODULES):
            raise ZooError(f'"{name}" is no module of a domain', suggest(name, (*MODULES, *OPTIONAL_MODULES)))
        return importlib.import_module(f"{self.package}.{name}")

    def prompts(self, dialect: str = "") -> Any:
        """The module that renders rows for a model and reads its answers.

        Args:
            dialect: "" for the domain's own, else the prompt format of a published checkpoint, a module of the
                domain's `prompts.dialects`. It has `rewrite(text, row)` as well: an answer in the domain's own format.

        Returns:
            The module, with `render(row, seed)` and `parse(text, row)`.

        Raises:
            ZooError: The domain has no such dialect.
        """
        if not dialect:
            return self.module("prompts")
        if dialect not in (known := self.dialects()):
            found = f'{self.name} has no prompt dialect "{dialect}"'
            raise ZooError(found, suggest(dialect, known) if known else "none", "leave it out", "model.dialect")
        return importlib.import_module(f"{self.package}.prompts.dialects.{dialect}")

    def dialects(self) -> tuple[str, ...]:
        """Names of the prompt formats of published checkpoints that the domain knows."""
        modules = (self.folder() / "prompts" / "dialects").glob("[!_]*.py")
        return tuple(sorted(path.stem for path in modules))

    def folder(self) -> Path:
        """The installed package's folder."""
        return Path(str(resources.files(self.package)))

    def shelf(self) -> dict[str, ShelfModel]:
        """The models that can be opened by name: those on the hub, and the bundled ones whose weights are there."""
        return shelf.by_name(model for model in self.models if not model.bundled or self.has_bundled_model(model.name))

    def bundled_model(self, name: str = "tiny") -> Path:
        """The folder of a model that is bundled with the package.

        Args:
            name: The name of the model, which is also that of the folder below weights/.

        Returns:
            The folder.

        Raises:
            ZooError: The package bundles no such model.
        """
        if not self.has_bundled_model(name):
            fix = f"train one (zoo train {self.name}/tiny) and name it with --model RUN"
            raise ZooError(f"{self.package} bundles no model {name}", f"safetensors in weights/{name}", fix)
        return self.folder() / "weights" / name

    def has_bundled_model(self, name: str = "tiny") -> bool:
        """Whether a trained model of this name is bundled with the package."""
        return any((self.folder() / "weights" / name).rglob("*.safetensors"))

    def shelf_model(self, folder: Path) -> ShelfModel | None:
        """The model of the table whose weights are in a folder; None for a run or any other folder."""
        return next((m for m in self.models if m.bundled and self.folder() / "weights" / m.name == folder), None)

    def checkout(self) -> Path | None:
        """The root of the checkout that the package is used from; None where it was installed from a wheel.

        In a checkout the package's folder is packages/<name>/src/instructzoo/<name>.
        """
        parents = self.folder().parents
        if len(parents) > 4 and parents[1].name == "src" and parents[3].name == "packages":
            return parents[4]
        return None

    def recipes(self) -> dict[str, Path]:
        """Recipe files by name. In a checkout the folder recipes/ itself is read, else the copy inside the wheel."""
        root = self.checkout()
        folders = [root / "recipes" / self.name] if root else []
        for folder in (*folders, self.folder() / "recipes"):
            if folder.is_dir():
                return {path.stem: path for path in sorted(folder.glob("*.yaml"))}
        return {}

    def learning_curve(self) -> list[Path]:
        """The scores of the domain's learning curve; none where it has none.

        In a checkout they are in docs/results/<name>/curve, else in the copy inside the wheel.
        """
        root = self.checkout()
        folder = root / "docs" / "results" / self.name / "curve" if root else self.folder() / "curve"
        return sorted(folder.glob("*.json"))


@dataclass(frozen=True)
class BrokenDomain:
    """A domain that is installed and cannot be loaded. The other domains stay usable."""

    name: str
    reason: str


def discover() -> dict[str, Domain | BrokenDomain]:
    """All installed domains by name, in alphabetical order.

    Returns:
        A `Domain` for each entry point of GROUP; a `BrokenDomain` with the reason where its import fails.
    """
    from importlib import metadata  # costs more than the rest of this module

    domains: dict[str, Domain | BrokenDomain] = {}
    for entry in sorted(metadata.entry_points(group=GROUP), key=lambda entry: entry.name):
        try:
            domain = entry.load()
        except Exception as error:  # noqa: BLE001 - whatever a foreign package raises must not take the others down
            domains[entry.name] = BrokenDomain(entry.name, f"{type(error).__name__}: {error}")
            continue
        if isinstance(domain, Domain) and domain.name == entry.name:
            domains[entry.name] = domain
        else:
            domains[entry.name] = BrokenDomain(entry.name, f"{entry.value} is no Domain named {entry.name}")
    return domains


def get(name: str) -> Domain:
    """One installed domain.

    Args:
        name: The domain's name, such as "arithmetic".

    Returns:
        The domain.

    Raises:
        ZooError: No domain of that name is installed (with a suggestion), or it cannot be imported.
    """
    domains = discover()
    domain = domains.get(name)
    if isinstance(domain, Domain):
        return domain
    if isinstance(domain, BrokenDomain):
        raise ZooError(f'domain "{name}" is broken', "one that imports", f"reinstall instructzoo-{name}", domain.reason)
    if name in OFFICIAL_DOMAINS:
        raise ZooError(f'no domain "{name}" is installed', "its package", f"pip install instructzoo-{name}")
    hint = suggest(name, {*domains, *OFFICIAL_DOMAINS})
    raise ZooError(f'no domain "{name}" is installed', hint, "zoo list shows those that are")


def missing_modules(domain: Domain) -> list[str]:
    """Names in MODULES that a domain lacks."""
    return [name for name in MODULES if importlib.util.find_spec(f"{domain.package}.{name}") is None]
