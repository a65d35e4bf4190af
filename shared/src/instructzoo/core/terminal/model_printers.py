"""How `zoo models` is printed for people: a block for each model, in lines of at most 80 columns."""

from __future__ import annotations

import textwrap
from typing import Any

from instructzoo.core.terminal.console import line

WIDTH = 80
"""Columns of a line at most, however wide the terminal: a line of text is read, not scanned."""

KEY_WIDTH = 11
"""Columns of a key with its indent."""


def models(result: dict[str, Any]) -> None:
    """The models of `zoo models`."""
    for index, model in enumerate(result["models"]):
        if index:
            line("")
        head = f"{model['domain']}/{model['name']}  {model['kind']}, {_state(model)}"
        line(textwrap.fill(head, WIDTH, subsequent_indent=" " * KEY_WIDTH, break_on_hyphens=False))
        for key, text in _facts(model).items():
            _pair(key, text)
    if not result["models"]:
        line("no model is bundled yet: zoo bundle DOMAIN --model RUN")
        return
    line("\nzoo demo DOMAIN --model NAME; a run, a folder or a hub id does as well")


def _facts(model: dict[str, Any]) -> dict[str, str]:
    """What the lines of a block say, by their keys."""
    from instructzoo.core.report.model_card import score_text

    data = "; ".join(
        f"{data['name']} ({data['licence']}{', research only' if data['research_only'] else ''})"
        for data in model["data"]
    )
    size = "" if model["megabytes"] is None else f", {model['megabytes']:,.4g} MB"
    facts = {
        "knows": model["knows"],
        "base": model["base"] + size,
        "score": score_text(model["score"]),
        "everyday": score_text(model["everyday"]) if model["everyday"] else "",
        "data": data,
        "licence": model["licence"]
        + ("; research only" if model["research_only"] and "research" not in model["licence"] else ""),
        "hub": f"{model['repository']} (confirmed: {model['source']})" if model["repository"] else "",
        "weights": _weights(model) if model["repository"] else "",
        "prompt": f"dialect {model['dialect']}" if model["dialect"] else "",
    }
    return {key: text for key, text in facts.items() if text}


def _weights(model: dict[str, Any]) -> str:
    """In which form the weights of a published checkpoint are on the hub."""
    forms = {"safetensors": "safetensors", "pickles": "pickles alone"}
    return forms.get(model["stored"], "form not confirmed") + (f", {model['revision']}" if model["revision"] else "")


def _state(model: dict[str, Any]) -> str:
    """Whether anything must be fetched before the model answers."""
    missing = model["fetch"]
    if missing is None:
        return "ready"
    if model["stored"] == "pickles":
        return "to be converted first (docs/models.md)"
    size = "" if missing["megabytes"] is None else f" {missing['megabytes']:,.0f} MB"
    return f"fetch{size}: zoo fetch {model['domain']}/{model['name']}"


def _pair(key: str, text: str) -> None:
    indent = " " * KEY_WIDTH
    line(textwrap.fill(text, WIDTH, initial_indent=f"  {key}".ljust(KEY_WIDTH), subsequent_indent=indent))
