"""zoo new: a domain that passes its contract at once, in the checkout at hand."""

from __future__ import annotations

import keyword
import re
import shutil
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any

from instructzoo.core import domain as domains
from instructzoo.core import runs
from instructzoo.core.errors import ZooError

TEMPLATES = {
    "package/pyproject.toml": "packages/$name/pyproject.toml",
    "package/README.md": "packages/$name/README.md",
    "package/__init__.py": "packages/$name/src/instructzoo/$name/__init__.py",
    "package/world.py": "packages/$name/src/instructzoo/$name/world.py",
    "package/sources.py": "packages/$name/src/instructzoo/$name/sources.py",
    "package/prompts.py": "packages/$name/src/instructzoo/$name/prompts.py",
    "package/metrics.py": "packages/$name/src/instructzoo/$name/metrics.py",
    "package/answers.py": "packages/$name/src/instructzoo/$name/answers.py",
    "package/demo.py": "packages/$name/src/instructzoo/$name/demo.py",
    "recipes/tiny.yaml": "recipes/$name/tiny.yaml",
    "recipes/small.yaml": "recipes/$name/small.yaml",
    "tests/test_contract.py": "tests/$name/test_contract.py",
    "demo/app.py": "demos/$name/app.py",
    "demo/README.md": "demos/$name/README.md",
    "demo/requirements.txt": "demos/$name/requirements.txt",
}
"""Each template of scaffold/, and the file that is made from it."""

NEXT_STEPS = (
    "make install",
    ".venv/bin/zoo doctor --settings > docs/recipes.md",
    ".venv/bin/python -m pytest tests/{name}",
    ".venv/bin/zoo reproduce {name}/tiny",
)


def new(name: str, title: str = "", root: Path | str = ".") -> dict[str, Any]:
    """Write a new domain into a checkout: package, recipes, tests, demo, README, and its entries in pyproject.toml.

    It is a small working example, words written backwards, whose files are then replaced one by one.

    Args:
        name: The domain's name, a Python identifier in small letters.
        title: Its heading in demos and model cards; none: the name with a capital.
        root: The checkout.

    Returns:
        {"files": the files written, "edited": the files changed, "next": commands to run next}.

    Raises:
        ZooError: Outside a checkout, and for a name that is taken or is no identifier. Nothing is written then.
    """
    root = Path(root)
    _check(name, root)
    values = {"name": name, "title": title or name.capitalize(), "class": name.title().replace("_", "")}
    templates = resources.files("instructzoo.core").joinpath("scaffold")
    paths = []
    for template, target in TEMPLATES.items():
        text = Template(templates.joinpath(f"{template}.tmpl").read_text(encoding="utf-8")).substitute(values)
        path = root / Template(target).substitute(values)
        runs.write_text(path, text)
        paths.append(path)
    paths.append(Path(shutil.copyfile(root / "LICENSE", root / "packages" / name / "LICENSE")))
    _add_to_workspace(root / "pyproject.toml", name)
    return {
        "files": [str(path) for path in paths],
        "edited": [str(root / "pyproject.toml")],
        "next": [command.format(name=name) for command in NEXT_STEPS],
    }


def _check(name: str, root: Path) -> None:
    if not re.fullmatch("[a-z][a-z0-9_]*", name) or keyword.iskeyword(name) or name == "core":
        raise ZooError(f'no domain can be called "{name}"', "a Python identifier in small letters", where="NAME")
    if not (root / "packages").is_dir() or not (root / "pyproject.toml").is_file():
        found = f"{root.resolve()} is no checkout of instructzoo"
        raise ZooError(found, "a folder with packages/ and pyproject.toml", "run it in the root of a checkout")
    taken = [path for path in (root / folder / name for folder in ("packages", "recipes", "tests")) if path.exists()]
    if taken:
        raise ZooError(f"{taken[0]} exists", "a name that is free", "choose another", "NAME")
    if name in domains.discover():
        raise ZooError(f'a domain "{name}" is installed', "a name that is free", "choose another", "NAME")


def _add_to_workspace(pyproject: Path, name: str) -> None:
    """Name the package to uv and to mypy, behind the entries that are there."""
    text = pyproject.read_text(encoding="utf-8")
    in_workspace = " = { workspace = true }\n"
    end = text.rindex(in_workspace) + len(in_workspace)
    text = f"{text[:end]}instructzoo-{name}{in_workspace}{text[end:]}"
    text = _with_entry(text, "mypy_path", f"packages/{name}/src")
    text = _with_entry(text, "packages", f"instructzoo.{name}")
    runs.write_text(pyproject, text)


def _with_entry(text: str, key: str, entry: str) -> str:
    """TOML text with one more entry at the end of the list `key`."""
    return re.sub(rf"^({key} = \[[^\]]*?)(,?\s*\])", rf'\g<1>, "{entry}"\g<2>', text, count=1, flags=re.MULTILINE)
