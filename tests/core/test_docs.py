"""The pages agree with the result files and with the command line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.main import get_command

from instructzoo.core import runs
from instructzoo.core.cli import app
from instructzoo.core.commands.bundle import scores_files, with_models
from instructzoo.core.report import results_table
from instructzoo.core.report.model_card import MODELS_SECTION

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("packages/*/README.md")), ROOT / "shared" / "README.md"]
TABLE = re.compile(r"<!-- results:(?P<name>[\w/-]+) -->\n(?P<table>.*?)\n?<!-- /results -->", re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_result_tables_of_the_pages_equal_the_generated_ones(page: Path) -> None:
    for match in TABLE.finditer(page.read_text(encoding="utf-8")):
        generated = results_table(*map(runs.read_json, scores_files(ROOT, match["name"])))
        assert match["table"].strip() == generated.strip(), f"{match['name']}: see CONTRIBUTING.md on results"


def test_the_readme_shows_the_results_of_every_bundled_model() -> None:
    names = {m["name"] for m in TABLE.finditer((ROOT / "README.md").read_text(encoding="utf-8"))}
    bundled = [path.parents[5].name for path in ROOT.glob("packages/*/src/instructzoo/*/weights/tiny/scores.json")]
    assert len(bundled) >= 4
    assert names >= {f"{name}/weights/tiny" for name in bundled}


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_tables_of_models_are_as_the_packages_declare_them(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert with_models(text) == text, "python -m instructzoo.core.commands.bundle"
    assert page != ROOT / "README.md" or MODELS_SECTION.search(text)


@pytest.mark.parametrize(
    "page", [*PAGES, *sorted((ROOT / "docs").glob("*.md"))], ids=lambda p: str(p.relative_to(ROOT))
)
def test_every_command_named_in_the_docs_exists(page: Path) -> None:
    commands = set(get_command(app).commands)  # type: ignore[attr-defined]
    named = set(re.findall(r"(?:^|`| {4}|; )zoo ([a-z]+)", page.read_text(encoding="utf-8"), re.MULTILINE))
    assert named <= commands, named - commands
