"""zoo bundle: a run's model with its scores into the package, and its tables into the READMEs."""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from instructzoo.core import domain as domains
from instructzoo.core import runs
from instructzoo.core.commands.export import PROBES, export
from instructzoo.core.commands.list import models
from instructzoo.core.domain import Domain
from instructzoo.core.errors import ZooError, suggest
from instructzoo.core.model_hashes import write_hashes
from instructzoo.core.report import update_readme
from instructzoo.core.report.model_card import MODELS_SECTION, bundled_card, models_table
from instructzoo.core.shelf import LARGEST, by_name

_MARKER = re.compile(r"<!-- results:([\w./-]+) -->")

EVERYDAY = "everyday.json"
"""The scores of a model on the everyday texts of its domain, beside its scores.json."""

ROUNDED_ANSWERS = 1
"""Answers of the probes that the rounding of an adapter to float16 may change."""


def bundle(domain_name: str, model: str, half: bool = False, name: str = "tiny") -> dict[str, Any]:
    """Bundle a scored model with the domain's package: weights/<name> and the READMEs' tables are written anew.

    tiny is written in the plain Hugging Face layout, adapters merged, and checked to answer as the run does. small is
    written as an adapter in float16, without the base and its tokenizer.

    Args:
        domain_name: A domain that is used from a checkout.
        model: The run directory, or the folder of its model; `zoo eval` must have scored it.
        half: Whether the weights of tiny are stored in float16, at half the size.
        name: "tiny" or "small", a row of the domain's table of models.

    Returns:
        {"output": the folder weights/<name>, "megabytes": size of all weights, "checked": test rows whose answers were
        compared, "different": answers that rounding changed, "pages": READMEs that changed}.

    Raises:
        ZooError: Outside a checkout, for a model without scores or a name that the table lacks, for weights beyond
            shelf.LARGEST, and where the bundled model answers otherwise. Nothing is written then.
    """
    from instructzoo.core import infer
    from instructzoo.core.models import model_choice

    domain = domains.get(domain_name)
    root = domain.checkout()
    if root is None:
        raise ZooError(f"{domain.package} is installed from a wheel", "a checkout", "bundle where its source is")
    table = by_name(row for row in domain.models if row.bundled)
    if name not in table:
        place = f"models in {domain.name}/__init__.py"
        raise ZooError(f'the table of models has no "{name}"', suggest(name, table), f"add it to {place}", "--as")
    chosen = model_choice.choose(domain, model)
    scores = runs.scores_of(chosen.folder)
    if scores is None:
        raise ZooError(f"no scores.json in {chosen.folder}", "a scored run", f"zoo eval {domain_name} --model {model}")
    everyday, marker = chosen.folder / EVERYDAY, f"results:{domain_name}/weights/{name}/everyday "
    pages = _pages(domain, root)
    if not everyday.is_file() and any(marker in page.read_text(encoding="utf-8") for page in pages):
        fix = f"zoo eval {domain_name} --model {model} --rows tests/{domain_name}/everyday.jsonl -o {everyday}"
        raise ZooError(f"no {EVERYDAY} in {chosen.folder}", "scores on everyday texts, which a README shows", fix)
    weights = domain.folder() / "weights" / name
    with runs.atomic_folder(weights) as fresh:
        if name == "small":
            compared = _write_adapter(infer.open_chosen(domain, chosen), fresh)
        else:
            compared = _write_plain(domain_name, model, half, fresh)
        size = sum(path.stat().st_size for path in fresh.rglob("*.safetensors"))
        if size > LARGEST[name]:
            found, expected = f"{size / 2**20:.1f} MB of weights", f"at most {LARGEST[name] / 2**20:g} MB"
            raise ZooError(found, expected, "train a smaller backbone or a lower rank, or add --half")
        command = f"zoo eval {domain_name} --model tiny --json" if name == "tiny" else scores["command"]
        runs.write_json(fresh / "scores.json", scores | {"run": "bundled", "command": command})
        if everyday.is_file():
            runs.write_json(fresh / EVERYDAY, runs.read_json(everyday))
        recipe = (fresh / "recipe.yaml").read_text(encoding="utf-8")
        runs.write_text(fresh / "README.md", bundled_card(domain, table[name], recipe))
        write_hashes(fresh)
    changed = [str(page) for page in pages if update_page(root, page)]
    return {"output": str(weights), "megabytes": round(size / 2**20, 2), **compared, "pages": changed}


def _write_plain(domain_name: str, model: str, half: bool, folder: Path) -> dict[str, int]:
    """Export a model into a folder: {"checked": rows that were compared, "different": 0}."""
    with tempfile.TemporaryDirectory() as temporary:
        exported = Path(temporary) / "model"
        checked = export(domain_name, str(exported), model, half)["checked"]
        for path in sorted(exported.rglob("*")):
            if path.is_file():
                copy = folder / path.relative_to(exported)
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_bytes(path.read_bytes())  # and not the mode, which may forbid others to read
    return {"checked": checked, "different": 0}


def _write_adapter(predictor: Any, folder: Path) -> dict[str, int]:
    """Write an adapter as it is bundled, and compare its answers with those of the predictor.

    Returns:
        {"checked": rows of the microworld that were answered, "different": answers that differ by rounding}.

    Raises:
        ZooError: More than ROUNDED_ANSWERS answers differ.
    """
    from instructzoo.core import infer
    from instructzoo.core.models import adapter_bundle

    adapter_bundle.write(predictor.loaded_from(), predictor.recipe, folder)
    rows = list(predictor.domain.module("world").generate(PROBES, 0, "test"))
    answers, rounded = predictor.answer(rows), infer.load(predictor.domain, folder).merged().answer(rows)
    different = sum(not predictor.same_answer(*pair) for pair in zip(rounded, answers, strict=True))
    if different > ROUNDED_ANSWERS:
        found = f"in float16 the adapter answers {different} of {len(rows)} questions differently"
        raise ZooError(found, f"at most {ROUNDED_ANSWERS}", "nothing was written")
    return {"checked": len(rows), "different": different}


def _pages(domain: Domain, root: Path) -> list[Path]:
    """The READMEs that show a domain's results."""
    pages = (root / "packages" / domain.name / "README.md", root / "README.md")
    return [page for page in pages if page.is_file()]


def update_page(root: Path, page: Path) -> bool:
    """Write the tables of models and results in a README anew, from the checkout; whether anything changed."""
    text = page.read_text(encoding="utf-8")
    updated = with_models(text)
    if updated != text:
        runs.write_text(page, updated)
    names = _MARKER.findall(text)
    tables = update_readme(page, {name: scores_files(root, name) for name in names}) if names else False
    return tables or updated != text


def with_models(text: str) -> str:
    """The text of a README with its tables of models as they are now."""

    def section(match: re.Match[str]) -> str:
        return f"{match[1]}{models_table(models(match['domain'])['models'])}\n{match[3]}"

    return MODELS_SECTION.sub(section, text)


def scores_files(root: Path, name: str) -> list[Path]:
    """Where a checkout keeps the scores of a results table.

    Args:
        root: The checkout.
        name: "<domain>/weights/<model>" for a bundled model, "<domain>/weights/<model>/everyday" for its scores on
            everyday texts; "<domain>/<name>" for docs/results/<domain>/<name>.json, or for all files of the folder of
            that name, which are runs of several seeds.
    """
    domain, _, run = name.partition("/")
    if run.startswith("weights/"):
        path = root / "packages" / domain / "src" / "instructzoo" / domain / run
        return [path / "scores.json" if run.count("/") == 1 else path.with_suffix(".json")]
    folder = root / "docs" / "results" / domain / run
    return sorted(folder.glob("*.json")) if folder.is_dir() else [folder.with_suffix(".json")]


def main() -> None:
    """Write the cards of bundled models and the tables of all READMEs of the checkout anew."""
    root = Path()
    installed = [domain for domain in domains.discover().values() if isinstance(domain, Domain)]
    for domain in installed:
        for model in (model for model in domain.shelf().values() if model.bundled):
            folder = domain.bundled_model(model.name)
            recipe = (folder / "recipe.yaml").read_text(encoding="utf-8")
            runs.write_text(folder / "README.md", bundled_card(domain, model, recipe))
    for page in sorted([root / "README.md", *root.glob("packages/*/README.md")]):
        sys.stdout.write(f"{page}: {'updated' if update_page(root, page) else 'up to date'}\n")


if __name__ == "__main__":
    main()
