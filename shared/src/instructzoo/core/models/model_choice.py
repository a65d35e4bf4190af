"""Which model is meant by `--model`, and what of it is still to be fetched.

small                a name of the domain's shelf, also as absa/small
runs/absa/small/x    a run directory
./exported           a folder in the Hugging Face layout
owner/name           a hub id
NAME=./converted     a copy of the published model NAME, in its own prompts
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from instructzoo.core import runs
from instructzoo.core.domain import Domain
from instructzoo.core.errors import ZooError, suggest
from instructzoo.core.models import downloads, hub
from instructzoo.core.models.backbones import BACKBONES, HUB_ID
from instructzoo.core.shelf import ShelfModel

MODEL_FILES = ("manifest.json", "config.json", "model_index.json", "adapter_config.json", "recipe.yaml")
"""Files by which a folder is known to hold a model."""


@dataclass(frozen=True)
class Chosen:
    """A model that is on this machine, its base aside.

    Attributes:
        folder: Its weights folder or run directory.
        model: Its row in the domain's table; None for a run, a folder or a hub id.
        notice: Why it answers in place of the domain's default; empty where it does not.
    """

    folder: Path
    model: ShelfModel | None = None
    notice: str = ""


@dataclass(frozen=True)
class Missing:
    """What must be fetched before a model can be opened: its name, and its size in megabytes where that is known."""

    name: str
    megabytes: float | None

    def __str__(self) -> str:
        return self.name if self.megabytes is None else f"{self.name} ({self.megabytes:,.0f} MB)"


def choose(domain: Domain, model: str, fetch: bool = True) -> Chosen:
    """Find a model that a user names.

    Args:
        domain: The domain of the model.
        model: A name of the domain's shelf, a run directory, a folder in the Hugging Face layout, or a hub id;
            NAME=FOLDER for a copy of a published model.
        fetch: Whether a hub id, or the hub repository of a published model, is fetched if it is not on this machine.

    Returns:
        The model. The base of an adapter is fetched when the model is opened.

    Raises:
        ZooError: Nothing of that name is known (with a suggestion), or it cannot be fetched.
    """
    shelf = domain.shelf()
    name, equals, weights = model.removeprefix(f"{domain.name}/").partition("=")
    if (listed := shelf.get(name)) is not None:
        return Chosen(_own_copy(listed, weights) if equals else _folder(domain, listed, fetch), listed)
    folder = Path(model).expanduser()
    if any((folder / name).is_file() for name in MODEL_FILES):
        return Chosen(folder)
    if HUB_ID.fullmatch(model) and not model.startswith((".", f"{domain.name}/", "runs/")) and not folder.is_dir():
        return Chosen(downloads.fetch(model, offline=not fetch))
    if "/" in model.removeprefix(f"{domain.name}/") or folder.is_dir():
        runs.find(str(folder))  # which raises what is missing there
    fix = f"a run, a folder or a hub id does too; zoo models {domain.name} lists the names"
    raise ZooError(f'no model "{model}"', suggest(model.removeprefix(f"{domain.name}/"), shelf), fix, "--model")


def choose_default(domain: Domain, may_fetch: Callable[[Missing], bool] | None = None) -> Chosen:
    """Find the model that a demo and predictions use: small where the domain has one, else tiny.

    Args:
        domain: The domain.
        may_fetch: Called where the base of small is not on this machine: whether it may be fetched now. None: it may
            not.

    Returns:
        small, or tiny with a notice that says why small does not answer.

    Raises:
        ZooError: The domain bundles neither.
    """
    small = domain.shelf().get("small")
    if small is None:
        return choose_bundled(domain)
    folder = domain.bundled_model("small")
    lacking = missing(small)
    if lacking is None:
        return Chosen(folder, small)
    reason = f"the base of small, {lacking}, is not on this machine"
    if may_fetch is not None and may_fetch(lacking):
        try:
            downloads.fetch(small.base)
            return Chosen(folder, small)
        except ZooError as error:
            reason = f"the base of small, {lacking}, cannot be fetched ({error.found})"
    tiny = choose_bundled(domain)
    knows = tiny.model.knows if tiny.model else ""
    notice = f"tiny answers, not small: {reason}; zoo fetch {domain.name}/small gets it once. {knows}"
    return Chosen(tiny.folder, tiny.model, notice.strip())


def choose_bundled(domain: Domain) -> Chosen:
    """The model tiny, which needs nothing beyond the package. Raises ZooError if the domain bundles none."""
    folder = domain.bundled_model()
    return Chosen(folder, domain.shelf_model(folder))


def missing(model: ShelfModel) -> Missing | None:
    """What must be fetched before a model of a shelf can be opened; None where everything is on this machine."""
    if model.repository and not downloads.at_hand(model.repository, model.revision):
        return Missing(model.repository, model.megabytes)
    if model.kind == "tiny" or not _has_own_base(model) or downloads.at_hand(model.base):
        return None
    backbone = BACKBONES.get(model.base)
    return Missing(model.base, backbone.megabytes if backbone else None)


def fetch(domain: Domain, name: str) -> Path:
    """Fetch all that a model of the domain's shelf needs.

    Args:
        domain: The domain.
        name: The name of the model.

    Returns:
        The folder of its weights.

    Raises:
        ZooError: There is no such model, or something cannot be fetched.
    """
    shelf = domain.shelf()
    if (model := shelf.get(name)) is None:
        raise ZooError(f'no model "{name}"', suggest(name, shelf), f"zoo models {domain.name} lists the names")
    folder = _folder(domain, model, fetch=True)
    if model.kind != "tiny" and _has_own_base(model):
        downloads.fetch(model.base)
    return folder


def _has_own_base(model: ShelfModel) -> bool:
    """Whether the model is an adapter, which is opened on its base."""
    return model.kind == "small" or model.adapter


def _folder(domain: Domain, model: ShelfModel, fetch: bool) -> Path:
    """The folder of a listed model's own files."""
    if model.bundled:
        return domain.bundled_model(model.name)
    expected = "weights as safetensors; pickles are not opened"
    fix = f"convert them as docs/models.md says, then --model {model.name}=FOLDER"
    if model.stored == "pickles":
        raise ZooError(f"{model.repository} holds pickles alone", expected, fix, model.name)
    try:
        return downloads.fetch(model.repository, offline=not fetch, revision=model.revision)
    except hub.NoSafetensors as error:
        raise ZooError(error.found, expected, fix, model.name) from error


def _own_copy(model: ShelfModel, weights: str) -> Path:
    """The folder of a user's copy of a published model. Raises ZooError if it holds none, or no safetensors."""
    folder, where = Path(weights).expanduser(), f"--model {model.name}="
    if model.bundled:
        raise ZooError(f"{model.name} is in the package", "the name alone", "leave the folder out", where)
    if not any((folder / name).is_file() for name in MODEL_FILES):
        raise ZooError(f"no model in {folder}", f"one of {', '.join(MODEL_FILES)}", "name its folder", where)
    if not any(folder.rglob("*.safetensors")):
        expected = "weights as safetensors; pickles are not opened"
        raise ZooError(f"{folder} holds no safetensors", expected, "convert them as docs/models.md says", where)
    return folder
