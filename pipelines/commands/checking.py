"""`kairos check`: the files that people write, before anything runs on them."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from pipelines.options import AsJson, Config, Demo, settings_of


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command()(check)


def check(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[FILE]...",
            help="Policies, catalogues, plans, mappings; by default the settings' policy and catalogue.",
        ),
    ] = None,
    *,
    config: Config = None,
    demo: Demo = False,
    as_json: AsJson = False,
) -> None:
    """Check policy, catalogue, plans and mappings, each and together, without running anything.

    Errors are what cannot be meant: a name that no feature and no customer has, a cap on what is never sent.
    Warnings may be meant. Exit code 1 where there is an error. `plan` and `serve` check first, and refuse errors.

    Example: kairos check policy.yaml catalogue.yaml import.yaml
    """
    from rich.text import Text

    from pipelines.console import answer
    from pipelines.jobs.checking import check_files

    findings = check_files(settings_of(config=config, demo=demo), files or ())
    errors = sum(each.level == "error" for each in findings)
    lines = [Text(str(each)) for each in findings]
    told = {"errors": errors, "findings": [asdict(each) for each in findings]}
    answer([*lines, f"errors: {errors}, warnings: {len(findings) - errors}"], told, as_json=as_json)
    if errors:
        raise typer.Exit(1)
