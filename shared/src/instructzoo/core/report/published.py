"""The table of a domain's published checkpoints, from `Domain.models` and the recipes of their names.

`python -m instructzoo.core.report.published README.md` updates the tables of a page, each between the markers
`<!-- published:DOMAIN -->` and `<!-- /published -->`.
"""

from __future__ import annotations

import re
from pathlib import Path

from instructzoo.core import domain as domains
from instructzoo.core import recipe as recipes
from instructzoo.core.domain import Domain
from instructzoo.core.report.page_tables import main, update_tables
from instructzoo.core.score.tables import Table
from instructzoo.core.shelf import ShelfModel

PLACE = re.compile(r"(<!-- published:(?P<name>\w+) -->\n).*?(<!-- /published -->)", re.DOTALL)
"""The place of a table in a page, with the name of its domain."""

HEAD = ("name", "hub id", "paper", "base", "prompts", "weights", "trained on", "licence of the weights", "confirmed at")

STORED = {"safetensors": "safetensors", "pickles": "pickles alone: to be converted first", "": "form not confirmed"}


def published_table(domain: Domain) -> Table:
    """The published checkpoints of a domain.

    Args:
        domain: The domain.

    Returns:
        A row for each: its name, where it is, how it is asked, in which form its weights are, what it was trained on,
        its licence, and where all this was confirmed.
    """
    return Table(HEAD, tuple(_row(domain, model) for model in domain.models if model.kind == "published"))


def _row(domain: Domain, model: ShelfModel) -> tuple[str, ...]:
    paper = recipes.load(f"{domain.name}/{model.name}").paper
    revision = f" (revision {model.revision})" if model.revision else ""
    size = f", {model.megabytes:,.0f} MB" if model.megabytes else ""
    return (
        f"`{model.name}`",
        model.repository,
        paper,
        model.base,
        f"dialect `{model.dialect}`" if model.dialect else "the domain's own",
        f"{STORED[model.stored]}{revision}{size}",
        "; ".join(map(str, model.data)),
        model.licence,
        f"<{model.source}>",
    )


def update_page(page: Path) -> bool:
    """Replace the tables of a page by those of the domains.

    Args:
        page: A Markdown file.

    Returns:
        Whether the file changed.

    Raises:
        ZooError: A marker names no domain.
    """
    return update_tables(page, PLACE, lambda name: published_table(domains.get(name)))


if __name__ == "__main__":
    main(update_page)
