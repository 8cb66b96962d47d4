"""The demo's summary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from decisions.eligibility.codes import TEXTS
from pipelines.console import Heading, table
from pipelines.views.decisions import card, plan_tables
from pipelines.views.models import outcomes_table
from simulation.households.laying import MARK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from pipelines.jobs.demonstrating import DemoReport
    from pipelines.jobs.learning import Changed
    from pipelines.jobs.overlaying import Overlaid

CURRENCY = "USD"


def summary(report: DemoReport) -> Iterator[RenderableType]:
    """Return what the demo found, in the order it happened."""
    honestly = f", {report.world.upper()}" if report.overlaid else ""
    yield Heading(f"{report.households:,} real households{honestly}, as of {report.now:%d %B %Y %H:%M} UTC")
    yield table("Events imported", ("type", "events"), list(report.imported.events.items()))
    if report.overlaid:
        yield from simulated(report.overlaid, households=report.households)
    if report.imported.quarantined:
        yield table("In quarantine", ("rule", "rows"), list(report.imported.quarantined.items()))
    yield outcomes_table(report.outcomes)
    yield from plan_tables(report.plan, CURRENCY)
    yield learned(report.changed)
    yield "[bold]Some of the decisions[/bold]"
    yield from (card(decision, CURRENCY) for decision in report.shown)
    yield from _promises(report)


def simulated(overlaid: Overlaid, *, households: int) -> Iterator[RenderableType]:
    """Say what is not real, before anything that rests on it."""
    messages = ", ".join(f"{count:,} by {channel}" for channel, count in overlaid.messages.items())
    yield table("Events simulated over them", ("type", "events"), list(overlaid.events.items()))
    yield Heading("[bold yellow]HALF SIMULATED[/bold yellow]")
    yield (
        f"Decided for {households:,} households, half simulated: "
        f"purchases real, messages and reactions simulated. Simulated are messages ({messages}), what followed "
        f"(extra orders among it) and {overlaid.consents:,} consents: the ids of such events begin with "
        f"“{MARK}”. How these households would truly react to messages, no figure below says."
    )


def learned(changed: Changed) -> RenderableType:
    """Return what the models changed in decisions, and why nothing goes where something would have gone."""
    rows = [
        *((f"nothing goes now: {TEXTS[code]}", count) for code, count in changed.holds.items()),
        ("a message goes now: it is worth more than was believed", changed.now_sent),
        ("by another channel, where more is seen or more comes of it", changed.other_channel),
        ("another offer, which moves this customer more", changed.other_offer),
        ("at another hour", changed.other_time),
    ]
    title = f"What learning changed: {changed.total} of {changed.looked_at} decisions are not what was believed"
    return table(title, ("change", "decisions"), [row for row in rows if row[1]])


def _promises(report: DemoReport) -> Iterator[RenderableType]:
    broken = ", ".join(f"{count} × {promise}" for promise, count in report.recount.counts.items() if count)
    verdict = f"[red]broken: {broken}[/red]" if broken else "[green]none broken[/green]"
    yield f"Promises recounted independently over {report.recount.sends:,} sends: {verdict}."
    yield (
        f"All of it took {report.seconds:.0f} seconds. What is assumed and not measured is declared in\n"
        "examples/complete_journey/README.md: margins, costs, consent, and every belief about e-mail.\n"
    )
    yield "Ask further (the command is .venv/bin/kairos):"
    yield from (f"  {command:<62} {meaning}" for command, meaning in _further(report))


def _further(report: DemoReport) -> Iterator[tuple[str, str]]:
    yield (
        f"kairos decide --replay {report.shown[0].decision_id} --demo",
        "the first decision above, from its record",
    )
    yield "kairos decide 1228 906 --demo --dry-run", "two households, now that the week is planned"
    yield "kairos serve --demo", "the same over HTTP"
    yield "kairos monitor --demo", "drift, calibration, pressure, delivery health"
