"""`kairos train` and `kairos models`: make models, and steer which one decides."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from typing import Annotated

import typer

from pipelines.options import AsJson, Config, Demo, Now, kairos_of, settings_of


class Name(StrEnum):
    """The six models, as they are typed."""

    SEND_TIME = "send_time"
    CHANNEL = "channel"
    CHURN = "churn"
    OFFER = "offer"
    WORTH = "worth"
    FATIGUE = "fatigue"


models = typer.Typer(
    name="models", help="Registered models: list, compare, promote, roll back.", no_args_is_help=True
)


def register(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    app.command()(train)
    app.add_typer(models)


def train(
    names: Annotated[
        list[Name] | None, typer.Argument(metavar="[MODEL]...", help="Which models; all six by default.")
    ] = None,
    *,
    tune: Annotated[
        int,
        typer.Option(min=0, help="Optuna trials for churn, channel and offer, which have boosters; 0: none."),
    ] = 0,
    days: Annotated[
        int | None,
        typer.Option(min=1, max=365, help="How far the named models look ahead; by default what fits."),
    ] = None,
    now: Now = None,
    config: Config = None,
    demo: Demo = False,
    as_json: AsJson = False,
) -> None:
    """Train models, judge them on later data, and promote those that pass their gate.

    A model without labels says what it lacks; decisions then use the policy's priors, with a note. Where a model
    loses to a plainer form of itself, as everybody's measured rate, that one decides. What is promoted decides
    from the next decision on. A model that fails stops no other: its error names the feature and some of the
    customers it failed on, and the exit code is 1.

    How far a model looks ahead (`--days`, or `horizons` in the settings) is chosen to fit the events where it is
    not given, and said.

    Example: kairos train churn --days 90
    """
    from pipelines.console import Screen, answer
    from pipelines.jobs.training import train_models
    from pipelines.views.models import outcomes_table

    with kairos_of(now=now, config=config, demo=demo) as kairos, Screen() as screen:
        outcomes = train_models(
            kairos, [name.value for name in names or ()], tune=tune, days=days, progress=screen
        )
    told = {"models": {each.model: each.as_json() for each in outcomes}}
    answer([outcomes_table(outcomes)], told, as_json=as_json)
    failed = [each for each in outcomes if each.status == "failed"]
    for each in failed:
        whose = f" ({each.culprits})" if each.culprits else ""
        typer.secho(f"kairos: {each.reason}{whose}", fg="red", err=True)
    if failed:
        raise typer.Exit(1)


@models.command(name="list")
def list_(*, config: Config = None, demo: Demo = False, as_json: AsJson = False) -> None:
    """List every registered version, its aliases and why it was promoted or not.

    Example: kairos models list
    """
    from decisions.scorers.base import KINDS
    from pipelines.console import answer, table
    from pipelines.jobs.listing import versions_of

    settings = settings_of(config=config, demo=demo)
    found = [version for kind in KINDS for version in versions_of(settings, kind)]
    rows = [(v.model, v.version, ", ".join(v.aliases), v.reason) for v in found]
    told = {"versions": [asdict(version) for version in found]}
    answer([table("Models", ("model", "version", "aliases", "reason"), rows)], told, as_json=as_json)


@models.command()
def compare(
    name: Annotated[Name, typer.Argument(help="Which model.")],
    *,
    config: Config = None,
    demo: Demo = False,
    as_json: AsJson = False,
) -> None:
    """Put the metrics of all versions of one model side by side, as each was measured when it was trained.

    Example: kairos models compare churn
    """
    from pipelines.console import answer, table
    from pipelines.jobs.listing import versions_of

    found = versions_of(settings_of(config=config, demo=demo), name.value)
    metrics = sorted({metric for version in found for metric in version.metrics})
    rows = [(metric, *(version.metrics.get(metric) for version in found)) for metric in metrics]
    heads = [f"{version.version} {' '.join('@' + alias for alias in version.aliases)}" for version in found]
    told = {"versions": [asdict(version) for version in found]}
    answer([table(name, ("metric", *heads), rows)], told, as_json=as_json)


@models.command()
def promote(
    name: Annotated[Name, typer.Argument(help="Which model.")],
    version: Annotated[str, typer.Argument(help="Which version (kairos models list).")],
    *,
    config: Config = None,
    demo: Demo = False,
    as_json: AsJson = False,
) -> None:
    """Make a version the champion, past its gate: the next decision uses it.

    Example: kairos models promote churn 3
    """
    from pipelines.console import answer
    from pipelines.jobs.training import fetch_champions, registry_of

    with kairos_of(config=config, demo=demo) as kairos:
        promoted = registry_of(kairos.settings).promote(name.value, version)
        fetch_champions(kairos)
    answer([f"{name} version {promoted.version} decides now"], {"champion": asdict(promoted)}, as_json=as_json)


@models.command()
def rollback(
    name: Annotated[Name, typer.Argument(help="Which model.")],
    *,
    config: Config = None,
    demo: Demo = False,
    as_json: AsJson = False,
) -> None:
    """Give the alias back to the champion before the present one.

    Example: kairos models rollback churn
    """
    from pipelines.console import answer
    from pipelines.jobs.training import fetch_champions, registry_of

    with kairos_of(config=config, demo=demo) as kairos:
        restored = registry_of(kairos.settings).rollback(name.value)
        fetch_champions(kairos)
    answer([f"{name} is back at version {restored.version}"], {"champion": asdict(restored)}, as_json=as_json)


@models.command()
def shadow(
    name: Annotated[Name, typer.Argument(help="Which model.")],
    version: Annotated[str, typer.Argument(help="Which version (kairos models list).")],
    *,
    days: Annotated[int, typer.Option(min=1, max=365, help="Decisions of so many days are decided again.")] = 28,
    now: Now = None,
    config: Config = None,
    demo: Demo = False,
    as_json: AsJson = False,
) -> None:
    """Let a version decide in the champion's shadow: what it would have done otherwise, and what that is worth.

    The logged questions whose outcome is known are decided again from their records, on scores made of what was
    known then, once by the champions and once with this version. The values are estimated off policy; where the
    log never did what a version wants, or hardly ever, they cannot be told, and the answer says so.

    Example: kairos models shadow channel 2
    """
    from pipelines.console import answer
    from pipelines.jobs.shadowing import shadow as compared
    from pipelines.views.models import shadow_table

    with kairos_of(now=now, config=config, demo=demo) as kairos:
        found = compared(kairos, name.value, version, days=days)
    answer([shadow_table(found)], found.as_json(), as_json=as_json)
