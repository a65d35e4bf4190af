"""Arguments and options that several commands have."""

from __future__ import annotations

from typing import Annotated

import typer

RecipeName = Annotated[str, typer.Argument(help="domain/recipe, or a YAML file", metavar="RECIPE")]
Overrides = Annotated[
    list[str] | None, typer.Argument(help="settings such as train.lr=1e-4", metavar="[SETTING=VALUE]...")
]
DomainName = Annotated[str, typer.Argument(help="an installed domain", metavar="DOMAIN")]
ModelName = Annotated[
    str | None, typer.Option("--model", help="a name of zoo models, a run, a folder or a hub id", metavar="MODEL")
]
Yes = Annotated[bool, typer.Option("--yes", help="fetch the base of the default model without a question")]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]
Quiet = Annotated[bool, typer.Option("--quiet", help="show no progress")]
