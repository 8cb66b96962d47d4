"""`kairos experiment`: plan, list and read experiments."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from pipelines.options import AsJson, Config, Demo, Now, Until, kairos_of, settings_of

experiment = typer.Typer(name="experiment", help="Experiments: design, list, analyse.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    app.add_typer(experiment)


@experiment.command()
def design(
    *,
    mean: Annotated[float, typer.Option(help="The metric without the treatment; a rate unless --sd is given.")],
    sd: Annotated[float | None, typer.Option(help="A customer's standard deviation, for a mean.")] = None,
    effect: Annotated[float | None, typer.Option(help="The absolute effect to be found.")] = None,
    customers: Annotated[int | None, typer.Option(help="Customers at hand, all arms together.")] = None,
    correlation: Annotated[float, typer.Option(help="Between before and after, for CUPED.")] = 0.0,
    power: Annotated[float, typer.Option(help="Probability to find it.")] = 0.8,
    as_json: AsJson = False,
) -> None:
    """Say how many customers an effect needs, or what effect so many customers show.

    Example: kairos experiment design --mean 0.03 --effect 0.003
    """
    from experiments.design import Baseline, Plan, detectable_effect, sample_size
    from measures.outcome import NotComputable
    from pipelines.console import answer

    if (effect is None) == (customers is None):
        raise typer.BadParameter("give --effect to learn the customers needed, or --customers to learn the effect")
    baseline, plan = Baseline(mean=mean, sd=sd, correlation=correlation), replace(Plan(), power=power)
    found: float | NotComputable
    if effect is not None:
        name, found = "customers", sample_size(baseline, effect, plan)
    else:
        name, found = "effect", detectable_effect(baseline, customers or 0, plan)
    if isinstance(found, NotComputable):
        raise ValueError(found.reason)  # noqa: TRY004  # the options are at fault, not a type
    words = "customers, all arms together" if name == "customers" else "effect"
    shown = f"{words}: {found:,.6g} ({plan.power:.0%} power, two-sided error rate {plan.alpha:.0%})"
    answer([shown], {name: found, "power": plan.power, "alpha": plan.alpha}, as_json=as_json)


@experiment.command(name="list")
def list_(*, config: Config = None, demo: Demo = False, as_json: AsJson = False) -> None:
    """List the policy's experiments, their arms, and how many customers were decided for in each.

    Example: kairos experiment list
    """
    from pipelines.console import answer, table
    from pipelines.jobs.experimenting import arms_in_use

    columns = ("experiment", "arm", "weight", "customers")
    with kairos_of(config=config, demo=demo) as kairos:
        rows = arms_in_use(kairos)
    told = {"arms": [dict(zip(columns, row, strict=True)) for row in rows]}
    answer([table("Experiments", columns, rows)], told, as_json=as_json)


@experiment.command()
def analyse(
    plan: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The analysis, in YAML.")],
    *,
    exposures: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="Who was assigned what, instead of the ledger's decisions."
        ),
    ] = None,
    until: Until = None,
    now: Now = None,
    config: Config = None,
    demo: Demo = False,
    as_json: AsJson = False,
) -> None:
    """Say whether it helped: the sample ratio first, an interval beside every lift, and "cannot tell" where so.

    Example: kairos experiment analyse evening-sends.yaml --exposures assigned.csv
    """
    from experiments.report import markdown
    from pipelines.console import answer
    from pipelines.jobs.experimenting import analyse_experiment, analyse_file
    from pipelines.views.pages import Page

    if exposures is not None:  # assigned elsewhere: neither a policy nor a catalogue has a say
        report = analyse_file(settings_of(now=now, config=config, demo=demo), plan, exposures, until=until)
    else:
        with kairos_of(now=now, config=config, demo=demo) as kairos:
            report = analyse_experiment(kairos, plan, until=until)
    answer([Page(markdown(report))], report.as_dict(), as_json=as_json)
