"""zoo export: a trained model in the layout that other programs open, checked to answer as it did."""

from __future__ import annotations

from itertools import islice
from typing import Any

from instructzoo.core import domain as domains
from instructzoo.core import runs
from instructzoo.core.commands.training_task import new_folder
from instructzoo.core.errors import ZooError

PROBES = 32
"""Test questions that the exported model must answer as the tuned one; pictures may differ by rounding."""


def export(domain_name: str, output: str, run: str | None = None, half: bool = False) -> dict[str, Any]:
    """Write model, tokenizer and card into `output`; adapters are merged. One that answers otherwise is not written.

    half: weights in float16, half the size. Returns {"output", "checked": number of identical answers}.
    """
    from instructzoo.core import data, infer

    folder = new_folder(output)
    domain = domains.get(domain_name)
    source = runs.find(run).folder if run else domain.bundled_model()
    predictor = infer.load(domain, source)
    rows = list(islice(data.build(predictor.recipe, parts=("test",)).rows["test"], PROBES))
    before = predictor.answer(rows)
    with runs.atomic_folder(folder) as fresh:
        runs.write_text(fresh / "recipe.yaml", predictor.recipe.resolved())
        after = predictor.exported(fresh, half).answer(rows)
        (fresh / "README.md").write_text(_card(predictor), encoding="utf-8")
        if differ := sum(not predictor.same_answer(*pair) for pair in zip(after, before, strict=True)):
            raise ZooError(
                f"the exported model answers {differ} of {len(rows)} questions differently",
                "none",
                "nothing was written",
            )
    return {"output": str(folder), "checked": len(rows)}


def _card(predictor: Any) -> str:
    recipe = predictor.recipe
    return (
        f"---\nlicense: {predictor.domain.licence.lower()}\nlibrary_name: {predictor.library}\n---\n\n"
        f"# {predictor.domain.title}, {recipe.name}\n\n"
        f"{predictor.domain.summary.capitalize()}. {predictor.usage} Trained by instructzoo with:\n\n"
        f"```yaml\n{recipe.resolved()}```\n"
    )
