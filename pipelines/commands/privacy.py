"""`kairos customers` and `kairos retain`: what is known of a person, and how it is forgotten."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from pipelines.options import AsJson, Config, Customer, Customers, Demo, Now, kairos_of

customers = typer.Typer(name="customers", help="One person: export, erase.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    app.add_typer(customers)
    app.command()(retain)


@customers.command()
def erase(
    ids: Customers = None,
    *,
    pending: Annotated[
        bool, typer.Option("--pending", help="Finish the erasures that were asked for over HTTP or cut short.")
    ] = False,
    now: Now = None,
    config: Config = None,
    demo: Demo = False,
    as_json: AsJson = False,
) -> None:
    """Erase customers from every store, and leave tombstones that keep them out.

    There is no way back. Killed anywhere, run it again with --pending: it goes on where it stopped.

    Example: kairos customers erase 1228 906
    """
    if bool(ids) == pending:
        raise typer.BadParameter("name customers to erase, or finish what was begun with --pending")
    from pipelines.console import Screen, answer, table
    from pipelines.jobs.erasing import erase_customers

    with kairos_of(now=now, config=config, demo=demo) as kairos, Screen() as screen:
        report = erase_customers(kairos, ids or (), progress=screen)
    shown = table(f"Erased {report.finished} from every store", ("store", "rows"), list(report.rows.items()))
    answer([shown], asdict(report), as_json=as_json)


@customers.command()
def export(
    customer: Customer,
    *,
    out: Annotated[Path | None, typer.Option(dir_okay=False, help="File to write (default: print it).")] = None,
    now: Now = None,
    config: Config = None,
    demo: Demo = False,
    as_json: AsJson = False,
) -> None:
    """Write everything that is known of one customer, in every store, as one JSON object (docs/privacy.md).

    Example: kairos customers export 1228 --out 1228.json
    """
    from rich.text import Text

    from pipelines.console import answer
    from runtime.exporting import export_customer, written

    with kairos_of(now=now, config=config, demo=demo, small=True) as kairos:
        everything = export_customer(kairos, customer)
    if out is None:
        typer.echo(written(everything, indented=not as_json))
        return
    out.touch(mode=0o600)  # a person's data: nobody else on this machine reads them
    out.write_bytes(written(everything) + b"\n")
    told = {"out": str(out), "counts": everything["counts"]}
    answer([Text(f"Everything known of the customer: {out}")], told, as_json=as_json)


def retain(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would go.")] = False,
    now: Now = None,
    config: Config = None,
    demo: Demo = False,
    as_json: AsJson = False,
) -> None:
    """Forget what is older than the settings keep it (`retention`); every `kairos features build` does so too.

    Example: kairos retain --dry-run
    """
    from pipelines.console import Screen, answer, table
    from pipelines.jobs.retaining import retain as forget_the_old

    with kairos_of(now=now, config=config, demo=demo, small=True) as kairos, Screen() as screen:
        report = forget_the_old(kairos, dry_run=dry_run, progress=screen)
    title = "Would go" if dry_run else "Gone"
    rows = [(name, count) for name, count in report.gone.items() if count]
    answer([table(title, ("what", "rows"), rows)], asdict(report), as_json=as_json)
