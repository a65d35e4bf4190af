"""Domain: what a domain declares. Domains are found through entry points, never by import side effect."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from instructzoo.core.errors import ZooError, suggest

GROUP = "instructzoo.domains"
OFFICIAL_DOMAINS = ("absa", "arithmetic", "pix2pix", "uie")
"""Domains whose distributions are this project's: only these names are ever advised to be installed."""

MODULES = ("world", "sources", "prompts", "metrics", "demo")
OWN = ("model", "objective", "sampling", "predictor", "synth")
"""Modules that only some domains have: the first four go with an objective of their own, synth with a pipeline."""


@dataclass(frozen=True)
class PublishedResult:
    """One published number: metric and group as the domain's scorer names them, value in its unit, and its place."""

    metric: str
    group: str
    value: float
    system: str
    source: str


@dataclass(frozen=True)
class Domain:
    """A domain. Nothing is imported until it is used: `domain.module("prompts").render(...)`.

    objective: which loss the domain trains with; the name of a core objective ("text": causal or seq2seq by backbone)
    or "own" for a domain with its own model.py, objective.py, sampling.py and predictor.py.
    constrained: whether prompts.constraint(row) gives the grammar of a row's answers (infer/grammar.py), None for a row
    that has none. Answers are then held to it, unless decode.constrained says otherwise.
    """

    name: str
    title: str
    summary: str
    paper: str
    licence: str = "Apache-2.0"
    objective: Literal["text", "own"] = "text"
    columns: tuple[str, ...] = ()
    constrained: bool = False

    @property
    def package(self) -> str:
        return f"instructzoo.{self.name}"

    def module(self, name: str) -> Any:
        """One of the domain's modules (world, sources, prompts, metrics, demo), imported now."""
        if name not in (*MODULES, *OWN):
            raise ZooError(f'"{name}" is no module of a domain', suggest(name, (*MODULES, *OWN)))
        return importlib.import_module(f"{self.package}.{name}")

    def folder(self) -> Path:
        """The installed package's folder."""
        return Path(str(resources.files(self.package)))

    def bundled_model(self) -> Path:
        """The folder of the small trained model that the package bundle. Raises ZooError where it carries none."""
        if not self.has_bundled_model():
            found, fix = f"{self.package} carries no trained model", f"train one: zoo train {self.name}/tiny"
            raise ZooError(found, "safetensors in weights/", fix)
        return self.folder() / "weights"

    def has_bundled_model(self) -> bool:
        """Whether the package carries a trained model."""
        return any((self.folder() / "weights").rglob("*.safetensors"))

    def recipes(self) -> dict[str, Path]:
        """Recipe files by name. In a checkout the folder recipes/ itself is read, else the copy inside the wheel."""
        for folder in (_checkout_recipes(self.folder(), self.name), self.folder() / "recipes"):
            if folder and folder.is_dir():
                return {p.stem: p for p in sorted(folder.glob("*.yaml"))}
        return {}


@dataclass(frozen=True)
class BrokenDomain:
    """A domain that is installed and cannot be loaded; the others go on."""

    name: str
    reason: str


def _checkout_recipes(package: Path, name: str) -> Path | None:
    """recipes/<name> of the checkout that `package` lies in: packages/<name>/src/instructzoo/<name> is four below."""
    if len(package.parents) > 4 and package.parents[1].name == "src" and package.parents[3].name == "packages":
        return package.parents[4] / "recipes" / name
    return None


def discover() -> dict[str, Domain | BrokenDomain]:
    """All installed domains by name. A domain that fails to import is `BrokenDomain`, with the reason."""
    from importlib import metadata  # costs more than the rest of this module

    found: dict[str, Domain | BrokenDomain] = {}
    for entry in sorted(metadata.entry_points(group=GROUP), key=lambda e: e.name):
        try:
            domain = entry.load()
        except Exception as error:  # noqa: BLE001 - whatever a foreign package raises must not take the others down
            found[entry.name] = BrokenDomain(entry.name, f"{type(error).__name__}: {error}")
            continue
        if isinstance(domain, Domain) and domain.name == entry.name:
            found[entry.name] = domain
        else:
            found[entry.name] = BrokenDomain(entry.name, f"{entry.value} is no Domain named {entry.name}")
    return found


def get(name: str) -> Domain:
    """One domain by name. Raises ZooError for an unknown or a broken one."""
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
    """Names of the modules that every domain has and this one lacks."""
    return [name for name in MODULES if importlib.util.find_spec(f"{domain.package}.{name}") is None]
