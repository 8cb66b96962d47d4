"""The `kairos` command: the tree of commands, and what becomes of errors."""

from __future__ import annotations

import itertools
import sys
import traceback
from typing import TYPE_CHECKING

import typer
from pydantic_core import ValidationError
from typer.exceptions import TyperException

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
from pipelines.light import have_the_process
from pipelines.options import begin
from runtime.quiet import switch_off_usage_statistics

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

app = typer.Typer(
    name="kairos",
    help="Decides whom to message, with what, on which channel and when.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
app.callback()(begin)
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

_AT_FAULT = (ValueError, LookupError, FileNotFoundError, NotADirectoryError, IsADirectoryError)
"""What the product raises where the caller is: of files that are not there or no files, and of values."""
_BROKEN = (RuntimeError, OSError)
_LIBRARIES = {"_duckdb", "duckdb", "mlflow", "sqlalchemy", "sqlite3"}
"""Whose errors are of what is stored (a lake's file, a registry), not of our code. Importing them is slow."""


def main() -> None:
    """Run the command. Exit code 0: done; 1: failed; 2: asked wrongly, with what is wrong and the way out.

    With ``--json`` an error is an object as well: ``{"error": …}``, on the last line of standard output.
    """
    switch_off_usage_statistics()
    have_the_process()
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]  # a terminal that lacks "–" shows "?"
    sys.exit(_run())


def _run() -> int:
    try:
        return app(standalone_mode=False) or 0
    except Exception as error:  # noqa: BLE001  # each has an exit code
        code, text = _code(error), _said(error)
        if code is None:
            traceback.print_exc()  # a fault of ours: whoever reports it needs to see where
        elif text:  # Typer's help has been shown by then, and leaves none
            typer.secho(f"kairos: {text}{_hint(error)}", fg="red", err=True)
        if "--json" in itertools.takewhile("--".__ne__, sys.argv):
            from pipelines.console import tell

            tell({"error": text})
        return FAILED if code is None else code


def _code(error: Exception) -> int | None:
    """Return the exit code of an error, or None for one that nobody foresaw."""
    if isinstance(error, TyperException):
        return error.exit_code
    if isinstance(error, _AT_FAULT):
        return ASKED_WRONGLY
    if isinstance(error, _BROKEN) or type(error).__module__.split(".")[0] in _LIBRARIES:
        return FAILED
    from decisions.ledger.storage.errors import CallerError, CustomerErased, LedgerError  # slow to import

    if isinstance(error, CallerError) and not isinstance(error, CustomerErased):
        return ASKED_WRONGLY
    return FAILED if isinstance(error, LedgerError) else None


def _said(error: Exception) -> str:
    if isinstance(error, TyperException):
        return error.format_message()
    if isinstance(error, ValidationError):
        return f"{error.title}: " + "; ".join(map(_wrong, error.errors(include_url=False)))
    text = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    return text or type(error).__name__


def _wrong(found: ErrorDetails) -> str:
    """Return what a value should have been: its place, what was given where that is short, and the rule."""
    given = found["input"]
    shown = f" {given!r}" if isinstance(given, str | int | float | None) else ""
    return f"{'.'.join(map(str, found['loc'])) or 'it'}{shown}: {found['msg']}"


def _hint(error: Exception) -> str:
    context = getattr(error, "ctx", None) if isinstance(error, TyperException) else None
    return f"\nTry '{context.command_path} --help' for help." if context else ""
