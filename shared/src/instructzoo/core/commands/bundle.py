"""zoo bundle: a run's model with its scores into the package, and its tables into the READMEs."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Any

from instructzoo.core import domain as domains
from instructzoo.core import runs
from instructzoo.core.commands.export import export
from instructzoo.core.errors import ZooError
from instructzoo.core.model_hashes import write_hashes
from instructzoo.core.report import update_readme
from instructzoo.core.shelf import LARGEST

_MARKER = re.compile(r"<!-- results:([\w./-]+) -->")


def bundle(domain_name: str, model: str, half: bool = False) -> dict[str, Any]:
    """Bundle a scored run with the domain's package: weights/tiny and the READMEs' tables are written anew.

    The model is written in the plain Hugging Face layout, adapters merged, and checked to answer as the run does.

    Args:
        domain_name: A domain that is used from a checkout.
        model: The run directory; `zoo eval` must have scored it.
        half: Whether weights are stored in float16, at half the size.

    Returns:
        {"output": the folder weights/tiny, "megabytes": size of all weights, "pages": READMEs that changed}.

    Raises:
        ZooError: Outside a checkout, for a run without scores, and for weights beyond shelf.LARGEST.
    """
    domain = domains.get(domain_name)
    root = domain.checkout()
    if root is None:
        raise ZooError(f"{domain.package} is installed from a wheel", "a checkout", "bundle where its source is")
    folder = runs.find(model).folder
    scores = runs.scores_of(folder)
    if scores is None:
        raise ZooError(f"no scores.json in {folder}", "a scored run", f"zoo eval {domain_name} --model {model}")
    weights = domain.folder() / "weights" / "tiny"
    with tempfile.TemporaryDirectory() as temporary:
        exported = Path(temporary) / "model"
        export(domain_name, str(exported), model, half)
        size = sum(path.stat().st_size for path in exported.rglob("*.safetensors"))
        if size > LARGEST["tiny"]:
            expected = f"at most {LARGEST['tiny'] / 2**20:g} MB"
            raise ZooError(f"{size / 2**20:.1f} MB of weights", expected, "train a smaller backbone, or add --half")
        with runs.atomic_folder(weights) as fresh:
            for path in sorted(exported.rglob("*")):
                if path.is_file():
                    copy = fresh / path.relative_to(exported)
                    copy.parent.mkdir(parents=True, exist_ok=True)
                    copy.write_bytes(path.read_bytes())  # and not the mode, which may forbid others to read
            runs.write_json(
                fresh / "scores.json", scores | {"run": "bundled", "command": f"zoo eval {domain_name} --json"}
            )
            write_hashes(fresh)
    pages = [page for page in (root / "packages" / domain_name / "README.md", root / "README.md") if page.is_file()]
    changed = [str(page) for page in pages if update_page(root, page)]
    return {"output": str(weights), "megabytes": round(size / 2**20, 2), "pages": changed}


def update_page(root: Path, page: Path) -> bool:
    """Write the results tables of a README anew, from the scores of the checkout; whether anything changed."""
    names = _MARKER.findall(page.read_text(encoding="utf-8"))
    return update_readme(page, {name: scores_files(root, name) for name in names}) if names else False


def scores_files(root: Path, name: str) -> list[Path]:
    """Where a checkout keeps the scores of a results table.

    Args:
        root: The checkout.
        name: "<domain>/weights/<name>" for a bundled model; "<domain>/<name>" for docs/results/<domain>/<name>.json,
            or for all files of the folder of that name, which are runs of several seeds.
    """
    domain, _, run = name.partition("/")
    if run.startswith("weights/"):
        return [root / "packages" / domain / "src" / "instructzoo" / domain / run / "scores.json"]
    folder = root / "docs" / "results" / domain / run
    return sorted(folder.glob("*.json")) if folder.is_dir() else [folder.with_suffix(".json")]
