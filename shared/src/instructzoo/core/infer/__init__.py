"""Batched generation, constrained decoding, choice scoring and the predictor."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from instructzoo.core.domain import Domain
from instructzoo.core.errors import ZooError
from instructzoo.core.infer.choice_scoring import choose, log_likelihoods
from instructzoo.core.infer.generate import generate
from instructzoo.core.infer.other_models import recipe_for
from instructzoo.core.infer.predictor import Predictor
from instructzoo.core.models import model_choice
from instructzoo.core.models.model_choice import Chosen, Missing

__all__ = ["Predictor", "choose", "generate", "load", "log_likelihoods", "open_chosen", "open_model", "open_ready"]


def open_model(domain: Domain, model: str | None = None, may_fetch: Callable[[Missing], bool] | None = None) -> Any:
    """Open a model of a domain by name.

    Args:
        domain: The domain of the model.
        model: A name of the domain's shelf (`zoo models`), a run directory, a folder in the Hugging Face layout, or a
            hub id. None: small where the domain has one and its base is on this machine, else tiny.
        may_fetch: Called where the base of the default is not on this machine: whether it may be fetched now. None: it
            may not. A model that is named is fetched without a question.

    Returns:
        A predictor, as `load` gives it; its `model` is the row of the shelf, or None for a run, a folder or a hub id;
        its `notice` says why tiny answers in place of small.

    Raises:
        ZooError: There is no such model (with a suggestion), or it cannot be fetched or opened.

    Example:
        >>> open_model(domains.get("absa"), "tiny").answer([{"instruction": "", "input": "Great wine."}])
    """
    if model is None:
        return open_chosen(domain, model_choice.choose_default(domain, may_fetch))
    return open_chosen(domain, model_choice.choose(domain, model))


def open_ready(domain: Domain, name: str) -> Any:
    """Open a model of a domain's shelf that is on this machine; nothing is fetched.

    Args:
        domain: The domain of the model.
        name: A name of the domain's shelf.

    Returns:
        A predictor, as `open_model` gives it.

    Raises:
        ZooError: There is no such model, or something of it is not on this machine.
    """
    chosen = model_choice.choose(domain, name, fetch=False)
    if chosen.model is not None and (lacking := model_choice.missing(chosen.model)):
        fix = f"zoo fetch {domain.name}/{name}"
        raise ZooError(f"{lacking} is not on this machine", f"all that {name} needs", fix)
    return open_chosen(domain, chosen)


def open_chosen(domain: Domain, chosen: Chosen) -> Any:
    """Open a model that `model_choice` has found.

    Args:
        domain: The domain of the model.
        chosen: The model.

    Returns:
        A predictor, as `load` gives it.

    Raises:
        ZooError: It cannot be opened, or is one of another domain.
    """
    folder = chosen.folder
    if (folder / "manifest.json").is_file() or (folder / "recipe.yaml").is_file():
        predictor = load(domain, folder)
    else:
        predictor = _class(domain).of_folder(domain, folder, recipe_for(domain, folder, chosen.model))
    return replace(predictor, model=chosen.model, notice=chosen.notice)


def load(domain: Domain, folder: Path) -> Any:
    """Load the predictor of a model that was trained here.

    Args:
        domain: The domain of the model.
        folder: A weights folder or a run directory.

    Returns:
        A `Predictor`; for a domain with an objective of its own, that domain's class with the same methods.

    Raises:
        ZooError: There is no model in the folder, or it is one of another domain.
    """
    return _class(domain).load(domain, folder)


def _class(domain: Domain) -> Any:
    return domain.module("predictor").Predictor if domain.objective == "own" else Predictor
