"""`kairos demo`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.options import AsJson

if TYPE_CHECKING:
    import typer


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command()(demo)


def demo(*, as_json: AsJson = False) -> None:
    """The whole path on real data, then a summary of what was decided and why.

    Imports a year of 2,469 real households (dunnhumby Complete Journey), builds features, trains and judges five
    models, plans a week's messages under caps and budgets, and recounts the promises. What the data lacks is
    declared in examples/complete_journey. Earlier demo data are replaced.

    Example: kairos demo --json | tail -1 | python -m json.tool
    """
    from pipelines.console import Screen, json_line
    from pipelines.jobs.demonstrating import demonstrate
    from pipelines.views import demo as view

    with Screen() as screen:
        report = demonstrate(progress=screen)
    view.show(report, screen.console)
    if as_json:
        print(json_line(report.as_json()))
