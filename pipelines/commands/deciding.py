"""`kairos decide` and `kairos plan`: one customer, or everybody."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Literal

import typer

from pipelines.options import AsJson, Config, Customers, Demo, Now, kairos_of


def register(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    app.command()(decide)
    app.command()(plan)


def decide(
    customers: Customers = None,
    *,
    purpose: Annotated[
        Literal["marketing", "service", "transactional"], typer.Option(help="What the message is for.")
    ] = "marketing",
    campaign: Annotated[str | None, typer.Option(help="Ask on behalf of this campaign of the catalogue.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be decided; reserve nothing.")
    ] = False,
    replay: Annotated[str | None, typer.Option(metavar="ID", help="Recompute a decision from its record.")] = None,
    now: Now = None,
    config: Config = None,
    demo: Demo = False,
    as_json: AsJson = False,
) -> None:
    """Decide for customers and say why; or recompute an earlier decision from its record alone.

    Examples: kairos decide 1228 906 --demo --dry-run, and kairos decide --replay 3f0c… --demo
    """
    if bool(customers) == bool(replay):
        raise typer.BadParameter("name customers to decide for, or one decision to recompute with --replay ID")
    from pipelines.console import answer
    from pipelines.jobs.deciding import decide_now, replay_decision
    from pipelines.views.decisions import decided

    with kairos_of(now=now, config=config, demo=demo, small=True) as kairos:
        if replay:
            again = replay_decision(kairos, replay)
            made, about = [again.recomputed], {"same": again.same}
        else:
            made = decide_now(kairos, customers or (), purpose=purpose, campaign_id=campaign, dry_run=dry_run)
            about = {"dry_run": dry_run}
        currency = kairos.policy.currency
    answer(decided(made, currency, **about), {"decisions": made, **about}, as_json=as_json)
    if not about.get("same", True):
        raise typer.Exit(1)


def plan(
    *,
    date: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Name of the plan; by default today (UTC).")
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=28, help="Plan sends so many days ahead.")] = 1,
    now: Now = None,
    config: Config = None,
    demo: Demo = False,
    as_json: AsJson = False,
) -> None:
    """Decide for everybody, within the policy's daily budgets, and reserve what is decided.

    The plan of a date is made once: run again, it returns the same decisions, and goes on where it was stopped.

    Example: kairos plan --days 7
    """
    from pipelines.console import Screen, answer
    from pipelines.jobs.planning import plan_day
    from pipelines.views.decisions import plan_tables
    from runtime.checking import refuse_unsound

    with kairos_of(now=now, config=config, demo=demo) as kairos, Screen() as screen:
        for warning in refuse_unsound(kairos.settings, kairos.policy, kairos.catalogue):
            typer.echo(str(warning), err=True)
        report = plan_day(kairos, day=date and date.date(), days=days, progress=screen)
        currency = kairos.policy.currency
    answer(plan_tables(report, currency), asdict(report), as_json=as_json)
