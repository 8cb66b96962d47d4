"""`kairos serve`, `kairos monitor` and `kairos bench`: keep it running, watch it, measure it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from pipelines.options import AsJson, Config, Demo, Now, kairos_of, settings_of


def register(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    app.command()(serve)
    app.command()(monitor)
    # Each benchmark has options of its own: what is not known here is handed on to it.
    app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(bench)


def serve(
    *,
    host: Annotated[
        str | None, typer.Option(help="Listen here instead of where the settings say; by default on loopback.")
    ] = None,
    now: Now = None,
    config: Config = None,
    demo: Demo = False,
) -> None:
    """Run the HTTP service until interrupted: decisions, confirm, release, events, under /v1; its pages at /docs.

    It listens on loopback and asks for the key below home unless the settings say otherwise.

    Example: kairos serve --demo
    """
    from pipelines.jobs.serving import serve_until_stopped

    settings = settings_of(now=now, config=config, demo=demo)
    raise typer.Exit(serve_until_stopped(settings.model_copy(update={"host": host}) if host else settings))


def monitor(
    *,
    days: Annotated[int, typer.Option(min=1, help="Compare the last so many days with those before.")] = 28,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 when something needs a look.")] = False,
    now: Now = None,
    config: Config = None,
    demo: Demo = False,
    as_json: AsJson = False,
) -> None:
    """Watch drift, calibration, pressure and delivery health; say what needs a look.

    Example: kairos monitor --days 14 --strict
    """
    from pipelines.console import Screen, answer
    from pipelines.monitor.watch import watch
    from pipelines.views.monitoring import tables

    with kairos_of(now=now, config=config, demo=demo) as kairos, Screen() as screen:
        report = watch(kairos, days=days, progress=screen)
    answer(tables(report), {**asdict(report), "alarms": report.alarms}, as_json=as_json)
    if strict and report.alarms:
        raise typer.Exit(1)


def bench(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(help="Which benchmark; without a name they are listed.")] = None,
    *,
    data: Annotated[Path | None, typer.Option(help="Folder with the public data sets some of them need.")] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Run every benchmark of a data set; one that is missing is said.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Measure what is fast and what is good against a named yardstick, both in one run.

    Further options are the benchmark's own. A benchmark whose data set is missing says so with exit code 2.

    Example: kairos bench world --seeds-per-family 3 --json
    """
    from pipelines.jobs.benching import run_benchmark

    raise typer.Exit(run_benchmark(name, data=data, as_json=as_json, every=every, more=context.args))
