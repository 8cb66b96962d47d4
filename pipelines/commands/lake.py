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
    from pipelines.console import Screen, json_line, table
    from pipelines.jobs.inspecting import WAY_OUT, check_lake, in_words

    with kairos_of(now=now, config=config, demo=demo) as kairos, Screen() as screen:
        report = check_lake(kairos, repair=repair, progress=screen)
    found = report.found
    screen.say(f"{found.events:,} events, {found.customers:,} customers")
    screen.say(table("Wrong in the lake", ("what", "how many"), list(found.faults.items())))
    for file in (*found.missing, *found.broken):
        screen.say(f"  {file} {'is missing' if file in found.missing else 'cannot be read'}")
    if report.left is not None:
        screen.say(
            f"left: {in_words(report.left.faults)}" if report.left.faults else "put right; build features anew"
        )
    elif found.faults:
        screen.say(f"put it right with: {WAY_OUT}")
    if as_json:
        print(json_line(report.as_json()))
    if not report.sound:
        raise typer.Exit(1)
