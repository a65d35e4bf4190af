"""The README.md of an exported model: code that asks it without instructzoo, its prompt, and what that code lacks."""

from __future__ import annotations

import contextlib
import io
import runpy
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from instructzoo.core.report.model_card import OTHER_LICENCE
from instructzoo.core.score.results import Results
from instructzoo.core.score.tables import format_cell

UNCONSTRAINED = "unconstrained"
"""The system of scores.json that decodes without a grammar."""


@dataclass(frozen=True)
class Usage:
    """Code that asks an exported model one question.

    Attributes:
        code: The code, which prints the answer.
        printed: What it printed in the model's folder; empty where it failed.
        failure: Why it failed, or how its answer differs; empty where it gave the same answer.
        prompt: The text that the model reads.
    """

    code: str
    printed: str
    failure: str
    prompt: str


def run_code(code: str, folder: Path) -> tuple[str, str]:
    """Run Python code in a folder, in this process.

    Args:
        code: The code.
        folder: The working directory of the code.

    Returns:
        What it printed, and the error in one line if it failed.
    """
    script, out = folder.absolute() / "usage.py", io.StringIO()
    script.write_text(code, encoding="utf-8")
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()), contextlib.chdir(folder):
            runpy.run_path(str(script))
    except Exception as error:  # noqa: BLE001 - whatever another library raises is said in the README
        return out.getvalue(), f"{type(error).__name__}: {error}".splitlines()[0]
    finally:
        script.unlink()
    return out.getvalue(), ""


def exported_card(predictor: Any, usage: Usage) -> str:
    """The README.md of an exported model, in the form that the hub reads.

    Args:
        predictor: The model as it was before the export, with its scores.
        usage: The code that asks it.

    Returns:
        Markdown.
    """
    domain, recipe = predictor.domain, predictor.recipe
    model = predictor.model
    licence = model.licence if model else domain.licence
    knows = f"{model.knows} " if model else ""
    data = "; ".join(map(str, model.data)) if model else ""
    only = " **For research only**, as some of its data." if model and model.research_only else ""
    blocks = [
        f"---\nlicense: {OTHER_LICENCE if ' ' in licence else licence.lower()}\nlibrary_name: {predictor.library}\n---",
        f"# {domain.title}, {recipe.name}",
        f"{domain.summary.capitalize()}. {knows}{predictor.usage}",
        f"Licence of these weights: {licence}.{only}" + (f" Trained on {data}." if data else ""),
        f"## Use without instructzoo\n\n```python\n{usage.code}```",
        *_outcome(usage),
        f"The model reads this text, up to its last character:\n\n```text\n{usage.prompt}\n```",
        f"## What this code lacks\n\n{_grammar(predictor)}",
        f"## Training\n\nTrained by instructzoo with:\n\n```yaml\n{recipe.resolved()}```",
    ]
    return "\n\n".join(blocks) + "\n"


def _outcome(usage: Usage) -> Sequence[str]:
    """What the code printed when the model was exported."""
    if usage.failure:
        return [f"This code did not give the model's answer when it was exported: {usage.failure}"]
    said = "It was run when the model was exported, and gave the same answer as `zoo predict` without a grammar"
    return [f"{said}:\n\n```text\n{usage.printed.rstrip()}\n```"]


def _grammar(predictor: Any) -> str:
    """What is lost where decoding is not constrained to the domain's grammar: measured, or plainly said."""
    if not predictor.constrained:
        return "Nothing: this model is decoded without a grammar by instructzoo too."
    said = (
        "`zoo predict` and the demo constrain decoding to the grammar of the answers (their form, spans that occur in "
        "the text, labels that are on offer); this code does not. "
    )
    results = Results.from_dict(predictor.scores) if predictor.scores else None
    if results is None or UNCONSTRAINED not in results.systems:
        return f"{said}How much that costs was not measured for this model; `zoo eval` measures it."
    with_grammar = results.model.headline_value()
    without = results.systems[UNCONSTRAINED].get(with_grammar.metric, with_grammar.group)
    values = f"{format_cell(with_grammar)} with the grammar and {format_cell(without)} without it"
    return (
        f"{said}Measured on the {results.scored_rows}: {with_grammar.metric} {values}, in percent with 95% intervals."
    )
