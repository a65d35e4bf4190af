"""zoo export: a trained model in the layout that other programs open, checked to give the same answers."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

from instructzoo.core import domain as domains
from instructzoo.core import runs
from instructzoo.core.commands.training_task import new_folder
from instructzoo.core.errors import ZooError
from instructzoo.core.record import Row
from instructzoo.core.report import exported_card
from instructzoo.core.terminal import model_option

PROBES = 32
"""Test rows that the exported model must answer as the trained one does; images may differ by rounding."""


def export(domain_name: str, output: str, model: str | None = None, half: bool = False) -> dict[str, Any]:
    """Write model, tokenizer and model card in the plain Hugging Face layout; adapters are merged.

    Args:
        domain_name: An installed domain.
        output: The new folder.
        model: A name of `zoo models`, a run directory, a folder or a hub id; by default tiny.
        half: Whether to save the weights in float16, at half the size.

    Returns:
        {"output", "checked": the number of test rows whose answers were compared, "usage": "run" where the code of the
        README gave the model's answer, else what it did instead}.

    Raises:
        ZooError: The exported model answers differently (nothing is then written), the method cannot be merged, or
            `output` holds files already.
    """
    from instructzoo.core import infer

    folder = new_folder(output)
    domain = domains.get(domain_name)
    predictor = infer.open_chosen(domain, model_option.for_files(domain, model))
    rows = _probes(predictor)
    before = predictor.answer(rows)
    with runs.atomic_folder(folder) as temporary:
        runs.write_text(temporary / "recipe.yaml", predictor.recipe.resolved())
        exported = predictor.exported(temporary, half)
        after = exported.answer(rows)
        if different := sum(not predictor.same_answer(*pair) for pair in zip(after, before, strict=True)):
            raise ZooError(
                f"the exported model answers {different} of {len(rows)} questions differently",
                "none",
                "nothing was written",
            )
        usage = _usage(exported, rows[0], temporary)
        (temporary / "README.md").write_text(exported_card.exported_card(predictor, usage), encoding="utf-8")
    return {"output": str(folder), "checked": len(rows), "usage": usage.failure or "run"}


def _usage(exported: Any, row: Row, folder: Path) -> exported_card.Usage:
    """Code that asks the exported model without instructzoo, run in its folder and compared with the predictor."""
    from instructzoo.core.infer import usage_snippet

    own = exported.domain.objective == "own"
    snippets = exported.domain.module("predictor").usage_snippet if own else usage_snippet
    code, prompt = snippets.usage_snippet(exported, row, folder), snippets.prompt_text(exported, row)
    printed, failure = exported_card.run_code(code, folder)
    (answer,) = exported.with_constraints(False).answer([row])
    if not failure and not snippets.printed_same(exported, printed, answer, folder):
        failure = f"it printed {printed.strip()[:200]!r}"
    return exported_card.Usage(code, printed, failure, prompt)


def _probes(predictor: Any) -> list[Row]:
    """Test rows of the model's recipe; of the microworld for a model that came with its weights alone."""
    from instructzoo.core import data
    from instructzoo.core.data.microworld import world_rows

    if (predictor.folder / "manifest.json").is_file() or predictor.recipe.data.sources == ("world",):
        return list(islice(data.build(predictor.recipe, splits=("test",)).rows["test"], PROBES))
    rows = world_rows(predictor.recipe, predictor.domain.module("world"), ("test",))
    return list(islice(rows["test"], PROBES))
