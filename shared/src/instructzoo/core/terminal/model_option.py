"""How commands choose their model: the one that is named, or the domain's default, whose base the user may fetch."""

from __future__ import annotations

import sys

from instructzoo.core.domain import Domain
from instructzoo.core.models import model_choice
from instructzoo.core.models.model_choice import Chosen, Missing

YES = ("y", "yes")


def for_answers(domain: Domain, model: str | None, yes: bool, ask: bool = True) -> Chosen:
    """The model of `zoo demo` and `zoo predict`: small by default, where its base is or may be fetched, else tiny.

    Args:
        domain: The domain.
        model: What the user named; None: the default.
        yes: Whether the base may be fetched without a question.
        ask: Whether a question may be put; it is only where standard input and standard error are a terminal.

    Returns:
        The model. Its notice and what is fetched are told on standard error.

    Raises:
        ZooError: There is no such model.
    """
    if model is None:
        chosen = model_choice.choose_default(domain, lambda missing: _may_fetch(domain, missing, yes, ask))
    else:
        chosen = by_name(domain, model)
    if chosen.notice:
        tell(chosen.notice)
    return chosen


def for_files(domain: Domain, model: str | None) -> Chosen:
    """The model of `zoo eval` and `zoo export`: tiny by default, which depends on nothing that a machine has fetched.

    Args:
        domain: The domain.
        model: What the user named; None: the default.

    Returns:
        The model.

    Raises:
        ZooError: There is no such model.
    """
    return model_choice.choose_bundled(domain) if model is None else by_name(domain, model)


def by_name(domain: Domain, model: str) -> Chosen:
    """A model that the user named, which is fetched without a question. Raises ZooError if there is no such model."""
    listed = domain.shelf().get(model.removeprefix(f"{domain.name}/"))
    missing = model_choice.missing(listed) if listed is not None and listed.stored != "pickles" else None
    if missing is not None:
        tell(f"fetching {missing}, once")
    return model_choice.choose(domain, model)


def label(domain: Domain, chosen: Chosen) -> str:
    """What a command calls its model: absa/small, or the path as it was found."""
    return f"{domain.name}/{chosen.model.name}" if chosen.model else str(chosen.folder)


def about(domain: Domain, chosen: Chosen) -> dict[str, str]:
    """What a command's result says of its model: {"model": its label, "knows": what it knows, "" for a run}."""
    return {"model": label(domain, chosen), "knows": chosen.model.knows if chosen.model else ""}


def tell(text: str) -> None:
    """Write a line to standard error, at once."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _may_fetch(domain: Domain, missing: Missing, yes: bool, ask: bool) -> bool:
    """Whether --yes or the user says yes, who is told what is fetched. Without a terminal no question is put."""
    if yes:
        tell(f"fetching {missing}, once")
        return True
    if not (ask and sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    sys.stderr.write(f"{domain.name}/small, the model for real texts, needs {missing}, fetched once. Fetch now? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in YES
