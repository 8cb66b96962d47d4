"""`kairos demo`."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from pipelines.options import AsJson


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command()(demo)


def demo(
    *,
    world: Annotated[
        Literal["real", "simulated"],
        typer.Option(help="simulated: lay simulated messages on all channels over the real households."),
    ] = "real",
    as_json: AsJson = False,
) -> None:
    """The whole path on real data, then a summary of what was decided and why.

    Imports a year of 2,469 real households (dunnhumby Complete Journey), builds features, trains and judges six
    models, plans a week's messages under caps and budgets, and recounts the promises. What the data lacks is
    declared in examples/complete_journey. Earlier demo data are replaced.

    With --world simulated it is half simulated: purchases stay real; e-mail, push and SMS, and how the households
    react to them, are simulated and marked as such.

    Example: kairos demo --json | tail -1 | python -m json.tool
    """
    from pipelines.console import Screen, answer
    from pipelines.jobs.demonstrating import demonstrate
    from pipelines.views.demo import summary

    with Screen() as screen:
        report = demonstrate(world=world, progress=screen)
    answer(summary(report), report.as_json(), as_json=as_json)
