"""The README says what the package has: task types, sources with their licences, recipes."""

from __future__ import annotations

import re

from instructzoo.core import domain as domains
from instructzoo.dialogue.data.corpora import CORPORA
from instructzoo.dialogue.tasks import TASKS

ROOT = domains.get("dialogue").checkout()
assert ROOT is not None
README = (ROOT / "packages" / "dialogue" / "README.md").read_text(encoding="utf-8")


def test_the_table_of_task_types_is_that_of_the_package() -> None:
    rows = [line for line in README.splitlines() if re.match(r"\| `\w+` \| .* \| .* \| .* \| .* \|", line)]
    assert rows == [
        f"| `{task.name}` | {task.group} | {', '.join(task.fields)} | {task.options} | {task.answer} | "
        f"{', '.join(task.names)} |"
        for task in TASKS.values()
    ]


def test_every_source_is_named_with_its_licence_and_every_recipe_with_its_purpose() -> None:
    for name, corpus in CORPORA.items():
        assert re.search(rf"^\| `{name}` \| .* \| {re.escape(corpus.licence)} \|$", README, re.MULTILINE), name
    for recipe in domains.get("dialogue").recipes():
        assert re.search(rf"^\| .*`{recipe}`", README, re.MULTILINE), recipe
