"""`kairos import` and `kairos features`: from files to features."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from pipelines.options import AsJson, Config, Demo, Now, kairos_of

features = typer.Typer(name="features", help="Feature tables: build, put online.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    app.command(name="import")(import_)
    app.add_typer(features)


def import_(
    mapping: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="What the files mean (docs/import.md).")
    ],
    *,
    strict: Annotated[bool, typer.Option(help="Refuse the whole import if one row breaks a rule.")] = False,
    now: Now = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Import any CSV, Parquet or JSON lines into lake and ledger.

    A bad row goes to quarantine with the rule it broke; its neighbours get through. Importing again changes
    nothing.

    Example: kairos import examples/webshop/import.yaml
    """
    from rich.text import Text

    from pipelines.console import Screen, answer, table
    from pipelines.jobs.importing import import_files
    from pipelines.jobs.inspecting import WAY_OUT, in_words

    with kairos_of(now=now, config=config) as kairos, Screen() as screen:
        report = import_files(mapping, kairos, strict=strict, progress=screen)
    rows = [*report.events.items(), ("customers", report.customers), ("consents", report.consents)]
    rows += [("known already", report.duplicates), ("of erased customers, left out", report.erased)]
    if report.conflicts:
        rows.append(("known, but told otherwise", report.conflicts))
    shown = [table("Imported", ("what", "rows"), rows)]
    if report.quarantined:
        shown.append(table("In quarantine", ("rule", "rows"), list(report.quarantined.items())))
        shown.append(Text(f"They lie in {kairos.settings.lake / 'quarantine'}, each with what its rule asks for."))
    for warning in report.warnings:
        typer.echo(f"WARNING: {warning.words}", err=True)
    if report.lake_faults:
        typer.echo(
            f"WARNING: the lake holds what it should not ({in_words(report.lake_faults)}): {WAY_OUT}", err=True
        )
    answer(shown, report.as_json(), as_json=as_json)


@features.command()
def build(*, now: Now = None, config: Config = None, demo: Demo = False, as_json: AsJson = False) -> None:
    """Build every feature table from the lake, a bucket at a time, up to now.

    Example: kairos features build --now 2017-12-31T00:00:00Z
    """
    from pipelines.console import Screen, answer, table
    from pipelines.jobs.building import build_tables

    with kairos_of(now=now, config=config, demo=demo) as kairos, Screen() as screen:
        report = build_tables(kairos, progress=screen)
    shown = table(f"Built until {report.until}", ("table", "rows"), list(report.rows.items()))
    answer([shown], asdict(report), as_json=as_json)


@features.command()
def materialize(*, now: Now = None, config: Config = None, demo: Demo = False, as_json: AsJson = False) -> None:
    """Put the latest snapshots into the online store, where decisions read them.

    Example: kairos features materialize
    """
    from pipelines.console import Screen, answer
    from pipelines.jobs.building import materialize as put_online

    with kairos_of(now=now, config=config, demo=demo) as kairos, Screen() as screen:
        done = put_online(kairos, progress=screen)
    shown = f"Online: the snapshot of {done.as_of}, {done.buckets} buckets in {done.seconds:.1f} s"
    answer([shown], asdict(done), as_json=as_json)
