"""The demo's summary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.console import table
from pipelines.views.decisions import card, plan_tables
from pipelines.views.models import outcomes_table
from simulation.households.laying import MARK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from pipelines.jobs.demonstrating import DemoReport
    from pipelines.jobs.overlaying import Overlaid

CURRENCY = "USD"


def show(report: DemoReport, console: Console) -> None:
    """Draw what the demo found, in the order it happened."""
    honestly = f", {report.world.upper()}" if report.overlaid else ""
    console.rule(f"{report.households:,} real households{honestly}, as of {report.now:%d %B %Y %H:%M} UTC")
    console.print(table("Events imported", ("type", "events"), list(report.imported.events.items())))
    if report.overlaid:
        show_simulated(report.overlaid, console, households=report.households)
    if report.imported.quarantined:
        console.print(table("In quarantine", ("rule", "rows"), list(report.imported.quarantined.items())))
    console.print(outcomes_table(report.outcomes))
    for drawn in plan_tables(report.plan, CURRENCY):
        console.print(drawn)
    console.print("[bold]Some of the decisions[/bold]")
    for decision in report.shown:
        console.print(card(decision, CURRENCY))
    _promises(report, console)


def show_simulated(overlaid: Overlaid, console: Console, *, households: int) -> None:
    """Say what is not real, before anything that rests on it."""
    messages = ", ".join(f"{count:,} by {channel}" for channel, count in overlaid.messages.items())
    console.print(table("Events simulated over them", ("type", "events"), list(overlaid.events.items())))
    console.rule("[bold yellow]HALF SIMULATED[/bold yellow]")
    console.print(
        f"Decided for {households:,} households, half simulated: "
        f"purchases real, messages and reactions simulated. Simulated are messages ({messages}), what followed "
        f"(extra orders among it) and {overlaid.consents:,} consents: the ids of such events begin with "
        f"“{MARK}”. How these households would truly react to messages, no figure below says."
    )


def _promises(report: DemoReport, console: Console) -> None:
    broken = ", ".join(f"{count} × {promise}" for promise, count in report.recount.counts.items() if count)
    verdict = f"[red]broken: {broken}[/red]" if broken else "[green]none broken[/green]"
    console.print(f"Promises recounted independently over {report.recount.sends:,} sends: {verdict}.")
    console.print(f"All of it took {report.seconds:.0f} seconds. What is assumed and not measured is declared in")
    console.print("examples/complete_journey/README.md: margins, costs, consent, and every belief about e-mail.\n")
    console.print("Ask further (the command is .venv/bin/kairos):")
    for command, meaning in _further(report):
        console.print(f"  {command:<62} {meaning}", soft_wrap=True)


def _further(report: DemoReport) -> Iterator[tuple[str, str]]:
    yield (
        f"kairos decide --replay {report.shown[0].decision_id} --demo",
        "the first decision above, from its record",
    )
    yield "kairos decide 1228 906 --demo --dry-run", "two households, now that the week is planned"
    yield "kairos serve --demo", "the same over HTTP"
    yield "kairos monitor --demo", "drift, calibration, pressure, delivery health"
