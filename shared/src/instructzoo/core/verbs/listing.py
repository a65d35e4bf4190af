"""zoo list: the installed domains and their recipes. Imports nothing heavy."""

from __future__ import annotations

from typing import Any

from instructzoo.core import app as apps


def list() -> dict[str, Any]:
    """{"domains": [{"name", "title", "summary", "paper", "recipes", "model"}], "broken": [{"name", "reason"}]}."""
    domains, broken = [], []
    for name, app in apps.discover().items():
        if isinstance(app, apps.Broken):
            broken.append({"name": name, "reason": app.reason})
            continue
        carried = (app.folder() / "weights" / "model.safetensors").is_file()
        domains.append(
            {
                "name": name,
                "title": app.title,
                "summary": app.summary,
                "paper": app.paper,
                "recipes": [f"{name}/{stem}" for stem in app.recipes()],
                "model": carried,
            }
        )
    return {"domains": domains, "broken": broken}


def settings() -> str:
    """The page docs/recipes.md: every setting of a recipe, and of the installed domains' worlds and sources."""
    from instructzoo.core.recipe import reference
    from instructzoo.core.settings import table

    lines = [reference().rstrip()]
    for name, app in apps.discover().items():
        if isinstance(app, apps.App):
            for key, module in (("world", "world"), ("options", "sources")):
                if (found := app.module(module).Settings).model_fields:
                    lines += ["", f"## data.{key} of {name}", "", *table(found)]
    return "\n".join(lines).rstrip() + "\n"
