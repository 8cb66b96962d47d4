"""What a simulation came to, in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.console import Heading, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from pipelines.jobs.simulating import Simulation
    from pipelines.simulating.result import Simulated

PARTS = ("margin", "incentive", "cost", "churn")


def summary(report: Simulation) -> Iterator[RenderableType]:
    """Return the value with its parts, sends and unsubscribes, what became of models, and broken promises."""
    plan = report.plan
    yield Heading(f"{plan.world}: {plan.customers:,} customers, {plan.days} days, {len(report.runs)} seeds")
    columns = ("seed", "value", *PARTS, "sent", "unsubscribed per 1,000", "broken promises")
    title = "True expected euros per customer against never messaging: value = margin − incentive − cost − churn"
    yield table(title, columns, [_row(run) for run in report.runs])
    yield table("Sent by channel", ("seed", "channel", "messages"), list(_sends(report)))
    yield table("Held, by main reason", ("seed", "reason", "decisions"), list(_holds(report)))
    yield table("Models at each training", ("seed", "day", "in use after it", "not"), list(_models(report)))
    yield _mean(report)
    yield _promises(report)


def _row(run: Simulated) -> tuple[object, ...]:
    account = run.account
    parts = [getattr(account, name) / run.customers for name in PARTS]
    return (
        str(run.seed),
        run.value,
        *parts,
        account.sent,
        run.unsubscribes_per_1000,
        sum(run.violations.values()),
    )


def _sends(report: Simulation) -> Iterator[tuple[object, ...]]:
    for run in report.runs:
        yield from ((str(run.seed), channel, count) for channel, count in run.sends.items())


def _holds(report: Simulation) -> Iterator[tuple[object, ...]]:
    for run in report.runs:
        yield from ((str(run.seed), reason, count) for reason, count in run.holds.items())


def _models(report: Simulation) -> Iterator[tuple[object, ...]]:
    for run in report.runs:
        for day, outcomes in run.models.items():
            passed = [each["model"] for each in outcomes if each["promoted"]]
            failed = [f"{each['model']} ({each['status']})" for each in outcomes if not each["promoted"]]
            yield str(run.seed), str(day), ", ".join(passed) or "none", ", ".join(failed) or "none"


def _mean(report: Simulation) -> str:
    if report.interval is None:
        return f"Value per customer: {report.value:.3f} €. One seed says nothing about chance: give --seeds."
    low, high = report.interval
    return f"Value per customer over {len(report.runs)} seeds: {report.value:.3f} € (95%: {low:.3f} … {high:.3f})."


def _promises(report: Simulation) -> str:
    broken = ", ".join(f"{count} × {promise}" for promise, count in report.violations.items() if count)
    verdict = f"[red]broken: {broken}[/red]" if broken else "[green]none broken[/green]"
    return (
        f"Promises recounted independently over {sum(run.account.sent for run in report.runs):,} sends: {verdict}."
    )
