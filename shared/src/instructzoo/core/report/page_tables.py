"""Tables of a Markdown page that are written anew, each in its place between two markers."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

from instructzoo.core import runs
from instructzoo.core.score.tables import Table


def update_tables(page: Path, place: re.Pattern[str], table: Callable[[str], Table]) -> bool:
    """Replace the tables of a page.

    Args:
        page: A Markdown file.
        place: The place of a table. Its groups are the opening marker, `name` inside it, and the closing marker.
        table: Gives the table of a name. Its columns are aligned to the left.

    Returns:
        Whether the file changed.

    Raises:
        ZooError: `table` knows no such name.
    """

    def section(match: re.Match[str]) -> str:
        return f"{match[1]}{table(match['name']).markdown().replace('---:', '---')}\n{match[3]}"

    before = page.read_text(encoding="utf-8")
    after = place.sub(section, before)
    if after != before:
        runs.write_text(page, after)
    return after != before


def main(update_page: Callable[[Path], bool]) -> None:
    """Update the pages that the command line names, and say which of them changed."""
    for argument in sys.argv[1:]:
        sys.stdout.write(f"{argument}: {'updated' if update_page(Path(argument)) else 'up to date'}\n")
