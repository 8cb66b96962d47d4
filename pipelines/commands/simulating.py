"""`kairos simulate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.options import ROOT, AsJson

if TYPE_CHECKING:
    from typer import Typer

EXAMPLE = ROOT / "examples" / "simulated_shop"


def register(app: Typer) -> None:
    """Add the command to ``app``."""
    app.command()(simulate)


def simulate(
    *,
    policy: Annotated[
        Path | None,
        typer.Option(help="The policy to run (default: examples/simulated_shop/policy.yaml)."),
    ] = None,
    world: Annotated[str, typer.Option(metavar="FAMILY", help="The family of worlds.")] = "clusters",
    days: Annotated[int, typer.Option(help="Days from day 0 on.")] = 60,
    customers: Annotated[int, typer.Option(help="Customers of each world, at least 10.")] = 2000,
    seeds: Annotated[int, typer.Option(help="Worlds of the family: seeds 1 to so many.")] = 1,
    history: Annotated[
        int, typer.Option(help="Days of history before day 0, under a sender of its own; at most 365.")
    ] = 150,
    home: Annotated[
        Path, typer.Option(file_okay=False, help="Below it each world has a folder of its own.")
    ] = Path(".kairos/simulate"),
    retrain_days: Annotated[int, typer.Option(help="Train all models every so many days.")] = 28,
    refresh_days: Annotated[int, typer.Option(help="Rebuild features every so many days.")] = 7,
    jobs: Annotated[int, typer.Option(help="Worlds at the same time, a process each.")] = 2,
    as_json: AsJson = False,
) -> None:
    """The real product in worlds whose truth is known: what its decisions are truly worth.

    Day by day: events come in, features and models are renewed on schedule, everybody is asked about every
    three days, what is due is confirmed and sent, and people react by the truth. Killed, it goes on from the last
    finished day. docs/simulate.md says what the result means, and what it cannot say.

    Example: kairos simulate --world clusters --customers 500 --days 30 --seeds 2
    """
    from pipelines.console import Screen, answer
    from pipelines.jobs.simulating import simulate as run
    from pipelines.simulating.plan import Plan, check_least
    from pipelines.views.simulating import summary

    check_least("seeds", seeds)
    plan = Plan(
        world=world,
        customers=customers,
        days=days,
        history=history,
        home=home,
        policy=_existing(policy) if policy else EXAMPLE / "policy.yaml",
        catalogue=EXAMPLE / "catalogue.yaml",
        retrain_days=retrain_days,
        refresh_days=refresh_days,
    )
    with Screen() as screen:
        report = run(plan, seeds=range(1, seeds + 1), jobs=jobs, progress=screen)
    answer(summary(report), report.as_json(), as_json=as_json)


def _existing(policy: Path) -> Path:
    if not policy.is_file():
        raise FileNotFoundError(
            f"--policy {policy}: no such file; give one that is there, or none for {EXAMPLE.name}/policy.yaml"
        )
    return policy
