"""The table beside a paper's recipe: what its authors chose, what is used here, and why.

`python -m instructzoo.core.report.authors README.md` updates the tables of a page, each between the markers
`<!-- authors:DOMAIN/RECIPE -->` and `<!-- /authors -->`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from instructzoo.core import recipe as recipes
from instructzoo.core.report.data_card import text
from instructzoo.core.report.page_tables import main, update_tables
from instructzoo.core.score.tables import Table

PLACE = re.compile(r"(<!-- authors:(?P<name>[\w/-]+) -->\n).*?(<!-- /authors -->)", re.DOTALL)
"""The place of a table in a page, with the name of its recipe."""

HEAD = ("setting", "theirs", "here", "why another value", "where theirs stands")


def authors_table(recipe: Mapping[str, Any]) -> Table:
    """The rows of `authors` of a recipe.

    Args:
        recipe: The recipe's values, defaults included, as `recipe.yaml` of a run holds them.

    Returns:
        A row for each entry: what it is about, the authors' value, the value here, the reason for another value, and
        the file where theirs stands. A value that was changed for one run only says so in place of a reason.
    """
    return Table(HEAD, tuple(_rows(recipe)))


def _rows(recipe: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for name, entry in recipe.get("authors", {}).items():
        here = _setting(recipe, name) if entry.get("here") is None else entry["here"]
        theirs, why = text(entry["theirs"]), entry.get("why", "")
        if text(here) != theirs and not why:
            why = "set for this run"
        yield name, theirs, text(here), why or "same", entry["where"]


def _setting(recipe: Mapping[str, Any], dotted: str) -> Any:
    """The value of a setting by its dotted name; None where the recipe has no such setting."""
    value: Any = recipe
    for name in dotted.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def update_page(page: Path) -> bool:
    """Replace the tables of a page by those of the recipes.

    Args:
        page: A Markdown file.

    Returns:
        Whether the file changed.

    Raises:
        ZooError: A marker names no recipe.
    """
    return update_tables(page, PLACE, lambda name: authors_table(recipes.load(name).model_dump(mode="json")))


if __name__ == "__main__":
    main(update_page)
