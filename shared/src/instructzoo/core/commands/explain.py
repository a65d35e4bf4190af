"""zoo explain: a training row as the model sees it, token by token, with the supervised tokens marked."""

from __future__ import annotations

import html as markup
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from instructzoo.core import recipe as recipes
from instructzoo.core import runs
from instructzoo.core.commands.training_task import build_task
from instructzoo.core.errors import ZooError


def explain(recipe: str, overrides: Sequence[str] = (), row: int = 0, html: str | None = None) -> dict[str, Any]:
    """Show the tokens of a training row, with statistics over the whole training split.

    Args:
        recipe: `domain/recipe`, or a YAML file.
        overrides: Settings such as `model.max_tokens=64`.
        row: The index of the training row, from 0.
        html: Also write an HTML page of the row to this file.

    Returns:
        {"recipe", "row", "id", "source", "tokens": [{"id", "text", "supervised"}], "rows", "mean_tokens", "longest",
        "supervised_share", "padding_share"}; the shares are fractions of all tokens and of all batch positions.

    Raises:
        ZooError: A setting is wrong, there is no such row, or `html` is a folder.
    """
    from instructzoo.core.text import Batches
    from instructzoo.core.text.batching import padding_share

    if html and Path(html).is_dir():  # before the work, not after it
        raise ZooError("found a folder", "a file to write", "choose another --html", html)
    settings = recipes.load(recipe, overrides)
    task = build_task(settings)
    rows = task.built.rows["train"]
    if not 0 <= row < len(rows):
        raise ZooError(f"no training row {row}", f"a number from 0 to {len(rows) - 1}", "choose another --row")
    encoded = task.encode(rows)
    lengths = task.lengths(encoded)
    result = {
        "recipe": f"{settings.domain}/{settings.name}",
        "row": row,
        "id": rows[row]["id"],
        "source": rows[row]["source"],
        "tokens": [token for example in task.encode(rows.select([row])) for token in task.tokens(example)],
        "rows": len(rows),
        "mean_tokens": sum(lengths.total) / len(lengths.total),
        "longest": max(lengths.total),
        "supervised_share": lengths.supervised_share,
        "padding_share": padding_share(Batches(lengths.total, settings.train, settings.seed)),
    }
    if html:
        runs.write_text(Path(html), page(result))
        result["html"] = html
    return result


def page(explanation: dict[str, Any]) -> str:
    """A self-contained HTML page of what `explain` returned."""
    spans = []
    for token in explanation["tokens"]:
        text = markup.escape(token["text"]).replace("\n", "⏎<br>").replace(" ", "·")
        kind = "target" if token["supervised"] else "prompt"
        spans.append(f'<span class="{kind}" title="id {token["id"]}, {kind}">{text}</span>')
    summary = (
        f"{explanation['rows']:,} rows, {explanation['mean_tokens']:.1f} tokens per row, "
        f"longest {explanation['longest']}; {explanation['supervised_share']:.1%} supervised, "
        f"{explanation['padding_share']:.1%} padding"
    )
    title = markup.escape(f"{explanation['recipe']}, row {explanation['row']}")
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{title}</title>
<style>
body {{ font: 16px/1.9 ui-monospace, monospace; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1d2433 }}
h1, p {{ font-family: system-ui, sans-serif }}
span {{ border: 1px solid #d5dae3; border-radius: 4px; padding: 1px 3px; margin: 0 1px }}
.target {{ background: #cdeccf; border-color: #58a55c }}
</style>
<h1>{title}</h1><p>{summary}</p>
<p><span class="prompt">prompt</span> <span class="target">target</span></p>
<div>{"".join(spans)}</div>
</html>
"""
