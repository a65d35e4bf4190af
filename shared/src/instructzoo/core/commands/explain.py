"""zoo explain: what the model sees of a row, token by token, with the supervised ones marked."""

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
    """Tokens of training row number `row`, and the shares of padding and supervision over the whole training part.

    Returns {"row", "tokens": [{"id", "text", "supervised"}], "rows", "supervised_share", "padding_share", ...}.
    """
    from instructzoo.core.text import Batches
    from instructzoo.core.text.batching import padding_share

    if html and Path(html).is_dir():  # before the work, not after it
        raise ZooError("found a folder", "a file to write", "choose another --html", html)
    settings = recipes.load(recipe, overrides)
    ready = build_task(settings)
    train = ready.built.rows["train"]
    if not 0 <= row < len(train):
        raise ZooError(f"no training row {row}", f"a number from 0 to {len(train) - 1}", "choose another --row")
    chosen = train[row]
    encoded = ready.encode(train)
    costs = ready.lengths(encoded)
    found = {
        "recipe": f"{settings.domain}/{settings.name}",
        "row": row,
        "id": chosen["id"],
        "source": chosen["source"],
        "tokens": ready.tokens(encoded[row]),
        "rows": len(train),
        "mean_tokens": sum(costs.total) / len(costs.total),
        "longest": max(costs.total),
        "supervised_share": costs.supervised_share,
        "padding_share": padding_share(Batches(costs.total, settings.train, settings.seed)),
    }
    if html:
        runs.write_text(Path(html), page(found))
        found["html"] = html
    return found


def page(found: dict[str, Any]) -> str:
    """A self-contained HTML page of the row."""
    spans = []
    for token in found["tokens"]:
        text = markup.escape(token["text"]).replace("\n", "⏎<br>").replace(" ", "·")
        kind = "learnt" if token["supervised"] else "read"
        spans.append(f'<span class="{kind}" title="id {token["id"]}, {kind}">{text}</span>')
    summary = (
        f"{found['rows']:,} rows, {found['mean_tokens']:.1f} tokens a row, longest {found['longest']}; "
        f"{found['supervised_share']:.1%} supervised, {found['padding_share']:.1%} padding"
    )
    title = markup.escape(f"{found['recipe']}, row {found['row']}")
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{title}</title>
<style>
body {{ font: 16px/1.9 ui-monospace, monospace; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1d2433 }}
h1, p {{ font-family: system-ui, sans-serif }}
span {{ border: 1px solid #d5dae3; border-radius: 4px; padding: 1px 3px; margin: 0 1px }}
.learnt {{ background: #cdeccf; border-color: #58a55c }}
</style>
<h1>{title}</h1><p>{summary}</p>
<p><span class="read">read</span> <span class="learnt">learnt</span></p>
<div>{"".join(spans)}</div>
</html>
"""
