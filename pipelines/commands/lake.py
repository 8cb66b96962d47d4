"""`kairos lake`: whether what lies in the lake lies where it should."""

from __future__ import annotations

from typing import Annotated

import typer

from pipelines.options import AsJson, Config, Demo, Now, kairos_of

lake = typer.Typer(name="lake", help="The event lake: check it, put it right.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    app.add_typer(lake)


@lake.callback()
def only_groups() -> None:
    """Keep `check` a word of its own, though it is alone."""


@lake.command()
def check(
    *,
    repair: Annotated[bool, typer.Option("--repair", help="Put right what is found.")] = False,
    now: Now = None,
    config: Config = None,
    demo: Demo = False,
    as_json: AsJson = False,
) -> None:
    """Hold every row of the lake against its folder, every id against all others, the manifest against the files.

    Exit code 1 where something is wrong (and, with --repair, still is). A repair imports nothing again: rows go
    into their own folders, an id that stands twice stays once, and whoever was erased goes.

    Example: kairos lake check --repair
    """
    from pipelines.console import Screen, answer
    from pipelines.jobs.inspecting import check_lake
    from pipelines.views.inspecting import said

    with kairos_of(now=now, config=config, demo=demo) as kairos, Screen() as screen:
        report = check_lake(kairos, repair=repair, progress=screen)
    answer(said(report), report.as_json(), as_json=as_json)
    if not report.sound:
        raise typer.Exit(1)
