"""The `kairos` command: the tree of commands, and what becomes of errors."""

from __future__ import annotations

import sys

import typer

from pipelines.commands import (
    access,
    checking,
    data,
    deciding,
    demo,
    experiments,
    lake,
    models,
    operating,
    privacy,
    simulating,
)
from pipelines.options import remember_command
from runtime.quiet import switch_off_usage_statistics

app = typer.Typer(
    name="kairos",
    help="Decides whom to message, with what, on which channel and when.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
app.callback()(remember_command)
for commands in (
    demo,
    data,
    lake,
    checking,
    models,
    deciding,
    experiments,
    simulating,
    operating,
    privacy,
    access,
):
    commands.register(app)

FAILED, ASKED_WRONGLY = 1, 2


def main() -> None:
    """Run the command. Exit code 0: done; 1: failed; 2: asked wrongly, with what is wrong and the way out."""
    switch_off_usage_statistics()
    try:
        app()
    except (ValueError, LookupError, FileNotFoundError) as error:
        _say(error)
        sys.exit(ASKED_WRONGLY)
    except (RuntimeError, OSError) as error:
        _say(error)
        sys.exit(FAILED)
    except Exception as error:
        from decisions.ledger.storage.errors import CallerError, LedgerError  # the ledger is slow to import

        if not isinstance(error, LedgerError):
            raise
        _say(error)
        sys.exit(ASKED_WRONGLY if isinstance(error, CallerError) else FAILED)


def _say(error: Exception) -> None:
    text = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    typer.secho(f"kairos: {text}", fg="red", err=True)
